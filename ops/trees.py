"""Decision trees: many of them as flat arrays, and the scores that they give rows of features."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from ..errors import ArgumentError, ShapeError
from .registry import Array, op

Ints = np.ndarray[Any, np.dtype[Any]]
AGGREGATES = ("sum", "average", "min", "max")
_CHUNK = 1 << 20  # places of rows in trees that the reference looks at at once


@dataclass(frozen=True, eq=False)
class Forest:
    """Binary decision trees. Node ``i`` asks whether ``x[feature[i]] <= threshold[i]`` (or, where
    ``strict[i]``, ``<``) and goes on at ``left[i]`` if so, at ``right[i]`` if not; nan goes left
    where ``nan_left[i]``. A place below zero is the leaf ``~place``, whose entries from
    ``start[leaf]`` to ``start[leaf + 1]`` give ``weight`` to ``target``.

    Over the trees the weights of each target are summed, averaged over all trees, or their least
    or greatest is taken (0 for targets that no leaf gave any); ``base`` is added to that.
    Other questions (``==``, ``in``) are written with these: see :mod:`.tree_questions`.

    Raises ArgumentError for places, features and targets that do not exist.
    """

    feature: Ints
    threshold: Ints
    strict: Ints
    nan_left: Ints
    left: Ints
    right: Ints
    roots: Ints
    start: Ints
    target: Ints
    weight: Ints
    n_targets: int = 1
    aggregate: str = "sum"
    base: Ints | None = None
    prepared: dict[Any, Any] = field(default_factory=dict, repr=False)  # by device

    def __post_init__(self) -> None:
        nodes, leaves = len(self.feature), len(self.start) - 1
        for name in ("threshold", "strict", "nan_left", "left", "right"):
            if len(getattr(self, name)) != nodes:
                raise ArgumentError(
                    f"trees: {len(getattr(self, name))} of {name}, for {nodes} nodes"
                )
        if self.aggregate not in AGGREGATES:
            raise ArgumentError(f"trees: aggregate {self.aggregate!r} is none of {AGGREGATES}")
        for name in ("left", "right", "roots"):
            _within(getattr(self, name), -leaves, nodes, name)
        _within(self.feature, 0, 2**31, "feature")
        _within(self.target, 0, self.n_targets, "target")
        if self.base is not None and self.base.shape != (self.n_targets,):
            raise ArgumentError(
                f"trees: base values {self.base.shape} for {self.n_targets} targets"
            )

    @cached_property
    def features(self) -> int:
        """How many features a row needs at least."""
        return int(self.feature.max()) + 1 if len(self.feature) else 0

    @cached_property
    def dtype(self) -> np.dtype[Any]:
        """Of the thresholds: float32 or float64."""
        return self.threshold.dtype

    def levels(self) -> list[tuple[Ints, Ints]]:
        """The trees and their nodes, level by level from the roots.

        Raises ArgumentError for a node that leads back to itself.
        """
        if "levels" not in self.prepared:
            self.prepared["levels"] = _levels(self)
        found: list[tuple[Ints, Ints]] = self.prepared["levels"]
        return found


def _within(values: Ints, low: int, high: int, name: str) -> None:
    bad = np.flatnonzero((values < low) | (values >= high))
    if len(bad):
        raise ArgumentError(
            f"trees: {name}[{bad[0]}] is {values[bad[0]]}, expected {low} to {high - 1}"
        )


def _levels(forest: Forest) -> list[tuple[Ints, Ints]]:
    levels: list[tuple[Ints, Ints]] = []
    tree = np.flatnonzero(forest.roots >= 0)
    node = forest.roots[tree]
    while len(node):
        if len(levels) > len(forest.feature):
            raise ArgumentError("trees: a node leads back to itself")
        levels.append((tree, node))
        tree, node = np.tile(tree, 2), np.concatenate([forest.left[node], forest.right[node]])
        pairs = np.unique(tree[node >= 0] * len(forest.feature) + node[node >= 0])
        tree, node = np.divmod(pairs, len(forest.feature))
    return levels


@op(spaces="trees")
def tree_ensemble(xp: Any, input: Array, forest: Forest) -> Array:
    """The scores of rows of features: ``(rows, features)`` to ``(rows, targets)``.

    Scores are float32, or float64 for float64 features or thresholds; they are added up in
    float64. Features of other dtypes are compared as float32, integers of 32 bits and more as
    float64. Raises ShapeError for rows with fewer features than the trees ask for.

    Source: ONNX ``TreeEnsemble`` (ai.onnx.ml, opset 5).

    >>> import numpy as np, tensorlite as tl
    >>> stump = tl.trees.questions(feature=[0], threshold=[0.5], yes=[~0], no=[~1], roots=[0],
    ...                            target=[0, 0], weight=[10.0, 20.0])
    >>> tl.trees.tree_ensemble(tl.tensor([[0.0], [1.0]]), stump)
    tensor([[10.],
            [20.]])
    """
    x = as_features(xp, input, forest)
    arrays = _on(xp, forest)
    trees = len(forest.roots)
    step = max(_CHUNK // max(trees, 1), 1)
    parts = [_scores(xp, x[i : i + step], forest, arrays) for i in range(0, len(x), step)]
    scores = xp.concatenate(parts) if parts else xp.zeros((0, forest.n_targets))
    return scores.astype(np.float64 if x.dtype == np.float64 == input.dtype else forest.dtype)


def as_features(xp: Any, input: Array, forest: Forest) -> Array:
    """The input in the dtype in which it is compared with the thresholds; its shape checked."""
    if input.ndim != 2 or input.shape[1] < forest.features:
        raise ShapeError(
            f"trees: expected rows of at least {forest.features} features, got an input of shape "
            f"{tuple(input.shape)}"
        )
    wide = input.dtype == np.float64 or input.dtype.kind in "iu" and input.dtype.itemsize > 2
    return input.astype(np.float64 if wide else forest.dtype, copy=False)


def _on(xp: Any, forest: Forest) -> dict[str, Array]:
    if xp not in forest.prepared:
        names = "feature threshold strict nan_left left right roots".split()
        forest.prepared[xp] = {name: xp.asarray(getattr(forest, name)) for name in names}
        forest.prepared[xp] |= {k: xp.asarray(v) for k, v in _padded(forest).items()}
    found: dict[str, Array] = forest.prepared[xp]
    return found


def _padded(forest: Forest) -> dict[str, Ints]:
    """Targets and weights as matrices: a row for each leaf, -1 where it has no more targets."""
    counts = np.diff(forest.start)
    slots = np.arange(int(counts.max(initial=0)))
    there = slots < counts[:, None]
    target = np.full(there.shape, -1, np.int64)
    weight = np.zeros(there.shape, np.float64)
    target[there], weight[there] = forest.target, forest.weight
    return {"target": target, "weight": weight}


def _scores(xp: Any, x: Array, forest: Forest, arrays: dict[str, Array]) -> Array:
    leaf = _leaves(xp, x, arrays, len(forest.levels()))
    rows = xp.arange(len(x))[:, None]
    add = {"min": xp.minimum, "max": xp.maximum}.get(forest.aggregate, xp.add)
    start = {"min": np.inf, "max": -np.inf}.get(forest.aggregate, 0.0)
    # One more target takes what is given to none.
    scores = xp.full((len(x), forest.n_targets + 1), start, np.float64)
    for slot in range(arrays["target"].shape[1]):
        add.at(scores, (rows, arrays["target"][leaf, slot]), arrays["weight"][leaf, slot])
    scores = scores[:, :-1]
    if forest.aggregate == "average":
        scores = scores / max(len(forest.roots), 1)
    elif forest.aggregate != "sum":
        scores = xp.where(scores == start, 0.0, scores)
    return scores if forest.base is None else scores + xp.asarray(forest.base)


def _leaves(xp: Any, x: Array, arrays: dict[str, Array], depth: int) -> Array:
    """The leaf that each row arrives at in each tree, all of them a question at a time."""
    at = xp.repeat(arrays["roots"][None], len(x), 0)
    for _ in range(depth):
        node = xp.maximum(at, 0)
        value = xp.take_along_axis(x, arrays["feature"][node], 1)
        threshold = arrays["threshold"][node]
        less = xp.where(arrays["strict"][node], value < threshold, value <= threshold)
        less |= xp.isnan(value) & arrays["nan_left"][node]
        child = xp.where(less, arrays["left"][node], arrays["right"][node])
        at = xp.where(at < 0, at, child)
    return ~at
