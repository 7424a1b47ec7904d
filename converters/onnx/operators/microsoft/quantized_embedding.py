"""QEmbedLayerNormalization: the embeddings of BERT, from 8-bit tables."""

from __future__ import annotations

from tensorlite import Tensor

from .....errors import OnnxError
from ...registry import onnx_op
from ..expected import expect
from ..normalization import layer_normalization
from .activation import MICROSOFT
from .embedding import lengths, rows
from .quantized_elementwise import real


@onnx_op("QEmbedLayerNormalization", domain=MICROSOFT)
def q_embed_layer_normalization(
    input_ids: Tensor, segment_ids: Tensor | None, word: Tensor, position: Tensor,
    segment: Tensor | None, gamma: Tensor, beta: Tensor, mask: Tensor | None,
    word_scale: Tensor, position_scale: Tensor, segment_scale: Tensor | None,
    gamma_scale: Tensor, beta_scale: Tensor, word_zero: Tensor, position_zero: Tensor,
    segment_zero: Tensor | None, gamma_zero: Tensor, beta_zero: Tensor, *,
    epsilon: float = 1e-12,
) -> tuple[Tensor, Tensor]:  # fmt: skip
    """Layer normalisation of word + position + segment embeddings, all dequantised; lengths."""
    _, length = expect("input_ids", input_ids, ("batch", "sequence")).shape
    hidden = expect("word_embedding", word, ("words", "hidden")).shape[1]
    expect("position_embedding", position, ("positions", hidden))
    if length > position.shape[0]:
        raise OnnxError(f"{length} words, but position_embedding has {position.shape[0]} rows")
    total = real(rows("input_ids", input_ids, word), word_scale, word_zero)
    total = total + real(position[:length], position_scale, position_zero)
    group = (segment_ids, segment, segment_scale, segment_zero)
    given = sum(part is not None for part in group)
    if given not in (0, len(group)):
        raise OnnxError("segment_ids, segment_embedding, its scale and zero point: all or none")
    if segment_ids is not None and segment is not None and segment_scale is not None:
        expect("segment_ids", segment_ids, tuple(input_ids.shape))
        expect("segment_embedding", segment, ("segments", hidden))
        total = total + real(rows("segment_ids", segment_ids, segment), segment_scale, segment_zero)
    weight = real(expect("gamma", gamma, (hidden,)), gamma_scale, gamma_zero)
    bias = real(expect("beta", beta, (hidden,)), beta_scale, beta_zero)
    return layer_normalization(total, weight, bias, epsilon=epsilon), lengths(mask, input_ids)
