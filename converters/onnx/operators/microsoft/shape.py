"""Shapes and elements by index: forerunners in ``com.microsoft`` of what ONNX has now."""

from __future__ import annotations

import tensorlite as tl
from tensorlite import Tensor

from .....errors import OnnxError
from ...registry import onnx_op
from .. import creation, indexing, matrix, padding
from ..expected import FLOATS, expect
from .activation import MICROSOFT


@onnx_op("ExpandDims", domain=MICROSOFT)
def expand_dims(x: Tensor, axis: Tensor) -> Tensor:
    """A dimension of size 1 before ``axis``; from the end, -1 is after the last."""
    if expect("axis", axis, None, (tl.int32,)).numel() != 1:
        raise OnnxError(f"expected one axis, got shape {tuple(axis.shape)}")
    place = int(axis.reshape(-1)[0].item())
    if not -x.ndim - 1 <= place <= x.ndim:
        raise OnnxError(f"expected axis from {-x.ndim - 1} to {x.ndim}, got {place}")
    return x.unsqueeze(place)


@onnx_op("GatherND", domain=MICROSOFT)
def gather_nd(x: Tensor, indices: Tensor) -> Tensor:
    """What the last dimension of ``indices`` points at."""
    expect("indices", indices, None, (tl.int32, tl.int64))
    if x.ndim == 0 or indices.ndim == 0 or indices.shape[-1] > x.ndim:
        raise OnnxError(
            f"expected indices with at most {x.ndim} in the last dimension, got shape "
            f"{tuple(indices.shape)}"
        )
    return indexing.gather_nd(x, indices)


@onnx_op("Pad", domain=MICROSOFT)
def pad(x: Tensor, pads: Tensor, value: Tensor | None = None, *, mode: str = "constant") -> Tensor:
    """:func:`padding.pad` by (2 r) or (1, 2 r) amounts."""
    expect("data", x, None, FLOATS)
    if tuple(expect("pads", pads, None, (tl.int64,)).shape) not in ((2 * x.ndim,), (1, 2 * x.ndim)):
        raise OnnxError(
            f"expected pads of shape ({2 * x.ndim},) or (1, {2 * x.ndim}), got {tuple(pads.shape)}"
        )
    if value is not None and expect("value", value, None, (x.dtype,)).numel() != 1:
        raise OnnxError(f"expected one value, got shape {tuple(value.shape)}")
    fill = None if value is None else value.reshape(())
    return padding.pad(x, pads.reshape(-1), fill, mode=mode)


@onnx_op("Range", domain=MICROSOFT)
def range_(start: Tensor, limit: Tensor, delta: Tensor | None = None) -> Tensor:
    """``start + i * delta`` below ``limit``, of scalars or tensors of one element."""
    if delta is None:
        delta = tl.ones((), dtype=start.dtype, device=start.device)
    for name, x in (("start", start), ("limit", limit), ("delta", delta)):
        if expect(name, x, None, (start.dtype,)).numel() != 1 or x.ndim > 1:
            raise OnnxError(f"expected a scalar as {name}, got shape {tuple(x.shape)}")
    if not delta.reshape(()).item():
        raise OnnxError("expected a delta that is not 0")
    return creation.range_(start.reshape(()), limit.reshape(()), delta.reshape(()))


@onnx_op("Trilu", domain=MICROSOFT)
def trilu(x: Tensor, k: Tensor | None = None, *, upper: int = 1) -> Tensor:
    if x.ndim < 2:
        raise OnnxError(f"expected X of 2 dimensions or more, got shape {tuple(x.shape)}")
    if k is not None and expect("k", k, None, (tl.int64,)).numel() != 1:
        raise OnnxError(f"expected one number as k, got shape {tuple(k.shape)}")
    return matrix.trilu(x, None if k is None else k.reshape(()), upper=upper)


@onnx_op("UnfoldTensor", domain=MICROSOFT)
def unfold_tensor(x: Tensor, *, dim: int = -1, size: int, step: int = 1) -> Tensor:
    """All slices of a size along a dimension, as a new last dimension."""
    return x.unfold(dim, size, step)


@onnx_op("Unique", domain=MICROSOFT)
def unique(x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Unique elements in the order of their first places, which each element is, their counts."""
    if x.ndim != 1:
        raise OnnxError(f"expected x of 1 dimension, got shape {tuple(x.shape)}")
    values, _, inverse, counts = indexing.unique(x, sorted=0)
    return values, inverse, counts


@onnx_op("TorchEmbedding", domain=MICROSOFT)
def torch_embedding(
    weight: Tensor,
    indices: Tensor,
    padding_idx: Tensor | None = None,
    scale_grad_by_freq: Tensor | None = None,
) -> Tensor:
    """Rows of ``weight``; the two last inputs matter to training only."""
    expect("weight", weight, ("rows", "columns"))
    return indexing.gather(weight, expect("indices", indices, None, (tl.int64,)))
