"""Samples of tensorlite.ops.trees, with a walk down each tree as the answer."""

from __future__ import annotations

from typing import Any

import tensorlite as tl

from . import T, case


def walked(x: Any, forest: Any) -> Any:
    """The sums of what the trees give to each row, a question at a time."""
    import torch

    scores = torch.zeros(len(x), forest.n_targets, dtype=torch.float64)
    for row in range(len(x)):
        for root in forest.roots:
            place = root
            while place >= 0:
                value, threshold = x[row, forest.feature[place]], forest.threshold[place]
                less = value < threshold if forest.strict[place] else value <= threshold
                place = forest.left[place] if less else forest.right[place]
            for i in range(forest.start[~place], forest.start[~place + 1]):
                scores[row, forest.target[i]] += forest.weight[i]
    return scores.to(torch.float64 if x.dtype == torch.float64 else torch.float32)


STUMPS = tl.trees.questions(
    feature=[0, 2, 1, 1], threshold=[0.5, -1, 0, 2], mode=[0, 1, 2, 3], yes=[1, -1, -4, -6],
    no=[-2, -3, -5, -7], roots=[0, 2, 3, -1], target=[0] * 7, weight=[1, 2, 3, 4, 5, 6, 7],
)  # fmt: skip
VOTES = tl.trees.questions(
    feature=[2, 0], threshold=[0, 1], yes=[-1, -3], no=[1, -2], roots=[0],
    target=[0, 2, 1, 1, 0, 2], weight=[1, 2, 3, 4, 5, 6], start=[0, 2, 3, 6], n_targets=3,
)  # fmt: skip
for forest in (STUMPS, VOTES):
    for rows in (0, 1, 5, 40):
        case("trees.tree_ensemble", T(rows, 3), forest, dtypes="float32 float64 int64",
             torch=walked)  # fmt: skip
