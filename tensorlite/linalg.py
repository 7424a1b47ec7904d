"""Linear algebra, as ``torch.linalg`` has it.

>>> import tensorlite as tl
>>> tl.linalg.det(tl.tensor([[1.0, 2.0], [3.0, 4.0]]))
tensor(-2.)
"""

from __future__ import annotations

from typing import Any

from .errors import LinAlgError as LinAlgError
from .ops.registry import missing, namespace

globals().update(namespace("linalg"))


def __getattr__(name: str) -> Any:
    if name.startswith("__"):
        raise AttributeError(name)
    raise missing("tensorlite.linalg", name, namespace("linalg"))
