"""Convolutions that take their in_channels from the first input."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..errors import ShapeError
from ..tensor import Tensor
from .convolution import (
    Conv1d,
    Conv2d,
    Conv3d,
    ConvTranspose1d,
    ConvTranspose2d,
    ConvTranspose3d,
    _Conv,
    _ConvNd,
    _ConvTranspose,
)
from .lazy import LazyModuleMixin
from .parameter import UninitializedParameter, is_lazy

Sizes = int | Sequence[int]


class _LazyConvNd(LazyModuleMixin, _ConvNd):
    """What lazy convolutions share: weights without a shape until the first call."""

    def _forget_shapes(self, out_channels: int, bias: bool, device: Any, dtype: Any) -> None:
        self.out_channels = out_channels
        self.weight = UninitializedParameter(device=device, dtype=dtype)
        if bias:
            self.bias = UninitializedParameter(device=device, dtype=dtype)

    def initialize_parameters(self, input: Tensor, *args: Any) -> None:
        """Makes the parameters for an input's channels."""
        if input.ndim not in (self.count + 1, self.count + 2):
            raise ShapeError(
                f"{type(self).__name__}: expected an input of {self.count + 1} or "
                f"{self.count + 2} dimensions, got shape {tuple(input.shape)}"
            )
        self.in_channels = input.shape[-self.count - 1]
        if self.in_channels % self.groups:
            raise ShapeError(
                f"{type(self).__name__}: {self.in_channels} channels cannot be split into "
                f"{self.groups} groups"
            )
        self.weight.materialize(self._weight_shape())
        if self.bias is not None:
            self.bias.materialize((self.out_channels,))
        self.reset_parameters()

    def _load_from_state_dict(self, *args: Any) -> None:
        super()._load_from_state_dict(*args)
        if not is_lazy(self.weight):
            outer, inner = self.weight.shape[:2]
            self.in_channels = outer if self.transposed else inner * self.groups


class _LazyConv(_LazyConvNd, _Conv):
    """What LazyConv1d, 2d and 3d share."""

    def __init__(
        self,
        out_channels: int,
        kernel_size: Sizes,
        stride: Sizes = 1,
        padding: Sizes | str = 0,
        dilation: Sizes = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        _Conv.__init__(
            self, 0, 0, kernel_size, stride, padding, dilation, groups, False, padding_mode
        )
        self._forget_shapes(out_channels, bias, device, dtype)


class _LazyConvTranspose(_LazyConvNd, _ConvTranspose):
    """What LazyConvTranspose1d, 2d and 3d share."""

    def __init__(
        self,
        out_channels: int,
        kernel_size: Sizes,
        stride: Sizes = 1,
        padding: Sizes = 0,
        output_padding: Sizes = 0,
        groups: int = 1,
        bias: bool = True,
        dilation: Sizes = 1,
        padding_mode: str = "zeros",
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        _ConvTranspose.__init__(
            self, 0, 0, kernel_size, stride, padding, output_padding, groups, False, dilation,
            padding_mode,
        )  # fmt: skip
        self._forget_shapes(out_channels, bias, device, dtype)


class LazyConv1d(_LazyConv, Conv1d):
    """A Conv1d that takes its in_channels from the first input.

    Source: PyTorch ``torch.nn.LazyConv1d``.

    >>> import tensorlite as tl
    >>> tl.nn.LazyConv1d(2, 1)(tl.ones(1, 3, 4)).shape
    tensorlite.Size([1, 2, 4])
    """

    cls_to_become = Conv1d


class LazyConv2d(_LazyConv, Conv2d):
    """A Conv2d that takes its in_channels from the first input.

    Source: PyTorch ``torch.nn.LazyConv2d``.

    >>> import tensorlite as tl
    >>> tl.nn.LazyConv2d(2, 1)(tl.ones(1, 3, 4, 4)).shape
    tensorlite.Size([1, 2, 4, 4])
    """

    cls_to_become = Conv2d


class LazyConv3d(_LazyConv, Conv3d):
    """A Conv3d that takes its in_channels from the first input.

    Source: PyTorch ``torch.nn.LazyConv3d``.

    >>> import tensorlite as tl
    >>> tl.nn.LazyConv3d(2, 1)(tl.ones(1, 3, 4, 4, 4)).shape
    tensorlite.Size([1, 2, 4, 4, 4])
    """

    cls_to_become = Conv3d


class LazyConvTranspose1d(_LazyConvTranspose, ConvTranspose1d):
    """A ConvTranspose1d that takes its in_channels from the first input.

    Source: PyTorch ``torch.nn.LazyConvTranspose1d``.

    >>> import tensorlite as tl
    >>> tl.nn.LazyConvTranspose1d(2, 1)(tl.ones(1, 3, 4)).shape
    tensorlite.Size([1, 2, 4])
    """

    cls_to_become = ConvTranspose1d


class LazyConvTranspose2d(_LazyConvTranspose, ConvTranspose2d):
    """A ConvTranspose2d that takes its in_channels from the first input.

    Source: PyTorch ``torch.nn.LazyConvTranspose2d``.

    >>> import tensorlite as tl
    >>> tl.nn.LazyConvTranspose2d(2, 1)(tl.ones(1, 3, 4, 4)).shape
    tensorlite.Size([1, 2, 4, 4])
    """

    cls_to_become = ConvTranspose2d


class LazyConvTranspose3d(_LazyConvTranspose, ConvTranspose3d):
    """A ConvTranspose3d that takes its in_channels from the first input.

    Source: PyTorch ``torch.nn.LazyConvTranspose3d``.

    >>> import tensorlite as tl
    >>> tl.nn.LazyConvTranspose3d(2, 1)(tl.ones(1, 3, 4, 4, 4)).shape
    tensorlite.Size([1, 2, 4, 4, 4])
    """

    cls_to_become = ConvTranspose3d
