"""Along a dimension, of the elements that a mask keeps: running sums, softmax, normalisation."""

from __future__ import annotations

from ..dtypes import dtype as Dtype
from . import elementwise, scan
from . import softmax as softmaxes
from .clamping import clamp_min
from .masked import INF, cast, filled, norm
from .registry import Array, op


@op(spaces="masked")
def cumsum(
    input: Array, dim: int, *, dtype: Dtype | None = None, mask: Array | None = None
) -> Array:
    """The running sums of what is kept.

    Source: PyTorch ``torch.masked.cumsum``.

    >>> import tensorlite as tl
    >>> x, mask = tl.tensor([3.0, 1.0, 2.0]), tl.tensor([False, True, True])
    >>> tl.masked.cumsum(x, 0, mask=mask)
    tensor([0., 1., 3.])
    """
    x = cast(input, dtype)
    return scan.cumsum(filled(x, mask, 0), dim, dtype=x.dtype)


@op(spaces="masked")
def cumprod(
    input: Array, dim: int, *, dtype: Dtype | None = None, mask: Array | None = None
) -> Array:
    """The running products of what is kept.

    Source: PyTorch ``torch.masked.cumprod``.

    >>> import tensorlite as tl
    >>> x, mask = tl.tensor([3.0, 1.0, 2.0]), tl.tensor([False, True, True])
    >>> tl.masked.cumprod(x, 0, mask=mask)
    tensor([1., 1., 2.])
    """
    x = cast(input, dtype)
    return scan.cumprod(filled(x, mask, 1), dim, dtype=x.dtype)


@op(spaces="masked")
def softmax(
    input: Array, dim: int, *, dtype: Dtype | None = None, mask: Array | None = None
) -> Array:
    """The softmax of what is kept, 0 elsewhere.

    Source: PyTorch ``torch.masked.softmax``.

    >>> import tensorlite as tl
    >>> x, mask = tl.tensor([3.0, 1.0, 2.0]), tl.tensor([False, True, True])
    >>> tl.masked.softmax(x, 0, mask=mask)
    tensor([0.0000, 0.2689, 0.7311])
    """
    return softmaxes.softmax(filled(cast(input, dtype), mask, -INF), dim)


@op(spaces="masked")
def log_softmax(
    input: Array, dim: int, *, dtype: Dtype | None = None, mask: Array | None = None
) -> Array:
    """The logarithm of :func:`softmax`.

    Source: PyTorch ``torch.masked.log_softmax``.

    >>> import tensorlite as tl
    >>> x, mask = tl.tensor([3.0, 1.0, 2.0]), tl.tensor([False, True, True])
    >>> tl.masked.log_softmax(x, 0, mask=mask)
    tensor([   -inf, -1.3133, -0.3133])
    """
    return softmaxes.log_softmax(filled(cast(input, dtype), mask, -INF), dim)


@op(spaces="masked")
def softmin(
    input: Array, dim: int, *, dtype: Dtype | None = None, mask: Array | None = None
) -> Array:
    """The softmax of ``-x`` of what is kept.

    Source: PyTorch ``torch.masked.softmin``.

    >>> import tensorlite as tl
    >>> x, mask = tl.tensor([3.0, 1.0, 2.0]), tl.tensor([False, True, True])
    >>> tl.masked.softmin(x, 0, mask=mask)
    tensor([0.0000, 0.7311, 0.2689])
    """
    return softmaxes.softmin(filled(cast(input, dtype), mask, INF), dim)


@op(spaces="masked")
def normalize(
    input: Array,
    ord: float,
    dim: int,
    *,
    eps: float = 1e-12,
    dtype: Dtype | None = None,
    mask: Array | None = None,
) -> Array:
    """What is kept, over its norm or ``eps``; 0 elsewhere.

    Source: PyTorch ``torch.masked.normalize``.

    >>> import tensorlite as tl
    >>> x, mask = tl.tensor([3.0, 1.0, 4.0]), tl.tensor([True, False, True])
    >>> tl.masked.normalize(x, 2.0, 0, mask=mask)
    tensor([0.6000, 0.0000, 0.8000])
    """
    x = cast(input, dtype)
    size = norm(x, ord, dim, keepdim=True, mask=mask)
    return filled(x, mask, 0) / clamp_min(size, eps)


@op(spaces="masked")
def logaddexp(
    input: Array,
    other: Array,
    *,
    dtype: Dtype | None = None,
    input_mask: Array | None = None,
    other_mask: Array | None = None,
) -> Array:
    """``log(exp(input) + exp(other))`` of what each mask keeps.

    Source: PyTorch ``torch.masked.logaddexp``.

    >>> import tensorlite as tl
    >>> x, y = tl.tensor([1.0]), tl.tensor([2.0])
    >>> tl.masked.logaddexp(x, y, input_mask=tl.tensor([False]))
    tensor([2.])
    """
    x = filled(cast(input, dtype), input_mask, -INF)
    return elementwise.logaddexp(x, filled(cast(other, dtype), other_mask, -INF))
