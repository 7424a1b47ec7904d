"""Symbols out of the middle of a plane, and planes of a size that is known beforehand."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..errors import FileFormatError
from .planes import Plane, decode_plane, parse_plane

Array = np.ndarray[Any, Any]


def whole_plane(data: Array, count: int) -> Plane:
    """The plane that is all of ``data`` and has ``count`` symbols; FileFormatError else."""
    plane, end = parse_plane(data, 0)
    if plane.count != count:
        raise FileFormatError(f"a plane of {plane.count} symbols is there, and not of {count}")
    if end != len(data):
        raise FileFormatError(f"{len(data) - end} bytes of a section are behind its end")
    return plane


def byte_planes(data: Array, width: int, count: int) -> list[Plane]:
    """Planes of ``count`` symbols that are all of ``data``: one for each byte of numbers."""
    planes, at = [], 0
    for _ in range(width):
        plane, at = parse_plane(data, at)
        if plane.count != count:
            raise FileFormatError(f"a plane of {plane.count} symbols is there, and not of {count}")
        planes.append(plane)
    if at != len(data):
        raise FileFormatError(f"{len(data) - at} bytes of a section are behind its end")
    return planes


def decode_span(plane: Plane, first: int, last: int, threads: int | None, verify: bool) -> Array:
    """The symbols from ``first`` to before ``last``; only their blocks are decoded."""
    if first == last:
        return np.zeros(0, np.uint8)
    begin, end = first // plane.block, -(-last // plane.block)
    found = decode_plane(plane, None, begin, end, threads, verify)
    before = first - begin * plane.block
    return found[before : before + last - first]
