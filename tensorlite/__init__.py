"""tensorlite: an eager tensor library for inference, in PyTorch's way of writing things.

>>> import tensorlite as tl
>>> x = tl.tensor([[1.0, -2.0], [3.0, 4.0]])
>>> tl.relu(x @ x.T)
tensor([[ 5.,  0.],
        [ 0., 25.]])
"""

from __future__ import annotations

import math
from typing import Any

from . import dtypes, errors
from .devices import default_device as get_default_device
from .devices import devices, set_default_device
from .devices.base import Device as device
from .devices.kernels import kernel
from .dtypes import (
    bfloat16,
    complex64,
    complex128,
    dtype,
    finfo,
    float4_e2m1fn,
    float8_e4m3fn,
    float8_e4m3fnuz,
    float8_e5m2,
    float8_e5m2fnuz,
    float8_e8m0fnu,
    float16,
    float32,
    float64,
    get_default_dtype,
    iinfo,
    int2,
    int4,
    int8,
    int16,
    int32,
    int64,
    promote_types,
    set_default_dtype,
    uint2,
    uint4,
    uint8,
    uint16,
    uint32,
    uint64,
)
from .errors import TensorliteError
from .grad_mode import enable_grad, inference_mode, is_grad_enabled, no_grad, set_grad_enabled
from .size import Size
from .tensor import Tensor
from .threads import get_num_threads as get_num_threads
from .threads import set_num_threads as set_num_threads

# isort: split
from . import ops
from .construct import as_tensor, asarray, from_dlpack, from_numpy, frombuffer, tensor
from .ops.explain import explain
from .ops.registry import METHODS, missing, namespace
from .printing import set_printoptions
from .random import (
    Generator,
    default_generator,
    get_rng_state,
    initial_seed,
    manual_seed,
    seed,
    set_rng_state,
)
from .tensor import attach

__version__ = "0.1.0.dev0"

bool = dtypes.bool_
half, float, double = float16, float32, float64
short, int, long = int16, int32, int64
cfloat, cdouble = complex64, complex128
strided, contiguous_format, preserve_format = "strided", "contiguous_format", "preserve_format"
channels_last, channels_last_3d = "channels_last", "channels_last_3d"
inf, nan, pi, e, newaxis = math.inf, math.nan, math.pi, math.e, None

attach(METHODS)
globals().update(namespace(""))

# isort: split
from . import fft, linalg, masked, nn, signal, special, trees  # noqa: E402

# Loaded when first used: they import what most programs do not need.
_LAZY = {
    "onnx": ("converters.onnx", None),
    "codec": ("codec", None),
    "load": ("converters.files", "load"),
    "save": ("converters.files", "save"),
    "fetch": ("fetch", None),
}


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        from importlib import import_module

        place, attribute = _LAZY[name]
        module = import_module(f".{place}", __name__)
        found = module if attribute is None else getattr(module, attribute)
        globals()[name] = found
        return found
    if name.startswith("__"):
        raise AttributeError(name)
    raise missing("tensorlite", name, [*globals(), *_LAZY])


def __dir__() -> list[str]:
    return sorted({n for n in globals() if not n.startswith("_")} | set(_LAZY))
