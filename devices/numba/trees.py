"""Ensembles of decision trees: sixteen rows (or trees) go down at once, without a branch.

A leaf leads to itself, so each tree takes as many steps as its depth whatever the answers are,
and the steps of sixteen lanes overlap. A node's two children lie side by side: the answer is
added to the place of the first. Rows are taken in blocks whose features stay in the second-level
cache while all trees go over them; for a few rows the lanes go over trees instead.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from ...ops.trees import Forest, as_features
from ...threads import get_num_threads
from ..kernels import kernel
from .code import Code, module
from .fused import Words, share
from .jit import Jit, jit
from .llvm import compiled
from .memory import address
from .threads import run_parts

Array = np.ndarray[Any, Any]
_LANES, _BLOCK = 16, 1024  # as in the kernel
_SPLIT = 150_000  # steps below which a thread is not worth waking


def _walk(
    out: Any, scores: Any, lanes: Any, x: Any, thresholds: Any, nodes: Any, table: Any,
    weights: Any, features: int, first: int, last: int,
) -> None:  # fmt: skip
    """The scores of rows ``first`` to ``last``, in whose place few rows have lanes over trees.

    A node is four integers: the place of its threshold, its feature, its first child, and of a
    leaf its number, of others whether nan goes left. ``table`` begins with the six numbers
    unpacked below; then come each tree's root, each tree's depth, where each leaf's targets
    start, and the targets. ``weights`` has those of the targets, the base values, and what to
    divide by. With ``kind`` 0 all leaves give to one target, and what a leaf gives stands with
    its threshold.
    """
    kind, targets, trees, leaves = table[0], table[1], table[2], table[3]
    base, stride = table[4], table[5]
    depths, starts = 6 + trees, 6 + 2 * trees
    divisor = weights[base + targets]
    across = last - first < 16
    for low in range(first, last, 1024):
        high = min(low + 1024, last)
        for i in range((high - low) * targets):
            scores[i] = 0.0 if kind < 2 else np.inf if kind == 2 else -np.inf
        nan = 0
        for i in range(low * features, high * features):
            nan |= x[i] != x[i]
        outer = high - low if across else trees
        inner = trees if across else high - low
        for p in range(outer):
            for q in range(0, inner, 16):
                used = min(16, inner - q)
                depth = 0
                if across:
                    for lane in range(16):
                        tree = min(q + lane, trees - 1)
                        lanes[lane] = table[6 + tree]
                        lanes[16 + lane] = (low + p) * features
                        depth = max(depth, table[depths + tree])
                else:
                    depth = table[depths + p]
                    for lane in range(16):
                        lanes[lane] = table[6 + p]
                        lanes[16 + lane] = (low + q + min(lane, used - 1)) * features
                if nan:
                    for _ in range(depth):
                        for lane in range(16):
                            n = lanes[lane]
                            v = x[lanes[16 + lane] + nodes[4 * n + 1]]
                            to = nodes[4 * n + 2]
                            stays = to == n or nodes[4 * n + 3] != 0
                            left = v <= thresholds[stride * n] or (v != v and stays)
                            lanes[lane] = to + (0 if left else 1)
                else:
                    for _ in range(depth):
                        for lane in range(16):
                            n = lanes[lane]
                            left = x[lanes[16 + lane] + nodes[4 * n + 1]] <= thresholds[stride * n]
                            lanes[lane] = nodes[4 * n + 2] + (0 if left else 1)
                row, step = (p, 0) if across else (q, 1)
                if kind == 0:
                    for lane in range(used):
                        at = stride * lanes[lane] + stride - 1
                        scores[row + lane * step] += thresholds[at]
                else:
                    for lane in range(used):
                        leaf = starts + nodes[4 * lanes[lane] + 3]
                        for i in range(table[leaf], table[leaf + 1]):
                            to = (row + lane * step) * targets + table[starts + leaves + 1 + i]
                            if kind == 1:
                                scores[to] += weights[i]
                            elif kind == 2:
                                scores[to] = min(scores[to], weights[i])
                            else:
                                scores[to] = max(scores[to], weights[i])
        for row in range(high - low):
            for i in range(targets):
                score = scores[row * targets + i]
                if kind > 1 and (score == np.inf or score == -np.inf):
                    score = 0.0
                out[(low + row) * targets + i] = score / divisor + weights[base + i]


_walkers = {
    np.dtype(code): jit(f"{code}* f8* i8* {code}* {code}* i4* i4* f8* i8 i8 i8")(_walk)
    for code in ("f4", "f8")
}


@dataclass(frozen=True)
class Packed:
    """A forest as the kernel reads it."""

    arrays: tuple[Array, ...]  # thresholds, nodes, table, weights
    addresses: tuple[int, ...]  # theirs
    run: Jit
    steps: int  # of a row


def _pack(forest: Forest, dtype: np.dtype[Any]) -> Packed:
    """Each inner node's children become records side by side, behind those of the roots."""
    trees, leaves = len(forest.roots), len(forest.start) - 1
    order, depths = _order(forest)
    pairs = np.stack([forest.left[order], forest.right[order]], 1).reshape(-1)
    places = np.concatenate([forest.roots, pairs])
    is_leaf, at, slot = places < 0, np.maximum(places, 0), np.arange(len(places))
    first_child = np.zeros(len(forest.feature) + 1, np.int64)
    first_child[order] = trees + 2 * np.arange(len(order))
    leaf = np.where(is_leaf, ~places, 0)
    nodes = np.zeros((len(places), 4), np.int32)
    nodes[:, 1] = np.where(is_leaf, 0, _take(forest.feature, at))
    nodes[:, 2] = np.where(is_leaf, slot, first_child[at])
    nodes[:, 3] = np.where(is_leaf, leaf, _take(forest.nan_left, at))
    # A node, its threshold and what it gives share a cache line: as float32 in the node itself.
    numbers = nodes.view(dtype) if dtype == np.float32 else np.zeros((len(places), 2))
    numbers[:, 0] = np.where(is_leaf, np.inf, _take(_at_most(forest, dtype), at))
    kind = {"min": 2, "max": 3}.get(forest.aggregate, 1)
    weight = forest.weight.astype(dtype)
    alone = forest.n_targets == 1 and (np.diff(forest.start) == 1).all()
    if kind == 1 and alone and (weight == forest.weight).all():
        kind = 0
        numbers[is_leaf, -1] = weight[leaf[is_leaf]]
    head = [kind, forest.n_targets, trees, leaves, len(weight), numbers.shape[1]]
    table = np.concatenate([head, np.arange(trees), depths, forest.start, forest.target])
    base = np.zeros(forest.n_targets) if forest.base is None else forest.base
    divisor = float(trees or 1) if forest.aggregate == "average" else 1.0
    arrays = (
        numbers, nodes, table.astype(np.int32),
        np.concatenate([forest.weight, base, [divisor]]),
    )  # fmt: skip
    addresses = tuple(address(a) for a in arrays)
    return Packed(arrays, addresses, _walkers[dtype], int(depths.sum()))


def _take(values: Array, at: Array) -> Array:
    """The values at these places; zeros if there are none."""
    return values[at] if len(values) else np.zeros(len(at), values.dtype)


def _order(forest: Forest) -> tuple[Array, Array]:
    """The inner nodes, tree by tree and within each level by level; and each tree's depth."""
    depths = np.zeros(len(forest.roots), np.int64)
    for tree, _ in forest.levels():
        depths[tree] += 1  # once, however many nodes the tree has in it
    nodes = np.concatenate([node for _, node in forest.levels()] or [depths[:0]])
    trees = np.concatenate([tree for tree, _ in forest.levels()] or [depths[:0]])
    by_tree = np.argsort(trees, kind="stable")
    nodes = nodes[by_tree]
    _, first = np.unique(nodes, return_index=True)  # a node may be reached in several ways
    return nodes[np.sort(first)], depths


def _at_most(forest: Forest, dtype: np.dtype[Any]) -> Array:
    """Thresholds for ``<=`` alone: ``x < t`` is ``x <=`` the number below ``t``."""
    threshold = forest.threshold.astype(dtype)
    with np.errstate(all="ignore"):
        below = np.nextafter(threshold, dtype.type(-np.inf))
    below[threshold == -np.inf] = np.nan  # which nothing is below
    return np.where(forest.strict, below, threshold)


def packed(forest: Forest, dtype: np.dtype[Any]) -> Packed:
    """The forest for features of a dtype, made once."""
    if dtype not in forest.prepared:
        forest.prepared[dtype] = _pack(forest, dtype)
    found: Packed = forest.prepared[dtype]
    return found


def room(forest: Forest, rows: int) -> int:
    """How many float64 numbers the kernel needs beside: lanes, and scores of a block of rows."""
    return 2 * _LANES + min(rows, _BLOCK) * forest.n_targets


def least_rows(found: Packed) -> int:
    """Rows below which a thread is not worth waking."""
    return _SPLIT // (found.steps + 1) + _LANES


@cache
def shared_walk() -> int:
    """The address of a kernel that calls the one for a forest, with a share of the rows.

    Its words: the address of that one, of the result, of the scratch memory, the bytes of it for a
    part, how many parts it is for, the address of the features, the four of the forest, how many
    features a row has, and how many rows there are.
    """
    code = Code("kernel", "ptr %args, i64 %part, i64 %parts")
    words = Words(code)
    run, out, scratch = (words.next("ptr") for _ in range(3))
    room, most = words.many(2)
    x, *forest = (words.next("ptr") for _ in range(5))
    features, rows = words.many(2)
    fewer = code.value(f"icmp slt i64 %parts, {most}")
    parts = code.value(f"select i1 {fewer}, i64 %parts, i64 {most}")
    first, last = share(code, rows, parts=parts)
    lanes = code.at("i8", scratch, code.mul("%part", room))
    scores = code.at("i8", lanes, str(16 * _LANES))
    given = ", ".join(f"ptr {p}" for p in (out, scores, lanes, x, *forest))
    with code.when(code.value(f"icmp slt i64 %part, {parts}")):
        code.do(f"call void {run}({given}, i64 {features}, i64 {first}, i64 {last})")
    return compiled(module(code))


@kernel("numba", "trees.tree_ensemble")
def tree_ensemble(input: Array, forest: Forest) -> Array:
    """The scores of all rows, in one pass over them."""
    x = np.ascontiguousarray(as_features(np, input, forest))
    found = packed(forest, x.dtype)
    rows, width = x.shape
    out = np.empty((rows, forest.n_targets), x.dtype)

    most = max(1, min(rows // least_rows(found), get_num_threads()))
    each = 8 * ((room(forest, rows) + 7) // 8)  # numbers, whole lines of the cache
    scratch = np.empty(most * each)
    words = [found.run.address(), address(out), address(scratch), 8 * each, most, address(x),
             *found.addresses, width, rows]  # fmt: skip
    run_parts(shared_walk(), np.array(words, np.int64), most)
    return out if x.dtype == input.dtype or x.dtype == forest.dtype else out.astype(forest.dtype)
