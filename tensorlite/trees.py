"""Decision trees.

>>> import tensorlite as tl
>>> tl.trees.MODES
('<=', '<', '>=', '>', '==', '!=', 'in')
"""

from __future__ import annotations

from typing import Any

from .ops.registry import missing, namespace
from .ops.tree_questions import MODES as MODES
from .ops.tree_questions import questions as questions
from .ops.trees import Forest as Forest

globals().update(namespace("trees"))


def __getattr__(name: str) -> Any:
    if name.startswith("__"):
        raise AttributeError(name)
    raise missing("tensorlite.trees", name, namespace("trees"))
