"""RotaryEmbedding of com.microsoft against ONNX Runtime."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from microsoft_node import agree, normal, run

from tensorlite.errors import OnnxError

NAME = "RotaryEmbedding"
COS, SIN = normal(10, 2, seed=1), normal(10, 2, seed=2)
POSITIONS = [np.array([1]), np.array([[0, 1, 2], [5, 4, 3]])]
FORMS = [
    ((2, 3, 8), {}),
    ((2, 2, 3, 4), {}),
    ((2, 3, 8), {"num_heads": 2}),
    ((2, 3, 16), {"num_heads": 2, "rotary_embedding_dim": 4}),
    ((2, 2, 3, 8), {"num_heads": 2, "rotary_embedding_dim": 4}),
    ((2, 3, 8), {"scale": 0.5}),
    ((2, 3, 8), {"is_packed_batching": 1}),
]


@pytest.mark.parametrize("shape, attributes", FORMS)
@pytest.mark.parametrize("positions", POSITIONS)
@pytest.mark.parametrize("interleaved", [0, 1])
@pytest.mark.parametrize("dtype", [np.float32, np.float16])
def test_against_onnxruntime(
    shape: Any, attributes: Any, positions: Any, interleaved: int, dtype: Any, device: Any
) -> None:
    x, cos, sin = (a.astype(dtype) for a in (normal(*shape), COS, SIN))
    tolerance = 1e-5 if dtype is np.float32 else 1e-2
    agree(
        NAME,
        *(x, positions, cos, sin),
        interleaved=interleaved,
        device=device,
        rtol=tolerance,
        atol=tolerance,
        **attributes,
    )


@settings(max_examples=40, deadline=None)
@given(
    st.integers(1, 3), st.integers(1, 4), st.integers(1, 3), st.integers(1, 5), st.integers(0, 4),
    st.booleans(), st.integers(0, 2**32 - 1),
)  # fmt: skip
def test_of_any_size(
    batch: int, length: int, heads: int, half: int, rest: int, interleaved: bool, seed: int
) -> None:
    random = np.random.default_rng(seed)
    x = random.standard_normal((batch, length, heads * (2 * half + rest))).astype(np.float32)
    cos, sin = random.standard_normal((2, 7, half)).astype(np.float32)
    positions = random.integers(0, 7, (batch, length))
    partial = {"rotary_embedding_dim": 2 * half} if rest else {}
    agree(
        NAME,
        *(x, positions, cos, sin),
        num_heads=heads,
        interleaved=int(interleaved),
        **partial,
    )


def test_errors() -> None:
    x = normal(2, 3, 8)

    def refuses(message: str, *inputs: Any, **attributes: Any) -> None:
        with pytest.raises(OnnxError, match=message):
            run(NAME, *inputs, **attributes)

    refuses("10 positions, but those from 8 to 10 are needed", x, np.array([8]), COS, SIN)
    refuses("those from -1 to 1", x, np.array([-1]), COS, SIN)
    refuses("it needs num_heads", x, np.array([1]), COS, SIN, rotary_embedding_dim=4)
    refuses(
        r"expected cos_cache of shape \(max_sequence_length, 4\)",
        x,
        np.array([1]),
        COS,
        SIN,
        num_heads=1,
    )
    refuses(r"expected position_ids of shape \(2, 3\)", x, np.array([[1, 2]]), COS, SIN)
    refuses(r"expected sin_cache of shape \(10, 2\)", x, np.array([1]), COS, SIN[:9].copy())
    refuses("3 or 4 dimensions", x[0], np.array([1]), COS, SIN)
    refuses("multiple of 3 heads", x, np.array([1]), COS, SIN, num_heads=3)
