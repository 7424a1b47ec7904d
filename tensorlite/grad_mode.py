"""``no_grad``, ``inference_mode`` and their kin: tensorlite is always in inference mode.

They exist so that PyTorch code for inference runs unchanged, as context managers and as
decorators. Asking for gradients is one clear error.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ContextDecorator
from typing import Any

from .errors import AutogradError


class no_grad(ContextDecorator):
    """Does nothing: there are no gradients. As a context manager and as a decorator.

    >>> import tensorlite as tl
    >>> with tl.no_grad():
    ...     tl.ones(1) + 1
    tensor([2.])
    """

    def __new__(cls, function: Callable[..., Any] | None = None) -> Any:
        made = super().__new__(cls)
        return made(function) if callable(function) else made

    def __enter__(self) -> None:
        return None

    def __exit__(self, *details: object) -> None:
        return None


class inference_mode(no_grad):
    """Does nothing: everything runs in inference mode. ``mode=False`` does nothing either."""

    def __new__(cls, mode: Any = True) -> Any:
        return super().__new__(cls, mode if callable(mode) else None)


class set_grad_enabled(no_grad):
    """Does nothing for False; AutogradError for True."""

    def __new__(cls, mode: bool) -> Any:
        if mode:
            raise AutogradError("set_grad_enabled(True): tensorlite has no autograd")
        return super().__new__(cls)


class enable_grad(no_grad):
    """Always AutogradError."""

    def __new__(cls, function: Callable[..., Any] | None = None) -> Any:
        raise AutogradError("enable_grad: tensorlite is for inference and has no autograd")


def is_grad_enabled() -> bool:
    """Always False."""
    return False
