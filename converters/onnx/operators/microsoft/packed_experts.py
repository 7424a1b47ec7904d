"""QMoE of ``com.microsoft``: experts whose weights are whole numbers of few bits."""

from __future__ import annotations

import tensorlite as tl
from tensorlite import Tensor
from tensorlite.nn import functional as F

from .....errors import OnnxError
from ...registry import onnx_op
from ..expected import expect
from .activation import MICROSOFT
from .experts import Gate, Linear, bias_of, check_bias, check_tokens, mixed, routed
from .normalization import widened

BITS = (2, 4, 8)


@onnx_op("QMoE", domain=MICROSOFT)
def q_moe(
    x: Tensor,
    router_probs: Tensor,
    fc1_weights: Tensor,
    fc1_scales: Tensor | None,
    fc1_bias: Tensor | None,
    fc2_weights: Tensor,
    fc2_scales: Tensor | None = None,
    fc2_bias: Tensor | None = None,
    fc3_weights: Tensor | None = None,
    fc3_scales: Tensor | None = None,
    fc3_bias: Tensor | None = None,
    fc1_zero_points: Tensor | None = None,
    fc2_zero_points: Tensor | None = None,
    fc3_zero_points: Tensor | None = None,
    router_weights: Tensor | None = None,
    fc1_global_scale: Tensor | None = None,
    fc2_global_scale: Tensor | None = None,
    fc1_act_scale: Tensor | None = None,
    fc2_act_scale: Tensor | None = None,
    fc1_act_block_scale: Tensor | None = None,
    fc2_act_block_scale: Tensor | None = None,
    *,
    accuracy_level: int = 0,
    activation_alpha: float = 1.0,
    activation_beta: float = 0.0,
    activation_type: str = "relu",
    block_size: int = 0,
    expert_weight_bits: int = 4,
    fc1_expert_weight_bits: int | None = None,
    fc2_expert_weight_bits: int | None = None,
    fc3_expert_weight_bits: int | None = None,
    k: int = 1,
    normalize_routing_weights: int = 0,
    quant_type: str = "int",
    swiglu_fusion: int = 0,
    swiglu_limit: float | None = None,
    swiglu_limit_after_activation: int = 0,
    use_sparse_mixer: int = 0,
    weights_prepacked: int = -1,
) -> Tensor:
    """MoE with weights ``(packed - zero point) * scale``, per row or block of a row.

    Numbers of 2, 4 or 8 bits are packed into bytes, the first lowest; the zero point is half the
    range where it is absent. With ``router_weights`` those are the weights of the experts that
    ``router_probs`` only chooses.
    """
    if quant_type != "int" or weights_prepacked == 1:
        raise OnnxError(
            "expected quant_type 'int' and weights that are not prepacked, got "
            f"{quant_type!r} and weights_prepacked {weights_prepacked}"
        )
    gate = Gate(
        activation_type, swiglu_fusion, activation_alpha, activation_beta, swiglu_limit,
        bool(swiglu_limit_after_activation),
    )  # fmt: skip
    experts, width = check_tokens(x, router_probs)
    expect("fc1_experts_weights", fc1_weights, (experts, "fusion_size * inter_size", "bytes"))
    rows = fc1_weights.shape[1]
    inner = gate.inner(rows)
    gate.check_third(fc3_weights is not None)

    def layer(
        name: str, weights: Tensor, scales: Tensor | None, zeros: Tensor | None,
        bias: Tensor | None, bits: int | None, sizes: tuple[int, int],
    ) -> Linear:  # fmt: skip
        check_bias(name, bias, (experts, sizes[0]), x)
        each = expert_weight_bits if bits is None else bits
        packed = _Packed(name, weights, scales, zeros, each, block_size, (experts, *sizes))
        return lambda tokens, e: F.linear(tokens, packed.weight(e), bias_of(bias, e))

    first = layer(
        "fc1", fc1_weights, fc1_scales, fc1_zero_points, fc1_bias, fc1_expert_weight_bits,
        (rows, width),
    )  # fmt: skip
    second = layer(
        "fc2", fc2_weights, fc2_scales, fc2_zero_points, fc2_bias, fc2_expert_weight_bits,
        (width, inner),
    )  # fmt: skip
    third = None
    if fc3_weights is not None:
        third = layer(
            "fc3", fc3_weights, fc3_scales, fc3_zero_points, fc3_bias, fc3_expert_weight_bits,
            (rows, width),
        )  # fmt: skip
    normalize = bool(normalize_routing_weights)
    chosen, weights = routed(router_probs, k, bool(use_sparse_mixer), normalize)
    if router_weights is not None:
        expect("router_weights", router_weights, tuple(router_probs.shape), (x.dtype,))
        weights = tl.gather(widened(router_weights), 1, chosen)
        weights = weights / tl.sum(weights, 1, True) if normalize else weights
    return mixed(x, (chosen, weights), first, second, third, gate)


class _Packed:
    """The weights of one layer of all experts, unpacked for one at a time."""

    def __init__(
        self, name: str, weights: Tensor, scales: Tensor | None, zeros: Tensor | None, bits: int,
        block: int, shape: tuple[int, int, int],
    ) -> None:  # fmt: skip
        experts, rows, width = shape
        if bits not in BITS or width * bits % 8 or (block and width % block):
            raise OnnxError(
                f"{name}: expected 2, 4 or 8 bits, rows of whole bytes and blocks that divide "
                f"them, got {bits} bits, rows of {width} and blocks of {block}"
            )
        blocks: tuple[int, ...] = (width // block,) if block else ()
        expect(f"{name}_experts_weights", weights, (experts, rows, width * bits // 8), (tl.uint8,))
        expect(f"{name}_scales", scales, (experts, rows, *blocks))
        assert scales is not None
        if zeros is not None:
            sizes = [experts, rows, *blocks]
            sizes[-1] = -(-sizes[-1] * bits // 8)
            expect(f"{name}_zero_points", zeros, tuple(sizes), (tl.uint8,))
        self.weights, self.zeros, self.bits = weights, zeros, bits
        self.scales = scales
        self.blocks = blocks[0] if block else 1

    def weight(self, e: int) -> Tensor:
        """The weights of an expert, as float32 (rows, width)."""
        whole = _unpacked(self.weights[e], self.bits)
        rows, width = whole.shape
        grouped = whole.reshape(rows, self.blocks, width // self.blocks).float()
        scale = self.scales[e].float().reshape(rows, self.blocks, 1)
        if self.zeros is None:
            return ((grouped - 2.0 ** (self.bits - 1)) * scale).reshape(rows, width)
        count = self.scales[e].shape[-1]  # the last byte may be filled up
        zero = _unpacked(self.zeros[e], self.bits)[..., :count].float()
        return ((grouped - zero.reshape(rows, self.blocks, 1)) * scale).reshape(rows, width)


def _unpacked(x: Tensor, bits: int) -> Tensor:
    """Bytes as the numbers of few bits in them, the first lowest."""
    if bits == 8:
        return x
    parts = [x // 2**shift % 2**bits for shift in range(0, 8, bits)]
    return tl.stack(parts, -1).reshape(*x.shape[:-1], x.shape[-1] * (8 // bits))
