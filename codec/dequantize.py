"""Codes and scales to float32, compiled by numba."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..devices.numba.jit import jit


@jit("u1* f4* f4* f4* i8 i8 i8 i8 i8")
def uniform_rows(
    codes: Any, scales: Any, zeros: Any, out: Any, rows: Any, columns: Any, group: Any,
    count: Any, by_row: Any,
) -> None:  # fmt: skip
    """``(code - zero) * scale`` of rows; ``count`` groups in each, a grid row for each or one."""
    for row in range(rows):
        grid = row * count * by_row
        for i in range(count):
            scale, zero = scales[grid + i], zeros[grid + i]
            first = i * group
            last = min(first + group, columns)
            at = row * columns
            for j in range(at + first, at + last):
                out[j] = (np.float32(codes[j]) - zero) * scale
