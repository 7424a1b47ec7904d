"""Sets of characters, as the classes of a regular expression name them.

A set is a sorted tuple of ranges of code points ``(first, last)`` that do not touch.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Iterable
from functools import lru_cache

from ...errors import nearest
from .unicode_scripts import SCRIPTS

Ranges = tuple[tuple[int, int], ...]

LAST = 0x10FFFF
_PLANES_WITH_CASE = 0x20000
_UNASSIGNED = "Cn"  # RE2 does not count it to the category C


def charset(ranges: Iterable[tuple[int, int]]) -> Ranges:
    """Ranges in any order, which may overlap, as a set.

    >>> charset([(5, 9), (1, 2), (3, 6)])
    ((1, 9),)
    """
    merged: list[tuple[int, int]] = []
    for first, last in sorted(ranges):
        if merged and first <= merged[-1][1] + 1:
            merged[-1] = merged[-1][0], max(last, merged[-1][1])
        else:
            merged.append((first, last))
    return tuple(merged)


def spans(text: str) -> Ranges:
    """The set of the characters named by pairs, ``"az"`` for a to z.

    >>> spans("az__")
    ((95, 95), (97, 122))
    """
    return charset((ord(a), ord(b)) for a, b in zip(text[::2], text[1::2], strict=True))


EVERYTHING: Ranges = ((0, LAST),)
_WORD = spans("09AZaz__")
PERL: dict[str, Ranges] = {"d": spans("09"), "s": spans("\t\n\f\r  "), "w": _WORD}
POSIX: dict[str, Ranges] = {
    "alnum": spans("09AZaz"), "alpha": spans("AZaz"), "ascii": spans("\0\x7f"),
    "blank": spans("\t\t  "), "cntrl": spans("\0\x1f\x7f\x7f"), "digit": spans("09"),
    "graph": spans("!~"), "lower": spans("az"), "print": spans(" ~"), "punct": spans("!/:@[`{~"),
    "space": spans("\t\r  "), "upper": spans("AZ"), "word": _WORD, "xdigit": spans("09AFaf"),
}  # fmt: skip


def complement(ranges: Ranges) -> Ranges:
    """The characters that are not in the set."""
    gaps, start = [], 0
    for first, last in ranges:
        if first > start:
            gaps.append((start, first - 1))
        start = last + 1
    return (*gaps, (start, LAST)) if start <= LAST else tuple(gaps)


@lru_cache(maxsize=64)
def unicode_class(name: str) -> Ranges:
    """The set of a general category (``Lu``, ``L``), of a script (``Greek``) or ``Any``.

    Raises KeyError with a hint if there is none of that name.
    """
    if name == "Any":
        return EVERYTHING
    if name in SCRIPTS:
        parts = [part.partition("-") for part in SCRIPTS[name].split()]
        return charset((int(a, 16), int(b or a, 16)) for a, _, b in parts)
    categories = _categories()
    found = [c for c in categories if name and c.startswith(name)]
    if not found:
        raise KeyError(f"no Unicode class {name!r}.{nearest(name, [*categories, *SCRIPTS])}")
    return charset(r for c in found for r in categories[c])


@lru_cache(maxsize=1)
def _categories() -> dict[str, Ranges]:
    runs: dict[str, list[tuple[int, int]]] = {}
    start, current = 0, unicodedata.category("\0")
    for code in range(1, LAST + 2):
        category = unicodedata.category(chr(code)) if code <= LAST else ""
        if category != current:
            runs.setdefault(current, []).append((start, code - 1))
            start, current = code, category
    return {name: tuple(r) for name, r in runs.items() if name != _UNASSIGNED}


def fold(ranges: Ranges) -> Ranges:
    """The set with every character that differs from one in it only in case.

    >>> [chr(first) for first, last in fold(spans("kk"))]  # the last is the Kelvin sign
    ['K', 'k', '\u212a']
    """
    starts = [first for first, _ in ranges]

    def contains(code: int) -> bool:
        place = bisect_right(starts, code) - 1
        return place >= 0 and code <= ranges[place][1]

    more = [code for group in _case_groups() if any(map(contains, group)) for code in group]
    return charset([*ranges, *((code, code) for code in more)])


@lru_cache(maxsize=1)
def _case_groups() -> tuple[tuple[int, ...], ...]:
    """Characters that are the same letter: ``K``, ``k`` and the Kelvin sign."""
    groups: dict[str, list[int]] = {}
    for code in range(_PLANES_WITH_CASE):
        letter = chr(code)
        if letter.lower() != letter or letter.upper() != letter:
            forms = (letter.casefold(), letter.lower(), letter)
            groups.setdefault(next(f for f in forms if len(f) == 1), []).append(code)
    return tuple(tuple(group) for group in groups.values() if group[1:])


def pattern(ranges: Ranges) -> str:
    """The set as a piece of a pattern of Python's ``re``.

    >>> pattern(spans("az")), pattern(spans("..")), pattern(())
    ('[a-z]', '\\\\.', '(?!)')
    """
    if not ranges:
        return "(?!)"
    if ranges == EVERYTHING:
        return "(?s:.)"
    outside = complement(ranges)
    if len(outside) < len(ranges):
        return f"[^{_listed(outside)}]"
    first, last = ranges[0]
    if len(ranges) == 1 and first == last:
        return re.escape(chr(first))
    return f"[{_listed(ranges)}]"


def _listed(ranges: Ranges) -> str:
    parts = (_code(a) if a == b else f"{_code(a)}-{_code(b)}" for a, b in ranges)
    return "".join(parts)


def _code(code: int) -> str:
    letter = chr(code)
    return letter if letter.isascii() and letter.isalnum() else f"\\U{code:08x}"
