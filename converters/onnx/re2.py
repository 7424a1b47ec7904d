"""Regular expressions in the syntax of RE2, for whole strings, by way of Python's ``re``.

Python reads many of the same characters differently: ``$`` matches before a last line end,
``\\d`` every digit of Unicode, flags in the middle are an error, look-arounds and references are
none. So a pattern is read here by RE2's grammar and written anew. As only whole strings are
matched, which alternative and how much a repetition prefers makes no difference, and groups
capture nothing.

Source: https://github.com/google/re2/wiki/Syntax
"""

from __future__ import annotations

import re
from functools import lru_cache

from ...errors import OnnxError
from .charsets import (
    PERL,
    POSIX,
    Ranges,
    charset,
    complement,
    fold,
    unicode_class,
)
from .charsets import (
    pattern as written,
)
from .text import quote

MAX_REPEAT = 1000
_NOT_A_LINE_END = complement(((10, 10),))
_CONTROLS = {"a": 7, "f": 12, "n": 10, "r": 13, "t": 9, "v": 11}
_EDGES = {"A": r"(?:\A)", "z": r"(?:\Z)", "b": r"(?a:\b)", "B": r"(?!(?a:\b))"}
_COUNT = r"(0|[1-9][0-9]*)"
_REPEAT = re.compile(rf"[*+?]|\{{{_COUNT}(?:(,){_COUNT}?)?\}}")
_GROUP = re.compile(r"\(\?(?:P?<(?P<name>\w+)>|(?P<on>[imsU]*)(?P<off>-[imsU]+)?(?P<end>[:)]))")
_UNICODE = re.compile(r"\\[pP](?:\{(\^?)([^}]*)\}|([^{]))")
_OCTAL = re.compile(r"0[0-7]{0,2}|[1-7][0-7]{1,2}")
_HEX = re.compile(r"x(?:\{([0-9A-Fa-f]{1,8})\}|([0-9A-Fa-f]{2}))")
_POSIX = re.compile(r"\[:(\^?)([^\]]*?):\]")


@lru_cache(maxsize=256)
def compile(pattern: str) -> re.Pattern[str]:
    """The pattern, to be used with ``fullmatch``.

    Raises OnnxError where the pattern is not RE2's: repetitions beyond 1000 are not, either.

    >>> bool(compile(r"(?i)[[:alpha:]]+\\d{2}").fullmatch("Ab12"))
    True
    """
    try:
        return re.compile(_Translation(pattern).run())
    except (_SyntaxError, re.error, RecursionError, OverflowError) as error:
        raise OnnxError(f"the pattern {quote(pattern)} is no regular expression in RE2's syntax: "
                        f"{error}") from error  # fmt: skip


class _SyntaxError(Exception):
    """What is wrong with a pattern, and where."""


class _Translation:
    """One pass over a pattern from left to right, writing the same for Python."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.at = 0
        self.out: list[str] = []
        self.flags: frozenset[str] = frozenset()
        self.open: list[tuple[frozenset[str], int]] = []  # flags and most of what is around
        self.repeatable = False  # whether something stands here that may be repeated
        self.repeated = False
        self.times = 1  # how often that is repeated, with the repetitions inside it
        self.most = 1  # the largest such number in this group

    def run(self) -> str:
        while self.at < len(self.source):
            self._piece(self.source[self.at])
        if self.open:
            raise self._wrong("a group is not closed")
        return "".join(self.out)

    def _wrong(self, what: str) -> _SyntaxError:
        return _SyntaxError(f"{what}, at {quote(self.source[self.at :][:20])}")

    def _matched(self, grammar: re.Pattern[str]) -> re.Match[str] | None:
        """What stands here, if it is of that form; then the place is behind it."""
        found = grammar.match(self.source, self.at)
        if found:
            self.at = found.end()
        return found

    def _put(self, text: str, times: int = 1) -> None:
        self.out.append(text)
        self.repeatable, self.repeated, self.times = True, False, times
        self.most = max(self.most, times)

    def _put_set(self, ranges: Ranges) -> None:
        self._put(written(self._folded(ranges)))

    def _folded(self, ranges: Ranges) -> Ranges:
        return fold(ranges) if "i" in self.flags else ranges

    def _piece(self, letter: str) -> None:
        if letter in "*+?{" and self._repetition():
            return
        if letter == "(":
            self._group()
        elif letter == "[":
            self._put_set_of_class()
        elif letter == "\\":
            self._escape()
        else:
            self.at += 1
            self._plain(letter)

    def _plain(self, letter: str) -> None:
        if letter == "|":
            self.out.append("|")
            self.repeatable = False
        elif letter == ")":
            self._close()
        elif letter == ".":
            self._put("(?s:.)" if "s" in self.flags else written(_NOT_A_LINE_END))
        elif letter == "^":
            self._put("(?m:^)" if "m" in self.flags else _EDGES["A"])
        elif letter == "$":
            self._put("(?m:$)" if "m" in self.flags else _EDGES["z"])
        else:
            self._literal(letter)

    def _literal(self, letter: str) -> None:
        if "i" in self.flags:
            self._put_set(((ord(letter), ord(letter)),))
        else:
            self._put(re.escape(letter))

    def _repetition(self) -> bool:
        """Whether a repetition stands here; braces that hold no numbers are plain text."""
        start = self.at
        found = self._matched(_REPEAT)
        if not found:
            return False
        if not self.repeatable or self.repeated:
            self.at = start
            raise self._wrong("nothing to repeat" if not self.repeatable else "a repetition twice")
        if found[1]:
            least, most = int(found[1]), int(found[3] or found[1])
            self.times *= max(most, 1)
            self.most = max(self.most, self.times)
            if most < least or self.times > MAX_REPEAT:
                self.at = start
                raise self._wrong(f"a repetition from fewer to more, up to {MAX_REPEAT}, expected")
        self.out.append(found[0])
        self.repeated = True
        if self.source[self.at :][:1] == "?":  # it prefers fewer, which is all the same here
            self.at += 1
        return True

    def _group(self) -> None:
        if not self.source.startswith("(?", self.at):
            self.at += 1
            return self._open_group()
        found = self._matched(_GROUP)
        if not found:
            raise self._wrong("an unknown kind of group")
        if found["name"] is not None:
            return self._open_group()
        flags = (self.flags | set(found["on"])) - set(found["off"] or "")
        if found["end"] == ":":
            self._open_group()
        self.flags = flags

    def _open_group(self) -> None:
        self.open.append((self.flags, self.most))
        self.most = 1
        self.out.append("(?:")
        self.repeatable = False

    def _close(self) -> None:
        if not self.open:
            self.at -= 1
            raise self._wrong("no group is open")
        inside = self.most
        self.flags, self.most = self.open.pop()
        self._put(")", inside)

    def _escape(self) -> None:
        letter = self.source[self.at + 1 : self.at + 2]
        if letter in _EDGES and letter:
            self.at += 2
            self._put(_EDGES[letter])
        elif letter == "Q":
            text, _, _ = self.source[self.at + 2 :].partition("\\E")
            for character in text:
                self._literal(character)
            self.at = min(self.at + 2 + len(text) + 2, len(self.source))
        else:
            named = self._named_set()
            code = self._escaped() if named is None else 0
            self._put_set(((code, code),) if named is None else named)

    def _named_set(self) -> Ranges | None:
        """What ``\\d``, ``\\pL`` or, in a class, ``[:alpha:]`` stands for, if one stands here."""
        letter = self.source[self.at + 1 : self.at + 2]
        if self.source[self.at] == "\\" and letter and letter in "dswDSW":
            self.at += 2
            return self._perhaps_not(PERL[letter.lower()], letter.isupper())
        found = self._matched(_UNICODE)
        if found is None:
            return None
        negated = (letter == "P") != bool(found[1])
        try:
            return self._perhaps_not(unicode_class(found[2] or found[3] or ""), negated)
        except KeyError as error:
            raise _SyntaxError(str(error.args[0])) from None

    def _perhaps_not(self, ranges: Ranges, negated: bool) -> Ranges:
        return complement(self._folded(ranges)) if negated else ranges

    def _escaped(self) -> int:
        """The code of an escaped character."""
        start = self.at
        self.at += 1
        octal = self._matched(_OCTAL)
        if octal:
            return int(octal[0], 8)
        hexadecimal = self._matched(_HEX)
        if hexadecimal:
            code = int(hexadecimal[1] or hexadecimal[2], 16)
            if code <= 0x10FFFF:
                return code
        letter = self.source[self.at : self.at + 1]
        if not hexadecimal and letter in _CONTROLS and letter:
            self.at += 1
            return _CONTROLS[letter]
        if hexadecimal or not letter or not letter.isascii() or letter.isalnum():
            self.at = start
            raise self._wrong("an unknown escape")
        self.at += 1
        return ord(letter)

    def _put_set_of_class(self) -> None:
        start = self.at
        negated = self.source.startswith("[^", start)
        self.at += 2 if negated else 1
        first = True
        parts: list[tuple[int, int]] = []
        while first or self.source[self.at :][:1] != "]":
            if self.at >= len(self.source):
                self.at = start
                raise self._wrong("a class is not closed")
            parts += self._class_item()
            first = False
        self.at += 1
        ranges = self._folded(charset(parts))
        self._put(written(complement(ranges) if negated else ranges))

    def _class_item(self) -> Ranges:
        found = self._matched(_POSIX)
        if found:
            if found[2] not in POSIX:
                raise _SyntaxError(f"no class [:{found[2]}:]; there are {', '.join(POSIX)}")
            return self._perhaps_not(POSIX[found[2]], bool(found[1]))
        named = self._named_set()
        if named is not None:
            return named
        start = self.at
        low = high = self._class_character()
        rest = self.source[self.at :][:2]
        if rest[:1] == "-" and rest[1:] not in ("]", ""):
            self.at += 1
            high = self._class_character()
        if high < low:
            self.at = start
            raise self._wrong("a range ends before it begins")
        return ((low, high),)

    def _class_character(self) -> int:
        letter = self.source[self.at]
        if letter == "\\":
            return self._escaped()
        self.at += 1
        return ord(letter)
