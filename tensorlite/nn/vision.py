"""Channels and pixels rearranged; windows as columns and back."""

from __future__ import annotations

from collections.abc import Sequence

from ..tensor import Tensor
from . import functional as F
from .module import Module

Sizes = int | Sequence[int]


class PixelShuffle(Module):
    """Channels become pixels: (..., C r^2, H, W) to (..., C, H r, W r) (Shi et al., 2016).

    Source: PyTorch ``torch.nn.PixelShuffle``.

    >>> import tensorlite as tl
    >>> tl.nn.PixelShuffle(3)(tl.ones(1, 9, 4, 4)).shape
    tensorlite.Size([1, 1, 12, 12])
    """

    def __init__(self, upscale_factor: int) -> None:
        super().__init__()
        self.upscale_factor = upscale_factor

    def forward(self, input: Tensor) -> Tensor:
        return F.pixel_shuffle(input, self.upscale_factor)

    def extra_repr(self) -> str:
        return f"upscale_factor={self.upscale_factor}"


class PixelUnshuffle(Module):
    """Pixels become channels: (..., C, H r, W r) to (..., C r^2, H, W).

    Source: PyTorch ``torch.nn.PixelUnshuffle``.

    >>> import tensorlite as tl
    >>> tl.nn.PixelUnshuffle(3)(tl.ones(1, 1, 12, 12)).shape
    tensorlite.Size([1, 9, 4, 4])
    """

    def __init__(self, downscale_factor: int) -> None:
        super().__init__()
        self.downscale_factor = downscale_factor

    def forward(self, input: Tensor) -> Tensor:
        return F.pixel_unshuffle(input, self.downscale_factor)

    def extra_repr(self) -> str:
        return f"downscale_factor={self.downscale_factor}"


class ChannelShuffle(Module):
    """The channels dealt out: the first of every group, then the second... (Zhang et al., 2018).

    Source: PyTorch ``torch.nn.ChannelShuffle``.

    >>> import tensorlite as tl
    >>> tl.nn.ChannelShuffle(2)(tl.ones(1, 4, 2, 2)).shape
    tensorlite.Size([1, 4, 2, 2])
    """

    def __init__(self, groups: int) -> None:
        super().__init__()
        self.groups = groups

    def forward(self, input: Tensor) -> Tensor:
        return F.channel_shuffle(input, self.groups)

    def extra_repr(self) -> str:
        return f"groups={self.groups}"


class Unfold(Module):
    """What every window sees, as columns: (N, C, H, W) to (N, C KH KW, windows).

    Source: PyTorch ``torch.nn.Unfold``.

    >>> import tensorlite as tl
    >>> tl.nn.Unfold(2)(tl.ones(1, 3, 4, 4)).shape
    tensorlite.Size([1, 12, 9])
    """

    def __init__(
        self, kernel_size: Sizes, dilation: Sizes = 1, padding: Sizes = 0, stride: Sizes = 1
    ) -> None:
        super().__init__()
        self.kernel_size, self.dilation = kernel_size, dilation
        self.padding, self.stride = padding, stride

    def forward(self, input: Tensor) -> Tensor:
        return F.unfold(input, self.kernel_size, self.dilation, self.padding, self.stride)

    def extra_repr(self) -> str:
        return (
            f"kernel_size={self.kernel_size}, dilation={self.dilation}, padding={self.padding}, "
            f"stride={self.stride}"
        )


class Fold(Module):
    """Columns laid down as windows and added up: (N, C KH KW, windows) to (N, C, H, W).

    Source: PyTorch ``torch.nn.Fold``.

    >>> import tensorlite as tl
    >>> tl.nn.Fold(4, 2)(tl.ones(1, 12, 9)).shape
    tensorlite.Size([1, 3, 4, 4])
    """

    def __init__(
        self,
        output_size: Sizes,
        kernel_size: Sizes,
        dilation: Sizes = 1,
        padding: Sizes = 0,
        stride: Sizes = 1,
    ) -> None:
        super().__init__()
        self.output_size, self.kernel_size, self.dilation = output_size, kernel_size, dilation
        self.padding, self.stride = padding, stride

    def forward(self, input: Tensor) -> Tensor:
        return F.fold(
            input, self.output_size, self.kernel_size, self.dilation, self.padding, self.stride
        )

    def extra_repr(self) -> str:
        return (
            f"output_size={self.output_size}, kernel_size={self.kernel_size}, "
            f"dilation={self.dilation}, padding={self.padding}, stride={self.stride}"
        )
