"""TfIdfVectorizer: how often each n-gram of a vocabulary occurs in a sequence."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

import tensorlite as tl
from tensorlite import Tensor

from ....errors import OnnxError
from ..registry import onnx_op
from ..values import describe, text
from .expected import expect, one_of
from .text import texts

_MODES = ("TF", "IDF", "TFIDF")
_INTS = (tl.int32, tl.int64)
_TOKENS = 1 << 22  # looked at together


@onnx_op("TfIdfVectorizer", since=9)
class TfIdfVectorizer:
    """Counts of n-grams in ``[C]`` or each row of ``[N, C]``: ``[M]`` or ``[N, M]``, float32.

    M is the largest of ``ngram_indexes``, plus one. Between the tokens of an n-gram lie 0 to
    ``max_skip_count`` others, always equally many. "TF" gives the counts, "IDF" the n-gram's
    weight if it occurs, "TFIDF" its weight times the count.
    """

    def __init__(
        self,
        *,
        max_gram_length: int,
        max_skip_count: int,
        min_gram_length: int,
        mode: str,
        ngram_counts: Sequence[int],
        ngram_indexes: Sequence[int],
        pool_int64s: Sequence[int] | None = None,
        pool_strings: Sequence[str] | None = None,
        weights: Sequence[float] | None = None,
    ) -> None:
        if bool(pool_int64s) == bool(pool_strings):
            which = "both" if pool_strings else "neither"
            raise OnnxError(f"expected either pool_int64s or pool_strings, got {which}")
        if not 1 <= min_gram_length <= max_gram_length:
            raise OnnxError(f"expected 1 <= min_gram_length <= max_gram_length, got "
                            f"{min_gram_length} and {max_gram_length}")  # fmt: skip
        if max_skip_count < 0:
            raise OnnxError(f"max_skip_count is {max_skip_count}, expected 0 or more")
        self.mode = one_of("mode", mode, _MODES)
        self.skips = max_skip_count
        self.words: dict[str, int] | None = None
        if pool_strings:
            words = [text(word) for word in pool_strings]
            self.words = {word: i for i, word in enumerate(dict.fromkeys(words))}
            pool = np.array([self.words[word] for word in words], np.int64)
            self.tokens = np.arange(len(self.words))
        else:
            self.tokens, pool = np.unique(np.asarray(pool_int64s, np.int64), return_inverse=True)
        grams = _split_pool(pool.reshape(-1), ngram_counts)
        self.columns = _columns(ngram_indexes, sum(map(len, grams)))
        self.width = int(self.columns.max(initial=-1)) + 1
        self.weights = _weights(weights, len(self.columns))
        self.lookups = _lookups(grams, len(self.tokens), min_gram_length, max_gram_length)

    def __call__(self, x: Tensor, *, device: Any) -> Tensor:
        if x.ndim not in (1, 2):
            raise OnnxError(f"expected an input [C] or [N, C], got {describe(x)}")
        rows = self._tokens(x).reshape(x.shape[:-1].numel(), x.shape[-1])
        found = np.zeros((len(rows), self.width), np.float32)
        step = max(_TOKENS // max(x.shape[-1], 1), 1)
        for start in range(0, len(rows), step):
            self._count(rows[start : start + step], found[start : start + step])
        return tl.tensor(found.reshape(*x.shape[:-1], self.width), device=device)

    def _tokens(self, x: Tensor) -> Any:
        """Each element's place among the tokens of the pool, -1 where it is none of them."""
        if self.words is not None:
            place = self.words.get
            return np.array([place(word, -1) for word in texts(x)], np.int64)
        return _places(self.tokens, expect("the input", x, dtypes=_INTS)._host().reshape(-1))

    def _count(self, rows: Any, into: Any) -> None:
        """The counts of the n-grams of some rows, weighted, into an array of zeros."""
        for lookup in self.lookups:
            hits = [self._hits(rows, lookup, s) for s in range(1, lookup.skips(self.skips) + 2)]
            row, gram = (np.concatenate(parts) for parts in zip(*hits, strict=True))
            if self.mode == "TF":
                np.add.at(into, (row, self.columns[gram]), 1)
                continue
            found, count = np.unique(row * len(self.columns) + gram, return_counts=True)
            row, gram = np.divmod(found, len(self.columns))
            value = self.weights[gram] * (count if self.mode == "TFIDF" else 1)
            np.add.at(into, (row, self.columns[gram]), value.astype(np.float32))

    def _hits(self, rows: Any, lookup: _Lookup, stride: int) -> tuple[Any, Any]:
        """Each occurrence of an n-gram whose tokens are that far apart: its row, which it is."""
        positions = rows.shape[1] - stride * (lookup.length - 1)
        if positions <= 0:
            return np.zeros(0, np.int64), np.zeros(0, np.int64)
        state = rows[:, :positions]
        for i, level in enumerate(lookup.levels, 1):
            token = rows[:, i * stride : i * stride + positions]
            known = (state >= 0) & (token >= 0)
            state = np.where(known, _places(level, state * len(self.tokens) + token), -1)
        row, position = np.nonzero(state >= 0)
        return lookup.occurrences(row, state[row, position])


class _Lookup:
    """The n-grams of one length, found token by token.

    A prefix of i tokens has a number; ``levels`` holds, for i = 2, 3..., the sorted keys
    (number of the prefix before, times the count of tokens, plus the next token), whose places are
    the numbers of the prefixes of i tokens.
    """

    def __init__(self, grams: Any, first: int, tokens: int) -> None:
        self.length = grams.shape[1]
        self.levels: list[Any] = []
        state = grams[:, 0]
        for i in range(1, self.length):
            keys, state = np.unique(state * tokens + grams[:, i], return_inverse=True)
            state = state.reshape(-1)
            self.levels.append(keys)
        self.order = np.argsort(state, kind="stable")
        self.states = state[self.order]
        self.order += first

    def skips(self, most: int) -> int:
        """Between the tokens of a 1-gram nothing can be skipped."""
        return most if self.length > 1 else 0

    def occurrences(self, row: Any, found: Any) -> tuple[Any, Any]:
        """Which n-grams of the pool end in the states found in these rows, with their rows."""
        begin = np.searchsorted(self.states, found, "left")
        count = np.searchsorted(self.states, found, "right") - begin
        if (count == 1).all():
            return row, self.order[begin]
        inside = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
        return np.repeat(row, count), self.order[np.repeat(begin, count) + inside]


def _lookups(grams: list[Any], tokens: int, shortest: int, longest: int) -> list[_Lookup]:
    if longest > len(grams):
        raise OnnxError(f"max_gram_length is {longest}, but ngram_counts has {len(grams)} starts")
    first = np.cumsum([0, *map(len, grams)])
    lengths = range(shortest, longest + 1)
    return [_Lookup(grams[n - 1], int(first[n - 1]), tokens) for n in lengths if len(grams[n - 1])]


def _split_pool(pool: Any, starts: Sequence[int]) -> list[Any]:
    """The n-grams of 1, 2, 3... tokens, as matrices."""
    ends = [*starts[1:], len(pool)]
    grams = []
    for length, (start, end) in enumerate(zip(starts, ends, strict=True), 1):
        if not 0 <= start <= end <= len(pool) or (end - start) % length:
            raise OnnxError(
                f"ngram_counts {list(starts)} do not divide a pool of {len(pool)}: {length}-grams "
                f"would be from {start} to {end}"
            )
        grams.append(pool[start:end].reshape(-1, length))
    return grams


def _columns(indexes: Sequence[int], count: int) -> Any:
    columns = np.asarray(indexes, np.int64)
    if len(columns) != count or columns.min(initial=0) < 0:
        raise OnnxError(
            f"expected in ngram_indexes a number from 0 on for each of {count} n-grams, got "
            f"{len(columns)} from {columns.min(initial=0)} on"
        )
    return columns


def _weights(weights: Sequence[float] | None, count: int) -> Any:
    if weights and len(weights) != count:
        raise OnnxError(f"expected {count} weights, one for each n-gram, got {len(weights)}")
    return np.asarray(weights, np.float64) if weights else np.ones(count)


def _places(known: Any, values: Any) -> Any:
    """Where each value is among the sorted known ones; -1 where it is not."""
    if not len(known):
        return np.full(values.shape, -1)
    places = np.minimum(np.searchsorted(known, values), len(known) - 1)
    return np.where(known[places] == values, places, -1)
