"""EmbedLayerNormalization against ONNX Runtime."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from microsoft_node import agree, int32, normal, run
from single_node import same

from tensorlite.errors import OnnxError

IDS, SEGMENTS = int32([1, 2, 3], [4, 5, 0]), int32([0, 0, 1], [1, 1, 0])
MASK = int32([1, 1, 1], [1, 0, 0])


def tables(dtype: Any = np.float32) -> tuple[Any, ...]:
    """Tables of words, positions and segments, the scale and the shift."""
    shapes = [(6, 8), (4, 8), (2, 8), (8,), (8,)]
    return tuple(normal(*shape, seed=i, dtype=dtype) for i, shape in enumerate(shapes))


@pytest.mark.parametrize(
    "mask", [None, MASK, int32([0, 1, 1], [1, 0, 1]), int32([2, 3, -1], [1, 0, 1])]
)
@pytest.mark.parametrize("segments", [False, True])
@pytest.mark.parametrize("positions", [None, int32([3, 2, 1]), int32([3, 2, 1], [0, 1, 0])])
def test_against_onnxruntime(mask: Any, segments: bool, positions: Any, device: Any) -> None:
    words, places, kinds, gamma, beta = tables()
    ids, kinds = (SEGMENTS, kinds) if segments else (None, None)
    inputs = [IDS, ids, words, places, kinds, gamma, beta, mask, positions]
    agree("EmbedLayerNormalization", *inputs, outputs=2, device=device, epsilon=1e-5)
    agree("EmbedLayerNormalization", *inputs, outputs=3, device=device, mask_index_type=1)


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 3), st.integers(1, 4), st.integers(0, 2**32 - 1))
def test_of_any_ids(batch: int, length: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    words, places, kinds, gamma, beta = tables()
    ids = random.integers(0, 6, (batch, length), np.int32)
    segments = random.integers(0, 2, (batch, length), np.int32)
    mask = random.integers(0, 2, (batch, length), np.int32)
    agree(
        "EmbedLayerNormalization",
        *(ids, segments, words, places, kinds, gamma, beta, mask),
        outputs=3,
        epsilon=1e-3,
        rtol=1e-4,
    )


def test_half_precision_is_that_of_float32_rounded(device: Any) -> None:
    half = tables(np.float16)
    words, places, kinds, gamma, beta = half
    have = run(
        "EmbedLayerNormalization",
        *(IDS, SEGMENTS, words, places, kinds, gamma, beta),
        device=device,
    )
    words, places, kinds, gamma, beta = (t.astype(np.float32) for t in half)
    want = run("EmbedLayerNormalization", IDS, SEGMENTS, words, places, kinds, gamma, beta)
    same(have, [want[0].astype(np.float16)], 1e-3, 1e-3)


def test_errors() -> None:
    words, places, kinds, gamma, beta = tables()
    rest = (words, places, kinds, gamma, beta)
    name = "EmbedLayerNormalization"
    with pytest.raises(OnnxError, match="expected input_ids from 0 to 5, got 2 to 7"):
        run(name, IDS + 2, SEGMENTS, *rest)
    with pytest.raises(OnnxError, match="expected segment_ids from 0 to 1, got -1 to 0"):
        run(name, IDS, SEGMENTS - 1, *rest)
    with pytest.raises(OnnxError, match="5 words, but position_embedding has 4 rows"):
        run(name, np.zeros((1, 5), np.int32), np.zeros((1, 5), np.int32), *rest)
    with pytest.raises(OnnxError, match="give both or neither"):
        run(name, IDS, None, *rest)
    with pytest.raises(OnnxError, match=r"expected mask of shape \(2, 3\)"):
        run(name, IDS, SEGMENTS, *rest, MASK[:1])
    with pytest.raises(OnnxError, match="position_ids of 1 or 2 rows, got 3"):
        run(name, IDS, SEGMENTS, *rest, MASK, np.zeros((3, 3), np.int32))
    with pytest.raises(OnnxError, match="input_ids of dtype int32, got int64"):
        run(name, IDS.astype(np.int64), SEGMENTS, *rest)
