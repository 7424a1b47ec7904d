"""Fourier transforms, as ``torch.fft`` has them.

>>> import tensorlite as tl
>>> tl.fft.fft(tl.tensor([1.0, 0.0])).real
tensor([1., 1.])
"""

from __future__ import annotations

from typing import Any

from .ops.registry import missing, namespace

globals().update(namespace("fft"))


def __getattr__(name: str) -> Any:
    if name.startswith("__"):
        raise AttributeError(name)
    raise missing("tensorlite.fft", name, namespace("fft"))
