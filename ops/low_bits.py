"""Weights of 2, 3, 4 or 8 bits: groups of numbers along a row, each with a scale and zero point."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..dtypes import uint8
from ..errors import ArgumentError, DTypeError, ShapeError
from .dims import dtype_of
from .registry import TOP, Array, op

BITS = (2, 3, 4, 8)
_AT_ONCE = 1 << 19  # weights that are floats at one time: what caches hold


@op(spaces=TOP)
def quantize(
    xp: Any, input: Array, bits: int = 4, group_size: int = 32, symmetric: bool = False
) -> tuple[Array, Array, Array]:
    """``(codes, scales, zeros)`` with ``(code - zero) * scale`` nearest to a matrix (N, K).

    Each ``group_size`` numbers of a row (a multiple of 8; the last group may be shorter) have a
    scale and a whole zero point, (N, groups) each. Codes of ``bits`` (2, 3, 4 or 8) lie in bytes,
    lowest bits first: uint8 (N, groups * group_size * bits / 8). With ``symmetric`` the zero points
    are in the middle, ``2**(bits - 1)``, and the number of largest magnitude is code 0. Raises
    ArgumentError, ShapeError and DTypeError. Source: MLX ``mlx.core.quantize``; the layout is that
    of ONNX Runtime's MatMulNBits.

    >>> import tensorlite as tl
    >>> codes, scales, zeros = tl.quantize(tl.tensor([[-1.0, 0.0, 1.0, 2.0] * 2]), 2, 8)
    >>> codes.tolist(), scales.tolist(), zeros.tolist()
    ([[228, 228]], [[1.0]], [[1]])
    """
    _checked("quantize", bits, group_size)
    if input.ndim != 2 or not dtype_of(input).is_floating_point:
        raise ShapeError(
            f"quantize: expected a matrix (N, K) of floats, got {tuple(input.shape)} of "
            f"{dtype_of(input).name}"
        )
    n, k = input.shape
    count, most, middle = -(-k // group_size), 2**bits - 1, 2 ** (bits - 1)
    x = xp.zeros((n, count * group_size), dtype=np.float32)
    x[:, :k] = input
    x = x.reshape(n, count, group_size)
    if symmetric:
        at = xp.argmax(xp.abs(x), axis=-1)[..., None] if x.size else xp.zeros((n, count, 0), int)
        largest = xp.take_along_axis(x, at, -1)
        scales = largest.reshape(n, count) / -middle
    else:
        low = xp.minimum(x.min(axis=-1), 0) if x.size else xp.zeros((n, count), np.float32)
        high = xp.maximum(x.max(axis=-1), 0) if x.size else low
        scales = (high - low) / most
    scales = xp.where(scales == 0, np.float32(1), scales).astype(input.dtype)
    wide = scales.astype(np.float32)
    if symmetric:
        zeros = xp.full((n, count), middle, dtype=np.uint8)
    else:
        zeros = xp.clip(xp.round(-low / wide), 0, most).astype(np.uint8)
    whole = xp.round(x / wide[..., None]) + zeros[..., None]
    codes = xp.clip(whole, 0, most).astype(np.uint8).reshape(n, -1)
    return packed(xp, codes, bits), scales, zeros


@op(spaces=TOP)
def dequantize(
    xp: Any,
    codes: Array,
    scales: Array,
    zeros: Array | None = None,
    bits: int = 4,
    group_size: int = 32,
    size: int | None = None,
) -> Array:
    """``(code - zero) * scale``: the matrix (N, K) of :func:`quantize`, in the scales' dtype.

    Without ``zeros`` the zero points are ``2**(bits - 1)``. ``size`` is K where the last group is
    shorter. Raises ArgumentError, ShapeError and DTypeError. Source: MLX ``mlx.core.dequantize``.

    >>> import tensorlite as tl
    >>> w = tl.tensor([[-1.0, 0.0, 1.0, 2.0] * 2])
    >>> tl.dequantize(*tl.quantize(w, 2, 8), 2, 8).tolist()
    [[-1.0, 0.0, 1.0, 2.0, -1.0, 0.0, 1.0, 2.0]]
    """
    whole = scales.shape[-1] * group_size if scales.ndim == 2 else 0
    k = whole if size is None else size
    _check_weights("dequantize", codes, scales, zeros, bits, group_size, k)
    return floats(xp, codes, scales, zeros, bits, group_size, k).astype(scales.dtype)


@op(spaces=TOP)
def quantized_linear(
    xp: Any,
    input: Array,
    codes: Array,
    scales: Array,
    zeros: Array | None = None,
    bias: Array | None = None,
    bits: int = 4,
    group_size: int = 32,
) -> Array:
    """``input @ dequantize(codes, scales, zeros).T + bias``: (..., K) gives (..., N).

    The weights are those of :func:`quantize`: codes (N, bytes), scales and zeros (N, groups of K).
    Computed in float32 (of a float64 input in float64); the result has the input's dtype. Raises
    ArgumentError, ShapeError and DTypeError. Source: MLX
    ``mlx.core.quantized_matmul``, ONNX Runtime MatMulNBits.

    >>> import tensorlite as tl
    >>> codes, scales, zeros = tl.quantize(tl.tensor([[-1.0, 0.0, 1.0, 2.0] * 2]), 2, 8)
    >>> tl.quantized_linear(tl.ones(1, 8), codes, scales, zeros, bits=2, group_size=8)
    tensor([[4.]])
    """
    if input.ndim == 0 or not dtype_of(input).is_floating_point:
        raise DTypeError(
            f"quantized_linear: expected floats (..., K), got {tuple(input.shape)} of "
            f"{dtype_of(input).name}"
        )
    n, k = len(codes) if codes.ndim else 0, input.shape[-1]
    _check_weights("quantized_linear", codes, scales, zeros, bits, group_size, k)
    if bias is not None and tuple(bias.shape) != (n,):
        raise ShapeError(f"quantized_linear: expected a bias ({n},), got {tuple(bias.shape)}")
    kind = np.float64 if input.dtype == np.float64 else np.float32
    x = input.reshape(-1, k).astype(kind)
    result = xp.zeros((len(x), n), dtype=kind)
    step = max(_AT_ONCE // max(k, 1), 1)
    for at in range(0, n, step):
        rows = slice(at, at + step)
        zero = None if zeros is None else zeros[rows]
        w = floats(xp, codes[rows], scales[rows], zero, bits, group_size, k, kind)
        result[:, rows] = x @ w.T
    if bias is not None:
        result += bias.astype(kind)
    return result.reshape(*input.shape[:-1], n).astype(input.dtype)


def _checked(name: str, bits: int, group: int) -> None:
    if bits not in BITS or group < 8 or group % 8:
        raise ArgumentError(
            f"{name}: expected 2, 3, 4 or 8 bits and groups of a multiple of 8, got {bits} bits "
            f"and groups of {group}"
        )


def _check_weights(
    name: str, codes: Array, scales: Array, zeros: Array | None, bits: int, group: int, k: int
) -> None:
    _checked(name, bits, group)
    if dtype_of(codes) is not uint8 or not dtype_of(scales).is_floating_point:
        raise DTypeError(
            f"{name}: expected uint8 codes and scales of floats, got {dtype_of(codes).name} and "
            f"{dtype_of(scales).name}"
        )
    count = -(-k // group)
    n = codes.shape[0] if codes.ndim else 0
    given = [tuple(a.shape) for a in (codes, scales, *(() if zeros is None else (zeros,)))]
    wanted = [(n, count * group * bits // 8), *[(n, count)] * (len(given) - 1)]
    if given != wanted:
        raise ShapeError(
            f"{name}: for {k} numbers of {bits} bits in groups of {group} expected codes, scales "
            f"and zeros of {wanted}, got {given}"
        )


def packed(xp: Any, codes: Array, bits: int) -> Array:
    """Codes (N, K), a byte each, as bytes full of them, lowest bits first; 8 divides K."""
    if bits == 8:
        return codes
    length = 3 if bits == 3 else 1
    count = 8 * length // bits
    apart = codes.reshape(len(codes), codes.shape[1] // count, count).astype(np.uint32)
    words = (apart << (bits * xp.arange(count, dtype=np.uint32))).sum(axis=-1, dtype=np.uint32)
    parts = words[..., None] >> (8 * xp.arange(length, dtype=np.uint32))
    return (parts & 255).astype(np.uint8).reshape(len(codes), -1)


def unpacked(xp: Any, codes: Array, bits: int) -> Array:
    """Bytes (N, B) as codes (N, 8 * B / bits), a byte each: the inverse of :func:`packed`."""
    if bits == 8:
        return codes
    length = 3 if bits == 3 else 1
    count = 8 * length // bits
    if length == 1:
        parts = codes[..., None] >> (bits * xp.arange(count, dtype=np.uint8))
    else:
        three = codes.reshape(len(codes), codes.shape[1] // 3, 3).astype(np.uint32)
        words = three[..., 0] | three[..., 1] << 8 | three[..., 2] << 16
        parts = words[..., None] >> (3 * xp.arange(8, dtype=np.uint32))
    return (parts & (2**bits - 1)).astype(np.uint8).reshape(len(codes), -1)


def floats(
    xp: Any, codes: Array, scales: Array, zeros: Array | None, bits: int, group: int, k: int,
    kind: Any = np.float32,
) -> Array:  # fmt: skip
    """Weights as float32, or another kind of float (N, k)."""
    n, count = scales.shape
    whole = unpacked(xp, codes, bits).reshape(n, count, group).astype(kind)
    if zeros is None:
        whole -= 2 ** (bits - 1)
    else:
        whole -= zeros.astype(kind)[..., None]
    whole *= scales.astype(kind)[..., None]
    return whole.reshape(n, count * group)[:, :k]
