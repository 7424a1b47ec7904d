"""The cpu device: NumPy arrays, and NumPy as the reference of every operator."""

from __future__ import annotations

import platform

from .base import Device


class Cpu(Device):
    """NumPy on the processor. Always usable; every operator runs here."""

    kind = "cpu"
    host = True

    @classmethod
    def describe(cls) -> str:
        return f"NumPy, the reference ({platform.machine()})"

    def setup(self) -> None:
        from ..ops.fast import table

        self.fast = table(self.kind)
