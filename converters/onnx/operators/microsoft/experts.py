"""MoE of ``com.microsoft``: layers of which each token passes through a few."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

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
Linear = Callable[[Tensor, int], Tensor]
"""A linear layer of every expert: takes rows and the expert's number."""
JITTER = 0.01  # of the sparse mixer of Phi-3.5-MoE

_ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "relu": F.relu,
    "relu2": lambda x: F.relu(x) ** 2,
    "gelu": lambda x: F.gelu(x, approximate="tanh"),
    "silu": F.silu,
    "identity": lambda x: x,
}
_GATED = ("swiglu", "geglu")


@dataclass(frozen=True)
class Gate:
    """What is done between the layers of an expert; its attributes are checked here."""

    activation: str
    fusion: int
    alpha: float
    beta: float
    limit: float | None
    after: bool  # the limit is for what the activation gives

    def __post_init__(self) -> None:
        one_of("activation_type", self.activation, (*_ACTIVATIONS, *_GATED))
        if self.fusion not in (0, 1, 2) or (self.activation == "geglu" and not self.fusion):
            raise OnnxError(
                f"expected swiglu_fusion to be 0, 1 or 2, not 0 for geglu, got {self.fusion}"
            )
        if self.after and self.activation != "swiglu":
            raise OnnxError("swiglu_limit_after_activation: it needs activation_type swiglu")

    @property
    def fused(self) -> bool:
        """Whether the first layer gives the gate and the value."""
        return self.activation in _GATED and self.fusion != 0

    def inner(self, rows: int) -> int:
        """The width that a first layer of so many rows hands to the second."""
        if self.fused and rows % 2:
            raise OnnxError(f"expected fc1 with an even number of rows, got {rows}")
        return rows // 2 if self.fused else rows

    def check_third(self, given: bool) -> None:
        """Raises OnnxError where a third layer is missing or too many."""
        if given and self.fused:
            raise OnnxError("expected no fc3 beside a fused gate, got one")
        if not given and self.activation in _GATED and not self.fused:
            raise OnnxError("activation_type swiglu without fusion: it needs fc3, got none")

    def __call__(self, hidden: Tensor, up: Tensor | None) -> Tensor:
        if self.fused:
            hidden, up = self._halves(hidden)
        if self.activation == "swiglu" and up is not None:
            return self._swiglu(hidden, up)
        y = _ACTIVATIONS["gelu" if self.activation == "geglu" else self.activation](hidden)
        return y if up is None else y * up

    def _halves(self, hidden: Tensor) -> tuple[Tensor, Tensor]:
        if self.fusion == 1:
            return hidden[:, 0::2], hidden[:, 1::2]
        first, second = tl.chunk(hidden, 2, 1)
        return first, second

    def _swiglu(self, gate: Tensor, up: Tensor) -> Tensor:
        limit = self.limit
        if not self.after or limit is None:
            return gated_product(gate, up, self.alpha, self.beta, limit)
        gate = tl.clamp(gate * tl.sigmoid(gate * self.alpha), max=limit)
        return gate * (tl.clamp(up, -limit, limit) + self.beta)


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
    gate = Gate(
        activation_type, swiglu_fusion, activation_alpha, activation_beta, swiglu_limit,
        bool(swiglu_limit_after_activation),
    )  # fmt: skip
    experts, width = check_tokens(x, router_probs)
    expect("fc1_experts_weights", fc1_weights, (experts, "fusion_size * inter_size", width))
    rows = fc1_weights.shape[1]
    gate.check_third(fc3_weights is not None)
    first = _linear("fc1", fc1_weights, fc1_bias, (experts, rows, width), x)
    second = _linear("fc2", fc2_weights, fc2_bias, (experts, width, gate.inner(rows)), x)
    third = (
        None
        if fc3_weights is None
        else _linear("fc3", fc3_weights, fc3_bias, (experts, rows, width), x)
    )
    routing = routed(router_probs, k, bool(use_sparse_mixer), bool(normalize_routing_weights))
    return mixed(x, routing, first, second, third, gate)


def check_tokens(x: Tensor, scores: Tensor) -> tuple[int, int]:
    """The number of experts and the width of a token, if input and scores go together."""
    expect("input", x, None, UP_TO_FLOAT32)
    if x.ndim not in (2, 3):
        raise OnnxError(f"expected input of 2 or 3 dimensions, got shape {tuple(x.shape)}")
    expect("router_probs", scores, (x.shape[:-1].numel(), "num_experts"), (x.dtype,))
    return scores.shape[1], x.shape[-1]


def _linear(
    name: str, weights: Tensor, bias: Tensor | None, shape: tuple[int, int, int], x: Tensor
) -> Linear:
    expect(f"{name}_experts_weights", weights, shape, (x.dtype,))
    check_bias(name, bias, shape[:2], x)
    return lambda rows, e: F.linear(rows, widened(weights[e]), bias_of(bias, e))


def check_bias(name: str, bias: Tensor | None, shape: tuple[int, int], x: Tensor) -> None:
    """Raises OnnxError for a bias that does not have this shape and the dtype of ``x``."""
    if bias is not None:
        expect(f"{name}_experts_bias", bias, shape, (x.dtype,))


def bias_of(bias: Tensor | None, e: int) -> Tensor | None:
    """The bias of one expert, half precision in float32."""
    return None if bias is None else widened(bias[e])


def mixed(
    x: Tensor, routing: Routing, first: Linear, second: Linear, third: Linear | None, gate: Gate
) -> Tensor:
    """The weighted sum over experts of what each makes of its tokens."""
    experts, weights = routing
    tokens = widened(x).reshape(-1, x.shape[-1])
    total = tl.zeros_like(tokens)
    for e in sorted(set(experts._host().reshape(-1).tolist())):
        places, columns = tl.nonzero(experts == e).unbind(1)
        rows = tokens[places]
        hidden = gate(first(rows, e), None if third is None else third(rows, e))
        made = second(hidden, e) * weights[places, columns].unsqueeze(1)
        total = tl.index_add(total, 0, places, made)
    return total.reshape(x.shape).to(x.dtype)


def routed(scores: Tensor, k: int, sparse: bool, normalize: bool) -> Routing:
    """The k best experts by score and the softmax of the scores, or what the sparse mixer gives."""
    if not 0 < k <= scores.shape[1]:
        raise OnnxError(f"expected k from 1 to {scores.shape[1]} experts, got {k}")
    scores = widened(scores)
    if sparse:
        experts, weights = _sparse_mixer(scores, k)
    else:
        best, order = tl.sort(tl.softmax(scores, 1), dim=1, descending=True, stable=True)
        experts, weights = order[:, :k], best[:, :k]
    return experts, weights / tl.sum(weights, 1, True) if normalize else weights


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
