"""What the tests of lowerings have in common: a plan's results against the function's own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import tensorlite as tl
from tensorlite.devices import resolve
from tensorlite.devices.numba.plan.builder import whole
from tensorlite.devices.numba.plan.places import EagerStep
from tensorlite.devices.numba.plan.plan import Plan
from tensorlite.ops.trace import trace


def eager_steps(plan: Plan) -> list[str]:
    """Why steps run as they were written."""
    return [f"{s.name}: {s.why}" for s in plan.steps if isinstance(s, EagerStep)]


def same(
    function: Callable[..., Any], *arrays: Any, threads: int = 1, close: float = 1e-5,
    eager: int = 0,
) -> Plan:  # fmt: skip
    """Runs a function as a plan, and compares; with at most so many eager steps."""
    before = tl.get_num_threads()
    tl.set_num_threads(threads)
    try:
        device = resolve("numba")
        given = tuple(tl.from_numpy(np.ascontiguousarray(a)).to(device) for a in arrays)
        found, expected = trace(function, given, {}, device, whole)
        plan = Plan(found)
        for _ in range(2):
            actual = plan(*[g._array for g in given])
            pairs = zip(_flat(actual), _flat(expected), strict=True)
            for have, want in pairs:
                assert have.dtype == want.dtype and have.shape == want.shape
                np.testing.assert_allclose(have.numpy(), want.numpy(), rtol=close, atol=close)
    finally:
        tl.set_num_threads(before)
    assert len(eager_steps(plan)) <= eager, eager_steps(plan)
    return plan


def _flat(result: Any) -> list[Any]:
    return [result] if isinstance(result, tl.Tensor) else list(result)
