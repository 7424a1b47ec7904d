"""Decision trees with questions of all kinds, written with ``<=`` and ``<`` alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from ..errors import ArgumentError
from .trees import Forest, Ints

# As ONNX numbers them in TreeEnsemble.
MODES = ("<=", "<", ">=", ">", "==", "!=", "in")
LEQ, LT, GTE, GT, EQ, NEQ, MEMBER = range(7)


def questions(
    *,
    feature: Any,
    threshold: Any,
    yes: Any,
    no: Any,
    roots: Any,
    target: Any,
    weight: Any,
    mode: Any = None,
    nan_yes: Any = None,
    members: Sequence[Any] = (),
    start: Any = None,
    n_targets: int = 1,
    aggregate: str = "sum",
    base: Any = None,
) -> Forest:
    """The forest of nodes that ask ``x[feature] mode threshold`` and go on at ``yes`` or ``no``.

    Args:
        feature: for each node, which feature it asks about.
        threshold: for each node, what the feature is compared with; a float64 array stays
            float64, all else becomes float32.
        yes: for each node, where it goes on if the answer is yes; ``~leaf`` is a leaf.
        no: the same for no.
        roots: for each tree, where it begins.
        target: the targets that leaves give a weight to.
        weight: what they give.
        mode: for each node, the index of its question in :data:`MODES`; 0 (``<=``) if not given.
        nan_yes: for each node, whether nan is a yes; if not given it is a no to all but ``!=``.
        members: for each node that asks ``in``, in their order, the numbers it asks for.
        start: for each leaf where its targets start, and an end; one target a leaf if not given.
        n_targets: how many targets there are.
        aggregate: "sum", "average", "min" or "max" over the trees.
        base: what is added to each target.

    Raises ArgumentError for places that do not exist, and for nodes that two others lead to.

    >>> import tensorlite as tl
    >>> tree = tl.trees.questions(feature=[0], threshold=[3], mode=[4], yes=[~0], no=[~1],
    ...                           roots=[0], target=[0, 0], weight=[1.0, 0.0])
    >>> tl.trees.tree_ensemble(tl.tensor([[2.0], [3.0]]), tree)
    tensor([[0.],
            [1.]])
    """
    feature, yes, no, roots, target = (_ints(v) for v in (feature, yes, no, roots, target))
    wide = getattr(threshold, "dtype", None) == np.float64
    threshold = np.asarray(threshold, np.float64 if wide else np.float32).reshape(-1)
    mode = np.zeros(len(feature), np.int64) if mode is None else _ints(mode)
    nan_yes = np.zeros(len(feature), bool) if nan_yes is None else np.asarray(nan_yes, bool)
    lengths = {len(v) for v in (feature, threshold, yes, no, mode, nan_yes)}
    if len(lengths) != 1 or ((mode < 0) | (mode > MEMBER)).any():
        raise ArgumentError(
            f"trees: expected as many of each, and modes 0 to {MEMBER}; got lengths {lengths}, "
            f"modes {sorted(set(mode.tolist()))}"
        )
    _one_parent(yes, no, roots, len(feature))
    # not (x < t) for x >= t, with yes and no exchanged; nothing is >= nan.
    swap = ((mode == GTE) | (mode == GT)) & ~np.isnan(threshold) | (mode == NEQ)
    left, right = np.where(swap, no, yes), np.where(swap, yes, no)
    nan_left = (nan_yes ^ swap) & (mode != NEQ)  # nan is unequal to anything
    nodes = _Nodes(feature, threshold, (mode == LT) | (mode == GTE), nan_left, left, right)
    sets = _sets(mode, threshold, members)
    if sets:
        nodes = _searched(nodes, sets)
    return Forest(
        **nodes._asdict(),
        roots=roots,
        start=np.arange(len(target) + 1) if start is None else _ints(start),
        target=target,
        weight=np.asarray(weight, np.float64),
        n_targets=n_targets,
        aggregate=aggregate,
        base=None if base is None else np.asarray(base, np.float64),
    )


def _ints(values: Any) -> Ints:
    return np.asarray(values, np.int64).reshape(-1)


def _one_parent(yes: Ints, no: Ints, roots: Ints, nodes: int) -> None:
    places = np.concatenate([yes, no, roots])
    inner = places[places >= 0]
    if len(inner) and inner.max() >= nodes:
        raise ArgumentError(f"trees: a branch leads to node {inner.max()} of {nodes}")
    seen = np.bincount(inner, minlength=nodes)
    # Both answers of one node may lead to the same place.
    seen[yes[(yes == no) & (yes >= 0)]] -= 1
    if len(seen) and seen.max() > 1:
        raise ArgumentError(f"trees: several branches lead to node {int(seen.argmax())}")


def _sets(mode: Ints, threshold: Ints, members: Sequence[Any]) -> dict[int, Ints]:
    """The numbers that each node that asks ``==``, ``!=`` or ``in`` looks for."""
    sets = {int(i): threshold[i : i + 1] for i in np.flatnonzero((mode == EQ) | (mode == NEQ))}
    asking = np.flatnonzero(mode == MEMBER)
    if len(asking) != len(members):
        raise ArgumentError(f"trees: {len(members)} sets for {len(asking)} nodes that ask 'in'")
    for i, values in zip(asking, members, strict=True):
        sets[int(i)] = np.asarray(values, threshold.dtype)
    return {i: np.unique(values[~np.isnan(values)]) for i, values in sets.items()}


class _Nodes(NamedTuple):
    """Of each node, what :class:`Forest` has of it."""

    feature: Ints
    threshold: Ints
    strict: Ints
    nan_left: Ints
    left: Ints
    right: Ints


def _searched(nodes: _Nodes, sets: dict[int, Ints]) -> _Nodes:
    """The nodes with a binary search in place of each that looks for numbers.

    Such a node stays as the first step: nan goes the way it should, all else to the search.
    """
    changed = _Nodes(*(table.copy() for table in nodes))
    count = len(nodes.feature)
    added: list[tuple[Any, ...]] = []

    def search(values: Ints, of: int, found: int, absent: int) -> int:
        if not len(values):
            return absent
        middle = len(values) // 2
        below = search(values[:middle], of, found, absent)
        above = search(values[middle + 1 :], of, found, absent)
        at = count + len(added)
        added.append((of, values[middle], False, False, found, above))
        added.append((of, values[middle], True, False, below, at))
        return at + 1

    for i, values in sets.items():
        found, absent = nodes.left[i], nodes.right[i]
        first = search(values, int(nodes.feature[i]), int(found), int(absent))
        nan = found if nodes.nan_left[i] else absent
        step = (nodes.feature[i], np.inf, False, False, first, nan)  # all but nan are <= infinity
        for table, value in zip(changed, step, strict=True):
            table[i] = value
    columns = zip(*added, strict=True) if added else [()] * len(changed)
    return _Nodes(
        *(
            np.concatenate([table, np.asarray(column, table.dtype)])
            for table, column in zip(changed, columns, strict=True)
        )
    )
