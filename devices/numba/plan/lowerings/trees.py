"""Ensembles of decision trees."""

from __future__ import annotations

import numpy as np

from .....ops.trees import Forest
from ... import trees
from ..builder import FLOAT, Arguments, Builder, lowering
from ..places import Word

_MOST = 64  # parts that there is scratch memory for
_COST = 50.0  # of a step down a tree, in operations of a product


@lowering("trees.tree_ensemble")
def tree_ensemble(builder: Builder, call: Arguments) -> str | None:
    """The scores of rows of features."""
    forest: Forest = call["forest"]
    shape, dtype = builder.shape(call["input"]), builder.dtype_of(call["input"])
    if dtype != FLOAT and dtype != np.float64 or dtype == FLOAT != forest.dtype:
        return f"features of {dtype}, thresholds of {forest.dtype}"
    if 0 in shape:
        return "no rows, or no features"
    rows, features = shape
    found = trees.packed(forest, dtype)
    builder.held.append(found)
    x = builder.contiguous(call["input"])
    out = builder.new((rows, forest.n_targets), dtype)
    most = min(max(rows // trees.least_rows(found), 1), _MOST)
    room = (trees.room(forest, rows) + 7) // 8 * 8  # whole lines of the cache
    scratch = builder.new((most * room,), np.float64)
    words: list[Word] = [
        found.run.address(), out.place, scratch.place, 8 * room, most, x.place, *found.addresses,
        features, rows,
    ]  # fmt: skip
    builder.emit(
        "trees", trees.shared_walk(), words, [x], out, flops=_COST * found.steps * rows,
        serial=most == 1, also=[scratch.buffer],
    )  # fmt: skip
    builder.give(call.output, out)
    return None
