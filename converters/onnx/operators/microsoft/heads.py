"""What the attention operators of ``com.microsoft`` share: heads, masks, scores, caches."""

from __future__ import annotations

import math
from dataclasses import dataclass

import tensorlite as tl
from tensorlite import Tensor
from tensorlite.nn import functional as F

from .....errors import OnnxError
from ..expected import expect
from .normalization import widened

MASKED = -10000.0
"""What is added to the scores where a mask has 0, unless the model says otherwise."""
NEVER = -3.4028234663852886e38
"""The lowest float32, which stands where attention may not go at all."""


def split(name: str, x: Tensor, heads: int) -> Tensor:
    """(B, S, N * H) as (B, N, S, H)."""
    if heads < 1 or x.ndim != 3 or x.shape[2] % heads:
        raise OnnxError(
            f"expected {name} of shape (batch, sequence, a multiple of {heads} heads), got "
            f"{tuple(x.shape)}"
        )
    return x.reshape(*x.shape[:2], heads, x.shape[2] // heads).transpose(1, 2)


def merged(x: Tensor) -> Tensor:
    """(B, N, S, H) as (B, S, N * H)."""
    return x.transpose(1, 2).reshape(x.shape[0], x.shape[2], x.shape[1] * x.shape[3])


def positive(**values: int) -> None:
    """Raises OnnxError for attributes that are not above 0."""
    for name, value in values.items():
        if value < 1:
            raise OnnxError(f"expected {name} above 0, got {value}")


def one_number(name: str, x: Tensor) -> int:
    """An int32 tensor of one element, as a number."""
    if expect(name, x, None, (tl.int32,)).numel() != 1:
        raise OnnxError(f"expected {name} of one element, got shape {tuple(x.shape)}")
    return int(x.reshape(-1)[0].item())


@dataclass(frozen=True)
class Extent:
    """How much attends to how much: ``length`` queries after ``past`` to ``places`` keys."""

    batch: int
    heads: int
    length: int
    past: int
    places: int


def key_mask(
    name: str, mask: Tensor | None, extent: Extent, filler: float | None, starts: bool = False
) -> Tensor | None:
    """A mask of int32 as what is added to the scores (B, N, S, T), or None.

    (B): how many keys each sequence has; (3 B + 2): that, and offsets that are implied; (2 B), if
    ``starts``: their ends, then their starts. (B, T), (B, S, T), (B, 1, M, M): above 0 where
    attention may go. (B, 1), which is no mask, means nothing.
    """
    if mask is None:
        return None
    expect(name, mask, None, (tl.int32,))
    batch, length, places = extent.batch, extent.length, extent.places
    if mask.ndim == 1:
        open_places = _by_length(name, mask, extent, starts)
    elif tuple(mask.shape) == (batch, places):
        open_places = (mask > 0)[:, None, None]
    elif tuple(mask.shape) == (batch, 1):
        return None
    elif tuple(mask.shape) == (batch, length, places):
        open_places = (mask > 0)[:, None]
    elif mask.ndim == 4 and mask.shape[:2] == (batch, 1) and min(mask.shape[2:]) >= places:
        open_places = mask[:, :, places - length : places, :places] > 0
    else:
        raise OnnxError(
            f"expected {name} of shape ({batch},), ({batch}, {places}) or "
            f"({batch}, {length}, {places}), got {tuple(mask.shape)}"
        )
    return tl.where(open_places, 0.0, MASKED if filler is None else filler)


def _by_length(name: str, mask: Tensor, extent: Extent, starts: bool) -> Tensor:
    batch, size = extent.batch, mask.shape[0]
    sizes = [batch, 2 * batch, 3 * batch + 2] if starts else [batch, 3 * batch + 2]
    if size not in sizes:
        known = ", ".join(f"({s},)" for s in sizes)
        raise OnnxError(f"expected {name} of shape {known}, got ({size},)")
    place = tl.arange(extent.places, device=mask.device)
    inside = place < mask[:batch].unsqueeze(1)
    if starts and size == 2 * batch:
        inside = inside & (place >= mask[batch:].unsqueeze(1))
    return inside[:, None, None]


def causal(bias: Tensor | None, extent: Extent, like: Tensor) -> Tensor:
    """The bias, with no way to the keys after each query."""
    row = tl.arange(extent.length, device=like.device).unsqueeze(1) + extent.past
    ahead = tl.arange(extent.places, device=like.device) > row
    return tl.where(ahead, NEVER, 0.0 if bias is None else bias)


def with_bias(bias: Tensor | None, more: Tensor | None, extent: Extent) -> Tensor | None:
    """The mask plus ``attention_bias`` (B or 1, N or 1, S, T)."""
    if more is None:
        return bias
    shape = (extent.batch, extent.heads, extent.length, extent.places)
    expect("attention_bias", more, ("batch or 1", "heads or 1", *shape[2:]))
    for name, have, want in zip(("batch", "heads"), more.shape, shape, strict=False):
        if have not in (1, want):
            raise OnnxError(
                f"expected attention_bias of 1 or {want} {name}, got shape {tuple(more.shape)}"
            )
    return widened(more) if bias is None else bias + widened(more)


def scores(query: Tensor, key: Tensor, scale: float, bias: Tensor | None) -> Tensor:
    """``query @ key.T * scale + bias``, half precision in float32."""
    raw = (widened(query) * scale) @ widened(key).transpose(-1, -2)
    return raw if bias is None else raw + bias


def attended(
    query: Tensor, key: Tensor, value: Tensor, scale: float, bias: Tensor | None
) -> Tensor:
    """``softmax(query @ key.T * scale + bias) @ value`` of heads, merged into (B, S, N * V)."""
    wide = (widened(x) for x in (query, key, value))
    return merged(F.scaled_dot_product_attention(*wide, bias, scale=scale)).to(query.dtype)


def scale_of(scale: float | None, size: int) -> float:
    """The scale that the model gives, or ``1 / sqrt(size)``."""
    return scale or 1 / math.sqrt(size or 1)


def appended(past: Tensor | None, new: Tensor) -> Tensor:
    """The keys or values so far (B, N, P, H), then the new ones."""
    if past is None:
        return new
    batch, heads, _, size = new.shape
    return tl.cat([expect("past", past, (batch, heads, "past", size), (new.dtype,)), new], 2)


def written(buffer: Tensor, new: Tensor, start: int) -> Tensor:
    """A copy of a buffer (B, N, M, H), with the new keys or values from place ``start`` on."""
    batch, heads, length, size = new.shape
    expect("past", buffer, (batch, heads, "max_sequence_length", size), (new.dtype,))
    if start < 0 or start + length > buffer.shape[2]:
        raise OnnxError(
            f"the buffer of keys and values has {buffer.shape[2]} places, but {length} are to be "
            f"written from {start} on"
        )
    made = buffer.clone()
    made[:, :, start : start + length] = new
    return made


def from_beams(cache: Tensor, indirection: Tensor, places: int) -> Tensor:
    """The first places of a cache (B, N, M, H), each from the beam that the table names.

    The table is (B / beams, beams, M): which beam a token of a beam came from.
    """
    batch = cache.shape[0]
    expect("cache_indirection", indirection, ("batch", "beams", "length"), (tl.int32,))
    groups, beams, length = indirection.shape
    if groups * beams != batch or length < places:
        raise OnnxError(
            f"expected cache_indirection of shape (batch, beams, at least {places}) with "
            f"batch * beams = {batch}, got {tuple(indirection.shape)}"
        )
    first = tl.arange(groups, device=cache.device).reshape(-1, 1, 1) * beams
    rows = (first + indirection[..., :places].long()).reshape(batch, places)
    return cache.transpose(1, 2)[rows, tl.arange(places, device=cache.device)].transpose(1, 2)
