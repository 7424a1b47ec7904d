"""Weights of few bits, each block of which has its own scale: products and look-ups."""

from __future__ import annotations

import math

import tensorlite as tl
from tensorlite import Tensor

from .....errors import OnnxError
from ...registry import onnx_op
from ..expected import UP_TO_FLOAT32, expect
from ..quantization import numbers
from .activation import MICROSOFT

_AT_ONCE = 1 << 19  # weights that are float32 at one time: what caches hold
_BITS = (2, 4, 8)


def unpacked(packed: Tensor, bits: int) -> Tensor:
    """The numbers in bytes, lowest bits first: the last dimension grows by ``8 / bits``."""
    if bits == 8:
        return packed
    shifts = (tl.bitwise_right_shift(packed, by) for by in range(0, 8, bits))
    parts = tl.stack([shifted & (2**bits - 1) for shifted in shifts], -1)
    return parts.reshape(*packed.shape[:-1], packed.shape[-1] * (8 // bits))


def _check_bits(bits: int) -> None:
    if bits not in _BITS:
        raise OnnxError(f"bits {bits}: expected 2, 4 or 8")


def _check_block(block: int) -> None:
    if block < 16 or block & (block - 1):
        raise OnnxError(f"block_size {block}: expected a power of two, 16 or more")


@onnx_op("MatMulNBits", domain=MICROSOFT)
def mat_mul_n_bits(
    a: Tensor, b: Tensor, scales: Tensor, zero_points: Tensor | None = None,
    g_idx: Tensor | None = None, bias: Tensor | None = None, *, K: int, N: int, block_size: int,
    bits: int = 4, accuracy_level: int = 0, weight_prepacked: int = 0,
) -> Tensor:  # fmt: skip
    """``a @ w.T + bias``, where ``w[n, k] = (b[n, k] - zero_point) * scale`` of its block of k.

    Everything is in float32, whatever lower accuracy ``accuracy_level`` would allow.
    """
    _check_bits(bits)
    _check_block(block_size)
    if weight_prepacked:
        raise OnnxError("weight_prepacked: the layouts of other devices are not read; expected 0")
    expect("A", a, None, UP_TO_FLOAT32)
    if a.ndim == 0 or a.shape[-1] != K:
        raise OnnxError(f"A: expected (..., {K}), got {tuple(a.shape)}")
    if 0 in (N, K) or not b.numel():
        y = tl.zeros(*a.shape[:-1], N, dtype=a.dtype, device=a.device)
        return y if bias is None else y + bias.to(a.dtype)
    blocks = -(-K // block_size)
    packed = _shaped("B", b, (N, blocks, block_size * bits // 8))
    scales = _shaped("scales", scales, (N, blocks))
    zeros = _zero_points(zero_points, (N, blocks), bits)
    if g_idx is not None:
        return _by_columns(a, packed, scales, zeros, g_idx, bias, bits)
    return tl.quantized_linear(
        a, packed.flatten(1), scales, zeros, bias, bits=bits, group_size=block_size
    )


def _zero_points(zeros: Tensor | None, sizes: tuple[int, int], bits: int) -> Tensor | None:
    """Zero points, one a block; those of bytes share them as weights do."""
    if zeros is None:
        return None
    if zeros.dtype is not tl.uint8:
        return _shaped("zero_points", zeros, sizes)
    rows, blocks = sizes
    packed = _shaped("zero_points", zeros, (rows, -(-blocks * bits // 8)))
    return unpacked(packed, bits)[:, :blocks].contiguous()


def _by_columns(
    a: Tensor, packed: Tensor, scales: Tensor, zeros: Tensor | None, g_idx: Tensor,
    bias: Tensor | None, bits: int,
) -> Tensor:  # fmt: skip
    """The product where ``g_idx`` says which block's scale each column has."""
    n, k = len(packed), a.shape[-1]
    groups, step = g_idx.reshape(-1)[:k].long(), max(_AT_ONCE // k, 1)
    parts = []
    for at in range(0, n, step):
        rows = slice(at, at + step)
        whole = unpacked(packed[rows], bits).float().flatten(1)[:, :k]
        zero = 2.0 ** (bits - 1) if zeros is None else zeros[rows].float()[:, groups]
        parts.append(tl.matmul(a.float(), ((whole - zero) * scales[rows].float()[:, groups]).T))
    y = parts[0] if len(parts) == 1 else tl.cat(parts, -1)
    return (y if bias is None else y + bias.float()).to(a.dtype)


def _shaped(name: str, x: Tensor, sizes: tuple[int, ...]) -> Tensor:
    """An input of these sizes; older files write it flat."""
    if x.ndim == 1 and x.numel() == math.prod(sizes):
        return x.reshape(sizes)
    return expect(name, x, sizes)


@onnx_op("GatherBlockQuantized", domain=MICROSOFT)
def gather_block_quantized(
    data: Tensor, indices: Tensor, scales: Tensor, zero_points: Tensor | None = None, *,
    bits: int = 4, block_size: int = 128, gather_axis: int = 0, quantize_axis: int = 1,
) -> Tensor:  # fmt: skip
    """Slices of ``(data - zero_point) * scale``, each block along ``quantize_axis`` with its own.

    Indices that are out of range give zeros.
    """
    table = _Table(data, scales, zero_points, bits, block_size, gather_axis, quantize_axis)
    axis = table.gather
    size, flat = data.shape[axis], indices.reshape(-1).long()
    inside = (flat >= -size) & (flat < size)
    rows = tl.where(inside, tl.where(flat < 0, flat + size, flat), 0)
    if size == 0:
        sizes = [flat.numel() if i == axis else n for i, n in enumerate(table.sizes)]
        values = tl.zeros(sizes, device=data.device)
    else:
        mask = inside.reshape([-1 if i == axis else 1 for i in range(data.ndim)])
        values = tl.where(mask, table.take(rows), 0.0)
    shape = (*values.shape[:axis], *indices.shape, *values.shape[axis + 1 :])
    return values.reshape(shape).to(scales.dtype)


class _Table:
    """The data of GatherBlockQuantized, made float32 a few slices at a time."""

    def __init__(
        self, data: Tensor, scales: Tensor, zeros: Tensor | None, bits: int, block: int,
        gather_axis: int, quantize_axis: int,
    ) -> None:  # fmt: skip
        self.data, self.scales, self.zeros = data, scales, zeros
        self.gather, self.quantize = _axis(gather_axis, data), _axis(quantize_axis, data)
        self.bits = bits if data.dtype is tl.uint8 else 8  # packed so in bytes
        self.sizes = list(data.shape)
        floating = data.is_floating_point()
        if data.dtype is tl.uint8:
            _check_bits(bits)
            self.sizes[-1] *= 8 // bits
            if self.gather != 0 or self.quantize != data.ndim - 1 or data.ndim == 1:
                raise OnnxError("of uint8 data, rows are taken and blocks run along the last axis")
        if block or not floating:
            _check_block(block)
        self.block = block or max(self.sizes[self.quantize], 1)
        self._check_parameters(floating)

    def _check_parameters(self, floating: bool) -> None:
        blocks = [
            -(-n // self.block) if i == self.quantize else n for i, n in enumerate(self.sizes)
        ]
        if floating and self.zeros is not None:
            raise OnnxError(f"zero_points: {self.data.dtype.name} data has none")
        if floating and self.scales.ndim == len(blocks):
            shared = zip(blocks, self.scales.shape, strict=True)
            blocks = [
                1 if have == 1 and i != self.quantize else want
                for i, (want, have) in enumerate(shared)
            ]
        expect("scales", self.scales, tuple(blocks), UP_TO_FLOAT32)
        if self.zeros is not None:
            packed = [*blocks[:-1], -(-blocks[-1] * self.bits // 8)]
            expect("zero_points", self.zeros, tuple(packed), (self.data.dtype,))

    def take(self, rows: Tensor) -> Tensor:
        """The slices of these indices, as float32."""
        values = numbers(unpacked(tl.index_select(self.data, self.gather, rows), self.bits))
        if self.zeros is not None:
            values = values - self._parameter(numbers(unpacked(self.zeros, self.bits)), rows)
        elif self.data.dtype is tl.uint8:
            values = values - float(2 ** (self.bits - 1))
        return values * self._parameter(self.scales.float(), rows)

    def _parameter(self, parameter: Tensor, rows: Tensor) -> Tensor:
        """A scale or zero point of each number in the slices."""
        axis, along = self.quantize, self.gather
        if axis == along:
            return tl.index_select(
                parameter, along, tl.div(rows, self.block, rounding_mode="floor")
            )
        if parameter.shape[along] > 1:
            parameter = tl.index_select(parameter, along, rows)
        spread = tl.repeat_interleave(parameter, self.block, dim=axis)
        return spread.narrow(axis, 0, self.sizes[axis])


def _axis(axis: int, x: Tensor) -> int:
    if not -x.ndim <= axis < x.ndim:
        raise OnnxError(f"axis {axis}: expected {-x.ndim} to {x.ndim - 1} for {tuple(x.shape)}")
    return axis % x.ndim


# The 16 numbers of 4 bits of bitsandbytes: floats, and quantiles of the normal distribution.
_FP4 = (0, 1 / 192, 2 / 3, 1, 1 / 3, 1 / 2, 1 / 6, 1 / 4)
_NF4 = (
    -1.0, -0.6961928009986877, -0.5250730514526367, -0.39491748809814453, -0.28444138169288635,
    -0.18477343022823334, -0.09105003625154495, 0.0, 0.07958029955625534, 0.16093020141124725,
    0.24611230194568634, 0.33791524171829224, 0.44070982933044434, 0.5626170039176941,
    0.7229568362236023, 1.0,
)  # fmt: skip
_CODES = ((*_FP4, *(-value for value in _FP4)), _NF4)


@onnx_op("MatMulBnb4", domain=MICROSOFT)
def mat_mul_bnb4(
    a: Tensor, b: Tensor, absmax: Tensor, *, K: int, N: int, block_size: int, quant_type: int,
    training_mode: int = 0, transB: int = 1,
) -> Tensor:  # fmt: skip
    """``a @ w.T`` (or ``a @ w``), where ``w`` (N, K) is flat: two 4-bit codes per byte, the first
    in the high bits, looked up and scaled per block. Source: QLoRA, arXiv 2305.14314.
    """
    _check_block(block_size)
    if quant_type not in (0, 1):
        raise OnnxError(f"quant_type {quant_type}: expected 0 (FP4) or 1 (NF4)")
    expect("A", a, None, UP_TO_FLOAT32)
    count = N * K
    expect("B", b.reshape(-1), (-(-count // 2),), (tl.uint8,))
    expect("absmax", absmax.reshape(-1), (-(-count // block_size),))
    codes = tl.flip(unpacked(b.reshape(-1, 1), 4), [1]).reshape(-1)[:count]
    table = tl.tensor(_CODES[quant_type], dtype=tl.float32, device=a.device)
    scales = tl.repeat_interleave(absmax.reshape(-1).float(), block_size, dim=0)[:count]
    w = (table[codes.long()] * scales).reshape(N, K)
    return tl.matmul(a.float(), w.T if transB else w).to(a.dtype)
