"""Recurrent networks as PyTorch's exporters write them."""

from __future__ import annotations

from typing import Any

import pytest
from exporting import Case, case, cases, check, torch

import tensorlite as tl

nn = torch.nn


class Recurrent(nn.Module):
    """One of PyTorch's recurrent layers, which gives its states too."""

    def __init__(self, kind: str, **options: Any) -> None:
        super().__init__()
        self.layer = getattr(nn, kind)(6, 5, **options)

    def forward(self, x: Any) -> Any:
        y, state = self.layer(x)
        return (y, *state) if isinstance(state, tuple) else (y, state)


class Stateful(nn.Module):
    """Layers that are given their states."""

    def __init__(self) -> None:
        super().__init__()
        self.lstm = nn.LSTM(6, 5, num_layers=2, batch_first=True)
        self.gru = nn.GRU(5, 4, batch_first=True)

    def forward(self, x: Any, h: Any, c: Any, g: Any) -> Any:
        y, (h, c) = self.lstm(x, (h, c))
        z, g = self.gru(y, g)
        return z, h, c, g


class Packed(nn.Module):
    """Sequences of different lengths, packed."""

    def __init__(self, kind: str, **options: Any) -> None:
        super().__init__()
        self.layer = getattr(nn, kind)(6, 5, batch_first=True, **options)

    def forward(self, x: Any, lengths: Any) -> Any:
        packed = nn.utils.rnn.pack_padded_sequence(x, lengths, batch_first=True)
        y, state = self.layer(packed)
        padded, _ = nn.utils.rnn.pad_packed_sequence(y, batch_first=True)
        return (padded, *(state if isinstance(state, tuple) else (state,)))


class Cells(nn.Module):
    """Cells, called once a step."""

    def __init__(self) -> None:
        super().__init__()
        self.lstm = nn.LSTMCell(6, 5)
        self.gru = nn.GRUCell(5, 5)
        self.rnn = nn.RNNCell(5, 4, nonlinearity="relu")

    def forward(self, x: Any) -> Any:
        h = c = g = x.new_zeros(x.shape[1], 5)
        r = x.new_zeros(x.shape[1], 4)
        for step in range(3):
            h, c = self.lstm(x[step], (h, c))
            g = self.gru(h, g)
            r = self.rnn(g, r)
        return h, c, g, r


class Tagger(nn.Module):
    """Words to labels: embeddings, characters' convolutions, two directions, attention."""

    def __init__(self) -> None:
        super().__init__()
        self.words = nn.Embedding(30, 8, padding_idx=0)
        self.lstm = nn.LSTM(8, 6, bidirectional=True, batch_first=True, num_layers=2, dropout=0.1)
        self.score = nn.Linear(12, 1)
        self.out = nn.Linear(12, 4)

    def forward(self, words: Any) -> Any:
        y, _ = self.lstm(self.words(words))
        scores = self.score(y).masked_fill((words == 0).unsqueeze(-1), float("-inf"))
        return self.out((y * scores.softmax(1)).sum(1)).log_softmax(-1), self.out(y).argmax(-1)


def sequence(steps: int, batch: int) -> tuple[Any]:
    return (torch.randn(steps, batch, 6),)


def with_states(batch: int, steps: int) -> tuple[Any, ...]:
    shapes = (batch, steps, 6), (2, batch, 5), (2, batch, 5), (1, batch, 4)
    return tuple(torch.randn(*shape) for shape in shapes)


def of_lengths(*lengths: int) -> tuple[Any, Any]:
    return torch.randn(len(lengths), max(lengths), 6), torch.tensor(lengths)


def sentences(batch: int, words: int) -> tuple[Any]:
    found = torch.randint(1, 30, (batch, words))
    found[0, words // 2 :] = 0
    return (found,)


SIZES = (4, 2), (1, 3), (7, 1)
BATCHES = (4, 2), (4, 3), (4, 6)  # the dynamo exporter makes the number of steps a constant

NETWORKS = cases(
    case("lstm", lambda: Recurrent("LSTM", num_layers=2), sequence, *SIZES, free=((0, 1),),
         by="torchscript 17"),
    case("lstm-batches", lambda: Recurrent("LSTM", num_layers=2), sequence, *BATCHES, free=((1,),),
         by="dynamo 18"),
    case("lstm-both", lambda: Recurrent("LSTM", bidirectional=True), sequence, *SIZES,
         free=((0, 1),), by="torchscript 20"),
    case("lstm-no-bias", lambda: Recurrent("LSTM", bias=False), sequence, *SIZES, free=((0, 1),),
         by="torchscript 18"),
    case("gru", lambda: Recurrent("GRU", num_layers=2, bidirectional=True), sequence, *SIZES,
         free=((0, 1),), by="torchscript 18"),
    case("gru-batches", lambda: Recurrent("GRU", bidirectional=True), sequence, *BATCHES,
         free=((1,),), by="dynamo 20 slow"),
    case("gru-no-bias", lambda: Recurrent("GRU", bias=False, batch_first=True), sequence, *SIZES,
         free=((0, 1),), by="torchscript 17"),
    case("rnn", lambda: Recurrent("RNN", bidirectional=True), sequence, *SIZES, free=((0, 1),),
         by="torchscript 19"),
    case("rnn-static", lambda: Recurrent("RNN", bidirectional=True), sequence, (4, 2),
         by="dynamo 22"),
    case("rnn-relu", lambda: Recurrent("RNN", nonlinearity="relu", num_layers=2), sequence, *SIZES,
         free=((0, 1),), by="torchscript 17"),
    case("stateful", Stateful, with_states, (2, 4), (3, 1), (1, 6),
         free=((0, 1), (1,), (1,), (1,)), by="torchscript 17"),
    case("stateful-batches", Stateful, with_states, (2, 4), (3, 4),
         free=((0,), (1,), (1,), (1,)), by="dynamo 21 slow"),
    case("packed-lstm", lambda: Packed("LSTM", bidirectional=True), of_lengths,
         (5, 3, 2), (4, 4), (7, 2, 1, 1), free=((0, 1), (0,)), by="torchscript 17"),
    case("packed-gru", lambda: Packed("GRU", num_layers=2, bidirectional=True), of_lengths,
         (5, 3, 2), (4, 4), (7, 2, 1, 1), free=((0, 1), (0,)), by="torchscript 18"),
    case("packed-rnn", lambda: Packed("RNN"), of_lengths,
         (5, 3, 2), (4, 4), free=((0, 1), (0,)), by="torchscript 20"),
    case("cells", Cells, sequence, (3, 2), (3, 4), free=((1,),),
         by="torchscript 17, dynamo 18 slow"),
    case("tagger", Tagger, sentences, (2, 5), (3, 8), (4, 2), free=((0, 1),),
         by="torchscript 17"),
    case("tagger-batches", Tagger, sentences, (2, 5), (4, 5), free=((0,),), by="dynamo 24 slow"),
)  # fmt: skip


@pytest.mark.parametrize("case", NETWORKS)
def test_network(case: Case, device: tl.device) -> None:
    check(case, device)
