"""8-bit operators of com.microsoft on tensors of any shape, against ONNX Runtime."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from microsoft_node import model, run, theirs
from onnx import helper
from single_node import onnxruntime, ours

F32 = np.float32
BYTES = st.sampled_from([np.uint8, np.int8])
PAIRS = [(np.uint8, np.uint8), (np.uint8, np.int8), (np.int8, np.int8)]
SHAPES = st.lists(st.integers(1, 9), min_size=0, max_size=5).map(tuple)
SCALE = st.floats(0.004, 0.9).map(F32)
WITHIN = settings(deadline=None, max_examples=25)


def numbers(dtype: Any, shape: tuple[int, ...], seed: int = 0) -> Any:
    limits = np.iinfo(dtype)
    source = np.random.default_rng([seed, *shape])
    return source.integers(limits.min, limits.max + 1, shape).astype(dtype)


def parameters(scale: Any, dtype: Any, seed: int) -> list[Any]:
    """A scale and a zero point."""
    return [np.array(scale, F32), numbers(dtype, (), seed)]


def both(scales: Any, dtype: Any) -> list[Any]:
    """Scales and zero points of an input and a result."""
    return [*parameters(scales[0], dtype, 0), *parameters(scales[1], dtype, 1)]


def close(have: Any, want: Any, share: float) -> None:
    """Equal but for few that are the neighbour, where sums of floats are almost halves."""
    assert have.shape == want.shape and have.dtype == want.dtype
    off = np.abs(have.astype(int) - want)
    assert off.max(initial=0) <= 1
    assert (off > 0).sum() <= max(share * off.size, 1)


@st.composite
def broadcast(draw: Any) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Two shapes that broadcast against each other."""
    whole = draw(SHAPES)
    found = []
    for _ in range(2):
        kept = [n if draw(st.booleans()) else 1 for n in whole]
        found.append(tuple(kept[draw(st.integers(0, len(kept))) :]))
    return found[0], found[1]


@pytest.mark.parametrize("op_type", ["QLinearAdd", "QLinearMul"])
@given(shapes=broadcast(), dtype=BYTES, scales=st.tuples(SCALE, SCALE, SCALE))
@WITHIN
def test_arithmetic(op_type: str, shapes: Any, dtype: Any, scales: Any) -> None:
    given_ = [parameters(scale, dtype, i) for i, scale in enumerate(scales)]
    a, b = (numbers(dtype, shape, i) for i, shape in enumerate(shapes))
    inputs = [a, *given_[0], b, *given_[1], *given_[2]]
    close(run(op_type, *inputs)[0], theirs(op_type, *inputs)[0], 0.01)


@pytest.mark.parametrize("op_type", ["QLinearSigmoid", "QLinearLeakyRelu"])
@given(shape=SHAPES, dtype=BYTES, scales=st.tuples(SCALE, SCALE), alpha=st.floats(-1, 2))
@WITHIN
def test_functions(op_type: str, shape: Any, dtype: Any, scales: Any, alpha: float) -> None:
    options = {"alpha": alpha} if op_type == "QLinearLeakyRelu" else {}
    inputs = [numbers(dtype, shape), *both(scales, dtype)]
    close(run(op_type, *inputs, **options)[0], theirs(op_type, *inputs, **options)[0], 0.01)


@given(shape=SHAPES.filter(len), dtype=BYTES, scale=st.floats(0.004, 0.1), data=st.data())
@WITHIN
def test_softmax(shape: Any, dtype: Any, scale: float, data: Any) -> None:
    axis = data.draw(st.integers(-len(shape), len(shape) - 1))
    opset = data.draw(st.sampled_from([12, 13]))
    end = [np.array(1 / 256, F32), np.array(np.iinfo(dtype).min, dtype)]
    inputs = [numbers(dtype, shape), *parameters(scale, dtype, 0), *end]
    made = model("QLinearSoftmax", inputs, axis=axis)
    made.graph.node[0].attribute.append(helper.make_attribute("opset", opset))
    close(ours(made, inputs)[0], onnxruntime(made, inputs)[0], 0.02)


@given(
    shape=SHAPES.filter(len), dtype=BYTES, scales=st.lists(SCALE, min_size=2, max_size=5),
    data=st.data(),
)  # fmt: skip
@WITHIN
def test_concat(shape: Any, dtype: Any, scales: Any, data: Any) -> None:
    axis = data.draw(st.integers(-len(shape), len(shape) - 1))
    inputs = [*parameters(scales[0], dtype, 0)]
    for i, scale in enumerate(scales[1:]):
        sizes = list(shape)
        sizes[axis] = data.draw(st.integers(1, 5))
        inputs += [numbers(dtype, tuple(sizes), i), *parameters(scale, dtype, i + 1)]
    have, want = (f("QLinearConcat", *inputs, axis=axis)[0] for f in (run, theirs))
    close(have, want, 0.01)


@given(shapes=broadcast(), dtype=BYTES, scales=st.tuples(SCALE, SCALE, SCALE), data=st.data())
@WITHIN
def test_where(shapes: Any, dtype: Any, scales: Any, data: Any) -> None:
    whole = np.broadcast_shapes(*shapes)
    chosen = np.random.default_rng(0).integers(0, 2, whole[data.draw(st.integers(0, len(whole))) :])
    given_ = [parameters(scale, dtype, i) for i, scale in enumerate(scales)]
    a, b = (numbers(dtype, shape, i) for i, shape in enumerate(shapes))
    inputs = [chosen.astype(bool), a, *given_[0], b, *given_[1], *given_[2]]
    close(run("QLinearWhere", *inputs)[0], theirs("QLinearWhere", *inputs)[0], 0.01)


@given(
    batch=st.integers(1, 3), channels=st.integers(1, 20),
    sizes=st.lists(st.integers(1, 9), min_size=1, max_size=3), dtype=BYTES,
    scales=st.tuples(SCALE, SCALE), last=st.booleans(),
)  # fmt: skip
@WITHIN
def test_global_average_pool(
    batch: int, channels: int, sizes: Any, dtype: Any, scales: Any, last: bool
) -> None:
    shape = (batch, *sizes, channels) if last else (batch, channels, *sizes)
    inputs = [numbers(dtype, shape), *both(scales, dtype)]
    options = {"channels_last": int(last)}
    have, want = (f("QLinearGlobalAveragePool", *inputs, **options)[0] for f in (run, theirs))
    close(have, want, 0.02)


@st.composite
def windows(draw: Any) -> tuple[tuple[int, ...], dict[str, Any]]:
    """Images and windows over them that fit."""
    rank = draw(st.integers(1, 3))
    kernel = [draw(st.integers(1, 4)) for _ in range(rank)]
    pads = [draw(st.integers(0, kernel[i % rank] - 1)) for i in range(2 * rank)]
    sizes = [max(draw(st.integers(1, 9)), k) for k in kernel]
    strides = [draw(st.integers(1, k)) for k in kernel]
    options = {"kernel_shape": kernel, "strides": strides}
    ends = draw(
        st.sampled_from([{"pads": pads}, {"auto_pad": "SAME_UPPER"}, {"auto_pad": "VALID"}])
    )
    return (draw(st.integers(1, 2)), draw(st.integers(1, 9)), *sizes), {**options, **ends}


@given(
    window=windows(), dtype=BYTES, scales=st.tuples(SCALE, SCALE), last=st.booleans(),
    include=st.integers(0, 1), ceil=st.integers(0, 1),
)  # fmt: skip
@WITHIN
def test_average_pool(
    window: Any, dtype: Any, scales: Any, last: bool, include: int, ceil: int
) -> None:
    shape, options = window
    x = numbers(dtype, shape)
    x = np.ascontiguousarray(np.moveaxis(x, 1, -1)) if last else x
    inputs = [x, *both(scales, dtype)]
    options |= {"channels_last": int(last), "count_include_pad": include, "ceil_mode": ceil}
    have, want = (f("QLinearAveragePool", *inputs, **options)[0] for f in (run, theirs))
    close(have, want, 0.03)


@given(window=windows(), dtype=BYTES, ceil=st.integers(0, 1))
@WITHIN
def test_nhwc_max_pool(window: Any, dtype: Any, ceil: int) -> None:
    shape, options = window
    x = np.ascontiguousarray(np.moveaxis(numbers(dtype, shape), 1, -1))
    have, want = (f("NhwcMaxPool", x, ceil_mode=ceil, **options)[0] for f in (run, theirs))
    np.testing.assert_array_equal(have, want)


@given(
    sizes=st.tuples(*[st.integers(1, 20)] * 3), dtypes=st.sampled_from(PAIRS),
    scales=st.tuples(SCALE, SCALE, SCALE), each=st.booleans(),
    turned=st.tuples(st.integers(0, 1), st.integers(0, 1)), bias=st.booleans(),
    quantised=st.booleans(),
)  # fmt: skip
@WITHIN
def test_gemm(
    sizes: Any, dtypes: Any, scales: Any, each: bool, turned: Any, bias: bool, quantised: bool
) -> None:
    m, k, n = sizes
    a = numbers(dtypes[0], (k, m) if turned[0] else (m, k))
    b = numbers(dtypes[1], (n, k) if turned[1] else (k, n), 1)
    b_scale = np.linspace(0.5, 1, n).astype(F32) * scales[1] if each else np.array(scales[1], F32)
    b_zero = numbers(dtypes[1], (n,) if each else (), 3)
    c = np.arange(n, dtype=np.int32) * 50 if bias else None
    end = parameters(scales[2] * F32(k) * F32(5), dtypes[0], 2) if quantised else []
    inputs = [a, *parameters(scales[0], dtypes[0], 0), b, b_scale, b_zero, c, *end]
    options = {"transA": turned[0], "transB": turned[1], "alpha": 0.5}
    have, want = (f("QGemm", *inputs, **options)[0] for f in (run, theirs))
    if quantised:
        close(have, want, 0.01)
    else:
        np.testing.assert_allclose(have, want, rtol=1e-5)
