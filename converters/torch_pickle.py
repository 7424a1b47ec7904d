"""A pickle reader that executes nothing, for PyTorch's weight files.

A pickle is a program for a stack machine that can import and call anything. This one knows only
the instructions that plain data needs, and every name it is asked for is looked up in a table of
inert stand-ins; a name that is not there is an UnsafeFileError that says the name. It is written
out here because Python's own unpickler calls whatever it finds, sets attributes, and believes
every length. Source: ``pickletools`` in Python's library, and PyTorch's page "Serialization
semantics" for what its ``weights_only`` reader allows.
"""

from __future__ import annotations

import mmap
import pickle
import struct
from collections import Counter, OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn, Protocol

import numpy as np

from .. import errors

# A weight file needs some fifty instructions and four calls a tensor. One byte of instruction can
# make an object of sixty bytes, and a call, or a set, one of three hundred: these bound them.
MAX_INSTRUCTIONS = 10_000_000
MAX_CALLS = 2_000_000
MAX_NAME = 1000
MAX_INTEGER = 1024
# Hashes of tuples of numbers collide at an attacker's will, and n colliding keys cost n * n.
MAX_TUPLE_KEYS = 10_000
MAX_TUPLE_KEY = 16

_SIZED = (str, bytes, bytearray, list, tuple, set, frozenset, dict, OrderedDict, Counter)
_SCALARS = (str, bytes, bool, float, type(None))


@dataclass(frozen=True)
class Function:
    """What a pickle may call: an inert function of ours under the name of the original."""

    name: str
    call: Callable[..., Any]


class Objects(Protocol):
    """What the names, persistent ids and states in a pickle mean."""

    def find(self, name: str) -> Any:
        """The stand-in for a dotted name, or an UnsafeFileError."""

    def persistent(self, key: object) -> Any:
        """The object with a persistent id."""

    def build(self, target: object, state: object) -> None:
        """Gives an object its state, or raises FileFormatError."""


class Unpickler:
    """Reads one pickle from ``data`` at ``position``, which then stands behind it.

    Raises FileFormatError for a broken pickle and UnsafeFileError for one that asks for more than
    ``objects`` has.
    """

    def __init__(self, data: bytes | mmap.mmap, objects: Objects, position: int = 0) -> None:
        self.data = data
        self.objects = objects
        self.position = position
        self.stack: list[Any] = []
        self.marks: list[int] = []
        self.memo: dict[int, Any] = {}
        self.tuple_keys = 0
        self.calls = 0
        # What is copied once into a container or an array may have the file's size, and twice in
        # protocol 2's way with bytes; a pickle that copies one value over and over has no end.
        self.copies_left = 3 * len(data) + 1000

    def load(self) -> Any:
        """The object that the pickle describes."""
        for _ in range(MAX_INSTRUCTIONS):
            code = self.take(1)[0]
            if code == _STOP:
                return self.pop()
            handler = _HANDLERS.get(code)
            if handler is None:
                self.fail(f"instruction {bytes([code])!r} is none that weights need")
            handler(self)
        self.fail(f"more than {MAX_INSTRUCTIONS:,} instructions")

    def fail(self, what: str) -> NoReturn:
        """Raises FileFormatError with the place."""
        raise errors.FileFormatError(
            f"its pickle cannot be read, at byte {self.position}: {what[:500]}"
        )

    def take(self, count: int) -> bytes:
        """The next ``count`` bytes."""
        if count > len(self.data) - self.position:
            self.fail(f"it ends where {count} more bytes should be")
        chunk = self.data[self.position : self.position + count]
        self.position += count
        return chunk

    def number(self, form: str) -> Any:
        """The next number, in a format of the ``struct`` module."""
        return struct.unpack(form, self.take(struct.calcsize(form)))[0]

    def line(self) -> str:
        """The next line, without its end."""
        end = self.data.find(b"\n", self.position, self.position + MAX_NAME)
        if end < 0:
            self.fail("a name without an end")
        text = self.text(end - self.position)
        self.position += 1
        return text

    def text(self, length: int) -> str:
        """The next ``length`` bytes, as text."""
        chunk = self.take(length)
        try:
            return chunk.decode("utf-8", "surrogatepass")
        except UnicodeDecodeError:
            self.fail("a text that is not UTF-8")

    def push(self, value: Any) -> None:
        """Puts a value on the stack."""
        self.stack.append(value)

    def pop(self) -> Any:
        """The value on the stack's top, never one below a mark."""
        if len(self.stack) <= (self.marks[-1] if self.marks else 0):
            self.fail("it takes a value that is not there")
        return self.stack.pop()

    def pop_several(self, count: int) -> list[Any]:
        """The topmost ``count`` values, lowest first."""
        return [self.pop() for _ in range(count)][::-1]

    def pop_to_mark(self) -> list[Any]:
        """The values above the last mark."""
        if not self.marks:
            self.fail("it looks for a mark that is not there")
        start = self.marks.pop()
        values = self.stack[start:]
        del self.stack[start:]
        return values

    def top(self, *kinds: type) -> Any:
        """The topmost value, left where it is; it must be of one of exactly these types."""
        value = self.pop()
        self.push(value)
        if kinds and type(value) not in kinds:
            self.fail(f"it fills a {type(value).__name__} as if it were a {kinds[0].__name__}")
        return value

    def set_items(self, flat: list[Any]) -> None:
        """Stores ``[key, value, key, value, ...]`` in the dict on the stack's top."""
        target = self.top(dict, OrderedDict, Counter)
        if len(flat) % 2:
            self.fail("a key without a value")
        for key, value in zip(flat[::2], flat[1::2], strict=True):
            if type(key) is tuple:
                self.tuple_keys += 1
                if self.tuple_keys > MAX_TUPLE_KEYS or len(key) > MAX_TUPLE_KEY:
                    self.fail("too many or too long keys that are tuples")
                for item in key:
                    check_key(item)
            else:
                check_key(key)
            target[key] = value

    def call(self, function: object, arguments: object) -> Any:
        """Calls an inert function."""
        if not isinstance(function, Function):
            self.fail(f"it calls a {type(function).__name__}")
        if type(arguments) is not tuple:
            self.fail(f"it calls '{function.name}' with a {type(arguments).__name__}")
        self.count_call()
        self.count_copies(arguments)
        try:
            return function.call(*arguments)
        except (TypeError, ValueError, OverflowError, AttributeError) as error:
            self.fail(f"'{function.name}' does not take what it is given: {error}")

    def count_call(self) -> None:
        """Counts what makes large objects of few bytes."""
        self.calls += 1
        if self.calls > MAX_CALLS:
            self.fail(f"more than {MAX_CALLS:,} calls")

    def count_copies(self, values: object) -> None:
        """Counts what an inert function or a state may copy, and stops where it never ends."""
        if type(values) is tuple:
            self.copies_left -= sum(len(value) for value in values if type(value) in _SIZED)
        if self.copies_left < 0:
            self.fail("it copies the same values over and over")

    def recall(self, index: int) -> None:
        """Pushes what was put in the memo."""
        if index not in self.memo:
            self.fail(f"memo {index} was never filled")
        self.push(self.memo[index])


def check_key(key: object) -> None:
    """Raises FileFormatError for what may not be a key: hashing it could run deep or collide."""
    if type(key) is int and -(2**63) <= key < 2**64:
        return
    if type(key) in _SCALARS or isinstance(key, np.integer | np.floating | np.bool_):
        return
    raise errors.FileFormatError(
        f"a {type(key).__name__} as a key; only texts, numbers and tuples of them are read"
    )


# -- what each instruction does ---------------------------------------------------------------


def _global(self: Unpickler, module: str, name: str) -> None:
    module = {"__builtin__": "builtins"}.get(module, module)  # Python 2's name
    self.push(self.objects.find(f"{module}.{name}"))


def _op_global(self: Unpickler) -> None:
    _global(self, self.line(), self.line())


def _op_stack_global(self: Unpickler) -> None:
    module, name = self.pop_several(2)
    if type(module) is not str or type(name) is not str or len(module) + len(name) > MAX_NAME:
        self.fail("a name that is no text")
    _global(self, module, name)


def _op_reduce(self: Unpickler) -> None:
    function, arguments = self.pop_several(2)
    self.push(self.call(function, arguments))


def _op_build(self: Unpickler) -> None:
    state = self.pop()
    self.count_copies(state)
    self.objects.build(self.top(), state)


def _op_persistent(self: Unpickler) -> None:
    self.push(self.objects.persistent(self.pop()))


def _op_mark(self: Unpickler) -> None:
    self.marks.append(len(self.stack))


def _op_pop(self: Unpickler) -> None:
    if self.marks and self.marks[-1] == len(self.stack):
        self.marks.pop()
    else:
        self.pop()


def _op_append(self: Unpickler) -> None:
    value = self.pop()
    self.top(list).append(value)


def _op_appends(self: Unpickler) -> None:
    values = self.pop_to_mark()
    self.top(list).extend(values)


def _op_empty_set(self: Unpickler) -> None:
    self.count_call()
    self.push(set())


def _op_add_items(self: Unpickler) -> None:
    values = self.pop_to_mark()
    self.top(set).update(plain_set(values))


def _op_dict(self: Unpickler) -> None:
    flat = self.pop_to_mark()
    self.push({})
    self.set_items(flat)


def _op_long4(self: Unpickler) -> None:
    length = self.number("<i")
    if not 0 <= length <= MAX_INTEGER:
        self.fail(f"an integer of {length} bytes")
    self.push(pickle.decode_long(self.take(length)))


def _op_frame(self: Unpickler) -> None:
    if self.number("<Q") > len(self.data) - self.position:
        self.fail("a frame that is longer than the file")


def _old_string(form: str) -> Callable[[Unpickler], None]:
    # Python 2's str: mostly a text, but its protocol has no other way to write bytes.
    def op(self: Unpickler) -> None:
        chunk = self.take(_length(self, form))
        try:
            self.push(chunk.decode())
        except UnicodeDecodeError:
            self.push(chunk)

    return op


def _length(self: Unpickler, form: str) -> int:
    length = int(self.number(form))
    if length < 0:
        self.fail(f"a text of {length} bytes")
    return length


def _put(self: Unpickler, index: int) -> None:
    self.memo[index] = self.top()


_STOP = pickle.STOP[0]
_HANDLERS: dict[int, Callable[[Unpickler], object]] = {
    code[0]: handler
    for code, handler in {
        pickle.PROTO: lambda self: self.take(1),
        pickle.FRAME: _op_frame,
        pickle.GLOBAL: _op_global,
        pickle.STACK_GLOBAL: _op_stack_global,
        pickle.REDUCE: _op_reduce,
        pickle.NEWOBJ: _op_reduce,  # a class among the stand-ins is a function that makes one
        pickle.BUILD: _op_build,
        pickle.BINPERSID: _op_persistent,
        pickle.MARK: _op_mark,
        pickle.POP: _op_pop,
        pickle.POP_MARK: lambda self: self.pop_to_mark(),
        pickle.DUP: lambda self: self.push(self.top()),
        pickle.BINPUT: lambda self: _put(self, self.number("B")),
        pickle.LONG_BINPUT: lambda self: _put(self, self.number("<I")),
        pickle.MEMOIZE: lambda self: _put(self, len(self.memo)),
        pickle.BINGET: lambda self: self.recall(self.number("B")),
        pickle.LONG_BINGET: lambda self: self.recall(self.number("<I")),
        pickle.NONE: lambda self: self.push(None),
        pickle.NEWTRUE: lambda self: self.push(True),
        pickle.NEWFALSE: lambda self: self.push(False),
        pickle.BININT: lambda self: self.push(self.number("<i")),
        pickle.BININT1: lambda self: self.push(self.number("B")),
        pickle.BININT2: lambda self: self.push(self.number("<H")),
        pickle.LONG1: lambda self: self.push(pickle.decode_long(self.take(self.number("B")))),
        pickle.LONG4: _op_long4,
        pickle.BINFLOAT: lambda self: self.push(self.number(">d")),
        pickle.BINUNICODE: lambda self: self.push(self.text(self.number("<I"))),
        pickle.SHORT_BINUNICODE: lambda self: self.push(self.text(self.number("B"))),
        pickle.BINUNICODE8: lambda self: self.push(self.text(self.number("<Q"))),
        pickle.BINBYTES: lambda self: self.push(self.take(self.number("<I"))),
        pickle.SHORT_BINBYTES: lambda self: self.push(self.take(self.number("B"))),
        pickle.BINBYTES8: lambda self: self.push(self.take(self.number("<Q"))),
        pickle.BYTEARRAY8: lambda self: self.push(bytearray(self.take(self.number("<Q")))),
        pickle.BINSTRING: _old_string("<i"),
        pickle.SHORT_BINSTRING: _old_string("B"),
        pickle.EMPTY_TUPLE: lambda self: self.push(()),
        pickle.TUPLE: lambda self: self.push(tuple(self.pop_to_mark())),
        pickle.TUPLE1: lambda self: self.push(tuple(self.pop_several(1))),
        pickle.TUPLE2: lambda self: self.push(tuple(self.pop_several(2))),
        pickle.TUPLE3: lambda self: self.push(tuple(self.pop_several(3))),
        pickle.EMPTY_LIST: lambda self: self.push([]),
        pickle.LIST: lambda self: self.push(self.pop_to_mark()),
        pickle.APPEND: _op_append,
        pickle.APPENDS: _op_appends,
        pickle.EMPTY_DICT: lambda self: self.push({}),
        pickle.DICT: _op_dict,
        pickle.SETITEM: lambda self: self.set_items(self.pop_several(2)),
        pickle.SETITEMS: lambda self: self.set_items(self.pop_to_mark()),
        pickle.EMPTY_SET: _op_empty_set,
        pickle.ADDITEMS: _op_add_items,
        pickle.FROZENSET: lambda self: self.push(frozenset(plain_set(self.pop_to_mark()))),
    }.items()
}


# -- the plain containers of Python that weight files hold ------------------------------------


def plain_set(items: Any = ()) -> set[Any]:
    """``set(items)`` of scalars."""
    for item in _sequence(items):
        check_key(item)
    return set(items)


def _ordered_dict(items: Any = ()) -> OrderedDict[Any, Any]:
    pairs = [(key, value) for key, value in map(_sequence, _sequence(items))]
    for key, _ in pairs:
        check_key(key)
    return OrderedDict(pairs)


def _sequence(items: Any) -> Any:
    # Never an array: one with strides of zero has more elements than any loop has time for.
    if type(items) not in (list, tuple, set):
        raise TypeError(f"expected a list, got a {type(items).__name__}")
    return items


def _counter(counts: dict[Any, Any] | None = None) -> Counter[Any]:
    if counts is not None and type(counts) is not dict:
        raise TypeError("expected a dict")
    return Counter(counts)


def _encode(text: str, encoding: str) -> bytes:
    # How protocol 2 writes bytes; it uses no other encoding.
    if type(text) is not str or type(encoding) is not str or encoding not in _LATIN:
        raise TypeError("expected a text and 'latin1'")
    return text.encode("latin-1")


def _bytearray(content: Any = b"", encoding: str = "latin-1") -> bytearray:
    if type(content) is str:
        return bytearray(_encode(content, encoding))
    if type(content) is not bytes:  # a number would ask for that many bytes
        raise TypeError("expected bytes")
    return bytearray(content)


def _complex(real: float, imaginary: float) -> complex:
    if type(real) is not float or type(imaginary) is not float:
        raise TypeError("expected two floats")
    return complex(real, imaginary)


_LATIN = ("latin1", "latin-1")
_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "collections.OrderedDict": _ordered_dict,
    "collections.Counter": _counter,
    "builtins.set": plain_set,
    "builtins.frozenset": lambda items=(): frozenset(plain_set(items)),
    "builtins.complex": _complex,
    "builtins.bytearray": _bytearray,
    "builtins.bytes": lambda: b"",  # how protocol 2 writes empty bytes
    "_codecs.encode": _encode,
}
PLAIN: Mapping[str, Function] = {name: Function(name, call) for name, call in _FUNCTIONS.items()}
