"""``module.compile(example)``: plans by the shapes of the inputs, made as they are met."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ....errors import DeviceMismatchError, OperatorError
from ....ops.nested import mapped
from ....ops.trace import trace, trace_of_shapes
from ....ops.varying import SizesVary
from ....progress import progress
from ....tensor import Tensor, wrap
from ...base import resolve
from .builder import whole
from .places import EagerStep
from .plan import Plan
from .report import Explanation, Profile, measured

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class AsWritten:
    """In place of a plan: the function runs as it was written, which its one step says."""

    why: str
    steps: list[EagerStep]


def _as_written(function: Any, why: str) -> AsWritten:
    name = type(function).__name__
    return AsWritten(why, [EagerStep(name, why, function, (), {}, None, {}, {}, [], [])])


class Compiled:
    """A module or function that runs as plans, one for each set of shapes and other arguments.

    Made by :meth:`tensorlite.nn.Module.compile`. Calling it gives what the module gives; weights
    are those of the time when a plan is made, and what the module writes into its inputs does not
    reach the caller's tensors. At most ``limit`` plans are kept, the ones made last.
    """

    def __init__(self, function: Callable[..., Any], limit: int = 16) -> None:
        self.function = function
        self.limit = limit
        self.plans: OrderedDict[Any, Plan | AsWritten] = OrderedDict()
        self.device = resolve("numba")
        self._quick: dict[Any, Plan] = {}  # the same plans, where all arguments are tensors
        self._lock = threading.Lock()

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        given = (*args, *kwargs.values()) if kwargs else args
        arrays = [a._array for a in given if type(a) is Tensor and a._device.host]
        look = None
        if arrays and len(arrays) == len(given):
            look = (*kwargs, *[part for a in arrays for part in (a.dtype.num, a.shape)])
            quick = self._quick.get(look)
            if quick is not None:
                return self._run(quick, arrays, args, kwargs)
        arrays = []
        key = _key((args, kwargs), arrays)
        plan = self.plans.get(key) or self._made(key, args, kwargs)
        if isinstance(plan, AsWritten):
            return self._unplanned(args, kwargs)
        if look is not None:
            self._quick[look] = plan
        return self._run(plan, arrays, args, kwargs)

    def _run(self, plan: Plan, arrays: list[Array], args: Any, kwargs: Any) -> Any:
        """What a plan gives; what the function gives, from then on, if its sizes do not hold."""
        try:
            return plan(*arrays)
        except SizesVary as found:
            with self._lock:
                self.plans[_key((args, kwargs), [])] = _as_written(self.function, str(found))
                self._quick.clear()
        return self._unplanned(args, kwargs)

    def _unplanned(self, args: Any, kwargs: Any) -> Any:
        return self.function(*_tensors(args, self.device), **_tensors(kwargs, self.device))

    def plan(self, *args: Any, **kwargs: Any) -> Plan | AsWritten:
        """The plan for these arguments, made if need be."""
        key = _key((args, kwargs), [])
        return self.plans.get(key) or self._made(key, args, kwargs)

    def _made(self, key: Any, args: Any, kwargs: Any) -> Plan | AsWritten:
        with self._lock:
            if key in self.plans:
                return self.plans[key]
            given, named = _tensors(args, self.device), _tensors(kwargs, self.device)
            name = type(self.function).__name__
            with progress(f"compiling {name} for this processor"):
                before = _state(self.function)
                noted = trace if before else trace_of_shapes
                plan: Plan | AsWritten
                try:
                    found, _ = noted(self.function, given, named, self.device, whole)
                    plan = Plan(found)
                except SizesVary as error:
                    plan = _as_written(self.function, str(error))
                finally:
                    for array, kept in before:
                        array[...] = kept
            self.plans[key] = plan
            while len(self.plans) > self.limit:
                self.plans.popitem(last=False)
                self._quick.clear()
            return plan

    def explain(self) -> Explanation:
        """What the plan made last does: its kernels in order, and what runs outside of kernels.

        >>> import tensorlite as tl
        >>> net = tl.nn.Sequential(tl.nn.Linear(4, 8), tl.nn.ReLU())
        >>> print(net.compile(tl.zeros(2, 4)).explain())
        #  step         from    result  why it is no kernel
        0  linear+relu  Linear  [2, 8]
        1 kernel, 0 calls that run as they were written; 128 bytes of memory beside the weights
        """
        if not self.plans:
            return Explanation([], 0)
        plan = next(reversed(self.plans.values()))
        return Explanation(plan.steps, 0 if isinstance(plan, AsWritten) else plan.arena.size)

    def profile(self, *args: Any, **kwargs: Any) -> Profile:
        """The time of each kernel on these inputs, and its share of what the machine can do.

        Each step is timed by itself, medians of ten runs; the limit is the arithmetic of one core
        times the threads, or the memory's bandwidth, whichever says more.
        """
        arrays: list[Array] = []
        _key((args, kwargs), arrays)
        plan = self.plan(*args, **kwargs)
        if isinstance(plan, AsWritten):
            raise OperatorError(f"profile: there are no kernels to measure: {plan.why}")
        return measured(plan, arrays)

    def __repr__(self) -> str:
        count = len(self.plans)
        return f"Compiled({type(self.function).__name__}, {count} plan{'s' if count != 1 else ''})"


def _state(function: Any) -> list[tuple[Array, Array]]:
    """The buffers of a module that is training, with copies: a trace is not to change them."""
    from ....nn import Module
    from ....nn.parameter import UninitializedBuffer

    if not isinstance(function, Module) or not any(m.training for m in function.modules()):
        return []
    buffers = [b for b in function.buffers() if not isinstance(b, UninitializedBuffer)]
    return [(b._array, b._array.copy()) for b in buffers if b._device.host]


def _key(value: Any, arrays: list[Array]) -> Any:
    """What a plan depends on; the arrays of tensors are collected."""
    if isinstance(value, Tensor):
        if not value._device.host:
            raise DeviceMismatchError(
                f"compile: plans are for tensors in host memory, got one on {value._device}; "
                "use x.cpu()"
            )
        array = value._array
        arrays.append(array)
        return array.dtype, array.shape
    if isinstance(value, np.ndarray):
        arrays.append(value)
        return value.dtype, value.shape
    if isinstance(value, tuple | list):
        return (type(value), *[_key(v, arrays) for v in value])
    if isinstance(value, dict):
        return tuple([(key, _key(v, arrays)) for key, v in value.items()])
    try:
        hash(value)
    except TypeError:
        return repr(value)
    return type(value), value


def _tensors(value: Any, device: Any) -> Any:
    """Arguments with copies of arrays as tensors on the device, for a trace to write into."""

    def copied(value: Any) -> Any:
        if isinstance(value, Tensor):
            return wrap(value._array.copy(), device)
        return wrap(value.copy(), device) if isinstance(value, np.ndarray) else value

    return mapped(copied, value)


def compile(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Compiled:
    """A module or function as plans; the one for these arguments, if any are given, at once."""
    made = Compiled(function)
    if args or kwargs:
        made.plan(*args, **kwargs)
    return made
