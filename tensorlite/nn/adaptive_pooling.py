"""Pooling into a number of parts, evenly divided or at random places."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from ..errors import ArgumentError
from ..ops.dims import pair
from ..tensor import Tensor
from . import functional as F
from .module import Module

Sizes = int | Sequence[int]
OptionalSizes = int | None | Sequence[int | None]


class _AdaptiveAvgPoolNd(Module):
    """What AdaptiveAvgPool1d, 2d and 3d share."""

    function: ClassVar[Any]

    def __init__(self, output_size: OptionalSizes) -> None:
        super().__init__()
        self.output_size = output_size

    def forward(self, input: Tensor) -> Tensor:
        return type(self).function(input, self.output_size)

    def extra_repr(self) -> str:
        return f"output_size={self.output_size}"


class AdaptiveAvgPool1d(_AdaptiveAvgPoolNd):
    """The mean of each of ``output_size`` parts.

    Shapes: (N, C, L) or without N. Source: PyTorch ``torch.nn.AdaptiveAvgPool1d``.

    >>> import tensorlite as tl
    >>> tl.nn.AdaptiveAvgPool1d(3)(tl.ones(1, 3, 8)).shape
    tensorlite.Size([1, 3, 3])
    """

    function: ClassVar[Any] = staticmethod(F.adaptive_avg_pool1d)


class AdaptiveAvgPool2d(_AdaptiveAvgPoolNd):
    """The mean of each of ``output_size`` parts; None keeps a dimension as it is.

    Shapes: (N, C, H, W) or without N. Source: PyTorch ``torch.nn.AdaptiveAvgPool2d``.

    >>> import tensorlite as tl
    >>> tl.nn.AdaptiveAvgPool2d(3)(tl.ones(1, 3, 8, 8)).shape
    tensorlite.Size([1, 3, 3, 3])
    """

    function: ClassVar[Any] = staticmethod(F.adaptive_avg_pool2d)


class AdaptiveAvgPool3d(_AdaptiveAvgPoolNd):
    """The mean of each of ``output_size`` parts; None keeps a dimension as it is.

    Shapes: (N, C, D, H, W) or without N. Source: PyTorch ``torch.nn.AdaptiveAvgPool3d``.

    >>> import tensorlite as tl
    >>> tl.nn.AdaptiveAvgPool3d(3)(tl.ones(1, 3, 8, 8, 8)).shape
    tensorlite.Size([1, 3, 3, 3, 3])
    """

    function: ClassVar[Any] = staticmethod(F.adaptive_avg_pool3d)


class _AdaptiveMaxPoolNd(Module):
    """What AdaptiveMaxPool1d, 2d and 3d share."""

    function: ClassVar[Any]

    def __init__(self, output_size: OptionalSizes, return_indices: bool = False) -> None:
        super().__init__()
        self.output_size, self.return_indices = output_size, return_indices

    def forward(self, input: Tensor) -> Any:
        return type(self).function(input, self.output_size, self.return_indices)

    def extra_repr(self) -> str:
        return f"output_size={self.output_size}"


class AdaptiveMaxPool1d(_AdaptiveMaxPoolNd):
    """The maximum of each of ``output_size`` parts.

    Shapes: (N, C, L) or without N. Source: PyTorch ``torch.nn.AdaptiveMaxPool1d``.

    >>> import tensorlite as tl
    >>> tl.nn.AdaptiveMaxPool1d(3)(tl.ones(1, 3, 8)).shape
    tensorlite.Size([1, 3, 3])
    """

    function: ClassVar[Any] = staticmethod(F.adaptive_max_pool1d)


class AdaptiveMaxPool2d(_AdaptiveMaxPoolNd):
    """The maximum of each of ``output_size`` parts; None keeps a dimension as it is.

    Shapes: (N, C, H, W) or without N. Source: PyTorch ``torch.nn.AdaptiveMaxPool2d``.

    >>> import tensorlite as tl
    >>> tl.nn.AdaptiveMaxPool2d(3)(tl.ones(1, 3, 8, 8)).shape
    tensorlite.Size([1, 3, 3, 3])
    """

    function: ClassVar[Any] = staticmethod(F.adaptive_max_pool2d)


class AdaptiveMaxPool3d(_AdaptiveMaxPoolNd):
    """The maximum of each of ``output_size`` parts; None keeps a dimension as it is.

    Shapes: (N, C, D, H, W) or without N. Source: PyTorch ``torch.nn.AdaptiveMaxPool3d``.

    >>> import tensorlite as tl
    >>> tl.nn.AdaptiveMaxPool3d(3)(tl.ones(1, 3, 8, 8, 8)).shape
    tensorlite.Size([1, 3, 3, 3, 3])
    """

    function: ClassVar[Any] = staticmethod(F.adaptive_max_pool3d)


class _FractionalMaxPoolNd(Module):
    """What FractionalMaxPool2d and 3d share."""

    count: ClassVar[int]
    function: ClassVar[Any]

    def __init__(
        self,
        kernel_size: Sizes,
        output_size: Sizes | None = None,
        output_ratio: float | Sequence[float] | None = None,
        return_indices: bool = False,
        _random_samples: Tensor | None = None,
    ) -> None:
        super().__init__()
        name = type(self).__name__
        if (output_size is None) == (output_ratio is None):
            raise ArgumentError(f"{name}: expected one of output_size and output_ratio")
        self.kernel_size = pair(kernel_size, self.count, f"{name}: kernel_size")
        self.return_indices = return_indices
        self.register_buffer("_random_samples", _random_samples)
        self.output_size = output_size
        self.output_ratio = (
            (output_ratio,) * self.count if isinstance(output_ratio, float) else output_ratio
        )

    def forward(self, input: Tensor) -> Any:
        return type(self).function(
            input, self.kernel_size, self.output_size, self.output_ratio, self.return_indices,
            self._random_samples,
        )  # fmt: skip


class FractionalMaxPool2d(_FractionalMaxPoolNd):
    """Maxima of windows at pseudo-random steps (Graham, 2014), anew in every call.

    Shapes: (N, C, H, W) or without N. Source: PyTorch ``torch.nn.FractionalMaxPool2d``.

    >>> import tensorlite as tl
    >>> tl.nn.FractionalMaxPool2d(2, output_ratio=0.5)(tl.ones(1, 3, 8, 8)).shape
    tensorlite.Size([1, 3, 4, 4])
    """

    count = 2
    function: ClassVar[Any] = staticmethod(F.fractional_max_pool2d)


class FractionalMaxPool3d(_FractionalMaxPoolNd):
    """Maxima of windows at pseudo-random steps (Graham, 2014), anew in every call.

    Shapes: (N, C, D, H, W) or without N. Source: PyTorch ``torch.nn.FractionalMaxPool3d``.

    >>> import tensorlite as tl
    >>> tl.nn.FractionalMaxPool3d(2, output_ratio=0.5)(tl.ones(1, 3, 8, 8, 8)).shape
    tensorlite.Size([1, 3, 4, 4, 4])
    """

    count = 3
    function: ClassVar[Any] = staticmethod(F.fractional_max_pool3d)
