"""Networks as Python classes that run under PyTorch and tensorlite alike, eager, no plan."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .case import function_case
from .engines import Run


def resnet50(nn: Any) -> Any:
    def unit(i: int, o: int, k: int = 1, s: int = 1) -> Any:
        return nn.Sequential(nn.Conv2d(i, o, k, s, k // 2, bias=False), nn.BatchNorm2d(o))

    class Bottleneck(nn.Module):  # type: ignore[misc, name-defined]
        def __init__(self, i: int, wide: int, s: int) -> None:
            super().__init__()
            o = 4 * wide
            self.first, self.second = unit(i, wide), unit(wide, wide, 3, s)
            self.third, self.relu = unit(wide, o), nn.ReLU()
            self.short = unit(i, o, 1, s) if i != o else nn.Identity()

        def forward(self, x: Any) -> Any:
            y = self.relu(self.second(self.relu(self.first(x))))
            return self.relu(self.third(y) + self.short(x))

    layers, i = [unit(3, 64, 7, 2), nn.ReLU(), nn.MaxPool2d(3, 2, 1)], 64
    for wide, count, stride in ((64, 3, 1), (128, 4, 2), (256, 6, 2), (512, 3, 2)):
        for block in range(count):
            layers.append(Bottleneck(i, wide, stride if block == 0 else 1))
            i = 4 * wide
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(2048, 1000))


def mobilenet_v2(nn: Any) -> Any:
    def unit(i: int, o: int, k: int = 1, s: int = 1, groups: int = 1) -> list[Any]:
        made = nn.Conv2d(i, o, k, s, k // 2, groups=groups, bias=False)
        return [made, nn.BatchNorm2d(o), nn.ReLU6()]

    class Inverted(nn.Module):  # type: ignore[misc, name-defined]
        def __init__(self, i: int, o: int, s: int, grow: int) -> None:
            super().__init__()
            wide = i * grow
            first = unit(i, wide) if grow > 1 else []
            self.body = nn.Sequential(*first, *unit(wide, wide, 3, s, wide), *unit(wide, o)[:2])
            self.adds = s == 1 and i == o

        def forward(self, x: Any) -> Any:
            y = self.body(x)
            return x + y if self.adds else y

    layers, i = unit(3, 32, 3, 2), 32
    for grow, o, count, stride in ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2),
                                   (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1)):  # fmt: skip
        for block in range(count):
            layers.append(Inverted(i, o, stride if block == 0 else 1, grow))
            i = o
    layers += [*unit(320, 1280), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(1280, 1000)]
    return nn.Sequential(*layers)


def minilm(nn: Any) -> Any:
    layer = nn.TransformerEncoderLayer(384, 12, 1536, 0.0, "gelu", batch_first=True)
    return nn.TransformerEncoder(layer, 6, enable_nested_tensor=False)


def classes(name: str, make: Callable[[Any], Any], *shape: int) -> None:
    """A case with the same random weights on both sides."""

    def prepared(package: Any, tensor: Callable[[Any], Any]) -> Run:
        network, random = make(package.nn), np.random.default_rng(0)
        network.eval()
        state = network.state_dict()
        for key in sorted(state):
            value = state[key]
            if not value.is_floating_point():
                continue
            wide = max(int(np.prod(value.shape[1:])), 1) if value.ndim > 1 else 100
            numbers = random.standard_normal(tuple(value.shape), np.float32) / wide**0.5
            centre = 1.0 if key.endswith(("running_var", "1.weight", "norm1.weight")) else 0.0
            state[key] = tensor((np.abs(numbers) + centre) if centre else numbers)
        network.load_state_dict(state)
        x = tensor(random.standard_normal(shape, np.float32))
        return lambda: network(x)

    function_case(f"{name}, a Python class", "classes", 0.7, prepared, threads=(1, 2))


classes("resnet50", resnet50, 1, 3, 224, 224)
classes("mobilenet-v2", mobilenet_v2, 1, 3, 224, 224)
classes("minilm-128", minilm, 1, 128, 384)
