"""The shape of a node's outputs, as far as it follows from the shapes of its inputs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ..graph import Node
from .quantized_types import ON_QUANTIZED
from .sizes import Dims, Size, Values, at_most, broadcast, symbol, total

Shapes = Sequence[Dims | None]
Given = Sequence[Values | None]
Rule = Callable[[Node, Shapes, Given], Dims | None]


def shape_of(node: Node, place: int, shapes: Shapes, values: Given) -> Dims | None:
    """The shape of output number ``place``; None where it is not known."""
    rule = _RULES.get(node.op_type)
    if rule is None and node.op_type in ON_QUANTIZED and not _last(node):
        name, places = ON_QUANTIZED[node.op_type]
        rule, shapes = _RULES[name], [shapes[i] for i in places if i < len(shapes)]
    if rule is None or node.domain not in ("", "com.microsoft"):
        return None
    if node.domain and node.op_type in ("Attention", "Pad", "Range", "GatherND"):
        return None
    if place and node.op_type not in ("Split",):
        return None
    if not shapes and node.op_type not in ("Constant",):
        return None
    try:
        if node.op_type == "Split":
            return _split(node, place, shapes, values)
        return rule(node, shapes, values)
    except (ArithmeticError, LookupError, TypeError, ValueError):
        return None  # the node is wrong, and says so when it runs


def _last(node: Node) -> bool:
    return bool(node.attributes.get("channels_last"))


def axis_of(axis: Any, rank: int) -> int:
    """An axis counted from the start; IndexError if there is none."""
    if not -rank <= axis < rank:
        raise IndexError(axis)
    return int(axis % rank)


def _same(node: Node, shapes: Shapes, values: Given) -> Dims | None:
    return shapes[0]


def _broadcast(node: Node, shapes: Shapes, values: Given) -> Dims | None:
    if node.opset < 7 and not node.domain:
        return shapes[0] if node.op_type in ("Add", "Sub", "Mul", "Div", "Pow") else None
    return broadcast(shapes)


def _matmul(node: Node, shapes: Shapes, values: Given) -> Dims | None:
    first, second = shapes[:2]
    if first is None or second is None or len(first) < 2 or len(second) < 2:
        return None
    if any(node.attributes.get(f"transBatch{side}") for side in "AB"):
        return None
    rows = first[-1] if node.attributes.get("transA") else first[-2]
    columns = second[-2] if node.attributes.get("transB") else second[-1]
    batch = broadcast([first[:-2], second[:-2]]) if first[2:] or second[2:] else ()
    return None if batch is None else (*batch, rows, columns)


def _gemm(node: Node, shapes: Shapes, values: Given) -> Dims | None:
    return _matmul(node, shapes[:2], values)


def _conv(node: Node, shapes: Shapes, values: Given) -> Dims | None:
    image, kernel = shapes[:2]
    if image is None or kernel is None:
        return None
    return (image[0], kernel[0], *_windows(node, image[2:], kernel[2:]))


def _pool(node: Node, shapes: Shapes, values: Given) -> Dims | None:
    image = shapes[0]
    if image is None:
        return None
    kernel = node.attributes["kernel_shape"]
    if node.attributes.get("ceil_mode"):
        return (*image[:2], *[None] * len(kernel))
    return (*image[:2], *_windows(node, image[2:], kernel))


def _windows(node: Node, sizes: Sequence[Size], kernel: Sequence[Size]) -> list[Size]:
    rank = len(sizes)
    if node.attributes.get("auto_pad", "NOTSET") not in ("NOTSET", "VALID") or len(kernel) != rank:
        return [None] * rank
    strides = node.attributes.get("strides") or [1] * rank
    dilations = node.attributes.get("dilations") or [1] * rank
    pads = node.attributes.get("pads") or [0] * (2 * rank)
    found: list[Size] = []
    for i, (size, k) in enumerate(zip(sizes, kernel, strict=True)):
        if not isinstance(k, int):
            found.append(None)
            continue
        more = pads[i] + pads[i + rank] - ((k - 1) * dilations[i] + 1)
        found.append(_steps(size, more, strides[i]))
    return found


def _steps(size: Size, more: int, stride: int) -> Size:
    """``(size + more) // stride + 1``."""
    if size is None or stride < 1:
        return None
    if isinstance(size, int):
        return max((size + more) // stride + 1, 0)
    if stride == 1 and more == -1:
        return size
    return symbol(f"(({size}){more:+d})//{stride}+1")


def _global_pool(node: Node, shapes: Shapes, values: Given) -> Dims | None:
    image = shapes[0]
    return None if image is None else (*image[:2], *[1] * (len(image) - 2))


def _transpose(node: Node, shapes: Shapes, values: Given) -> Dims | None:
    shape = shapes[0]
    if shape is None:
        return None
    perm = node.attributes.get("perm") or list(range(len(shape)))[::-1]
    return tuple(shape[i] for i in perm) if sorted(perm) == list(range(len(shape))) else None


def _reshape(node: Node, shapes: Shapes, values: Given) -> Dims | None:
    wanted: Values | None
    if node.opset < 5:
        wanted = Values(tuple(node.attributes["shape"]))
    else:
        wanted = values[1]
    if wanted is None:
        return None
    return reshaped(shapes[0], wanted.items, bool(node.attributes.get("allowzero")))


def reshaped(shape: Dims | None, wanted: Dims, allowzero: bool = False) -> Dims | None:
    """The shape that ``Reshape`` gives."""
    sizes = list(wanted)
    for i, size in enumerate(sizes):
        if size == 0 and not allowzero:
            sizes[i] = None if shape is None or i >= len(shape) else shape[i]
    if -1 in sizes:
        place = sizes.index(-1)
        rest = sizes[:place] + sizes[place + 1 :]
        sizes[place] = _quotient(shape, rest)
    return tuple(sizes)


def _quotient(shape: Dims | None, rest: list[Size]) -> Size:
    """What -1 stands for: the sizes of ``shape`` divided by the ``rest``."""
    if shape is None or None in rest:
        return None
    left, right = list(shape), []
    for size in rest:
        if isinstance(size, str) and size in left:
            left.remove(size)
        else:
            right.append(size)
    above, below = total(left), total(right)
    if isinstance(above, int) and isinstance(below, int):
        return above // below if below > 0 else None
    if below == 1:
        return above
    if above is None or not isinstance(below, int) or below <= 0:
        return None
    number = total([s for s in left if isinstance(s, int)])
    names = [s for s in left if isinstance(s, str)]
    if isinstance(number, int) and number % below == 0:
        return total([*names, number // below])
    return None


def _flatten(node: Node, shapes: Shapes, values: Given) -> Dims | None:
    shape = shapes[0]
    if shape is None:
        return None
    axis = node.attributes.get("axis", 1)
    axis = axis + len(shape) if axis < 0 else axis
    return (total(shape[:axis]), total(shape[axis:]))


def axes_of(node: Node, values: Given) -> list[int] | None:
    """The axes of an operator that took them as an attribute first, then as its second input."""
    if "axes" in node.attributes:
        return list(node.attributes["axes"])
    if len(node.inputs) > 1 and node.inputs[1]:
        given = values[1]
        return None if given is None else given.ints
    return []


def _squeeze(node: Node, shapes: Shapes, values: Given) -> Dims | None:
    shape, axes = shapes[0], axes_of(node, values)
    if shape is None or not axes:
        return None
    gone = {axis_of(axis, len(shape)) for axis in axes}
    return tuple(size for i, size in enumerate(shape) if i not in gone)


def _unsqueeze(node: Node, shapes: Shapes, values: Given) -> Dims | None:
    shape, axes = shapes[0], axes_of(node, values)
    if shape is None or not axes:
        return None
    rank = len(shape) + len(axes)
    new, rest = {axis_of(axis, rank) for axis in axes}, iter(shape)
    return tuple(1 if i in new else next(rest) for i in range(rank))


def _reduce(node: Node, shapes: Shapes, values: Given) -> Dims | None:
    shape, axes = shapes[0], axes_of(node, values)
    if shape is None or axes is None:
        return None
    if not axes and node.attributes.get("noop_with_empty_axes"):
        return shape
    gone = {axis_of(axis, len(shape)) for axis in axes} or set(range(len(shape)))
    if node.attributes.get("keepdims", 1):
        return tuple(1 if i in gone else size for i, size in enumerate(shape))
    return tuple(size for i, size in enumerate(shape) if i not in gone)


def _concat(node: Node, shapes: Shapes, values: Given) -> Dims | None:
    known = [shape for shape in shapes if shape is not None]
    if len(known) != len(shapes):
        return None
    axis = axis_of(node.attributes.get("axis", 1), len(known[0]))
    sizes = [shape[axis] for shape in known]
    whole: Size = None
    if all(isinstance(size, int) for size in sizes):
        whole = sum(size for size in sizes if isinstance(size, int))
    elif None not in sizes:
        whole = symbol("(" + "+".join(map(str, sizes)) + ")")
    return (*known[0][:axis], whole, *known[0][axis + 1 :])


def _gather(node: Node, shapes: Shapes, values: Given) -> Dims | None:
    data, places = shapes[:2]
    if data is None or places is None:
        return None
    axis = axis_of(node.attributes.get("axis", 0), len(data))
    return (*data[:axis], *places, *data[axis + 1 :])


def _slice(node: Node, shapes: Shapes, values: Given) -> Dims | None:
    shape, bounds = shapes[0], slice_bounds(node, values)
    if shape is None:
        return None
    if bounds is None:
        return _sliced_to_size(shape, values) or tuple(None for _ in shape)
    sizes = list(shape)
    for start, stop, axis, step in bounds:
        place = axis_of(axis, len(shape))
        size = sizes[place]
        if start == 0 and stop >= 2**31 - 1 and step == 1:
            continue
        if isinstance(size, int) and step:
            sizes[place] = len(range(*slice(start, stop, step).indices(size))) if step > 0 else None
        else:
            sizes[place] = None
    return tuple(sizes)


def _sliced_to_size(shape: Dims, values: Given) -> Dims | None:
    """The first sizes along one axis, as many as a symbol says."""
    found = [None if value is None else value.items for value in values[1:]]
    if len(found) < 3 or found[0] != (0,) or found[3:] not in ([], [(1,)]):
        return None
    stop, axes = found[1], found[2]
    if stop is None or axes is None or len(stop) != 1 or len(axes) != 1:
        return None
    place = axis_of(axes[0], len(shape))
    size = shape[place]
    new = at_most(size, stop[0]) if isinstance(size, int) and isinstance(stop[0], str) else None
    return (*shape[:place], new, *shape[place + 1 :])


def slice_bounds(node: Node, values: Given) -> list[tuple[int, int, int, int]] | None:
    """Start, stop, axis and step of each axis of a ``Slice``, if all are known."""
    if node.opset < 10:
        starts, stops = node.attributes["starts"], node.attributes["ends"]
        axes, steps = node.attributes.get("axes"), None
    else:
        found = [None if v is None else v.ints for v in values[1:]]
        given = [bool(name) for name in node.inputs[1:]]
        if any(there and ints is None for there, ints in zip(given, found, strict=True)):
            return None
        starts, stops, axes, steps = found + [None] * (4 - len(found))
    if starts is None or stops is None:
        return None
    axes = list(range(len(starts))) if axes is None else axes
    steps = [1] * len(starts) if steps is None else steps
    return list(zip(starts, stops, axes, steps, strict=True))


def _split(node: Node, place: int, shapes: Shapes, values: Given) -> Dims | None:
    shape = shapes[0]
    if shape is None:
        return None
    axis = axis_of(node.attributes.get("axis", 0), len(shape))
    sizes = node.attributes.get("split")
    if sizes is None and len(node.inputs) > 1 and node.inputs[1]:
        given = values[1]
        sizes = None if given is None else given.ints
    size: Size = None
    whole = shape[axis]
    if sizes:
        size = sizes[place]
    elif isinstance(whole, int) and whole % len(node.outputs) == 0 and len(node.inputs) < 2:
        size = whole // len(node.outputs)
    return (*shape[:axis], size, *shape[axis + 1 :])


def _shape(node: Node, shapes: Shapes, values: Given) -> Dims | None:
    shape = shapes[0]
    if shape is None:
        return (None,)
    return (len(shape[node.attributes.get("start", 0) : node.attributes.get("end")]),)


def _scalar(node: Node, shapes: Shapes, values: Given) -> Dims | None:
    return ()


def _expand(node: Node, shapes: Shapes, values: Given) -> Dims | None:
    wanted = values[1]
    if shapes[0] is None or wanted is None:
        return None
    return broadcast([shapes[0], wanted.items])


def _filled(node: Node, shapes: Shapes, values: Given) -> Dims | None:
    return None if values[0] is None else values[0].items


def _pad(node: Node, shapes: Shapes, values: Given) -> Dims | None:
    shape = shapes[0]
    return None if shape is None else tuple(None for _ in shape)


def _turned_conv(node: Node, shapes: Shapes, values: Given) -> Dims | None:
    image, kernel = shapes[:2]
    if image is None or kernel is None:
        return None
    channels = kernel[1]
    group = node.attributes.get("group", 1)
    whole = channels * group if isinstance(channels, int) else None
    return (image[0], whole, *[None] * (len(image) - 2))


def _resize(node: Node, shapes: Shapes, values: Given) -> Dims | None:
    shape = shapes[0]
    if shape is None or "axes" in node.attributes:
        return None
    return (*shape[:2], *[None] * (len(shape) - 2)) if len(shape) == 4 else None


def _range(node: Node, shapes: Shapes, values: Given) -> Dims | None:
    start, stop, step = (None if value is None else value.items for value in values)
    if start == (0,) and step == (1,) and stop is not None:
        return (stop[0],) if not isinstance(stop[0], int) else (max(stop[0], 0),)
    return (None,)


def _gather_nd(node: Node, shapes: Shapes, values: Given) -> Dims | None:
    data, places = shapes[:2]
    if data is None or not places or not isinstance(places[-1], int):
        return None
    if node.attributes.get("batch_dims"):
        return None
    return (*places[:-1], *data[places[-1] :])


def _attention(node: Node, shapes: Shapes, values: Given) -> Dims | None:
    query, value = shapes[0], shapes[2]
    if query is None or value is None or len(query) != 4 or len(value) != 4:
        return None
    return (*query[:3], value[3])


_SAME = """Abs Acos Acosh Asin Asinh Atan Atanh Ceil Celu Clip Cos Cosh Elu Erf Exp Floor Gelu
HardSigmoid HardSwish Identity IsInf IsNaN LeakyRelu Log LogSoftmax Mish Neg Not PRelu Reciprocal
Relu Round Selu Shrink Sigmoid Sign Sin Sinh Softmax Softplus Softsign Sqrt Swish Tan Tanh
ThresholdedRelu Cast CastLike Dropout BatchNormalization InstanceNormalization LayerNormalization
RMSNormalization GroupNormalization LRN QuantizeLinear DequantizeLinear CumSum Trilu LpNormalization
MeanVarianceNormalization SimplifiedLayerNormalization SkipLayerNormalization FastGelu QuickGelu
BiasGelu SkipSimplifiedLayerNormalization ScatterND ScatterElements RotaryEmbedding""".split()
_PAIRS = """Add Sub Mul Div Pow Mod Max Min Sum Mean And Or Xor Equal Less Greater LessOrEqual
GreaterOrEqual Where BitwiseAnd BitwiseOr BitwiseXor""".split()
_REDUCTIONS = """ReduceMean ReduceSum ReduceMax ReduceMin ReduceProd ReduceL1 ReduceL2
ReduceLogSum ReduceLogSumExp ReduceSumSquare""".split()
_RULES: dict[str, Rule] = {
    **dict.fromkeys(_SAME, _same),
    **dict.fromkeys(_PAIRS, _broadcast),
    **dict.fromkeys(_REDUCTIONS, _reduce),
    **dict.fromkeys(("MatMul", "FusedMatMul", "FusedMatMulActivation"), _matmul),
    **dict.fromkeys(("Gemm", "FusedGemm"), _gemm),
    **dict.fromkeys(("Conv", "FusedConv"), _conv),
    **dict.fromkeys(("MaxPool", "AveragePool", "LpPool"), _pool),
    **dict.fromkeys(("GlobalAveragePool", "GlobalMaxPool"), _global_pool),
    "ConvTranspose": _turned_conv, "Transpose": _transpose, "Reshape": _reshape,
    "Flatten": _flatten, "Squeeze": _squeeze, "Unsqueeze": _unsqueeze, "Concat": _concat,
    "Gather": _gather, "Slice": _slice, "Shape": _shape, "Size": _scalar, "Expand": _expand,
    "ConstantOfShape": _filled, "Pad": _pad, "Resize": _resize, "Split": _same,
    "Range": _range, "GatherND": _gather_nd, "Attention": _attention,
}  # fmt: skip
