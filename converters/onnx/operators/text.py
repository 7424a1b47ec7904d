"""Strings: StringNormalizer, StringConcat, StringSplit, RegexFullMatch."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np

import tensorlite as tl
from tensorlite import Tensor

from ....errors import OnnxError
from .. import re2
from ..registry import onnx_op
from ..values import describe, strings, text
from .expected import expect, one_of

_STRINGS = (tl.dtypes.string,)
_CASES = ("LOWER", "UPPER", "NONE")
_DOTTED_I = ("tr", "az")  # languages that have an i with a dot and one without


def texts(x: Tensor, name: str = "the input") -> list[str]:
    """The strings of a tensor, in row-major order; OnnxError if it has others."""
    found: list[str] = expect(name, x, dtypes=_STRINGS)._host().reshape(-1).tolist()
    return found


def string_array(items: Sequence[str | bytes]) -> Any:
    """A list of strings as a 1-d array of objects."""
    array = np.empty(len(items), object)
    array[:] = [text(item) for item in items]
    return array


@onnx_op("StringNormalizer", since=10)
class StringNormalizer:
    """A list of words ``[C]`` or ``[1, C]`` without the stop words, in lower or upper case.

    Where no word is left the result is one empty string. The locale matters for Turkish and
    Azerbaijani, whose dotted and dotless i are different letters; all others follow Unicode.
    """

    def __init__(
        self,
        *,
        case_change_action: str = "NONE",
        is_case_sensitive: int = 0,
        locale: str = "en_US",
        stopwords: Sequence[str] | None = None,
    ) -> None:
        self.case = one_of("case_change_action", case_change_action, _CASES)
        self.sensitive = bool(is_case_sensitive)
        self.dotted_i = re.split("[_.@-]", locale.lower())[0] in _DOTTED_I
        self.stopwords = {self._key(text(word)) for word in stopwords or ()}

    def __call__(self, x: Tensor) -> Tensor:
        if x.ndim not in (1, 2) or x.shape[:-1].numel() != 1:
            raise OnnxError(f"expected an input [C] or [1, C], got {describe(x)}")
        kept = texts(x)
        if self.stopwords:
            kept = [word for word in kept if self._key(word) not in self.stopwords]
        if self.case != "NONE":
            change = self._lower if self.case == "LOWER" else self._upper
            kept = [change(word) for word in kept]
        kept = kept or [""]
        return strings(string_array(kept).reshape(*x.shape[:-1], -1))

    def _key(self, word: str) -> str:
        return word if self.sensitive else self._lower(word)

    def _lower(self, word: str) -> str:
        if self.dotted_i:
            word = word.replace("\u0130", "i").replace("I\u0307", "i").replace("I", "\u0131")
        return word.lower()

    def _upper(self, word: str) -> str:
        return (word.replace("i", "\u0130") if self.dotted_i else word).upper()


@onnx_op("StringConcat", since=20)
def string_concat(x: Tensor, y: Tensor) -> Tensor:
    """``x + y``, string by string, broadcast."""
    shape = tl.broadcast_shapes(tuple(x.shape), tuple(y.shape))
    joined = np.empty(shape, object)
    joined[...] = expect("X", x, dtypes=_STRINGS)._host() + expect("Y", y, dtypes=_STRINGS)._host()
    return strings(joined)


@onnx_op("StringSplit", since=20)
def string_split(
    x: Tensor, *, delimiter: str = "", maxsplit: int | None = None, device: Any
) -> tuple[Tensor, Tensor]:
    """The parts of each string along a new last dimension, filled up with "", and their counts.

    Without a delimiter the strings are split at white space, of which none is left at the ends.
    """
    most = -1 if maxsplit is None else maxsplit
    if delimiter:
        separator = text(delimiter)
        parts = [item.split(separator, most) for item in texts(x)]
    else:
        parts = [item.strip().split(None, most) for item in texts(x)]
    counts = np.array([len(p) for p in parts], np.int64)
    table = np.full((len(parts), counts.max(initial=0)), "", object)
    table[np.arange(table.shape[1]) < counts[:, None]] = [s for p in parts for s in p]
    found = strings(table.reshape(*x.shape, table.shape[1]))
    return found, tl.tensor(counts.reshape(tuple(x.shape)), device=device)


@onnx_op("RegexFullMatch", since=20)
def regex_full_match(x: Tensor, *, pattern: str | None = None, device: Any) -> Tensor:
    """Whether each string matches an RE2 pattern from its first character to its last."""
    if pattern is None:
        raise OnnxError("expected the attribute pattern, which is missing")
    match = re2.compile(text(pattern)).fullmatch
    found = np.array([match(item) is not None for item in texts(x)], np.bool_)
    return tl.tensor(found.reshape(tuple(x.shape)), device=device)
