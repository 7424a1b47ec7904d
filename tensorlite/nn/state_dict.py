"""The weights of a module by name, out of it and into it.

``Module.state_dict`` and ``Module.load_state_dict`` are here, with the parts of them that a
layer may override (``_save_to_state_dict``, ``_load_from_state_dict``).
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from ..construct import as_tensor
from ..errors import ArgumentError, StateDictError
from ..tensor import Tensor
from .parameter import Parameter, is_lazy

if TYPE_CHECKING:
    from .module import Module

EXTRA = "_extra_state"


class IncompatibleKeys(NamedTuple):
    """What ``load_state_dict`` returns: names without weights, and weights without a place."""

    missing_keys: list[str]
    unexpected_keys: list[str]

    def __repr__(self) -> str:
        if not (self.missing_keys or self.unexpected_keys):
            return "<All keys matched successfully>"
        return f"IncompatibleKeys(missing_keys={self.missing_keys}, " + (
            f"unexpected_keys={self.unexpected_keys})"
        )


class StateDict(OrderedDict[str, Any]):
    """Tensors by name, in the module's order; ``_metadata`` has each module's version."""

    _metadata: OrderedDict[str, dict[str, Any]]


class WithState:
    """The part of a Module that gives and takes its weights."""

    def state_dict(
        self,
        *args: Any,
        destination: Any = None,
        prefix: str = "",
        keep_vars: bool = False,
    ) -> Any:
        """The parameters and persistent buffers by name; they share the module's memory.

        >>> import tensorlite as tl
        >>> list(tl.nn.Sequential(tl.nn.Linear(1, 1), tl.nn.ReLU()).state_dict())
        ['0.weight', '0.bias']
        """
        given = dict(zip(("destination", "prefix", "keep_vars"), args, strict=False))
        chosen = {"destination": destination, "prefix": prefix, "keep_vars": keep_vars, **given}
        return save(self, **chosen)

    def load_state_dict(
        self, state_dict: Mapping[str, Any], strict: bool = True, assign: bool = False
    ) -> IncompatibleKeys:
        """Copies weights (tensors or NumPy arrays by name) into the module.

        With ``strict=False`` names that do not fit are returned instead of raised; with
        ``assign=True`` the tensors themselves are taken, with their dtypes and devices.
        Raises StateDictError with the missing, unexpected and unfitting names, sorted.

        >>> import tensorlite as tl
        >>> layer = tl.nn.Linear(1, 2)
        >>> layer.load_state_dict({"weight": tl.ones(2, 1), "bias": tl.zeros(2)})
        <All keys matched successfully>
        """
        return load(self, state_dict, strict, assign)

    def _save_to_state_dict(self, destination: Any, prefix: str, keep_vars: bool) -> None:
        save_own(self, destination, prefix, keep_vars)

    def _load_from_state_dict(self, *args: Any) -> None:
        load_own(self, *args)

    def get_extra_state(self) -> Any:
        """Anything more to keep in the state_dict; a subclass may say what."""
        raise NotImplementedError("get_extra_state: this module has no extra state")

    def set_extra_state(self, state: Any) -> None:
        """Takes what ``get_extra_state`` gave."""
        raise NotImplementedError("set_extra_state: this module has no extra state")


def save(module: Any, destination: Any, prefix: str, keep_vars: bool) -> Any:
    """The state of a module and of all inside it, added to ``destination``."""
    if destination is None:
        destination = StateDict()
        destination._metadata = OrderedDict()
    metadata = {"version": module._version}
    if hasattr(destination, "_metadata"):
        destination._metadata[prefix[:-1]] = metadata
    for hook in list(module._state_dict_pre_hooks.values()):
        hook(module, prefix, keep_vars)
    module._save_to_state_dict(destination, prefix, keep_vars)
    for name, child in module._modules.items():
        if child is not None:
            child.state_dict(
                destination=destination, prefix=f"{prefix}{name}.", keep_vars=keep_vars
            )
    for hook in list(module._state_dict_hooks.values()):
        changed = hook(module, destination, prefix, metadata)
        destination = destination if changed is None else changed
    return destination


def save_own(module: Any, destination: Any, prefix: str, keep_vars: bool) -> None:
    """The state of a module without those inside it."""
    for name, tensor in _own(module).items():
        if tensor is not None:
            destination[prefix + name] = tensor if keep_vars or is_lazy(tensor) else tensor.detach()
    if _has_extra_state(module):
        destination[prefix + EXTRA] = module.get_extra_state()


def load(module: Any, state_dict: Any, strict: bool, assign: bool) -> IncompatibleKeys:
    """Copies weights into a module by name; with ``assign`` puts them in its place."""
    if not isinstance(state_dict, Mapping):
        raise ArgumentError(
            "load_state_dict: expected a dict of tensors by name, got "
            f"{type(state_dict).__name__}; read a file with tl.load(path)"
        )
    missing: list[str] = []
    unexpected: list[str] = []
    errors: list[str] = []
    versions = getattr(state_dict, "_metadata", None) or {}

    def visit(module: Module, state: dict[str, Any], prefix: str) -> None:
        local = dict(versions.get(prefix[:-1], {}))
        if assign:
            local["assign_to_params_buffers"] = True
        module._load_from_state_dict(state, prefix, local, True, missing, unexpected, errors)
        for name, child in module._modules.items():
            if child is not None:
                inner = f"{prefix}{name}."
                visit(child, {k: v for k, v in state.items() if k.startswith(inner)}, inner)
        result = IncompatibleKeys(missing, unexpected)
        for hook in list(module._load_state_dict_post_hooks.values()):
            hook(module, result)

    visit(module, dict(state_dict), "")
    if errors or (strict and (missing or unexpected)):
        raise StateDictError(
            _complaint(module, missing if strict else [], unexpected if strict else [], errors)
        )
    return IncompatibleKeys(missing, unexpected)


def load_own(
    module: Any,
    state_dict: dict[str, Any],
    prefix: str,
    local_metadata: dict[str, Any],
    strict: bool,
    missing_keys: list[str],
    unexpected_keys: list[str],
    error_msgs: list[str],
) -> None:
    """Copies a module's own weights; what does not fit is added to the three lists."""
    report = (local_metadata, strict, missing_keys, unexpected_keys, error_msgs)
    for hook, with_module in list(module._load_state_dict_pre_hooks.values()):
        hook(*([module] if with_module else []), state_dict, prefix, *report)
    own = _own(module)
    for name, target in own.items():
        key = prefix + name
        if target is None:
            continue
        if key in state_dict:
            assign = local_metadata.get("assign_to_params_buffers", False)
            problem = _put(module, name, target, state_dict[key], assign)
            if problem:
                error_msgs.append(f"{key}: {problem}")
        elif strict:
            missing_keys.append(key)
    if _has_extra_state(module):
        if prefix + EXTRA in state_dict:
            module.set_extra_state(state_dict[prefix + EXTRA])
        elif strict:
            missing_keys.append(prefix + EXTRA)
    if strict:
        known = {name for name, target in own.items() if target is not None} | set(module._modules)
        if _has_extra_state(module):
            known.add(EXTRA)
        for key in state_dict:
            if key.startswith(prefix) and _first(module, key[len(prefix) :]) not in known:
                unexpected_keys.append(key)


def _first(module: Module, name: str) -> str:
    """The child that a name leads to, or the whole name of a tensor of the module itself."""
    child = name.partition(".")[0]
    return child if child in module._modules and child != name else name


def _own(module: Module) -> dict[str, Any]:
    """A module's own parameters and persistent buffers."""
    transient = module._non_persistent_buffers_set
    buffers = {k: v for k, v in module._buffers.items() if k not in transient}
    return {**module._parameters, **buffers}


def _has_extra_state(module: Module) -> bool:
    from .module import Module as Base

    return type(module).get_extra_state is not Base.get_extra_state


def _put(module: Module, name: str, target: Tensor, value: Any, assign: bool) -> str | None:
    """Puts a value in a tensor's place; the reason if it does not fit."""
    try:
        value = as_tensor(value)
    except (TypeError, ValueError) as error:
        return f"expected a tensor, got {type(value).__name__} ({error})"
    if is_lazy(value):
        return None
    if is_lazy(target):
        return "the module is lazy and does not take weights before its first call"
    if target.ndim == 0 and tuple(value.shape) == (1,):
        value = value[0]  # as PyTorch before 0.4 stored numbers
    if tuple(value.shape) != tuple(target.shape):
        return f"expected shape {tuple(target.shape)}, got {tuple(value.shape)}"
    if assign:
        setattr(module, name, Parameter(value) if isinstance(target, Parameter) else value)
    else:
        target._device.write(target._array, value.to(target.device, target.dtype)._array)
    return None


def _complaint(module: Module, missing: list[str], unexpected: list[str], errors: list[str]) -> str:
    lines = [f"load_state_dict: the weights do not fit {type(module).__name__}"]
    if missing:
        lines.append(f"missing ({len(missing)}): {', '.join(sorted(missing))}")
    if unexpected:
        lines.append(f"unexpected ({len(unexpected)}): {', '.join(sorted(unexpected))}")
    if errors:
        lines.append(f"not fitting ({len(errors)}): {'; '.join(sorted(errors))}")
    return "\n  ".join(lines + _hint(missing, unexpected, bool(errors)))


def _hint(missing: list[str], unexpected: list[str], errors: bool) -> list[str]:
    """What to do, where a prefix is all that is wrong or ``strict=False`` would do."""
    for name in unexpected:
        for wanted in missing:
            if name.endswith(f".{wanted}"):
                prefix = name[: -len(wanted)]
                return [f"these weights have {prefix!r} in front of their names; remove it first"]
            if wanted.endswith(f".{name}"):
                prefix = wanted[: -len(name)]
                return [f"the module's names begin with {prefix!r}; put it in front first"]
    return [] if errors else ["strict=False loads those that fit"]
