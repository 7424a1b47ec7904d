"""Hooks of modules: functions that are called before or after ``forward``."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any, NamedTuple

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


def call(module: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
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
