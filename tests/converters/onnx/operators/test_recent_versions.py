"""What the opsets 27 and 28 changed in older operators: Range, SpaceToDepth, BitShift, Mod."""

from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy as np
import pytest
from single_node import agree, node_model, ours, reference, same

HALVES = [np.float16, ml_dtypes.bfloat16]
RANGES = [(0, 10, 0.125), (2000, 3000, 3), (5, -5, -0.5), (1, 1, 1), (4, 1, 2)]


@pytest.mark.parametrize("dtype", HALVES)
@pytest.mark.parametrize("limits", RANGES)
@pytest.mark.parametrize("stash", [None, 1, 11])
def test_range_of_half_precision(
    dtype: Any, limits: tuple[float, ...], stash: int | None, device: Any
) -> None:
    inputs = [np.asarray(v, dtype) for v in limits]
    attributes = {} if stash is None else {"stash_type": stash}
    have = ours(node_model("Range", inputs, 1, 27, **attributes), inputs, device)
    start, limit, delta = (x.astype(np.float64) for x in inputs)
    same(have, [np.arange(start, limit, delta).astype(dtype)], 0, 0)


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int16, np.int32, np.int64])
@pytest.mark.parametrize("opset", [11, 27])
def test_range_of_other_dtypes(dtype: Any, opset: int, device: Any) -> None:
    inputs = [np.asarray(v, dtype) for v in (3, 20, 4)]
    agree("Range", *inputs, opset=opset, device=device, key=reference)


@pytest.mark.parametrize("mode", [None, "DCR", "CRD"])
@pytest.mark.parametrize("sizes", [(2, 3, 4, 6), (1, 1, 2, 2), (0, 3, 4, 4)])
def test_space_to_depth(mode: str | None, sizes: tuple[int, ...], device: Any) -> None:
    x = np.arange(np.prod(sizes), dtype=np.float32).reshape(sizes)
    attributes = {} if mode is None else {"mode": mode}
    agree("SpaceToDepth", x, opset=28, device=device, key=reference, blocksize=2, **attributes)


@pytest.mark.parametrize("mode", ["DCR", "CRD"])
def test_depth_to_space_undoes_it(mode: str, device: Any) -> None:
    x = np.arange(2 * 3 * 4 * 6, dtype=np.float32).reshape(2, 3, 4, 6)
    deep = ours(node_model("SpaceToDepth", [x], 1, 28, blocksize=2, mode=mode), [x], device)
    back = ours(node_model("DepthToSpace", deep, 1, 28, blocksize=2, mode=mode), deep, device)
    same(back, [x])


@pytest.mark.parametrize("dtype", [np.int8, np.int16, np.int32, np.int64, np.uint8, np.uint64])
@pytest.mark.parametrize("direction", ["LEFT", "RIGHT"])
def test_bit_shift(dtype: Any, direction: str, device: Any) -> None:
    info = np.iinfo(dtype)
    amounts = [0, 1, info.bits - 1, info.bits, info.bits + 1, *([-1] if info.min else [])]
    x, y = np.meshgrid(
        np.array([info.min, info.min + 1, 0, 1, 5, info.max], dtype), np.array(amounts, dtype)
    )
    bits = [int(v) for v in y.reshape(-1)]
    inside = [min(b, info.bits) if b >= 0 else info.bits for b in bits]
    numbers = [int(v) for v in x.reshape(-1)]
    shifted = [
        (v << b) % 2**info.bits if direction == "LEFT" else v >> b
        for v, b in zip(numbers, inside, strict=True)
    ]
    unsigned = np.array([s % 2**info.bits for s in shifted], np.uint64)
    want = unsigned.astype(f"u{info.dtype.itemsize}").view(dtype).reshape(x.shape)
    have = ours(node_model("BitShift", [x, y], 1, 28, direction=direction), [x, y], device)
    same(have, [want])


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.float16])
def test_mod_of_floats(dtype: Any, device: Any) -> None:
    """The special cases that the specification lists, the sign of zeros among them."""
    inf, nan = np.inf, np.nan
    cases = [
        (0, 2, 0.0), (-0.0, 2, 0.0), (0, -2, -0.0), (inf, 2, nan), (-inf, 2, nan), (1, 0, nan),
        (1, -0.0, nan), (3, inf, 3), (-3, inf, inf), (5, -inf, -inf), (-5, -inf, -5), (nan, 1, nan),
        (4, nan, nan), (5.5, 2, 1.5), (-5.5, 2, 0.5), (5.5, -2, -0.5), (-5.5, -2, -1.5),
    ]  # fmt: skip
    a, b, want = (np.array(column, dtype) for column in zip(*cases, strict=True))
    (have,) = ours(node_model("Mod", [a, b], 1, 28), [a, b], device)
    same([have], [want], 0, 0)
    assert np.signbit(have[:3]).tolist() == np.signbit(want[:3]).tolist()
