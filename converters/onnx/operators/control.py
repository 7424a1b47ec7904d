"""Control flow: If, Loop, Scan; sequences and optionals."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import tensorlite as tl
from tensorlite import Tensor

from ....errors import OnnxError
from ..registry import onnx_op
from ..values import strings
from .expected import axis_in

Graph = Callable[..., list[Any]]


@onnx_op("If")
def if_(condition: Tensor, *, then_branch: Graph, else_branch: Graph) -> tuple[Any, ...]:
    """One of two graphs, which share the scope around them."""
    return tuple(then_branch() if condition.item() else else_branch())


@onnx_op("Loop")
def loop(
    limit: Tensor | None = None,
    condition: Tensor | None = None,
    *state: Any,
    body: Any,
    device: Any,
) -> tuple[Any, ...]:
    """The body gives (condition, state..., scan outputs...); scan outputs are stacked."""
    count, going = 0, condition is None or bool(condition.item())
    most = None if limit is None else int(limit.item())
    n_state = body.n_inputs - 2
    values = [*state, *[None] * (n_state - len(state))]
    scans: list[list[Any]] = [[] for _ in range(body.n_outputs - 1 - n_state)]
    while going and (most is None or count < most):
        step = tl.tensor(count, dtype=tl.int64, device=device)
        flag, *outputs = body(step, tl.tensor(True, device=device), *values)
        values, produced = outputs[:n_state], outputs[n_state:]
        for collected, value in zip(scans, produced, strict=True):
            collected.append(value)
        going = bool(flag.item())
        count += 1
    stacked = [
        _stacked(s, body.program.graph.outputs[1 + n_state + i]) for i, s in enumerate(scans)
    ]
    return (*values, *stacked)


def _stacked(collected: list[Tensor], info: Any) -> Tensor:
    if collected:
        return tl.stack(collected)
    sizes = [s if isinstance(s, int) and s > 0 else 0 for s in info.shape or ()]
    if info.dtype == "string":
        return strings(np.empty((0, *sizes), object))
    dtype = tl.float32 if info.dtype is None else tl.dtypes.to_dtype(info.dtype)
    return tl.zeros(0, *sizes, dtype=dtype)


@onnx_op("Scan", since=9)
def scan(
    *inputs: Any,
    body: Any,
    num_scan_inputs: int,
    scan_input_axes: list[int] | None = None,
    scan_input_directions: list[int] | None = None,
    scan_output_axes: list[int] | None = None,
    scan_output_directions: list[int] | None = None,
) -> tuple[Any, ...]:
    """The body over slices of the scan inputs, carrying state; its other outputs are stacked."""
    n_state = len(inputs) - num_scan_inputs
    state, sequences = list(inputs[:n_state]), inputs[n_state:]
    axes = scan_input_axes or [0] * num_scan_inputs
    backwards = scan_input_directions or [0] * num_scan_inputs
    axes = [axis_in(axis, x, "scan_input_axes") for x, axis in zip(sequences, axes, strict=True)]
    lengths = {x.shape[axis] for x, axis in zip(sequences, axes, strict=True)}
    if len(lengths) != 1:
        raise OnnxError(f"scan inputs have different lengths: {sorted(lengths)}")
    length = lengths.pop()
    n_scans = body.n_outputs - n_state
    scans: list[list[Tensor]] = [[] for _ in range(n_scans)]
    for i in range(length):
        slices = [
            x.select(axis, length - 1 - i if back else i)
            for x, axis, back in zip(sequences, axes, backwards, strict=True)
        ]
        outputs = body(*state, *slices)
        state = outputs[:n_state]
        for collected, value in zip(scans, outputs[n_state:], strict=True):
            collected.append(value)
    out_axes = scan_output_axes or [0] * n_scans
    out_back = scan_output_directions or [0] * n_scans
    infos = body.program.graph.outputs[n_state:]
    stacked = [
        tl.stack(s[::-1] if back else s, axis) if s else tl.movedim(_stacked(s, info), 0, axis)
        for s, axis, back, info in zip(scans, out_axes, out_back, infos, strict=True)
    ]
    return (*state, *stacked)


@onnx_op("Scan", since=8)
def scan_8(
    lengths: Tensor | None, *inputs: Any, body: Any, num_scan_inputs: int,
    directions: list[int] | None = None,
) -> tuple[Any, ...]:  # fmt: skip
    """Opset 8: every input has a batch dimension in front, then that of the sequence.

    What comes after the end of a shorter sequence is 0.
    """
    batch, longest = inputs[-1].shape[:2]
    if any(x.shape[:1] != (batch,) for x in inputs):
        raise OnnxError(f"expected {batch} in the first dimension of all, as in the last input")
    counts = [longest] * batch if lengths is None else lengths.tolist()
    if len(counts) != batch or not all(0 <= n <= longest for n in counts):
        raise OnnxError(f"expected {batch} lengths up to {longest}, got {counts}")
    n_state = len(inputs) - num_scan_inputs
    batches: list[tuple[Any, ...]] = []
    for i, n in enumerate(counts):
        own = [x[i] if k < n_state else x[i, :n] for k, x in enumerate(inputs)]
        found = scan(
            *own, body=body, num_scan_inputs=num_scan_inputs, scan_input_directions=directions
        )
        padded = [_padded(x, longest) for x in found[n_state:]]
        batches.append((*found[:n_state], *padded))
    return tuple(tl.stack(list(values)) for values in zip(*batches, strict=True))


def _padded(x: Tensor, length: int) -> Tensor:
    missing = length - x.shape[0]
    return tl.cat([x, x.new_zeros(missing, *x.shape[1:])]) if missing else x


@onnx_op("SequenceConstruct")
def sequence_construct(*inputs: Any) -> Any:
    return ([*inputs],)


@onnx_op("SequenceEmpty")
def sequence_empty(*, dtype: int = 1) -> Any:
    return ([],)


@onnx_op("SequenceAt")
def sequence_at(sequence: list[Any], position: Tensor) -> Any:
    return sequence[_place(sequence, position, len(sequence))]


@onnx_op("SequenceInsert")
def sequence_insert(sequence: list[Any], value: Any, position: Tensor | None = None) -> Any:
    copy = list(sequence)
    n = len(copy)
    copy.insert(n if position is None else _place(copy, position, n + 1), value)
    return (copy,)


@onnx_op("SequenceErase")
def sequence_erase(sequence: list[Any], position: Tensor | None = None) -> Any:
    copy = list(sequence)
    del copy[-1 if position is None else _place(copy, position, len(copy))]
    return (copy,)


def _place(sequence: list[Any], position: Tensor, limit: int) -> int:
    place = int(position.item())
    n = len(sequence)
    if not -n <= place < limit:
        raise OnnxError(f"position {place} in a sequence of {n}")
    return place + n if place < 0 else place


@onnx_op("SequenceLength")
def sequence_length(sequence: list[Any], *, device: Any) -> Tensor:
    return tl.tensor(len(sequence), device=device)


@onnx_op("SequenceMap")
def sequence_map(sequence: list[Any], *inputs: Any, body: Any) -> tuple[Any, ...]:
    """The body for each element; other sequences run along, tensors are the same each time."""
    results: list[list[Any]] = [[] for _ in range(body.n_outputs)]
    for i, item in enumerate(sequence):
        along = [x[i] if isinstance(x, list) else x for x in inputs]
        for collected, value in zip(results, body(item, *along), strict=True):
            collected.append(value)
    return tuple(results)


@onnx_op("SplitToSequence")
def split_to_sequence(
    x: Tensor, split: Tensor | None = None, *, axis: int = 0, keepdims: int = 1
) -> Any:
    n = x.shape[axis]
    if split is None:
        parts = [x.narrow(axis, i, 1) for i in range(n)]
        return ([p if keepdims else p.squeeze(axis) for p in parts],)
    if split.ndim == 0:
        return (list(tl.split(x, int(split.item()), axis)),)
    return (list(tl.split(x, split.tolist(), axis)),)


@onnx_op("ConcatFromSequence")
def concat_from_sequence(sequence: list[Tensor], *, axis: int, new_axis: int = 0) -> Tensor:
    joined: Tensor = (tl.stack if new_axis else tl.cat)(sequence, axis)
    return joined


@onnx_op("Optional")
def optional(value: Any = None, *, type: Any = None) -> Any:
    return (value,)


@onnx_op("OptionalHasElement")
def optional_has_element(value: Any = None, *, device: Any) -> Tensor:
    return tl.tensor(value is not None, device=device)


@onnx_op("OptionalGetElement")
def optional_get_element(value: Any) -> Any:
    if value is None:
        raise OnnxError("the optional has no element")
    return (value,)
