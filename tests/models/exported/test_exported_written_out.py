"""Attention and norms that are written out in every way that programs write them.

The optimiser recognises some of these and must leave the others alone: softmax over another
dimension, masks that come before the scale, scores that something else needs too.
"""

from __future__ import annotations

import math
from itertools import product
from typing import Any

import pytest
from exporting import Case, check, torch

import tensorlite as tl

nn = torch.nn
F = torch.nn.functional

HEADS, SIZE = 2, 4


class Attention(nn.Module):
    """One layer of attention; each option is a name from the tables below."""

    def __init__(self, scale: str, mask: str, keys: str, more: str) -> None:
        super().__init__()
        self.scale, self.mask, self.keys, self.more = scale, mask, keys, more
        self.qkv, self.out = nn.Linear(8, 24), nn.Linear(8, 8)
        self.bias = nn.Parameter(torch.randn(1, HEADS, 12, 12))
        self.register_buffer("lower", torch.tril(torch.ones(12, 12)))

    def forward(self, x: Any, present: Any) -> Any:
        n, length, _ = x.shape
        parts = self.qkv(x).view(n, length, 3, HEADS, SIZE).permute(2, 0, 3, 1, 4)
        q, k, v = parts[0], parts[1], parts[2]
        if self.scale == "on the queries":
            q = q / math.sqrt(SIZE)
        if self.scale == "on both":
            q, k = q * SIZE**-0.25, k * SIZE**-0.25
        scores = KEYS[self.keys](q, k)
        if self.more == "mask first":
            scores = self.masked(scores, present)
        if self.scale in FACTORS:
            scores = scores * FACTORS[self.scale]
        found = scores if self.more == "mask first" else self.masked(scores, present)
        weights = found.softmax(-2 if self.more == "softmax over queries" else -1)
        y = (weights @ v).transpose(1, 2).reshape(n, length, HEADS * SIZE)
        others = {"weights too": weights.mean(1), "scores too": scores.sum(-1), "keys too": k[:, 0]}
        return (self.out(y), others[self.more]) if self.more in others else self.out(y)

    def masked(self, scores: Any, present: Any) -> Any:
        length = scores.shape[-1]
        lower = self.lower[:length, :length]
        keys = present[:, None, None, :]
        if self.mask == "added":
            return scores + (1 - keys.float()) * -10000.0
        if self.mask == "filled":
            return scores.masked_fill(keys == 0, float("-inf"))
        if self.mask == "chosen":
            return torch.where(keys != 0, scores, torch.full_like(scores, -1e30))
        if self.mask == "causal":
            return scores.masked_fill(lower == 0, float("-inf"))
        if self.mask == "causal and filled":
            return scores.masked_fill(~((keys != 0) & (lower > 0)), -1e9)
        if self.mask == "of heads":
            return scores + self.bias[:, :, :length, :length]
        if self.mask == "of queries":
            return scores + present[:, None, :, None].float()
        return scores * keys.float() if self.mask == "multiplied" else scores


KEYS: dict[str, Any] = {
    "transposed": lambda q, k: q @ k.transpose(-1, -2),
    "permuted": lambda q, k: torch.matmul(q, k.permute(0, 1, 3, 2)),
    "einsum": lambda q, k: torch.einsum("bhid,bhjd->bhij", q, k),
}
FACTORS = {"divided": 1 / math.sqrt(SIZE), "odd": 0.37}
SCALES = ["none", "on the queries", "on both", *FACTORS]
MASKS = [
    "none", "added", "filled", "chosen", "causal", "causal and filled", "of heads", "of queries",
    "multiplied",
]  # fmt: skip
MORE = [
    "nothing", "mask first", "weights too", "scores too", "keys too", "softmax over queries",
]  # fmt: skip


def sequences(n: int, length: int) -> tuple[Any, Any]:
    present = torch.ones(n, length, dtype=torch.int64)
    present[-1, length // 2 + 1 :] = 0
    return torch.randn(n, length, 8), present


@pytest.mark.parametrize("mask", MASKS)
def test_attention(mask: str, device: tl.device) -> None:
    ways = [(s, k, "nothing") for s, k in product(SCALES, KEYS)]
    ways += [("divided", "transposed", more) for more in MORE]
    for number, (scale, keys, more) in enumerate(ways):
        opset = (17, 18, 20)[number % 3]
        make = [scale, mask, keys, more]
        case = Case(lambda make=make: Attention(*make), sequences, ((2, 5), (3, 8), (1, 3)),
                    ((0, 1), (0, 1)), "torchscript", opset, number % 5 == 0)  # fmt: skip
        check(case, device)


class Norm(nn.Module):
    """A norm of the last dimension (or of two), with or without the mean."""

    def __init__(self, centred: bool, spread: str, root: str, weight: Any, axes: Any) -> None:
        super().__init__()
        self.centred, self.spread, self.root, self.axes = centred, spread, root, axes
        self.weight = nn.Parameter(torch.rand(weight) + 0.5)
        self.bias = nn.Parameter(torch.randn(weight))

    def forward(self, x: Any) -> Any:
        axes = self.axes
        mean = x.mean(axes, keepdim=True)
        y = x - mean if self.centred else x
        if self.spread == "squares":
            spread = y.pow(2).mean(axes, keepdim=True)
        elif self.spread == "products":
            spread = (y * y).mean(axes, keepdim=True)
        elif self.spread == "unbiased":
            spread = x.var(axes, keepdim=True)
        else:
            spread = (x * x).mean(axes, keepdim=True) - mean * mean + 0.1
        return ROOTS[self.root](y, spread) * self.weight + self.bias


ROOTS: dict[str, Any] = {
    "rsqrt": lambda y, v: y * torch.rsqrt(v + 1e-5),
    "divided": lambda y, v: y / torch.sqrt(v + 1e-5),
    "power": lambda y, v: y * (v + 0.1) ** -0.5,
    "outside": lambda y, v: y / (v.sqrt() + 0.1),
}


@pytest.mark.parametrize("centred", [True, False])
@pytest.mark.parametrize("spread", ["squares", "products", "unbiased", "difference"])
def test_norms(centred: bool, spread: str, device: tl.device) -> None:
    weights = [(6,), (1, 1, 6), (5, 1), (1,), ()]
    for number, (root, axes) in enumerate(product(ROOTS, [(-1,), (2,), (-2, -1)])):
        make = [centred, spread, root, weights[number % 5], axes]
        case = Case(lambda make=make: Norm(*make), lambda n: (torch.randn(n, 5, 6),), ((2,), (4,)),
                    ((0,),), "torchscript", (17, 18, 20)[number % 3], number % 3 == 0)  # fmt: skip
        check(case, device)


ACTIVATIONS: list[Any] = [
    lambda x: x * 0.5 * (1 + torch.erf(x / math.sqrt(2))),
    lambda x: 0.5 * x * (torch.erf(x * 0.7071067811865475) + 1),
    lambda x: x * (1 + torch.erf(x / 1.5)) * 0.5,
    lambda x: 0.5 * x * (1 + torch.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3))),
    lambda x: 0.5 * x * (1 + torch.tanh(0.8 * (x + 0.05 * x * x * x))),
    lambda x: x * torch.sigmoid(1.702 * x),
    lambda x: torch.sigmoid(x) * x,
    lambda x: x * torch.sigmoid(x * 0.5),
    lambda x: torch.sigmoid(x) * (x + 1),
    lambda x: x * F.relu6(x + 3) / 6,
    lambda x: F.relu6(x + 3) / 6 * x,
    lambda x: x * torch.clamp(x + 2.5, 0, 5) / 5,
    lambda x: x * torch.tanh(F.softplus(x)),
    lambda x: torch.log(1 + torch.exp(x)),
]


class Activations(nn.Module):
    """The activations one after another, each behind a product."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.ModuleList(nn.Linear(6, 6) for _ in ACTIVATIONS)

    def forward(self, x: Any) -> Any:
        pairs = zip(self.layers, ACTIVATIONS, strict=True)
        return tuple(activation(layer(x)) for layer, activation in pairs)


def test_activations(device: tl.device) -> None:
    for opset in (17, 18, 20):
        check(Case(Activations, lambda n: (torch.randn(n, 6) * 3,), ((4,), (7,)), ((0,),),
                   "torchscript", opset, True), device)  # fmt: skip
