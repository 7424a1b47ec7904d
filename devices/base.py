"""The Device class, the registry of devices, the default device, and how devices mix.

A new device is a subclass with a ``kind``. It says whether it is usable (``unavailable``) and
how arrays come and go (``from_host``, ``to_host``). With ``xp`` set to an array namespace every
operator's reference body runs on its arrays; with ``xp = None`` operators without a kernel run
on the host, and :func:`tensorlite.explain` shows the copies. What is a view elsewhere is then a
copy, and tensors can be written to (in-place operators, ``x[0] = 1``) if it has a ``write``.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any, ClassVar

import numpy as np

from ..errors import DeviceMismatchError, DeviceUnavailableError, OperatorError, nearest

Fast = dict[str, dict[np.dtype[Any], Callable[..., Any]]]

KINDS: dict[str, type[Device]] = {}
_open: dict[tuple[str, int], Device] = {}
_default: ContextVar[Device | None] = ContextVar("tensorlite_default_device", default=None)
_process_default: Device | None = None
_aside: list[tuple[Device, Fast]] | None = None


class Device:
    """A place where tensors live: ``tl.device("cpu")``, ``tl.device("cuda:1")``.

    Equal names give the same object. As a context manager it is the default device of the block.

    >>> import tensorlite as tl
    >>> tl.device("numba")
    device(type='numba')
    >>> with tl.device("numba"):
    ...     tl.zeros(2).device
    device(type='numba')

    Raises DeviceUnavailableError for a device that cannot be used here, with the reason.
    """

    kind: ClassVar[str] = ""
    xp: Any = np  # the array namespace of its arrays, or None
    host: ClassVar[bool] = False  # its arrays are NumPy arrays, shared with the cpu device
    multiple: ClassVar[bool] = False  # there may be several, told apart by an index
    index: int | None
    fast: Fast
    _tokens: list[Any]

    def __init_subclass__(cls) -> None:
        KINDS[cls.kind] = cls

    def __new__(cls, type: str | Device = "cpu", index: int | None = None) -> Device:
        return resolve(type if index is None else f"{type}:{index}")

    @classmethod
    def unavailable(cls) -> str | None:
        """Why no such device can be used here, or None if one can."""
        return None

    @classmethod
    def count(cls) -> int:
        """How many there are."""
        return 0 if cls.unavailable() else 1

    @classmethod
    def describe(cls) -> str:
        """What it is, in a few words, for ``tl.devices()``."""
        return ""

    def setup(self) -> None:
        """Called once, when the device is first used: the place to import its kernels."""

    def from_host(self, array: np.ndarray[Any, Any]) -> Any:
        """This device's array for a NumPy array (without a copy where memory is shared)."""
        return array

    def to_host(self, array: Any) -> np.ndarray[Any, Any]:
        """The NumPy array for one of this device's."""
        return np.asarray(array)

    def copy(self, array: Any) -> Any:
        """A copy of one of its arrays, in memory of its own."""
        return array.copy() if self.xp is not None else self.from_host(self.to_host(array))

    def write(self, array: Any, values: Any) -> None:
        """Puts the elements of ``values`` into ``array``: both its own, of one shape and dtype."""
        if self.xp is None:
            raise OperatorError(
                f"tensors on {self} cannot be written to: {type(self).__name__} has no write(); "
                "use the form that returns a new tensor"
            )
        array[...] = values

    def synchronize(self) -> None:
        """Waits until all work on the device is done."""

    @property
    def type(self) -> str:
        """The kind of device, as PyTorch names it."""
        return self.kind

    def __enter__(self) -> Device:
        self._tokens.append(_default.set(self))
        return self

    def __exit__(self, *raised: object) -> None:
        _default.reset(self._tokens.pop())

    def __str__(self) -> str:
        return self.kind if self.index is None else f"{self.kind}:{self.index}"

    def __repr__(self) -> str:
        index = "" if self.index is None else f", index={self.index}"
        return f"device(type={self.kind!r}{index})"

    def __reduce__(self) -> tuple[Any, ...]:
        return resolve, (str(self),)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, str):
            return str(self) == other
        return self is other

    def __hash__(self) -> int:
        return hash(str(self))


def resolve(spec: Any) -> Device:
    """The device for a name ("cpu", "cuda:1", "auto"), a Device, or None (the default device)."""
    if isinstance(spec, Device):
        return spec
    if spec is None:
        return default_device()
    text = str(spec)
    kind, _, number = text.partition(":")
    if kind == "auto":
        return _first_usable()
    if kind not in KINDS:
        raise DeviceUnavailableError(
            f"there is no device {text!r}; the devices are {', '.join(KINDS)} and auto."
            f"{nearest(kind, KINDS)}"
        )
    if number and not (number.isdecimal() and (KINDS[kind].multiple or int(number) == 0)):
        raise DeviceUnavailableError(f"{text!r}: expected a name like '{kind}' or '{kind}:0'")
    index = int(number or 0)
    found = _open.get((kind, index))
    return found if found is not None else _start(kind, index)


def _start(kind: str, index: int) -> Device:
    cls = KINDS[kind]
    if reason := cls.unavailable():
        raise DeviceUnavailableError(f"device {kind!r} cannot be used here: {reason}")
    if index >= cls.count():
        raise DeviceUnavailableError(
            f"device '{kind}:{index}' does not exist: there are {cls.count()} of them, from 0"
        )
    device = object.__new__(cls)
    device.index = index if cls.multiple else None
    device._tokens = []
    device.fast = {}
    device.setup()
    found = _open.setdefault((kind, index), device)
    if _aside is not None and found is device:
        _aside.append((device, device.fast))
        device.fast = {}
    return found


def _first_usable() -> Device:
    """cuda where there is one, then numba, then cpu."""
    return next(resolve(k) for k in ("cuda", "numba", "cpu") if KINDS[k].unavailable() is None)


def default_device() -> Device:
    """Where new tensors go: the block's device, the one set, TENSORLITE_DEVICE, or cpu."""
    found = _default.get() or _process_default
    return found if found is not None else resolve(os.environ.get("TENSORLITE_DEVICE") or "cpu")


def set_default_device(device: Any) -> None:
    """Changes where new tensors go when no ``device=`` is given; None undoes it.

    >>> import tensorlite as tl
    >>> tl.set_default_device("numba"); tl.zeros(1).device
    device(type='numba')
    >>> tl.set_default_device(None)
    """
    global _process_default
    _process_default = None if device is None else resolve(device)


def promote_devices(first: Device, second: Device, operator: str) -> Device:
    """The device of an operation on tensors of two devices.

    cpu and another device of host memory give the other; anything else does not mix.
    """
    if first is second:
        return first
    if first.host and second.host and "cpu" in (first.kind, second.kind):
        return first if second.kind == "cpu" else second
    raise DeviceMismatchError(
        f"{operator}: expected all tensors on one device, got {first} and {second}; "
        f"move one of them, e.g. x.to('{first}')"
    )


def set_fast_aside() -> None:
    """Sends every call the general way, on devices that are opened later too."""
    global _aside
    _aside = [(device, device.fast) for device in _open.values()]
    for device, _ in _aside:
        device.fast = {}


def put_fast_back() -> None:
    """Undoes :func:`set_fast_aside`."""
    global _aside
    for device, table in _aside or ():
        device.fast = table
    _aside = None


class DeviceTable(list[dict[str, str]]):
    """The rows of :func:`devices`; prints as a table."""

    def __repr__(self) -> str:
        width = max(len(row["device"]) for row in self)
        lines = [f"{row['device']:<{width}}  {row['usable']:<6}  {row['about']}" for row in self]
        return "\n".join(lines)


def devices() -> DeviceTable:
    """Every device, whether it can be used here, and if not why.

    >>> import tensorlite as tl
    >>> [row["device"] for row in tl.devices() if row["usable"] == "yes"][0]
    'cpu'
    """
    rows = DeviceTable()
    for kind, cls in KINDS.items():
        reason = cls.unavailable()
        names = [f"{kind}:{i}" for i in range(cls.count())] if cls.multiple else [kind]
        for name in names or [kind]:
            about = reason or cls.describe()
            rows.append({"device": name, "usable": "no" if reason else "yes", "about": about})
    return rows
