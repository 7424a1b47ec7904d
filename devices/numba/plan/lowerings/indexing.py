"""Rows of a table by their numbers."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from .....ops.trace import Ref
from ...gathering import gather_rows
from ..builder import Arguments, Builder, lowering
from ..places import Word


@lowering("nn.functional.embedding")
def embedding(builder: Builder, call: Arguments) -> str | None:
    """``weight[input]``."""
    if call.get("max_norm") is not None:
        return "rows that are shortened"
    return _rows(builder, call, call["weight"], call["input"], 0)


@lowering("index_select")
def index_select(builder: Builder, call: Arguments) -> str | None:
    """Slices of a tensor by their numbers."""
    return _rows(builder, call, call["input"], call["index"], call["dim"])


def _rows(builder: Builder, call: Arguments, table: Any, index: Any, dim: int) -> str | None:
    shape, counts = builder.shape(table), builder.shape(index)
    kind = builder.dtype_of(index)
    if not isinstance(index, Ref) and not isinstance(table, Ref):
        return "constants only"
    if kind not in (np.dtype(np.int64), np.dtype(np.int32)) or 0 in (*shape, *counts):
        return f"indices of {kind}"
    dim %= len(shape)
    source, places = builder.contiguous(table), builder.contiguous(index)
    out = builder.new(builder.trace.values[call.output].shape, source.dtype)
    row = prod(shape[dim + 1 :]) * source.dtype.itemsize
    words: list[Word] = [
        out.place, source.place, places.place, builder.error(f"{call.call.name}: an index"),
        prod(shape[:dim]), shape[dim], row, prod(counts),
    ]  # fmt: skip
    builder.emit(
        "gather", gather_rows(kind.itemsize), words, [source, places], out
    )  # fmt: skip
    builder.give(call.output, out)
    return None
