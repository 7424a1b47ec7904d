"""A plan: steps with their memory laid out, ready to run without Python between kernels."""

from __future__ import annotations

import ctypes
import os
import threading
import time
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from ....errors import OperatorError
from ....ops.nested import mapped
from ....ops.trace import Ref, Trace, references
from ....ops.varying import SizesVary
from ....tensor import Tensor, wrap
from ....threads import get_num_threads
from ...buffers import LEAST, empty
from ..pool import Work
from . import lowerings as lowerings
from .arena import Arena, lay_out, lifetimes, share
from .builder import Builder
from .places import Array, EagerStep, Place, Step, View

_Kernel = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_int64, ctypes.c_int64)


_ALIVE: weakref.WeakSet[Plan] = weakref.WeakSet()


def _unlock() -> None:
    """A forked process has none of the threads that may have held a plan when it was made."""
    for plan in _ALIVE:
        plan.lock = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_unlock)


@dataclass(eq=False)
class Segment:
    """Kernels that run one after another without Python."""

    records: Array
    steps: list[Step]

    def __post_init__(self) -> None:
        self.work = Work(self.records)
        self.brief = sum(map(_estimated, self.steps)) < _BRIEF

    def run(self) -> None:
        """All steps, on as many threads as may be."""
        self.work.run(get_num_threads(), self.brief)

    def call(self) -> Callable[[], None]:
        """:meth:`run`; where the work is brief the machine code itself."""
        return self.work.briefly() if self.brief else self.run


_BRIEF = 15e-6  # seconds in which others may wait for Python's lock


def _estimated(step: Step) -> float:
    """The seconds that a step takes at least, on a processor of 50 GFLOP/s and 20 GB/s."""
    return max(step.flops / 50e9, step.moved / 20e9, 30e-9)


class Plan:
    """One function for one set of shapes."""

    def __init__(self, trace: Trace) -> None:
        builder = Builder(trace)
        builder.build()
        self.device = trace.device
        self.steps = builder.steps
        self.errors = builder.errors
        self.held = builder.held
        self.outputs = trace.outputs
        views = {i: builder.values[i] for i in (*trace.inputs, *references(trace.outputs))}
        self._lay_out({i: v for i, v in views.items() if isinstance(v, View)}, trace.inputs)
        self.inputs = [self._array(views[i]) for i in trace.inputs]
        self.results = {i: self._array(views[i]) for i in references(trace.outputs)}
        for room, words in builder.blocks:
            room[:] = [address(word) for word in words]
        self.segments = self._segments()
        self.runs = [
            s.call() if isinstance(s, Segment) else partial(_eager, s, self.device)
            for s in self.segments
        ]
        single = isinstance(trace.outputs, Ref)
        self.only = self.results[trace.outputs.index] if single else None
        self.lock = threading.Lock()
        _ALIVE.add(self)

    def _array(self, view: Any) -> Array:
        found: Array = view.array()
        return found

    def _lay_out(self, views: dict[int, View], inputs: list[int]) -> None:
        buffers = lifetimes(self.steps)
        known = {id(b) for b in buffers}
        for index, view in views.items():
            if id(view.buffer) not in known and view.buffer.array is None:
                buffers.append(view.buffer)
                known.add(id(view.buffer))
            if index in inputs:
                view.buffer.first, view.buffer.last = 0, max(view.buffer.last, 0)
                view.buffer.kept = view.buffer.kept or index in self.outputs_of()
        share(self.steps)
        self.arena = Arena(lay_out(buffers, len(self.steps)))
        for buffer in buffers:
            buffer.address += self.arena.address

    def outputs_of(self) -> list[int]:
        return references(self.outputs)

    def _segments(self) -> list[Segment | EagerStep]:
        found: list[Segment | EagerStep] = []
        run: list[Step] = []
        for step in self.steps:
            if isinstance(step, Step):
                run.append(step)
                continue
            if run:
                found.append(self._segment(run))
                run = []
            step.arrays = {i: v.array() for i, v in (*step.inputs.items(), *step.results.items())}
            found.append(step)
        if run:
            found.append(self._segment(run))
        return found

    def _segment(self, steps: list[Step]) -> Segment:
        words = np.array([address(w) for s in steps for w in s.words] or [0], np.int64)
        self.held.append(words)
        at, records = words.ctypes.data, np.zeros((len(steps), 4), np.int64)
        for record, step in zip(records, steps, strict=True):
            record[:] = step.kernel, at, int(step.serial), 0
            at += 8 * len(step.words)
        return Segment(records, list(steps))

    def __call__(self, *given: Array) -> Any:
        """The outputs for arrays of the shapes that the plan is for."""
        with self.lock:
            for to, array in zip(self.inputs, given, strict=True):
                to[...] = array
            for run in self.runs:
                run()
            if self.errors:
                self._check()
            if self.only is not None:
                return wrap(_copied(self.only), self.device)
            found = {i: _copied(array) for i, array in self.results.items()}
        return _filled(self.outputs, found, self.device)

    def _check(self) -> None:
        for word, message in self.errors:
            if word[0]:
                word[0] = 0
                raise OperatorError(message)

    def timed(self, *given: Array, rounds: int = 10) -> list[float]:
        """The median seconds of each step."""
        times = [[0.0] * rounds for _ in self.steps]
        with self.lock:
            for turn in range(rounds):
                for to, array in zip(self.inputs, given, strict=True):
                    np.copyto(to, array)
                number = 0
                for segment in self.segments:
                    parts = _single(segment) if isinstance(segment, Segment) else [segment]
                    for part in parts:
                        start = time.perf_counter()
                        if isinstance(part, Segment):
                            part.run()
                        else:
                            _eager(part, self.device)
                        times[number][turn] = time.perf_counter() - start
                        number += 1
            self._check()
        return [float(np.median(t)) for t in times]


def _copied(array: Array) -> Array:
    if array.nbytes < LEAST:
        return array.copy()
    out: Array = empty(array.shape, array.dtype)
    out[...] = array
    return out


def _single(segment: Segment) -> list[Any]:
    return [Segment(segment.records[i : i + 1], [step]) for i, step in enumerate(segment.steps)]


def _eager(step: EagerStep, device: Any) -> None:
    tensors = {i: wrap(array, device) for i, array in step.arrays.items()}
    result = step.function(*_given(step.args, tensors), **_given(step.kwargs, tensors))
    for index, tensor in _pairs(step.outputs, result):
        if index in step.results:
            if tensor._array.shape != step.arrays[index].shape:
                raise SizesVary(f"the size of what {step.name} gives depends on numbers")
            np.copyto(step.arrays[index], tensor._array)


def _given(value: Any, tensors: dict[int, Tensor]) -> Any:
    return mapped(lambda v: tensors[v.index] if isinstance(v, Ref) else v, value)


def _pairs(outputs: Any, result: Any) -> list[tuple[int, Tensor]]:
    """The numbers of a call's outputs with what it gave."""
    if isinstance(outputs, Ref):
        return [(outputs.index, result)]
    if isinstance(outputs, tuple | list):
        return [p for o, r in zip(outputs, result, strict=True) for p in _pairs(o, r)]
    if isinstance(outputs, dict):
        return [p for key, o in outputs.items() for p in _pairs(o, result[key])]
    return []


def _filled(outputs: Any, found: dict[int, Array], device: Any) -> Any:
    return _given(outputs, {i: wrap(array, device) for i, array in found.items()})


def address(word: int | Place) -> int:
    """A word of a kernel's block."""
    if not isinstance(word, Place):
        return int(word)
    buffer = word.buffer
    base = buffer.address if buffer.array is None else address_of(buffer.array)
    return base + word.offset


def address_of(array: Array) -> int:
    """Where an array's elements begin."""
    return int(array.ctypes.data)
