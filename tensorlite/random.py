"""Generators of random numbers, and the seed of the default one.

The numbers are NumPy's (PCG64), made in host memory whatever the device: one seed gives the same
numbers everywhere, though not PyTorch's.
"""

from __future__ import annotations

import os
import threading
from typing import Any

import numpy as np

from .construct import from_numpy
from .tensor import Tensor


class Generator:
    """A source of random numbers with a seed and a state.

    >>> import tensorlite as tl
    >>> g = tl.Generator().manual_seed(0)
    >>> bool((tl.rand(3, generator=g) == tl.rand(3, generator=g.manual_seed(0))).all())
    True
    """

    _numpy: np.random.Generator | None

    def __init__(self, device: Any = "cpu") -> None:
        from .devices.base import resolve

        self.device = resolve(device)
        self.lock = threading.Lock()
        self.seed()

    def manual_seed(self, seed: int) -> Generator:
        """Starts from a seed; itself."""
        self._seed = int(seed)
        self._numpy = None
        return self

    @property
    def numpy(self) -> np.random.Generator:
        """NumPy's generator behind it, made when first asked for (NumPy imports that late too)."""
        if self._numpy is None:
            self._numpy = np.random.Generator(np.random.PCG64(self._seed % 2**64))
        return self._numpy

    def seed(self) -> int:
        """Starts from a seed of chance, which it gives."""
        self.manual_seed(int.from_bytes(os.urandom(8), "little") >> 1)
        return self._seed

    def initial_seed(self) -> int:
        """The seed it was started from."""
        return self._seed

    def get_state(self) -> Tensor:
        """The state, as bytes."""
        state: Any = self.numpy.bit_generator.state
        inner = state["state"]
        data = inner["state"].to_bytes(16, "little") + inner["inc"].to_bytes(16, "little")
        extra = bytes([state["has_uint32"]]) + int(state["uinteger"]).to_bytes(4, "little")
        return from_numpy(np.frombuffer(data + extra, np.uint8).copy())

    def set_state(self, state: Tensor) -> Generator:
        """Goes on from a state of :meth:`get_state`; itself."""
        data = state.numpy().tobytes()
        self.numpy.bit_generator.state = {
            "bit_generator": "PCG64",
            "state": {
                "state": int.from_bytes(data[:16], "little"),
                "inc": int.from_bytes(data[16:32], "little"),
            },
            "has_uint32": data[32],
            "uinteger": int.from_bytes(data[33:], "little"),
        }
        return self


default_generator = Generator()


def manual_seed(seed: int) -> Generator:
    """Seeds the default generator, which it gives.

    >>> import tensorlite as tl
    >>> _ = tl.manual_seed(0); a = tl.rand(2); _ = tl.manual_seed(0); bool((a == tl.rand(2)).all())
    True
    """
    return default_generator.manual_seed(seed)


def seed() -> int:
    """Seeds the default generator by chance."""
    return default_generator.seed()


def initial_seed() -> int:
    """The seed of the default generator."""
    return default_generator.initial_seed()


def get_rng_state() -> Tensor:
    """The state of the default generator."""
    return default_generator.get_state()


def set_rng_state(state: Tensor) -> None:
    """Sets the state of the default generator."""
    default_generator.set_state(state)
