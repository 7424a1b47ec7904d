"""New tensors: constants, ranges, identity matrices."""

from __future__ import annotations

from typing import Any

from .. import dtypes
from ..dtypes import dtype as Dtype
from .dims import sizes_of
from .registry import op


@op()
def zeros(xp: Any, *size: Any, dtype: Dtype | None = None, device: Any = None) -> Any:
    """A tensor of zeros. Source: PyTorch ``torch.zeros``.

    >>> import tensorlite as tl
    >>> tl.zeros(2, 3)
    tensor([[0., 0., 0.],
            [0., 0., 0.]])
    """
    return xp.zeros(sizes_of(size), (dtype or dtypes.get_default_dtype()).numpy)


@op()
def ones(xp: Any, *size: Any, dtype: Dtype | None = None, device: Any = None) -> Any:
    """A tensor of ones. Source: PyTorch ``torch.ones``.

    >>> import tensorlite as tl
    >>> tl.ones(2)
    tensor([1., 1.])
    """
    return xp.ones(sizes_of(size), (dtype or dtypes.get_default_dtype()).numpy)
