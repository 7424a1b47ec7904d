"""A line of the benchmark: the work, who does it, and what is aimed at."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from . import engines
from .engines import Run

Make = Callable[[int], Run]  # for a number of threads


@dataclass(frozen=True)
class Case:
    """One piece of work for several engines; "tensorlite" is among them."""

    name: str
    group: str
    engines: dict[str, Make]
    goals: dict[str, float]  # our time over a peer's, at most
    best_of: bool = True  # the goal is one for the better peer, not one for each
    threads: tuple[int, ...] = (1, 2)
    close: float = 1e-3  # outputs may differ so much, as a share of the largest number
    rate: float = 1.0  # multiplications of its data type at a time, over float32's
    moved: float = 0.0  # bytes read and written, where that is the limit


CASES: dict[str, Case] = {}


def add(case: Case) -> None:
    """Registers a line."""
    assert case.name not in CASES, case.name
    CASES[case.name] = case


def onnx_case(
    name: str, group: str, goal: float, make: Callable[[], tuple[bytes, dict[str, Any]]],
    peers: tuple[str, ...] = ("onnxruntime", "openvino"), **options: Any,
) -> None:  # fmt: skip
    """An ONNX model as a plan, beside other engines for it."""
    builders = {"tensorlite": engines.tensorlite_plan}
    builders |= {peer: getattr(engines, peer) for peer in peers}

    def prepared(builder: Callable[..., Run], threads: int) -> Run:
        model, inputs = make()
        return builder(model, inputs, threads)

    add(Case(
        name, group, {engine: partial(prepared, b) for engine, b in builders.items()},
        dict.fromkeys(peers, goal), **options,
    ))  # fmt: skip


Work = Callable[[Any, Callable[[Any], Any]], Run]


def function_case(
    name: str, group: str, goal: float, work: Work, *, threads: tuple[int, ...] = (1,),
    device: str = "numba", **options: Any,
) -> None:  # fmt: skip
    """The same Python code for tensorlite, eager, and for PyTorch in inference mode.

    ``work`` is given the package and a function that makes its tensors of arrays, and makes ready.
    """

    def ours(threads: int) -> Run:
        import tensorlite as tl

        tl.set_num_threads(threads)
        tl.set_default_device(device)
        return work(tl, lambda array: tl.from_numpy(array).to(device))

    def theirs(threads: int) -> Run:
        import torch

        torch.set_num_threads(threads)
        engines.KEPT.enter_context(torch.inference_mode())
        return work(torch, torch.from_numpy)

    add(Case(
        name, group, {"tensorlite": ours, "torch": theirs}, {"torch": goal}, threads=threads,
        **options,
    ))  # fmt: skip
