"""LLVM IR as text, a statement at a time: single assignment, loops with carried values.

:class:`Code` is one function. A value is a name (``%t7``) or a constant. Nothing is optimised
later, so what is written is what runs.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

Value = str


class Loop:
    """A loop being written: its index, and the values carried from one turn to the next."""

    def __init__(self, index: Value, carried: list[Value]) -> None:
        self.index = index
        self.carried = carried  # their values in this turn; after the loop, the last ones
        self.next: list[Value] = list(carried)  # assign what they are in the next turn


class Code:
    """A function ``void name(parameters)``, such as ``Code("kernel", "ptr %c, i64 %n")``."""

    def __init__(self, name: str, parameters: str, internal: bool = False) -> None:
        self.head = f"define {'internal ' if internal else ''}void @{name}({parameters})"
        self.lines = ["entry:"]
        self.declarations: set[str] = set()
        self.block = "entry"
        self.names = 0

    def fresh(self, kind: str) -> str:
        """A name that nothing has yet."""
        self.names += 1
        return f"{kind}{self.names}"

    def value(self, text: str) -> Value:
        """The result of an instruction."""
        name = f"%{self.fresh('t')}"
        self.lines.append(f"  {name} = {text}")
        return name

    def do(self, text: str) -> None:
        """An instruction without result."""
        self.lines.append(f"  {text}")

    def label(self, name: str) -> None:
        """The block that follows."""
        self.lines.append(f"{name}:")
        self.block = name

    def at(self, kind: str, base: Value, index: Value) -> Value:
        """The address of the element at an index."""
        return self.value(f"getelementptr {kind}, ptr {base}, i64 {index}")

    def add(self, a: Value, b: Value | int) -> Value:
        return self.value(f"add i64 {a}, {b}")

    def mul(self, a: Value, b: Value | int) -> Value:
        return self.value(f"mul i64 {a}, {b}")

    def call(self, result: str, name: str, *args: str) -> Value:
        """What an intrinsic gives for ``type value`` arguments."""
        types = ", ".join(_type(a) for a in args)
        self.declarations.add(f"declare {result} @{name}({types})")
        text = f"call {result} @{name}({', '.join(args)})"
        if result == "void":
            self.do(text)
            return ""
        return self.value(text)

    @contextmanager
    def loop(
        self, stop: Value, start: Value = "0", step: int = 1,
        carried: Sequence[tuple[str, Value]] = (), step_by: Value = "",
    ) -> Iterator[Loop]:  # fmt: skip
        """``for index in range(start, stop, step)``; ``carried`` are (type, first value) pairs.

        ``step_by`` is a step that is known only when the code runs.
        """
        head, done, before = self.fresh("loop"), self.fresh("done"), self.block
        some = self.value(f"icmp slt i64 {start}, {stop}")
        self.do(f"br i1 {some}, label %{head}, label %{done}")
        self.label(head)
        index = f"%{self.fresh('i')}"
        phis = len(self.lines)
        names = [f"%{self.fresh('c')}" for _ in carried]
        self.lines += [""] * (1 + len(carried))
        loop = Loop(index, names)
        yield loop
        after = self.block
        following = self.value(f"add i64 {index}, {step_by or step}")
        more = self.value(f"icmp slt i64 {following}, {stop}")
        self.do(f"br i1 {more}, label %{head}, label %{done}")
        self.lines[phis] = f"  {index} = phi i64 [{start}, %{before}], [{following}, %{after}]"
        for i, (kind, first) in enumerate(carried):
            self.lines[phis + 1 + i] = (
                f"  {names[i]} = phi {kind} [{first}, %{before}], [{loop.next[i]}, %{after}]"
            )
        self.label(done)
        loop.carried = [
            self.value(f"phi {kind} [{first}, %{before}], [{last}, %{after}]")
            for (kind, first), last in zip(carried, loop.next, strict=True)
        ]

    @contextmanager
    def when(self, condition: Value) -> Iterator[None]:
        """What runs only where an i1 is true."""
        then, done = self.fresh("then"), self.fresh("done")
        self.do(f"br i1 {condition}, label %{then}, label %{done}")
        self.label(then)
        yield
        self.do(f"br label %{done}")
        self.label(done)

    def text(self) -> str:
        """The whole function."""
        return "\n".join([f"{self.head} {{", *self.lines, "  ret void", "}"])


def _type(argument: str) -> str:
    """The type of an argument like ``<4 x i1> %mask`` or ``i64 3``."""
    return argument[: argument.index(">") + 1] if argument[0] == "<" else argument.split(" ")[0]


def module(*functions: Code) -> str:
    """Functions, and what they declare, as one module."""
    declarations = sorted(set().union(*(f.declarations for f in functions)))
    return "\n".join([*declarations, *(f.text() for f in functions)])
