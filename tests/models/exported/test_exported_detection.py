"""Detectors: heads as PyTorch's exporters write them, with post-processing put behind them."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import pytest
from exporting import Case, case, cases, check, export, seeded, to_tensorlite, torch
from onnx import TensorProto, helper, numpy_helper

import tensorlite as tl

nn = torch.nn
F = torch.nn.functional


class Anchors(nn.Module):
    """SSD's head: scores and boxes of three anchors a place, of two levels."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(3, 8, 3, 2, 1), nn.ReLU(), nn.Conv2d(8, 8, 3, 2, 1))
        self.next = nn.Conv2d(8, 8, 3, 2, 1)
        self.scores = nn.Conv2d(8, 3 * 4, 3, padding=1)
        self.boxes = nn.Conv2d(8, 3 * 4, 3, padding=1)
        self.register_buffer("sizes", torch.tensor([[0.2, 0.2], [0.3, 0.15], [0.15, 0.3]]))

    def anchors(self, high: int, wide: int) -> Any:
        y = (torch.arange(high) + 0.5) / high
        x = (torch.arange(wide) + 0.5) / wide
        grid = torch.stack(torch.meshgrid(x, y, indexing="xy"), -1).reshape(-1, 1, 2)
        centres, sizes = grid.expand(-1, 3, 2), self.sizes.expand(high * wide, 3, 2)
        return torch.cat((centres, sizes), -1).reshape(-1, 4)

    def forward(self, x: Any) -> Any:
        found = []
        level = F.relu(self.body(x))
        for _ in range(2):
            n, _, high, wide = level.shape
            scores, deltas = (
                layer(level).permute(0, 2, 3, 1).reshape(n, high * wide * 3, 4)
                for layer in (self.scores, self.boxes)
            )
            anchors = self.anchors(high, wide)
            centres = anchors[:, :2] + deltas[..., :2] * 0.1 * anchors[:, 2:]
            half = anchors[:, 2:] * (deltas[..., 2:] * 0.2).exp() / 2
            boxes = torch.cat((centres - half, centres + half), -1).clamp(0, 1)
            found.append((boxes, scores.sigmoid()))
            level = F.relu(self.next(level))
        return tuple(torch.cat(parts, 1) for parts in zip(*found, strict=True))


class Best(nn.Module):
    """The ten best boxes of all classes, as DETR and RTMDet choose them."""

    def __init__(self) -> None:
        super().__init__()
        self.head = Anchors()

    def forward(self, x: Any) -> Any:
        boxes, scores = self.head(x)
        values, places = scores.flatten(1).topk(10, 1)
        labels, which = places % 4, torch.div(places, 4, rounding_mode="floor")
        return boxes.gather(1, which[..., None].expand(-1, -1, 4)), labels, values


class Yolo(nn.Module):
    """YOLO's head: boxes as distributions over distances, decoded on a grid."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(3, 8, 3, 4, 1), nn.SiLU())
        self.boxes, self.classes = nn.Conv2d(8, 32, 1), nn.Conv2d(8, 5, 1)
        self.register_buffer("bins", torch.arange(8.0))

    def forward(self, x: Any) -> Any:
        y = self.body(x)
        n, _, high, wide = y.shape
        distances = self.boxes(y).view(n, 4, 8, high * wide).softmax(2)
        left, top, right, bottom = torch.einsum("nkbp,b->nkp", distances, self.bins).unbind(1)
        cx = (torch.arange(wide) + 0.5).repeat(high)
        cy = (torch.arange(high) + 0.5).repeat_interleave(wide)
        boxes = torch.stack((cx - left, cy - top, cx + right, cy + bottom), 1) * 4
        return torch.cat((boxes, self.classes(y).flatten(2).sigmoid()), 1)


class Heatmap(nn.Module):
    """CenterNet: peaks of a heat map that are the largest around them."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 2, 5, 2, 2)

    def forward(self, x: Any) -> Any:
        heat = self.conv(x).sigmoid()
        heat = heat * (F.max_pool2d(heat, 3, 1, 1) == heat).float()
        values, places = heat.flatten(1).topk(5)
        wide = heat.shape[-1]
        area = heat.shape[-2] * wide
        inside = places % area
        return values, places // area, inside // wide, inside % wide


def image(n: int, h: int, w: int) -> tuple[Any]:
    return (torch.randn(n, 3, h, w),)


FREE = ((0, 2, 3),)

HEADS = cases(
    case("anchors", Anchors, image, (2, 24, 32), (1, 40, 20), free=FREE,
         by="torchscript 17, dynamo 18"),
    case("best", Best, image, (2, 24, 32), (1, 40, 20), free=FREE, by="torchscript 18"),
    case("best-static", Best, image, (2, 24, 32), by="dynamo 21"),
    case("yolo", Yolo, image, (2, 24, 32), (3, 16, 20), free=FREE, by="torchscript 17"),
    case("yolo-batches", Yolo, image, (2, 24, 32), (3, 24, 32), free=((0,),), by="dynamo 20"),
    case("heatmap", Heatmap, image, (2, 24, 32), (1, 17, 20), free=FREE, by="torchscript 18"),
    case("heatmap-batches", Heatmap, image, (2, 24, 32), (3, 24, 32), free=((0,),),
         by="dynamo 18"),
)  # fmt: skip


@pytest.mark.parametrize("case", HEADS)
def test_head(case: Case, device: tl.device) -> None:
    check(case, device)


def with_suppression(data: bytes, limit: float) -> onnx.ModelProto:
    """A detector's graph with NonMaxSuppression behind it, and the boxes that it chose."""
    head = onnx.load_from_string(data)
    boxes, scores = (output.name for output in head.graph.output)
    constants = {
        "most": np.array([6]), "overlap": np.array([0.4], np.float32),
        "least": np.array([limit], np.float32), "one": np.array([1]), "two": np.array([2]),
        "image_and_box": np.array([0, 2]), "none": np.array([0]), "three": np.array([3]),
    }  # fmt: skip
    node = helper.make_node
    nodes = [
        node("Transpose", [scores], ["by_class"], perm=[0, 2, 1]),
        node("NonMaxSuppression", [boxes, "by_class", "most", "overlap", "least"], ["chosen"]),
        node("Gather", ["chosen", "image_and_box"], ["where"], axis=1),
        node("GatherND", [boxes, "where"], ["kept"]),
        node("GatherND", ["by_class", "chosen"], ["confidence"]),
        node("Slice", ["chosen", "one", "two", "one"], ["labels"]),
    ]
    outputs = [
        helper.make_tensor_value_info("kept", TensorProto.FLOAT, ["found", 4]),
        helper.make_tensor_value_info("confidence", TensorProto.FLOAT, ["found"]),
        helper.make_tensor_value_info("labels", TensorProto.INT64, ["found", 1]),
        helper.make_tensor_value_info("chosen", TensorProto.INT64, ["found", 3]),
    ]
    head.graph.node.extend(nodes)
    head.graph.initializer.extend(numpy_helper.from_array(v, k) for k, v in constants.items())
    del head.graph.output[:]
    head.graph.output.extend(outputs)
    onnx.checker.check_model(head)
    return head


def suppressed(boxes: Any, scores: Any, limit: float) -> list[list[int]]:
    """Greedy suppression, written out: (image, class, box) of what is kept."""
    kept = []
    for image_, (places, by_box) in enumerate(zip(boxes, scores, strict=True)):
        for label in range(by_box.shape[1]):
            order = np.argsort(-by_box[:, label], kind="stable")
            mine: list[int] = []
            for box in order[by_box[order, label] > limit]:
                if len(mine) < 6 and all(overlap(places[box], places[o]) <= 0.4 for o in mine):
                    mine.append(int(box))
            kept += [[image_, label, box] for box in mine]
    return kept


def overlap(a: Any, b: Any) -> float:
    """The area that two boxes share as a part of the area that they cover."""
    low, high = np.maximum(a[:2], b[:2]), np.minimum(a[2:], b[2:])
    shared = np.prod(np.maximum(high - low, 0))
    return float(shared / (np.prod(a[2:] - a[:2]) + np.prod(b[2:] - b[:2]) - shared))


@pytest.mark.parametrize(("exporter", "opset"), [("torchscript", 17), ("dynamo", 18)])
def test_suppression(exporter: str, opset: int, device: tl.device) -> None:
    module = seeded(Anchors)
    inputs = image(2, 24, 32)
    data = export(module, inputs, exporter=exporter, opset=opset, free=FREE)
    for limit in (0.5, 0.99):
        proto = with_suppression(data, limit)
        for given in (inputs, image(1, 40, 20)):
            with torch.no_grad():
                boxes, scores = (t.numpy() for t in module(*given))
            check_chosen(proto, to_tensorlite(given[0]).to(device), boxes, scores, limit)


def check_chosen(
    proto: onnx.ModelProto, x: tl.Tensor, boxes: Any, scores: Any, limit: float
) -> None:
    want = np.array(suppressed(boxes, scores, limit), np.int64).reshape(-1, 3)
    places = want[:, 0], want[:, 2]
    for optimize in (True, False):
        model = tl.onnx.load(proto, device=x.device, optimize=optimize)
        for call in [model, model.compile()] if x.device.type == "numba" else [model]:
            kept, confidence, labels, chosen = (y.numpy() for y in call(x))
            np.testing.assert_array_equal(chosen, want)
            np.testing.assert_array_equal(labels, want[:, 1:2])
            np.testing.assert_allclose(kept, boxes[places], rtol=1e-4, atol=1e-5)
            np.testing.assert_allclose(confidence, scores[(*places, want[:, 1])], rtol=1e-4)
