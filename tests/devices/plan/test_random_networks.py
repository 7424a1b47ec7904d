"""Small random networks as plans, against the same networks on cpu.

The arena is filled with NaN between runs, so that nothing can hang on what was left there.
"""

from __future__ import annotations

import ctypes
import random
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tensorlite as tl
import tensorlite.nn.functional as F
from tensorlite.errors import TensorliteError

pytest.importorskip("llvmlite")

from tensorlite.devices.numba.plan import compile

Layer = Callable[[Any], Any]
ACTIVATIONS: list[Layer] = [
    F.relu, F.silu, tl.sigmoid, tl.tanh, F.gelu, F.hardswish, F.leaky_relu,
    lambda x: x.clamp(-0.5, 0.7), lambda x: x * x, lambda x: x * tl.sigmoid(x),
    lambda x: (x + 1) / 2 - x, lambda x: x * 0.5 * (1 + tl.erf(x / 2**0.5)),
]  # fmt: skip


class Networks:
    """Draws layers for images of a shape."""

    def __init__(self, seed: int) -> None:
        self.random, self.numbers = random.Random(seed), np.random.default_rng(seed)

    def tensor(self, *shape: int) -> tl.Tensor:
        return tl.from_numpy((self.numbers.standard_normal(shape) * 0.3).astype(np.float32))

    def convolution(self, c: int, h: int, w: int) -> Layer | None:
        draw = self.random
        groups = draw.choice([1, 1, 1, c])
        o = draw.choice([groups, groups * 2]) if groups > 1 else draw.choice([1, 8, 17, 32, 48, 80])
        kh = draw.choice([1, 1, 3, 3, 5, 2])
        kw = draw.choice([1, 3, kh, kh])
        stride, dilation = draw.choice([1, 1, 2, (1, 2)]), draw.choice([1, 1, 2])
        padding = draw.choice([0, kh // 2, (kh // 2, kw // 2), 1])
        if kh * dilation > h or kw * dilation > w:
            return None
        weight, bias = self.tensor(o, c // groups, kh, kw), draw.choice([None, self.tensor(o)])
        return lambda x: F.conv2d(x, weight, bias, stride, padding, dilation, groups)

    def quantized(self, c: int, h: int, w: int) -> Layer:
        """A convolution of 8-bit numbers, for a first layer: its input is not rounded yet."""
        draw = self.random
        groups, o = draw.choice([(1, 7), (1, 64), (c, c), (c, 2 * c)])
        k, stride, padding = draw.choice([1, 2, 3]), draw.choice([1, 2]), draw.choice([0, 1])
        dtype, middle = draw.choice([(tl.uint8, 128), (tl.int8, 0)])
        zero = tl.tensor(middle, dtype=dtype)
        weight = (self.tensor(o, c // groups, k, k) * 300).clamp(-128, 127).to(tl.int8)
        limits = tl.iinfo(dtype)

        def layer(x: Any) -> Any:
            given = tl.clamp(tl.round(x * 50) + middle, limits.min, limits.max).to(dtype)
            y = tl.integer_conv(given, weight, None, zero, None, stride, padding, 1, groups)
            return y.float() * 1e-4

        return layer

    def pooling(self, c: int, h: int, w: int) -> Layer | None:
        draw = self.random
        size, stride = draw.choice([2, 3]), draw.choice([1, 2])
        padding, ceil = draw.choice([0, 1]), draw.choice([True, False])
        if min(h, w) < 3:
            return None
        if draw.random() < 0.5:
            return lambda x: F.max_pool2d(x, size, stride, padding, ceil_mode=ceil)
        inside = draw.choice([True, False])
        return lambda x: F.avg_pool2d(x, size, stride, padding, ceil, inside)

    def other(self, c: int, h: int, w: int) -> Layer:
        mean, spread, a, b = (self.tensor(c) for _ in range(4))
        border, half = self.random.choice([0, 0, 1.5]), max(1, c // 2)
        kinds: list[Layer] = [
            lambda x: F.batch_norm(x, mean, spread.abs() + 0.5, a, b),
            lambda x: tl.cat([x, F.relu(x), x * 2], 1),
            lambda x: x + tl.sigmoid(x.mean((2, 3), keepdim=True)) * x,
            lambda x: x.permute(0, 1, 3, 2),
            lambda x: x[:, :half, 1:] if h > 3 else x,
            lambda x: F.pad(x, (1, 0, 2, 1), value=border),
            lambda x: F.layer_norm(x, (w,)) * 0.3,
            lambda x: tl.softmax(x, 1),
            lambda x: (
                x.reshape(len(x), 2, c // 2, h, w).transpose(1, 2).reshape(x.shape)
                if c % 2 == 0
                else x
            ),
            lambda x: x.transpose(2, 3) @ x,
        ]
        return self.random.choice(kinds)

    def layer(self, c: int, h: int, w: int) -> Layer | None:
        kind = self.random.random()
        if kind < 0.35:
            return self.convolution(c, h, w)
        if kind < 0.5:
            return self.pooling(c, h, w)
        return self.random.choice(ACTIVATIONS) if kind < 0.65 else self.other(c, h, w)

    def network(self) -> tuple[Layer, tl.Tensor]:
        draw = self.random
        shape = (draw.choice([1, 1, 2, 3]), draw.choice([1, 3, 5, 16, 24, 40]),
                 draw.randint(3, 20), draw.randint(3, 20))  # fmt: skip
        x = y = self.tensor(*shape)
        layers: list[Layer] = []
        first = draw.random() < 0.3
        for number in range(draw.randint(2, 7)):
            whole = first and number == 0
            layer = self.quantized(*y.shape[1:]) if whole else self.layer(*y.shape[1:])
            try:
                found = None if layer is None else layer(y)
            except TensorliteError:
                continue  # a window that does not fit
            if layer is not None and found is not None and 0 < found.numel() < 200_000:
                layers.append(layer)
                y = found
        end = draw.randint(0, 3)

        def network(x: Any) -> Any:
            between = x
            for number, layer in enumerate(layers):
                x = layer(x)
                between = x if number == len(layers) // 2 else between
            if end == 1:
                return {"last": x, "between": between, "again": x}
            return {0: x, 2: x.flatten(1), 3: x.sum(1).amax(-1)}[end]

        return network, x


def tensors(result: Any) -> list[np.ndarray[Any, Any]]:
    values = result.values() if isinstance(result, dict) else [result]
    return [value.numpy() for value in values]


def compare(seed: int) -> None:
    networks = Networks(seed)
    network, x = networks.network()
    before = tl.get_num_threads()
    tl.set_num_threads(networks.random.choice([1, 2, 3]))
    try:
        compiled = compile(network, x)
        plan = compiled.plan(x)
        for turn in range(2):
            if plan.arena.size:
                ctypes.memset(plan.arena.address, 0xFF, plan.arena.size)
            for ours, theirs in zip(tensors(compiled(x)), tensors(network(x)), strict=True):
                scale = max(1.0, float(np.abs(theirs).max()))
                np.testing.assert_allclose(ours, theirs, atol=5e-4 * scale, err_msg=str(turn))
            x = x * 0.5 + 0.1
    finally:
        tl.set_num_threads(before)


@pytest.mark.parametrize("seed", range(40))
def test_networks(seed: int) -> None:
    compare(seed)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(1000, 1300))
def test_more_networks(seed: int) -> None:
    compare(seed)
