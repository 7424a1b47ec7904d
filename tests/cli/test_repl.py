"""The prompt on a terminal: completion, summaries above tensors, history for the next time."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

pty = pytest.importorskip("pty", reason="there are no pseudo-terminals here")
pytest.importorskip("readline", reason="this Python has no readline")


def typed(text: str, state: Path) -> tuple[str, int]:
    """What a terminal shows when this is typed at the prompt, and the exit code."""
    child, terminal = pty.fork()
    if child == 0:  # nothing but exec: the process is a copy of the test's
        env = {**os.environ, "XDG_STATE_HOME": str(state), "TERM": "dumb"}
        os.execve(sys.executable, [sys.executable, "-m", "tensorlite", "repl"], env)
    shown = b""
    sent = False
    while True:
        try:
            part = os.read(terminal, 65536)
        except OSError:  # how Linux tells that the other side has gone
            break
        if not part:
            break
        shown += part
        if not sent and b">>> " in shown:
            os.write(terminal, text.encode())
            sent = True
    os.close(terminal)
    return shown.decode(errors="replace"), os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork.*:DeprecationWarning")
def test_a_session_on_a_terminal(tmp_path: Path) -> None:
    shown, code = typed("x = tl.arang\t3.0)\nx\nexit()\n", tmp_path)
    assert code == 0
    assert "tl, nn, F and np are there" in shown
    assert "float32 [3], from 0 to 2, mean 1" in shown and "tensor([0., 1., 2.])" in shown
    history = (tmp_path / "tensorlite" / "history").read_text()
    assert "x = tl.arange(3.0)" in history
