"""Small networks, and the files that ONNX Runtime's quantisation makes of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper


class Network:
    """A graph of one input and one output, written node by node."""

    def __init__(self, *shape: int) -> None:
        self.shape = shape
        self.nodes: list[Any] = []
        self.weights: list[Any] = []
        self.source = np.random.default_rng(0)

    def add(self, kind: str, *inputs: str, **attributes: Any) -> str:
        name = f"v{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [name], name=f"n{name}", **attributes))
        return name

    def constant(self, array: Any, dtype: Any = np.float32) -> str:
        name = f"w{len(self.weights)}"
        self.weights.append(numpy_helper.from_array(np.asarray(array, dtype), name))
        return name

    def whole(self, *numbers: int) -> str:
        return self.constant(numbers, np.int64)

    def normal(self, *shape: int, scale: float = 1.0) -> str:
        return self.constant(self.source.standard_normal(shape) * scale)

    def conv(self, x: str, i: int, o: int, k: int = 3, groups: int = 1, **attributes: Any) -> str:
        fan = (2 / (i // groups * k * k)) ** 0.5
        w, b = self.normal(o, i // groups, k, k, scale=fan), self.normal(o, scale=0.1)
        return self.add("Conv", x, w, b, pads=[k // 2] * 4, group=groups, **attributes)

    def linear(self, x: str, i: int, o: int) -> str:
        return self.add("Add", self.add("MatMul", x, self.normal(i, o, scale=i**-0.5)),
                        self.normal(o, scale=0.1))  # fmt: skip

    def made(self, output: str, opset: int = 17) -> onnx.ModelProto:
        graph = helper.make_graph(
            self.nodes, "net",
            [helper.make_tensor_value_info("x", TensorProto.FLOAT, self.shape)],
            [helper.make_tensor_value_info(output, TensorProto.FLOAT, None)], self.weights,
        )  # fmt: skip
        opsets = [helper.make_opsetid("", opset)]
        return onnx.shape_inference.infer_shapes(
            helper.make_model(graph, opset_imports=opsets, ir_version=8)
        )


def residual(opset: int = 17) -> onnx.ModelProto:
    """Convolutions, a maximum of windows, a residual, a concatenation, resizing and a mean."""
    net = Network(2, 3, 16, 16)
    x = net.add("Relu", net.conv("x", 3, 16))
    x = net.add("MaxPool", x, kernel_shape=[2, 2], strides=[2, 2])
    y = net.conv(net.add("Relu", net.conv(x, 16, 16)), 16, 16)
    x = net.add("Relu", net.add("Add", x, y))
    y = net.add("LeakyRelu", net.conv(x, 16, 8, 1, strides=[2, 2]), alpha=0.1)
    y = net.add("Resize", y, "", net.constant([1, 1, 2, 2]), mode="nearest",
                coordinate_transformation_mode="asymmetric", nearest_mode="floor")  # fmt: skip
    x = net.add("Concat", x, y, axis=1)
    x = net.add("Mul", x, net.add("Sigmoid", net.conv(x, 24, 24, 1)))
    x = net.add("Flatten", net.add("GlobalAveragePool", x))
    x = net.add("Gemm", x, net.normal(10, 24, scale=0.2), net.normal(10), transB=1)
    return net.made(x, opset)


def mobile() -> onnx.ModelProto:
    """Inverted residuals with depthwise convolutions and ReLU6; a reshape flattens."""
    net = Network(8, 3, 16, 16)

    def six(x: str) -> str:
        return net.add("Clip", x, zero, most)

    zero, most = net.constant(0.0), net.constant(6.0)
    x = six(net.conv("x", 3, 8, strides=[2, 2]))
    for stride in (1, 2):
        y = six(net.conv(x, 8, 24, 1))
        y = six(net.conv(y, 24, 24, groups=24, strides=[stride] * 2))
        y = net.conv(y, 24, 8, 1)
        x = net.add("Add", x, y) if stride == 1 else y
    x = net.add("AveragePool", x, kernel_shape=[4, 4])
    x = net.add("Reshape", x, net.whole(0, -1))
    x = net.add("Gemm", x, net.normal(10, 8), net.normal(10), transB=1)
    return net.made(net.add("Softmax", x, axis=-1))


def encoder(width: int = 32, heads: int = 4, length: int = 7) -> onnx.ModelProto:
    """A layer of BERT, as exporters write it."""
    net = Network(2, length, width)
    shape = net.whole(0, 0, heads, width // heads)
    parts = [net.add("Reshape", net.linear("x", width, width), shape) for _ in range(3)]
    q, v = (net.add("Transpose", y, perm=[0, 2, 1, 3]) for y in (parts[0], parts[2]))
    scores = net.add("MatMul", q, net.add("Transpose", parts[1], perm=[0, 2, 3, 1]))
    scores = net.add("Div", scores, net.constant((width / heads) ** 0.5))
    mixed = net.add("MatMul", net.add("Softmax", scores, axis=-1), v)
    mixed = net.add("Transpose", mixed, perm=[0, 2, 1, 3])
    mixed = net.add("Reshape", mixed, net.whole(0, 0, width))
    ones = net.constant(np.ones(width))
    y = net.add("LayerNormalization", net.add("Add", net.linear(mixed, width, width), "x"), ones)
    up = net.linear(y, width, 4 * width)
    gate = net.add("Add", net.add("Erf", net.add("Div", up, net.constant(2**0.5))),
                   net.constant(1.0))  # fmt: skip
    wide = net.add("Mul", net.add("Mul", up, gate), net.constant(0.5))
    down = net.linear(wide, 4 * width, width)
    return net.made(net.add("LayerNormalization", net.add("Add", down, y), ones))


def inputs_of(proto: onnx.ModelProto, seed: int) -> dict[str, Any]:
    sizes = [d.dim_value for d in proto.graph.input[0].type.tensor_type.shape.dim]
    source = np.random.default_rng(seed)
    return {proto.graph.input[0].name: source.standard_normal(sizes).astype(np.float32)}


def static(proto: onnx.ModelProto, folder: Path, **options: Any) -> Path:
    """The file that ``quantize_static`` makes, calibrated on random inputs."""
    pytest.importorskip("onnxruntime", reason="ONNX Runtime is not installed")
    from onnxruntime.quantization import CalibrationDataReader, quantize_static

    batches = iter([inputs_of(proto, seed) for seed in range(4)])

    class Reader(CalibrationDataReader):  # type: ignore[misc]
        def get_next(self) -> dict[str, Any] | None:
            return next(batches, None)

    path = folder / "int8.onnx"
    onnx.save(proto, folder / "float.onnx")
    quantize_static(str(folder / "float.onnx"), str(path), Reader(), **options)
    return path


def dynamic(proto: onnx.ModelProto, folder: Path, **options: Any) -> Path:
    """The file that ``quantize_dynamic`` makes, with weights in int8."""
    pytest.importorskip("onnxruntime", reason="ONNX Runtime is not installed")
    from onnxruntime.quantization import QuantType, quantize_dynamic

    path = folder / "int8.onnx"
    onnx.save(proto, folder / "float.onnx")
    quantize_dynamic(folder / "float.onnx", path, weight_type=QuantType.QInt8, **options)
    return path


def onnxruntime(path: Path, inputs: dict[str, Any], optimize: bool) -> Any:
    """The first output of ONNX Runtime, with all its graph optimisations or none."""
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.log_severity_level, options.intra_op_num_threads = 3, 1
    levels = ort.GraphOptimizationLevel
    options.graph_optimization_level = levels.ORT_ENABLE_ALL if optimize else levels.ORT_DISABLE_ALL
    session = ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    return session.run(None, inputs)[0]
