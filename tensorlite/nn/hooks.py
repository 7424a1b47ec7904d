"""Hooks of modules: functions that are called before or after ``forward``."""

from __future__ import annotations

import itertools
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, NamedTuple

from ..errors import AutogradError

_ids = itertools.count()


class Hook(NamedTuple):
    """A forward hook, or one from before it."""

    function: Callable[..., Any]
    with_kwargs: bool = False
    always_call: bool = False


class RemovableHandle:
    """What registering a hook returns; ``remove()``, or leaving its ``with`` block, undoes it."""

    def __init__(self, hooks: dict[int, Any], hook: Any, *, prepend: bool = False) -> None:
        self.id = next(_ids)
        self._hooks = hooks
        hooks[self.id] = hook
        if prepend:
            for key in [k for k in hooks if k != self.id]:
                hooks[key] = hooks.pop(key)

    def remove(self) -> None:
        """Takes the hook away; a second time does nothing."""
        self._hooks.pop(self.id, None)

    def __enter__(self) -> RemovableHandle:
        return self

    def __exit__(self, *raised: object) -> None:
        self.remove()


def new_hooks() -> dict[str, Any]:
    """The attributes of a module without hooks."""
    before = ("forward_pre", "state_dict_pre", "load_state_dict_pre")
    after = ("forward", "state_dict", "load_state_dict_post")
    return {f"_{kind}_hooks": OrderedDict() for kind in before + after}


class WithHooks:
    """The part of a Module that registers hooks."""

    _forward_hooks: dict[int, Hook]
    _forward_pre_hooks: dict[int, Hook]
    _state_dict_hooks: dict[int, Any]
    _state_dict_pre_hooks: dict[int, Any]
    _load_state_dict_pre_hooks: dict[int, Any]
    _load_state_dict_post_hooks: dict[int, Any]

    def register_forward_pre_hook(
        self, hook: Callable[..., Any], *, prepend: bool = False, with_kwargs: bool = False
    ) -> RemovableHandle:
        """Has ``hook(module, args)`` called before ``forward``; what it returns are the new args.

        With ``with_kwargs`` it is ``hook(module, args, kwargs)`` and returns both or None.
        """
        return RemovableHandle(self._forward_pre_hooks, Hook(hook, with_kwargs), prepend=prepend)

    def register_forward_hook(
        self,
        hook: Callable[..., Any],
        *,
        prepend: bool = False,
        with_kwargs: bool = False,
        always_call: bool = False,
    ) -> RemovableHandle:
        """Has ``hook(module, args, output)`` called after ``forward``; it may return a new output.

        With ``with_kwargs`` it is ``hook(module, args, kwargs, output)``; with ``always_call`` it
        is called (with the output None) when ``forward`` raises, too.
        """
        entry = Hook(hook, with_kwargs, always_call)
        return RemovableHandle(self._forward_hooks, entry, prepend=prepend)

    def register_full_backward_hook(
        self, hook: Callable[..., Any], prepend: bool = False
    ) -> RemovableHandle:
        """Always AutogradError: there are no gradients."""
        raise AutogradError("backward hooks: tensorlite is for inference and has no autograd")

    register_backward_hook = register_full_backward_pre_hook = register_full_backward_hook

    def register_state_dict_pre_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Has ``hook(module, prefix, keep_vars)`` called before ``state_dict``."""
        return RemovableHandle(self._state_dict_pre_hooks, hook)

    def register_state_dict_post_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Has ``hook(module, state_dict, prefix, local_metadata)`` called after ``state_dict``."""
        return RemovableHandle(self._state_dict_hooks, hook)

    _register_state_dict_hook = register_state_dict_post_hook

    def register_load_state_dict_pre_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Has ``hook(module, state_dict, prefix, ...)`` called before weights are loaded."""
        return self._register_load_state_dict_pre_hook(hook, with_module=True)

    def _register_load_state_dict_pre_hook(
        self, hook: Callable[..., Any], with_module: bool = False
    ) -> RemovableHandle:
        return RemovableHandle(self._load_state_dict_pre_hooks, (hook, with_module))

    def register_load_state_dict_post_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Has ``hook(module, incompatible_keys)`` called after weights are loaded."""
        return RemovableHandle(self._load_state_dict_post_hooks, hook)


def call_with_hooks(module: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """``module.forward`` with its hooks around it, as PyTorch calls them."""
    called: set[int] = set()
    try:
        args, kwargs = _before(module, args, kwargs)
        result = module.forward(*args, **kwargs)
        for key, hook in list(module._forward_hooks.items()):
            called.add(key)
            result = _after(module, hook, args, kwargs, result)
        return result
    except Exception:
        for key, hook in list(module._forward_hooks.items()):
            if hook.always_call and key not in called:
                _after(module, hook, args, kwargs, None)
        raise


def _before(module: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    for hook in list(module._forward_pre_hooks.values()):
        if hook.with_kwargs:
            changed = hook.function(module, args, kwargs)
            if changed is not None:
                args, kwargs = changed
        else:
            changed = hook.function(module, args)
            if changed is not None:
                args = changed if isinstance(changed, tuple) else (changed,)
    return args, kwargs


def _after(
    module: Any, hook: Hook, args: tuple[Any, ...], kwargs: dict[str, Any], result: Any
) -> Any:
    if hook.with_kwargs:
        changed = hook.function(module, args, kwargs, result)
    else:
        changed = hook.function(module, args, result)
    return result if changed is None else changed
