"""The functions under the layers, as ``torch.nn.functional`` has them.

>>> import tensorlite as tl, tensorlite.nn.functional as F
>>> F.relu(tl.tensor([-1.0, 2.0]))
tensor([0., 2.])
"""

from __future__ import annotations

from typing import Any

from ..ops.registry import F as _SPACE
from ..ops.registry import missing, namespace

globals().update(namespace(_SPACE))


def __getattr__(name: str) -> Any:
    if name.startswith("__"):
        raise AttributeError(name)
    raise missing("tensorlite.nn.functional", name, namespace(_SPACE))
