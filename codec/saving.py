"""Arrays, and files beside them, into a ``.tlz`` file: what ``tl.save`` does for one."""

from __future__ import annotations

import os
from collections.abc import Container, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ..converters.binary import naming
from ..errors import ArgumentError
from ..progress import Report
from .directory import TensorEntry
from .encoders import Uniform
from .writing import Plan, writing

Array = np.ndarray[Any, Any]
PathLike = str | os.PathLike[str]


def uniform_plan(bits: int | None, group_size: int = 32, symmetric: bool = False) -> Plan:
    """The plan of ``bits`` a number; None, which is without loss, where it is None."""
    return None if bits is None else Uniform(bits, group_size, symmetric)


def save_arrays(
    arrays: Mapping[str, Array],
    path: PathLike,
    *,
    plan: Plan = None,
    metadata: Mapping[str, str] | None = None,
    files: Mapping[str, bytes | PathLike] | None = None,
    kinds: Mapping[str, str] | None = None,
    transposed: Container[str] = (),
    threads: int | None = None,
    report: Report | None = None,
) -> list[TensorEntry]:
    """Writes arrays by name and files (bytes, or their paths) by name; gives what was written.

    ``kinds`` says what files are for; ``transposed`` are the names of matrices whose columns are
    quantised in groups; ``report(done, total)`` is told the bytes as they go.
    """
    total, done = sum(array.nbytes for array in arrays.values()), 0
    found = []
    with naming(path), writing(path, metadata, threads) as writer:
        for name, content in (files or {}).items():
            if not isinstance(content, bytes | str | os.PathLike):
                raise ArgumentError(
                    f"save: file {name!r}: expected bytes or a path, got a {type(content).__name__}"
                )
            data = content if isinstance(content, bytes) else Path(content).read_bytes()
            writer.add_file(name, data, (kinds or {}).get(name, "file"))
        for name, array in arrays.items():
            found.append(writer.add(name, array, plan, name in transposed))
            done += array.nbytes
            if report is not None:
                report(done, total)
    return found


__all__ = ["Plan", "save_arrays", "uniform_plan"]
