"""Padding: ``nn.functional.pad`` in all its modes, for tensors of any rank."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..errors import ArgumentError, ShapeError
from .registry import Array, F, Number, op

MODES = ("constant", "reflect", "replicate", "circular")


@op(spaces=(F,))
def pad(
    xp: Any,
    input: Array,
    pad: Sequence[int],
    mode: str = "constant",
    value: Number | None = None,
) -> Array:
    """The tensor extended at both ends of its last dimensions; negative numbers crop.

    ``pad`` holds (begin, end) of the last dimension, then of the one before it, and so on.
    "constant" fills with ``value``, "reflect" mirrors without repeating the edge, "replicate"
    repeats the edge, "circular" goes round. Any dtype and any rank (PyTorch's other modes leave
    the first one or two dimensions alone). Raises ShapeError where a mode cannot pad so far.
    Source: PyTorch ``torch.nn.functional.pad``.

    >>> import tensorlite as tl, tensorlite.nn.functional as F
    >>> F.pad(tl.tensor([[1, 2, 3]]), (2, 1), mode="reflect")
    tensor([[3, 2, 1, 2, 3, 2]])
    """
    if len(pad) % 2 or len(pad) > 2 * input.ndim:
        raise ArgumentError(
            f"pad: expected two numbers for each of at most {input.ndim} dimensions, got {pad}"
        )
    if mode not in MODES:
        raise ArgumentError(f"pad: mode is one of {', '.join(MODES)}, not {mode!r}")
    amounts = [(int(b), int(e)) for b, e in zip(pad[::2], pad[1::2], strict=True)][::-1]
    first = input.ndim - len(amounts)
    _check(input, first, amounts, mode)
    if mode == "constant":
        return constant(xp, input, amounts, 0 if value is None else value)
    if value not in (None, 0):
        raise ArgumentError(f"pad: mode {mode!r} takes no value, got {value}")
    return extended(xp, input, amounts, mode)


@op()
def constant_pad_nd(xp: Any, input: Array, pad: Sequence[int], value: Number = 0) -> Array:
    """``nn.functional.pad`` in mode "constant". Source: PyTorch ``torch.constant_pad_nd``.

    >>> import tensorlite as tl
    >>> tl.constant_pad_nd(tl.tensor([1, 2]), (1, 0), 9)
    tensor([9, 1, 2])
    """
    amounts = [(int(b), int(e)) for b, e in zip(pad[::2], pad[1::2], strict=True)][::-1]
    _check(input, input.ndim - len(amounts), amounts, "constant")
    return constant(xp, input, amounts, value)


def _check(x: Array, first: int, amounts: Sequence[tuple[int, int]], mode: str) -> None:
    for axis, (begin, end) in enumerate(amounts, first):
        size = x.shape[axis]
        most = max(size - 1 if mode == "reflect" else size, 0)
        if mode in ("reflect", "circular") and max(begin, end) > most:
            raise ShapeError(
                f"pad: mode {mode!r} can extend dimension {axis} of shape {tuple(x.shape)} by at "
                f"most {most}, got {(begin, end)}"
            )
        empty = size == 0 and mode != "constant" and max(begin, end) > 0
        if empty or size + begin + end < 0:
            raise ShapeError(
                f"pad: {(begin, end)} is not possible in mode {mode!r} for dimension {axis} of "
                f"shape {tuple(x.shape)}"
            )


def constant(xp: Any, x: Array, amounts: Sequence[tuple[int, int]], value: Number) -> Array:
    """The last dimensions extended by a constant, or cropped; always a new array."""
    first = x.ndim - len(amounts)
    into, source, shape = [], [], list(x.shape[:first])
    for size, (begin, end) in zip(x.shape[first:], amounts, strict=True):
        shape.append(size + begin + end)
        source.append(slice(max(-begin, 0), max(size + min(end, 0), 0)))
        into.append(slice(max(begin, 0), size + begin + min(end, 0)))
    out = xp.full_like(x, value, shape=shape)
    if 0 not in shape:
        out[(..., *into)] = x[(..., *source)]
    return out


def extended(xp: Any, x: Array, amounts: Sequence[tuple[int, int]], mode: str) -> Array:
    """The last dimensions extended by their own elements, or cropped; always a new array."""
    out = constant(xp, x, [(max(b, 0), max(e, 0)) for b, e in amounts], 0)
    for axis, (begin, end) in enumerate(amounts, x.ndim - len(amounts)):
        places = border_indices(mode, x.shape[axis], begin, end) + max(begin, 0)
        lead = (slice(None),) * axis
        if begin < 0 or end < 0:
            out = xp.take(out, xp.asarray(places), axis=axis)
            continue
        for border in (slice(0, begin), slice(len(places) - end, len(places))):
            if places[border].size:
                out[(*lead, border)] = xp.take(out, xp.asarray(places[border]), axis=axis)
    return out


def border_indices(mode: str, size: int, begin: int, end: int) -> Any:
    """Which element stands at each place of a dimension padded by "reflect" and the like.

    >>> border_indices("circular", 3, 1, 2)
    array([2, 0, 1, 2, 0, 1])
    """
    places = np.arange(-begin, size + end)
    if mode == "replicate":
        return places.clip(0, max(size - 1, 0))
    if mode == "circular":  # goes round what cropping leaves
        cropped = size + min(begin, 0) + min(end, 0)
        places = np.arange(-max(begin, 0), cropped + max(end, 0)) % max(cropped, 1)
        return places + max(-begin, 0)
    places = abs(places)
    return np.where(places >= size, 2 * (size - 1) - places, places)
