"""Convolutions and transposed convolutions, of one to three dimensions; lazy ones too."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, ClassVar

from ..errors import ArgumentError, ShapeError
from ..ops.dims import pair
from ..ops.spatial import same_pads
from ..tensor import Tensor
from . import functional as F
from . import init
from .module import Module
from .parameter import Parameter, parameter

Sizes = int | Sequence[int]


class _ConvNd(Module):
    """What all convolutions have: their options, and weights of a kernel per pair of channels."""

    count: ClassVar[int]  # of spatial dimensions
    transposed: ClassVar[bool] = False
    function: ClassVar[Any]
    weight: Parameter
    bias: Parameter | None

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Sizes,
        stride: Sizes,
        padding: Sizes | str,
        dilation: Sizes,
        output_padding: Sizes,
        groups: int,
        bias: bool,
        padding_mode: str,
        device: Any,
        dtype: Any,
    ) -> None:
        super().__init__()
        name, count = type(self).__name__, self.count
        _check(name, in_channels, out_channels, groups, padding, stride, padding_mode)
        self.in_channels, self.out_channels, self.groups = in_channels, out_channels, groups
        self.kernel_size = pair(kernel_size, count, f"{name}: kernel_size")
        self.stride = pair(stride, count, f"{name}: stride")
        self.padding: Any = (
            padding if isinstance(padding, str) else pair(padding, count, f"{name}: padding")
        )
        self.dilation = pair(dilation, count, f"{name}: dilation")
        self.output_padding = pair(output_padding, count, f"{name}: output_padding")
        self.padding_mode = padding_mode
        self.weight = parameter(*self._weight_shape(), device=device, dtype=dtype)
        self.register_parameter(
            "bias", parameter(out_channels, device=device, dtype=dtype) if bias else None
        )
        self.reset_parameters()

    def _weight_shape(self) -> tuple[int, ...]:
        outer, inner = self.out_channels, self.in_channels
        if self.transposed:
            outer, inner = inner, outer
        return (outer, inner // self.groups, *self.kernel_size)

    def reset_parameters(self) -> None:
        """Weights and biases uniform within ``1 / sqrt(fan_in)``."""
        if self.weight.numel() == 0:
            return
        init.kaiming_uniform_(self.weight, a=math.sqrt(5))
        if self.bias is not None:
            bound = 1 / math.sqrt(math.prod(self.weight.shape[1:]))
            init.uniform_(self.bias, -bound, bound)

    def extra_repr(self) -> str:
        text = (
            f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}, "
            f"stride={self.stride}"
        )
        if self.padding != (0,) * self.count:
            text += f", padding={self.padding}"
        if self.dilation != (1,) * self.count:
            text += f", dilation={self.dilation}"
        if self.output_padding != (0,) * self.count:
            text += f", output_padding={self.output_padding}"
        if self.groups != 1:
            text += f", groups={self.groups}"
        if self.bias is None:
            text += ", bias=False"
        if self.padding_mode != "zeros":
            text += f", padding_mode={self.padding_mode}"
        return text


def _check(
    name: str,
    inputs: int,
    outputs: int,
    groups: int,
    padding: Sizes | str,
    stride: Sizes,
    padding_mode: str,
) -> None:
    if groups < 1 or inputs % groups or outputs % groups:
        raise ArgumentError(
            f"{name}: expected channels that groups divides, got {inputs}, {outputs} and "
            f"groups={groups}"
        )
    if isinstance(padding, str) and padding not in ("same", "valid"):
        raise ArgumentError(f"{name}: padding is 'same', 'valid' or numbers, not {padding!r}")
    strides = [stride] if isinstance(stride, int) else stride
    if padding == "same" and any(s != 1 for s in strides):
        raise ArgumentError(f"{name}: padding='same' needs stride 1, got {stride}")
    if padding_mode not in ("zeros", "reflect", "replicate", "circular"):
        raise ArgumentError(
            f"{name}: padding_mode is zeros, reflect, replicate or circular, not {padding_mode!r}"
        )


class _Conv(_ConvNd):
    """A convolution: what Conv1d, Conv2d and Conv3d share."""

    def __init__(
        self,
        in_channels: int,
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
        super().__init__(
            in_channels, out_channels, kernel_size, stride, padding, dilation, 0, groups, bias,
            padding_mode, device, dtype,
        )  # fmt: skip

    def forward(self, input: Tensor) -> Tensor:
        padding: Any = self.padding
        if self.padding_mode != "zeros":
            input, padding = F.pad(input, self._border(), mode=self.padding_mode), 0
        return type(self).function(
            input, self.weight, self.bias, self.stride, padding, self.dilation, self.groups
        )

    def _border(self) -> list[int]:
        """The padding as ``F.pad`` wants it: the last dimension first."""
        if self.padding == "valid":
            return [0] * (2 * self.count)
        if self.padding == "same":
            pads = same_pads(self.kernel_size, self.dilation)
        else:
            pads = tuple((p, p) for p in self.padding)
        return [amount for both in reversed(pads) for amount in both]


class Conv1d(_Conv):
    """Cross-correlation over one dimension, and a bias: (N, C, L) to (N, O, ...).

    Parameters: weight (out_channels, in_channels / groups, K), bias (out_channels,).
    Source: PyTorch ``torch.nn.Conv1d``.

    >>> import tensorlite as tl
    >>> tl.nn.Conv1d(3, 8, 3, padding=1)(tl.ones(1, 3, 9)).shape
    tensorlite.Size([1, 8, 9])
    """

    count = 1
    function: ClassVar[Any] = staticmethod(F.conv1d)


class Conv2d(_Conv):
    """Cross-correlation over two dimensions, and a bias: (N, C, H, W) to (N, O, ...).

    Parameters: weight (out_channels, in_channels / groups, KH, KW), bias (out_channels,).
    Source: PyTorch ``torch.nn.Conv2d``.

    >>> import tensorlite as tl
    >>> tl.nn.Conv2d(3, 8, 3, padding=1)(tl.ones(1, 3, 9, 9)).shape
    tensorlite.Size([1, 8, 9, 9])
    """

    count = 2
    function: ClassVar[Any] = staticmethod(F.conv2d)


class Conv3d(_Conv):
    """Cross-correlation over three dimensions, and a bias: (N, C, D, H, W) to (N, O, ...).

    Parameters: weight (out_channels, in_channels / groups, KD, KH, KW), bias (out_channels,).
    Source: PyTorch ``torch.nn.Conv3d``.

    >>> import tensorlite as tl
    >>> tl.nn.Conv3d(3, 8, 3, padding=1)(tl.ones(1, 3, 9, 9, 9)).shape
    tensorlite.Size([1, 8, 9, 9, 9])
    """

    count = 3
    function: ClassVar[Any] = staticmethod(F.conv3d)


class _ConvTranspose(_ConvNd):
    """A transposed convolution: what ConvTranspose1d, 2d and 3d share."""

    transposed = True

    def __init__(
        self,
        in_channels: int,
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
        if padding_mode != "zeros":
            raise ArgumentError(
                f"{type(self).__name__}: the only padding_mode is 'zeros', got {padding_mode!r}"
            )
        super().__init__(
            in_channels, out_channels, kernel_size, stride, padding, dilation, output_padding,
            groups, bias, padding_mode, device, dtype,
        )  # fmt: skip

    def forward(self, input: Tensor, output_size: Sequence[int] | None = None) -> Tensor:
        extra = self.output_padding if output_size is None else self._extra(input, output_size)
        return type(self).function(
            input, self.weight, self.bias, self.stride, self.padding, extra, self.groups,
            self.dilation,
        )  # fmt: skip

    def _extra(self, input: Tensor, output_size: Sequence[int]) -> list[int]:
        """The output_padding that gives a result of that size."""
        wanted = [int(n) for n in output_size][-self.count :]
        shortest = [
            (n - 1) * s - 2 * p + d * (k - 1) + 1
            for n, s, p, d, k in zip(
                input.shape[-self.count :], self.stride, self.padding, self.dilation,
                self.kernel_size, strict=True,
            )
        ]  # fmt: skip
        extra = [w - low for w, low in zip(wanted, shortest, strict=True)]
        if any(not 0 <= e < s for e, s in zip(extra, self.stride, strict=True)):
            raise ShapeError(
                f"{type(self).__name__}: expected an output_size from {shortest} to less than a "
                f"stride {self.stride} more, got {wanted}"
            )
        return extra


class ConvTranspose1d(_ConvTranspose):
    """The transpose of a Conv1d, and a bias: (N, C, L) to (N, O, ...).

    Parameters: weight (in_channels, out_channels / groups, K), bias (out_channels,).
    ``output_size`` in the call chooses among the sizes that a stride leaves open.
    Source: PyTorch ``torch.nn.ConvTranspose1d``.

    >>> import tensorlite as tl
    >>> tl.nn.ConvTranspose1d(3, 2, 2, stride=2)(tl.ones(1, 3, 4)).shape
    tensorlite.Size([1, 2, 8])
    """

    count = 1
    function: ClassVar[Any] = staticmethod(F.conv_transpose1d)


class ConvTranspose2d(_ConvTranspose):
    """The transpose of a Conv2d, and a bias: (N, C, H, W) to (N, O, ...).

    Parameters: weight (in_channels, out_channels / groups, KH, KW), bias (out_channels,).
    ``output_size`` in the call chooses among the sizes that a stride leaves open.
    Source: PyTorch ``torch.nn.ConvTranspose2d``.

    >>> import tensorlite as tl
    >>> tl.nn.ConvTranspose2d(3, 2, 2, stride=2)(tl.ones(1, 3, 4, 4)).shape
    tensorlite.Size([1, 2, 8, 8])
    """

    count = 2
    function: ClassVar[Any] = staticmethod(F.conv_transpose2d)


class ConvTranspose3d(_ConvTranspose):
    """The transpose of a Conv3d, and a bias: (N, C, D, H, W) to (N, O, ...).

    Parameters: weight (in_channels, out_channels / groups, KD, KH, KW), bias (out_channels,).
    ``output_size`` in the call chooses among the sizes that a stride leaves open.
    Source: PyTorch ``torch.nn.ConvTranspose3d``.

    >>> import tensorlite as tl
    >>> tl.nn.ConvTranspose3d(3, 2, 2, stride=2)(tl.ones(1, 3, 4, 4, 4)).shape
    tensorlite.Size([1, 2, 8, 8, 8])
    """

    count = 3
    function: ClassVar[Any] = staticmethod(F.conv_transpose3d)
