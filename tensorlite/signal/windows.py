"""Windows, as ``torch.signal.windows`` has them.

>>> import tensorlite as tl
>>> tl.signal.windows.hann(3)
tensor([0., 1., 0.])
"""

from __future__ import annotations

from typing import Any

from ..ops.registry import missing, namespace

globals().update(namespace("signal.windows"))


def __getattr__(name: str) -> Any:
    if name.startswith("__"):
        raise AttributeError(name)
    raise missing("tensorlite.signal.windows", name, namespace("signal.windows"))
