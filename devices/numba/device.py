"""The numba device: the cpu's arrays, with kernels compiled for this very processor."""

from __future__ import annotations

import importlib
from importlib.util import find_spec

from ..base import Device


class Numba(Device):
    """NumPy arrays and compiled kernels; what has no kernel runs as on cpu."""

    kind = "numba"
    host = True

    @classmethod
    def unavailable(cls) -> str | None:
        missing = [name for name in ("llvmlite", "numba") if find_spec(name) is None]
        return f"{' and '.join(missing)} not installed: pip install numba" if missing else None

    @classmethod
    def describe(cls) -> str:
        return "NumPy arrays, kernels compiled for this processor"

    def setup(self) -> None:
        from ...ops.fast import table

        importlib.import_module(".kernels", __package__)
        self.fast = table(self.kind)
