"""Norms by the names and with the orders of arguments that ``torch`` itself has."""

from __future__ import annotations

from collections.abc import Sequence

from ..tensor import Tensor
from .normalization import batch_norm as _batch_norm
from .normalization import instance_norm as _instance_norm
from .normalization import layer_norm
from .registry import Array, op


@op()
def batch_norm(
    input: Array,
    weight: Array | None,
    bias: Array | None,
    running_mean: Array | None,
    running_var: Array | None,
    training: bool,
    momentum: float,
    eps: float,
    cudnn_enabled: bool = True,
) -> Array:
    """:func:`tensorlite.nn.functional.batch_norm`. Source: PyTorch ``torch.batch_norm``.

    >>> import tensorlite as tl
    >>> mean, var = tl.tensor([2.0]), tl.tensor([1.0])
    >>> tl.batch_norm(tl.tensor([[3.0]]), None, None, mean, var, False, 0.1, 0.0, False)
    tensor([[1.]])
    """
    return _batch_norm(input, running_mean, running_var, weight, bias, training, momentum, eps)


@op()
def instance_norm(
    input: Array,
    weight: Array | None,
    bias: Array | None,
    running_mean: Array | None,
    running_var: Array | None,
    use_input_stats: bool,
    momentum: float,
    eps: float,
    cudnn_enabled: bool = True,
) -> Array:
    """:func:`tensorlite.nn.functional.instance_norm`. Source: PyTorch ``torch.instance_norm``.

    >>> import tensorlite as tl
    >>> x = tl.tensor([[[1.0, 3.0]]])
    >>> tl.instance_norm(x, None, None, None, None, True, 0.1, 0.0, False)
    tensor([[[-1.,  1.]]])
    """
    return _instance_norm(
        input, running_mean, running_var, weight, bias, use_input_stats, momentum, eps
    )


@op()
def native_batch_norm(
    input: Array,
    weight: Array | None,
    bias: Array | None,
    running_mean: Array | None,
    running_var: Array | None,
    training: bool,
    momentum: float,
    eps: float,
) -> tuple[Array, Array, Array]:
    """(batch norm, mean, 1 / deviation), the two empty unless ``training``.

    Source: PyTorch ``torch.native_batch_norm``.

    >>> import tensorlite as tl
    >>> x = tl.tensor([[1.0], [3.0]])
    >>> tl.native_batch_norm(x, None, None, None, None, True, 0.1, 0.0)[1]
    tensor([2.])
    """
    result = _batch_norm(input, running_mean, running_var, weight, bias, training, momentum, eps)
    if training:
        mean, inverse = _statistics(input, dims=(0, *range(2, input.ndim)), eps=eps)
        return result, mean.flatten(), inverse.flatten()
    kind = input if weight is None else weight
    return result, kind.new_zeros(0), kind.new_zeros(0)


@op()
def native_layer_norm(
    input: Array,
    normalized_shape: Sequence[int],
    weight: Array | None,
    bias: Array | None,
    eps: float,
) -> tuple[Array, Array, Array]:
    """(layer norm, mean, 1 / deviation). Source: PyTorch ``torch.native_layer_norm``.

    >>> import tensorlite as tl
    >>> tl.native_layer_norm(tl.tensor([1.0, 3.0]), (2,), None, None, 0.0)[1]
    tensor([2.])
    """
    result = layer_norm(input, normalized_shape, weight, bias, eps)
    dims = tuple(range(input.ndim - len(normalized_shape), input.ndim))
    mean, inverse = _statistics(input, dims=dims, eps=eps)
    return result, mean, inverse


def _statistics(input: Tensor, dims: tuple[int, ...], eps: float) -> tuple[Tensor, Tensor]:
    """Mean and 1 / deviation over the dimensions, which stay with size 1."""
    x = input.float() if input.dtype.is_half else input
    mean, var = x.mean(dims, keepdim=True), x.var(dims, correction=0, keepdim=True)
    return mean.to(input.dtype), (var + eps).rsqrt().to(input.dtype)
