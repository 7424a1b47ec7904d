"""Pooling: over windows, into a number of parts, and its undoing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from ..ops.dims import pair
from ..tensor import Tensor
from . import functional as F
from .module import Module

Sizes = int | Sequence[int]


class _MaxPoolNd(Module):
    """What MaxPool1d, 2d and 3d share."""

    function: ClassVar[Any]

    def __init__(
        self,
        kernel_size: Sizes,
        stride: Sizes | None = None,
        padding: Sizes = 0,
        dilation: Sizes = 1,
        return_indices: bool = False,
        ceil_mode: bool = False,
    ) -> None:
        super().__init__()
        self.kernel_size = kernel_size
        self.stride = kernel_size if stride is None else stride
        self.padding, self.dilation = padding, dilation
        self.return_indices, self.ceil_mode = return_indices, ceil_mode

    def forward(self, input: Tensor) -> Any:
        return type(self).function(
            input, self.kernel_size, self.stride, self.padding, self.dilation, self.ceil_mode,
            self.return_indices,
        )  # fmt: skip

    def extra_repr(self) -> str:
        return (
            f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}, "
            f"dilation={self.dilation}, ceil_mode={self.ceil_mode}"
        )


class MaxPool1d(_MaxPoolNd):
    """The largest element of every window; with ``return_indices`` also where it stands.

    Shapes: (N, C, L) or without N. Source: PyTorch ``torch.nn.MaxPool1d``.

    >>> import tensorlite as tl
    >>> tl.nn.MaxPool1d(2)(tl.ones(1, 3, 8)).shape
    tensorlite.Size([1, 3, 4])
    """

    function: ClassVar[Any] = staticmethod(F.max_pool1d)


class MaxPool2d(_MaxPoolNd):
    """The largest element of every window; with ``return_indices`` also where it stands.

    Shapes: (N, C, H, W) or without N. Source: PyTorch ``torch.nn.MaxPool2d``.

    >>> import tensorlite as tl
    >>> tl.nn.MaxPool2d(2)(tl.ones(1, 3, 8, 8)).shape
    tensorlite.Size([1, 3, 4, 4])
    """

    function: ClassVar[Any] = staticmethod(F.max_pool2d)


class MaxPool3d(_MaxPoolNd):
    """The largest element of every window; with ``return_indices`` also where it stands.

    Shapes: (N, C, D, H, W) or without N. Source: PyTorch ``torch.nn.MaxPool3d``.

    >>> import tensorlite as tl
    >>> tl.nn.MaxPool3d(2)(tl.ones(1, 3, 8, 8, 8)).shape
    tensorlite.Size([1, 3, 4, 4, 4])
    """

    function: ClassVar[Any] = staticmethod(F.max_pool3d)


class _MaxUnpoolNd(Module):
    """What MaxUnpool1d, 2d and 3d share."""

    count: ClassVar[int]
    function: ClassVar[Any]

    def __init__(self, kernel_size: Sizes, stride: Sizes | None = None, padding: Sizes = 0) -> None:
        super().__init__()
        name = type(self).__name__
        self.kernel_size = pair(kernel_size, self.count, f"{name}: kernel_size")
        self.stride = pair(kernel_size if stride is None else stride, self.count, f"{name}: stride")
        self.padding = pair(padding, self.count, f"{name}: padding")

    def forward(
        self, input: Tensor, indices: Tensor, output_size: Sequence[int] | None = None
    ) -> Tensor:
        return type(self).function(
            input, indices, self.kernel_size, self.stride, self.padding, output_size
        )

    def extra_repr(self) -> str:
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"


class MaxUnpool1d(_MaxUnpoolNd):
    """Maxima back where MaxPool1d found them; zeros elsewhere.

    Source: PyTorch ``torch.nn.MaxUnpool1d``.

    >>> import tensorlite as tl
    >>> values, places = tl.nn.MaxPool1d(2, return_indices=True)(tl.ones(1, 3, 8))
    >>> tl.nn.MaxUnpool1d(2)(values, places).shape
    tensorlite.Size([1, 3, 8])
    """

    count = 1
    function: ClassVar[Any] = staticmethod(F.max_unpool1d)


class MaxUnpool2d(_MaxUnpoolNd):
    """Maxima back where MaxPool2d found them; zeros elsewhere.

    Source: PyTorch ``torch.nn.MaxUnpool2d``.

    >>> import tensorlite as tl
    >>> values, places = tl.nn.MaxPool2d(2, return_indices=True)(tl.ones(1, 3, 8, 8))
    >>> tl.nn.MaxUnpool2d(2)(values, places).shape
    tensorlite.Size([1, 3, 8, 8])
    """

    count = 2
    function: ClassVar[Any] = staticmethod(F.max_unpool2d)


class MaxUnpool3d(_MaxUnpoolNd):
    """Maxima back where MaxPool3d found them; zeros elsewhere.

    Source: PyTorch ``torch.nn.MaxUnpool3d``.

    >>> import tensorlite as tl
    >>> values, places = tl.nn.MaxPool3d(2, return_indices=True)(tl.ones(1, 3, 8, 8, 8))
    >>> tl.nn.MaxUnpool3d(2)(values, places).shape
    tensorlite.Size([1, 3, 8, 8, 8])
    """

    count = 3
    function: ClassVar[Any] = staticmethod(F.max_unpool3d)


class AvgPool1d(Module):
    """The mean of every window; zeros in the padding count unless told otherwise.

    Shapes: (N, C, L) or (C, L). Source: PyTorch ``torch.nn.AvgPool1d``.

    >>> import tensorlite as tl
    >>> tl.nn.AvgPool1d(2)(tl.ones(1, 3, 8)).shape
    tensorlite.Size([1, 3, 4])
    """

    def __init__(
        self,
        kernel_size: Sizes,
        stride: Sizes | None = None,
        padding: Sizes = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
    ) -> None:
        super().__init__()
        self.kernel_size = pair(kernel_size, 1, "AvgPool1d: kernel_size")
        self.stride = pair(kernel_size if stride is None else stride, 1, "AvgPool1d: stride")
        self.padding = pair(padding, 1, "AvgPool1d: padding")
        self.ceil_mode, self.count_include_pad = ceil_mode, count_include_pad

    def forward(self, input: Tensor) -> Tensor:
        return F.avg_pool1d(
            input, self.kernel_size, self.stride, self.padding, self.ceil_mode,
            self.count_include_pad,
        )  # fmt: skip

    def extra_repr(self) -> str:
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"


class _AvgPoolNd(Module):
    """What AvgPool2d and AvgPool3d share."""

    function: ClassVar[Any]

    def __init__(
        self,
        kernel_size: Sizes,
        stride: Sizes | None = None,
        padding: Sizes = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
        divisor_override: int | None = None,
    ) -> None:
        super().__init__()
        self.kernel_size, self.padding = kernel_size, padding
        self.stride = kernel_size if stride is None else stride
        self.ceil_mode, self.count_include_pad = ceil_mode, count_include_pad
        self.divisor_override = divisor_override

    def forward(self, input: Tensor) -> Tensor:
        return type(self).function(
            input, self.kernel_size, self.stride, self.padding, self.ceil_mode,
            self.count_include_pad, self.divisor_override,
        )  # fmt: skip

    def extra_repr(self) -> str:
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"


class AvgPool2d(_AvgPoolNd):
    """The mean of every window; zeros in the padding count unless told otherwise.

    Shapes: (N, C, H, W) or without N. Source: PyTorch ``torch.nn.AvgPool2d``.

    >>> import tensorlite as tl
    >>> tl.nn.AvgPool2d(2)(tl.ones(1, 3, 8, 8)).shape
    tensorlite.Size([1, 3, 4, 4])
    """

    function: ClassVar[Any] = staticmethod(F.avg_pool2d)


class AvgPool3d(_AvgPoolNd):
    """The mean of every window; zeros in the padding count unless told otherwise.

    Shapes: (N, C, D, H, W) or without N. Source: PyTorch ``torch.nn.AvgPool3d``.

    >>> import tensorlite as tl
    >>> tl.nn.AvgPool3d(2)(tl.ones(1, 3, 8, 8, 8)).shape
    tensorlite.Size([1, 3, 4, 4, 4])
    """

    function: ClassVar[Any] = staticmethod(F.avg_pool3d)


class _LPPoolNd(Module):
    """What LPPool1d, 2d and 3d share."""

    function: ClassVar[Any]

    def __init__(
        self,
        norm_type: float,
        kernel_size: Sizes,
        stride: Sizes | None = None,
        ceil_mode: bool = False,
    ) -> None:
        super().__init__()
        self.norm_type, self.kernel_size = norm_type, kernel_size
        self.stride, self.ceil_mode = stride, ceil_mode

    def forward(self, input: Tensor) -> Tensor:
        return type(self).function(
            input, float(self.norm_type), self.kernel_size, self.stride, self.ceil_mode
        )

    def extra_repr(self) -> str:
        return (
            f"norm_type={self.norm_type}, kernel_size={self.kernel_size}, stride={self.stride}, "
            f"ceil_mode={self.ceil_mode}"
        )


class LPPool1d(_LPPoolNd):
    """``(sum x^p)^(1/p)`` over every window, p being ``norm_type``.

    Shapes: (N, C, L) or without N. Source: PyTorch ``torch.nn.LPPool1d``.

    >>> import tensorlite as tl
    >>> tl.nn.LPPool1d(2, 2)(tl.ones(1, 3, 8)).shape
    tensorlite.Size([1, 3, 4])
    """

    function: ClassVar[Any] = staticmethod(F.lp_pool1d)


class LPPool2d(_LPPoolNd):
    """``(sum x^p)^(1/p)`` over every window, p being ``norm_type``.

    Shapes: (N, C, H, W) or without N. Source: PyTorch ``torch.nn.LPPool2d``.

    >>> import tensorlite as tl
    >>> tl.nn.LPPool2d(2, 2)(tl.ones(1, 3, 8, 8)).shape
    tensorlite.Size([1, 3, 4, 4])
    """

    function: ClassVar[Any] = staticmethod(F.lp_pool2d)


class LPPool3d(_LPPoolNd):
    """``(sum x^p)^(1/p)`` over every window, p being ``norm_type``.

    Shapes: (N, C, D, H, W) or without N. Source: PyTorch ``torch.nn.LPPool3d``.

    >>> import tensorlite as tl
    >>> tl.nn.LPPool3d(2, 2)(tl.ones(1, 3, 8, 8, 8)).shape
    tensorlite.Size([1, 3, 4, 4, 4])
    """

    function: ClassVar[Any] = staticmethod(F.lp_pool3d)
