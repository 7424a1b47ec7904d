"""MoE of ``com.microsoft``: layers of which each token passes through a few."""

from __future__ import annotations

from collections.abc import Callable

import tensorlite as tl
from tensorlite import Tensor
from tensorlite.nn import functional as F

from .....errors import OnnxError
from ...registry import onnx_op
from ..expected import UP_TO_FLOAT32, expect, one_of
from .activation import MICROSOFT, gated_product
from .normalization import widened

Routing = tuple[Tensor, Tensor]
"""Which experts each token passes through, and their weights: both (T, k)."""
JITTER = 0.01  # of the sparse mixer of Phi-3.5-MoE

_ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "relu": F.relu,
    "relu2": lambda x: F.relu(x) ** 2,
    "gelu": lambda x: F.gelu(x, approximate="tanh"),
    "silu": F.silu,
    "identity": lambda x: x,
}
_GATED = ("swiglu", "geglu")


@onnx_op("MoE", domain=MICROSOFT)
def moe(
    x: Tensor,
    router_probs: Tensor,
    fc1_weights: Tensor,
    fc1_bias: Tensor | None,
    fc2_weights: Tensor,
    fc2_bias: Tensor | None = None,
    fc3_weights: Tensor | None = None,
    fc3_bias: Tensor | None = None,
    *,
    activation_alpha: float = 1.0,
    activation_beta: float = 0.0,
    activation_type: str = "relu",
    k: int = 1,
    normalize_routing_weights: int = 0,
    swiglu_fusion: int = 0,
    swiglu_limit: float | None = None,
    swiglu_limit_after_activation: int = 0,
    use_sparse_mixer: int = 0,
) -> Tensor:
    """The weighted sum of ``fc2(activation(fc1(x)) * fc3(x))`` over the k best experts of a token.

    x (..., D), router_probs (T, E), which are scores: their softmax gives the weights. fc1
    (E, I, D), fc2 (E, D, I), fc3 (E, I, D); of a fused gate fc1 is (E, 2 I, D), with gate and
    value alternating (``swiglu_fusion`` 1) or one after the other (2).
    """
    one_of("activation_type", activation_type, (*_ACTIVATIONS, *_GATED))
    fused = activation_type in _GATED and swiglu_fusion != 0
    if swiglu_fusion not in (0, 1, 2) or (activation_type == "geglu" and not fused):
        raise OnnxError(
            f"expected swiglu_fusion to be 0, 1 or 2, not 0 for geglu, got {swiglu_fusion}"
        )
    if swiglu_limit_after_activation and activation_type != "swiglu":
        raise OnnxError("swiglu_limit_after_activation: it needs activation_type swiglu")
    _check(x, router_probs, fc1_weights, fc1_bias, fc2_weights, fc2_bias, fused)
    if fc3_weights is not None:
        if fused:
            raise OnnxError("expected no fc3 beside a fused gate, got one")
        _linear_shapes("fc3", fc3_weights, fc3_bias, tuple(fc1_weights.shape), x)
    elif activation_type in _GATED and not fused:
        raise OnnxError("activation_type swiglu without fusion: it needs fc3, got none")
    tokens = widened(x).reshape(-1, x.shape[-1])
    experts, weights = _routed(router_probs, k, bool(use_sparse_mixer))
    if normalize_routing_weights:
        weights = weights / tl.sum(weights, 1, True)

    def passed(rows: Tensor, e: int) -> Tensor:
        hidden = _linear(rows, fc1_weights, fc1_bias, e)
        up = None if fc3_weights is None else _linear(rows, fc3_weights, fc3_bias, e)
        if fused:
            hidden, up = _halves(hidden, swiglu_fusion)
        if activation_type == "swiglu" and up is not None:
            hidden = _swiglu(
                hidden, up, activation_alpha, activation_beta, swiglu_limit,
                bool(swiglu_limit_after_activation),
            )  # fmt: skip
        else:
            name = "gelu" if activation_type == "geglu" else activation_type
            hidden = _ACTIVATIONS[name](hidden)
            hidden = hidden if up is None else hidden * up
        return _linear(hidden, fc2_weights, fc2_bias, e)

    return mixed(tokens, (experts, weights), passed).reshape(x.shape).to(x.dtype)


def mixed(tokens: Tensor, routing: Routing, passed: Callable[[Tensor, int], Tensor]) -> Tensor:
    """The sum over experts of what each makes of its tokens (T, D), weighted."""
    experts, weights = routing
    total = tl.zeros_like(tokens)
    chosen = experts._host()
    for e in sorted(set(chosen.reshape(-1).tolist())):
        rows, columns = tl.nonzero(experts == e).unbind(1)
        made = passed(tokens[rows], e) * weights[rows, columns].unsqueeze(1)
        total = tl.index_add(total, 0, rows, made)
    return total


def _routed(scores: Tensor, k: int, sparse: bool) -> Routing:
    if not 0 < k <= scores.shape[1]:
        raise OnnxError(f"expected k from 1 to {scores.shape[1]} experts, got {k}")
    scores = widened(scores)
    if sparse:
        return _sparse_mixer(scores, k)
    best, experts = tl.sort(tl.softmax(scores, 1), dim=1, descending=True, stable=True)
    return experts[:, :k], best[:, :k]


def _sparse_mixer(scores: Tensor, k: int) -> Routing:
    """Each expert's weight is its share among those near to it that are not chosen yet.

    Source: SparseMixer (Liu et al., 2023), as in Phi-3.5-MoE.
    """
    if k > 2:
        raise OnnxError(f"use_sparse_mixer: expected k of 1 or 2, got {k}")
    left, experts, weights = scores, [], []
    for _ in range(k):
        best, place = tl.max(left, 1, True)
        far = (best - scores) / tl.maximum(tl.abs(scores), best) > 2 * JITTER
        near = tl.softmax(tl.where(far, float("-inf"), left), 1)
        experts.append(place)
        weights.append(tl.gather(near, 1, place))
        left = tl.scatter(left, 1, place, float("-inf"))
    return tl.cat(experts, 1), tl.cat(weights, 1)


def _swiglu(
    gate: Tensor, up: Tensor, alpha: float, beta: float, limit: float | None, after: bool
) -> Tensor:
    if not after or limit is None:
        return gated_product(gate, up, alpha, beta, limit)
    gate = tl.clamp(gate * tl.sigmoid(gate * alpha), max=limit)
    return gate * (tl.clamp(up, -limit, limit) + beta)


def _halves(hidden: Tensor, fusion: int) -> tuple[Tensor, Tensor]:
    if fusion == 1:
        return hidden[:, 0::2], hidden[:, 1::2]
    first, second = tl.chunk(hidden, 2, 1)
    return first, second


def _linear(x: Tensor, weights: Tensor, bias: Tensor | None, e: int) -> Tensor:
    return F.linear(x, widened(weights[e]), None if bias is None else widened(bias[e]))


def _check(
    x: Tensor, scores: Tensor, fc1: Tensor, bias1: Tensor | None, fc2: Tensor,
    bias2: Tensor | None, fused: bool,
) -> None:  # fmt: skip
    expect("input", x, None, UP_TO_FLOAT32)
    if x.ndim not in (2, 3):
        raise OnnxError(f"expected input of 2 or 3 dimensions, got shape {tuple(x.shape)}")
    tokens, width = x.shape[:-1].numel(), x.shape[-1]
    expect("router_probs", scores, (tokens, "num_experts"), (x.dtype,))
    expect("fc1_experts_weights", fc1, (scores.shape[1], "fusion_size * inter_size", width))
    if fused and fc1.shape[1] % 2:
        raise OnnxError(f"expected fc1 with an even number of rows, got {tuple(fc1.shape)}")
    inner = fc1.shape[1] // 2 if fused else fc1.shape[1]
    _linear_shapes("fc1", fc1, bias1, tuple(fc1.shape), x)
    _linear_shapes("fc2", fc2, bias2, (scores.shape[1], width, inner), x)


def _linear_shapes(
    name: str, weights: Tensor, bias: Tensor | None, shape: tuple[int, ...], x: Tensor
) -> None:
    expect(f"{name}_experts_weights", weights, shape, (x.dtype,))
    if bias is not None:
        expect(f"{name}_experts_bias", bias, shape[:2], (x.dtype,))
