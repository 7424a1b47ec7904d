"""A converted ONNX model: an ``nn.Module`` whose forward runs the graph."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from ...devices.base import Device, resolve
from ...errors import OnnxError, TensorliteError, nearest
from ...nn.module import Module
from ...nn.parameter import Parameter
from ...progress import progress
from ...tensor import Tensor
from .binding import appearance, bind
from .graph import Graph, Model
from .optimize import Explanation, optimized
from .program import Builder, Step, Values, Watch
from .reader import read
from .summary import Summary, summarize
from .values import strings, to_plain, to_value


class OnnxModule(Module):
    """An ONNX model as a module: call it with tensors (or arrays), by position or by name.

    Float initializers are its parameters, the others its buffers, under their ONNX names.
    ``inputs`` and ``outputs`` tell names, dtypes and shapes.

    >>> import onnx, tensorlite as tl
    >>> head = '<ir_version: 8, opset_import: ["": 17]>'
    >>> text = head + " g (float[n] x) => (float[n] y) {y = Relu(x)}"
    >>> model = tl.onnx.load(onnx.parser.parse_model(text))
    >>> model(tl.tensor([-1.0, 2.0]))
    tensor([0., 2.])
    >>> model.run({"x": [-1.0, 2.0]})
    {'y': tensor([0., 2.])}
    """

    def __init__(
        self,
        model: Model,
        device: Device,
        original: Callable[[], Model] | None = None,
        changes: Explanation | None = None,
    ) -> None:
        super().__init__()
        self.training = False  # a converted network is there to be run
        self.model = model
        self.original = original  # gives the model as it was before it was optimised
        self.changes = changes
        self.place = device
        self.strings: dict[str, Tensor] = {}  # constants of text, which live on no device
        builder = Builder(model, lambda: self.place, self._keep)
        self.program = builder.program(model.graph)
        builder.check()
        defaults = model.graph.initializers
        self.inputs = tuple(i for i in model.graph.inputs if i.name not in defaults)
        self.outputs = model.graph.outputs
        self._bound: set[Any] = set()  # what inputs looked like that were found right

    def _keep(self, name: str, array: np.ndarray[Any, Any], weight: bool) -> str:
        """Takes charge of a constant; gives the name under which the module has it."""
        key = name
        while key in self._parameters or key in self._buffers or key in self.strings:
            key += "_"  # two subgraphs may use one name
        if array.dtype == object:
            self.strings[key] = strings(array)
            return key
        value = to_value(array, self.place)
        if weight and value.is_floating_point():
            self._parameters[key] = Parameter(value)
            return key
        self._buffers[key] = value
        if not weight:
            self._non_persistent_buffers_set.add(key)
        return key

    def to(self, *args: Any, **kwargs: Any) -> Any:
        """Moves the weights; inputs are expected on the same device from then on."""
        super().to(*args, **kwargs)
        spec = kwargs.get("device", args[0] if args else None)
        if isinstance(spec, str | Device):
            self.place = resolve(spec)
        return self

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """The outputs: a Tensor, or a tuple in the graph's order."""
        outputs = self._run(self.bind(args, kwargs))
        return outputs[0] if len(outputs) == 1 else tuple(outputs)

    def run(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """The outputs by name, from inputs by name."""
        if not isinstance(inputs, Mapping):
            raise OnnxError(
                f"run: expected a dict of inputs by name, got {type(inputs).__name__}; "
                f"inputs by position are given in a call, model(x)"
            )
        outputs = self._run(self.bind((), inputs))
        return {info.name: value for info, value in zip(self.outputs, outputs, strict=True)}

    def intermediate(self, name: str, *args: Any, **kwargs: Any) -> Any:
        """The value of that name on these inputs, or the outputs of the node of that name.

        Of an optimised model those of the model as it was in the file. Raises OnnxError for a
        name that the main graph does not have.
        """
        inputs = self.bind(args, kwargs)
        if self.original is not None and name not in _values(self.model.graph):
            return self._unoptimized(self.original).intermediate(name, **inputs)
        return self._intermediate(name, inputs)

    def _intermediate(self, name: str, inputs: dict[str, Any]) -> Any:
        found: list[Any] = []

        def watch(step: Step, outputs: tuple[Any, ...], values: Values) -> None:
            if step.node.name == name:
                found.append(outputs[0] if len(outputs) == 1 else outputs)
            elif name in step.node.outputs:
                found.append(values[name])

        if name in inputs or name in self.program.constants:
            return inputs[name] if name in inputs else self._weights()[self.program.constants[name]]
        nodes = self.model.graph.nodes
        known = {n for node in nodes for n in (node.name, *node.outputs) if n}
        if name not in known:
            raise OnnxError(f"intermediate: no node or value {name!r}.{nearest(name, known)}")
        self._run(inputs, watch)
        return found[0]

    def _unoptimized(self, original: Callable[[], Model]) -> OnnxModule:
        """The model as it was, with the weights that this one has of it."""
        try:
            module = OnnxModule(original(), self.place)
        except TensorliteError as error:
            raise OnnxError(
                f"intermediate: the model as it was before it was optimised cannot be had again "
                f"({error}); load it with tl.onnx.load(path, optimize=False)"
            ) from error
        for name in self.model.graph.initializers:
            for mine, its in ((self._parameters, module._parameters),
                              (self._buffers, module._buffers)):  # fmt: skip
                if name in mine and name in its:
                    its[name] = mine[name]  # type: ignore[assignment]
        return module

    def optimize(self) -> OnnxModule:
        """The same model with fewer nodes: constants computed, what belongs together fused.

        A new module that shares the weights; its outputs differ by rounding only.

        >>> import onnx, tensorlite as tl
        >>> head = '<ir_version: 8, opset_import: ["": 17]>'
        >>> text = head + " g (float[n] x) => (float[n] y) {h = Identity(x)  y = Relu(h)}"
        >>> model = tl.onnx.load(onnx.parser.parse_model(text), optimize=False)
        >>> len(model.model.graph.nodes), len(model.optimize().model.graph.nodes)
        (2, 1)
        """
        graph = replace(self.model.graph, initializers=self._arrays())
        model = replace(self.model, graph=graph)
        return _optimized(model, self.place, self.original or (lambda: model))

    def _arrays(self) -> dict[str, np.ndarray[Any, Any]]:
        """The weights as they are now; the same memory where they are on the processor."""
        weights, program = self._weights(), self.program
        return {
            name: to_plain(weights[program.constants[name]])
            for name in self.model.graph.initializers
        }

    def explain(self) -> Explanation:
        """What was done when the model was optimised; prints as a table: pass, node, what.

        >>> import onnx, tensorlite as tl
        >>> head = '<ir_version: 8, opset_import: ["": 17]>'
        >>> text = head + " g (float[n] x) => (float[n] y) {h = Identity(x)  y = Relu(h)}"
        >>> tl.onnx.load(onnx.parser.parse_model(text)).explain()
        g
        remove identity  Identity_0  Identity does nothing
        2 nodes became 1: remove identity 1
        """
        if self.changes is not None:
            return self.changes
        count = len(self.model.graph.nodes)
        return Explanation(_title(self.model), (), count, count)

    def summary(self, *args: Any, **kwargs: Any) -> Summary:
        """A table of the nodes: shapes, parameters, memory; measured on inputs if they are given.

        Without inputs shapes are inferred as far as the file allows.
        """
        if not (args or kwargs):
            return summarize(self)
        return summarize(self, self.bind(args, kwargs))

    def bind(self, args: Sequence[Any], kwargs: Mapping[str, Any]) -> dict[str, Any]:
        """The graph's inputs by name, from those given by position and by name; all checked.

        Inputs that look like some that were found right are not checked again.
        """
        look = appearance(args, kwargs, self.place)
        if look is not None and look in self._bound:
            given = {info.name: value for info, value in zip(self.inputs, args, strict=False)}
            return {**given, **kwargs} if kwargs else given
        bound = bind(self.model.graph, self.inputs, args, kwargs, self.place)
        if look is not None and len(args) + len(kwargs) == len(bound):
            if len(self._bound) > 1000:
                self._bound.clear()
            self._bound.add(look)
        return bound

    def _run(self, inputs: dict[str, Any], watch: Watch | None = None) -> list[Any]:
        return self.program.run(inputs, {}, self._weights(), watch)

    def _weights(self) -> dict[str, Any]:
        return {**self._parameters, **self._buffers, **self.strings}

    def extra_repr(self) -> str:
        """Inputs and outputs, for the repr."""
        inputs = ", ".join(map(str, self.inputs))
        return f"({inputs}) -> ({', '.join(map(str, self.outputs))})"


def load(
    source: str | os.PathLike[str] | bytes | Any,
    *,
    device: Any = None,
    folder: str | os.PathLike[str] | None = None,
    optimize: bool = True,
) -> OnnxModule:
    """The ONNX model in a file (or bytes, or a ModelProto) as a module on a device.

    Its graph is optimised, which changes outputs by rounding only; ``optimize=False`` leaves it
    as it is in the file.

    Weights outside the file are looked for in its folder only (or in ``folder``). Raises
    OnnxError for a broken model, UnsafeFileError for data outside the folder, and
    UnsupportedOperatorError with every operator that is unknown.

    >>> import tensorlite as tl
    >>> tl.onnx.load("nothing.onnx")
    Traceback (most recent call last):
    tensorlite.errors.OnnxError: nothing.onnx: there is no such file.
    """
    name = Path(source).name if isinstance(source, str | os.PathLike) else "the model"
    with progress(f"reading {name}") as report:
        model = read(source, folder=folder, progress=report)
    if not optimize:
        return OnnxModule(model, resolve(device))
    again = isinstance(source, str | os.PathLike)  # rather than keep weights that were replaced
    original = (lambda: read(source, folder=folder)) if again else lambda: model
    return _optimized(model, resolve(device), original)


def _optimized(model: Model, device: Device, original: Callable[[], Model]) -> OnnxModule:
    found, changes = optimized(model)
    if not changes:
        return OnnxModule(model, device)
    counts = len(model.graph.nodes), len(found.graph.nodes)
    return OnnxModule(found, device, original, Explanation(_title(model), changes, *counts))


def _title(model: Model) -> str:
    return model.path.name if model.path else model.graph.name


def _values(graph: Graph) -> set[str]:
    """The names of a graph's values; nodes may have got another meaning."""
    made = {name for node in graph.nodes for name in node.outputs if name}
    return made | set(graph.initializers) | {info.name for info in graph.inputs}
