"""Recurrent layers: RNN, LSTM, GRU, and their cells."""

from __future__ import annotations

import math
from typing import Any

from ..errors import ArgumentError, ShapeError
from ..ops import recurrent
from ..tensor import Tensor
from . import init
from .module import Module
from .parameter import empty, parameter
from .utils.rnn import PackedSequence

_GATES = {"RNN_TANH": 1, "RNN_RELU": 1, "LSTM": 4, "GRU": 3}
_RUN = {
    "RNN_TANH": recurrent.rnn_tanh,
    "RNN_RELU": recurrent.rnn_relu,
    "LSTM": recurrent.lstm,
    "GRU": recurrent.gru,
}


class RNNBase(Module):
    """What RNN, LSTM and GRU have in common. Source: PyTorch ``torch.nn.RNNBase``."""

    mode: str
    batch_first: bool

    def __init__(
        self,
        mode: str,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        proj_size: int = 0,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        _check_arguments(mode, hidden_size, num_layers, dropout, proj_size)
        self.mode, self.input_size, self.hidden_size = mode, input_size, hidden_size
        self.num_layers, self.bias, self.batch_first = num_layers, bias, batch_first
        self.dropout, self.bidirectional, self.proj_size = dropout, bidirectional, proj_size
        gates = _GATES[mode] * hidden_size
        directions = 2 if bidirectional else 1
        width = proj_size or hidden_size
        self._names: list[str] = []
        for layer in range(num_layers):
            inputs = width * directions if layer else input_size
            shapes: dict[str, tuple[int, ...]] = {
                "weight_ih": (gates, inputs), "weight_hh": (gates, width)
            }  # fmt: skip
            if bias:
                shapes |= {"bias_ih": (gates,), "bias_hh": (gates,)}
            if proj_size:
                shapes["weight_hr"] = (proj_size, hidden_size)
            for suffix in ("", "_reverse")[:directions]:
                for kind, shape in shapes.items():
                    name = f"{kind}_l{layer}{suffix}"
                    setattr(self, name, parameter(*shape, device=device, dtype=dtype))
                    self._names.append(name)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """All weights and biases uniform within ``1 / sqrt(hidden_size)``."""
        _reset(self, self.hidden_size)

    @property
    def all_weights(self) -> list[list[Any]]:
        """The parameters, a list for each layer and direction."""
        weights = [getattr(self, name) for name in self._names]
        each = 2 + 2 * bool(self.bias) + bool(self.proj_size)
        return [weights[i : i + each] for i in range(0, len(weights), each)]

    def flatten_parameters(self) -> None:
        """Does nothing: cuDNN's layout of the weights is not used."""

    def forward(self, input: Any, hx: Any = None) -> tuple[Any, Any]:
        if isinstance(input, PackedSequence):
            return self._packed(input, hx)
        if input.ndim not in (2, 3):
            raise ShapeError(
                f"{self._get_name()}: expected an input of 2 dimensions, or 3 with a batch, got "
                f"shape {tuple(input.shape)}"
            )
        batched = input.ndim == 3
        batch_dim = 0 if self.batch_first else 1
        if not batched:
            input = input.unsqueeze(batch_dim)
            hx = _each(hx, lambda state: state.unsqueeze(1))
        states = self._begin(input, input.shape[batch_dim]) if hx is None else hx
        output, last = self._run(input, states)
        if not batched:
            output, last = output.squeeze(batch_dim), _each(last, lambda s: s.squeeze(1))
        return output, last

    def _packed(self, input: PackedSequence, hx: Any) -> tuple[PackedSequence, Any]:
        data, batch_sizes, order, back = input
        if hx is None:
            states = self._begin(data, int(batch_sizes[0]))
        else:
            states = hx if order is None else _each(hx, lambda s: s.index_select(1, order))
        output, last = self._run(data, states, batch_sizes)
        if back is not None:
            last = _each(last, lambda state: state.index_select(1, back))
        return PackedSequence(output, batch_sizes, order, back), last

    def _run(self, input: Tensor, states: Any, batch_sizes: Any = None) -> tuple[Any, Any]:
        output, *last = _RUN[self.mode](
            input, states, [getattr(self, name) for name in self._names], self.bias,
            self.num_layers, self.dropout, self.training, self.bidirectional,
            self.batch_first and batch_sizes is None, batch_sizes=batch_sizes,
        )  # fmt: skip
        return output, tuple(last) if self.mode == "LSTM" else last[0]

    def _begin(self, input: Tensor, batch: int) -> Any:
        """States of zeros."""
        count = self.num_layers * (2 if self.bidirectional else 1)
        widths = [self.proj_size or self.hidden_size, self.hidden_size]
        if self.mode == "LSTM":
            return tuple(empty((count, batch, w), input.device, input.dtype) for w in widths)
        return empty((count, batch, widths[0]), input.device, input.dtype)

    def extra_repr(self) -> str:
        text = f"{self.input_size}, {self.hidden_size}"
        if self.proj_size != 0:
            text += f", proj_size={self.proj_size}"
        if self.num_layers != 1:
            text += f", num_layers={self.num_layers}"
        if self.bias is not True:
            text += f", bias={self.bias}"
        if self.batch_first is not False:
            text += f", batch_first={self.batch_first}"
        if self.dropout != 0:
            text += f", dropout={self.dropout}"
        if self.bidirectional is not False:
            text += f", bidirectional={self.bidirectional}"
        return text


class RNN(RNNBase):
    """``h = tanh(x @ w_ih.T + b_ih + h @ w_hh.T + b_hh)`` over sequences (relu instead of tanh).

    Input (L, N, input_size), (N, L, input_size) with ``batch_first``, (L, input_size), or a
    PackedSequence; gives (output, h_n). Parameters: weight_ih_l0, weight_hh_l0, bias_ih_l0...
    Source: PyTorch ``torch.nn.RNN``.

    >>> import tensorlite as tl
    >>> output, h = tl.nn.RNN(10, 20, 2)(tl.ones(5, 3, 10))
    >>> tuple(output.shape), tuple(h.shape)
    ((5, 3, 20), (2, 3, 20))
    """

    def __init__(self, *args: Any, nonlinearity: str = "tanh", **kwargs: Any) -> None:
        if len(args) > 3:  # input_size, hidden_size, num_layers, nonlinearity, ...
            nonlinearity = args[3]
            args = args[:3] + args[4:]
        if nonlinearity not in ("tanh", "relu"):
            raise ArgumentError(f"RNN: nonlinearity is 'tanh' or 'relu', not {nonlinearity!r}")
        if "proj_size" in kwargs:
            raise ArgumentError("RNN: only LSTM has proj_size")
        self.__dict__["nonlinearity"] = nonlinearity
        super().__init__(f"RNN_{nonlinearity.upper()}", *args, **kwargs)


class LSTM(RNNBase):
    """Long short-term memory over sequences (Hochreiter & Schmidhuber, 1997).

    Input (L, N, input_size), (N, L, input_size) with ``batch_first``, (L, input_size), or a
    PackedSequence, and optionally (h_0, c_0); gives (output, (h_n, c_n)).
    Source: PyTorch ``torch.nn.LSTM``.

    >>> import tensorlite as tl
    >>> output, (h, c) = tl.nn.LSTM(10, 20, bidirectional=True)(tl.ones(5, 3, 10))
    >>> tuple(output.shape), tuple(c.shape)
    ((5, 3, 40), (2, 3, 20))
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__("LSTM", *args, **kwargs)


class GRU(RNNBase):
    """Gated recurrent units over sequences (Cho et al., 2014).

    Input (L, N, input_size), (N, L, input_size) with ``batch_first``, (L, input_size), or a
    PackedSequence; gives (output, h_n). Source: PyTorch ``torch.nn.GRU``.

    >>> import tensorlite as tl
    >>> output, h = tl.nn.GRU(10, 20, batch_first=True)(tl.ones(3, 5, 10))
    >>> tuple(output.shape), tuple(h.shape)
    ((3, 5, 20), (1, 3, 20))
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if "proj_size" in kwargs:
            raise ArgumentError("GRU: only LSTM has proj_size")
        super().__init__("GRU", *args, **kwargs)


class RNNCellBase(Module):
    """What the cells have in common. Source: PyTorch ``torch.nn.RNNCellBase``."""

    nonlinearity: str | None = None

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool,
        num_chunks: int,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        self.input_size, self.hidden_size, self.bias = input_size, hidden_size, bias
        rows = num_chunks * hidden_size
        self.weight_ih = parameter(rows, input_size, device=device, dtype=dtype)
        self.weight_hh = parameter(rows, hidden_size, device=device, dtype=dtype)
        for name in ("bias_ih", "bias_hh"):
            made = parameter(rows, device=device, dtype=dtype) if bias else None
            self.register_parameter(name, made)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """All weights and biases uniform within ``1 / sqrt(hidden_size)``."""
        _reset(self, self.hidden_size)

    def _weights(self) -> tuple[Any, ...]:
        return self.weight_ih, self.weight_hh, self.bias_ih, self.bias_hh

    def _step(self, function: Any, input: Tensor, hx: Any) -> Any:
        """One step of a batch, or of a single input."""
        if input.ndim not in (1, 2):
            raise ShapeError(
                f"{self._get_name()}: expected an input of 1 or 2 dimensions, got shape "
                f"{tuple(input.shape)}"
            )
        rows = input if input.ndim == 2 else input.unsqueeze(0)
        if hx is None:
            zeros = empty((rows.shape[0], self.hidden_size), input.device, input.dtype)
            hx = (zeros, zeros) if isinstance(self, LSTMCell) else zeros
        elif input.ndim == 1:
            hx = _each(hx, lambda state: state.unsqueeze(0))
        result = function(rows, hx, *self._weights())
        return result if input.ndim == 2 else _each(result, lambda state: state.squeeze(0))

    def extra_repr(self) -> str:
        text = f"{self.input_size}, {self.hidden_size}"
        if self.bias is not True:
            text += f", bias={self.bias}"
        if self.nonlinearity not in (None, "tanh"):
            text += f", nonlinearity={self.nonlinearity}"
        return text


class RNNCell(RNNCellBase):
    """One step of an RNN: input (N, input_size), hidden (N, hidden_size); the new hidden.

    Source: PyTorch ``torch.nn.RNNCell``.

    >>> import tensorlite as tl
    >>> tuple(tl.nn.RNNCell(10, 20)(tl.ones(3, 10)).shape)
    (3, 20)
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        nonlinearity: str = "tanh",
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(input_size, hidden_size, bias, 1, device, dtype)
        if nonlinearity not in ("tanh", "relu"):
            raise ArgumentError(f"RNNCell: nonlinearity is 'tanh' or 'relu', not {nonlinearity!r}")
        self.nonlinearity = nonlinearity

    def forward(self, input: Tensor, hx: Tensor | None = None) -> Tensor:
        tanh = self.nonlinearity == "tanh"
        return self._step(recurrent.rnn_tanh_cell if tanh else recurrent.rnn_relu_cell, input, hx)


class LSTMCell(RNNCellBase):
    """One step of an LSTM: input (N, input_size), (h, c); the new (h, c).

    Source: PyTorch ``torch.nn.LSTMCell``.

    >>> import tensorlite as tl
    >>> h, c = tl.nn.LSTMCell(10, 20)(tl.ones(3, 10))
    >>> tuple(h.shape)
    (3, 20)
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(input_size, hidden_size, bias, 4, device, dtype)

    def forward(self, input: Tensor, hx: Any = None) -> tuple[Tensor, Tensor]:
        return self._step(recurrent.lstm_cell, input, hx)


class GRUCell(RNNCellBase):
    """One step of a GRU: input (N, input_size), hidden (N, hidden_size); the new hidden.

    Source: PyTorch ``torch.nn.GRUCell``.

    >>> import tensorlite as tl
    >>> tuple(tl.nn.GRUCell(10, 20)(tl.ones(3, 10)).shape)
    (3, 20)
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(input_size, hidden_size, bias, 3, device, dtype)

    def forward(self, input: Tensor, hx: Tensor | None = None) -> Tensor:
        return self._step(recurrent.gru_cell, input, hx)


def _each(states: Any, change: Any) -> Any:
    if states is None:
        return None
    return tuple(map(change, states)) if isinstance(states, tuple | list) else change(states)


def _reset(module: Module, hidden_size: int) -> None:
    bound = 1 / math.sqrt(hidden_size) if hidden_size > 0 else 0
    for weight in module.parameters():
        init.uniform_(weight, -bound, bound)


def _check_arguments(
    mode: str, hidden_size: int, num_layers: int, dropout: float, proj_size: int
) -> None:
    if not 0 <= dropout <= 1 or isinstance(dropout, bool):
        raise ArgumentError(f"{mode}: dropout is a probability, got {dropout!r}")
    if hidden_size <= 0 or num_layers <= 0:
        raise ArgumentError(
            f"{mode}: expected hidden_size and num_layers above 0, got {hidden_size}, {num_layers}"
        )
    if not 0 <= proj_size < hidden_size:
        raise ArgumentError(f"{mode}: proj_size must be below hidden_size, got {proj_size}")
