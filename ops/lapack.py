"""Routines on single matrices of the host (LAPACK's), over batches on any device."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..dtypes import float64
from ..errors import DTypeError, LinAlgError, ShapeError
from .dims import dtype_of
from .registry import Array


def over_batches(
    xp: Any, function: Callable[..., tuple[Any, ...]], *arrays: Array, core: tuple[int, ...] = ()
) -> tuple[Array, ...]:
    """``function`` of each matrix in a batch; its results, stacked.

    ``core`` says how many of the last dimensions of each array belong to one call (2 by default);
    the dimensions before them are broadcast.
    """
    core = core or (2,) * len(arrays)
    batch = np.broadcast_shapes(*[a.shape[: a.ndim - n] for a, n in zip(arrays, core, strict=True)])
    on_host = [to_host(xp, a) for a in arrays]
    inputs = [
        np.broadcast_to(a, (*batch, *a.shape[a.ndim - n :]))
        for a, n in zip(on_host, core, strict=True)
    ]
    if 0 in batch:  # one call on anything tells the shapes of the results
        found = [np.asarray(r) for r in function(*[_example(a, len(batch)) for a in inputs])]
        return tuple(xp.empty((*batch, *r.shape), r.dtype) for r in found)
    results = [function(*[a[i] for a in inputs]) for i in np.ndindex(*batch)]
    stacked = [np.stack([np.asarray(r[k]) for r in results]) for k in range(len(results[0]))]
    return tuple(xp.asarray(s.reshape((*batch, *s.shape[1:]))) for s in stacked)


def _example(batches: Array, ndim: int) -> Array:
    shape = batches.shape[ndim:]
    return np.eye(*shape, dtype=batches.dtype) if len(shape) == 2 else np.ones(shape, batches.dtype)


def to_host(xp: Any, array: Array) -> np.ndarray[Any, Any]:
    """An array of a namespace as NumPy's."""
    return array if isinstance(array, np.ndarray) else xp.asnumpy(array)


def routines(names: str, *arrays: Array) -> Any:
    """The LAPACK routines for the dtype of the arrays (one, or a list of them)."""
    from scipy.linalg.lapack import get_lapack_funcs

    found = get_lapack_funcs(names.split(), arrays)
    return found if " " in names else found[0]


def matrices(name: str, *arrays: Array, square: bool = False) -> None:
    """Raises unless the arrays are matrices, or batches of them, of one float or complex dtype."""
    first = dtype_of(arrays[0])
    for array in arrays:
        found = dtype_of(array)
        if found is not first:
            raise DTypeError(f"{name}: expected one dtype, got {first.name} and {found.name}")
        if found.kind not in "fc" or found.is_half:
            raise DTypeError(
                f"{name}: expected float32, float64 or complex numbers, got {found.name}; "
                f"use x.float()"
            )
    shape = arrays[0].shape
    if len(shape) < 2:
        raise ShapeError(f"{name}: expected a matrix or a batch of them, got shape {shape}")
    if square and shape[-1] != shape[-2]:
        raise ShapeError(f"{name}: expected square matrices, got shape {shape}")


def solved(name: str, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """``function(*args)``, NumPy's failure as a LinAlgError."""
    try:
        return function(*args, **kwargs)
    except np.linalg.LinAlgError as error:
        raise LinAlgError(f"{name}: {error}") from None


def check(name: str, info: Array, meaning: str) -> None:
    """Raises LinAlgError if LAPACK reported a failure for some matrix."""
    if (info != 0).any():
        first = int((info.ravel() != 0).argmax())
        which = f" (matrix {first} of the batch)" if info.ndim else ""
        raise LinAlgError(f"{name}: {meaning}{which}")


def adjoint(array: Array) -> Array:
    """The conjugate transposes of matrices."""
    turned = array.swapaxes(-1, -2)
    return turned.conj() if array.dtype.kind == "c" else turned


def tolerance(array: Array) -> float:
    """The relative size below which a singular value counts as 0: ``eps * max(m, n)``."""
    real = np.float64 if dtype_of(array).to_real() is float64 else np.float32
    return float(np.finfo(real).eps) * max(array.shape[-2:])


def threshold(xp: Any, A: Array, values: Array, atol: Any, rtol: Any) -> Array:
    """The size, per matrix, above which singular values count: ``max(atol, rtol * largest)``."""
    if rtol is None:
        given = atol is not None and bool(xp.all(xp.asarray(atol) > 0))
        rtol = 0.0 if given else tolerance(A)
    relative = xp.asarray(rtol) * values.max(axis=-1)
    return xp.maximum(xp.asarray(0.0 if atol is None else atol), relative)
