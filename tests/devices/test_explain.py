"""``tl.explain()``: nothing escapes it, and it leaves nothing behind."""

from __future__ import annotations

import io
import subprocess
import sys
import threading

import pytest

import tensorlite as tl
from tensorlite import nn
from tensorlite.errors import ShapeError


def names(e: tl.explain) -> list[str]:
    return [row.operator for row in e.rows]


def test_small_calls_are_recorded_too(device: tl.device) -> None:
    x = tl.tensor([[1.0, -2.0], [3.0, 4.0]], device=device)
    x + x, x[1:], x.relu()  # noqa: B018  # the short way has been taken before
    with tl.explain() as e:
        x + x  # noqa: B018
        x + 1.0  # noqa: B018
        x[0:1]
        x.reshape(4)
        tl.relu(x)
        x.sum()
        x @ x  # noqa: B018
        x += 1
    assert names(e) == ["add", "add", "getitem", "reshape", "relu", "sum", "matmul", "add"]
    assert {row.device for row in e.rows} == {str(device)}


def test_a_device_first_used_inside_the_block_is_recorded() -> None:
    program = (
        "import tensorlite as tl\n"
        "with tl.explain() as e:\n"
        "    x = tl.ones(3, device='numba')\n"
        "    x + x\n"
        "y = x + x\n"
        "print(*[row.operator for row in e.rows], len(x.device.fast) > 0)"
    )
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert run.stdout.split() == ["ones", "add", "True"]


def test_blocks_nest() -> None:
    x = tl.ones(2)
    with tl.explain() as outer:
        with tl.explain() as inner:
            x + x  # noqa: B018
        x * x  # noqa: B018
    x - x  # noqa: B018
    assert names(inner) == ["add"] and names(outer) == ["add", "mul"]


def test_the_short_way_is_back_afterwards_even_after_an_error() -> None:
    x = tl.ones(2)
    before = x.device.fast
    with pytest.raises(ShapeError), tl.explain() as e:
        x + tl.ones(3)  # noqa: B018
    assert x.device.fast is before and before
    assert names(e)[-1] == "add"


def test_other_threads_are_not_recorded() -> None:
    x = tl.ones(2)
    with tl.explain() as e:
        thread = threading.Thread(target=lambda: x * x)
        thread.start()
        thread.join()
        x + x  # noqa: B018
    assert names(e) == ["add"]


def test_the_table_counts_equal_calls_and_says_why() -> None:
    x = tl.ones(2, device="numba")
    with tl.explain() as e:
        for _ in range(3):
            tl.sigmoid(x)
        tl.sigmoid(tl.ones(100_000, device="numba"))
    (small, times), *_ = e.counts()
    assert times == 3 and small.kernel == "reference:numpy"
    assert "2 elements, worth it from" in small.why
    assert e.rows[-1].kernel.startswith("numba:") and not e.rows[-1].why
    lines = repr(e).splitlines()
    assert lines[0].split() == [
        "operator",
        "kernel",
        "device",
        "arguments",
        "copies",
        "times",
        "why",
    ]
    assert len(lines) == 1 + len(e.counts())
    with tl.explain() as nothing:
        pass
    assert repr(nothing) == "nothing ran"


def test_the_rich_table_cuts_nothing_off() -> None:
    from rich.console import Console

    with tl.explain() as e:
        nn.Linear(3, 2)(tl.ones(1, 3))
    page = io.StringIO()
    Console(file=page, width=60).print(e)
    assert "…" not in page.getvalue()


def test_a_module_is_explained_operator_by_operator(device: tl.device) -> None:
    net = nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(), nn.Flatten(), nn.Linear(8, 2)).to(device)
    with tl.explain() as e:
        net(tl.ones(1, 1, 4, 4, device=device))
    found = names(e)
    for name in ("conv2d", "relu", "flatten", "linear"):
        assert any(name in operator for operator in found), name
