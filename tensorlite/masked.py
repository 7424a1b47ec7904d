"""Operations on the elements that a mask keeps, as ``torch.masked`` has them.

>>> import tensorlite as tl
>>> tl.masked.sum(tl.tensor([1, 2, 3]), mask=tl.tensor([True, False, True]))
tensor(4)
"""

from __future__ import annotations

from typing import Any

from .ops.registry import missing, namespace

globals().update(namespace("masked"))


def __getattr__(name: str) -> Any:
    if name.startswith("__"):
        raise AttributeError(name)
    raise missing("tensorlite.masked", name, namespace("masked"))
