"""Why lines miss their goals, where a measurement says so."""

from __future__ import annotations

from fnmatch import fnmatch

# a pattern of lines' names, the threads it is about (None: any), and the sentence
_REASONS: tuple[tuple[str, int | None, str], ...] = ()


def reason(name: str, threads: int) -> str:
    """The first sentence that is about a line, or nothing."""
    for pattern, count, sentence in _REASONS:
        if fnmatch(name, pattern) and count in (None, threads):
            return sentence
    return ""
