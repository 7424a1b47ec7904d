"""Ensembles of decision trees in plans: the reference's scores, ONNX Runtime's predictions."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from same import eager_steps, same

import tensorlite as tl
from tensorlite.devices.numba.plan import compile

pytest.importorskip("numba")

ROWS = [1, 2, 15, 16, 17, 1000, 2500]


def forest(
    trees: int, depth: int, features: int, targets: int = 1, dtype: Any = np.float32, **more: Any
) -> Any:
    """Full trees with random questions; each leaf gives to one target."""
    rng = np.random.default_rng(trees + depth)
    inner, leaves = 2**depth - 1, 2**depth
    node = np.arange(inner)
    tree = np.arange(trees)[:, None]

    def child(number: Any) -> Any:
        place = np.where(number < inner, tree * inner + number, ~(tree * leaves + number - inner))
        return place.reshape(-1)

    return tl.trees.questions(
        feature=rng.integers(features, size=trees * inner),
        threshold=rng.standard_normal(trees * inner).astype(dtype),
        mode=rng.choice([0, 1], trees * inner),
        nan_yes=rng.integers(0, 2, trees * inner).astype(bool),
        yes=child(2 * node + 1), no=child(2 * node + 2), roots=np.arange(trees) * inner,
        start=np.arange(trees * leaves + 1), target=rng.integers(targets, size=trees * leaves),
        weight=rng.standard_normal(trees * leaves).astype(dtype), n_targets=targets, **more,
    )  # fmt: skip


def features(rows: int, count: int, dtype: Any = np.float32, nan: bool = False) -> Any:
    rng = np.random.default_rng(rows)
    x = rng.standard_normal((rows, count)).astype(dtype)
    x[rng.random(x.shape) < 0.1 * nan] = np.nan
    return x


@pytest.mark.parametrize("rows", ROWS)
@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("targets", [1, 3])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_scores(rows: int, threads: int, targets: int, dtype: Any) -> None:
    found = forest(40, 5, 6, targets, dtype)
    for nan in (False, True):
        x = features(rows, 6, dtype, nan)
        same(lambda v: tl.trees.tree_ensemble(v, found), x, threads=threads, close=0)
        want = tl.trees.tree_ensemble(tl.from_numpy(x), found).numpy()
        have = compiled(found, x)
        np.testing.assert_allclose(have, want, 1e-6, 1e-6)


def compiled(found: Any, x: Any) -> Any:
    plan = compile(lambda v: tl.trees.tree_ensemble(v, found), tl.from_numpy(x).to("numba"))
    return plan(tl.from_numpy(x).to("numba")).numpy()


@pytest.mark.parametrize("aggregate", ["sum", "average", "min", "max"])
@pytest.mark.parametrize("rows", [1, 300])
def test_aggregates_and_base_values(aggregate: str, rows: int) -> None:
    base = np.array([0.5, -2.0])
    found = forest(9, 3, 4, 2, aggregate=aggregate, base=base)
    same(lambda v: tl.trees.tree_ensemble(v, found), features(rows, 4), close=0)


def test_scores_do_not_depend_on_threads() -> None:
    found = forest(60, 6, 8, 2)
    x = features(9000, 8)
    before = tl.get_num_threads()
    try:
        results = []
        for threads in (1, 2, 5):
            tl.set_num_threads(threads)
            results.append(compiled(found, x))
    finally:
        tl.set_num_threads(before)
    assert all(np.array_equal(results[0], r) for r in results[1:])


def test_expressions_before_and_behind() -> None:
    """The features may be computed, and lie in another way."""
    found = forest(20, 4, 5)
    x = features(64, 5).T
    same(lambda v: tl.trees.tree_ensemble((v * 2 + 1).T, found).sigmoid() * 3, x)


def test_what_has_no_kernel() -> None:
    wide = forest(5, 3, 4, dtype=np.float64)
    call = lambda v: tl.trees.tree_ensemble(v, wide)  # noqa: E731
    plan = same(call, features(7, 4), eager=1)
    assert "features of float32, thresholds of float64" in eager_steps(plan)[0]
    plan = same(call, np.ones((3, 4), np.int64), eager=1)
    assert "features of int64" in eager_steps(plan)[0]


def test_no_rows() -> None:
    same(lambda v: tl.trees.tree_ensemble(v, forest(3, 2, 4)), features(0, 4), eager=1)


@pytest.mark.parametrize("post", ["NONE", "SOFTMAX", "LOGISTIC", "SOFTMAX_ZERO"])
@pytest.mark.parametrize("classes, voted", [(2, [1]), (2, [0, 1]), (5, range(5))])
@pytest.mark.parametrize("rows", [1, 40])
def test_classifiers(post: str, classes: int, voted: Any, rows: int) -> None:
    """Labels and scores are those of ONNX Runtime, and all is kernels.

    Where trees vote for both of two classes, ONNX Runtime says 0 and 1 whatever the labels are, by
    the second score alone: there the higher score has the label, as in the specification.
    """
    runtime = pytest.importorskip("onnxruntime", reason="ONNX Runtime is not installed")
    proto = classifier(post, voted, classlabels_int64s=[7 * i - 3 for i in range(classes)])
    x = features(rows, 4)
    session = runtime.InferenceSession(
        proto.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    label, scores = session.run(None, {"x": x})
    if len(voted) == classes == 2:
        label = np.array([-3, 4])[scores.argmax(1)]
    fast = tl.onnx.load(proto, device="numba").compile(tl.from_numpy(x).to("numba"))
    have_label, have_scores = fast(tl.from_numpy(x).to("numba"))
    np.testing.assert_array_equal(have_label.numpy(), label)
    np.testing.assert_allclose(have_scores.numpy(), scores, 1e-5, 1e-6)
    assert "0 calls that run" in str(fast.explain()), fast.explain()


def test_words_for_classes_run_as_they_were_written() -> None:
    proto = classifier("SOFTMAX", range(3), classlabels_strings=["a", "b", "c"])
    module = tl.onnx.load(proto, device="numba")
    x = tl.from_numpy(features(6, 4)).to("numba")
    fast = module.compile(x)
    assert fast(x)[0].numpy().tolist() == module(x)[0].numpy().tolist()
    assert "TreeEnsembleClassifier" in str(fast.explain())
    assert "1 call that run" in str(fast.explain())


def classifier(post: str, voted: Any, **labels: Any) -> Any:
    """Thirty trees of depth 3 on 4 features, whose leaves vote for some of the classes."""
    from onnx import TensorProto, helper

    rng = np.random.default_rng(len(voted))
    trees, nodes = np.divmod(np.arange(30 * 15), 15)
    leaf = nodes >= 7
    attributes = {
        "nodes_treeids": trees, "nodes_nodeids": nodes,
        "nodes_featureids": rng.integers(4, size=len(nodes)),
        "nodes_values": rng.standard_normal(len(nodes)),
        "nodes_truenodeids": np.where(leaf, 0, 2 * nodes + 1),
        "nodes_falsenodeids": np.where(leaf, 0, 2 * nodes + 2),
        "class_treeids": trees[leaf], "class_nodeids": nodes[leaf],
        "class_ids": rng.choice(list(voted), leaf.sum()),
        "class_weights": rng.standard_normal(leaf.sum()),
    }  # fmt: skip
    node = helper.make_node(
        "TreeEnsembleClassifier", ["x"], ["label", "scores"], domain="ai.onnx.ml",
        nodes_modes=np.where(leaf, "LEAF", "BRANCH_LEQ").tolist(), post_transform=post,
        **{name: values.tolist() for name, values in attributes.items()}, **labels,
    )  # fmt: skip
    kind = TensorProto.INT64 if "classlabels_int64s" in labels else TensorProto.STRING
    infos = [("x", TensorProto.FLOAT, [None, 4]), ("label", kind, [None]),
             ("scores", TensorProto.FLOAT, [None, None])]  # fmt: skip
    x, *outputs = (helper.make_tensor_value_info(*info) for info in infos)
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("ai.onnx.ml", 3)]
    graph = helper.make_graph([node], "forest", [x], outputs)
    return helper.make_model(graph, opset_imports=opsets, ir_version=8)
