"""Random numbers, with generators."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import dtypes
from ..dtypes import dtype as Dtype
from ..errors import ArgumentError, DTypeError, ShapeError
from .dims import dtype_of, sizes_of
from .registry import Array, op


def _source(generator: Any) -> Any:
    """The generator given, or the default one."""
    if generator is not None:
        return generator
    from ..random import default_generator

    return default_generator


def _draw(xp: Any, generator: Any, make: Any, target: np.dtype[Any]) -> Array:
    """Numbers made by ``make(numpy generator)``, in a dtype, where they belong."""
    source = _source(generator)
    with source.lock:
        made = np.asarray(make(source.numpy))
    return xp.asarray(made.astype(target))


def _float(dtype: Dtype | None, name: str) -> np.dtype[Any]:
    found = dtype or dtypes.get_default_dtype()
    if not (found.is_floating_point or found.is_complex):
        raise DTypeError(f"{name}: expected a float dtype, got {found}")
    return found.numpy


def _uniform(target: np.dtype[Any], size: Any) -> Any:
    def make(g: Any) -> Any:
        if target.kind == "c":
            return g.random(size) + 1j * g.random(size)
        if target == np.float32:
            return g.random(size, np.float32)
        if target == np.float64:
            return g.random(size)
        # Numbers that a short float can hold, so that rounding never gives 1.
        bits = int(dtypes.finfo(dtypes.from_numpy(target)).eps ** -1)
        return g.integers(0, bits, size) / bits

    return make


def _normal(target: np.dtype[Any], size: Any) -> Any:
    def make(g: Any) -> Any:
        if target.kind == "c":
            return (g.standard_normal(size) + 1j * g.standard_normal(size)) * 0.5**0.5
        return g.standard_normal(size, np.float32 if target == np.float32 else np.float64)

    return make


@op()
def rand(
    xp: Any, *size: Any, generator: Any = None, dtype: Dtype | None = None, device: Any = None
) -> Array:
    """Random numbers, uniform in [0, 1). Source: PyTorch ``torch.rand``.

    >>> import tensorlite as tl
    >>> tl.rand(2, 3).shape
    tensorlite.Size([2, 3])
    """
    target = _float(dtype, "rand")
    return _draw(xp, generator, _uniform(target, sizes_of(size)), target)


@op()
def randn(
    xp: Any, *size: Any, generator: Any = None, dtype: Dtype | None = None, device: Any = None
) -> Array:
    """Random numbers, normal with mean 0 and variance 1. Source: PyTorch ``torch.randn``.

    >>> import tensorlite as tl
    >>> tl.randn(2, 3).shape
    tensorlite.Size([2, 3])
    """
    target = _float(dtype, "randn")
    return _draw(xp, generator, _normal(target, sizes_of(size)), target)


@op()
def randint(
    xp: Any, low: int, high: Any = None, size: Any = None, *, generator: Any = None,
    dtype: Dtype | None = None, device: Any = None,
) -> Array:  # fmt: skip
    """Random integers from ``low`` (0 if one number is given) to below ``high``.

    Source: PyTorch ``torch.randint``.

    >>> import tensorlite as tl
    >>> tl.randint(5, (2,)).dtype
    tensorlite.int64
    """
    if isinstance(high, tuple | list):
        low, high, size = 0, low, high
    elif high is None:
        low, high = 0, low
    if size is None:
        raise ArgumentError("randint: expected a size, as in tl.randint(0, 10, (2, 3))")
    if low >= high:
        raise ArgumentError(f"randint: no integer is at least {low} and below {high}")
    target = (dtype or dtypes.int64).numpy
    return _draw(xp, generator, lambda g: g.integers(low, high, sizes_of((size,))), target)


@op()
def randperm(
    xp: Any, n: int, *, generator: Any = None, dtype: Dtype | None = None, device: Any = None
) -> Array:
    """The integers below n in random order. Source: PyTorch ``torch.randperm``.

    >>> import tensorlite as tl
    >>> tl.randperm(4).sort().values
    tensor([0, 1, 2, 3])
    """
    return _draw(xp, generator, lambda g: g.permutation(int(n)), (dtype or dtypes.int64).numpy)


@op()
def rand_like(
    xp: Any, input: Array, *, generator: Any = None, dtype: Dtype | None = None, device: Any = None
) -> Array:
    """:func:`rand` of another tensor's shape. Source: PyTorch ``torch.rand_like``.

    >>> import tensorlite as tl
    >>> tl.rand_like(tl.zeros(2)).shape
    tensorlite.Size([2])
    """
    target = _float(dtype or dtype_of(input), "rand_like")
    return _draw(xp, generator, _uniform(target, input.shape), target)


@op()
def randn_like(
    xp: Any, input: Array, *, generator: Any = None, dtype: Dtype | None = None, device: Any = None
) -> Array:
    """:func:`randn` of another tensor's shape. Source: PyTorch ``torch.randn_like``.

    >>> import tensorlite as tl
    >>> tl.randn_like(tl.zeros(2)).shape
    tensorlite.Size([2])
    """
    target = _float(dtype or dtype_of(input), "randn_like")
    return _draw(xp, generator, _normal(target, input.shape), target)


@op()
def randint_like(
    xp: Any, input: Array, low: int, high: int | None = None, *, generator: Any = None,
    dtype: Dtype | None = None, device: Any = None,
) -> Array:  # fmt: skip
    """:func:`randint` of another tensor's shape. Source: PyTorch ``torch.randint_like``.

    >>> import tensorlite as tl
    >>> tl.randint_like(tl.zeros(2), 5).dtype
    tensorlite.float32
    """
    first, last = (0, low) if high is None else (low, high)
    target = dtype.numpy if dtype else input.dtype
    return _draw(xp, generator, lambda g: g.integers(first, last, input.shape), target)


@op()
def normal(
    xp: Any, mean: Any, std: Any = 1.0, size: Any = None, *, generator: Any = None,
    dtype: Dtype | None = None, device: Any = None,
) -> Array:  # fmt: skip
    """Normal numbers of these means and deviations. Source: PyTorch ``torch.normal``.

    >>> import tensorlite as tl
    >>> tl.normal(0.0, 1.0, (2,)).shape
    tensorlite.Size([2])
    """
    given = [v for v in (mean, std) if hasattr(v, "dtype")]
    if not given and size is None:
        raise ArgumentError("normal: expected tensors of means or deviations, or a size")
    shape = (
        sizes_of((size,)) if size is not None else np.broadcast_shapes(*[v.shape for v in given])
    )
    target = given[0].dtype if given else _float(dtype, "normal")
    drawn = _draw(xp, generator, _normal(target, shape), target)
    return (drawn * std + mean).astype(target)


@op(method=True)
def bernoulli(xp: Any, input: Array, p: Any = None, *, generator: Any = None) -> Array:
    """1 with the probabilities of the input (or ``p``), else 0. Source: PyTorch
    ``torch.bernoulli``.

    >>> import tensorlite as tl
    >>> tl.bernoulli(tl.ones(2))
    tensor([1., 1.])
    """
    chances = input if p is None else p
    drawn = _draw(xp, generator, lambda g: g.random(input.shape), np.dtype(np.float64))
    return (drawn < chances).astype(input.dtype)


@op(method=True)
def multinomial(
    xp: Any, input: Array, num_samples: int, replacement: bool = False, *, generator: Any = None
) -> Array:
    """Indices drawn by weight, from each row. Source: PyTorch ``torch.multinomial``.

    >>> import tensorlite as tl
    >>> tl.multinomial(tl.tensor([0.0, 1.0]), 1)
    tensor([1])
    """
    if input.ndim not in (1, 2):
        raise ShapeError(f"multinomial: expected weights in 1 or 2 dimensions, got {input.ndim}")
    rows = np.asarray(input.get() if hasattr(input, "get") else input, np.float64)
    rows = rows.reshape(-1, input.shape[-1])
    if (rows < 0).any() or not np.isfinite(rows).all() or (rows.sum(1) <= 0).any():
        raise ArgumentError("multinomial: weights are finite, not negative, and not all zero")
    if not replacement and num_samples > (rows > 0).sum(1).min(initial=rows.shape[1]):
        raise ArgumentError(f"multinomial: {num_samples} samples of fewer weights above zero")
    chances = rows / rows.sum(1, keepdims=True)
    n = rows.shape[1]
    drawn = _draw(
        xp,
        generator,
        lambda g: [g.choice(n, num_samples, replace=replacement, p=c) for c in chances],
        np.dtype(np.int64),
    )
    return drawn.reshape(*input.shape[:-1], num_samples)


@op()
def poisson(xp: Any, input: Array, generator: Any = None) -> Array:
    """Poisson numbers of these rates. Source: PyTorch ``torch.poisson``.

    >>> import tensorlite as tl
    >>> tl.poisson(tl.zeros(2))
    tensor([0., 0.])
    """
    rates = np.asarray(input.get() if hasattr(input, "get") else input, np.float64)
    return _draw(xp, generator, lambda g: g.poisson(rates), input.dtype)


def _filling(name: str, make: Any, meaning: str) -> None:
    """An in-place sampler: ``x.uniform_(0, 1)``."""

    def body(input: Any, *args: Any, generator: Any = None, **options: Any) -> Any:
        source = _source(generator)
        with source.lock:
            made = np.asarray(make(source.numpy, tuple(input.shape), *args, **options))
        from ..construct import from_numpy

        return input.copy_(from_numpy(made))

    body.__name__ = name
    body.__doc__ = f"""Fills the tensor with {meaning}. Source: PyTorch ``torch.Tensor.{name}``.

    >>> import tensorlite as tl
    >>> tl.zeros(2).{name}().shape
    tensorlite.Size([2])
    """
    op(spaces=(), method=name)(body)


def _uniform_fill(g: Any, size: Any, from_: float = 0.0, to: float = 1.0, **given: Any) -> Any:
    low = given.get("from", from_)
    return g.random(size) * (to - low) + low


def _random_fill(g: Any, size: Any, from_: int = 0, to: int | None = None, **given: Any) -> Any:
    low = given.get("from", from_)
    if to is None:
        low, to = 0, low or 2**24
    return g.integers(low, to, size)


_filling("uniform_", _uniform_fill, "uniform numbers")
_filling("normal_", lambda g, size, mean=0.0, std=1.0: g.standard_normal(size) * std + mean,
         "normal numbers")  # fmt: skip
_filling("random_", _random_fill, "integers")
_filling("exponential_", lambda g, size, lambd=1.0: g.exponential(1 / lambd, size),
         "exponential numbers")  # fmt: skip
_filling("bernoulli_", lambda g, size, p=0.5: g.random(size) < np.asarray(p), "zeros and ones")
