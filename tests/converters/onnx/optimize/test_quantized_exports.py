"""Networks trained for 8 bits in PyTorch: fake quantisation, as its exporters write it."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import quantized_files
from optimizing import operators

import tensorlite as tl

if importlib.util.find_spec("torch") is None or importlib.util.find_spec("onnxscript") is None:
    pytest.skip("PyTorch or onnxscript is not installed", allow_module_level=True)

import torch
from exporting import export, seeded
from torch import nn

STEP = 6 / 255  # the scale of results


class Quantize(nn.Module):
    """Fake quantisation of activations between two numbers."""

    def __init__(self, low: float, high: float, signed: bool) -> None:
        super().__init__()
        self.limits = (-128, 127) if signed else (0, 255)
        self.scale = (high - low) / 255
        self.zero = self.limits[0] + round(-low / self.scale)

    def forward(self, x: Any) -> Any:
        return torch.fake_quantize_per_tensor_affine(x, self.scale, self.zero, *self.limits)


def weight(w: Any) -> Any:
    """Weights with a scale for each row or output channel."""
    most = w.detach().abs().amax(list(range(1, w.dim())))
    zero = torch.zeros_like(most, dtype=torch.int32)
    return torch.fake_quantize_per_channel_affine(w, most / 127, zero, 0, -128, 127)


class Conv(nn.Conv2d):
    def forward(self, x: Any) -> Any:
        return self._conv_forward(x, weight(self.weight), self.bias)


class Linear(nn.Linear):
    def forward(self, x: Any) -> Any:
        return nn.functional.linear(x, weight(self.weight), self.bias)


class Residual(nn.Module):
    """Two convolutions, their residual, a maximum of windows and a linear layer."""

    shape = (4, 3, 16, 16)

    def __init__(self, signed: bool) -> None:
        super().__init__()
        self.first, self.second = Conv(3, 8, 3, padding=1), Conv(8, 8, 3, padding=1)
        self.classes = Linear(8 * 8 * 8, 10)
        self.both, self.positive = Quantize(-3, 3, signed), Quantize(0, 4, signed)

    def forward(self, x: Any) -> Any:
        x = self.positive(torch.relu(self.first(self.both(x))))
        x = self.positive(torch.relu(x + self.both(self.second(x))))
        x = self.positive(torch.max_pool2d(x, 2)).flatten(1)
        return self.both(self.classes(x))


class InputsOnly(nn.Module):
    """Quantised before products only, as for TensorRT; what is added stays a float."""

    shape = (4, 3, 16, 16)

    def __init__(self, signed: bool) -> None:
        super().__init__()
        self.first, self.second = Conv(3, 8, 3, padding=1), Conv(8, 8, 3, padding=1)
        self.both, self.positive = Quantize(-3, 3, signed), Quantize(0, 4, signed)

    def forward(self, x: Any) -> Any:
        x = torch.relu(self.first(self.both(x)))
        return torch.relu(x + self.second(self.positive(x)))


class Block(nn.Module):
    """A block of a transformer."""

    shape = (2, 5, 32)

    def __init__(self, signed: bool) -> None:
        super().__init__()
        self.heads, self.out, self.up, self.down = (
            Linear(i, o) for i, o in ((32, 96), (32, 32), (32, 64), (64, 32))
        )
        self.norm = nn.LayerNorm(32)
        self.q, self.share = Quantize(-3, 3, signed), Quantize(0, 1, signed)

    def forward(self, x: Any) -> Any:
        x, (b, t, _) = self.q(x), x.shape
        heads = self.q(self.heads(x)).view(b, t, 3, 4, 8).permute(2, 0, 3, 1, 4)
        q, k, v = heads.unbind(0)
        share = self.share(torch.softmax(self.q(q @ k.transpose(-1, -2) / 8**0.5), -1))
        mixed = self.q((share @ v).transpose(1, 2).reshape(b, t, 32))
        x = self.q(self.norm(self.q(self.q(self.out(mixed)) + x)))
        return self.q(x + self.q(self.down(self.q(nn.functional.gelu(self.up(x))))))


FLOATS: dict[Any, set[str]] = {
    Residual: set(),
    InputsOnly: {"Relu", "Add"},
    Block: {"Div", "LayerNormalization", "Gelu"},
}
"""The float operators that may be left."""
WHOLE = {"MaxPool", "Flatten", "Reshape", "Transpose", "Split", "Squeeze", "Slice", "Gather",
         "Clip"}  # fmt: skip
INTEGER = {"QLinearConv", "QGemm", "QLinearAdd", "QLinearSoftmax", "QLinearMatMul", "ConvInteger",
           "MatMulIntegerToFloat"}  # fmt: skip


@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize(
    ("exporter", "opset"),
    [("torchscript", 17), pytest.param("dynamo", 20, marks=pytest.mark.slow)],
)
@pytest.mark.parametrize("network", [Residual, InputsOnly, Block])
def test_exported(network: Any, exporter: str, opset: int, signed: bool, tmp_path: Path) -> None:
    module = seeded(lambda: network(signed))
    x = torch.randn(network.shape)
    path = tmp_path / "model.onnx"
    path.write_bytes(export(module, (x,), exporter=exporter, opset=opset))
    loaded = tl.onnx.load(path)
    left = {name.removeprefix("com.microsoft."): n for name, n in operators(loaded).items()}
    plain = {"QuantizeLinear", "DequantizeLinear", "Cast", "Mul"}
    assert set(left) <= FLOATS[network] | WHOLE | INTEGER | plain
    inputs = {loaded.inputs[0].name: x.numpy()}
    want = quantized_files.onnxruntime(path, inputs, False)
    for optimize in (True, False):
        (have,) = tl.onnx.load(path, optimize=optimize).run(inputs).values()
        off = np.abs(have.numpy() - want)
        assert off.max() <= 1.01 * STEP
        assert (off > STEP / 100).mean() <= 0.12
