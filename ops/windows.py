"""Windows: the weights of the samples in a frame of a signal."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from ..dtypes import dtype as Dtype
from ..dtypes import get_default_dtype
from ..errors import ArgumentError, DTypeError
from .registry import Array, op

SIGNAL = "signal.windows"


@op()
def hann_window(
    xp: Any,
    window_length: int,
    periodic: bool = True,
    *,
    dtype: Dtype | None = None,
    device: Any = None,
) -> Array:
    """``0.5 - 0.5 * cos(2 * pi * n / (N - 1))``, N one more than the length if ``periodic``.

    Source: PyTorch ``torch.hann_window``.

    >>> import tensorlite as tl
    >>> tl.hann_window(4)
    tensor([0.0000, 0.5000, 1.0000, 0.5000])
    """
    return _cosines(xp, window_length, (0.5, 0.5), not periodic, dtype, "hann_window")


@op()
def hamming_window(
    xp: Any,
    window_length: int,
    periodic: bool = True,
    alpha: float = 0.54,
    beta: float = 0.46,
    *,
    dtype: Dtype | None = None,
    device: Any = None,
) -> Array:
    """``alpha - beta * cos(2 * pi * n / (N - 1))``. Source: PyTorch ``torch.hamming_window``.

    >>> import tensorlite as tl
    >>> tl.hamming_window(4)
    tensor([0.0800, 0.5400, 1.0000, 0.5400])
    """
    return _cosines(xp, window_length, (alpha, beta), not periodic, dtype, "hamming_window")


@op()
def blackman_window(
    xp: Any,
    window_length: int,
    periodic: bool = True,
    *,
    dtype: Dtype | None = None,
    device: Any = None,
) -> Array:
    """``0.42 - 0.5 * cos(a) + 0.08 * cos(2 * a)``, a from 0 to 2 pi.

    Source: PyTorch ``torch.blackman_window``.

    >>> import tensorlite as tl
    >>> tl.blackman_window(5, periodic=False)[1:4]
    tensor([0.3400, 1.0000, 0.3400])
    """
    weights = (0.42, 0.5, 0.08)
    return _cosines(xp, window_length, weights, not periodic, dtype, "blackman_window")


@op()
def bartlett_window(
    xp: Any,
    window_length: int,
    periodic: bool = True,
    *,
    dtype: Dtype | None = None,
    device: Any = None,
) -> Array:
    """A triangle from 0 to 1 to 0. Source: PyTorch ``torch.bartlett_window``.

    >>> import tensorlite as tl
    >>> tl.bartlett_window(4)
    tensor([0.0000, 0.5000, 1.0000, 0.5000])
    """
    return _made(xp, window_length, _triangle, not periodic, dtype, "bartlett_window")


@op()
def kaiser_window(
    xp: Any,
    window_length: int,
    periodic: bool = True,
    beta: float = 12.0,
    *,
    dtype: Dtype | None = None,
    device: Any = None,
) -> Array:
    """``i0(beta * sqrt(1 - t ** 2)) / i0(beta)``, t from -1 to 1.

    Source: PyTorch ``torch.kaiser_window``.

    >>> import tensorlite as tl
    >>> tl.kaiser_window(3, periodic=False, beta=1.0)
    tensor([0.7898, 1.0000, 0.7898])
    """
    return _made(xp, window_length, _kaiser(beta), not periodic, dtype, "kaiser_window")


@op(spaces=SIGNAL)
def hann(
    xp: Any, M: int, *, sym: bool = True, dtype: Dtype | None = None, device: Any = None
) -> Array:
    """:func:`hann_window`, symmetric by default. Source: PyTorch ``torch.signal.windows.hann``.

    >>> import tensorlite as tl
    >>> tl.signal.windows.hann(5)
    tensor([0.0000, 0.5000, 1.0000, 0.5000, 0.0000])
    """
    return _cosines(xp, M, (0.5, 0.5), sym, dtype, "hann")


@op(spaces=SIGNAL)
def hamming(
    xp: Any, M: int, *, sym: bool = True, dtype: Dtype | None = None, device: Any = None
) -> Array:
    """:func:`hamming_window`, symmetric by default.

    Source: PyTorch ``torch.signal.windows.hamming``.

    >>> import tensorlite as tl
    >>> tl.signal.windows.hamming(5)
    tensor([0.0800, 0.5400, 1.0000, 0.5400, 0.0800])
    """
    return _cosines(xp, M, (0.54, 0.46), sym, dtype, "hamming")


@op(spaces=SIGNAL)
def general_hamming(
    xp: Any,
    M: int,
    *,
    alpha: float = 0.54,
    sym: bool = True,
    dtype: Dtype | None = None,
    device: Any = None,
) -> Array:
    """``alpha - (1 - alpha) * cos(2 * pi * n / (N - 1))``.

    Source: PyTorch ``torch.signal.windows.general_hamming``.

    >>> import tensorlite as tl
    >>> tl.signal.windows.general_hamming(5, alpha=0.5)
    tensor([0.0000, 0.5000, 1.0000, 0.5000, 0.0000])
    """
    return _cosines(xp, M, (alpha, 1 - alpha), sym, dtype, "general_hamming")


@op(spaces=SIGNAL)
def general_cosine(
    xp: Any,
    M: int,
    *,
    a: Iterable[float],
    sym: bool = True,
    dtype: Dtype | None = None,
    device: Any = None,
) -> Array:
    """``a[0] - a[1] * cos(x) + a[2] * cos(2 * x) - ...``, x from 0 to 2 pi.

    Source: PyTorch ``torch.signal.windows.general_cosine``.

    >>> import tensorlite as tl
    >>> tl.signal.windows.general_cosine(5, a=[0.5, 0.5])
    tensor([0.0000, 0.5000, 1.0000, 0.5000, 0.0000])
    """
    return _cosines(xp, M, tuple(a), sym, dtype, "general_cosine")


@op(spaces=SIGNAL)
def blackman(
    xp: Any, M: int, *, sym: bool = True, dtype: Dtype | None = None, device: Any = None
) -> Array:
    """:func:`blackman_window`, symmetric by default.

    Source: PyTorch ``torch.signal.windows.blackman``.

    >>> import tensorlite as tl
    >>> tl.signal.windows.blackman(5)[1:4]
    tensor([0.3400, 1.0000, 0.3400])
    """
    return _cosines(xp, M, (0.42, 0.5, 0.08), sym, dtype, "blackman")


@op(spaces=SIGNAL)
def nuttall(
    xp: Any, M: int, *, sym: bool = True, dtype: Dtype | None = None, device: Any = None
) -> Array:
    """Nuttall's sum of four cosines. Source: PyTorch ``torch.signal.windows.nuttall``.

    >>> import tensorlite as tl
    >>> tl.signal.windows.nuttall(3)
    tensor([3.6280e-04, 1.0000e+00, 3.6280e-04])
    """
    return _cosines(xp, M, (0.3635819, 0.4891775, 0.1365995, 0.0106411), sym, dtype, "nuttall")


@op(spaces=SIGNAL)
def bartlett(
    xp: Any, M: int, *, sym: bool = True, dtype: Dtype | None = None, device: Any = None
) -> Array:
    """:func:`bartlett_window`, symmetric by default.

    Source: PyTorch ``torch.signal.windows.bartlett``.

    >>> import tensorlite as tl
    >>> tl.signal.windows.bartlett(5)
    tensor([0.0000, 0.5000, 1.0000, 0.5000, 0.0000])
    """
    return _made(xp, M, _triangle, sym, dtype, "bartlett")


@op(spaces=SIGNAL)
def kaiser(
    xp: Any,
    M: int,
    *,
    beta: float = 12.0,
    sym: bool = True,
    dtype: Dtype | None = None,
    device: Any = None,
) -> Array:
    """:func:`kaiser_window`, symmetric by default. Source: PyTorch ``torch.signal.windows.kaiser``.

    >>> import tensorlite as tl
    >>> tl.signal.windows.kaiser(3, beta=1.0)
    tensor([0.7898, 1.0000, 0.7898])
    """
    return _made(xp, M, _kaiser(beta), sym, dtype, "kaiser")


@op(spaces=SIGNAL)
def cosine(
    xp: Any, M: int, *, sym: bool = True, dtype: Dtype | None = None, device: Any = None
) -> Array:
    """``sin(pi * (n + 0.5) / N)``. Source: PyTorch ``torch.signal.windows.cosine``.

    >>> import tensorlite as tl
    >>> tl.signal.windows.cosine(3)
    tensor([0.5000, 1.0000, 0.5000])
    """
    return _made(xp, M, lambda n, count: np.sin(np.pi / count * (n + 0.5)), sym, dtype, "cosine")


@op(spaces=SIGNAL)
def exponential(
    xp: Any,
    M: int,
    *,
    center: float | None = None,
    tau: float = 1.0,
    sym: bool = True,
    dtype: Dtype | None = None,
    device: Any = None,
) -> Array:
    """``exp(-|n - center| / tau)``; the middle is the centre unless one is given.

    Source: PyTorch ``torch.signal.windows.exponential``.

    >>> import tensorlite as tl
    >>> tl.signal.windows.exponential(3)
    tensor([0.3679, 1.0000, 0.3679])
    """
    if tau <= 0:
        raise ArgumentError(f"exponential: expected tau above 0, got {tau}")
    if sym and center is not None:
        raise ArgumentError("exponential: a symmetric window takes no center; give sym=False")

    def shape(n: Array, count: int) -> Array:
        middle = (count - 1) / 2 if center is None else center
        return np.exp(-np.abs(n - middle) / tau)

    return _made(xp, M, shape, sym, dtype, "exponential")


@op(spaces=SIGNAL)
def gaussian(
    xp: Any,
    M: int,
    *,
    std: float = 1.0,
    sym: bool = True,
    dtype: Dtype | None = None,
    device: Any = None,
) -> Array:
    """``exp(-((n - middle) / std) ** 2 / 2)``. Source: PyTorch ``torch.signal.windows.gaussian``.

    >>> import tensorlite as tl
    >>> tl.signal.windows.gaussian(3)
    tensor([0.6065, 1.0000, 0.6065])
    """
    if std <= 0:
        raise ArgumentError(f"gaussian: expected std above 0, got {std}")

    def shape(n: Array, count: int) -> Array:
        return np.exp(-(((n - (count - 1) / 2) / std) ** 2) / 2)

    return _made(xp, M, shape, sym, dtype, "gaussian")


Shape = Callable[[Any, int], Any]  # of the places 0, 1... and their number


def _made(
    xp: Any, length: int, shape: Shape, symmetric: bool, dtype: Dtype | None, name: str
) -> Array:
    """A window of a shape; one that is not symmetric is cut from one longer by a sample."""
    found = dtype or get_default_dtype()
    if not found.is_floating_point:
        raise DTypeError(f"{name}: expected a float dtype, got {found.name}")
    if length < 0:
        raise ArgumentError(f"{name}: expected a length of at least 0, got {length}")
    if length < 2:
        return xp.ones(length, found.numpy)
    count = length if symmetric else length + 1
    values = shape(np.arange(count, dtype=np.float64), count)[:length]
    return xp.asarray(values.astype(found.numpy))


def _cosines(
    xp: Any,
    length: int,
    weights: tuple[float, ...],
    symmetric: bool,
    dtype: Dtype | None,
    name: str,
) -> Array:
    def shape(n: Array, count: int) -> Array:
        angle = 2 * math.pi * n / (count - 1)
        return sum((-1) ** i * a * np.cos(i * angle) for i, a in enumerate(weights))

    return _made(xp, length, shape, symmetric, dtype, name)


def _triangle(n: Array, count: int) -> Array:
    return 1 - np.abs(2 * n / (count - 1) - 1)


def _kaiser(beta: float) -> Shape:
    def shape(n: Array, count: int) -> Array:
        place = 2 * n / (count - 1) - 1
        return np.i0(beta * np.sqrt(np.maximum(1 - place * place, 0))) / np.i0(beta)

    return shape
