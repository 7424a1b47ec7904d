"""Attention: masks of every kind, rows that may look nowhere, what it refuses."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import tensorlite as tl
import tensorlite.nn.functional as F
from tensorlite import nn
from tensorlite.errors import ArgumentError, DTypeError, ShapeError


def test_rows_that_may_look_nowhere_are_zero(device: tl.device) -> None:
    q = tl.randn(2, 3, 4, device=device)
    mask = tl.tensor([[True, True, True], [False, False, False], [True, False, False]])
    for given in (mask, tl.where(mask, 0.0, -math.inf)):
        found = F.scaled_dot_product_attention(q, q, q, given.to(device))
        assert found[:, 1].abs().sum() == 0
        assert tl.allclose(found[:, 2], q[:, 0])


def test_nan_stays_nan() -> None:
    q = tl.full((1, 2, 4), math.nan)
    mask = tl.tensor([[True, True], [False, False]])
    found = F.scaled_dot_product_attention(q, tl.ones(1, 2, 4), tl.ones(1, 2, 4), mask)
    assert found[0, 0].isnan().all()


MASKS: dict[str, dict[str, Any]] = {
    "none": {},
    "bool": {"attn_mask": np.triu(np.ones((5, 5), bool), 1)},
    "float": {"attn_mask": np.random.default_rng(1).normal(size=(5, 5)).astype(np.float32)},
    "per head": {"attn_mask": np.random.default_rng(1).normal(size=(4, 5, 5)).astype(np.float32)},
    "padding": {"key_padding_mask": np.array([[0, 0, 0, 0, 1], [0, 0, 0, 1, 1]], bool)},
    "both": {
        "attn_mask": np.triu(np.ones((5, 5), bool), 1),
        "key_padding_mask": np.array([[0, 0, 0, 0, 1], [0, 0, 0, 1, 1]], bool),
    },
    "causal": {"attn_mask": np.triu(np.ones((5, 5), bool), 1), "is_causal": True},
}


@pytest.mark.filterwarnings("ignore:.*:UserWarning:torch")
@pytest.mark.parametrize("need_weights", [True, False])
@pytest.mark.parametrize("kind", sorted(MASKS))
def test_masks_are_pytorchs(kind: str, need_weights: bool, device: tl.device) -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    theirs = torch.nn.MultiheadAttention(8, 2, batch_first=True).eval()
    ours = nn.MultiheadAttention(8, 2, batch_first=True).eval()
    ours.load_state_dict({k: v.numpy() for k, v in theirs.state_dict().items()})
    ours.to(device)
    x = np.random.default_rng(0).normal(size=(2, 5, 8)).astype(np.float32)

    def call(layer: Any, make: Any) -> Any:
        masks = {k: make(v) if isinstance(v, np.ndarray) else v for k, v in MASKS[kind].items()}
        given = make(x)
        return layer(given, given, given, need_weights=need_weights, **masks)

    with torch.no_grad():
        wanted = call(theirs, torch.from_numpy)
    found = call(ours, lambda a: tl.from_numpy(a).to(device))
    np.testing.assert_allclose(found[0].cpu().numpy(), wanted[0].numpy(), rtol=1e-4, atol=1e-5)
    if need_weights:
        np.testing.assert_allclose(found[1].cpu().numpy(), wanted[1].numpy(), rtol=1e-4, atol=1e-6)
    else:
        assert found[1] is None


def test_what_it_refuses() -> None:
    q, mask = tl.ones(2, 3, 4), tl.ones(3, 3).bool()
    with pytest.raises(ArgumentError, match="not both"):
        F.scaled_dot_product_attention(q, q, q, mask, is_causal=True)
    with pytest.raises(ShapeError, match=r"\(\.\.\., L, E\)"):
        F.scaled_dot_product_attention(q, tl.ones(2, 3, 5), q)
    with pytest.raises(DTypeError, match="one dtype"):
        F.scaled_dot_product_attention(q, q.double(), q)
    with pytest.raises(ArgumentError, match="heads"):
        nn.MultiheadAttention(8, 3)
    layer, x = nn.MultiheadAttention(4, 2), tl.ones(3, 2, 4)
    with pytest.raises(ArgumentError, match="is_causal"):
        layer(x, x, x, is_causal=True)
    with pytest.raises(ShapeError, match="key_padding_mask"):
        layer(x, x, x, key_padding_mask=tl.ones(3, 3).bool())
    with pytest.raises(DTypeError, match="bools or floats"):
        layer(x, x, x, attn_mask=tl.ones(3, 3).long())
