"""Which element is nearest, and how many there are, where a scale is no binary fraction."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from onnx import TensorProto, helper
from single_node import agree

import tensorlite as tl

SIZES = (1, 2, 3, 5, 7, 10, 12, 23, 30, 40)


def model(opset: int, given: str, **attributes: Any) -> bytes:
    """Resize of one axis by scales, or to sizes."""
    names = ["x", "", "s"] if given == "scales" else ["x", "", "", "s"]
    node = helper.make_node("Resize", names if opset > 10 else ["x", "s"], ["y"], **attributes)
    kind = TensorProto.FLOAT if given == "scales" else TensorProto.INT64
    inputs = [
        helper.make_tensor_value_info("x", TensorProto.FLOAT, [None]),
        helper.make_tensor_value_info("s", kind, [1]),
    ]
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, [None])
    graph = helper.make_graph([node], "g", inputs, [y])
    opsets = [helper.make_opsetid("", opset)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=8).SerializeToString()


@pytest.mark.parametrize(
    ("opset", "attributes"),
    [
        (10, {}),
        (13, {"coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}),
        (18, {"coordinate_transformation_mode": "asymmetric", "nearest_mode": "ceil"}),
        (18, {}),
        (19, {"nearest_mode": "round_prefer_ceil"}),
        (19, {"nearest_mode": "floor", "coordinate_transformation_mode": "half_pixel"}),
    ],
)
def test_scales_are_numbers_of_32_bits(
    opset: int, attributes: dict[str, str], device: tl.device
) -> None:
    """3 / 0.6 is 5, and 10 elements times 0.7 are 7, as in ONNX Runtime and PyTorch."""
    ort = pytest.importorskip("onnxruntime")
    data = model(opset, "scales", **attributes)
    ours, theirs = tl.onnx.load(data, device=device), ort.InferenceSession(data)
    for size in SIZES:
        x = np.arange(size, dtype=np.float32)
        for twentieth in range(1, 60):
            scale = np.array([twentieth / 20], np.float32)
            (want,) = theirs.run(None, {"x": x, "s": scale})
            if want.shape == x.shape:
                continue  # ONNX Runtime then gives x as it is
            have = ours(tl.from_numpy(x).to(device), tl.from_numpy(scale).to(device))
            np.testing.assert_array_equal(have.numpy(), want, err_msg=f"{size} times {scale}")


def test_sizes_are_taken_exactly(device: tl.device) -> None:
    """Element i of n is element floor(i * size / n), with no rounding between."""
    asymmetric = {"coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
    ours = tl.onnx.load(model(18, "sizes", **asymmetric), device=device)
    for size in SIZES:
        x = np.arange(size, dtype=np.float32)
        for wanted in range(1, 82):
            have = ours(tl.from_numpy(x).to(device), tl.tensor([wanted], device=device)).numpy()
            np.testing.assert_array_equal(have, np.arange(wanted) * size // wanted)


def rows(x: np.ndarray[Any, Any], wanted: int, factor: float) -> np.ndarray[Any, Any]:
    """Nearest rows, computed element by element."""
    places = [int(np.ceil((i + 0.5) / factor - 1 - 1e-9)) for i in range(wanted)]
    return x[np.clip(places, 0, len(x) - 1)]


@pytest.mark.parametrize("policy", ["not_larger", "not_smaller"])
def test_one_factor_for_all_axes(policy: str, device: tl.device) -> None:
    node = helper.make_node("Resize", ["x", "", "", "s"], ["y"], axes=[1, 0],
                            keep_aspect_ratio_policy=policy)  # fmt: skip
    x = np.arange(70, dtype=np.float32).reshape(7, 10)
    infos = [helper.make_tensor_value_info("x", TensorProto.FLOAT, [7, 10]),
             helper.make_tensor_value_info("s", TensorProto.INT64, [2])]  # fmt: skip
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, None)
    graph = helper.make_graph([node], "g", infos, [y])
    proto = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)])
    ours = tl.onnx.load(proto, device=device)
    for high, wide in ((5, 9), (14, 12), (3, 30), (7, 10)):
        choose = min if policy == "not_larger" else max
        factor = choose(high / 7, wide / 10)
        sizes = [int(np.floor(factor * n + 0.5)) for n in (7, 10)]
        have = ours(tl.from_numpy(x).to(device), tl.tensor([wide, high], device=device)).numpy()
        want = rows(rows(x, sizes[0], factor).T, sizes[1], factor).T
        np.testing.assert_array_equal(have, want)


def test_downsampling_of_opset_10(device: tl.device) -> None:
    """The expected result is that of ONNX 1.5's own case."""
    x = np.arange(1, 9, dtype=np.float32).reshape(2, 4)
    scales = np.array([0.6, 0.6], np.float32)
    assert agree("Resize", x, scales, opset=10, device=device)[0].tolist() == [[1.0, 3.0]]
    agree("Resize", x, np.array([1.5, 0.7], np.float32), opset=10, device=device)
    agree("Resize", x, np.array([0.5, 1.0], np.float32), opset=10, device=device, mode="linear")
