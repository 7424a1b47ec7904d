"""Attention that exporters wrote out: product, scale, mask, softmax, product.

It becomes ``Attention`` of ai.onnx (opset 23) on queries, keys and values of four dimensions.
That gives zeros where a row has no key to attend to, a softmax does not; so a mask must be known
to be finite, unless the graph itself puts zeros there.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..graph import Node
from .inference import Known
from .sizes import Dims
from .view import Pass, View

_FLOATS = ("float32", "float64")  # in half precision each step would be rounded by itself


@dataclass
class Scores:
    """What a softmax is taken of: ``query @ key.T * scale + mask``."""

    query: str
    key: Node  # the transposition of the keys
    scale: float
    mask: str
    nodes: list[Node]


def fuse_attention(view: View) -> None:
    """``softmax(query @ key.T * scale + mask) @ value`` of heads, float32 or float64."""
    if not view.context.available("Attention", "", 23):
        return
    for softmax in view.nodes("Softmax"):
        scores = _scores(view, softmax)
        if scores is None:
            continue
        safe = _without_nan(view, softmax)
        if scores.mask and not safe and not _is_finite(view, scores.mask):
            continue
        weights = softmax.outputs[0] if not safe else safe[-1].outputs[0]
        product = view.user(weights, "MatMul")
        if product is None or product.inputs[0] != weights:
            continue
        value = product.inputs[1]
        if value == weights or not _fit(view, scores, value):
            continue
        _replaced(view, scores, [softmax, *safe, product], value)


def _replaced(view: View, scores: Scores, rest: list[Node], value: str) -> None:
    last = rest[-1]
    inputs = (scores.query, _key(view, scores.key, last), value)
    inputs = (*inputs, scores.mask) if scores.mask else inputs  # type: ignore[assignment]
    new = Node("Attention", inputs, last.outputs, rest[0].name, opset=23,
               attributes={"scale": scores.scale})  # fmt: skip
    every = [*scores.nodes, *rest]
    view.fuse(every, new, f"{len(every)} nodes are Attention")


def _key(view: View, turned: Node, last: Node) -> str:
    """The keys (batch, heads, places, size): before the transposition, or transposed less."""
    perm = turned.attributes["perm"]
    perm = [perm[0], perm[1], perm[3], perm[2]]
    if perm == [0, 1, 2, 3]:
        return turned.inputs[0]
    name = view.context.fresh(f"{turned.outputs[0]}_key")
    node = Node("Transpose", turned.inputs, (name,), name, opset=turned.opset,
                attributes={"perm": perm})  # fmt: skip
    view.before(last, node)
    return name


def _scores(view: View, softmax: Node) -> Scores | None:
    name, nodes, mask = softmax.inputs[0], [], ""
    rank = view.known(name).rank
    axis = softmax.attributes.get("axis", -1 if softmax.opset >= 13 else 1)
    if axis != -1 and (rank is None or axis != rank - 1):
        return None
    add = view.inner(name, "Add")
    if add is not None:
        found = [pair for pair in view.pairs(add) if _is_product(view, pair[0])]
        if not found or add.opset < 7:
            return None
        (name, mask), nodes = found[0], [add]
    name, scale, scaling = _unscaled(view, name)
    product = view.inner(name, "MatMul")
    if product is None:
        return None
    query, left, first = _unscaled(view, product.inputs[0])
    turned, right, second = _unscaled(view, product.inputs[1])
    key = view.producer(turned, "Transpose")
    if key is None or len(key.attributes.get("perm") or ()) != 4:
        return None
    whole = scale * left * right
    if not (np.isfinite(whole) and whole > 0):
        return None
    return Scores(query, key, whole, mask, [*nodes, *scaling, product, *first, *second])


def _is_product(view: View, name: str) -> bool:
    return view.inner(_unscaled(view, name)[0], "MatMul") is not None


def _unscaled(view: View, name: str) -> tuple[str, float, list[Node]]:
    """A value without a constant factor, the factor, and the node that has it."""
    node = view.inner(name, "Mul", "Div")
    if node is None or node.opset < 7:
        return name, 1.0, []
    split = view.split(node)
    if split is None or split[1].size != 1 or split[1].ndim > 1:
        return name, 1.0, []
    factor = float(split[1].reshape(()).item())
    if node.op_type == "Div":
        if split[0] != node.inputs[0] or factor == 0:
            return name, 1.0, []
        factor = 1 / factor
    return split[0], factor, [node]


def _without_nan(view: View, softmax: Node) -> list[Node]:
    """``IsNaN`` and ``Where`` that put zeros in place of rows that are not numbers, if there."""
    name = softmax.outputs[0]
    if view.count(name) != 2 or name in view.outputs or view.captured.get(name):
        return []
    users = list(view.consumers[name])
    test = next((user for user in users if user.operator == "IsNaN"), None)
    where = next((user for user in users if user.operator == "Where"), None)
    if test is None or where is None or not (view.is_certain(test) and view.is_certain(where)):
        return []
    fits = where.inputs[0] == test.outputs[0] and where.inputs[2] == name
    zero = view.constant(where.inputs[1])
    scalar = zero is not None and zero.ndim < 2 and view.number(where.inputs[1]) == 0
    return [test, where] if fits and scalar and view.count(test.outputs[0]) == 1 else []


def _is_finite(view: View, name: str, depth: int = 4) -> bool:
    """Whether a mask is made of constants so that it cannot be infinite."""
    array = view.constant(name)
    if array is not None:
        return array.dtype.name in _FLOATS and bool(np.isfinite(array).all())
    if depth == 0:
        return False
    node = view.producer(name, "Where", "Mul", "Sub", "Cast", "Unsqueeze", "Expand")
    if node is None:
        return False
    if node.op_type == "Cast":
        return view.known(node.inputs[0]).dtype in ("bool", "int32", "int64", "uint8", "int8")
    if node.op_type == "Mul" and _product_overflows(view, node):
        return False
    inputs = {"Where": node.inputs[1:], "Unsqueeze": node.inputs[:1], "Expand": node.inputs[:1]}
    return all(_is_finite(view, n, depth - 1) for n in inputs.get(node.op_type, node.inputs))


def _product_overflows(view: View, node: Node) -> bool:
    """Whether a mask times its constant could be infinite: unless the constant is moderate."""
    split = view.split(node)
    return split is None or not bool((np.abs(split[1].astype(np.float64)) <= 1e15).all())


def _fit(view: View, scores: Scores, value: str) -> bool:
    """Whether queries, keys, values and mask have the shapes and dtypes that Attention takes."""
    query, values = view.known(scores.query), view.known(value)
    key = view.known(scores.key.inputs[0])
    shapes = query.shape, key.shape, values.shape
    if any(shape is None or len(shape) != 4 for shape in shapes):
        return False
    if query.dtype not in _FLOATS or {key.dtype, values.dtype} != {query.dtype}:
        return False
    first, second, third = (shape for shape in shapes if shape is not None)
    perm = scores.key.attributes["perm"]
    turned = [second[axis] for axis in (perm[0], perm[1], perm[3], perm[2])]
    pairs = [(first[0], turned[0]), (first[1], turned[1]), (first[3], turned[3])]
    pairs += [(turned[0], third[0]), (turned[1], third[1]), (turned[2], third[2])]
    if any(a is None or a != b for a, b in pairs):
        return False
    whole = (first[0], first[1], first[2], turned[2])
    return not scores.mask or _mask_fits(view.known(scores.mask), query.dtype, whole)


def _mask_fits(mask: Known, dtype: str | None, scores: Dims) -> bool:
    """Whether a mask broadcasts to the scores, rather than they to it."""
    if mask.dtype != dtype or mask.shape is None or not 0 < len(mask.shape) <= 4:
        return False
    padded = (1,) * (4 - len(mask.shape)) + mask.shape
    pairs = zip(padded, scores, strict=True)
    return all(have is not None and have in (1, want) for have, want in pairs)


ATTENTION: tuple[Pass, ...] = (fuse_attention,)
