"""Kernels: functions that do an operator's work on one device, for the arguments they take.

A kernel has the operator's arguments, as raw arrays. Its ``when`` has the same arguments and
says why it does not take them, or None. Kernels of an operator are asked in the order they were
registered; when none takes the arguments the operator's reference body runs.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

Function = TypeVar("Function", bound=Callable[..., Any])
When = Callable[..., str | None]


@dataclass(frozen=True)
class Kernel:
    """One kernel: what it computes, where, and for which arguments."""

    operator: str
    device: str
    run: Callable[..., Any]
    when: When | None
    min_size: int

    @property
    def label(self) -> str:
        """How it is named in the table of :func:`tensorlite.explain`."""
        return f"{self.device}:{self.run.__name__}"


KERNELS: dict[str, dict[str, list[Kernel]]] = defaultdict(lambda: defaultdict(list))


def kernel(
    device: str, operator: str, *, when: When | None = None, min_size: int = 0
) -> Callable[[Function], Function]:
    """Registers the decorated function as a kernel of ``operator`` on ``device``.

    Args:
        device: the kind of device, such as "numba".
        operator: the operator's full name, such as "relu" or "nn.functional.conv2d".
        when: called with the operator's arguments (raw arrays); the reason for which the kernel
            does not take them, or None if it does.
        min_size: first arguments with fewer elements are left to the reference, without asking.

    Example (a device's own ``relu``)::

        @kernel("toy", "relu", when=lambda input: None if input.ndim else "0-d")
        def relu(input):
            return numpy.maximum(input, 0)
    """

    def register(function: Function) -> Function:
        entry = Kernel(operator, device, function, when, min_size)
        KERNELS[device][operator].append(entry)
        return function

    return register


def choose(
    device: str, operator: str, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[Kernel | None, list[str]]:
    """The kernel that takes these arguments, if any, and why the ones before it did not."""
    reasons: list[str] = []
    for entry in KERNELS[device].get(operator, ()):
        size = getattr(args[0], "size", 0) if args else 0
        reason: str | None
        if entry.min_size and size < entry.min_size:
            reason = f"{size} elements, worth it from {entry.min_size}"
        else:
            reason = entry.when(*args, **kwargs) if entry.when else None
        if reason is None:
            return entry, reasons
        reasons.append(f"{entry.run.__name__}: {reason}")
    return None, reasons
