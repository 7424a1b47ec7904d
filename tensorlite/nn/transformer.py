"""Transformers: encoder and decoder layers, stacks of them, and both together."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from typing import Any

from ..dtypes import bool_
from ..errors import ArgumentError, ShapeError
from ..ops.registry import namespace
from ..tensor import Tensor
from . import functional as F
from . import init
from .activation import GELU, ReLU
from .attention import MultiheadAttention
from .container import ModuleList
from .dropout import Dropout
from .linear import Linear
from .module import Module
from .normalization import LayerNorm

Activation = str | Callable[[Tensor], Tensor]


class TransformerEncoderLayer(Module):
    """Self-attention and a network of two layers, each added to its input and normalised.

    src (S, N, d_model), or (N, S, d_model) with ``batch_first``; ``norm_first`` normalises before
    instead of after. Source: PyTorch ``torch.nn.TransformerEncoderLayer`` (Vaswani et al., 2017).

    >>> import tensorlite as tl
    >>> layer = tl.nn.TransformerEncoderLayer(8, 2, dim_feedforward=16).eval()
    >>> tuple(layer(tl.ones(5, 3, 8)).shape)
    (5, 3, 8)
    """

    def __init__(
        self,
        d_model: int,
        nhead: int,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: Activation = "relu",
        layer_norm_eps: float = 1e-5,
        batch_first: bool = False,
        norm_first: bool = False,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        factory = {"device": device, "dtype": dtype}
        self.self_attn = MultiheadAttention(
            d_model, nhead, dropout, bias, batch_first=batch_first, **factory
        )
        self.linear1 = Linear(d_model, dim_feedforward, bias, **factory)
        self.dropout = Dropout(dropout)
        self.linear2 = Linear(dim_feedforward, d_model, bias, **factory)
        self.norm_first = norm_first
        for name in ("norm1", "norm2"):
            setattr(self, name, LayerNorm(d_model, layer_norm_eps, bias=bias, **factory))
        self.dropout1 = Dropout(dropout)
        self.dropout2 = Dropout(dropout)
        self.activation = _activation(activation)

    def forward(
        self,
        src: Tensor,
        src_mask: Tensor | None = None,
        src_key_padding_mask: Tensor | None = None,
        is_causal: bool = False,
    ) -> Tensor:
        x = src
        masks = (src_mask, src_key_padding_mask, is_causal)
        if self.norm_first:
            x = x + self._sa_block(self.norm1(x), *masks)
            return x + self._ff_block(self.norm2(x))
        x = self.norm1(x + self._sa_block(x, *masks))
        return self.norm2(x + self._ff_block(x))

    def _sa_block(
        self, x: Tensor, mask: Any, key_padding_mask: Any, is_causal: bool = False
    ) -> Tensor:
        attended = self.self_attn(
            x, x, x, key_padding_mask, need_weights=False, attn_mask=mask, is_causal=is_causal
        )[0]
        return self.dropout1(attended)

    def _ff_block(self, x: Tensor) -> Tensor:
        return self.dropout2(self.linear2(self.dropout(self.activation(self.linear1(x)))))


class TransformerDecoderLayer(Module):
    """Self-attention, attention over ``memory`` and a network of two layers.

    tgt (T, N, d_model) and memory (S, N, d_model), or N first with ``batch_first``.
    Source: PyTorch ``torch.nn.TransformerDecoderLayer`` (Vaswani et al., 2017).

    >>> import tensorlite as tl
    >>> layer = tl.nn.TransformerDecoderLayer(8, 2, dim_feedforward=16).eval()
    >>> tuple(layer(tl.ones(4, 3, 8), tl.ones(5, 3, 8)).shape)
    (4, 3, 8)
    """

    def __init__(
        self,
        d_model: int,
        nhead: int,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: Activation = "relu",
        layer_norm_eps: float = 1e-5,
        batch_first: bool = False,
        norm_first: bool = False,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        factory = {"device": device, "dtype": dtype}
        for name in ("self_attn", "multihead_attn"):
            attention = MultiheadAttention(
                d_model, nhead, dropout, bias, batch_first=batch_first, **factory
            )
            setattr(self, name, attention)
        self.linear1 = Linear(d_model, dim_feedforward, bias, **factory)
        self.dropout = Dropout(dropout)
        self.linear2 = Linear(dim_feedforward, d_model, bias, **factory)
        self.norm_first = norm_first
        for name in ("norm1", "norm2", "norm3"):
            setattr(self, name, LayerNorm(d_model, layer_norm_eps, bias=bias, **factory))
        for name in ("dropout1", "dropout2", "dropout3"):
            setattr(self, name, Dropout(dropout))
        self.activation = _activation(activation)

    def forward(
        self,
        tgt: Tensor,
        memory: Tensor,
        tgt_mask: Tensor | None = None,
        memory_mask: Tensor | None = None,
        tgt_key_padding_mask: Tensor | None = None,
        memory_key_padding_mask: Tensor | None = None,
        tgt_is_causal: bool = False,
        memory_is_causal: bool = False,
    ) -> Tensor:
        x = tgt
        own = (tgt_mask, tgt_key_padding_mask, tgt_is_causal)
        other = (memory, memory_mask, memory_key_padding_mask, memory_is_causal)
        if self.norm_first:
            x = x + self._sa_block(self.norm1(x), *own)
            x = x + self._mha_block(self.norm2(x), *other)
            return x + self._ff_block(self.norm3(x))
        x = self.norm1(x + self._sa_block(x, *own))
        x = self.norm2(x + self._mha_block(x, *other))
        return self.norm3(x + self._ff_block(x))

    def _sa_block(
        self, x: Tensor, mask: Any, key_padding_mask: Any, is_causal: bool = False
    ) -> Tensor:
        attended = self.self_attn(
            x, x, x, key_padding_mask, need_weights=False, attn_mask=mask, is_causal=is_causal
        )[0]
        return self.dropout1(attended)

    def _mha_block(
        self, x: Tensor, mem: Tensor, mask: Any, key_padding_mask: Any, is_causal: bool = False
    ) -> Tensor:
        attended = self.multihead_attn(
            x, mem, mem, key_padding_mask, need_weights=False, attn_mask=mask, is_causal=is_causal
        )[0]
        return self.dropout2(attended)

    def _ff_block(self, x: Tensor) -> Tensor:
        return self.dropout3(self.linear2(self.dropout(self.activation(self.linear1(x)))))


class TransformerEncoder(Module):
    """Copies of an encoder layer, one after another, and a norm behind them.

    Source: PyTorch ``torch.nn.TransformerEncoder``.

    >>> import tensorlite as tl
    >>> layer = tl.nn.TransformerEncoderLayer(8, 2, dim_feedforward=16)
    >>> tuple(tl.nn.TransformerEncoder(layer, 2).eval()(tl.ones(5, 3, 8)).shape)
    (5, 3, 8)
    """

    def __init__(
        self,
        encoder_layer: Module,
        num_layers: int,
        norm: Module | None = None,
        enable_nested_tensor: bool = True,
        mask_check: bool = True,
    ) -> None:
        super().__init__()
        self.layers = _copies(encoder_layer, num_layers)
        self.num_layers, self.norm = num_layers, norm
        self.enable_nested_tensor, self.mask_check = enable_nested_tensor, mask_check

    def forward(
        self,
        src: Tensor,
        mask: Tensor | None = None,
        src_key_padding_mask: Tensor | None = None,
        is_causal: bool | None = None,
    ) -> Tensor:
        output = src
        causal = bool(is_causal) and mask is not None
        for layer in self.layers:
            output = layer(
                output,
                src_mask=mask,
                is_causal=causal,
                src_key_padding_mask=src_key_padding_mask,
            )
        if src_key_padding_mask is not None and self._drops_padding(mask, src_key_padding_mask):
            output = output.masked_fill(_where(src_key_padding_mask).unsqueeze(-1), 0.0)
        return output if self.norm is None else self.norm(output)

    def _drops_padding(self, mask: Tensor | None, padding: Tensor) -> bool:
        """Whether PyTorch computes nothing for padded places, which are then zeros.

        Its documentation of ``enable_nested_tensor`` and of TransformerEncoderLayer says when.
        """
        layer = self.layers[0]
        if self.training or not self.enable_nested_tensor or mask is not None or padding.ndim != 2:
            return False
        if not isinstance(layer, TransformerEncoderLayer) or layer.norm_first:
            return False
        attention = layer.self_attn
        if not attention.batch_first or attention.in_proj_bias is None or attention.num_heads % 2:
            return False
        if layer.activation not in (F.relu, F.gelu) and not isinstance(
            layer.activation, ReLU | GELU
        ):
            return False
        where = _where(padding).int()
        return not self.mask_check or bool((where.diff(dim=1) >= 0).all())


class TransformerDecoder(Module):
    """Copies of a decoder layer, one after another, and a norm behind them.

    Source: PyTorch ``torch.nn.TransformerDecoder``.

    >>> import tensorlite as tl
    >>> layer = tl.nn.TransformerDecoderLayer(8, 2, dim_feedforward=16)
    >>> decoder = tl.nn.TransformerDecoder(layer, 2).eval()
    >>> tuple(decoder(tl.ones(4, 3, 8), tl.ones(5, 3, 8)).shape)
    (4, 3, 8)
    """

    def __init__(self, decoder_layer: Module, num_layers: int, norm: Module | None = None) -> None:
        super().__init__()
        self.layers = _copies(decoder_layer, num_layers)
        self.num_layers, self.norm = num_layers, norm

    def forward(
        self,
        tgt: Tensor,
        memory: Tensor,
        tgt_mask: Tensor | None = None,
        memory_mask: Tensor | None = None,
        tgt_key_padding_mask: Tensor | None = None,
        memory_key_padding_mask: Tensor | None = None,
        tgt_is_causal: bool | None = None,
        memory_is_causal: bool = False,
    ) -> Tensor:
        output = tgt
        causal = bool(tgt_is_causal) and tgt_mask is not None
        for layer in self.layers:
            output = layer(
                output,
                memory,
                tgt_mask=tgt_mask,
                memory_mask=memory_mask,
                tgt_key_padding_mask=tgt_key_padding_mask,
                memory_key_padding_mask=memory_key_padding_mask,
                tgt_is_causal=causal,
                memory_is_causal=memory_is_causal,
            )
        return output if self.norm is None else self.norm(output)


class Transformer(Module):
    """An encoder of ``src`` and a decoder of ``tgt`` (Vaswani et al., 2017).

    src (S, N, d_model) and tgt (T, N, d_model), or N first with ``batch_first``.
    Source: PyTorch ``torch.nn.Transformer``.

    >>> import tensorlite as tl
    >>> net = tl.nn.Transformer(8, 2, 1, 1, dim_feedforward=16).eval()
    >>> tuple(net(tl.ones(5, 3, 8), tl.ones(4, 3, 8)).shape)
    (4, 3, 8)
    """

    def __init__(
        self,
        d_model: int = 512,
        nhead: int = 8,
        num_encoder_layers: int = 6,
        num_decoder_layers: int = 6,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: Activation = "relu",
        custom_encoder: Any = None,
        custom_decoder: Any = None,
        layer_norm_eps: float = 1e-5,
        batch_first: bool = False,
        norm_first: bool = False,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        layer = (
            d_model, nhead, dim_feedforward, dropout, activation, layer_norm_eps, batch_first,
            norm_first, bias, device, dtype,
        )  # fmt: skip
        norm = {"eps": layer_norm_eps, "bias": bias, "device": device, "dtype": dtype}
        self.encoder = custom_encoder or TransformerEncoder(
            TransformerEncoderLayer(*layer), num_encoder_layers, LayerNorm(d_model, **norm)
        )
        self.decoder = custom_decoder or TransformerDecoder(
            TransformerDecoderLayer(*layer), num_decoder_layers, LayerNorm(d_model, **norm)
        )
        for weight in self.parameters():
            if weight.ndim > 1:
                init.xavier_uniform_(weight)
        self.d_model, self.nhead, self.batch_first = d_model, nhead, batch_first

    def forward(
        self,
        src: Tensor,
        tgt: Tensor,
        src_mask: Tensor | None = None,
        tgt_mask: Tensor | None = None,
        memory_mask: Tensor | None = None,
        src_key_padding_mask: Tensor | None = None,
        tgt_key_padding_mask: Tensor | None = None,
        memory_key_padding_mask: Tensor | None = None,
        src_is_causal: bool | None = None,
        tgt_is_causal: bool | None = None,
        memory_is_causal: bool = False,
    ) -> Tensor:
        batch = 0 if self.batch_first else 1
        fits = src.shape[-1] == tgt.shape[-1] == self.d_model
        if not fits or (src.ndim == 3 and src.shape[batch] != tgt.shape[batch]):
            raise ShapeError(
                f"Transformer: expected src and tgt of one batch and {self.d_model} features, got "
                f"{tuple(src.shape)} and {tuple(tgt.shape)}"
            )
        memory = self.encoder(src, src_mask, src_key_padding_mask, src_is_causal)
        return self.decoder(
            tgt,
            memory,
            tgt_mask=tgt_mask,
            memory_mask=memory_mask,
            tgt_key_padding_mask=tgt_key_padding_mask,
            memory_key_padding_mask=memory_key_padding_mask,
            tgt_is_causal=tgt_is_causal,
            memory_is_causal=memory_is_causal,
        )

    @staticmethod
    def generate_square_subsequent_mask(sz: int, device: Any = None, dtype: Any = None) -> Tensor:
        """The mask (sz, sz) with -inf where a place would see a later one, else 0.

        >>> Transformer.generate_square_subsequent_mask(2)
        tensor([[0., -inf],
                [0., 0.]])
        """
        tl = namespace("")
        full = tl["full"]((sz, sz), -math.inf, dtype=dtype, device=device)
        return tl["triu"](full, diagonal=1)


def _activation(activation: Activation) -> Any:
    if not isinstance(activation, str):
        return activation
    known = {"relu": F.relu, "gelu": F.gelu}
    if activation not in known:
        raise ArgumentError(f"activation is 'relu', 'gelu' or a function, not {activation!r}")
    return known[activation]


def _where(padding: Tensor) -> Tensor:
    """A padding mask of bools or of floats as bools."""
    return padding if padding.dtype is bool_ else padding == -math.inf


def _copies(layer: Module, count: int) -> ModuleList:
    return ModuleList([copy.deepcopy(layer) for _ in range(count)])
