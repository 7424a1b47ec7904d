"""Upsampling of images and volumes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..tensor import Tensor
from . import functional as F
from .module import Module

Sizes = int | Sequence[int] | None
Factors = float | Sequence[float] | None


class Upsample(Module):
    """The spatial dimensions resampled to a size or by a factor, as ``F.interpolate``.

    Shapes: (N, C, ...) of one to three spatial dimensions. Source: PyTorch ``torch.nn.Upsample``.

    >>> import tensorlite as tl
    >>> tl.nn.Upsample(scale_factor=2, mode="bilinear")(tl.ones(1, 3, 4, 4)).shape
    tensorlite.Size([1, 3, 8, 8])
    """

    def __init__(
        self,
        size: Sizes = None,
        scale_factor: Factors = None,
        mode: str = "nearest",
        align_corners: bool | None = None,
        recompute_scale_factor: bool | None = None,
    ) -> None:
        super().__init__()
        self.name = type(self).__name__
        self.size = size
        self.scale_factor: Any = scale_factor
        if isinstance(scale_factor, Sequence):
            self.scale_factor = tuple(float(f) for f in scale_factor)
        elif scale_factor is not None:
            self.scale_factor = float(scale_factor)
        self.mode, self.align_corners = mode, align_corners
        self.recompute_scale_factor = recompute_scale_factor

    def forward(self, input: Tensor) -> Tensor:
        return F.interpolate(
            input, self.size, self.scale_factor, self.mode, self.align_corners,
            recompute_scale_factor=self.recompute_scale_factor,
        )  # fmt: skip

    def extra_repr(self) -> str:
        given = (
            f"size={self.size!r}"
            if self.scale_factor is None
            else f"scale_factor={self.scale_factor!r}"
        )
        return f"{given}, mode={self.mode!r}"


class UpsamplingNearest2d(Upsample):
    """Images upsampled by repeating pixels. Source: PyTorch ``torch.nn.UpsamplingNearest2d``.

    >>> import tensorlite as tl
    >>> tl.nn.UpsamplingNearest2d(scale_factor=2)(tl.ones(1, 3, 4, 4)).shape
    tensorlite.Size([1, 3, 8, 8])
    """

    def __init__(self, size: Sizes = None, scale_factor: Factors = None) -> None:
        super().__init__(size, scale_factor, mode="nearest")


class UpsamplingBilinear2d(Upsample):
    """Images upsampled linearly, corners aligned.

    Source: PyTorch ``torch.nn.UpsamplingBilinear2d``.

    >>> import tensorlite as tl
    >>> tl.nn.UpsamplingBilinear2d(scale_factor=2)(tl.ones(1, 3, 4, 4)).shape
    tensorlite.Size([1, 3, 8, 8])
    """

    def __init__(self, size: Sizes = None, scale_factor: Factors = None) -> None:
        super().__init__(size, scale_factor, mode="bilinear", align_corners=True)
