"""Results of operators in shape and dtype only, for a trace that needs no numbers.

An operator of single elements is called on one element of each operand; a convolution or a
pooling on one channel of one image. What is not listed here runs as it is, on the zeros that
stand for numbers. A zero is kept once whatever the shape is: its strides are 0.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np

from ..dtypes import dtype as Dtype
from ..tensor import Tensor, wrap
from .nested import flattened, mapped
from .registry import OPS

Array = np.ndarray[Any, Any]
Rule = Callable[[Callable[..., Any], tuple[Any, ...], Mapping[str, Any]], Array | None]

ELEMENTS = (
    "add sub rsub mul div maximum minimum pow relu sigmoid tanh exp sqrt rsqrt erf neg abs floor "
    "ceil round trunc square reciprocal log clamp where eq ne lt le gt ge logical_and logical_or "
    "logical_not fma to "
    "nn.functional.silu nn.functional.gelu nn.functional.relu6 nn.functional.hardtanh "
    "nn.functional.hardswish nn.functional.hardsigmoid nn.functional.leaky_relu nn.functional.elu"
).split()
SAME = (
    "softmax nn.functional.layer_norm nn.functional.batch_norm nn.functional.group_norm "
    "nn.functional.rms_norm"
).split()
DIMENSIONS = (1, 2, 3)


def zeros(shape: tuple[int, ...], dtype: Any) -> Array:
    """Zeros of any shape in the memory of one."""
    return np.broadcast_to(np.zeros((), dtype), shape)


def sketched(
    name: str, function: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]
) -> Array | None:
    """Zeros like the result of a call, or None where the call itself is to be made."""
    rule = RULES.get(name)
    if rule is None or any(0 in v.shape for v in _tensors(args, kwargs)):
        return None
    at = OPS[name].inplace_at
    if kwargs.get("inplace") or (at is not None and at < len(args) and args[at]):
        return None
    return rule(function, args, kwargs)


def _tensors(args: Any, kwargs: Any) -> list[Tensor]:
    return [v for v in flattened((args, dict(kwargs))) if isinstance(v, Tensor)]


def _small(value: Any, *sizes: int) -> Any:
    """A tensor with at most so many elements in each dimension."""
    array = value._array
    cut = tuple(slice(0, n) for n in (sizes or (1,) * array.ndim))
    return wrap(np.ones(array[cut].shape, array.dtype), value._device)


def _elements(function: Any, args: Any, kwargs: Any) -> Array | None:
    given = _tensors(args, kwargs)
    few = mapped(lambda v: _small(v) if isinstance(v, Tensor) else v, (args, dict(kwargs)))
    found = function(*few[0], **few[1])
    if not isinstance(found, Tensor):
        return None
    shape = np.broadcast_shapes(*[tuple(v.shape) for v in given])
    return zeros(shape, found._array.dtype)


def _same(function: Any, args: Any, kwargs: Any) -> Array | None:
    if not args or not isinstance(args[0], Tensor):
        return None
    x = args[0]._array
    other = any(isinstance(v, Dtype) for v in flattened((args, dict(kwargs))))
    return zeros(x.shape, x.dtype) if x.dtype.kind == "f" and not other else None


def _linear(function: Any, args: Any, kwargs: Any) -> Array | None:
    if len(args) < 2 or kwargs or any(not isinstance(v, Tensor) for v in args if v is not None):
        return None
    x, w = args[0]._array, args[1]._array
    if x.ndim < 1 or w.ndim != 2 or x.shape[-1] != w.shape[1] or x.dtype != w.dtype:
        return None
    return zeros((*x.shape[:-1], len(w)), x.dtype)


def _matmul(function: Any, args: Any, kwargs: Any) -> Array | None:
    if len(args) != 2 or kwargs or not all(isinstance(v, Tensor) for v in args):
        return None
    a, b = args[0]._array, args[1]._array
    if min(a.ndim, b.ndim) < 2 or a.shape[-1] != b.shape[-2] or a.dtype != b.dtype:
        return None
    lead = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    return zeros((*lead, a.shape[-2], b.shape[-1]), a.dtype)


def _attention(function: Any, args: Any, kwargs: Any) -> Array | None:
    if len(args) < 3 or not all(isinstance(v, Tensor) for v in args[:3]):
        return None
    q, k, v = (a._array for a in args[:3])
    lead = q.shape[:-2]
    if q.ndim < 2 or k.shape[:-2] != lead or v.shape[:-2] != lead:
        return None
    fits = q.shape[-1] == k.shape[-1] and k.shape[-2] == v.shape[-2]
    return zeros((*q.shape[:-1], v.shape[-1]), q.dtype) if fits else None


def _windows(count: int, function: Any, args: Any, kwargs: Any) -> Array | None:
    x = args[0] if args else None
    if not isinstance(x, Tensor) or kwargs.get("return_indices") or x.ndim != count + 2:
        return None
    found = function(_small(x, 1, 1), *args[1:], **kwargs)
    if not isinstance(found, Tensor) or found.ndim != x.ndim:
        return None
    return zeros((*x.shape[:2], *found.shape[2:]), found._array.dtype)


def _convolution(count: int, function: Any, args: Any, kwargs: Any) -> Array | None:
    """Of one channel, whose weights and groups are one."""
    given = dict(zip(_ARGUMENTS, args, strict=False)) | dict(kwargs)
    x, w, bias = (given.pop(name, None) for name in _ARGUMENTS[:3])
    groups = given.pop("groups", 1)
    if not isinstance(x, Tensor) or not isinstance(w, Tensor) or x.dtype != w.dtype:
        return None
    if not x.ndim == w.ndim == count + 2 or x.shape[1] != w.shape[1] * groups:
        return None
    if bias is not None and (tuple(bias.shape) != (w.shape[0],) or bias.dtype != x.dtype):
        return None
    found = function(_small(x, 1, 1), _small(w, 1, 1), **given)
    return zeros((x.shape[0], w.shape[0], *found.shape[2:]), found._array.dtype)


_ARGUMENTS = ("input", "weight", "bias", "stride", "padding", "dilation", "groups")

RULES: dict[str, Rule] = {
    **dict.fromkeys(ELEMENTS, _elements),
    **dict.fromkeys(SAME, _same),
    **{f"nn.functional.max_pool{n}d": partial(_windows, n) for n in DIMENSIONS},
    **{f"nn.functional.avg_pool{n}d": partial(_windows, n) for n in DIMENSIONS},
    **{f"nn.functional.conv{n}d": partial(_convolution, n) for n in DIMENSIONS},
    "nn.functional.linear": _linear,
    "matmul": _matmul,
    "nn.functional.scaled_dot_product_attention": _attention,
}
