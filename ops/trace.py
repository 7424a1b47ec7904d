"""What a function does to tensors, as a list of operator calls: the plan compiler's input.

:func:`trace` runs a function once on examples. Every operator that sees a traced tensor is noted
with its arguments; what depends on no input is a constant. An operator that the caller can use as
a whole is noted as a whole, others by what their bodies call.

What a list of calls cannot say is when numbers leave the tensors (``item()``, ``if x > 0``,
``x.numpy()``): the smallest scope that contains such an escape (an operator, an ONNX node, a
module) then becomes one call, which runs as it was written.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..devices.base import Device, put_fast_back, set_fast_aside
from ..dtypes import dtype as Dtype
from ..tensor import Tensor, wrap
from .nested import flattened, mapped
from .registry import Op
from .sketch import sketched
from .varying import SizesVary, sizes_vary

TRACERS: list[Tracer] = []
_lock = threading.Lock()


@dataclass(frozen=True)
class Ref:
    """A traced value among a call's arguments, by its number."""

    index: int


@dataclass
class Call:
    """One operator or scope: what it was given and the values it gave.

    ``args`` and ``kwargs`` are the arguments with a :class:`Ref` for each traced tensor;
    ``outputs`` has the structure of the result, with a Ref for each tensor in it.
    """

    name: str
    function: Callable[..., Any]
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    outputs: Any
    why: str = ""  # why it must run as written, if it must
    label: str = ""  # the node or module it came from


@dataclass
class Trace:
    """All calls of a function; values have the shape and dtype of their examples."""

    calls: list[Call]
    values: list[np.ndarray[Any, Any]]
    inputs: list[int]
    outputs: Any
    device: Device


class Traced(Tensor):
    """A tensor whose calls are noted. What reads its elements is an escape."""

    __slots__ = ("_own", "_tracer", "_index")
    _own: Any
    _tracer: Tracer
    _index: int

    @property
    def _array(self) -> Any:
        self._tracer.escape("the numbers of a tensor are read")
        return self._own

    @_array.setter
    def _array(self, value: Any) -> None:
        self._tracer.escape("a tensor becomes a view of itself")
        self._own = value

    # What is known without the elements

    @property
    def dtype(self) -> Dtype:
        return self._known("dtype")

    @property
    def shape(self) -> Any:
        return self._known("shape")

    @property
    def ndim(self) -> int:
        return int(self._own.ndim)

    @property
    def itemsize(self) -> int:
        return int(self._own.itemsize)

    @property
    def nbytes(self) -> int:
        return int(self._own.nbytes)

    def _known(self, name: str) -> Any:
        with self._tracer.aside():
            return getattr(Tensor, name).__get__(self)

    def size(self, dim: int | None = None) -> Any:
        return self.shape if dim is None else self.shape[dim]

    def dim(self) -> int:
        return self.ndim

    ndimension = dim

    def numel(self) -> int:
        return int(self._own.size)

    nelement = numel

    def element_size(self) -> int:
        return self.itemsize

    def __len__(self) -> int:
        with self._tracer.aside():
            return Tensor.__len__(self)

    def is_contiguous(self, memory_format: Any = None) -> bool:
        return True  # what a plan computes lies as its kernels like it

    # What Tensor does without an operator

    def reshape(self, *shape: Any) -> Tensor:
        from .shape import reshape

        return reshape(self, *shape)

    def detach(self) -> Tensor:
        return self

    data = property(detach)

    def contiguous(self, memory_format: Any = None) -> Tensor:
        return self

    def to(self, *args: Any, **kwargs: Any) -> Tensor:
        from ..convert import destination

        kwargs.pop("memory_format", None)
        kwargs.pop("copy", None)
        place, kind, _ = destination(*args, **kwargs)
        if place is not None and not place.host:
            self._tracer.escape(f"a tensor moves to {place}")
            return Tensor.to(self, *args, **kwargs)
        if kind is None or kind is self.dtype:
            return self
        return self._tracer.note("to", Tensor.to, (self, kind), {})

    def __getitem__(self, index: Any) -> Tensor:
        from .indexing import getitem

        return getitem(self, index)


class _Aside:
    """Inside it nothing is noted and nothing is an escape."""

    def __init__(self, tracer: Tracer) -> None:
        self.tracer = tracer

    def __enter__(self) -> None:
        self.tracer.depth += 1

    def __exit__(self, *raised: object) -> None:
        self.tracer.depth -= 1


class _NumbersNeeded(BaseException):
    """In a trace of shapes only: numbers are looked at, so they have to be computed."""


class Tracer:
    """Notes the calls of one thread. ``whole`` says of an operator whether to note it whole."""

    def __init__(
        self, whole: Callable[[Op, Mapping[str, Any]], bool], device: Device, numbers: bool = True
    ) -> None:
        self.whole = whole
        self.numbers = numbers  # whether values are computed, and not only their shapes
        self.device = device
        self.thread = threading.get_ident()
        self.calls: list[Call] = []
        self.values: list[np.ndarray[Any, Any]] = []
        self.known: set[int] = set()
        self.alive: dict[int, weakref.WeakSet[Traced]] = {}
        # Constants of the trace, which are nobody's state, by their identity.
        self.made: weakref.WeakValueDictionary[int, Tensor] = weakref.WeakValueDictionary()
        self.inputs: list[int] = []
        self.depth = 0
        self.escaped = ""
        self.label = ""

    def aside(self) -> _Aside:
        return _Aside(self)

    def escape(self, why: str) -> None:
        """Notes that numbers left the tensors."""
        if not self.depth and not self.numbers:
            raise _NumbersNeeded(why)
        if not self.depth and not self.escaped:
            self.escaped = why

    def input(self, array: np.ndarray[Any, Any]) -> Traced:
        found = self.traced(array)
        self.inputs.append(found._index)
        return found

    def traced(self, array: Any) -> Traced:
        """A new traced value."""
        made = Traced.__new__(Traced)
        made._tracer, made._own, made._device = self, array, self.device
        made._index = len(self.values)
        self.values.append(array)
        self.known.add(made._index)
        self.alive.setdefault(_root(array), weakref.WeakSet()).add(made)
        return made

    def operator(self, entry: Op, args: Any, kwargs: Any, run: Callable[..., Any]) -> Any:
        """An operator is called: ``run`` does what it does outside of a trace."""
        if self.depth or threading.get_ident() != self.thread:
            return run(entry, args, kwargs)
        if not mentions(args) and not mentions(kwargs):
            if entry.body.__module__.endswith(".random"):
                return self.note(entry.name, _public(entry), args, kwargs)
            if entry.writes and not self._made_here(args[0] if args else None):
                self.escape("a tensor that was there before is written to")
            with self.aside():
                result = run(entry, args, kwargs)
            self.made.update((id(v), v) for v in flattened(result) if isinstance(v, Tensor))
            return result
        if hidden(args) or entry.writes:
            self.escape(
                f"{entry.name} writes into a tensor" if entry.writes else "a slice's bounds"
            )
            with self.aside():
                return run(entry, args, kwargs)
        if sizes_vary(entry.name, args, kwargs):
            raise SizesVary(f"the size of what {entry.name} gives depends on numbers")
        out = kwargs.get("out")
        if out is not None:
            from .dispatch import fill

            rest = {key: value for key, value in kwargs.items() if key != "out"}
            return fill(out, self.operator(entry, args, rest, run), entry.name)
        if entry.over_arrays or self.whole(entry, bound(entry, args, kwargs)):
            return self.note(entry.name, _public(entry), args, kwargs)
        return self.scope(
            entry.name, _public(entry), args, kwargs, lambda: run(entry, args, kwargs, True)
        )

    def note(self, name: str, function: Any, args: Any, kwargs: Any, why: str = "") -> Any:
        """Runs a call aside and notes it as one."""
        with self.aside():
            shaped = None if self.numbers else sketched(name, function, args, kwargs)
            result = function(*args, **kwargs) if shaped is None else wrap(shaped, self.device)
        return self._noted(name, function, args, kwargs, result, why)

    def _noted(
        self, name: str, function: Any, args: Any, kwargs: Any, result: Any, why: str
    ) -> Any:
        result = self._wrapped(result)
        if not references(_refs(result)):
            self.escape(f"{name} gives what is no tensor")
        self.calls.append(
            Call(name, function, _refs(args), _refs(kwargs), _refs(result), why, self.label)
        )
        return result

    def scope(
        self, name: str, function: Any, args: Any, kwargs: Any, run: Callable[[], Any]
    ) -> Any:
        """Runs something whose calls are noted one by one, or as one if numbers escape from it."""
        if self.depth or threading.get_ident() != self.thread:
            return run()
        mark, before, self.escaped = len(self.calls), self.escaped, ""
        result = run()
        why, self.escaped = self.escaped, before
        if not why:
            return result
        for call in self.calls[mark:]:
            for ref in references(call.outputs):
                self.known.discard(ref)
        del self.calls[mark:]
        return self._noted(name, function, args, kwargs, _bare(result), why)

    def module(self, module: Any, args: Any, kwargs: Any, run: Callable[..., Any]) -> Any:
        """A module is called."""
        before, self.label = self.label, type(module).__name__
        try:
            name = type(module).__name__
            return self.scope(name, module, args, kwargs, lambda: run(*args, **kwargs))
        finally:
            self.label = before

    def _made_here(self, tensor: Any) -> bool:
        return self.made.get(id(tensor)) is tensor and tensor is not None

    def rebinds(self, target: Any, result: Any) -> bool:
        """``target[...] = result`` as a new value of a tensor that nothing else sees."""
        if self.depth or threading.get_ident() != self.thread:
            return False
        if not isinstance(target, Traced) or not isinstance(result, Traced):
            if isinstance(result, Traced) or not self._made_here(target):
                self.escape("a tensor is written to")
            return False
        seen = [t for t in self.alive[_root(target._own)] if t is not target]
        if seen or target._index in self.inputs:
            self.escape("a tensor that others share is written to")
            return False
        target._own, target._index = result._own, result._index
        self.alive[_root(result._own)].add(target)
        return True

    def _wrapped(self, result: Any) -> Any:
        def wrapped(value: Any) -> Any:
            plain = isinstance(value, Tensor) and not isinstance(value, Traced)
            return self.traced(value._array) if plain else value

        return mapped(wrapped, result)


def _root(array: Any) -> int:
    """The identity of the memory that an array is a view of."""
    while isinstance(getattr(array, "base", None), np.ndarray):
        array = array.base
    return id(array)


def _public(entry: Op) -> Callable[..., Any]:
    from .registry import FUNCTIONS

    return FUNCTIONS[entry.name]


def bound(entry: Op, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """A call's arguments by the operator's parameter names, where they are given."""
    named = dict(zip(entry.params, args, strict=False))
    named.update(kwargs)
    if len(args) > len(entry.params) and entry.variadic:
        named[entry.variadic] = args[len(entry.params) :]
    return named


def mentions(value: Any) -> bool:
    """Whether there is a traced tensor in an argument."""
    return any(
        isinstance(v, Traced) or (isinstance(v, slice) and hidden((v,))) for v in flattened(value)
    )


def hidden(value: Any) -> bool:
    """Whether a traced tensor stands where a call's arguments do not show it: in a slice."""
    if isinstance(value, tuple | list):
        return any(hidden(v) for v in value)
    if isinstance(value, slice):
        return any(isinstance(v, Traced) for v in (value.start, value.stop, value.step))
    return False


def _refs(value: Any) -> Any:
    """An argument with references for traced tensors."""
    return mapped(lambda v: Ref(v._index) if isinstance(v, Traced) else v, value)


def references(value: Any) -> list[int]:
    """The numbers of the values in arguments or outputs."""
    return [v.index for v in flattened(value) if isinstance(v, Ref)]


def _bare(value: Any) -> Any:
    """A result with plain tensors, so that they are taken for new values."""
    return mapped(lambda v: wrap(v._own, v._device) if isinstance(v, Traced) else v, value)


def tracing() -> Tracer | None:
    """The tracer of this thread, if one is at work and not aside."""
    for tracer in TRACERS:
        if tracer.thread == threading.get_ident() and not tracer.depth:
            return tracer
    return None


def trace(
    function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], device: Device,
    whole: Callable[[Op, Mapping[str, Any]], bool],
) -> tuple[Trace, Any]:  # fmt: skip
    """What a function does to the tensors among its arguments, and what it gave.

    ``whole(operator, arguments)`` says whether an operator made of others is noted as one.
    """
    return _traced(Tracer(whole, device), function, args, kwargs)


def trace_of_shapes(
    function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], device: Device,
    whole: Callable[[Op, Mapping[str, Any]], bool],
) -> tuple[Trace, Any]:  # fmt: skip
    """As :func:`trace`, without most of the arithmetic: what it gives are zeros.

    Where a function looks at numbers, or refuses zeros, it is traced again, with numbers.
    """
    try:
        return _traced(Tracer(whole, device, numbers=False), function, args, kwargs)
    except (_NumbersNeeded, Exception):
        return trace(function, args, kwargs, device, whole)


def _traced(
    tracer: Tracer, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[Trace, Any]:
    given, named = mapped(
        lambda v: tracer.input(v._array) if isinstance(v, Tensor) else v, (args, kwargs)
    )
    with _lock:
        if not TRACERS:
            set_fast_aside()
        TRACERS.append(tracer)
    try:
        result = tracer.scope("forward", function, given, named, lambda: function(*given, **named))
    finally:
        with _lock:
            TRACERS.remove(tracer)
            if not TRACERS:
                put_fast_back()
    tracer.depth += 1  # from here on the tensors are only looked at
    found = Trace(tracer.calls, tracer.values, tracer.inputs, _refs(result), tracer.device)
    return found, _bare(result)
