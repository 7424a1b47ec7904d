"""Results whose sizes depend on numbers: what no plan can lay out in advance.

A function in which there is one runs as it was written, since whatever comes after may be of
other sizes in each call, and sizes that the function looks at would be those of the example.
"""

from __future__ import annotations

from typing import Any

from .nested import flattened

NAMES = frozenset(
    "nonzero argwhere masked_select unique unique_consecutive bincount nms "
    "non_max_suppression".split()
)


class SizesVary(BaseException):
    """Raised through a function that is traced, or out of a plan: it says what varies."""


def sizes_vary(name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
    """Whether the size of a call's result depends on the numbers in traced tensors."""
    from ..dtypes import bool_
    from .trace import Traced

    rest = flattened((args[1:], kwargs))
    if name == "getitem":
        return any(isinstance(v, Traced) and v.dtype is bool_ for v in rest)
    if name == "where":
        return len(args) + len(kwargs) == 1
    if name == "repeat_interleave":
        return any(isinstance(v, Traced) for v in rest)
    return name in NAMES
