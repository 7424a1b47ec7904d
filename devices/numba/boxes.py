"""Non-maximum suppression: candidates against the boxes kept so far, best first."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...ops.boxes import candidates, check_boxes
from ..kernels import kernel
from .jit import jit
from .memory import address

Array = np.ndarray[Any, Any]


def _suppress(order, boxes, count, limit, overlap, kept, found):  # type: ignore[no-untyped-def]
    number = 0
    for turn in range(count):
        if number >= limit:
            break
        box = order[turn]
        x1, y1, x2, y2 = boxes[4 * box], boxes[4 * box + 1], boxes[4 * box + 2], boxes[4 * box + 3]
        area = (x2 - x1) * (y2 - y1)
        alone = True
        for i in range(number):
            other = kept[i]
            a1, b1 = boxes[4 * other], boxes[4 * other + 1]
            a2, b2 = boxes[4 * other + 2], boxes[4 * other + 3]
            wide, high = min(x2, a2) - max(x1, a1), min(y2, b2) - max(y1, b1)
            shared = wide * high if wide > 0 and high > 0 else 0.0
            if not shared <= overlap * (area + (a2 - a1) * (b2 - b1) - shared):
                alone = False
                break
        if alone:
            kept[number] = box
            number += 1
    found[0] = number


_suppressed = jit("i8* f8* i8 i8 f8 i8* i8*")(_suppress)


@kernel("numba", "non_max_suppression")
def suppressed_boxes(
    boxes: Array, scores: Array, limit: int, iou_threshold: float = 0.0,
    score_threshold: float | None = None,
) -> Array:  # fmt: skip
    """One pass over the candidates of each image and class."""
    check_boxes(boxes, scores)
    images, kinds, count = scores.shape
    kept, number = np.empty(max(count, 1), np.int64), np.zeros(1, np.int64)
    rows = []
    for image in range(images):
        corners = np.ascontiguousarray(boxes[image], np.float64)
        for kind in range(kinds):
            order = candidates(np, scores[image, kind], score_threshold)
            _suppressed(
                address(order), address(corners), len(order), int(limit), float(iou_threshold),
                address(kept), address(number),
            )  # fmt: skip
            found = np.empty((int(number[0]), 3), np.int64)
            found[:] = image, kind, 0
            found[:, 2] = kept[: len(found)]
            rows.append(found)
    return np.concatenate(rows) if rows else np.empty((0, 3), np.int64)
