"""The cache of keys and values of GroupQueryAttention: what is in it, and how it is written."""

from __future__ import annotations

from dataclasses import dataclass

import tensorlite as tl
from tensorlite import Tensor

from .....errors import OnnxError
from ..expected import expect, one_of

QUANTIZATIONS = ("NONE", "PER_TENSOR", "PER_CHANNEL")


@dataclass(frozen=True)
class Step:
    """Per sequence: tokens after this step, those that are new, rows of the past that are filled.

    The filled rows hold the last tokens before the new ones, in order.
    """

    total: list[int]
    new: list[int]
    resident: list[int]

    @property
    def before(self) -> list[int]:
        """The position of the first new token."""
        return [t - n for t, n in zip(self.total, self.new, strict=True)]

    @property
    def first(self) -> list[int]:
        """The position of the first token that is still there."""
        return [b - r for b, r in zip(self.before, self.resident, strict=True)]

    @property
    def rows(self) -> list[int]:
        """How many tokens can be attended to: the resident and the new ones."""
        return [r + n for r, n in zip(self.resident, self.new, strict=True)]


def kept(total: int, capacity: int, window: int) -> int:
    """How many of ``total`` tokens stay in a cache of a window: at least the window's.

    When it is full, ``capacity - window + 1`` tokens leave at once.

    >>> [kept(total, 5, 3) for total in range(9)]
    [0, 1, 2, 3, 4, 5, 3, 4, 5]
    """
    if total <= capacity:
        return total
    together = capacity - window + 1
    return total + together * ((capacity - total) // together)


def assembled(past: Tensor | None, new: Tensor, step: Step) -> Tensor:
    """Resident rows (B, K, C, H), then new ones (B, K, S, H), packed to the front; then zeros."""
    made = new.new_zeros(new.shape[0], new.shape[1], max(step.rows, default=0), new.shape[3])
    for b, (filled, count) in enumerate(zip(step.resident, step.new, strict=True)):
        if past is not None and filled:
            made[b, :, :filled] = past[b, :, :filled]
        if count:
            made[b, :, filled : filled + count] = new[b, :, :count]
    return made


def resized(rows: Tensor, capacity: int, step: Step, keep: list[int]) -> Tensor:
    """A cache of that capacity with the last ``keep`` of each sequence's rows; then zeros."""
    if keep == step.rows and rows.shape[2] == capacity:
        return rows
    made = rows.new_zeros(rows.shape[0], rows.shape[1], capacity, rows.shape[3])
    for b, (count, last) in enumerate(zip(step.rows, keep, strict=True)):
        if last:
            made[b, :, :last] = rows[b, :, count - last : count]
    return made


@dataclass(frozen=True)
class Codec:
    """How keys or values are kept: as they are, or as whole numbers times a scale."""

    bits: int  # 0: as they are
    scale: Tensor | None = None

    def packed(self, x: Tensor) -> Tensor:
        """``round(x / scale)``, saturated; of 4 bits two to a byte, the first in the lower half."""
        if self.scale is None:
            return x
        least = -(2 ** (self.bits - 1))
        whole = tl.clamp(tl.round(x.float() / self.scale), least, -least - 1)
        if self.bits == 8:
            return whole.to(tl.int8)
        shifted = (whole - least).to(tl.uint8)
        return shifted[..., 0::2] + shifted[..., 1::2] * 16

    def unpacked(self, x: Tensor) -> Tensor:
        """The numbers that :meth:`packed` kept."""
        if self.scale is None:
            return x
        if self.bits == 8:
            return x.float() * self.scale
        halves = tl.stack([x % 16, x // 16], -1)
        return (halves.reshape(*x.shape[:-1], 2 * x.shape[-1]).float() - 8) * self.scale


def codec(name: str, kind: str, bits: int | None, scale: Tensor | None, new: Tensor) -> Codec:
    """The codec that the attributes and the scale of keys or values ask for."""
    if one_of(f"{name}_quant_type", kind, QUANTIZATIONS) == "NONE":
        return Codec(0)
    if bits not in (4, 8):
        raise OnnxError(f"expected kv_cache_bit_width 4 or 8 for a quantised cache, got {bits}")
    factor = expect(f"{name}_scale", scale, None, (tl.float32,))
    shape = (1,) if kind == "PER_TENSOR" else (1, new.shape[1], 1, new.shape[3])
    if factor.numel() != tl.Size(shape).numel():
        raise OnnxError(f"expected {name}_scale of shape {shape}, got {tuple(factor.shape)}")
    return Codec(bits, factor.reshape(*shape))
