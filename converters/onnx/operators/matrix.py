"""Products of matrices: MatMul, Gemm, Einsum, Det."""

from __future__ import annotations

from typing import Any

import tensorlite as tl
from tensorlite import Tensor

from ..registry import onnx_op
from ..values import strings
from .expected import broadcastable, expect


@onnx_op("MatMul")
def mat_mul(a: Tensor, b: Tensor) -> Tensor:
    return tl.matmul(a, b)


@onnx_op("Gemm", since=7)
def gemm(
    a: Tensor,
    b: Tensor,
    c: Tensor | None = None,
    *,
    alpha: float = 1.0,
    beta: float = 1.0,
    transA: int = 0,
    transB: int = 0,
) -> Tensor:
    """``alpha * A' @ B' + beta * C``, with C broadcast."""
    expect("A", a, ("K", "M") if transA else ("M", "K"))
    expect("B", b, ("N", "K") if transB else ("K", "N"))
    product = tl.matmul(a.T if transA else a, b.T if transB else b)
    if c is not None:
        broadcastable("C", c, tuple(product.shape))
    if alpha != 1:
        product = _scaled(product, alpha)
    if c is None or beta == 0:
        return product
    return product + (c if beta == 1 else _scaled(c, beta))


@onnx_op("Gemm")
def gemm_1(
    a: Tensor,
    b: Tensor,
    c: Tensor,
    *,
    alpha: float = 1.0,
    beta: float = 1.0,
    broadcast: int = 0,
    transA: int = 0,
    transB: int = 0,
) -> Tensor:
    """Opsets 1 to 6: C is a whole matrix unless ``broadcast`` says otherwise."""
    if not broadcast:
        expect("C", c, (a.shape[1 if transA else 0], b.shape[0 if transB else 1]))
    return gemm(a, b, c, alpha=alpha, beta=beta, transA=transA, transB=transB)


def _scaled(x: Tensor, factor: float) -> Tensor:
    return x * factor if x.is_floating_point() else (x * factor).to(x.dtype)


@onnx_op("Einsum")
def einsum(*inputs: Tensor, equation: str) -> Tensor:
    return tl.einsum(equation, *inputs)


@onnx_op("Det")
def det(x: Tensor) -> Any:
    return tl.linalg.det(x)


@onnx_op("Trilu")
def trilu(x: Tensor, k: Tensor | None = None, *, upper: int = 1) -> Tensor:
    offset = 0 if k is None else int(k.item())
    if x.dtype is tl.dtypes.string:
        kept = trilu(tl.ones(x.shape[-2:], dtype=tl.bool, device=x.device), k, upper=upper)
        return tl.where(kept, x, strings(""))
    return tl.triu(x, offset) if upper else tl.tril(x, offset)
