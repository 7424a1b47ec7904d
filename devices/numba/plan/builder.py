"""From a trace to steps: values get places, calls become kernels, elementwise chains are fused.

Elementwise operators give :class:`Lazy` values: expressions that are computed when something else
needs their elements, in one pass, or behind the product whose result they begin with.
A :class:`Producer` is such a product (or any kernel that can apply an expression to what it
stores), put off until it is known what follows.

A lowering (:func:`lowering`) turns one operator's call into steps; it returns why it cannot, if it
cannot, and the call then runs as it was written.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np

from ....ops.registry import OPS
from ....ops.trace import Call, Ref, Trace, bound, references
from ....tensor import Tensor
from .. import fused
from ..copying import FEW, arranged, copier
from ..expressions import (
    ACC,
    LEAVES,
    Tree,
    is_integral,
    is_whole,
    leaves,
    narrowed,
    operand,
    replaced,
    simplified,
    weight,
)
from .halves import has_halves, in_float32
from .patterns import with_attention
from .places import Array, Buffer, EagerStep, Place, Step, View, Word, contiguous_strides

Lowering = Callable[["Builder", "Arguments"], str | None]
LOWERINGS: dict[str, Lowering] = {}
SCOPES: dict[str, Callable[[Builder, Call], Call]] = {}  # what runs as written, but for a part
Function = TypeVar("Function", bound=Lowering)
FLOAT = np.dtype(np.float32)
_LONGEST = 400  # vector instructions in one expression
_SHARED = 60  # ... in one whose value is used several times


def lowering(*names: str) -> Callable[[Function], Function]:
    """Registers the decorated function as the lowering of operators."""

    def register(function: Function) -> Function:
        for name in names:
            LOWERINGS[name] = function
        return function

    return register


class Producer:
    """A kernel to come that can apply an expression to its result."""

    shape: tuple[int, ...]
    column: int  # the dimension that its vectors lie along
    leaf: Tree = ACC  # what the result is in an expression

    def takes(self, value: Lazy) -> bool:
        """Whether it can apply an expression to its result."""
        fits = all(self.kind(operand) is not None for operand in value.operands)
        return fits and value.dtype == FLOAT

    def kind(self, view: View) -> str | None:
        """How it reads an operand of the expression: as "one" number, a number a "column", or a
        "full" array; None if it cannot.
        """
        steps = broadcast(view, self.shape)
        if view.dtype != FLOAT:
            return None
        if not any(steps):
            return "one"
        if self.shape[self.column] > 1 and steps[self.column] != 1:
            return None
        others = (step for dim, step in enumerate(steps) if dim != self.column)
        return "full" if any(others) else "column"

    def emit(self, tree: Tree, operands: Sequence[View], out: View | None) -> View:
        """Writes ``tree`` of the result (to ``out``, if given)."""
        raise NotImplementedError

    def place(self) -> View:
        """A new place for the result, as the kernel likes it to lie."""
        raise NotImplementedError


@dataclass(eq=False)
class Lazy:
    """An expression that has not been computed."""

    tree: Tree
    operands: tuple[View, ...]
    shape: tuple[int, ...]
    producer: Producer | None = None
    dtype: np.dtype[Any] = FLOAT


Value = View | Lazy


class Arguments:
    """A call's arguments by the operator's names."""

    def __init__(self, call: Call) -> None:
        self.call = call
        self.entry = OPS.get(call.name)
        self.given = (
            bound(self.entry, call.args, call.kwargs)
            if self.entry is not None
            else dict(zip(("input", "other"), call.args, strict=False))
        )

    def __getitem__(self, name: str) -> Any:
        return self.given[name]

    def get(self, name: str, default: Any = None) -> Any:
        """An argument, or its default."""
        return self.given.get(name, default)

    @property
    def output(self) -> int:
        """The number of the only output."""
        return int(self.call.outputs.index)


class Builder:
    """Builds the steps of one trace."""

    def __init__(self, trace: Trace) -> None:
        self.trace = trace
        self.steps: list[Step | EagerStep] = []
        self.values: dict[int, Value] = {}
        self.constants: dict[int, View] = {}
        self.tables: dict[tuple[str, bytes], Place] = {}
        self.panels: dict[Any, list[Any]] = {}  # packed weights, by a few of their numbers
        self.held: list[Any] = []  # what must stay alive as long as the plan
        self.blocks: list[tuple[Array, list[Word]]] = []
        self.errors: list[tuple[Array, str]] = []
        self.label = ""
        self.users: dict[int, list[int]] = {}
        self.calls = with_attention(_needed(trace), trace.values, references(trace.outputs))
        for position, call in enumerate(self.calls):
            for index in references((call.args, call.kwargs)):
                self.users.setdefault(index, []).append(position)
        self.results = references(trace.outputs)
        self.together = self._joined()

    # The whole

    def build(self) -> None:
        """All steps."""
        for index in self.trace.inputs:
            self.values[index] = self.new(self.trace.values[index].shape, self.dtype(index))
        for call in self.calls:
            self.label = call.label
            self._lower(call)
        for index in self.results:
            self.values[index] = self.ordered(self.view(index))
            self.view(index).buffer.kept = True

    def _lower(self, call: Call) -> None:
        why = call.why
        if not why:
            found = LOWERINGS.get(call.name)
            why = f"no lowering of {call.name}" if found is None else ""
            if found is not None:
                why = found(self, Arguments(call)) or ""
        if why and not call.why:
            why = in_float32(self, call) if has_halves(self, call) else why
        if call.name in SCOPES and call.why:
            call = SCOPES[call.name](self, call)
            why = call.why
        if why:
            self.eager(call, why)

    def eager(self, call: Call, why: str) -> None:
        """A call as it was written."""
        inputs = {i: self.view(i) for i in references((call.args, call.kwargs))}
        results = {
            i: self.new(self.trace.values[i].shape, self.dtype(i))
            for i in references(call.outputs)
            if i not in self.values
        }
        self.values.update(results)
        self.steps.append(
            EagerStep(
                call.name, why, call.function, call.args, call.kwargs, call.outputs, inputs,
                results, [v.buffer for v in inputs.values()], [v.buffer for v in results.values()],
                call.label, result=", ".join(str([*v.shape]) for v in results.values()),
            )
        )  # fmt: skip

    # Values

    def dtype(self, index: int) -> np.dtype[Any]:
        return self.trace.values[index].dtype

    def shape(self, value: Any) -> tuple[int, ...]:
        """The shape of an argument."""
        if isinstance(value, Ref):
            return self.trace.values[value.index].shape
        return tuple(getattr(value, "shape", ()))

    def dtype_of(self, value: Any) -> np.dtype[Any] | None:
        """The dtype of an argument that is a tensor."""
        if isinstance(value, Ref):
            return self.dtype(value.index)
        return array_of(value).dtype if isinstance(value, Tensor) else None

    def used_once(self, value: Any) -> bool:
        """Whether nothing else needs an argument's elements."""
        if not isinstance(value, Ref):
            return False
        return len(self.users.get(value.index, ())) == 1 and value.index not in self.results

    def new(
        self, shape: Sequence[int], dtype: Any = FLOAT, order: Sequence[int] | None = None
    ) -> View:
        """A new place in the arena."""
        strides = contiguous_strides(shape, order)
        dtype = np.dtype(dtype)
        if dtype.hasobject:  # text: Python owns it, wherever it is
            return self.constant(np.empty(shape, dtype))
        size = int(np.prod(shape, dtype=np.int64)) * dtype.itemsize
        return View(Buffer(max(size, 1)), tuple(shape), strides, dtype)

    def table(self, values: Array) -> Place:
        """The address of numbers that kernels look up; equal tables are one."""
        key = (values.dtype.char, values.tobytes())
        if key not in self.tables:
            self.tables[key] = self.constant(np.ascontiguousarray(values)).place
        return self.tables[key]

    def block(self, words: list[Word]) -> Place:
        """The address of further words, which are filled in when the arena is laid out."""
        room = np.zeros(len(words), np.int64)
        self.blocks.append((room, words))
        return self.constant(room).place

    def constant(self, array: Array) -> View:
        """An array that stays as it is."""
        if id(array) not in self.constants:
            self.held.append(array)
            dense = array if array.flags.c_contiguous else np.ascontiguousarray(array)
            strides = contiguous_strides(dense.shape)
            buffer = Buffer(dense.nbytes, dense)
            self.constants[id(array)] = View(buffer, dense.shape, strides, dense.dtype)
        return self.constants[id(array)]

    def value(self, argument: Any) -> Value:
        """An argument as a value; a tensor that is no traced one is a constant."""
        if isinstance(argument, Ref):
            return self.values[argument.index]
        return self.constant(array_of(argument))

    def view(self, argument: Any, out: View | None = None) -> View:
        """An argument's elements in memory, computed now if they have not been."""
        if isinstance(argument, Lazy):
            return self.compute(argument, out)
        if isinstance(argument, View):
            return argument if out is None else self.copy(argument, out)
        index = argument.index if isinstance(argument, Ref) else argument
        if not isinstance(index, int):
            found = self.constant(array_of(argument))
            return found if out is None else self.copy(found, out)
        value = self.values[index]
        if isinstance(value, View):
            return value if out is None else self.copy(value, out)
        made = self.compute(value, out)
        self.values[index] = made
        return made

    def give(self, index: int, value: Value) -> None:
        """Notes a call's result."""
        self.values[index] = value

    # Expressions

    def inlined(self, argument: Any) -> Value:
        """An operand of an expression: lazy if nothing else needs its elements."""
        if isinstance(argument, Lazy | View):
            return argument
        if not isinstance(argument, Ref):
            return self.value(argument)
        value = self.values[argument.index]
        if isinstance(value, View):
            return value
        alone = self.used_once(argument)
        if alone and weight(value.tree) < _LONGEST:
            return value
        if argument.index in self.together and weight(value.tree) < _SHARED:
            return value
        return self.view(argument)

    def combine(self, name: str, arguments: Sequence[Any], shape: tuple[int, ...]) -> Lazy:
        """``name(arguments)`` as an expression; arguments are trees of numbers, or tensors."""
        parts: list[Value | Tree] = [
            a if isinstance(a, tuple) else self.inlined(a) for a in arguments
        ]
        fitting = [p for p in parts if isinstance(p, Lazy) and p.producer and p.shape == shape]
        kept = fitting[-1].producer if fitting else None
        operands: list[View] = []
        trees: list[Tree] = []
        for argument, part in zip(arguments, parts, strict=True):
            if isinstance(part, Lazy) and part.producer:
                if part.producer is not kept or part.shape != shape:
                    part = self.view(argument)
            trees.append(part if isinstance(part, tuple) else _tree_of(part, operands))
        wanted = _whole if name.startswith(("i.", "int_")) and name != "i.trunc" else _float
        wanted = _whole if name == "float_of" else wanted
        trees = [wanted(tree, operands) for tree in trees]
        return Lazy(simplified((name, *trees)), tuple(operands), shape, kept)

    def compute(self, value: Lazy, out: View | None = None) -> View:
        """The elements of an expression."""
        producer = value.producer
        if producer is None:
            return self._pass(value, out)
        if producer.takes(value):
            return producer.emit(value.tree, value.operands, out)
        base = producer.emit(producer.leaf, (), None)
        result = operand(len(value.operands))
        leaf = result if producer.leaf == ACC else ("i.load", result)
        tree = replaced(value.tree, {producer.leaf: leaf})
        whole = Lazy(tree, (*value.operands, base), value.shape, None, value.dtype)
        return self._pass(whole, out)

    def _pass(self, value: Lazy, out: View | None) -> View:
        """A fused kernel over whole arrays."""
        used = sorted({leaf[1] for leaf in leaves(value.tree)})
        tree = replaced(value.tree, {operand(i): operand(n) for n, i in enumerate(used)})
        views = [value.operands[i] for i in used]
        if out is None:
            out = self.like(views, value.shape, value.dtype)
        elif _thin(out, views):
            return self.copy(self._pass(value, None), out)
        order = sorted(range(len(out.shape)), key=lambda d: (-out.strides[d], d))
        steps = [broadcast(v, value.shape) for v in views]
        shape = [out.shape[d] for d in order]
        given = [[s[d] for d in order] for s in ([*out.strides], *steps)]
        sizes, collapsed = fused.collapsed(shape, given)
        if collapsed[0][-1] != 1 and sizes != [1]:
            return self.copy(self._pass(value, None), out)
        kinds = tuple(
            fused.Operand(v.dtype.name, {0: "s", 1: "v"}.get(s[-1], "g"))
            for v, s in zip(views, collapsed[1:], strict=True)
        )
        words: list[Word] = [out.place, *sizes, *collapsed[0]]
        for v, s in zip(views, collapsed[1:], strict=True):
            words += [v.place, *s]
        over = next(
            (
                (out.buffer, v.buffer)
                for v in views
                if v.buffer is not out.buffer and v.dtype == out.dtype
                and v.shape == out.shape and v.strides == out.strides
                and v.offset == out.offset == 0
            ),
            None,
        )  # fmt: skip
        spec = fused.Spec(tree, len(sizes), kinds, out.dtype.name)
        self.emit(
            name_of(tree), fused.fused(spec), words, views, out,
            flops=weight(tree) * out.size, over=over,
        )  # fmt: skip
        return out

    def like(
        self, views: Sequence[View], shape: tuple[int, ...], dtype: np.dtype[Any] = FLOAT
    ) -> View:
        """A place for an expression over operands: laid out like the first of its shape."""
        for v in views:
            if v.shape == shape and v.dense():
                order = sorted(range(len(shape)), key=lambda d: (-v.strides[d], d))
                return self.new(shape, dtype, order)
        return self.new(shape, dtype)

    # Steps

    def emit(
        self, name: str, kernel: int, words: list[Word], reads: Sequence[View], out: View,
        flops: float = 0.0, serial: bool = False, over: tuple[Buffer, Buffer] | None = None,
        also: Sequence[Buffer] = (),
    ) -> None:  # fmt: skip
        """Adds a kernel's step."""
        moved = sum(v.size * v.dtype.itemsize for v in (*reads, out))
        if over is not None and sum(v.buffer is over[1] for v in reads) > 1:
            over = None  # what is written in its place would be read again in another way
        self.steps.append(
            Step(
                name, kernel, words, [v.buffer for v in reads], [out.buffer, *also], self.label,
                serial, flops, moved, over, str([*out.shape]),
            )
        )  # fmt: skip

    def copy(self, source: View, out: View) -> View:
        """The elements of a view in another place."""
        spec, numbers = arranged(
            out.shape, out.strides, broadcast(source, out.shape), source.dtype.itemsize
        )
        self.emit("copy", copier(spec), [out.place, source.place, *numbers], [source], out)
        return out

    def fill(self, out: View, value: float) -> None:
        """One number everywhere in a view."""
        tree = ("const", value) if out.dtype == FLOAT else ("whole", int(value))
        self._pass(Lazy(tree, (), out.shape, None, out.dtype), out)

    def error(self, what: str) -> Place:
        """The address of a word that a kernel sets when ``what`` is out of range."""
        word = np.zeros(1, np.int64)
        self.errors.append((word, f"{self.label or what}: {what} is out of range"))
        return self.constant(word).place

    def contiguous(self, argument: Any, order: Sequence[int] | None = None) -> View:
        """An argument in a piece of memory, the dimensions in an order from outside to inside."""
        found = self.view(argument)
        return self.ordered(found, order)

    def ordered(self, found: View, order: Sequence[int] | None = None) -> View:
        """A view, copied if it is not a piece of memory with its dimensions in that order."""
        wanted = contiguous_strides(found.shape, order)
        same = all(
            n == 1 or a == b for a, b, n in zip(wanted, found.strides, found.shape, strict=True)
        )
        if same:
            return found
        return self.copy(found, self.new(found.shape, found.dtype, order))

    # What can be seen in advance

    def _joined(self) -> set[int]:
        """Values used several times, whose uses all end in one elementwise operator."""
        found = set()
        for index, users in self.users.items():
            if len(users) > 1 and index not in self.results and self._ends_in_one(index):
                found.add(index)
        return found

    def _ends_in_one(self, index: int) -> bool:
        frontier = set(self.users[index])
        for _ in range(12):
            if not all(self.calls[p].name in ELEMENTWISE for p in frontier):
                return False
            first = min(frontier)
            if len(frontier) == 1:
                return True
            frontier.discard(first)
            outputs = references(self.calls[first].outputs)
            if any(o in self.results for o in outputs):
                return False
            for output in outputs:
                frontier.update(self.users.get(output, ()))
        return False

    def only_user(self, index: int) -> Call | None:
        """The one call that uses a value, if there is one only."""
        users = self.users.get(index, ())
        return self.calls[users[0]] if len(users) == 1 and index not in self.results else None


ELEMENTWISE: set[str] = set()
"""Operators that lower to expressions."""


def array_of(tensor: Any) -> Array:
    """The array of a constant tensor."""
    found: Array = tensor._array if isinstance(tensor, Tensor) else np.asarray(tensor)
    return found


def broadcast(view: View, shape: Sequence[int]) -> list[int]:
    """A view's strides in a shape that it is broadcast to."""
    missing = len(shape) - len(view.shape)
    return [0] * missing + [
        0 if n == 1 else s for s, n in zip(view.strides, view.shape, strict=True)
    ]


def _thin(out: View, views: Sequence[View]) -> bool:
    """Whether a result lies in pieces of few elements, where an operand has long ones."""

    def piece(view: View) -> int:
        along = (n for n, s in zip(view.shape, view.strides, strict=True) if s == 1 and n > 1)
        return max(along, default=1)

    alike = [v for v in views if v.shape == out.shape and v.dense()]
    return piece(out) <= FEW < 4 * FEW <= max(map(piece, alike), default=0)


def _tree_of(part: Value, operands: list[View]) -> Tree:
    """A value as an expression over operands, which are added to."""
    if isinstance(part, View):
        return operand(_position(part, operands))
    moved = {operand(i): operand(_position(v, operands)) for i, v in enumerate(part.operands)}
    return replaced(part.tree, moved)


def _whole(tree: Tree, operands: Sequence[View]) -> Tree:
    """An expression as integers."""
    if is_whole(tree):
        return tree
    if tree[0] == "const":
        return ("whole", int(tree[1]))
    if tree[0] == "in" and operands[tree[1]].dtype.kind in "iub":
        return ("i.load", tree)
    return ("i.trunc", tree)


def _float(tree: Tree, operands: Sequence[View]) -> Tree:
    """An expression as numbers."""
    if tree[0] == "whole":
        return ("const", float(tree[1]))
    within = narrowed(tree)
    if within is not None and is_integral(within[1]):
        return within[1]
    if tree[0] == "i.trunc" and is_integral(tree[1]):
        return tree[1]
    return ("float_of", tree) if is_whole(tree) else tree


def _position(view: View, operands: list[View]) -> int:
    for i, other in enumerate(operands):
        if other is view:
            return i
    operands.append(view)
    return len(operands) - 1


def name_of(tree: Tree) -> str:
    names: list[str] = []

    def visit(node: Tree) -> None:
        for part in node[1:]:
            if isinstance(part, tuple):
                visit(part)
        if node[0] not in LEAVES:
            names.append(node[0])

    visit(tree)
    return "+".join(names[:4]) + ("+..." if names[4:] else "") if names else "copy"


def named(kernel: str, tree: Tree) -> str:
    """The name of a kernel with an expression behind it."""
    return kernel if tree == ACC else f"{kernel}+{name_of(tree)}"


def _needed(trace: Trace) -> list[Call]:
    """The calls that an output depends on."""
    wanted = set(references(trace.outputs))
    kept = []
    for call in reversed(trace.calls):
        outputs = references(call.outputs)
        if wanted.intersection(outputs):
            kept.append(call)
            wanted.update(references((call.args, call.kwargs)))
    return kept[::-1]


def whole(entry: Any, arguments: Mapping[str, Any]) -> bool:
    """Whether the tracer should note an operator as one call."""
    return entry.name in LOWERINGS


def words_of(*values: Any) -> list[Word]:
    """Addresses and sizes as a kernel's words."""
    return [v.place if isinstance(v, View) else v for v in values]
