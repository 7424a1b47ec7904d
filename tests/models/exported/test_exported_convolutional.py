"""Convolutional networks as PyTorch's exporters write them."""

from __future__ import annotations

from typing import Any

import pytest
from exporting import Case, case, cases, check, torch

import tensorlite as tl

nn = torch.nn
F = torch.nn.functional


class Residual(nn.Module):
    """ResNet's basic block, with a projection where the shape changes."""

    def __init__(self, channels: int, out: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, out, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(out)
        self.conv2 = nn.Conv2d(out, out, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(out)
        self.down = nn.Sequential(nn.Conv2d(channels, out, 1, stride), nn.BatchNorm2d(out))

    def forward(self, x: Any) -> Any:
        y = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)), inplace=True)))
        return F.relu(y + self.down(x))


def resnet() -> Any:
    return nn.Sequential(
        nn.Conv2d(3, 8, 7, 2, 3, bias=False), nn.BatchNorm2d(8), nn.ReLU(inplace=True),
        nn.MaxPool2d(3, 2, 1), Residual(8, 8, 1), Residual(8, 16, 2),
        nn.AdaptiveAvgPool2d((1, 1)), nn.Flatten(), nn.Linear(16, 10),
    )  # fmt: skip


class Inverted(nn.Module):
    """MobileNet's block: expand, depthwise, squeeze and excite, project."""

    def __init__(self, channels: int, wide: int, kernel: int, act: Any, excite: bool) -> None:
        super().__init__()
        self.expand = nn.Sequential(nn.Conv2d(channels, wide, 1, bias=False), nn.BatchNorm2d(wide))
        self.depth = nn.Sequential(
            nn.Conv2d(wide, wide, kernel, 1, kernel // 2, groups=wide, bias=False),
            nn.BatchNorm2d(wide),
        )
        self.act = act
        self.excite = (
            nn.Sequential(
                nn.AdaptiveAvgPool2d(1), nn.Conv2d(wide, 4, 1), nn.ReLU(),
                nn.Conv2d(4, wide, 1), nn.Hardsigmoid(),
            ) if excite else None
        )  # fmt: skip
        self.project = nn.Sequential(
            nn.Conv2d(wide, channels, 1, bias=False), nn.BatchNorm2d(channels)
        )

    def forward(self, x: Any) -> Any:
        y = self.act(self.depth(self.act(self.expand(x))))
        if self.excite is not None:
            y = y * self.excite(y)
        return x + self.project(y)


def mobilenet2() -> Any:
    return nn.Sequential(
        nn.Conv2d(3, 8, 3, 2, 1, bias=False), nn.BatchNorm2d(8), nn.ReLU6(),
        Inverted(8, 24, 3, nn.ReLU6(), False), Inverted(8, 16, 3, nn.ReLU6(), False),
        nn.Conv2d(8, 16, 1), nn.ReLU6(), nn.AdaptiveAvgPool2d(1), nn.Flatten(1), nn.Dropout(0.2),
        nn.Linear(16, 5),
    )  # fmt: skip


def mobilenet3() -> Any:
    return nn.Sequential(
        nn.Conv2d(3, 8, 3, 2, 1, bias=False), nn.BatchNorm2d(8), nn.Hardswish(),
        Inverted(8, 24, 5, nn.Hardswish(), True), Inverted(8, 16, 3, nn.ReLU(), True),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 12), nn.Hardswish(), nn.Linear(12, 5),
    )  # fmt: skip


class Dense(nn.Module):
    """DenseNet: every layer sees all before it."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.ModuleList(
            nn.Sequential(
                nn.BatchNorm2d(4 + 4 * i), nn.ReLU(), nn.Conv2d(4 + 4 * i, 4, 3, padding=1)
            ) for i in range(3)
        )  # fmt: skip
        self.out = nn.Sequential(nn.BatchNorm2d(16), nn.ReLU(), nn.Conv2d(16, 8, 1))

    def forward(self, x: Any) -> Any:
        found = [x]
        for layer in self.layers:
            found.append(layer(torch.cat(found, 1)))
        return F.avg_pool2d(self.out(torch.cat(found, 1)), 2)


class Kinds(nn.Module):
    """Convolutions with groups, dilation, strides, and padding of every mode."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.ModuleList([
            nn.Conv2d(4, 8, 3, groups=2), nn.Conv2d(4, 8, (3, 5), dilation=(2, 1)),
            nn.Conv2d(4, 6, 3, stride=(2, 3), padding=(1, 2)),
            nn.Conv2d(4, 6, 5, padding="same"),
            nn.Conv2d(4, 6, 3, padding=1, padding_mode="reflect"),
            nn.Conv2d(4, 6, 3, padding=2, padding_mode="circular"),
            nn.Conv2d(4, 6, 3, padding=(0, 1), padding_mode="replicate"),
            nn.ConvTranspose2d(4, 6, 3, stride=2, padding=1, output_padding=1),
            nn.ConvTranspose2d(4, 6, (2, 3), stride=(1, 3), groups=2, dilation=2),
        ])  # fmt: skip

    def forward(self, x: Any) -> Any:
        return tuple(layer(x) for layer in self.layers)


class OneAndThree(nn.Module):
    """Convolutions and pools of one and three dimensions."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv1d(3, 4, 5, stride=2, padding=2)
        self.back1 = nn.ConvTranspose1d(4, 3, 4, stride=2, padding=1)
        self.conv3 = nn.Conv3d(2, 4, (3, 2, 3), padding=(1, 0, 1), groups=2)
        self.back3 = nn.ConvTranspose3d(4, 2, 2, stride=2)

    def forward(self, x: Any, y: Any) -> Any:
        h = F.elu(self.conv1(x))
        v = F.leaky_relu(self.conv3(y), 0.1)
        return (
            self.back1(F.max_pool1d(h, 2)), F.avg_pool1d(h, 3, 1, 1), F.lp_pool1d(h, 2, 3),
            self.back3(F.max_pool3d(v, 2)), F.avg_pool3d(v, 2, ceil_mode=True),
        )  # fmt: skip


class Pools(nn.Module):
    """Pools whose windows reach over the edge, and those that are told their output's size."""

    def forward(self, x: Any) -> Any:
        values, places = F.max_pool2d(x, 2, 2, return_indices=True)
        return (
            F.max_pool2d(x, 3, 2, 1, ceil_mode=True),
            F.max_pool2d(x, (2, 3), (3, 2), (1, 0), dilation=(2, 1), ceil_mode=True),
            F.avg_pool2d(x, 3, 2, 1, ceil_mode=True),
            F.avg_pool2d(x, 3, 2, 1, ceil_mode=True, count_include_pad=False),
            F.avg_pool2d(x, (2, 5), 2, (0, 2), count_include_pad=False),
            F.lp_pool2d(x, 2.0, 2), values, places,
        )  # fmt: skip


class Adaptive(nn.Module):
    def forward(self, x: Any) -> Any:
        return (
            F.adaptive_avg_pool2d(x, 1), F.adaptive_avg_pool2d(x, (4, 3)),
            F.adaptive_max_pool2d(x, 1), F.adaptive_max_pool2d(x, (2, 6)),
            F.adaptive_avg_pool1d(x[0], 6), x.mean((2, 3), keepdim=True), x.amax((-1, -2)),
        )  # fmt: skip


class Activations(nn.Module):
    """Every activation of torch.nn that has a formula of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.prelu = nn.PReLU(4)

    def forward(self, x: Any) -> Any:
        one = [
            F.celu(x, 0.7), F.elu(x, 0.5), F.gelu(x), F.gelu(x, approximate="tanh"), F.glu(x, 1),
            F.hardshrink(x, 0.3), F.hardsigmoid(x), F.hardswish(x), F.hardtanh(x, -0.5, 0.8),
            F.leaky_relu(x, 0.2), F.logsigmoid(x), F.mish(x), self.prelu(x), F.relu6(x * 5),
            F.selu(x), F.silu(x), F.softmin(x, 1), F.softplus(x), F.softplus(x, 2.0),
            F.softshrink(x, 0.2), F.softsign(x), F.tanhshrink(x), F.threshold(x, 0.0, 0.0),
            F.log_softmax(x, 1), F.softmax(x, -1), torch.sigmoid(x), torch.erf(x),
        ]  # fmt: skip
        return tuple(one)


def image(n: int, h: int, w: int, channels: int = 3) -> tuple[Any]:
    return (torch.randn(n, channels, h, w),)


def four(n: int, h: int, w: int) -> tuple[Any]:
    return image(n, h, w, 4)


def line_and_volume(n: int, s: int) -> tuple[Any, Any]:
    return torch.randn(n, 3, 2 * s + 6), torch.randn(n, 2, s, s + 1, s)


NETWORKS = cases(
    case("resnet", resnet, image, (2, 32, 32), (1, 40, 56), (3, 33, 35), free=((0, 2, 3),),
         by="dynamo 18, torchscript 17"),
    case("resnet-static", resnet, image, (1, 32, 32), by="dynamo 24"),
    case("mobilenet2", mobilenet2, image, (2, 24, 24), (1, 17, 31), free=((0, 2, 3),),
         by="dynamo 20 slow, torchscript 18"),
    case("mobilenet3", mobilenet3, image, (2, 24, 24), (1, 17, 31), free=((0, 2, 3),),
         by="dynamo 23, torchscript 19"),
    case("densenet", Dense, four, (2, 12, 14), (1, 9, 8), free=((0, 2, 3),),
         by="dynamo 21 slow, torchscript 20"),
    case("kinds", Kinds, four, (2, 12, 14), (1, 15, 13), free=((0, 2, 3),),
         by="dynamo 22, torchscript 17"),
    case("one-and-three", OneAndThree, line_and_volume, (2, 6), (3, 4), (2, 5),
         free=((0, 2), (0, 2, 3, 4)), by="torchscript 18"),
    case("one-and-three-static", OneAndThree, line_and_volume, (2, 6), by="dynamo 18"),
    case("pools", Pools, four, (2, 13, 14), (1, 10, 9), (3, 8, 12), free=((0, 2, 3),),
         by="torchscript 17"),
    case("pools-static", Pools, four, (2, 13, 14), by="dynamo 18, dynamo 22"),
    case("adaptive", Adaptive, four, (2, 8, 12), by="torchscript 18, dynamo 18"),
    case("activations", Activations, four, (2, 5, 6), (1, 3, 4), free=((0, 2, 3),),
         by="torchscript 17, dynamo 18 slow, dynamo 24"),
)  # fmt: skip


@pytest.mark.parametrize("case", NETWORKS)
def test_network(case: Case, device: tl.device) -> None:
    check(case, device)
