"""The cuda devices, over CuPy, which is imported only when one is asked for."""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec
from typing import Any

import numpy as np

from ..base import Device


@cache
def _problem() -> str | None:
    """Why CuPy cannot be used here, in a sentence, or None."""
    if find_spec("cupy") is None:
        return (
            "CuPy is not installed: pip install 'tensorlite[cuda12]' or 'tensorlite[cuda13]', "
            "for the CUDA version of the driver"
        )
    try:
        import cupy

        if cupy.cuda.runtime.getDeviceCount() == 0:
            return "CuPy finds no GPU"
    except Exception as error:  # CuPy raises many kinds, from ImportError to its own
        first = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        return f"CuPy is installed but finds no usable GPU or driver ({first})"
    return None


class Cuda(Device):
    """A CUDA GPU, with CuPy's arrays; what has no kernel runs the reference body on CuPy."""

    kind = "cuda"
    multiple = True

    @classmethod
    def unavailable(cls) -> str | None:
        return _problem()

    @classmethod
    def count(cls) -> int:
        if _problem():
            return 0
        import cupy

        return int(cupy.cuda.runtime.getDeviceCount())

    @classmethod
    def describe(cls) -> str:
        import cupy

        return ", ".join(
            cupy.cuda.runtime.getDeviceProperties(i)["name"].decode() for i in range(cls.count())
        )

    def setup(self) -> None:
        import cupy

        self.xp = cupy

    def from_host(self, array: np.ndarray[Any, Any]) -> Any:
        with self.xp.cuda.Device(self.index):
            return self.xp.asarray(array)

    def to_host(self, array: Any) -> np.ndarray[Any, Any]:
        host: np.ndarray[Any, Any] = self.xp.asnumpy(array)
        return host

    def synchronize(self) -> None:
        self.xp.cuda.Device(self.index).synchronize()
