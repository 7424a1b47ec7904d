"""The ``onnx.backend.base`` interface: ``prepare(model, device) -> rep``, ``rep.run(inputs)``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import onnx
from onnx.backend.base import Backend, BackendRep

from ...devices.base import KINDS
from .module import OnnxModule, load
from .values import to_plain

_NAMES = {"CPU": "cpu", "CUDA": "cuda"}


class TensorliteRep(BackendRep):
    """A model made ready: ``run`` takes NumPy arrays by position and gives a list of them."""

    def __init__(self, module: OnnxModule) -> None:
        self.module = module

    def run(self, inputs: Any, **kwargs: Any) -> Any:
        """The outputs in the graph's order, as NumPy arrays, lists and None."""
        values = inputs if isinstance(inputs, Sequence) else [inputs]
        bound = self.module.bind(values, kwargs)
        return [to_plain(value) for value in self.module._run(bound)]


class TensorliteBackend(Backend):
    """tensorlite as an ONNX backend; devices are "CPU", "CUDA" or tensorlite's own names."""

    @classmethod
    def prepare(cls, model: onnx.ModelProto, device: str = "CPU", **kwargs: Any) -> TensorliteRep:
        """Converts a model for a device."""
        return TensorliteRep(load(model, device=_device(device)))

    @classmethod
    def supports_device(cls, device: str) -> bool:
        """Whether the device can be used here."""
        kind = _device(device).partition(":")[0]
        return kind in KINDS and KINDS[kind].unavailable() is None

    @classmethod
    def run_node(
        cls, node: Any, inputs: Any, device: str = "CPU", outputs_info: Any = None, **kwargs: Any
    ) -> Any:
        """The outputs of one node on these inputs, at the newest opset."""
        from onnx import helper, numpy_helper

        tensors = [numpy_helper.from_array(a, n) for n, a in zip(node.input, inputs, strict=True)]
        outputs = [helper.make_empty_tensor_value_info(name) for name in node.output]
        graph = helper.make_graph([node], "node", [], outputs, tensors)
        opset = kwargs.get("opset_version", onnx.defs.onnx_opset_version())
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)])
        return cls.prepare(model, device).run([])


def _device(name: str) -> str:
    kind, _, index = name.partition(":")
    return _NAMES.get(kind, kind) + (f":{index}" if index else "")


prepare = TensorliteBackend.prepare
run_model = TensorliteBackend.run_model
run_node = TensorliteBackend.run_node
supports_device = TensorliteBackend.supports_device
