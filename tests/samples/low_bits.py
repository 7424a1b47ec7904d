"""Samples of tensorlite.ops.low_bits; what PyTorch's side computes is written out here."""

from __future__ import annotations

from typing import Any

from . import FLOATS, T, case


def codes_of(codes: Any, bits: int) -> Any:
    """Bytes (N, B) as numbers (N, 8 B / bits), through their bits."""
    import torch

    each = (codes.long()[..., None] >> torch.arange(8)) & 1
    apart = each.reshape(len(codes), -1, bits)
    return (apart << torch.arange(bits)).sum(-1)


def dequantized(
    codes: Any, scales: Any, zeros: Any = None, bits: int = 4, group_size: int = 32,
    size: int | None = None,
) -> Any:  # fmt: skip
    whole = codes_of(codes, bits).double()
    zero = 2.0 ** (bits - 1) if zeros is None else zeros.double().repeat_interleave(group_size, 1)
    found = (whole - zero) * scales.double().repeat_interleave(group_size, 1)
    return found[:, :size].to(scales.dtype)


def product(
    x: Any, codes: Any, scales: Any, zeros: Any = None, bias: Any = None, bits: int = 4,
    group_size: int = 32,
) -> Any:  # fmt: skip
    w = dequantized(codes, scales.double(), zeros, bits, group_size, x.shape[-1])
    y = x.double() @ w.double().T
    return (y if bias is None else y + bias.double()).to(x.dtype)


def quantized(x: Any, bits: int = 4, group_size: int = 32, symmetric: bool = False) -> Any:
    """By the definition, a group after another; the codes are packed through their bits."""
    import torch

    n, k = x.shape
    count, most, middle = -(-k // group_size), 2**bits - 1, 2 ** (bits - 1)
    wide = torch.zeros(n, count * group_size)
    wide[:, :k] = x.float()
    scales, zeros = torch.ones(n, count), torch.full((n, count), middle)
    codes = torch.zeros(n, count * group_size, dtype=torch.int64)
    for i in range(n):
        for g in range(count):
            part = wide[i, g * group_size : (g + 1) * group_size]
            low, high = min(part.min(), 0), max(part.max(), 0)
            scale = part[part.abs().argmax()] / -middle if symmetric else (high - low) / most
            scale = scale.to(x.dtype).float() if scale != 0 else torch.tensor(1.0)
            scales[i, g] = scale
            if not symmetric:
                zeros[i, g] = torch.round(-low / scale).clamp(0, most)
            found = torch.round(part / scale) + zeros[i, g]
            codes[i, g * group_size : (g + 1) * group_size] = found.clamp(0, most)
    each = (codes[..., None] >> torch.arange(bits)) & 1
    bytes_of = (each.reshape(n, -1, 8) << torch.arange(8)).sum(-1)
    return bytes_of.to(torch.uint8), scales.to(x.dtype), zeros.to(torch.uint8)


def weights(n: int, k: int, bits: int, group: int) -> tuple[T, T, T]:
    count = -(-k // group)
    codes = T(n, count * group * bits // 8, dtype="uint8", low=0, high=256)
    zeros = T(n, count, dtype="uint8", low=0, high=2**bits)
    return codes, T(n, count, dtype="float32", low=0.1 / 2**bits, high=2 / 2**bits), zeros


for bits in (2, 3, 4, 8):
    case("quantize", T(3, 40), bits, 16, dtypes="float32 float16", torch=quantized)
    case("quantize", T(2, 32), bits, 8, symmetric=True, torch=quantized)
    for m, n, k, group in ((1, 5, 32, 32), (3, 37, 200, 64), (13, 40, 72, 16)):
        codes, scales, zeros = weights(n, k, bits, group)
        case("dequantize", codes, scales, zeros, bits, group, k, torch=dequantized)
        case("dequantize", codes, scales, None, bits, group, torch=dequantized)
        case(
            "quantized_linear", T(m, k), codes, scales, zeros, T(n), bits, group, dtypes=FLOATS,
            torch=product,
        )  # fmt: skip
        case("quantized_linear", T(m, k), codes, scales, None, None, bits, group, torch=product)
for lead in ((0,), (2, 3), ()):
    case("quantized_linear", T(*lead, 24), *weights(7, 24, 4, 8), None, 4, 8, torch=product)
