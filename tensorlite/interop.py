"""Other libraries' protocols: NumPy's functions on tensors, and DLPack both ways."""

from __future__ import annotations

from typing import Any

import numpy as np

from .devices.base import resolve
from .errors import ArgumentError, DTypeError, OperatorError
from .tensor import Tensor, wrap

# NumPy's names for what PyTorch calls otherwise; most names are the same or an alias.
_RENAMED = {
    "power": "pow",
    "invert": "bitwise_not",
    "left_shift": "bitwise_left_shift",
    "right_shift": "bitwise_right_shift",
    "conjugate": "conj",
    "rint": "round",
    "float_power": "float_power",
    "fabs": "abs",
    "equal": "eq",
}


def numpy_ufunc(ufunc: Any, method: str, inputs: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """A NumPy universal function called on tensors: the operator of the same meaning."""
    from .ops.registry import NAMESPACES

    name = _RENAMED.get(ufunc.__name__, ufunc.__name__)
    function = NAMESPACES[""].get(name) or NAMESPACES.get("special", {}).get(name)
    if method != "__call__" or kwargs or function is None:
        asked = f"numpy.{ufunc.__name__}" + ("" if method == "__call__" else f".{method}")
        raise ArgumentError(
            f"{asked}: not available on a Tensor{' with ' + ', '.join(kwargs) if kwargs else ''}; "
            "use tensorlite's own functions, or x.numpy() for NumPy's"
        )
    return function(*[wrap(x, resolve("cpu")) if isinstance(x, np.ndarray) else x for x in inputs])


def to_dlpack(tensor: Tensor, **kwargs: Any) -> Any:
    """The DLPack capsule of a tensor; other libraries read its memory without a copy."""
    if not hasattr(tensor._array, "__dlpack__"):
        raise OperatorError(
            f"DLPack: tensors on {tensor.device} cannot be exchanged; use x.cpu() first"
        )
    try:
        return tensor._array.__dlpack__(**kwargs)
    except (BufferError, TypeError) as error:
        raise DTypeError(
            f"DLPack: a {tensor.dtype.name} tensor of shape {tuple(tensor.shape)} cannot be "
            f"exchanged ({error}); convert it first, e.g. x.float()"
        ) from error


def from_dlpack(source: Any) -> Tensor:
    """See :func:`tensorlite.from_dlpack`."""
    if not hasattr(source, "__dlpack__"):
        raise ArgumentError(
            f"from_dlpack: expected an object with __dlpack__, got {type(source).__name__}"
        )
    kind, index = source.__dlpack_device__()
    if int(kind) in (2, 13):  # kDLCUDA, kDLCUDAManaged
        device = resolve(f"cuda:{index}")
        return wrap(device.xp.from_dlpack(source), device)
    try:
        return wrap(np.from_dlpack(source), resolve("cpu"))
    except (BufferError, RuntimeError, TypeError) as error:
        raise DTypeError(
            f"from_dlpack: NumPy cannot take this {type(source).__name__}: {error}"
        ) from error
