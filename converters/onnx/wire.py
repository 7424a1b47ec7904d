"""The large weights of an ONNX file, found in its bytes before it is parsed.

A protobuf library copies a weight twice before numpy sees it. Here the file is taken apart first:
a small message without the weights for the library to parse, and where each weight lies, so that
it is copied once, from the file into its array.

Source: the protobuf encoding (protobuf.dev/programming-guides/encoding), with the field numbers
of onnx/onnx.proto.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import NamedTuple

_GRAPH, _INITIALIZER, _RAW_DATA = 7, 5, 9
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_LARGE = 4096
_MOST_FIELDS = 1_000_000
_MOST_TENSOR_FIELDS = 64

Weights = dict[int, memoryview]
Parts = Sequence[bytes | memoryview]


class _Field(NamedTuple):
    """Bytes ``start`` to ``end`` of a message, the value of which begins at ``value``."""

    number: int
    kind: int
    start: int
    value: int
    end: int


def split(data: memoryview) -> tuple[bytes | memoryview, Weights]:
    """The model without its large weights, and these by their index among the initializers.

    Whatever is unusual stays where it is, so the library sees it and says what is wrong with it.
    """
    try:
        graphs = [f for f in _fields(data, 0, len(data)) if _is(f, _GRAPH)]
        if len(graphs) != 1:
            return data, {}
        parts, weights = _graph(data, graphs[0])
    except (IndexError, ValueError):
        return data, {}
    before, after = data[: graphs[0].start], data[graphs[0].end :]
    return b"".join([before, *_message(_GRAPH, parts), after]), weights


def _graph(data: memoryview, graph: _Field) -> tuple[Parts, Weights]:
    """The parts of the graph that stay, and the weights that go."""
    parts: list[bytes | memoryview] = []
    weights: Weights = {}
    index, kept = 0, graph.value
    for tensor in _fields(data, graph.value, graph.end):
        if not _is(tensor, _INITIALIZER):
            continue
        if tensor.end - tensor.value >= _LARGE:
            raw = _raw_data(data, tensor)
            if raw is not None:
                weights[index] = data[raw.value : raw.end]
                rest = [data[tensor.value : raw.start], data[raw.end : tensor.end]]
                parts += [data[kept : tensor.start], *_message(_INITIALIZER, rest)]
                kept = tensor.end
        index += 1
    return [*parts, data[kept : graph.end]], weights


def _raw_data(data: memoryview, tensor: _Field) -> _Field | None:
    fields = list(islice(_fields(data, tensor.value, tensor.end), _MOST_TENSOR_FIELDS))
    raw = [f for f in fields if _is(f, _RAW_DATA)]
    if len(raw) != 1 or raw[0].end == raw[0].value or fields[-1].end != tensor.end:
        return None
    return raw[0]


def _is(field: _Field, number: int) -> bool:
    return field.number == number and field.kind == _BYTES


def _fields(data: memoryview, at: int, end: int) -> Iterator[_Field]:
    """The fields of a message; ValueError or IndexError where they make no sense."""
    for _ in range(_MOST_FIELDS):
        if at >= end:
            return
        tag, value = _read_varint(data, at)
        kind = tag & 7
        if kind == _BYTES:
            length, value = _read_varint(data, value)
            stop = value + length
        elif kind == _VARINT:
            stop = _read_varint(data, value)[1]
        elif kind in (_FIXED64, _FIXED32):
            stop = value + (8 if kind == _FIXED64 else 4)
        else:
            raise ValueError("a group, which ONNX does not use")
        if stop > end:
            raise ValueError("a field longer than its message")
        yield _Field(tag >> 3, kind, at, value, stop)
        at = stop
    raise ValueError(f"more than {_MOST_FIELDS} fields")


def _message(number: int, parts: Parts) -> Parts:
    """A field with these parts as its value."""
    length = sum(len(part) for part in parts)
    return [_varint(number << 3 | _BYTES), _varint(length), *parts]


def _read_varint(data: memoryview, at: int) -> tuple[int, int]:
    """A number and where it ends: seven bits per byte, the lowest first."""
    value = 0
    for shift in range(0, 70, 7):
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, at
    raise ValueError("a number of more than ten bytes")


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out)
