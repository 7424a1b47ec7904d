"""How the ONNX reader quotes names from a file and says where in the file something is wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from ...errors import FileFormatError, OnnxError

_LONGEST = 80


def quote(name: object) -> str:
    """``repr`` of a name from a file, cut when it is absurdly long.

    >>> quote("conv1"), len(quote("a" * 1000)) < 100
    ("'conv1'", True)
    """
    text = name if isinstance(name, (str, bytes)) else str(name)
    return repr(text) if len(text) <= _LONGEST else f"{text[:_LONGEST]!r}..."


def cut(text: str, longest: int = _LONGEST) -> str:
    """A text from a file on one line, cut when it is absurdly long.

    >>> cut("Conv"), cut("a" * 1000, 3)
    ('Conv', 'aaa...')
    """
    shown = text if text[:longest].isprintable() else repr(text[:longest])[1:-1]
    return shown if len(text) <= longest else f"{shown[:longest]}..."


def text(value: object, what: str) -> str:
    """``value`` if it is text; protobuf hands over a string that is not UTF-8 as bytes."""
    if isinstance(value, str):
        return value
    raise OnnxError(f"{what} is not UTF-8 text: {quote(value)}")


@contextmanager
def at(where: str | Callable[[], object]) -> Iterator[None]:
    """Errors from inside begin with this place.

    >>> with at("model.onnx"), at("node 'a'"):
    ...     raise OnnxError("no operator type")
    Traceback (most recent call last):
    tensorlite.errors.OnnxError: model.onnx: node 'a': no operator type
    """
    try:
        yield
    except FileFormatError as error:
        place = where if isinstance(where, str) else where()
        raise type(error)(f"{place}: {error}") from None
