"""Batch norms folded into the convolution or linear layer in front of them."""

from __future__ import annotations

import copy
from typing import Any

from ...errors import ArgumentError
from ...tensor import Tensor
from ..module import Module
from ..parameter import Parameter


def fuse_conv_bn_eval(conv: Module, bn: Module, transpose: bool = False) -> Module:
    """A convolution that computes ``bn(conv(x))``, both after ``eval()``.

    Source: PyTorch ``torch.nn.utils.fuse_conv_bn_eval``.

    >>> import tensorlite as tl
    >>> conv, bn = tl.nn.Conv1d(1, 2, 1).eval(), tl.nn.BatchNorm1d(2).eval()
    >>> x = tl.ones(1, 1, 3)
    >>> tl.allclose(fuse_conv_bn_eval(conv, bn)(x), bn(conv(x)))
    True
    """
    fused = _copy(conv, bn)
    fused.weight, fused.bias = fuse_conv_bn_weights(
        conv.weight, conv.bias, bn.running_mean, bn.running_var, bn.eps, bn.weight, bn.bias,
        transpose,
    )  # fmt: skip
    return fused


def fuse_conv_bn_weights(
    conv_w: Tensor,
    conv_b: Tensor | None,
    bn_rm: Tensor,
    bn_rv: Tensor,
    bn_eps: float,
    bn_w: Tensor | None,
    bn_b: Tensor | None,
    transpose: bool = False,
) -> tuple[Parameter, Parameter]:
    """The weight and bias of such a convolution.

    Source: PyTorch ``torch.nn.utils.fuse_conv_bn_weights``.

    >>> import tensorlite as tl
    >>> w, b = fuse_conv_bn_weights(
    ...     tl.ones(1, 1, 1), None, tl.ones(1), tl.ones(1), 0.0, None, None
    ... )
    >>> b.tolist()
    [-1.0]
    """
    shape = [1] * conv_w.ndim
    shape[1 if transpose else 0] = -1
    return _fused(conv_w, conv_b, bn_rm, bn_rv, bn_eps, bn_w, bn_b, shape)


def fuse_linear_bn_eval(linear: Module, bn: Module) -> Module:
    """A linear layer that computes ``bn(linear(x))``, both after ``eval()``.

    Source: PyTorch ``torch.nn.utils.fuse_linear_bn_eval``.

    >>> import tensorlite as tl
    >>> linear, bn = tl.nn.Linear(3, 2).eval(), tl.nn.BatchNorm1d(2).eval()
    >>> x = tl.ones(4, 3)
    >>> tl.allclose(fuse_linear_bn_eval(linear, bn)(x), bn(linear(x)), atol=1e-6)
    True
    """
    if bn.num_features not in (1, linear.out_features):
        raise ArgumentError(
            f"fuse_linear_bn_eval: a norm of {bn.num_features} features does not fit a layer of "
            f"{linear.out_features}"
        )
    fused = _copy(linear, bn)
    fused.weight, fused.bias = fuse_linear_bn_weights(
        linear.weight, linear.bias, bn.running_mean, bn.running_var, bn.eps, bn.weight, bn.bias
    )
    return fused


def fuse_linear_bn_weights(
    linear_w: Tensor,
    linear_b: Tensor | None,
    bn_rm: Tensor,
    bn_rv: Tensor,
    bn_eps: float,
    bn_w: Tensor | None,
    bn_b: Tensor | None,
) -> tuple[Parameter, Parameter]:
    """The weight and bias of such a linear layer.

    Source: PyTorch ``torch.nn.utils.fuse_linear_bn_weights``.

    >>> import tensorlite as tl
    >>> w, b = fuse_linear_bn_weights(tl.ones(1, 2), None, tl.ones(1), tl.ones(1), 0.0, None, None)
    >>> b.tolist()
    [-1.0]
    """
    return _fused(linear_w, linear_b, bn_rm, bn_rv, bn_eps, bn_w, bn_b, [-1, 1])


def _fused(
    weight: Tensor,
    bias: Tensor | None,
    mean: Tensor,
    var: Tensor,
    eps: float,
    scale: Tensor | None,
    shift: Tensor | None,
    shape: list[int],
) -> tuple[Parameter, Parameter]:
    factor = (var + eps).rsqrt()
    factor = factor if scale is None else factor * scale
    moved = -mean * factor if bias is None else (bias - mean) * factor
    moved = moved if shift is None else moved + shift
    made: Any = (weight * factor.reshape(shape)).to(weight.dtype)
    return Parameter(made), Parameter(moved.to(weight.dtype if bias is None else bias.dtype))


def _copy(layer: Module, bn: Module) -> Module:
    if layer.training or bn.training or bn.running_mean is None:
        raise ArgumentError(
            "fusing needs both layers after eval(), and a batch norm with running statistics"
        )
    return copy.deepcopy(layer)
