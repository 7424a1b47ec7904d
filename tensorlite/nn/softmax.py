"""Softmax and its kin as layers."""

from __future__ import annotations

from ..errors import ShapeError
from ..tensor import Tensor
from . import functional as F
from .module import Module


class Softmin(Module):
    """``softmax(-x)`` along ``dim``. Source: PyTorch ``torch.nn.Softmin``.

    >>> import tensorlite as tl
    >>> tl.nn.Softmin(0)(tl.tensor([1.0, 1.0]))
    tensor([0.5000, 0.5000])
    """

    def __init__(self, dim: int | None = None) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, input: Tensor) -> Tensor:
        return F.softmin(input, self.dim)

    def extra_repr(self) -> str:
        return f"dim={self.dim}"


class Softmax(Module):
    """``exp(x) / sum(exp(x))`` along ``dim``. Source: PyTorch ``torch.nn.Softmax``.

    >>> import tensorlite as tl
    >>> tl.nn.Softmax(dim=-1)(tl.tensor([1.0, 1.0]))
    tensor([0.5000, 0.5000])
    """

    def __init__(self, dim: int | None = None) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, input: Tensor) -> Tensor:
        return F.softmax(input, self.dim)

    def extra_repr(self) -> str:
        return f"dim={self.dim}"


class Softmax2d(Module):
    """Softmax over the channels of (N, C, H, W) or (C, H, W).

    Raises ShapeError. Source: PyTorch ``torch.nn.Softmax2d``.

    >>> import tensorlite as tl
    >>> tuple(tl.nn.Softmax2d()(tl.ones(2, 3, 4, 5)).shape)
    (2, 3, 4, 5)
    """

    def forward(self, input: Tensor) -> Tensor:
        if input.ndim not in (3, 4):
            raise ShapeError(f"Softmax2d: expected (N, C, H, W), got {tuple(input.shape)}")
        return F.softmax(input, -3)


class LogSoftmax(Module):
    """``log(softmax(x))`` along ``dim``. Source: PyTorch ``torch.nn.LogSoftmax``.

    >>> import tensorlite as tl
    >>> tl.nn.LogSoftmax(dim=0)(tl.tensor([1.0, 1.0]))
    tensor([-0.6931, -0.6931])
    """

    def __init__(self, dim: int | None = None) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, input: Tensor) -> Tensor:
        return F.log_softmax(input, self.dim)

    def extra_repr(self) -> str:
        return f"dim={self.dim}"
