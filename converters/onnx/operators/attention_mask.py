"""Which keys the queries of an ONNX Attention see, and what is added to their scores."""

from __future__ import annotations

import math
from dataclasses import dataclass

import tensorlite as tl
from tensorlite import Tensor
from tensorlite.nn import functional as F

from ....errors import OnnxError
from ..values import describe

UNBOUNDED = -1


@dataclass(frozen=True)
class Window:
    """Query i of sample b sees keys from ``offsets[b] + i - left`` to ``offsets[b] + i + right``.

    ``filled`` are how many keys of each sample are no padding. Both tuples hold one number where
    the samples do not differ; a bound of -1 is none.
    """

    left: int
    right: int
    offsets: tuple[int, ...]
    filled: tuple[int, ...]

    def span(self, length: int, places: int) -> tuple[int, int]:
        """The first of the keys that any of so many queries may see, and the one after the last."""
        start, stop = 0, min(places, max(self.filled, default=0))
        if self.left != UNBOUNDED:
            start = max(start, min(self.offsets, default=0) - self.left)
        if self.right != UNBOUNDED:
            stop = min(stop, max(self.offsets, default=0) + length + self.right)
        return min(start, max(stop, 0)), max(stop, 0)

    def seen(self, length: int, start: int, stop: int, device: tl.device) -> Tensor | None:
        """Bools that broadcast to (B, H, length, stop - start), or None where all are seen."""
        keys = tl.arange(start, stop, device=device)
        place = tl.arange(length, device=device)[:, None] + _by_sample(self.offsets, device)
        seen = []
        if min(self.filled, default=stop) < stop:
            seen.append(keys < _by_sample(self.filled, device))
        if self.right != UNBOUNDED and min(self.offsets, default=stop) + self.right < stop - 1:
            seen.append(keys <= place + self.right)
        if self.left != UNBOUNDED and max(self.offsets, default=0) + length - 1 - self.left > start:
            seen.append(keys >= place - self.left)
        together = None
        for bools in seen:
            together = bools if together is None else together & bools
        return together


def _by_sample(numbers: tuple[int, ...], device: tl.device) -> Tensor:
    return tl.tensor(numbers, dtype=tl.int64, device=device).reshape(len(numbers), 1, 1, 1)


def checked_mask(mask: Tensor, sizes: tuple[int, int, int, int], shortest: int | None) -> Tensor:
    """The mask as (B or 1, H or 1, L or 1, keys).

    With ``shortest`` it may have fewer keys, down to that. Raises OnnxError.
    """
    shape = (1,) * (4 - mask.ndim) + tuple(mask.shape)
    places = sizes[-1]
    if shortest is None or mask.ndim == 0:
        last = shape[-1] in (1, places)
        keys = places
    else:
        last = shortest <= shape[-1] <= places
        keys = shape[-1]
    if mask.ndim > 4 or not last or not _broadcast(shape[:3], sizes[:3]):
        rule = "" if shortest is None else f" (the last dimension from {shortest} on)"
        raise OnnxError(
            "expected attn_mask to broadcast to (batch_size, q_num_heads, q_sequence_length, "
            f"total_sequence_length) = {sizes}{rule}, got {describe(mask)}"
        )
    return mask.reshape(shape).expand(*shape[:3], keys)


def _broadcast(shape: tuple[int, ...], sizes: tuple[int, ...]) -> bool:
    return all(have in (1, want) for have, want in zip(shape, sizes, strict=True))


def between(mask: Tensor, start: int, stop: int) -> Tensor:
    """The mask for the keys from start to stop, closed where it ends before."""
    missing = stop - max(mask.shape[3], start)
    mask = mask[..., start:stop]
    if missing <= 0:
        return mask
    return F.pad(mask, (0, missing), value=False if mask.dtype is tl.bool else -math.inf)


def combined(mask: Tensor | None, seen: Tensor | None) -> Tensor | None:
    """One mask: bools that are True where attention may go, or numbers that are added."""
    if mask is None or seen is None:
        return seen if mask is None else mask
    return mask & seen if mask.dtype is tl.bool else tl.where(seen, mask, -math.inf)


def by_rows(mask: Tensor, group: int, length: int) -> Tensor:
    """(B, H * group, L, S) as (B, H, group * L, S); B, H * group and L may be 1."""
    batch, heads, rows, keys = mask.shape
    if group == 1 or heads == rows == 1:
        return mask
    kv_heads, each = (1, 1) if heads == 1 else (heads // group, group)
    mask = mask.reshape(batch, kv_heads, each, rows, keys)
    full = mask.expand(batch, kv_heads, group, length, keys)
    return full.reshape(batch, kv_heads, group * length, keys)


def closed_rows(mask: Tensor) -> Tensor:
    """True where no key may be attended to, (..., 1)."""
    if mask.dtype is tl.bool:
        return ~mask.any(-1, keepdim=True)
    return mask.amax(-1, keepdim=True) == -math.inf
