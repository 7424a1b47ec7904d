"""What an exported model says to inputs that it does not take."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from exporting import export, seeded, torch

import tensorlite as tl
from tensorlite.errors import OnnxError

nn = torch.nn


class Masked(nn.Module):
    """Words and a mask of their own sizes, so that only a node sees that they do not fit."""

    def __init__(self) -> None:
        super().__init__()
        self.words = nn.Embedding(30, 8)
        self.out = nn.Linear(8, 2)

    def forward(self, ids: Any, mask: Any) -> Any:
        return self.out(self.words(ids) * mask[..., None])


@pytest.fixture(scope="module")
def data() -> bytes:
    given = torch.randint(0, 30, (2, 5)), torch.ones(2, 5)
    return export(seeded(Masked), given, exporter="torchscript", opset=17, free=((0, 1), (0, 1)))


IDS, MASK = tl.zeros(2, 5, dtype=tl.int64), tl.ones(2, 5)
TAKES = r"the model takes x0: int64\[x0_0, x0_1\], x1: float32\[x1_0, x1_1\]"

CALLS: dict[str, tuple[Callable[[Any], Any], str]] = {
    "missing": (lambda m: m(IDS), rf"^missing input 'x1'; {TAKES}$"),
    "too many": (lambda m: m(IDS, MASK, MASK), rf"^3 inputs given, {TAKES}$"),
    "unknown": (lambda m: m(IDS, mask=MASK), rf"^no input is named 'mask'; {TAKES}"),
    "twice": (lambda m: m(IDS, x0=IDS), r"^input 'x0' is given by position and by name$"),
    "rank": (
        lambda m: m(IDS[0], MASK),
        r"^input 'x0': expected 2 dimensions, int64\[x0_0, x0_1\], got int64 \(5,\)$",
    ),
    "dtype": (
        lambda m: m(IDS.int(), MASK),
        r"^input 'x0': expected int64\[.*\], got int32 \(2, 5\); convert it, e.g. x.to\(tl.int64\)",
    ),
    "text": (lambda m: m("a cat", MASK), r"^input 'x0': expected int64\[.*\], got string \(\)$"),
    "nothing": (lambda m: m(None, MASK), r"^input 'x0': expected int64\[.*\], got nothing$"),
    "a list to run": (lambda m: m.run([IDS, MASK]), r"^run: expected a dict of inputs by name, "),
    "sizes": (
        lambda m: m(IDS, MASK[:, :3]),
        r"^node '/Mul' \(Mul, opset 17\) with .*: float32 \(2, 5, 8\), .*: float32 \(2, 3, 1\): .*"
        r"sizes 5 and 3 of dimension -2 do not broadcast",
    ),
    "an index": (
        lambda m: m(IDS + 30, MASK),
        r"^node '/words/Gather' \(Gather, opset 17\) with .*: an index is out of range for a size "
        r"of 30$",
    ),
}


@pytest.mark.parametrize("optimize", [True, False])
@pytest.mark.parametrize("name", CALLS)
def test_wrong_inputs(name: str, optimize: bool, data: bytes) -> None:
    call, said = CALLS[name]
    with pytest.raises(OnnxError, match=said):
        call(tl.onnx.load(data, optimize=optimize))


def test_static_sizes_are_named(device: tl.device) -> None:
    module = seeded(lambda: nn.Conv2d(3, 4, 3))
    data = export(module, (torch.randn(1, 3, 8, 8),), exporter="dynamo", opset=18)
    with pytest.raises(OnnxError, match=r"dimension 2 is 9, expected 8: float32\[1, 3, 8, 8\]"):
        tl.onnx.load(data, device=device)(tl.zeros(1, 3, 9, 8, device=device))
