"""Padding of one to three spatial dimensions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from ..ops.dims import pair
from ..tensor import Tensor
from . import functional as F
from .module import Module

Sizes = int | Sequence[int]


class _PadNd(Module):
    """What all paddings share: (begin, end) of the last dimension, of the one before, ..."""

    count: ClassVar[int]
    mode: ClassVar[str]

    def __init__(self, padding: Sizes) -> None:
        super().__init__()
        self.padding = pair(padding, 2 * self.count, f"{type(self).__name__}: padding")

    def forward(self, input: Tensor) -> Tensor:
        return F.pad(input, self.padding, self.mode)

    def extra_repr(self) -> str:
        return f"{self.padding}"


class _ConstantPadNd(_PadNd):
    """What ConstantPad1d, 2d and 3d share."""

    mode = "constant"

    def __init__(self, padding: Sizes, value: float) -> None:
        super().__init__(padding)
        self.value = value

    def forward(self, input: Tensor) -> Tensor:
        return F.pad(input, self.padding, "constant", self.value)

    def extra_repr(self) -> str:
        return f"padding={self.padding}, value={self.value}"


class ConstantPad1d(_ConstantPadNd):
    """The last dimension extended by a value; negative numbers crop.

    Source: PyTorch ``torch.nn.ConstantPad1d``.

    >>> import tensorlite as tl
    >>> tl.nn.ConstantPad1d((1, 2), 0.5)(tl.ones(1, 3, 4)).shape
    tensorlite.Size([1, 3, 7])
    """

    count = 1


class ConstantPad2d(_ConstantPadNd):
    """The last two dimensions extended by a value; negative numbers crop.

    Source: PyTorch ``torch.nn.ConstantPad2d``.

    >>> import tensorlite as tl
    >>> tl.nn.ConstantPad2d((1, 2, 0, 0), 0.5)(tl.ones(1, 3, 4, 4)).shape
    tensorlite.Size([1, 3, 4, 7])
    """

    count = 2


class ConstantPad3d(_ConstantPadNd):
    """The last three dimensions extended by a value; negative numbers crop.

    Source: PyTorch ``torch.nn.ConstantPad3d``.

    >>> import tensorlite as tl
    >>> tl.nn.ConstantPad3d((1, 2, 0, 0, 0, 0), 0.5)(tl.ones(1, 3, 4, 4, 4)).shape
    tensorlite.Size([1, 3, 4, 4, 7])
    """

    count = 3


class ZeroPad1d(ConstantPad1d):
    """The last dimension extended by zeros; negative numbers crop.

    Source: PyTorch ``torch.nn.ZeroPad1d``.

    >>> import tensorlite as tl
    >>> tl.nn.ZeroPad1d((1, 2))(tl.ones(1, 3, 4)).shape
    tensorlite.Size([1, 3, 7])
    """

    def __init__(self, padding: Sizes) -> None:
        super().__init__(padding, 0.0)

    def extra_repr(self) -> str:
        return f"{self.padding}"


class ZeroPad2d(ConstantPad2d):
    """The last two dimensions extended by zeros; negative numbers crop.

    Source: PyTorch ``torch.nn.ZeroPad2d``.

    >>> import tensorlite as tl
    >>> tl.nn.ZeroPad2d((1, 2, 0, 0))(tl.ones(1, 3, 4, 4)).shape
    tensorlite.Size([1, 3, 4, 7])
    """

    def __init__(self, padding: Sizes) -> None:
        super().__init__(padding, 0.0)

    def extra_repr(self) -> str:
        return f"{self.padding}"


class ZeroPad3d(ConstantPad3d):
    """The last three dimensions extended by zeros; negative numbers crop.

    Source: PyTorch ``torch.nn.ZeroPad3d``.

    >>> import tensorlite as tl
    >>> tl.nn.ZeroPad3d((1, 2, 0, 0, 0, 0))(tl.ones(1, 3, 4, 4, 4)).shape
    tensorlite.Size([1, 3, 4, 4, 7])
    """

    def __init__(self, padding: Sizes) -> None:
        super().__init__(padding, 0.0)

    def extra_repr(self) -> str:
        return f"{self.padding}"


class ReflectionPad1d(_PadNd):
    """The last dimension mirrored at the edge, which is not repeated.

    Source: PyTorch ``torch.nn.ReflectionPad1d``.

    >>> import tensorlite as tl
    >>> tl.nn.ReflectionPad1d((1, 2))(tl.ones(1, 3, 4)).shape
    tensorlite.Size([1, 3, 7])
    """

    count, mode = 1, "reflect"


class ReflectionPad2d(_PadNd):
    """The last two dimensions mirrored at the edge, which is not repeated.

    Source: PyTorch ``torch.nn.ReflectionPad2d``.

    >>> import tensorlite as tl
    >>> tl.nn.ReflectionPad2d((1, 2, 0, 0))(tl.ones(1, 3, 4, 4)).shape
    tensorlite.Size([1, 3, 4, 7])
    """

    count, mode = 2, "reflect"


class ReflectionPad3d(_PadNd):
    """The last three dimensions mirrored at the edge, which is not repeated.

    Source: PyTorch ``torch.nn.ReflectionPad3d``.

    >>> import tensorlite as tl
    >>> tl.nn.ReflectionPad3d((1, 2, 0, 0, 0, 0))(tl.ones(1, 3, 4, 4, 4)).shape
    tensorlite.Size([1, 3, 4, 4, 7])
    """

    count, mode = 3, "reflect"


class ReplicationPad1d(_PadNd):
    """The last dimension extended by the elements at the edge.

    Source: PyTorch ``torch.nn.ReplicationPad1d``.

    >>> import tensorlite as tl
    >>> tl.nn.ReplicationPad1d((1, 2))(tl.ones(1, 3, 4)).shape
    tensorlite.Size([1, 3, 7])
    """

    count, mode = 1, "replicate"


class ReplicationPad2d(_PadNd):
    """The last two dimensions extended by the elements at the edge.

    Source: PyTorch ``torch.nn.ReplicationPad2d``.

    >>> import tensorlite as tl
    >>> tl.nn.ReplicationPad2d((1, 2, 0, 0))(tl.ones(1, 3, 4, 4)).shape
    tensorlite.Size([1, 3, 4, 7])
    """

    count, mode = 2, "replicate"


class ReplicationPad3d(_PadNd):
    """The last three dimensions extended by the elements at the edge.

    Source: PyTorch ``torch.nn.ReplicationPad3d``.

    >>> import tensorlite as tl
    >>> tl.nn.ReplicationPad3d((1, 2, 0, 0, 0, 0))(tl.ones(1, 3, 4, 4, 4)).shape
    tensorlite.Size([1, 3, 4, 4, 7])
    """

    count, mode = 3, "replicate"


class CircularPad1d(_PadNd):
    """The last dimension extended by the elements at the other end.

    Source: PyTorch ``torch.nn.CircularPad1d``.

    >>> import tensorlite as tl
    >>> tl.nn.CircularPad1d((1, 2))(tl.ones(1, 3, 4)).shape
    tensorlite.Size([1, 3, 7])
    """

    count, mode = 1, "circular"


class CircularPad2d(_PadNd):
    """The last two dimensions extended by the elements at the other end.

    Source: PyTorch ``torch.nn.CircularPad2d``.

    >>> import tensorlite as tl
    >>> tl.nn.CircularPad2d((1, 2, 0, 0))(tl.ones(1, 3, 4, 4)).shape
    tensorlite.Size([1, 3, 4, 7])
    """

    count, mode = 2, "circular"


class CircularPad3d(_PadNd):
    """The last three dimensions extended by the elements at the other end.

    Source: PyTorch ``torch.nn.CircularPad3d``.

    >>> import tensorlite as tl
    >>> tl.nn.CircularPad3d((1, 2, 0, 0, 0, 0))(tl.ones(1, 3, 4, 4, 4)).shape
    tensorlite.Size([1, 3, 4, 4, 7])
    """

    count, mode = 3, "circular"
