"""Ensembles of trees: random forests of all kinds against ONNX Runtime, fitted ones against
scikit-learn, broken ones.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper
from single_node import agree, node_model, onnxruntime, ours, same

import tensorlite as tl
from tensorlite.errors import ArgumentError, OnnxError, ShapeError

ML = "ai.onnx.ml"
FEATURES = 5
ORDERS = ["BRANCH_LEQ", "BRANCH_LT", "BRANCH_GTE", "BRANCH_GT"]
MODES = [*ORDERS, "BRANCH_EQ", "BRANCH_NEQ"]
GRID = np.array([-1, -0.5, 0, 0.5, 1, 2], np.float32)  # few values, so that some are equal


def grown(
    seed: int, trees: int = 7, depth: int = 4, modes: list[str] = ORDERS, missing: bool = False
) -> dict[str, Any]:
    """The nodes_* attributes of random trees, and (tree, node) of every leaf."""
    rng = np.random.default_rng(seed)
    names = "treeids nodeids featureids modes values truenodeids falsenodeids"
    found: dict[str, Any] = {name: [] for name in names.split()}
    leaves = []
    for tree in range(trees):
        level, count = [(0, 0)], 1
        while level:
            node, height = level.pop()
            inner = height < depth and (height == 0 or rng.random() < 0.8)
            yes, no = (count, count + 1) if inner else (0, 0)
            count += 2 if inner else 0
            level += [(yes, height + 1), (no, height + 1)] if inner else []
            leaves += [] if inner else [(tree, node)]
            row = (
                tree,
                node,
                int(rng.integers(FEATURES)),
                str(rng.choice(modes)) if inner else "LEAF",
                float(rng.choice(GRID)),
                yes,
                no,
            )
            for name, value in zip(found, row, strict=True):
                found[name].append(value)
    nodes = {f"nodes_{name}": values for name, values in found.items()}
    if missing:
        nodes["nodes_missing_value_tracks_true"] = rng.integers(0, 2, len(found["modes"])).tolist()
    return {"nodes": nodes, "leaves": leaves}


def given(seed: int, leaves: list[Any], kind: str, per_leaf: int, ids: list[int]) -> dict[str, Any]:
    """What the leaves give: target_* or class_* attributes."""
    rng = np.random.default_rng(seed + 1)
    rows = [
        (t, n, int(i), float(np.float32(rng.standard_normal())))
        for t, n in leaves
        for i in rng.choice(ids, min(per_leaf, len(ids)), replace=False)
    ]
    names = [f"{kind}_{name}" for name in ("treeids", "nodeids", "ids", "weights")]
    return {name: list(column) for name, column in zip(names, zip(*rows, strict=True), strict=True)}


def rows(seed: int, count: int, dtype: str = "float32", nan: bool = False) -> Any:
    rng = np.random.default_rng(seed + 2)
    x = rng.choice(GRID, (count, FEATURES)).astype(dtype)
    if nan:
        x[rng.random(x.shape) < 0.2] = np.nan
    return x


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("aggregate", ["SUM", "AVERAGE", "MIN", "MAX"])
@pytest.mark.parametrize("targets, per_leaf", [(1, 1), (3, 1), (3, 2), (3, 3)])
def test_regressor(device: Any, seed: int, aggregate: str, targets: int, per_leaf: int) -> None:
    forest = grown(seed, modes=ORDERS[seed % 4 : seed % 4 + 1] if seed < 4 else ORDERS)
    gives = given(seed, forest["leaves"], "target", per_leaf, list(range(targets)))
    # ONNX Runtime forgets the base value of a target that no leaf gave anything.
    base = {"base_values": [0.5, -1.0, 2.0][:targets]} if seed % 2 and targets == per_leaf else {}
    for count in (1, 20, 50):
        agree(
            "TreeEnsembleRegressor",
            rows(seed, count),
            opset=3,
            domain=ML,
            device=device,
            n_targets=targets,
            aggregate_function=aggregate,
            **forest["nodes"],
            **gives,
            **base,
        )


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("missing", [False, True])
def test_questions_and_nan(device: Any, mode: str, missing: bool) -> None:
    forest = grown(11, modes=[mode], missing=missing)
    gives = given(11, forest["leaves"], "target", 1, [0])
    for count in (3, 200):
        agree(
            "TreeEnsembleRegressor",
            rows(11, count, nan=True),
            opset=3,
            domain=ML,
            n_targets=1,
            device=device,
            **forest["nodes"],
            **gives,
        )


def test_mixed_questions(device: Any) -> None:
    forest = grown(12, modes=MODES, depth=6, missing=True)
    gives = given(12, forest["leaves"], "target", 1, [0])
    agree(
        "TreeEnsembleRegressor",
        rows(12, 300, nan=True),
        opset=3,
        domain=ML,
        n_targets=1,
        device=device,
        **forest["nodes"],
        **gives,
    )


@pytest.mark.parametrize("post", ["NONE", "LOGISTIC", "SOFTMAX", "SOFTMAX_ZERO", "PROBIT"])
@pytest.mark.parametrize("classes", [3, 5])
def test_classifier_of_many(device: Any, post: str, classes: int) -> None:
    forest = grown(20)
    gives = given(20, forest["leaves"], "class", classes, list(range(classes)))
    if post == "PROBIT":
        gives["class_weights"] = [abs(w) / 100 for w in gives["class_weights"]]
    labels = (
        {"classlabels_strings": [f"c{i}" for i in range(classes)]}
        if classes == 3
        else {"classlabels_int64s": [7, 5, 3, 1, 0]}
    )
    for base in ({}, {"base_values": [0.25, 0.5, 0.125, 0.5, 0.25][:classes]}):
        agree(
            "TreeEnsembleClassifier",
            rows(20, 30),
            outputs=2,
            opset=3,
            domain=ML,
            device=device,
            post_transform=post,
            rtol=1e-4,
            atol=2e-4 if post == "PROBIT" else 1e-6,
            **forest["nodes"],
            **gives,
            **labels,
            **base,
        )


@pytest.mark.parametrize("post", ["NONE", "LOGISTIC", "SOFTMAX"])
@pytest.mark.parametrize("voted", [0, 1])
@pytest.mark.parametrize("positive", [False, True])
def test_classifier_of_two_by_one_score(device: Any, post: str, voted: int, positive: bool) -> None:
    forest = grown(21)
    gives = given(21, forest["leaves"], "class", 1, [voted])
    if positive:
        gives["class_weights"] = [abs(w) / 7 for w in gives["class_weights"]]
    agree(
        "TreeEnsembleClassifier",
        rows(21, 30),
        outputs=2,
        opset=3,
        domain=ML,
        device=device,
        post_transform=post,
        classlabels_int64s=[10, 20],
        **forest["nodes"],
        **gives,
    )


def test_classifier_of_two_takes_the_higher_score(device: Any) -> None:
    """ONNX Runtime gives 1 here as soon as the second score is above zero."""
    forest = grown(22)
    gives = given(22, forest["leaves"], "class", 2, [0, 1])
    inputs = [rows(22, 30)]
    model = node_model(
        "TreeEnsembleClassifier",
        inputs,
        2,
        3,
        ML,
        classlabels_int64s=[10, 20],
        **forest["nodes"],
        **gives,
    )
    labels, scores = ours(model, inputs, device)
    same([scores], onnxruntime(model, inputs)[1:])
    assert labels.tolist() == [10 if a >= b else 20 for a, b in scores]


@pytest.mark.parametrize("dtype", ["float64", "int64", "int32"])
def test_other_features(device: Any, dtype: str) -> None:
    forest = grown(23)
    gives = given(23, forest["leaves"], "class", 3, [0, 1, 2])
    agree(
        "TreeEnsembleClassifier",
        rows(23, 40, dtype),
        outputs=2,
        opset=3,
        domain=ML,
        device=device,
        classlabels_int64s=[0, 1, 2],
        **forest["nodes"],
        **gives,
    )


def as_doubles(attributes: dict[str, Any], *names: str) -> dict[str, Any]:
    changed = dict(attributes)
    for name in names:
        values = changed.pop(name)
        changed[f"{name}_as_tensor"] = helper.make_tensor(
            name, TensorProto.DOUBLE, [len(values)], values
        )
    return changed


def test_double_thresholds(device: Any) -> None:
    forest = grown(24)
    nodes = forest["nodes"]
    nodes["nodes_values"] = [v + 1e-12 for v in nodes["nodes_values"]]
    gives = given(24, forest["leaves"], "target", 1, [0])
    agree(
        "TreeEnsembleRegressor",
        rows(24, 60, "float64") + 1e-12,
        opset=3,
        domain=ML,
        n_targets=1,
        device=device,
        **as_doubles(nodes, "nodes_values"),
        **as_doubles(gives, "target_weights"),
    )


def new_form(seed: int, dtype: Any = np.float32, **more: Any) -> dict[str, Any]:
    """TreeEnsemble (opset 5): two trees with questions of all kinds, sets among them."""
    members = np.array([0.5, 2, np.nan, -1, np.nan, 7, 0, 1, np.nan], dtype)
    arrays = {
        "nodes_splits": np.array([0.5, 0, 1, 0, 0, 0, -0.5], dtype),
        "nodes_modes": np.array([0, 6, 3, 6, 5, 6, 1], np.uint8),
        "leaf_weights": np.arange(1, 10).astype(dtype),
        "membership_values": members,
    }
    tensors = {name: onnx.numpy_helper.from_array(a, name) for name, a in arrays.items()}
    return {
        "tree_roots": [0, 4],
        "nodes_featureids": [0, 1, 2, 3, 4, 0, 1],
        "nodes_truenodeids": [1, 0, 2, 4, 5, 5, 7],
        "nodes_trueleafs": [0, 1, 1, 1, 0, 1, 1],
        "nodes_falsenodeids": [2, 1, 3, 3, 6, 6, 8],
        "nodes_falseleafs": [0, 1, 0, 1, 0, 1, 1],
        "nodes_missing_value_tracks_true": [0, 1, 1, 0, 1, 0, 1],
        "leaf_targetids": [0, 1, 2, 0, 1, 2, 0, 1, 2],
        "n_targets": 3,
        **tensors,
        **more,
    }


@pytest.mark.parametrize("nan", [False, True])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("aggregate", [1, 2, 3])  # 0, the average, ONNX Runtime refuses
def test_tree_ensemble(device: Any, nan: bool, dtype: str, aggregate: int) -> None:
    attributes = new_form(1, np.dtype(dtype), aggregate_function=aggregate)
    for count in (4, 100):
        agree(
            "TreeEnsemble",
            rows(1, count, dtype, nan),
            opset=5,
            domain=ML,
            device=device,
            **attributes,
        )


@pytest.mark.parametrize("post, theirs", [(0, 0), (1, 2), (2, 1), (3, 3)])
def test_tree_ensemble_transforms(device: Any, post: int, theirs: int) -> None:
    """The specification has SOFTMAX as 1 and LOGISTIC as 2; ONNX Runtime the other way round."""
    inputs = [rows(2, 30)]
    ours_in, theirs_in = (
        node_model("TreeEnsemble", inputs, 1, 5, ML, post_transform=p, **new_form(2))
        for p in (post, theirs)
    )
    same(ours(ours_in, inputs, device), onnxruntime(theirs_in, inputs))


def test_tree_ensemble_in_half_precision(device: Any) -> None:
    inputs = [rows(3, 30, "float16")]
    model = node_model("TreeEnsemble", inputs, 1, 5, ML, **new_form(3, np.dtype("float16")))
    wide = node_model("TreeEnsemble", [inputs[0].astype("f")], 1, 5, ML, **new_form(3))
    (have,) = ours(model, inputs, device)
    assert have.dtype == np.float16
    same([have.astype("f")], onnxruntime(wide, [inputs[0].astype("f")]))


@pytest.mark.parametrize("estimator", ["RandomForestRegressor", "GradientBoostingRegressor"])
def test_scikit_learn(device: Any, estimator: str) -> None:
    ensemble = pytest.importorskip("sklearn.ensemble", reason="scikit-learn is not installed")
    rng = np.random.default_rng(0)
    x = rng.standard_normal((300, FEATURES)).astype(np.float32)
    y = x[:, 0] * x[:, 1] + np.sin(3 * x[:, 2])
    model = getattr(ensemble, estimator)(n_estimators=20, max_depth=7, random_state=0).fit(x, y)
    trees = [t.tree_ for t in np.ravel(model.estimators_)]
    rate = getattr(model, "learning_rate", 1 / len(trees))
    feature, threshold, yes, no, roots, weight = [], [], [], [], [], []
    for tree in trees:
        inner = tree.children_left >= 0
        place = np.where(
            inner, np.cumsum(inner) - 1 + len(feature), ~(np.cumsum(~inner) - 1 + len(weight))
        )
        roots.append(place[0])
        feature += tree.feature[inner].tolist()
        threshold += tree.threshold[inner].tolist()
        yes += place[tree.children_left[inner]].tolist()
        no += place[tree.children_right[inner]].tolist()
        weight += (tree.value[~inner, 0, 0] * rate).tolist()
    base = [float(model.init_.constant_.item())] if hasattr(model, "init_") else None
    forest = tl.trees.questions(
        feature=feature,
        threshold=np.array(threshold),
        yes=yes,
        no=no,
        roots=roots,
        target=[0] * len(weight),
        weight=weight,
        base=base,
    )
    scores = tl.trees.tree_ensemble(tl.from_numpy(x).to(device), forest)
    np.testing.assert_allclose(scores.numpy()[:, 0], model.predict(x), rtol=1e-6)


def test_one_leaf_and_no_rows(device: Any) -> None:
    leaf = tl.trees.questions(
        feature=[], threshold=[], yes=[], no=[], roots=[-1], target=[0], weight=[2.5]
    )
    assert tl.trees.tree_ensemble(tl.zeros(2, 0, device=device), leaf).tolist() == [[2.5], [2.5]]
    assert tl.trees.tree_ensemble(tl.zeros(0, 4, device=device), leaf).shape == (0, 1)


@pytest.mark.parametrize("threshold", [np.inf, -np.inf, np.nan, 0.0, -0.0, 1e-45])
@pytest.mark.parametrize("mode", range(6))
def test_extreme_thresholds(device: Any, threshold: float, mode: int) -> None:
    compare = [np.less_equal, np.less, np.greater_equal, np.greater, np.equal, np.not_equal][mode]
    tree = tl.trees.questions(
        feature=[0],
        threshold=[threshold],
        mode=[mode],
        yes=[-1],
        no=[-2],
        roots=[0],
        target=[0, 0],
        weight=[1, 0],
    )
    x = np.array([[np.inf], [-np.inf], [np.nan], [0.0], [-0.0], [1e-45], [-1e-45], [3]], "f")
    expected = compare(x, np.float32(threshold)).astype("f")
    have = tl.trees.tree_ensemble(tl.from_numpy(x).to(device), tree)
    np.testing.assert_array_equal(have.numpy(), expected)


def test_threads(device: Any) -> None:
    forest = grown(30, trees=50, depth=8)
    gives = given(30, forest["leaves"], "target", 1, [0])
    inputs = [rows(30, 5000)]
    model = node_model(
        "TreeEnsembleRegressor", inputs, 1, 3, ML, n_targets=1, **forest["nodes"], **gives
    )
    before = tl.get_num_threads()
    results = []
    for count in (1, 2, 5):
        tl.set_num_threads(count)
        results.append(ours(model, inputs, device))
    tl.set_num_threads(before)
    same(results[0], onnxruntime(model, inputs))
    for other in results[1:]:
        np.testing.assert_array_equal(other[0], results[0][0])


def broken(**changes: Any) -> dict[str, Any]:
    nodes = {
        "nodes_treeids": [0, 0, 0],
        "nodes_nodeids": [0, 1, 2],
        "nodes_featureids": [0, 0, 0],
        "nodes_modes": ["BRANCH_LEQ", "LEAF", "LEAF"],
        "nodes_values": [0.5, 0.0, 0.0],
        "nodes_truenodeids": [1, 0, 0],
        "nodes_falsenodeids": [2, 0, 0],
        "n_targets": 1,
        "target_treeids": [0, 0],
        "target_nodeids": [1, 2],
        "target_ids": [0, 0],
        "target_weights": [1.0, 2.0],
    }
    return {**nodes, **changes}


@pytest.mark.parametrize(
    "changes, part",
    [
        ({"nodes_modes": ["BRANCH_NO", "LEAF", "LEAF"]}, "BRANCH_NO"),
        ({"nodes_truenodeids": [7, 0, 0]}, "no node 7"),
        ({"nodes_nodeids": [0, 1, 1]}, "node 1 twice"),
        ({"nodes_falsenodeids": [1, 0, 0]}, "several roots"),
        ({"target_nodeids": [1, 9]}, "no node 9"),
        ({"target_ids": [0, 5]}, "target[1] is 5"),
        ({"nodes_featureids": [-4, 0, 0]}, "feature[0] is -4"),
        ({"nodes_values": [0.5]}, ""),
        ({"target_weights": [1.0]}, ""),
        ({"aggregate_function": "MEDIAN"}, "MEDIAN"),
        ({"post_transform": "ARGMAX"}, "ARGMAX"),
        ({"base_values": [1.0, 2.0]}, "base values"),
    ],
)
def test_broken_forests(changes: dict[str, Any], part: str) -> None:
    model = node_model("TreeEnsembleRegressor", [rows(0, 2)], 1, 3, ML, **broken(**changes))
    with pytest.raises(OnnxError) as caught:
        tl.onnx.load(model)
    assert part in str(caught.value)
    assert "TreeEnsembleRegressor" in str(caught.value)


def test_cycles_and_shared_nodes_are_refused() -> None:
    with pytest.raises(ArgumentError, match="several branches lead to node 1"):
        tl.trees.questions(
            feature=[0, 0],
            threshold=[0, 0],
            yes=[1, 1],
            no=[-1, -2],
            roots=[0],
            target=[0, 0],
            weight=[1, 2],
        )


def test_too_few_features(device: Any) -> None:
    tree = tl.trees.questions(
        feature=[4], threshold=[0], yes=[-1], no=[-2], roots=[0], target=[0, 0], weight=[1, 2]
    )
    with pytest.raises(ShapeError, match="at least 5 features"):
        tl.trees.tree_ensemble(tl.zeros(2, 3, device=device), tree)
