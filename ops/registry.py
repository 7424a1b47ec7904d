"""What an operator is, and the list of all of them.

An operator is one function under :func:`op`. Its signature is PyTorch's. When its first
parameter is ``xp``, its body works on raw arrays with that array namespace; the dispatcher has
unwrapped the tensors, checked their devices and promoted their dtypes. Without ``xp`` it is a
composite: its body calls other operators on tensors. From the one declaration come the public
function, the Tensor methods, the documentation and the device dispatch.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..errors import UnknownNameError, nearest

Array = Any  # a numpy or cupy array, in an operator's body; a Tensor, to who calls it
Number = Any  # a Python number; in the body of an operator that promotes it, an array
TOP = ""  # the namespace of tensorlite itself
F = "nn.functional"


@dataclass(eq=False)
class Op:
    """One operator: its body, where it is offered, and how its arguments are prepared."""

    name: str  # full name, such as "relu" or "nn.functional.conv2d"
    body: Callable[..., Any]
    spaces: tuple[str, ...]  # namespaces that offer it
    method: str | None  # its name on Tensor
    aliases: tuple[str, ...]
    inplace: bool  # Tensor also has the method with "_" behind its name
    promote: tuple[str, ...]  # parameters brought to one dtype
    floating: bool  # ... which is a float: integers become the default dtype
    upcast: bool  # 16-bit floats and smaller are computed in float32
    fast: Callable[..., Any] | Mapping[Any, Any] | None  # for arrays of one dtype, no options
    fast_kinds: str  # ... of these kinds, as dtype.kind names them
    writes: bool  # the body writes into its first array
    over_arrays: bool = field(init=False)
    params: tuple[str, ...] = field(init=False)
    positions: dict[str, int] = field(init=False)
    required: int = field(init=False)  # how many parameters have no default
    names: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        code = self.body.__code__
        names = code.co_varnames[: code.co_argcount]
        self.over_arrays = names[:1] == ("xp",)
        self.params = names[1:] if self.over_arrays else names
        self.positions = {name: i for i, name in enumerate(self.params)}
        self.required = len(self.params) - len(self.body.__defaults__ or ())
        keywords = code.co_varnames[code.co_argcount :][: code.co_kwonlyargcount]
        self.names = frozenset((*self.params, *keywords))
        self.inplace_at = self.positions.get("inplace")
        variadic = code.co_flags & inspect.CO_VARARGS
        rest = code.co_varnames[code.co_argcount + code.co_kwonlyargcount :]
        self.variadic = rest[0] if variadic else None  # the name of *sizes, which may be a keyword
        self.has_device = "device" in self.params or "device" in keywords
        self.has_dtype = "dtype" in self.params or "dtype" in keywords

    @property
    def __signature__(self) -> inspect.Signature:
        signature = inspect.signature(self.body)
        parameters = [p for p in signature.parameters.values() if p.name != "xp"]
        shown = [
            p.replace(annotation=p.annotation.replace("Array", "Tensor"))
            if isinstance(p.annotation, str)
            else p
            for p in parameters
        ]
        returns = signature.return_annotation
        if isinstance(returns, str):
            returns = returns.replace("Array", "Tensor")
        return signature.replace(parameters=shown, return_annotation=returns)


OPS: dict[str, Op] = {}
FUNCTIONS: dict[str, Callable[..., Any]] = {}  # what users call, by the operator's full name
NAMESPACES: dict[str, dict[str, Callable[..., Any]]] = {}
METHODS: dict[str, Callable[..., Any]] = {}


def op(
    name: str | None = None,
    *,
    spaces: str | tuple[str, ...] = TOP,
    method: bool | str = False,
    aliases: tuple[str, ...] = (),
    inplace: bool = False,
    promote: str = "",
    floating: bool = False,
    upcast: bool = False,
    fast: Callable[..., Any] | Mapping[Any, Callable[..., Any]] | None = None,
    fast_kinds: str = "buifc",
    writes: bool = False,
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Declares the decorated function as an operator.

    Args:
        name: its name where the function's own would shadow a built-in (``abs``, ``sum``).
        spaces: the namespaces that offer it: ``TOP`` for ``tl.name``, ``F`` for
            ``tl.nn.functional.name``, "linalg"...; ``()`` for a Tensor method only.
        method: whether Tensor has it as a method (or the method's name, where it differs).
        aliases: further names, in the same places.
        inplace: whether Tensor has ``name_`` too, writing the result into the tensor.
        promote: the parameters, by name, whose dtypes are promoted to one before the body runs.
        floating: integers among those become the default float dtype (as in ``exp``).
        upcast: floats of 16 bits and fewer reach the body as float32, and its float32 results
            go back. Leave it off where no arithmetic is done (layout, indexing, comparison).
        fast: a function of arrays alone, equal to the body when all arguments have the same
            dtype and device and no option is given; the small-tensor path calls it directly.
            Or such a function for each NumPy dtype.
        fast_kinds: the kinds of dtype for which it is so: "fc" are the floats and complex numbers,
            "F" the floats of 32 bits and more
            (``floating`` implies no others).
        writes: whether the body writes into its first array.

    A parameter ``inplace``, the last, is handled before the body, which need not look at it.
    The decorated name becomes the public function.
    """
    spaces = (spaces,) if isinstance(spaces, str) else spaces

    def register(body: Callable[..., Any]) -> Callable[..., Any]:
        from .dispatch import public

        short = name or body.__name__
        full = f"{spaces[0]}.{short}" if spaces and spaces[0] else short
        entry = Op(
            full, body, spaces, short if method is True else method or None, aliases, inplace,
            tuple(promote.split()), floating, upcast, fast,
            "".join(k for k in fast_kinds if k in "fFc") if floating else fast_kinds, writes,
        )  # fmt: skip
        return publish(entry, public(entry))

    return register


def publish(entry: Op, function: Callable[..., Any]) -> Callable[..., Any]:
    """Offers a public function everywhere its operator says."""
    from .dispatch import in_place

    if entry.name in OPS:
        raise ValueError(f"operator {entry.name!r} is declared twice")
    OPS[entry.name] = entry
    FUNCTIONS[entry.name] = function
    short = entry.name.rpartition(".")[2]
    for space in entry.spaces:
        for alias in (short, *entry.aliases):
            NAMESPACES.setdefault(space, {})[alias] = function
    names = (entry.method, *entry.aliases) if entry.method else ()
    for method in names:
        METHODS[method] = function
    if entry.inplace:
        mutating = in_place(entry)
        for method in names or (short, *entry.aliases):
            METHODS[f"{method}_"] = mutating
        for space in entry.spaces:
            for alias in (short, *entry.aliases):
                NAMESPACES[space][f"{alias}_"] = mutating
    return function


def namespace(space: str) -> dict[str, Callable[..., Any]]:
    """The public functions of one namespace, by name."""
    return NAMESPACES.get(space, {})


def missing(module: str, name: str, known: Any) -> UnknownNameError:
    """The error for a name that a module does not have, with the nearest that it has."""
    return UnknownNameError(f"{module} has no {name!r}.{nearest(name, known)}")
