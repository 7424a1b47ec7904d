"""Text of ``com.microsoft``: Tokenizer, MurmurHash3, NGramRepeatBlock."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

import tensorlite as tl
from tensorlite import Tensor

from .....errors import OnnxError
from ... import re2
from ...registry import onnx_op
from ...values import describe, strings, text, to_value
from ..expected import expect
from ..text import texts
from .activation import MICROSOFT

Array = np.ndarray[Any, Any]
START, END = "\x02", "\x03"
_PLAIN = re.compile(r"[^\\^$.|?*+()\[\]{}]+")


class _Matcher:
    """Where a pattern of RE2 matches: first from the left, and then as long as can be."""

    def __init__(self, pattern: str) -> None:
        self.plain = pattern if _PLAIN.fullmatch(pattern) else None
        self.pattern = re2.compile(pattern)

    def spans(self, line: str) -> Iterator[tuple[int, int]]:
        """The matches that are not empty, from left to right."""
        place = 0
        while place < len(line):
            found = self._next(line, place)
            if found is None:
                return
            start, end = found
            if end > start:
                yield found
            place = end if end > start else start + 1

    def _next(self, line: str, place: int) -> tuple[int, int] | None:
        if self.plain is not None:
            start = line.find(self.plain, place)
            return None if start < 0 else (start, start + len(self.plain))
        match = self.pattern.search(line, place)
        if match is None:
            return None
        start = match.start()
        for end in range(len(line), match.end(), -1):
            if self.pattern.fullmatch(line, start, end):
                return start, end
        return start, match.end()


@onnx_op("Tokenizer", domain=MICROSOFT)
class Tokenizer:
    """Strings [C] or [N, C] as tokens [C, D] or [N, C, D], padded to the most of them.

    Tokens stand between matches of the separators, or are the matches of ``tokenexp``. With
    ``mark`` a start and an end are put around them, unless no string has any token.
    """

    def __init__(
        self,
        *,
        mark: int,
        mincharnum: int,
        pad_value: str,
        separators: Sequence[str] | None = None,
        tokenexp: str | None = None,
    ) -> None:
        if (separators is None) == (tokenexp is None):
            raise OnnxError("expected one of the attributes separators and tokenexp")
        if mincharnum < 1:
            raise OnnxError(f"expected mincharnum above 0, got {mincharnum}")
        patterns = [text(p) for p in separators or ()]
        expression = "" if tokenexp is None else text(tokenexp)
        self.characters = patterns == [""] or expression == "."
        if self.characters and mincharnum > 1:
            raise OnnxError(f"expected mincharnum 1 for single characters, got {mincharnum}")
        if not self.characters and not all(patterns or [expression]):
            raise OnnxError("expected expressions that are not empty")
        if separators is not None and not patterns:
            raise OnnxError("expected one separator or more, got none")
        self.least, self.mark, self.pad = mincharnum, bool(mark), text(pad_value)
        plain = self.characters
        self.separators = [] if plain else [_Matcher(pattern) for pattern in patterns]
        self.expression = None if plain or tokenexp is None else _Matcher(expression)

    def __call__(self, x: Tensor) -> Tensor:
        if x.ndim not in (1, 2):
            raise OnnxError(f"expected strings [C] or [N, C], got {describe(x)}")
        lines = texts(x, "X")
        if not lines:
            return strings(np.empty(tuple(x.shape), object))
        rows = [[t for t in self._tokens(line) if len(t) >= self.least] for line in lines]
        if any(rows) and self.mark:
            rows = [[START, *row, END] for row in rows]
        most = max(map(len, rows))
        array = np.full((len(rows), most), self.pad, object)
        for place, row in zip(array, rows, strict=True):
            place[: len(row)] = row
        return strings(array.reshape(*x.shape, most))

    def _tokens(self, line: str) -> list[str]:
        if self.characters:
            return list(line)
        if self.expression is not None:
            return [line[start:end] for start, end in self.expression.spans(line)]
        parts = [line]
        for separator in self.separators:
            parts = [piece for part in parts for piece in _between(separator, part)]
        return parts


def _between(separator: _Matcher, line: str) -> list[str]:
    pieces, place = [], 0
    for start, end in separator.spans(line):
        pieces.append(line[place:start])
        place = end
    return [piece for piece in (*pieces, line[place:]) if piece]


@onnx_op("MurmurHash3", domain=MICROSOFT)
def murmur_hash_3(x: Tensor, *, positive: int = 1, seed: int = 0, device: Any) -> Tensor:
    """The 32 bits of MurmurHash3_x86_32 of each element's bytes, as uint32 or int32.

    Source: Austin Appleby's SMHasher, https://github.com/aappleby/smhasher.
    """
    if not 0 <= seed < 2**32:
        raise OnnxError(f"expected seed to be an unsigned 32-bit integer, got {seed}")
    if x.dtype is tl.dtypes.string:
        items = [item.encode("utf-8", "surrogateescape") for item in texts(x)]
    else:
        known = (tl.int32, tl.uint32, tl.int64, tl.uint64, tl.float32, tl.float64)
        host = np.ascontiguousarray(expect("X", x, None, known)._host())
        items = [bytes(row) for row in host.reshape(-1, 1).view(np.uint8)]
    hashes = _murmur(items, seed).view(np.uint32 if positive else np.int32)
    return to_value(hashes.reshape(tuple(x.shape)), device)


def _murmur(items: list[bytes], seed: int) -> Array:
    """The hashes of all items at once, as uint32."""
    lengths = np.array([len(item) for item in items], np.uint32)
    width = -(-int(lengths.max(initial=0)) // 4) * 4
    padded = b"".join(item.ljust(width, b"\0") for item in items)
    words = np.frombuffer(padded, "<u4").reshape(len(items), width // 4)
    hashes = np.full(len(items), seed, np.uint32)
    for i in range(width // 4):
        mixed = _rotated(words[:, i] * np.uint32(0xCC9E2D51), 15) * np.uint32(0x1B873593)
        turned = _rotated(hashes ^ mixed, 13) * np.uint32(5) + np.uint32(0xE6546B64)
        whole, some = lengths >= 4 * i + 4, lengths > 4 * i
        hashes = np.where(whole, turned, np.where(some, hashes ^ mixed, hashes))
    hashes = hashes ^ lengths
    for shift, factor in ((16, 0x85EBCA6B), (13, 0xC2B2AE35)):
        hashes = (hashes ^ (hashes >> np.uint32(shift))) * np.uint32(factor)
    return hashes ^ (hashes >> np.uint32(16))


def _rotated(x: Array, bits: int) -> Array:
    return (x << np.uint32(bits)) | (x >> np.uint32(32 - bits))


@onnx_op("NGramRepeatBlock", domain=MICROSOFT)
def n_gram_repeat_block(input_ids: Tensor, scores: Tensor, *, ngram_size: int) -> Tensor:
    """The scores (B, words), -inf for words that would repeat an n-gram of the ids (B, S)."""
    if ngram_size < 1:
        raise OnnxError(f"expected ngram_size above 0, got {ngram_size}")
    expect("input_ids", input_ids, ("batch", "sequence"), (tl.int64,))
    batch, length = input_ids.shape
    expect("scores", scores, (batch, "words"), (tl.float32,))
    if length < ngram_size:
        return scores
    grams = input_ids.unfold(1, ngram_size, 1)
    last = input_ids[:, length - ngram_size + 1 :].unsqueeze(1)
    repeats = tl.all(grams[..., :-1] == last, -1)
    row, place = tl.nonzero(repeats).unbind(1)
    words = grams[row, place, -1]
    if words.numel() and not (words.min().item() >= 0 and words.max().item() < scores.shape[1]):
        raise OnnxError(
            f"expected input_ids from 0 to {scores.shape[1] - 1}, got one of "
            f"{words.min().item()} to {words.max().item()}"
        )
    blocked = scores.clone()
    blocked[row, words] = float("-inf")
    return blocked
