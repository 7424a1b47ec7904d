"""Samples of tensorlite.ops.attention."""

from . import FLOATS, T, case

SDPA, MHA = (
    "nn.functional.scaled_dot_product_attention",
    "nn.functional.multi_head_attention_forward",
)
Q, K, V = T(2, 4, 3, 8), T(2, 4, 5, 8), T(2, 4, 5, 6)
case(SDPA, Q, K, V, dtypes=FLOATS)
case(SDPA, T(3, 8), T(5, 8), T(5, 8))
case(SDPA, Q, K, V, T(3, 5), dtypes="float32 float64")
case(SDPA, Q, K, V, T(2, 1, 3, 5, dtype="bool"))
case(SDPA, Q, K, V, is_causal=True)
case(SDPA, Q, K, V, scale=0.25)
case(SDPA, Q, T(2, 2, 5, 8), T(2, 2, 5, 8), enable_gqa=True)
case(SDPA, Q, K, V, dropout_p=0.5, exact=False)


def S(*shape: int) -> T:
    """Small numbers, so that products stay as exact as the tolerance."""
    return T(*shape, low=-0.5, high=0.5)


X, OUT = S(5, 2, 8), (S(8, 8), S(8))
same = (8, 2, S(24, 8), S(24), None, None, False, 0.0, *OUT)
case(MHA, X, X, X, *same, dtypes="float32 float64")
case(MHA, S(5, 8), S(3, 8), S(3, 8), *same)
case(MHA, X, S(3, 2, 8), S(3, 2, 8), *same, need_weights=False)
case(MHA, X, X, X, *same, attn_mask=T(5, 5))
case(MHA, X, X, X, *same, attn_mask=T(4, 5, 5), average_attn_weights=False)
case(MHA, X, X, X, 8, 2, S(24, 8), None, S(1, 1, 8), S(1, 1, 8), True, 0.0, *OUT)
case(
    MHA, X, S(3, 2, 6), S(3, 2, 4), 8, 2, None, S(24), None, None, False, 0.0, *OUT,
    use_separate_proj_weight=True, q_proj_weight=S(8, 8), k_proj_weight=S(8, 6),
    v_proj_weight=S(8, 4),
)  # fmt: skip
