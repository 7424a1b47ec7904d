"""Tensors that the tests of ``.tlz`` files are about, the same in every run."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np

from tensorlite.codec import floats
from tensorlite.codec.directory import DTYPES
from tensorlite.codec.encoders import Uniform, codebook, uniform
from tensorlite.codec.writing import writing

Array = np.ndarray[Any, Any]

MASKS = {"bool": 1, "float4_e2m1fn": 15, "int4": 15, "uint4": 15, "int2": 3, "uint2": 3}


def every_dtype() -> dict[str, Array]:
    """Random bytes as numbers of every dtype: NaNs of every kind among them."""
    random = np.random.default_rng(1)
    found = {}
    for name, dtype in DTYPES.items():
        raw = random.integers(0, 256, 6 * 5 * dtype.itemsize, dtype=np.uint8)
        found[name] = (raw & MASKS.get(name, 255)).view(dtype).reshape(6, 5)
    return found


def weights(rows: int = 24, columns: int = 40) -> dict[str, Array]:
    """Numbers as they are in networks, and shapes as they are at the edges."""
    random = np.random.default_rng(2)
    normal = random.standard_normal((rows, columns)).astype(np.float32) * np.float32(0.05)
    return {
        "weight": normal,
        "half": normal.astype(np.float16),
        "brain": normal.astype(DTYPES["bfloat16"]),
        "ids": np.arange(rows * columns).reshape(rows, columns),
        "zeros": np.zeros((rows, columns), np.float32),
        "sparse": random.integers(0, 60, (rows, columns), dtype=np.uint8) // 56,
        "scalar": np.array(1.5, np.float32),
        "empty": np.zeros((3, 0, 2), np.float32),
        "one": np.zeros((1, 1, 1), np.int8),
    }


def write_vectors(path: Path) -> None:
    """A file with every scheme and coder: tests/codec/vectors/schemes.tlz."""
    random = np.random.default_rng(3)
    normal = random.standard_normal((60, 90)).astype(np.float32)
    low = np.where(random.random((60, 90)) < 0.8, 0, 1).astype(np.uint8)
    three = random.integers(0, 3, (60, 90), dtype=np.uint8)
    grid = random.random((60, 12)).astype(np.float32).astype(np.float16)
    zeros = random.integers(0, 16, (60, 12), dtype=np.uint8)
    noise = random.integers(0, 16, (60, 90), dtype=np.uint8)
    values = np.array([-1, 0, 1], np.float32).astype(DTYPES["bfloat16"])
    size = (60, 90)
    with writing(path, {"made": "for tests"}, threads=1) as writer:
        for name, array in {**weights(), **every_dtype()}.items():
            writer.add(name, array)
        writer.add("mask", random.random((200, 200)) < 0.03)
        wide = random.standard_normal((64, 96)) * 8.0 ** random.integers(0, 5, (64, 1))
        # Groups of rows, as large matrices have.
        with patch.object(floats, "_LEAST", 512), patch.object(floats, "_TABLE", 10):
            writer.add("rows", wide.astype(DTYPES["bfloat16"]))
        for bits in (2, 3, 4, 8):
            writer.add(f"uniform{bits}", normal, Uniform(bits))
        writer.add("turned", normal, Uniform(4), transposed=True)
        writer.add("symmetric", normal.astype(np.float16), Uniform(4, 16, symmetric=True))
        writer.add_encoded("noise", uniform("float32", size, noise, grid, zeros, 4, 8))
        writer.add_encoded("column", uniform("float32", size, noise, normal[:1], None, 4, 1))
        writer.add_encoded("two", codebook("float32", size, low, values[:2]))
        writer.add_encoded("three", codebook("bfloat16", size, three, values, grid, 8))
        writer.add_file("labels.txt", b"cat\ndog\n" * 20, "labels")
        writer.add_file("nothing", b"")
