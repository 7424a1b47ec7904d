"""Non-maximum suppression, against ONNX Runtime's."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tensorlite as tl
from tensorlite.errors import ShapeError


def drawn(images: int, kinds: int, count: int) -> tuple[Any, Any]:
    """Boxes of which many overlap, some are empty or alike, and scores with equal ones."""
    random = np.random.default_rng(count)
    corner = random.integers(0, 20, (images, count, 2)).astype(np.float32)
    size = random.integers(0, 9, (images, count, 2)).astype(np.float32)
    scores = random.integers(0, 50, (images, kinds, count)).astype(np.float32) / 50
    return np.concatenate([corner, corner + size], -1), scores


@pytest.mark.parametrize("count", [0, 1, 7, 300])
@pytest.mark.parametrize("limit, overlap, least", [(5, 0.5, 0.1), (1000, 0.3, None), (0, 0.5, 0.2)])
def test_as_onnxruntime(count: int, limit: int, overlap: float, least: float | None) -> None:
    ort = pytest.importorskip("onnxruntime")
    from onnx import TensorProto, helper

    boxes, scores = drawn(2, 3, count)
    names = ["boxes", "scores", "limit", "overlap", "least"]
    arrays = [boxes, scores, np.array([limit]), np.float32([overlap]), np.float32([least or 0])]
    given = names if least is not None else names[:4]
    kinds = {"limit": TensorProto.INT64}
    graph = helper.make_graph(
        [helper.make_node("NonMaxSuppression", given, ["y"])], "g",
        [helper.make_tensor_value_info(n, kinds.get(n, TensorProto.FLOAT), a.shape)
         for n, a in zip(given, arrays, strict=False)],
        [helper.make_tensor_value_info("y", TensorProto.INT64, None)],
    )  # fmt: skip
    opset = [helper.make_opsetid("", 11)]
    model = helper.make_model(graph, opset_imports=opset, ir_version=8).SerializeToString()
    session = ort.InferenceSession(model, providers=["CPUExecutionProvider"])
    want = session.run(None, dict(zip(given, arrays, strict=False)))[0]
    x, y = tl.from_numpy(boxes), tl.from_numpy(scores)
    found = tl.non_max_suppression(x, y, limit, overlap, least)
    assert found.dtype is tl.int64
    np.testing.assert_array_equal(found.numpy(), want.reshape(-1, 3))


def test_nms_of_one_class() -> None:
    boxes, scores = drawn(1, 1, 50)
    x, y = tl.from_numpy(boxes[0]), tl.from_numpy(scores[0, 0])
    all_of_them = tl.non_max_suppression(x.unsqueeze(0), y.reshape(1, 1, -1), 50, 0.4)
    assert tl.nms(x, y, 0.4).tolist() == all_of_them[:, 2].tolist()


def test_shapes_that_do_not_fit() -> None:
    x = tl.zeros(1, 3, 4)
    with pytest.raises(ShapeError, match=r"got \(1, 3, 4\) and \(1, 2, 5\)"):
        tl.non_max_suppression(x, tl.zeros(1, 2, 5), 1)
