"""The networks of the benchmarks as ONNX files with inputs, random weights where there are none."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

Made = tuple[bytes, dict[str, Any]]
_OPSET = helper.make_opsetid("", 17)


def light(name: str) -> Made:
    """One of the architectures inside the onnx package; its constant weights become random."""
    folder = Path(onnx.__path__[0]) / "backend/test/data/light"
    model = onnx.load(folder / f"light_{name}.onnx")
    random = np.random.default_rng(0)
    arrays = {t.name: numpy_helper.to_array(t) for t in model.graph.initializer}
    spread = {n.input[i] for n in model.graph.node for i in (1, 4) if n.op_type == _NORM}
    kept, made = [], []
    for node in model.graph.node:
        if node.op_type != "ConstantOfShape" or node.input[0] not in arrays:
            kept.append(node)
            continue
        shape = tuple(arrays[node.input[0]].astype(int))
        made.append(numpy_helper.from_array(_weights(random, shape, node.output[0] in spread),
                                            node.output[0]))  # fmt: skip
    used = {i for n in kept for i in n.input}
    others = [t for t in model.graph.initializer if t.name in used]
    del model.graph.node[:], model.graph.initializer[:]
    model.graph.node.extend(kept)
    model.graph.initializer.extend([*others, *made])
    image_of = next(i for i in model.graph.input if i.name not in arrays)
    del model.graph.input[:]
    model.graph.input.append(image_of)
    image = random.standard_normal((1, 3, 224, 224), np.float32)
    return model.SerializeToString(), {image_of.name: image}


_NORM = "BatchNormalization"


def _weights(random: np.random.Generator, shape: tuple[int, ...], spread: bool) -> Any:
    """He's initialisation; a number near one where channels are scaled."""
    if spread:
        return (random.random(shape) * 0.5 + 0.75).astype(np.float32)
    scale = np.sqrt(2 / np.prod(shape[1:])) if len(shape) > 1 else 0.1
    return (random.standard_normal(shape) * scale).astype(np.float32)


class _Net:
    """An ONNX graph of one input, written layer by layer."""

    def __init__(self) -> None:
        self.random = np.random.default_rng(0)
        self.nodes: list[Any] = []
        self.weights: list[Any] = []

    def node(self, kind: str, *inputs: str, **attributes: Any) -> str:
        name = f"v{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [name], **attributes))
        return name

    def constant(self, array: Any) -> str:
        name = f"w{len(self.weights)}"
        self.weights.append(numpy_helper.from_array(np.asarray(array, np.float32), name))
        return name

    def conv(
        self, x: str, i: int, o: int, k: int = 1, s: int = 1, groups: int = 1, act: bool = True
    ) -> str:
        w = self.constant(_weights(self.random, (o, i // groups, k, k), False))
        b = self.constant(self.random.standard_normal(o) * 0.1)
        p = k // 2
        y = self.node("Conv", x, w, b, strides=[s, s], pads=[p] * 4, group=groups)
        return self.node("Clip", y, self.constant(0.0), self.constant(6.0)) if act else y

    def whole(self, numbers: list[int]) -> str:
        name = f"w{len(self.weights)}"
        self.weights.append(numpy_helper.from_array(np.array(numbers, np.int64), name))
        return name

    def done(self, output: str, shape: tuple[int, ...] = (1, 3, 224, 224)) -> Made:
        image = helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)
        result = helper.make_tensor_value_info(output, TensorProto.FLOAT, None)
        graph = helper.make_graph(self.nodes, "net", [image], [result], self.weights)
        model = helper.make_model(graph, opset_imports=[_OPSET], ir_version=8)
        data = {"x": self.random.standard_normal(shape, np.float32)}
        return model.SerializeToString(), data


def inverted(stages: list[tuple[int, int, int, int, int]], first: int, last: int) -> Made:
    """Networks of inverted residuals: (expansion, channels, blocks, stride, window) per stage."""
    net = _Net()
    x, c = net.conv("x", 3, first, 3, 2), first
    for expansion, o, blocks, stride, window in stages:
        for block in range(blocks):
            s, wide = stride if block == 0 else 1, c * expansion
            y = net.conv(x, c, wide) if expansion > 1 else x
            y = net.conv(y, wide, wide, window, s, groups=wide)
            y = net.conv(y, wide, o, act=False)
            x, c = (net.node("Add", x, y) if s == 1 and c == o else y), o
    x = net.conv(x, c, last)
    x = net.node("Flatten", net.node("GlobalAveragePool", x))
    w = net.constant(_weights(net.random, (1000, last), False))
    b = net.constant(np.zeros(1000))
    return net.done(net.node("Gemm", x, w, b, transB=1))


_MOBILENET = [(1, 16, 1, 1, 3), (6, 24, 2, 2, 3), (6, 32, 3, 2, 3), (6, 64, 4, 2, 3),
              (6, 96, 3, 1, 3), (6, 160, 3, 2, 3), (6, 320, 1, 1, 3)]  # fmt: skip
_EFFICIENTNET = [(1, 16, 1, 1, 3), (6, 24, 2, 2, 3), (6, 40, 2, 2, 5), (6, 80, 3, 2, 3),
                 (6, 112, 3, 1, 5), (6, 192, 4, 2, 5), (6, 320, 1, 1, 3)]  # fmt: skip


def encoder(tokens: int, layers: int = 6, width: int = 384, heads: int = 12) -> Made:
    """MiniLM's encoder as exporters write it, with random weights."""
    net = _Net()
    shape = net.whole([1, tokens, heads, width // heads])
    joined = net.whole([1, tokens, width])

    def linear(x: str, i: int, o: int) -> str:
        w = net.constant(net.random.standard_normal((i, o)) / np.sqrt(i))
        return net.node("Add", net.node("MatMul", x, w), net.constant(np.zeros(o)))

    def norm(x: str) -> str:
        return net.node("LayerNormalization", x, net.constant(np.ones(width)),
                        net.constant(np.zeros(width)), epsilon=1e-12)  # fmt: skip

    x = "x"
    for _ in range(layers):
        q, k, v = (net.node("Reshape", linear(x, width, width), shape) for _ in range(3))
        q, v = (net.node("Transpose", y, perm=[0, 2, 1, 3]) for y in (q, v))
        k = net.node("Transpose", k, perm=[0, 2, 3, 1])
        scores = net.node("Div", net.node("MatMul", q, k), net.constant(np.sqrt(width / heads)))
        mixed = net.node("MatMul", net.node("Softmax", scores, axis=-1), v)
        mixed = net.node("Reshape", net.node("Transpose", mixed, perm=[0, 2, 1, 3]), joined)
        x = norm(net.node("Add", linear(mixed, width, width), x))
        y = linear(x, width, 4 * width)
        share = net.node("Erf", net.node("Div", y, net.constant(np.sqrt(2))))
        share = net.node("Add", share, net.constant(1.0))
        y = net.node("Mul", net.node("Mul", y, share), net.constant(0.5))
        x = norm(net.node("Add", linear(y, 4 * width, width), x))
    return net.done(x, (1, tokens, width))


def fetched(key: str, inputs: Callable[[np.random.Generator], dict[str, Any]]) -> Made:
    """A real model that ``tensorlite fetch`` gets."""
    from tensorlite import fetch

    return fetch.path(key).read_bytes(), inputs(np.random.default_rng(0))


def _image(name: str, *shape: int) -> Callable[[np.random.Generator], dict[str, Any]]:
    return lambda random: {name: random.standard_normal(shape, np.float32)}


NETWORKS: dict[str, Callable[[], Made]] = {
    "resnet50": partial(light, "resnet50"),
    "densenet121": partial(light, "densenet121"),
    "squeezenet": partial(light, "squeezenet"),
    "vgg19": partial(light, "vgg19"),
    "shufflenet": partial(light, "shufflenet"),
    "mobilenet-v2": lambda: inverted(_MOBILENET, 32, 1280),
    "efficientnet-lite0": lambda: inverted(_EFFICIENTNET, 32, 1280),
    "opennsfw": lambda: fetched("opennsfw", _image("input:0", 1, 224, 224, 3)),
    "minilm-16": lambda: encoder(16),
    "minilm-128": lambda: encoder(128),
    "minilm-512": lambda: encoder(512),
    "ocr-detection": lambda: fetched("rapidocr/det", _image("x", 1, 3, 736, 736)),
    "ocr-recognition": lambda: fetched("rapidocr/rec", _image("x", 1, 3, 48, 320)),
}


def made(name: str) -> Made:
    """The file of a network and its inputs."""
    return NETWORKS[name]()
