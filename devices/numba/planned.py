"""Eager operators whose kernel is a plan: attention, which is several products and a softmax.

A plan is made for each combination of shapes and options, the last few are kept. It copies the
operands into its memory, which takes little beside the products.
"""

from __future__ import annotations

import threading
from functools import cache
from typing import Any

import numpy as np

from ..kernels import kernel

Array = np.ndarray[Any, Any]
_NAME = "nn.functional.scaled_dot_product_attention"
_LEAST = 1 << 16  # multiplications below which NumPy's calls take no longer
_LIMIT = 8
_here = threading.local()  # what a plan runs as written is not to be planned again


@cache
def _attention() -> Any:
    from ...ops.registry import FUNCTIONS
    from .plan.compile import Compiled

    return Compiled(FUNCTIONS[_NAME], limit=_LIMIT)


def takes_attention(
    query: Array, key: Array, value: Array, attn_mask: Array | None = None,
    dropout_p: float = 0.0, is_causal: bool = False, scale: float | None = None,
    enable_gqa: bool = False,
) -> str | None:  # fmt: skip
    """Why the plan does not take an attention's arguments."""
    given = (query, key, value)
    if getattr(_here, "busy", False):
        return "part of a plan"
    if any(a.dtype != np.float32 or a.ndim < 3 or not a.size for a in given):
        return "not float32, no batch, or no elements"
    lead = query.shape[:-2]
    if enable_gqa or key.shape[:-2] != lead or value.shape[:-2] != lead:
        return "batches that differ"
    if query.shape[-1] != key.shape[-1] or key.shape[-2] != value.shape[-2] or dropout_p:
        return "shapes that do not fit, or dropout"
    if attn_mask is not None and (is_causal or attn_mask.dtype not in (np.float32, np.bool_)):
        return "a mask of another dtype, or two masks"
    if query.size * key.shape[-2] < _LEAST:
        return "so little work that NumPy is as quick"
    return None


@kernel("numba", _NAME, when=takes_attention, min_size=256)
def planned_attention(
    query: Array, key: Array, value: Array, attn_mask: Array | None = None,
    dropout_p: float = 0.0, is_causal: bool = False, scale: float | None = None,
    enable_gqa: bool = False,
) -> Array:  # fmt: skip
    """Attention as a plan, which never has the whole matrix of scores."""
    _here.busy = True
    try:
        found = _attention()(
            query, key, value, attn_mask=attn_mask, is_causal=is_causal, scale=scale
        )
    finally:
        _here.busy = False
    result: Array = found._array
    return result
