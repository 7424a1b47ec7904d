"""Modules called with other weights than their own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...errors import StateDictError
from ...tensor import Tensor
from ..module import Module


def functional_call(
    module: Module,
    parameters_and_buffers: Mapping[str, Tensor],
    args: Any = None,
    kwargs: dict[str, Any] | None = None,
    *,
    tie_weights: bool = True,
    strict: bool = False,
) -> Any:
    """What a module gives with these weights, by name, in place of its own.

    With ``tie_weights`` a weight that the module has under several names is replaced under all;
    with ``strict`` all names must be given. Raises StateDictError for unknown names.
    Source: PyTorch ``torch.func.functional_call``.

    >>> import tensorlite as tl
    >>> layer = tl.nn.Linear(1, 1, bias=False)
    >>> functional_call(layer, {"weight": tl.tensor([[3.0]])}, tl.ones(1))
    tensor([3.])
    """
    places = _places(module)
    unknown = sorted(set(parameters_and_buffers) - set(places))
    missing = sorted(set(places) - set(parameters_and_buffers)) if strict else []
    if unknown or missing:
        raise StateDictError(
            f"functional_call: {type(module).__name__} has no {', '.join(unknown) or 'names left'}"
            + (f"; missing: {', '.join(missing)}" if missing else "")
        )
    before = {name: held[key] for name, (held, key) in places.items()}
    given = dict(parameters_and_buffers)
    if tie_weights:
        ties = {id(before[name]): value for name, value in given.items()}
        given = {n: ties[id(t)] for n, t in before.items() if id(t) in ties} | given
    arguments = args if isinstance(args, tuple) else () if args is None else (args,)
    try:
        for name, value in given.items():
            held, key = places[name]
            held[key] = value
        return module(*arguments, **(kwargs or {}))
    finally:
        for name, (held, key) in places.items():
            held[key] = before[name]


def _places(module: Module) -> dict[str, tuple[dict[str, Any], str]]:
    """Where each parameter and buffer is held: a dict and a key, by dotted name."""
    found: dict[str, tuple[dict[str, Any], str]] = {}
    for path, part in module.named_modules(remove_duplicate=False):
        held: Any
        for held in (part._parameters, part._buffers):
            for key, tensor in held.items():
                if tensor is not None:
                    found[f"{path}.{key}" if path else key] = (held, key)
    return found
