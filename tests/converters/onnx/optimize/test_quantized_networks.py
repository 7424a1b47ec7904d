"""Whole networks that ONNX Runtime quantised: integers throughout, and the same results."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import quantized_files
from optimizing import operators

import tensorlite as tl

NETWORKS: dict[str, Callable[[], onnx.ModelProto]] = {
    "residual": quantized_files.residual,
    "mobile": quantized_files.mobile,
    "encoder": quantized_files.encoder,
}
EXTRA: dict[str, dict[str, Any]] = {
    "symmetric": {"ActivationSymmetric": True},
    "pairs": {"DedicatedQDQPair": True},
    "float weights": {"AddQDQPairToWeight": True},
    "float bias": {"QuantizeBias": False},
    "activations": {"QDQKeepRemovableActivations": True},
    "operators of com.microsoft": {"UseQDQContribOps": True},
}
FLOATS = {
    "residual": {}, "mobile": {}, "encoder": {"Div": 1, "Erf": 1, "LayerNormalization": 2},
}  # fmt: skip
"""The float operators that are left, between quantised values."""
NUMBERS = ("Clip", "MaxPool", "Resize", "Flatten", "Reshape", "Transpose")


def options_of(activations: str, weights: str, per_channel: bool, **more: Any) -> dict[str, Any]:
    quantization = pytest.importorskip(
        "onnxruntime.quantization", reason="ONNX Runtime is not installed"
    )
    kinds = {name.lower(): kind for name, kind in quantization.QuantType.__members__.items()}
    return {"activation_type": kinds[f"q{activations}"], "weight_type": kinds[f"q{weights}"],
            "per_channel": per_channel, **more}  # fmt: skip


def check(name: str, folder: Path, options: dict[str, Any]) -> None:
    """Asserts that only integer operators are left, but for those known, and what results are."""
    proto = NETWORKS[name]()
    path = quantized_files.static(proto, folder, **options)
    module = tl.onnx.load(path)
    assert not [c for c in module.explain().changes if "failed and was left out" in c.done]
    left = operators(module)
    floats = {
        kind: count
        for kind, count in left.items()
        if not kind.removeprefix("com.microsoft.").startswith("Q") and kind not in NUMBERS
    }
    assert floats.pop("DequantizeLinear") == left["QuantizeLinear"]
    assert floats == FLOATS[name]
    inputs = quantized_files.inputs_of(proto, 99)
    want = quantized_files.onnxruntime(path, inputs, False)
    step = float(np.ptp(want)) / 255
    for optimize in (True, False):
        (have,) = tl.onnx.load(path, optimize=optimize).run(inputs).values()
        off = np.abs(have.numpy() - want)
        assert off.max() <= 2 * step
        assert (off > step / 100).mean() <= 0.05


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize(
    ("activations", "weights", "per_channel"),
    [("uint8", "int8", True), ("int8", "int8", False), ("uint8", "uint8", False)],
)
def test_dtypes(
    name: str, activations: str, weights: str, per_channel: bool, tmp_path: Path
) -> None:
    check(name, tmp_path, options_of(activations, weights, per_channel))


@pytest.mark.slow
@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("extra", EXTRA)
def test_ways_to_write_them(name: str, extra: str, tmp_path: Path) -> None:
    activations = "int8" if extra == "symmetric" else "uint8"
    options = options_of(activations, "int8", True, extra_options=EXTRA[extra])
    check(name, tmp_path, options)


@pytest.mark.parametrize("name", NETWORKS)
def test_onnxruntime_is_no_closer_when_it_optimises(name: str, tmp_path: Path) -> None:
    """What the file says is what tensorlite keeps to, optimised or not."""
    proto = NETWORKS[name]()
    path = quantized_files.static(proto, tmp_path, **options_of("uint8", "int8", True))
    inputs = quantized_files.inputs_of(proto, 98)
    want = quantized_files.onnxruntime(path, inputs, False)
    theirs = np.abs(quantized_files.onnxruntime(path, inputs, True) - want)
    (found,) = tl.onnx.load(path).run(inputs).values()
    assert np.abs(found.numpy() - want).mean() <= theirs.mean() + 1e-7


@pytest.mark.parametrize("name", ["residual", "encoder"])
def test_16_bits_stay_floats_between(name: str, tmp_path: Path) -> None:
    """There is no integer operator for them; moves are of whole numbers all the same."""
    options = options_of("uint16", "int8", True, extra_options={"UseQDQContribOps": True})
    proto = NETWORKS[name]()
    path = quantized_files.static(proto, tmp_path, **options)
    inputs = quantized_files.inputs_of(proto, 99)
    want = quantized_files.onnxruntime(path, inputs, False)
    (have,) = tl.onnx.load(path).run(inputs).values()
    assert np.abs(have.numpy() - want).max() <= 4 * float(np.ptp(want)) / 65535


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("activations", ["uint8", "int8"])
def test_plans_give_the_same(name: str, activations: str, tmp_path: Path) -> None:
    proto = NETWORKS[name]()
    path = quantized_files.static(proto, tmp_path, **options_of(activations, "int8", True))
    inputs = quantized_files.inputs_of(proto, 99)
    (want,) = tl.onnx.load(path).run(inputs).values()
    given = {key: tl.from_numpy(array).to("numba") for key, array in inputs.items()}
    plan = tl.onnx.load(path, device="numba").compile(**given)
    have = plan(**given).cpu().numpy()
    step = float(np.ptp(want.numpy())) / 255
    off = np.abs(have - want.numpy())
    assert off.max() <= 2 * step
    assert (off > step / 100).mean() <= 0.05
