"""The optimisers of ai.onnx.preview.training: plain formulas, the gradients are inputs.

Inputs are a learning rate, an update count, then the tensors, all their gradients, all their
moments; outputs the new tensors, then all their new moments.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

import tensorlite as tl
from tensorlite import Tensor

from ....errors import OnnxError
from ..registry import onnx_op
from .expected import expect, one_of

TRAINING = "ai.onnx.preview.training"
FLOATS = (tl.float32, tl.float64)
# Attributes are float32: a beta left out must mean the same as one written down as 0.999.
ALPHA, BETA = float(np.float32(0.9)), float(np.float32(0.999))


@onnx_op("Adagrad", domain=TRAINING)
def adagrad(
    rate: Tensor,
    count: Tensor,
    *inputs: Tensor,
    decay_factor: float = 0.0,
    epsilon: float = 1e-6,
    norm_coefficient: float = 0.0,
) -> tuple[Tensor, ...]:
    """``H = H + G^2``, ``X = X - rate / (1 + count * decay_factor) * G / (sqrt(H) + epsilon)``.

    Duchi, Hazan and Singer, 2011.
    """
    r, t = _rate_and_count(rate, count)
    step = r / (1 + t * decay_factor)

    def update(x: Tensor, gradient: Tensor, h: Tensor) -> tuple[Tensor, ...]:
        g = x * norm_coefficient + gradient
        squares = h + g * g
        return x - step * g / (tl.sqrt(squares) + epsilon), squares

    return _each(update, inputs, 3)


@onnx_op("Adam", domain=TRAINING)
def adam(
    rate: Tensor,
    count: Tensor,
    *inputs: Tensor,
    alpha: float = ALPHA,
    beta: float = BETA,
    epsilon: float = 1e-6,
    norm_coefficient: float = 0.0,
    norm_coefficient_post: float = 0.0,
) -> tuple[Tensor, ...]:
    """``V = alpha V + (1 - alpha) G``, ``H = beta H + (1 - beta) G^2``, ``X = X - r V / sqrt(H)``.

    ``r`` corrects the bias of both after ``count`` updates. Kingma and Ba, 2015.
    """
    r, t = _rate_and_count(rate, count)
    if t > 0:
        r = r * math.sqrt(1 - beta**t) / (1 - alpha**t)

    def update(x: Tensor, gradient: Tensor, v: Tensor, h: Tensor) -> tuple[Tensor, ...]:
        g = x * norm_coefficient + gradient
        mean = alpha * v + (1 - alpha) * g
        squares = beta * h + (1 - beta) * (g * g)
        moved = x - r * (mean / (tl.sqrt(squares) + epsilon))
        return (1 - norm_coefficient_post) * moved, mean, squares

    return _each(update, inputs, 4)


@onnx_op("Momentum", domain=TRAINING)
def momentum(
    rate: Tensor,
    count: Tensor,
    *inputs: Tensor,
    alpha: float,
    beta: float,
    mode: str,
    norm_coefficient: float,
) -> tuple[Tensor, ...]:
    """``V = alpha V + beta G``, ``X = X - rate V``, or ``X - rate (G + alpha V)`` (Nesterov).

    In the first iteration (``count`` 0) beta is 1.
    """
    one_of("mode", mode, ("standard", "nesterov"))
    r, t = _rate_and_count(rate, count)
    weight = beta if t > 0 else 1.0

    def update(x: Tensor, gradient: Tensor, v: Tensor) -> tuple[Tensor, ...]:
        g = x * norm_coefficient + gradient
        velocity = alpha * v + weight * g
        return x - r * (velocity if mode == "standard" else g + alpha * velocity), velocity

    return _each(update, inputs, 3)


def _rate_and_count(rate: Tensor, count: Tensor) -> tuple[float, int]:
    for name, x, dtypes in (("R", rate, FLOATS), ("T", count, (tl.int64,))):
        if expect(name, x, None, dtypes).numel() != 1:
            raise OnnxError(f"expected {name} to be a scalar, got {tuple(x.shape)}")
    return float(rate.item()), int(count.item())


def _each(
    update: Callable[..., tuple[Tensor, ...]], inputs: tuple[Tensor, ...], kinds: int
) -> tuple[Tensor, ...]:
    """The update for every tensor with its gradient and moments; outputs by kind."""
    if not inputs or len(inputs) % kinds:
        raise OnnxError(
            f"expected {kinds} inputs per tensor after R and T (the tensors, their gradients, "
            f"their moments), got {len(inputs)}"
        )
    n = len(inputs) // kinds
    outputs: list[list[Tensor]] = [[] for _ in range(kinds - 1)]
    for i in range(n):
        x, gradient, *moments = (
            expect(f"input {2 + place}", inputs[place], None, FLOATS)
            for place in range(i, len(inputs), n)
        )
        new = update(x, gradient, *moments)
        for collected, value, old in zip(outputs, new, (x, *moments), strict=True):
            collected.append(value.to(old.dtype))
    return tuple(value for collected in outputs for value in collected)
