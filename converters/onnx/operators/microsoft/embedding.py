"""EmbedLayerNormalization of ``com.microsoft``: the embeddings of BERT."""

from __future__ import annotations

import tensorlite as tl
from tensorlite import Tensor

from .....errors import OnnxError
from ...registry import onnx_op
from ..expected import UP_TO_FLOAT32, expect
from ..normalization import layer_normalization
from .activation import MICROSOFT
from .normalization import widened


@onnx_op("EmbedLayerNormalization", domain=MICROSOFT)
def embed_layer_normalization(
    input_ids: Tensor,
    segment_ids: Tensor | None,
    word_embedding: Tensor,
    position_embedding: Tensor,
    segment_embedding: Tensor | None,
    gamma: Tensor,
    beta: Tensor,
    mask: Tensor | None = None,
    position_ids: Tensor | None = None,
    *,
    epsilon: float = 1e-12,
    mask_index_type: int | None = None,
) -> tuple[Tensor, Tensor, Tensor]:
    """Layer normalisation of word + position + segment embeddings; also lengths and the sum.

    The lengths are how many ones each row of ``mask`` has, or zeros without a mask.
    """
    expect("input_ids", input_ids, ("batch", "sequence"), (tl.int32,))
    batch, length = input_ids.shape
    expect("word_embedding", word_embedding, ("words", "hidden"), UP_TO_FLOAT32)
    dtype, hidden = word_embedding.dtype, word_embedding.shape[1]
    expect("position_embedding", position_embedding, ("positions", hidden), (dtype,))
    total = widened(rows("input_ids", input_ids, word_embedding))
    total = total + widened(_positions(position_ids, position_embedding, batch, length))
    if (segment_ids is None) != (segment_embedding is None):
        raise OnnxError("segment_ids and segment_embedding: give both or neither")
    if segment_ids is not None and segment_embedding is not None:
        expect("segment_ids", segment_ids, (batch, length), (tl.int32,))
        expect("segment_embedding", segment_embedding, ("segments", hidden), (dtype,))
        total = total + widened(rows("segment_ids", segment_ids, segment_embedding))
    scale = widened(expect("gamma", gamma, (hidden,), (dtype,)))
    shift = widened(expect("beta", beta, (hidden,), (dtype,)))
    y = layer_normalization(total, scale, shift, epsilon=epsilon)
    return y.to(dtype), lengths(mask, input_ids), total.to(dtype)


def rows(name: str, ids: Tensor, table: Tensor) -> Tensor:
    """The rows of a table. Raises OnnxError where an id is none of them."""
    if ids.numel() and not (ids.min().item() >= 0 and ids.max().item() < table.shape[0]):
        raise OnnxError(
            f"expected {name} from 0 to {table.shape[0] - 1}, got {ids.min().item()} to "
            f"{ids.max().item()}"
        )
    return table[ids.long()]


def _positions(ids: Tensor | None, table: Tensor, batch: int, length: int) -> Tensor:
    if ids is not None:
        expect("position_ids", ids, ("batch", length), (tl.int32,))
        if ids.shape[0] not in (1, batch):
            raise OnnxError(f"expected position_ids of 1 or {batch} rows, got {ids.shape[0]}")
        return rows("position_ids", ids, table)
    if length > table.shape[0]:
        raise OnnxError(f"{length} words, but position_embedding has {table.shape[0]} rows")
    return table[:length]


def lengths(mask: Tensor | None, input_ids: Tensor) -> Tensor:
    if mask is None:
        return tl.zeros(input_ids.shape[0], dtype=tl.int32, device=input_ids.device)
    expect("mask", mask, tuple(input_ids.shape), (tl.int32,))
    return tl.sum(mask == 1, 1).to(tl.int32)
