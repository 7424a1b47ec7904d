"""Gated activations: SwiGLU."""

from __future__ import annotations

import tensorlite as tl
from tensorlite import Tensor

from ..registry import onnx_op
from .expected import FLOATS, expect


@onnx_op("SwiGLU", since=28)
def swiglu(a: Tensor, b: Tensor, *, alpha: float = 1.0) -> Tensor:
    """``a * sigmoid(alpha * a) * b``, element by element; half precision in float32."""
    expect("A", a, None, FLOATS)
    expect("B", b, tuple(a.shape), (a.dtype,))
    wide = a.float() if a.dtype.is_half else a
    return (wide * tl.sigmoid(wide * alpha) * b.to(wide.dtype)).to(a.dtype)
