"""Boxes of detections: non-maximum suppression."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..errors import ShapeError
from .ordering import order_of
from .registry import TOP, Array, op


@op(spaces=TOP)
def non_max_suppression(
    xp: Any, boxes: Array, scores: Array, limit: int, iou_threshold: float = 0.0,
    score_threshold: float | None = None,
) -> Array:  # fmt: skip
    """The boxes kept of each image and class: the best first, those that overlap it dropped.

    ``boxes`` (images, N, 4) have the lower corner and then the upper one, ``scores`` are (images,
    classes, N). Of each class at most ``limit`` boxes are kept, with scores above
    ``score_threshold``, none sharing more than ``iou_threshold`` of their union with a better one.
    Gives int64 (kept, 3): image, class and box. Equal scores keep their order. Raises ShapeError.
    Source: ONNX NonMaxSuppression.

    >>> import tensorlite as tl
    >>> boxes = tl.tensor([[[0.0, 0.0, 2.0, 2.0], [0.0, 0.0, 2.0, 1.9], [5.0, 5.0, 6.0, 6.0]]])
    >>> tl.non_max_suppression(boxes, tl.tensor([[[0.8, 0.9, 0.3]]]), 10, 0.5).tolist()
    [[0, 0, 1], [0, 0, 2]]
    """
    check_boxes(boxes, scores)
    kept = [
        (image, kind, int(box))
        for image in range(scores.shape[0])
        for kind in range(scores.shape[1])
        for box in _kept(
            xp, boxes[image], scores[image, kind], int(limit), iou_threshold, score_threshold
        )
    ]
    return xp.asarray(np.array(kept, np.int64).reshape(-1, 3))


@op(spaces=TOP)
def nms(boxes: Any, scores: Any, iou_threshold: float) -> Any:
    """Indices of the boxes kept, the best first; boxes (N, 4) as (x1, y1, x2, y2), scores (N).

    Source: torchvision ``torchvision.ops.nms``; see :func:`non_max_suppression`.

    >>> import tensorlite as tl
    >>> boxes = tl.tensor([[0.0, 0.0, 2.0, 2.0], [0.0, 0.0, 2.0, 1.9], [5.0, 5.0, 6.0, 6.0]])
    >>> tl.nms(boxes, tl.tensor([0.8, 0.9, 0.3]), 0.5)
    tensor([1, 2])
    """
    found = non_max_suppression(
        boxes.unsqueeze(0), scores.reshape(1, 1, -1), scores.numel(), iou_threshold
    )
    return found[:, 2]


def check_boxes(boxes: Array, scores: Array) -> None:
    """Raises where boxes and scores do not belong together."""
    fits = boxes.ndim == scores.ndim == 3 and boxes.shape[2] == 4
    if not fits or (boxes.shape[0], boxes.shape[1]) != (scores.shape[0], scores.shape[2]):
        raise ShapeError(
            "non_max_suppression: expected boxes (images, N, 4) and scores (images, classes, N), "
            f"got {tuple(boxes.shape)} and {tuple(scores.shape)}"
        )


def candidates(xp: Any, scores: Array, least: float | None) -> Array:
    """The boxes with scores above a threshold, the best first; nan is none."""
    among = xp.flatnonzero(scores == scores if least is None else scores > least)
    return among[order_of(xp, scores[among], 0, True)]


def _kept(
    xp: Any, boxes: Array, scores: Array, limit: int, overlap: float, least: float | None
) -> list[Any]:
    order = candidates(xp, scores, least)
    corners = boxes.astype(np.float64)
    areas = (corners[:, 2:] - corners[:, :2]).prod(-1)
    found: list[Any] = []
    while order.size and len(found) < limit:
        best, order = order[0], order[1:]
        found.append(best)
        sides = xp.minimum(corners[order, 2:], corners[best, 2:]) - xp.maximum(
            corners[order, :2], corners[best, :2]
        )
        shared = xp.maximum(sides, 0).prod(-1)
        union = areas[order] + areas[best] - shared
        order = order[shared <= overlap * union]
    return found
