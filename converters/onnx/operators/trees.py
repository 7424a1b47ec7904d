"""Ensembles of decision trees (ai.onnx.ml), in all their encodings, as forests."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ....construct import tensor
from ....dtypes import float32, int64
from ....errors import OnnxError
from ....ops.creation_like import zeros_like
from ....ops.joining import cat
from ....ops.tree_questions import MODES, questions
from ....ops.trees import Forest, tree_ensemble
from ....tensor import Tensor
from ..registry import onnx_op
from .ml_scores import POST_TRANSFORMS, Labels, binary_scores, check_post_transform, post_transform

ML = "ai.onnx.ml"
_MODES = {"BRANCH_LEQ": "<=", "BRANCH_LT": "<", "BRANCH_GTE": ">=", "BRANCH_GT": ">",
          "BRANCH_EQ": "==", "BRANCH_NEQ": "!=", "BRANCH_MEMBER": "in"}  # fmt: skip
_AGGREGATES = ("average", "sum", "min", "max")  # as TreeEnsemble numbers them


@onnx_op("TreeEnsemble", since=5, domain=ML)
class TreeEnsemble:
    """Inner nodes and leaves in tables of their own, which refer to each other by position."""

    def __init__(
        self, *, tree_roots: Sequence[int], nodes_featureids: Sequence[int], nodes_splits: Any,
        nodes_modes: Any, nodes_truenodeids: Sequence[int], nodes_falsenodeids: Sequence[int],
        nodes_trueleafs: Sequence[int], nodes_falseleafs: Sequence[int],
        leaf_targetids: Sequence[int], leaf_weights: Any, membership_values: Any = None,
        nodes_missing_value_tracks_true: Sequence[int] | None = None, nodes_hitrates: Any = None,
        n_targets: int = 1, aggregate_function: int = 1, post_transform: int = 0,
    ) -> None:  # fmt: skip
        _one_of("aggregate_function", aggregate_function, range(len(_AGGREGATES)))
        _one_of("post_transform", post_transform, range(len(POST_TRANSFORMS)))
        self.transform = POST_TRANSFORMS[post_transform]
        self.dtype = nodes_splits.dtype
        self.forest = questions(
            feature=nodes_featureids,
            threshold=nodes_splits,
            mode=nodes_modes,
            yes=_places(nodes_truenodeids, nodes_trueleafs),
            no=_places(nodes_falsenodeids, nodes_falseleafs),
            nan_yes=nodes_missing_value_tracks_true or None,
            members=_members(membership_values),
            roots=tree_roots,
            target=leaf_targetids,
            weight=leaf_weights,
            n_targets=n_targets,
            aggregate=_AGGREGATES[aggregate_function],
        )

    def __call__(self, x: Tensor) -> Tensor:
        scores = tree_ensemble(x, self.forest)
        if self.transform != "NONE":
            scores = post_transform(scores, self.transform)
        return scores if scores.dtype is x.dtype else scores.to(x.dtype)


def _one_of(name: str, value: Any, known: Any) -> None:
    if value not in known:
        raise OnnxError(f"{name} is {value!r}, expected one of {', '.join(map(str, known))}")


def _places(ids: Sequence[int], leafs: Sequence[int]) -> Any:
    found = np.asarray(ids, np.int64)
    return np.where(np.asarray(leafs, bool), ~found, found)


def _members(values: Any) -> list[Any]:
    """Sets, each ended by a nan."""
    if values is None:
        return []
    ends = np.flatnonzero(np.isnan(values))
    found = [part[~np.isnan(part)] for part in np.split(values, ends)]
    return found if len(found[-1]) else found[:-1]


@onnx_op("TreeEnsembleRegressor", since=1, domain=ML)
class TreeEnsembleRegressor:
    """Nodes and leaves in one table, by tree and node ids; any number of targets a leaf."""

    def __init__(
        self, *, n_targets: int = 1, aggregate_function: str = "SUM", post_transform: str = "NONE",
        base_values: Any = None, base_values_as_tensor: Any = None,
        target_treeids: Sequence[int] = (), target_nodeids: Sequence[int] = (),
        target_ids: Sequence[int] = (), target_weights: Any = None,
        target_weights_as_tensor: Any = None, nodes_treeids: Sequence[int] = (),
        nodes_nodeids: Sequence[int] = (), nodes_featureids: Sequence[int] = (),
        nodes_modes: Sequence[str] = (), nodes_values: Any = None,
        nodes_values_as_tensor: Any = None, nodes_truenodeids: Sequence[int] = (),
        nodes_falsenodeids: Sequence[int] = (),
        nodes_missing_value_tracks_true: Sequence[int] = (), nodes_hitrates: Any = None,
        nodes_hitrates_as_tensor: Any = None,
    ) -> None:  # fmt: skip
        _one_of("aggregate_function", aggregate_function, [a.upper() for a in _AGGREGATES])
        self.transform = check_post_transform(post_transform)
        base = _either(base_values, base_values_as_tensor)
        self.forest = _forest(
            trees=nodes_treeids, nodes=nodes_nodeids, feature=nodes_featureids, modes=nodes_modes,
            threshold=_either(nodes_values, nodes_values_as_tensor), yes=nodes_truenodeids,
            no=nodes_falsenodeids, nan_yes=nodes_missing_value_tracks_true,
            at_trees=target_treeids, at_nodes=target_nodeids, target=target_ids,
            weight=_either(target_weights, target_weights_as_tensor), n_targets=n_targets,
            aggregate=aggregate_function.lower(), base=base if len(base) else None,
        )  # fmt: skip

    def __call__(self, x: Tensor) -> Tensor:
        scores = tree_ensemble(x, self.forest)
        if self.transform != "NONE":
            scores = post_transform(scores, self.transform)
        return scores if scores.dtype is float32 else scores.to(float32)


@onnx_op("TreeEnsembleClassifier", since=1, domain=ML)
class TreeEnsembleClassifier:
    """Trees that vote for classes: the label of the winner, and all scores."""

    def __init__(
        self, *, post_transform: str = "NONE", base_values: Any = None,
        base_values_as_tensor: Any = None, class_treeids: Sequence[int] = (),
        class_nodeids: Sequence[int] = (), class_ids: Sequence[int] = (),
        class_weights: Any = None, class_weights_as_tensor: Any = None,
        classlabels_int64s: Sequence[int] | None = None,
        classlabels_strings: Sequence[str] | None = None,
        nodes_treeids: Sequence[int] = (), nodes_nodeids: Sequence[int] = (),
        nodes_featureids: Sequence[int] = (), nodes_modes: Sequence[str] = (),
        nodes_values: Any = None, nodes_values_as_tensor: Any = None,
        nodes_truenodeids: Sequence[int] = (), nodes_falsenodeids: Sequence[int] = (),
        nodes_missing_value_tracks_true: Sequence[int] = (), nodes_hitrates: Any = None,
        nodes_hitrates_as_tensor: Any = None,
    ) -> None:  # fmt: skip
        self.transform = check_post_transform(post_transform)
        self.labels = Labels(classlabels_int64s, classlabels_strings, "classlabel")
        weight = _either(class_weights, class_weights_as_tensor)
        self.base = np.asarray(_either(base_values, base_values_as_tensor), np.float64)
        self.voted = sorted(set(class_ids))
        self.positive = bool((weight >= 0).all())
        classes = len(self.labels)
        if len(self.base) not in (0, classes) and (classes > 2 or len(self.base) > 2):
            raise OnnxError(f"{len(self.base)} base values for {classes} classes")
        self.forest = _forest(
            trees=nodes_treeids, nodes=nodes_nodeids, feature=nodes_featureids, modes=nodes_modes,
            threshold=_either(nodes_values, nodes_values_as_tensor), yes=nodes_truenodeids,
            no=nodes_falsenodeids, nan_yes=nodes_missing_value_tracks_true,
            at_trees=class_treeids, at_nodes=class_nodeids, target=class_ids,
            weight=weight, n_targets=classes, aggregate="sum",
            base=self.base if classes > 2 and len(self.base) else None,
        )  # fmt: skip

    def __call__(self, x: Tensor) -> tuple[Tensor, Tensor]:
        scores = tree_ensemble(x, self.forest)
        if len(self.labels) == 1:
            return self._of_one(scores)
        return self._of_two(scores) if len(self.labels) == 2 else self._highest(scores)

    def _highest(self, scores: Tensor) -> tuple[Tensor, Tensor]:
        return self._labelled(scores.argmax(1), scores)

    def _labelled(self, best: Tensor, scores: Tensor) -> tuple[Tensor, Tensor]:
        return self.labels.of(best), post_transform(scores, self.transform).to(float32)

    def _of_one(self, scores: Tensor) -> tuple[Tensor, Tensor]:
        """The only class; of numbered ones, 1 where the score is above zero, else 0."""
        scores = scores + float(self.base.sum())
        above = (scores[:, 0] > 0).to(int64)
        label = self.labels.of(above * 0) if self.labels.names.dtype == object else above
        return label, post_transform(scores, self.transform).to(float32)

    def _of_two(self, scores: Tensor) -> tuple[Tensor, Tensor]:
        """Two classes; where the trees vote for one of them only, its score decides alone."""
        if len(self.voted) != 1 or len(self.base) == 2:
            base = [*self.base, 0.0, 0.0][:2]
            return self._highest(scores + tensor(base, dtype=scores.dtype, device=scores.device))
        voted = self.voted[0]
        score = scores[:, voted : voted + 1] + float(self.base.sum())
        second = (score[:, 0] > (0.5 if self.positive else 0.0)).to(int64)
        if voted == 0:
            both = binary_scores(score, self.transform, self.positive)
            return self.labels.of(second), both.to(float32)
        return self._labelled(second, cat([zeros_like(score), score], 1))


def _either(values: Any, doubles: Any) -> Any:
    """An attribute that may be given as a list of floats, or as a tensor of doubles."""
    if values is not None and len(values) and doubles is not None and len(doubles):
        raise OnnxError("an attribute and its form '_as_tensor' are both given")
    if doubles is not None and len(doubles):
        return np.asarray(doubles)
    return np.asarray([] if values is None else values, np.float32)


def _forest(
    *, trees: Any, nodes: Any, feature: Any, modes: Any, threshold: Any, yes: Any, no: Any,
    nan_yes: Any, at_trees: Any, at_nodes: Any, target: Any, weight: Any, n_targets: int,
    aggregate: str, base: Any,
) -> Forest:  # fmt: skip
    """A forest of one table of nodes and leaves, and one of what each leaf gives."""
    codes = {"LEAF": -1, **{name: MODES.index(sign) for name, sign in _MODES.items()}}
    unknown = sorted(set(modes) - set(codes))
    if unknown:
        raise OnnxError(f"nodes_modes {unknown}: expected {', '.join(codes)}")
    mode = np.array([codes[name] for name in modes], np.int64)
    table = _Table(trees, nodes)
    inner = mode >= 0
    place = np.where(inner, np.cumsum(inner) - 1, 0 - np.cumsum(~inner))
    yes, no = (table.rows(np.asarray(trees)[inner], np.asarray(v)[inner]) for v in (yes, no))
    at = table.rows(at_trees, at_nodes)
    # Pruned trees may keep what their leaves gave before they were cut off: it counts for nothing.
    kept = np.flatnonzero(~inner[at])
    leaf = ~place[at[kept]]
    order = kept[np.argsort(leaf, kind="stable")]
    return questions(
        feature=np.asarray(feature)[inner],
        threshold=threshold[inner],
        mode=mode[inner],
        yes=place[yes],
        no=place[no],
        nan_yes=np.asarray(nan_yes, bool)[inner] if len(nan_yes) else None,
        roots=place[table.roots(np.concatenate([yes, no]))],
        start=np.searchsorted(np.sort(leaf), np.arange(int((~inner).sum()) + 1)),
        target=np.asarray(target)[order],
        weight=weight[order],
        n_targets=n_targets,
        aggregate=aggregate,
        base=base,
    )


class _Table:
    """Which row of the table of nodes has a tree id and a node id."""

    def __init__(self, trees: Any, nodes: Any) -> None:
        self.trees, self.nodes = np.asarray(trees, np.int64), np.asarray(nodes, np.int64)
        if self.trees.shape != self.nodes.shape:
            raise OnnxError(f"{len(self.trees)} nodes_treeids for {len(self.nodes)} nodes_nodeids")
        self.tree_ids, self.node_ids = np.unique(self.trees), np.unique(self.nodes)
        self.keys = self._keys(self.trees, self.nodes)
        self.order = np.argsort(self.keys, kind="stable")
        self.sorted = self.keys[self.order]
        twice = np.flatnonzero(self.sorted[1:] == self.sorted[:-1])
        if len(twice):
            row = self.order[twice[0]]
            raise OnnxError(f"tree {self.trees[row]} has node {self.nodes[row]} twice")

    def _keys(self, trees: Any, nodes: Any) -> Any:
        tree, node = _rank(self.tree_ids, trees), _rank(self.node_ids, nodes)
        return np.where((tree < 0) | (node < 0), -1, tree * len(self.node_ids) + node)

    def rows(self, trees: Any, nodes: Any) -> Any:
        """The rows of these nodes; OnnxError if there is none."""
        trees, nodes = np.asarray(trees, np.int64), np.asarray(nodes, np.int64)
        found = _rank(self.sorted, self._keys(trees, nodes))
        missing = np.flatnonzero(found < 0)
        if len(missing):
            raise OnnxError(f"tree {trees[missing[0]]} has no node {nodes[missing[0]]}")
        return self.order[found]

    def roots(self, children: Any) -> Any:
        """The row of each tree that is no child, in the order of the table."""
        is_root = np.ones(len(self.keys), bool)
        is_root[children] = False
        rows = np.flatnonzero(is_root)
        ids, counts = np.unique(self.trees[rows], return_counts=True)
        missing = set(np.unique(self.trees).tolist()) - set(ids.tolist())
        if missing or counts.max(initial=1) > 1:
            which = [*missing, *ids[counts > 1].tolist()][0]
            raise OnnxError(f"tree {which} has {'no root' if missing else 'several roots'}")
        return rows


def _rank(known: Any, values: Any) -> Any:
    """Where each value is among the sorted known ones; -1 where it is not."""
    if not len(known):
        return np.full(len(values), -1)
    found = np.minimum(np.searchsorted(known, values), len(known) - 1)
    return np.where(known[found] == values, found, -1)
