"""ONNX's own conformance cases, run on tensorlite.

    python -m tensorlite.converters.onnx.conformance                    # the score per category
    python -m tensorlite.converters.onnx.conformance --device numba
    python -m tensorlite.converters.onnx.conformance --filter resize    # some of them

The cases ship inside the ``onnx`` package: single operators, small graphs, operators and networks
as PyTorch exported them, and the published architectures. A case passes when every one of its
data sets agrees in structure, shape, dtype and value; of random operators the values cannot.
"""

from __future__ import annotations

import argparse
import re
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import numpy_helper

from ...errors import TensorliteError
from ...progress import progress
from .module import load
from .values import to_plain

_RANDOM = re.compile("bernoulli|random|multinomial", re.IGNORECASE)
FOLDERS = ("simple", "pytorch-converted", "pytorch-operator")
DataSets = list[tuple[list[Any], list[Any]]]  # inputs and outputs
_TITLES = {"": "operators", "ai.onnx.ml": "machine learning", "ai.onnx.preview": "preview",
           "ai.onnx.preview.training": "training"}  # fmt: skip


@dataclass(frozen=True)
class Case:
    """A model with inputs, and the outputs it should give."""

    name: str
    category: str
    read: Callable[[], tuple[onnx.ModelProto, DataSets]]
    rtol: float
    atol: float

    @property
    def random(self) -> bool:
        """Whether it draws random numbers, so that no values can be expected."""
        return bool(_RANDOM.search(self.name))


def cases(pattern: str = "") -> Iterator[Case]:
    """All cases whose name has a match of the regular expression."""
    for case in (*_operators(), *_folders(), *_light()):
        if re.search(pattern, case.name):
            yield case


def _operators() -> Iterator[Case]:
    from onnx.backend.test.case.node import collect_testcases

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of how the cases are made
        found: list[Any] = collect_testcases(None)
    for case in sorted(found, key=lambda c: str(c.name)):
        domain = case.model.graph.node[0].domain
        yield Case(
            f"node/{case.name}",
            _TITLES.get(domain, "operators"),
            partial(_made, case),
            case.rtol,
            case.atol,
        )


def _made(case: Any) -> tuple[onnx.ModelProto, DataSets]:
    return case.model, [tuple(s) for s in case.data_sets]


def _data() -> Path:
    return Path(onnx.__file__).parent / "backend" / "test" / "data"


def _folders() -> Iterator[Case]:
    for kind in FOLDERS:
        for folder in sorted((_data() / kind).glob("*")):
            name = f"{kind}/{folder.name}"
            yield Case(name, kind, partial(_folder, folder), 1e-3, 1e-6)


def _folder(folder: Path) -> tuple[onnx.ModelProto, DataSets]:
    model = onnx.load(folder / "model.onnx")
    sets = [
        (_stored(data, "input", _inputs(model)), _stored(data, "output", model.graph.output))
        for data in sorted(folder.glob("test_data_set_*"))
    ]
    return model, sets


def _inputs(model: onnx.ModelProto) -> list[Any]:
    weights = {i.name for i in model.graph.initializer}
    return [i for i in model.graph.input if i.name not in weights]


def _stored(folder: Path, kind: str, infos: Sequence[Any]) -> list[Any]:
    files = [folder / f"{kind}_{i}.pb" for i in range(len(infos))]
    return [_value(f, i) for f, i in zip(files, infos, strict=True) if f.exists()]


def _light() -> Iterator[Case]:
    for path in sorted((_data() / "light").glob("*.onnx")):
        yield Case(f"light/{path.stem}", "architectures", partial(_network, path), 1e-3, 1e-6)


def _network(path: Path) -> tuple[onnx.ModelProto, DataSets]:
    """An architecture with constant weights, and the input that its stored output was made of."""
    model = onnx.load(path)
    (info,) = _inputs(model)
    shape = [d.dim_value for d in info.type.tensor_type.shape.dim]
    size = int(np.prod(shape))
    image = (np.arange(size).reshape(shape) / size).astype(np.float32)
    stored = path.with_name(f"{path.stem}_output_0.pb")
    return model, [([image], [_value(stored, model.graph.output[0])])]


def _value(path: Path, info: Any) -> Any:
    """A stored tensor, sequence or optional, as its value's type says."""
    kind = info.type.WhichOneof("value")
    proto: Any = {"sequence_type": onnx.SequenceProto, "optional_type": onnx.OptionalProto}.get(
        kind, onnx.TensorProto
    )()
    proto.ParseFromString(path.read_bytes())
    return _plain(proto)


def _plain(value: Any) -> Any:
    if isinstance(value, onnx.SequenceProto):
        return numpy_helper.to_list(value)
    if isinstance(value, onnx.OptionalProto):
        return numpy_helper.to_optional(value)
    return numpy_helper.to_array(value) if isinstance(value, onnx.TensorProto) else value


def failure(case: Case, device: Any = "cpu", optimize: bool = True) -> str | None:
    """Why a case does not pass on a device; None if it does."""
    try:
        model, sets = case.read()
        module = load(model, device=device, optimize=optimize)
        for inputs, outputs in sets:
            values = module.bind([_plain(v) for v in inputs], {})
            given = [to_plain(v) for v in module._run(values)]
            found = difference([_plain(v) for v in outputs], given, case)
            if found:
                return found
    except TensorliteError as error:
        return f"{type(error).__name__}: {error}"
    return None


def difference(expected: Any, actual: Any, case: Case, where: str = "output") -> str | None:
    """In what two values differ: structure, shape, dtype, or numbers beyond the tolerance."""
    if expected is None:
        return None if actual is None else f"{where}: expected nothing, got {type(actual).__name__}"
    if isinstance(expected, list | tuple):
        if not isinstance(actual, list | tuple) or len(actual) != len(expected):
            return f"{where}: expected {len(expected)} values, got {actual!r:.100}"
        parts = zip(expected, actual, strict=True)
        found = (difference(e, a, case, f"{where}[{i}]") for i, (e, a) in enumerate(parts))
        return next(filter(None, found), None)
    expected, actual = np.asarray(expected), np.asarray(actual)
    text = expected.dtype.kind in "OSUT"
    if expected.shape != actual.shape:
        return f"{where}: expected shape {expected.shape}, got {actual.shape}"
    if expected.dtype != actual.dtype and not (text and actual.dtype.kind in "OSUT"):
        return f"{where}: expected dtype {expected.dtype}, got {actual.dtype}"
    if case.random:
        return None
    if text:
        same = np.array_equal(expected.astype(str), actual.astype(str))
        return None if same else f"{where}: the strings differ"
    if expected.dtype.kind not in "biufc":  # bfloat16, float8, int4...
        expected, actual = expected.astype(np.float32), actual.astype(np.float32)
    try:
        np.testing.assert_allclose(actual, expected, rtol=case.rtol, atol=case.atol)
    except AssertionError as error:
        lines = [line for line in str(error).splitlines() if line.strip()]
        return f"{where}: {'; '.join(lines[1:3])}"
    return None


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the cases; the exit code is 1 if any fails."""
    from rich.console import Console
    from rich.table import Table

    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--device", default="cpu", help="cpu, numba or cuda")
    parser.add_argument("--filter", default="", help="a regular expression for names of cases")
    options = parser.parse_args(arguments)
    chosen = list(cases(options.filter))
    total, passed = Counter[str](), Counter[str]()
    console = Console(soft_wrap=True)
    with progress("conformance cases") as report:
        for done, case in enumerate(chosen):
            why = failure(case, options.device)
            total[case.category] += 1
            passed[case.category] += why is None
            if why:
                line = " ".join(why.split())
                console.print(f"{case.name}: {line:.200}", markup=False, highlight=False)
            report(done + 1, len(chosen))
    table = Table("category", "pass", "of", "%", title=f"ONNX conformance on {options.device}")
    for name in total:
        table.add_row(name, *_row(passed[name], total[name]))
    table.add_section()
    table.add_row("all", *_row(passed.total(), total.total()))
    console.print(table)
    return 0 if passed == total else 1


def _row(passed: int, total: int) -> tuple[str, str, str]:
    return str(passed), str(total), f"{100 * passed / max(total, 1):.1f}"


if __name__ == "__main__":
    raise SystemExit(main())
