"""Images with a border of zeros, which eager convolutions read."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from ...ops.spatial import Pads
from ...ops.spatial import padded as by_numpy
from ..buffers import empty
from .code import Code, module
from .llvm import compiled
from .memory import address
from .threads import Native

Array = np.ndarray[Any, Any]
_PART = 50_000  # elements below which another thread is not worth waking


def padded(x: Array, pads: Pads) -> Array:
    """The last dimensions extended by zeros; what is given, in one piece, if there are none."""
    if not any(begin or end for begin, end in pads):
        return np.ascontiguousarray(x)
    if len(pads) != 2 or not x.flags.c_contiguous:
        return np.ascontiguousarray(by_numpy(np, x, pads))
    rows, columns = (n + sum(both) for n, both in zip(x.shape[-2:], pads, strict=True))
    out, size = empty((*x.shape[:-2], rows, columns), x.dtype), x.itemsize
    least = _PART // (rows * columns) + 1
    _planes().over(
        x.size // (x.shape[-1] * x.shape[-2]), least, address(out), address(x), x.shape[-2],
        x.shape[-1] * size, columns * size, rows * columns * size,
        (pads[0][0] * columns + pads[1][0]) * size,
    )  # fmt: skip
    return out


@cache
def _planes() -> Native:
    """Planes ``first`` to ``last``: zeros, and then the lines of the image."""
    code = Code(
        "kernel",
        "ptr %out, ptr %x, i64 %rows, i64 %line, i64 %out_line, i64 %out_plane, i64 %begin, "
        "i64 %first, i64 %last",
    )
    plane = code.mul("%rows", "%line")
    with code.loop("%last", "%first") as image:
        to = code.at("i8", "%out", code.mul(image.index, "%out_plane"))
        code.call("void", "llvm.memset.p0.i64", f"ptr {to}", "i8 0", "i64 %out_plane", "i1 false")
        inner = code.at("i8", to, "%begin")
        source = code.at("i8", "%x", code.mul(image.index, plane))
        with code.loop("%rows") as row:
            there = code.at("i8", inner, code.mul(row.index, "%out_line"))
            here = code.at("i8", source, code.mul(row.index, "%line"))
            code.call("void", "llvm.memcpy.p0.p0.i64", f"ptr {there}", f"ptr {here}", "i64 %line",
                      "i1 false")  # fmt: skip
    return Native(compiled(module(code)), "ppiiiii")
