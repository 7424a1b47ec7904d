"""Samples of tensorlite.ops.boxes."""

from __future__ import annotations

from typing import Any

from . import T, case


def kept(boxes: Any, scores: Any, overlap: float) -> Any:
    """Every box, the best first, that no better one overlaps too much: torchvision's definition."""
    import torch

    found: list[int] = []
    for i in torch.argsort(-scores, stable=True).tolist():
        low, high = torch.maximum(boxes[i, :2], boxes[found, :2]), boxes[found, 2:]
        sides = (torch.minimum(boxes[i, 2:], high) - low).clamp(min=0)
        areas = [(b[..., 2:] - b[..., :2]).prod(-1) for b in (boxes[i], boxes[found])]
        shared = sides.prod(-1)
        if not (shared > overlap * (areas[0] + areas[1] - shared)).any():
            found.append(i)
    return torch.tensor(found, dtype=torch.int64)


def of_classes(boxes: Any, scores: Any, limit: int, overlap: float = 0.0) -> Any:
    import torch

    rows = [
        torch.stack([torch.full_like(k, n), torch.full_like(k, c), k], 1)
        for n in range(scores.shape[0])
        for c in range(scores.shape[1])
        for k in [kept(boxes[n], scores[n, c], overlap)[:limit]]
    ]
    return torch.cat(rows)


case("nms", T(9, 4), T(9), 0.3, torch=kept)
case("non_max_suppression", T(2, 9, 4), T(2, 3, 9), 4, 0.3, torch=of_classes)
