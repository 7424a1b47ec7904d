"""Eager attention on the numba device runs as a plan, with the results of the cpu device."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import pytest

import tensorlite as tl
import tensorlite.nn.functional as F

pytest.importorskip("numba")


def operands(lead: tuple[int, ...], length: int, keys: int, depth: int, width: int) -> list[Any]:
    random = np.random.default_rng(length)
    shapes = ((length, depth), (keys, depth), (keys, width))
    return [tl.from_numpy(random.standard_normal((*lead, *s), np.float32)) for s in shapes]


def on_both(given: list[Any], **options: Any) -> None:
    moved = {k: v.to("numba") if isinstance(v, tl.Tensor) else v for k, v in options.items()}
    with tl.explain() as report:
        found = F.scaled_dot_product_attention(*[x.to("numba") for x in given], **moved)
    assert "planned_attention" in str(report)
    expected = F.scaled_dot_product_attention(*given, **options)
    np.testing.assert_allclose(found.numpy(), expected.numpy(), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("lead, length, keys", [((2, 3), 17, 33), ((5,), 64, 64), ((1, 12), 70, 9)])
def test_as_on_cpu(lead: tuple[int, ...], length: int, keys: int) -> None:
    given = operands(lead, length, keys, 24, 40)
    on_both(given)
    on_both(given, scale=0.5)
    on_both(given, is_causal=True)
    allowed = tl.from_numpy(np.random.default_rng(1).random((length, keys)) > 0.3)
    on_both(given, attn_mask=allowed)
    on_both(given, attn_mask=tl.randn(*lead, length, keys))


def test_from_several_threads() -> None:
    given = operands((4,), 64, 64, 16, 16)
    expected = F.scaled_dot_product_attention(*given).numpy()
    wrong: list[float] = []

    def caller() -> None:
        moved = [x.to("numba") for x in given]
        for _ in range(20):
            found = F.scaled_dot_product_attention(*moved).numpy()
            wrong.append(float(np.abs(found - expected).max()))

    threads = [threading.Thread(target=caller) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(wrong) == 80 and max(wrong) < 1e-5
