"""Operators on strings in a model on a GPU: strings are on the cpu, wherever the model is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ... import dtypes
from ...devices.base import resolve
from ...tensor import Tensor

Function = Callable[..., Any]

MIXED = frozenset(
    ("", name)
    for name in (
        "Cast", "CastLike", "Compress", "Equal", "Gather", "GatherElements", "GatherND",
        "GridSample", "NonZero", "OneHot", "ReverseSequence", "Scatter", "ScatterElements",
        "ScatterND", "TensorScatter", "Trilu", "Unique", "Where",
    )
) | {("ai.onnx.ml", "ArrayFeatureExtractor")}  # fmt: skip
"""Operators that take strings together with numbers, or make numbers of them."""


def beside_strings(function: Function, device: Callable[[], Any]) -> Function:
    """The operator, with what comes beside strings moved to them, and numbers moved back."""

    def run(*inputs: Any, **keywords: Any) -> Any:
        place = device()
        if place.host or not any(map(_is_text, inputs)):
            return function(*inputs, **keywords)
        cpu = resolve("cpu")
        here = [x.to(cpu) if isinstance(x, Tensor) else x for x in inputs]
        found = function(*here, **keywords)
        outputs = found if isinstance(found, tuple) else (found,)
        return tuple(
            x.to(place) if isinstance(x, Tensor) and not _is_text(x) else x for x in outputs
        )

    return run


def _is_text(x: Any) -> bool:
    return isinstance(x, Tensor) and x.dtype is dtypes.string
