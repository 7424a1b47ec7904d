"""Tensors from sizes and numbers: constants, ranges, random numbers."""

from __future__ import annotations

from typing import Any

import numpy as np

import tensorlite as tl
from tensorlite import Tensor

from ....dtypes import dtype as Dtype
from ....errors import OnnxError
from ..casting import cast_to
from ..registry import onnx_op
from ..tensors import dtype_name
from ..values import to_value
from .shape import ints


def dtype_of(code: int | None, default: Dtype = tl.float32) -> Dtype:
    """The dtype of a ``TensorProto.DataType`` code."""
    return default if code is None else tl.dtypes.to_dtype(dtype_name(code))


@onnx_op("Constant")
def constant(*, device: Any, **attributes: Any) -> Any:
    """Only inside functions whose attribute gives the value; others are constants beforehand."""
    ((name, value),) = attributes.items()
    kind = {"value_float": np.float32, "value_floats": np.float32}.get(name)
    return to_value(np.array(value, kind) if kind else value, device)


@onnx_op("ConstantOfShape")
def constant_of_shape(shape: Tensor, *, value: Any = None, device: Any) -> Tensor:
    filled = np.zeros(1, np.float32) if value is None else value
    return to_value(np.full(ints(shape), filled.reshape(-1)[0], filled.dtype), device)


@onnx_op("Range")
def range_(start: Tensor, limit: Tensor, delta: Tensor, *, stash_type: int = 1) -> Tensor:
    """``start + i * delta`` below ``limit``; half precision is computed in ``stash_type``."""
    first, last, step = start.item(), limit.item(), delta.item()
    count = max(int(np.ceil((last - first) / step)), 0)
    dtype = start.dtype
    wide = dtype_of(stash_type) if dtype.is_half else dtype
    steps = tl.arange(count, dtype=wide, device=start.device)
    return (steps * delta.to(wide) + start.to(wide)).to(dtype)


@onnx_op("EyeLike")
def eye_like(x: Tensor, *, dtype: int | None = None, k: int = 0) -> Tensor:
    rows, columns = x.shape
    host = np.eye(rows, columns, k, dtype=dtype_of(dtype, x.dtype).numpy)
    return to_value(host, x.device)


@onnx_op("OneHot", since=11)
def one_hot(indices: Tensor, depth: Tensor, values: Tensor, *, axis: int = -1) -> Tensor:
    """Indices from the end are allowed; those out of range give no one."""
    places = indices.long()
    places = tl.where(places < 0, places + int(depth.item()), places)
    return one_hot_9(places, depth, values, axis=axis)


@onnx_op("OneHot")
def one_hot_9(indices: Tensor, depth: Tensor, values: Tensor, *, axis: int = -1) -> Tensor:
    """At opset 9 negative indices are out of range too."""
    n = int(depth.item())
    if n < 0 or tuple(values.shape) != (2,):
        raise OnnxError(
            f"expected a depth of 0 or more and two values, got {n} and {tuple(values.shape)}"
        )
    if not -indices.ndim - 1 <= axis <= indices.ndim:
        raise OnnxError(f"expected axis from {-indices.ndim - 1} to {indices.ndim}, got {axis}")
    places = indices.long()
    axis = axis + indices.ndim + 1 if axis < 0 else axis
    sizes = [1] * (indices.ndim + 1)
    sizes[axis] = n
    hit = places.unsqueeze(axis) == tl.arange(n, device=indices.device).reshape(sizes)
    return tl.where(hit, values[1], values[0])


def _generator(seed: float | None) -> Any:
    return None if seed is None else tl.Generator().manual_seed(int(seed))


@onnx_op("RandomNormal")
def random_normal(
    *, shape: list[int], dtype: int = 1, mean: float = 0.0, scale: float = 1.0,
    seed: float | None = None, device: Any,
) -> Tensor:  # fmt: skip
    numbers = tl.randn(shape, generator=_generator(seed), device=device)
    return (numbers * scale + mean).to(dtype_of(dtype))


@onnx_op("RandomNormalLike")
def random_normal_like(
    x: Tensor, *, dtype: int | None = None, mean: float = 0.0, scale: float = 1.0,
    seed: float | None = None,
) -> Tensor:  # fmt: skip
    numbers = tl.randn(list(x.shape), generator=_generator(seed), device=x.device)
    return (numbers * scale + mean).to(dtype_of(dtype, x.dtype))


@onnx_op("RandomUniform")
def random_uniform(
    *, shape: list[int], dtype: int = 1, low: float = 0.0, high: float = 1.0,
    seed: float | None = None, device: Any,
) -> Tensor:  # fmt: skip
    numbers = tl.rand(shape, generator=_generator(seed), device=device)
    return (numbers * (high - low) + low).to(dtype_of(dtype))


@onnx_op("RandomUniformLike")
def random_uniform_like(
    x: Tensor, *, dtype: int | None = None, low: float = 0.0, high: float = 1.0,
    seed: float | None = None,
) -> Tensor:  # fmt: skip
    numbers = tl.rand(list(x.shape), generator=_generator(seed), device=x.device)
    return (numbers * (high - low) + low).to(dtype_of(dtype, x.dtype))


@onnx_op("Bernoulli")
def bernoulli(x: Tensor, *, dtype: int | None = None, seed: float | None = None) -> Tensor:
    drawn = tl.rand(list(x.shape), generator=_generator(seed), device=x.device) < x.float()
    return drawn.to(dtype_of(dtype, x.dtype))


@onnx_op("Multinomial")
def multinomial(
    x: Tensor, *, dtype: int = 6, sample_size: int = 1, seed: float | None = None
) -> Tensor:
    """Inputs are unnormalised logarithms of probabilities."""
    chances = tl.softmax(x.float(), -1)
    drawn = tl.multinomial(chances, sample_size, replacement=True, generator=_generator(seed))
    return cast_to(drawn, dtype)
