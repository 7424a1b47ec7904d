"""Special functions, as ``torch.special`` has them.

>>> import tensorlite as tl
>>> tl.special.expit(tl.tensor([0.0]))
tensor([0.5000])
"""

from __future__ import annotations

from typing import Any

from .ops.registry import missing, namespace

globals().update(namespace("special"))


def __getattr__(name: str) -> Any:
    if name.startswith("__"):
        raise AttributeError(name)
    raise missing("tensorlite.special", name, namespace("special"))
