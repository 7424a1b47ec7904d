"""Random forests as ONNX models: tensorlite (numba device), ONNX Runtime, scikit-learn, treelite.

    python benchmarks/trees.py                      # all of it, some minutes
    python benchmarks/trees.py --trees 100 --depth 6 --rows 1 1000

Fitted by scikit-learn on random data with 30 features, 1 and 2 threads, in turns, medians. The
predictions are compared first. tensorlite runs as a plan. treelite takes part if it is installed
(`pip install treelite`). It and scikit-learn are left out at 100,000 rows: a call takes minutes.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper
from rich.console import Console
from rich.table import Table
from sklearn.ensemble import RandomForestRegressor

import tensorlite as tl
from tensorlite.progress import progress

FEATURES = 30


def fitted(trees: int, depth: int) -> Any:
    """A forest for a function with interactions, of depth `depth` and nearly full."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((20_000, FEATURES)).astype(np.float32)
    y = x[:, 0] * x[:, 1] + np.sin(3 * x[:, 2]) + x[:, 3] ** 2 + 0.3 * rng.standard_normal(len(x))
    forest = RandomForestRegressor(
        trees, max_depth=depth, max_features=10, max_samples=8000, n_jobs=2, random_state=0
    )
    with progress(f"fitting {trees} trees of depth {depth}"):
        return forest.fit(x, y)


def as_onnx(forest: Any) -> onnx.ModelProto:
    """The forest as one TreeEnsembleRegressor."""
    nodes: dict[str, list[Any]] = {}
    leaves: dict[str, list[Any]] = {}
    for number, estimator in enumerate(forest.estimators_):
        tree = estimator.tree_
        leaf = tree.children_left < 0
        for name, values in {
            "treeids": np.full(tree.node_count, number),
            "nodeids": np.arange(tree.node_count),
            "featureids": np.where(leaf, 0, tree.feature),
            "modes": np.where(leaf, "LEAF", "BRANCH_LEQ"),
            "values": np.where(leaf, 0.0, tree.threshold).astype(np.float32),
            "truenodeids": np.where(leaf, 0, tree.children_left),
            "falsenodeids": np.where(leaf, 0, tree.children_right),
        }.items():
            nodes.setdefault(f"nodes_{name}", []).extend(values.tolist())
        for name, values in {
            "treeids": np.full(leaf.sum(), number),
            "nodeids": np.flatnonzero(leaf),
            "ids": np.zeros(leaf.sum(), int),
            "weights": tree.value[leaf, 0, 0] / len(forest.estimators_),
        }.items():
            leaves.setdefault(f"target_{name}", []).extend(values.tolist())
    node = helper.make_node(
        "TreeEnsembleRegressor", ["x"], ["y"], domain="ai.onnx.ml", n_targets=1, **nodes, **leaves
    )
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, [None, FEATURES])
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, [None, 1])
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("ai.onnx.ml", 3)]
    graph = helper.make_graph([node], "forest", [x], [y])
    return helper.make_model(graph, opset_imports=opsets, ir_version=8)


def calls(
    forest: Any, model: onnx.ModelProto, x: Any, threads: int
) -> dict[str, Callable[[], Any]]:
    """What each library is asked to do; each gives the predictions."""
    tensor = tl.from_numpy(x).to("numba")
    tl.set_num_threads(threads)
    ours = tl.onnx.load(model, device="numba").compile(tensor)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )

    def tensorlite() -> Any:
        tl.set_num_threads(threads)
        return ours(tensor).numpy()

    found = {"tensorlite": tensorlite, "ONNX Runtime": lambda: session.run(None, {"x": x})[0]}
    if len(x) >= 100_000:
        return found
    forest.n_jobs = threads
    found["scikit-learn"] = lambda: forest.predict(x)
    try:
        import treelite
    except ImportError:
        return found
    compact = treelite.sklearn.import_model(forest)
    found["treelite"] = lambda: treelite.gtil.predict(compact, x, nthread=threads)
    return found


def medians(found: dict[str, Callable[[], Any]], seconds: float) -> dict[str, float]:
    """Median times in microseconds, in turns, for about this long each, three times at least."""
    times: dict[str, list[float]] = {name: [] for name in found}
    spent = dict.fromkeys(found, 0.0)
    while any(spent[name] < seconds and len(times[name]) < 1000 or len(times[name]) < 3
              for name in found):  # fmt: skip
        for name, call in found.items():
            if len(times[name]) >= 3 and spent[name] >= seconds:
                continue
            start = time.perf_counter()
            call()
            took = time.perf_counter() - start
            times[name].append(took * 1e6)
            spent[name] += took
    return {name: statistics.median(t) for name, t in times.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trees", type=int, nargs="+", default=[100, 1000])
    parser.add_argument("--depth", type=int, nargs="+", default=[6, 12])
    parser.add_argument("--rows", type=int, nargs="+", default=[1, 1000, 100_000])
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--seconds", type=float, default=1.0, help="for each figure, about")
    parser.add_argument("--markdown", action="store_true", help="the rows as Markdown")
    args = parser.parse_args()
    peers = ["tensorlite", "ONNX Runtime", "scikit-learn", "treelite"]
    table = Table(
        "trees", "depth", "rows", "threads", *[f"{p}, us" for p in peers], "best peer / ours"
    )
    for trees in args.trees:
        for depth in args.depth:
            forest = fitted(trees, depth)
            model = as_onnx(forest)
            for rows in args.rows:
                x = np.random.default_rng(1).standard_normal((rows, FEATURES)).astype(np.float32)
                for threads in args.threads:
                    found = calls(forest, model, x, threads)
                    for name in ("ONNX Runtime", "scikit-learn"):
                        if name in found:
                            np.testing.assert_allclose(
                                np.ravel(found["tensorlite"]()), np.ravel(found[name]()),
                                rtol=1e-3, atol=1e-4,
                            )  # fmt: skip
                    times = medians(found, args.seconds)
                    best = min(t for name, t in times.items() if name != "tensorlite")
                    cells = [f"{times[p]:,.1f}" if p in times else "-" for p in peers]
                    table.add_row(str(trees), str(depth), f"{rows:,}", str(threads), *cells,
                                  f"{best / times['tensorlite']:.2f}")  # fmt: skip
            if args.markdown:
                print(*rows_of(table)[-len(args.rows) * len(args.threads) :], sep="\n", flush=True)
    if not args.markdown:
        Console(width=120).print(table)


def rows_of(table: Table) -> list[str]:
    """The rows as Markdown."""
    cells = zip(*[list(column.cells) for column in table.columns], strict=True)
    return [f"| {' | '.join(map(str, row))} |" for row in cells]


if __name__ == "__main__":
    main()
