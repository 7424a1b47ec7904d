"""Shapes and dtypes of the results of operators on quantised numbers."""

from __future__ import annotations

from collections.abc import Sequence

from ..graph import Node

ON_QUANTIZED: dict[str, tuple[str, tuple[int, ...]]] = {
    "QLinearConv": ("Conv", (0, 3)), "QLinearMatMul": ("MatMul", (0, 3)), "QGemm": ("Gemm", (0, 3)),
    "MatMulInteger": ("MatMul", (0, 1)), "ConvInteger": ("Conv", (0, 1)),
    "MatMulIntegerToFloat": ("MatMul", (0, 1)), "DynamicQuantizeMatMul": ("MatMul", (0, 1)),
    "QLinearAdd": ("Add", (0, 3)), "QLinearMul": ("Mul", (0, 3)),
    "QLinearWhere": ("Where", (0, 1, 4)), "QLinearReduceMean": ("ReduceMean", (0,)),
    "QLinearSigmoid": ("Sigmoid", (0,)), "QLinearLeakyRelu": ("LeakyRelu", (0,)),
    "QLinearSoftmax": ("Softmax", (0,)), "QLinearAveragePool": ("AveragePool", (0,)),
    "QLinearGlobalAveragePool": ("GlobalAveragePool", (0,)),
}  # fmt: skip
"""The operator that each is in floats, and which of its inputs are that operator's."""

TYPED = {*ON_QUANTIZED, "QuantizeLinear", "DequantizeLinear"}
"""Operators of com.microsoft whose result has a dtype that follows from the inputs."""

_FLOAT = ("MatMulIntegerToFloat", "DynamicQuantizeMatMul")


def quantized_dtype(node: Node, dtypes: Sequence[str | None]) -> str | None:
    """The dtype of the result of an operator of com.microsoft."""
    if node.op_type in _FLOAT or (node.op_type == "QGemm" and len(node.inputs) < 8):
        return "float32"
    if node.op_type == "DequantizeLinear":
        return dtypes[1] if len(dtypes) > 1 else None
    if node.op_type == "QuantizeLinear":
        return dtypes[2] if len(dtypes) > 2 else "uint8"
    place = 1 if node.op_type == "QLinearWhere" else 0
    return dtypes[place] if place < len(dtypes) else None
