"""Which of ONNX's conformance cases tensorlite passes and ONNX Runtime does not, and why.

    python benchmarks/onnx_peers.py                       # a table on the terminal
    python benchmarks/onnx_peers.py --write docs/onnx.md  # ... between the marks in that file

Both get the same models and arrays through their plain Python interfaces.
"""

from __future__ import annotations

import argparse
import re
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime

from tensorlite.converters.onnx.conformance import Case, _plain, cases, difference, failure
from tensorlite.progress import progress

START, END = "<!-- onnx_peers: begin -->", "<!-- onnx_peers: end -->"
REASONS = {  # what ONNX Runtime says, in a few words
    r"expected dtype": "another dtype",
    r"expected shape": "another shape",
    r"^output": "other values",
    r"NOT_IMPLEMENTED": "no kernel",
    r"is not a registered": "unknown operator",
    r"MLDataType|No corresponding Numpy type": "a dtype its Python interface lacks",
}


def theirs(case: Case) -> str | None:
    """Why ONNX Runtime does not pass a case; None if it does."""
    model, sets = case.read()
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    try:
        session = onnxruntime.InferenceSession(
            model.SerializeToString(), options, providers=["CPUExecutionProvider"]
        )
        names = [i.name for i in session.get_inputs()]
        for inputs, outputs in sets:
            values = dict(zip(names, map(array, inputs), strict=False))
            found = difference([_plain(v) for v in outputs], session.run(None, values), case)
            if found:
                return found
    except Exception as error:  # of many kinds, all of them its own
        return f"{type(error).__name__}: {error}"
    return None


def array(value: Any) -> Any:
    """An input as ONNX Runtime takes it: it knows no NumPy numbers, only arrays."""
    plain = _plain(value)
    return np.asarray(plain) if isinstance(plain, np.generic) else plain


def short(why: str) -> str:
    """A reason in a few words."""
    return next((words for pattern, words in REASONS.items() if re.search(pattern, why)), "refused")


def operator(case: Case) -> str:
    """What the cases are grouped by: the operator, or the kind of model."""
    kind, _, name = case.name.partition("/")
    if kind != "node":
        return kind
    node = case.read()[0].graph.node[0]
    base = re.sub(r"^test_|_(expanded|cpu|ver\d+)\b", "", name)
    return node.op_type if "_expanded" not in name else f"{base.split('_')[0]}, expanded"


def compare() -> tuple[Counter[str], dict[str, Counter[str]]]:
    """How many cases each passes; by operator, why ONNX Runtime fails what tensorlite passes."""
    passed: Counter[str] = Counter()
    ahead: dict[str, Counter[str]] = defaultdict(Counter)
    chosen = list(cases())
    with progress("conformance cases") as report:
        for done, case in enumerate(chosen):
            ours, why = failure(case), theirs(case)
            passed["cases"] += 1
            passed["tensorlite"] += ours is None
            passed["ONNX Runtime"] += why is None
            if ours is None and why is not None:
                ahead[operator(case)][short(why)] += 1
            report(done + 1, len(chosen))
    return passed, ahead


def page(passed: Counter[str], ahead: dict[str, Counter[str]]) -> str:
    """The result as Markdown."""
    lines = [
        f"Of {passed['cases']:,} cases tensorlite passes {passed['tensorlite']:,}, "
        f"ONNX Runtime {onnxruntime.__version__} {passed['ONNX Runtime']:,}. "
        "Where tensorlite passes and ONNX Runtime does not:",
        "",
        "| operator | cases | why |",
        "| --- | --- | --- |",
    ]
    for name, reasons in sorted(ahead.items(), key=lambda item: (-item[1].total(), item[0])):
        why = ", ".join(f"{words} ({n})" if len(reasons) > 1 else words
                        for words, n in reasons.most_common())  # fmt: skip
        lines.append(f"| {name} | {reasons.total()} | {why} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--write", type=Path, help="the file to put the table into")
    path: Any = parser.parse_args().write
    table = page(*compare())
    if path is None:
        print(table)
        return
    text = path.read_text()
    before, after = text.split(START)[0], text.split(END)[1]
    path.write_text(f"{before}{START}\n{table}\n{END}{after}")


if __name__ == "__main__":
    main()
