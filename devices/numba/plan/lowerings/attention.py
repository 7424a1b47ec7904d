"""Scaled dot product attention as one step, with the packing of K and V before it."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod
from typing import Any

import numpy as np

from .....ops.trace import Ref, references
from .....threads import get_num_threads
from ...adapter import adapted
from ...attention import attention
from ...brgemm import SPLIT_ROWS, Spec, product, tile_of
from ...expressions import ACC, Tree, constant, operand
from ...gemm import tiles
from ...rows import softmax_ir
from ..builder import FLOAT, Arguments, Builder, Lazy, array_of, broadcast, lowering
from ..places import View, Word
from ..products import offsets, packed_panels

_SCORES = 256 << 10  # bytes of scores that stay in the cache
_NONE = np.zeros(1, np.int64)


@lowering("nn.functional.scaled_dot_product_attention")
def scaled_dot_product_attention(builder: Builder, call: Arguments) -> str | None:
    """``softmax(query @ key.T * scale + mask) @ value``."""
    given = [call[name] for name in ("query", "key", "value")]
    if any(builder.dtype_of(g) != FLOAT for g in given) or call.get("dropout_p", 0.0):
        return "not float32, or dropout"
    shapes = [builder.shape(g) for g in given]
    if any(len(s) != len(shapes[0]) or len(s) < 3 or 0 in s for s in shapes):
        return "no batch, or no elements"
    lead = shapes[0][:-2]
    grouped = shapes[1][:-2] != lead
    if grouped and not (
        call.get("enable_gqa", False) and shapes[1][:-3] == lead[:-1] and shapes[1] == shapes[2]
    ):
        return "a batch that differs"
    if shapes[2][:-2] != shapes[1][:-2]:
        return "a batch that differs"
    mask = _mask(builder, call.given, (*lead, shapes[0][-2], shapes[1][-2]))
    if isinstance(mask, str):
        return mask
    q, k, v = (_rows_whole(builder, builder.view(g)) for g in given)
    scale = call.get("scale")
    scale = shapes[0][-1] ** -0.5 if scale is None else scale
    made = _emitted(builder, call.output, q, _turned(k), v, mask, float(scale), True)
    builder.give(call.output, made)
    return None


@lowering("attention")
def written_out(builder: Builder, call: Arguments) -> str | None:
    """``softmax(q @ k * scale + mask) @ v``, found by :mod:`..patterns`."""
    q, k, v, mask, scale = call.call.args
    shape = (*builder.shape(q)[:-1], builder.shape(k)[-1])
    added = _mask(builder, {"attn_mask": mask}, shape)
    assert not isinstance(added, str)
    views = [_rows_whole(builder, builder.view(x)) for x in (q, v)]
    output = references(call.call.outputs)[0]
    made = _emitted(builder, output, views[0], builder.view(k), views[1], added, scale, False)
    builder.give(output, made)
    return None


def _turned(view: View) -> View:
    """The transpose of a batch of matrices."""
    shape, strides = view.shape, view.strides
    return View(
        view.buffer, (*shape[:-2], shape[-1], shape[-2]), (*strides[:-2], strides[-1], strides[-2]),
        view.dtype, view.offset,
    )  # fmt: skip


def _rows_whole(builder: Builder, view: View) -> View:
    """A view whose last dimension lies in one piece."""
    return view if view.strides[-1] == 1 or view.shape[-1] == 1 else builder.ordered(view)


def _mask(builder: Builder, call: Mapping[str, Any], shape: tuple[int, ...]) -> View | str | None:
    """What is added to the scores: none, or a view with strides for all of them."""
    given = call.get("attn_mask")
    if call.get("is_causal", False):
        if given is not None:
            return "a mask and is_causal"
        allowed = np.tril(np.ones(shape[-2:], bool))
        added = np.where(allowed, np.float32(0), np.float32(-np.inf))
        return builder.constant(added)
    if given is None:
        return None
    dtype = builder.dtype_of(given)
    if dtype == np.bool_:
        if not isinstance(given, Ref):
            added = np.where(array_of(given), np.float32(0), np.float32(-np.inf))
            return builder.constant(added)
        tree = ("where", operand(0), constant(0.0), constant(float("-inf")))
        found = builder.view(given)
        return builder.compute(Lazy(tree, (found,), found.shape))
    if dtype != FLOAT:
        return f"a mask of {dtype}"
    found = builder.view(given)
    steps = broadcast(found, shape)
    if steps[-1] not in (0, 1) or (steps[-1] == 0 and shape[-1] > 1):
        whole = builder.new(shape)
        return builder.copy(found, whole)
    return found


def _emitted(
    builder: Builder, output: int, q: View, k: View, v: View, mask: View | None, scale: float,
    closed: bool,
) -> View:  # fmt: skip
    lead, length, depth = q.shape[:-2], q.shape[-2], q.shape[-1]
    keys, width = k.shape[-1], v.shape[-1]
    packed_k = packed_panels(builder, k, k.shape[:-2], tile_of(keys))
    packed_v = packed_panels(builder, v, v.shape[:-2], tile_of(width))
    shape = (*lead, length, width)
    user = builder.only_user(output)
    order = tuple(range(len(shape)))
    if user is not None and user.name in ("transpose", "permute") and len(shape) == 4:
        order = (0, 2, 1, 3)  # heads are side by side in what follows
    out = builder.new(shape, FLOAT, order)
    heads = prod(lead)
    of_kv = np.arange(prod(k.shape[:-2])).reshape(k.shape[:-2])
    if k.shape[:-2] != lead:
        of_kv = np.repeat(of_kv, lead[-1] // k.shape[-3], axis=-1)
    of_kv = of_kv.reshape(-1)
    steps = broadcast(mask, (*lead, length, keys)) if mask is not None else [0] * (len(lead) + 2)
    table = np.stack(
        [
            offsets(lead, q.strides[:-2]), of_kv * packed_k.size, offsets(lead, steps[:-2]),
            of_kv * packed_v.size, offsets(lead, out.strides[:-2]), np.zeros(heads, np.int64),
        ],
        axis=1,
    )  # fmt: skip
    count = max(1, min(-(-length * keys * 4 // _SCORES), -(-length // 12)))
    if heads < get_num_threads():
        count = max(count, min(get_num_threads(), -(-length // 12)))
    block = -(-length // count)
    starts = np.arange(0, length, block)
    short = length - starts[-1] != block
    blocks = np.stack(
        [
            starts * q.strides[-2], starts * steps[-2], starts * out.strides[-2],
            [int(short and s == starts[-1]) for s in starts],
        ],
        axis=1,
    )  # fmt: skip
    sizes = [block, int(length - starts[-1])] if short else [block]
    tree: Tree = ("mul", ACC, constant(scale))
    kinds: tuple[str, ...] = ()
    if mask is not None:
        tree = ("add", tree, operand(0))
        kinds = ("full" if steps[-2] else "column",)
    most = get_num_threads()
    room = -(-block * keys * 4 // 64) * 64
    scratch = builder.new((most * room // 4,))
    template: list[Word] = []
    tile_k, tile_v = packed_k.tile, packed_v.tile
    # The tiles of all blocks have one height, so that one kernel does for both lengths.
    low_k, low_v = (tiles(block, t.rows)[0] for t in (tile_k, tile_v))
    for size in sizes:
        template += _product_words(
            builder, size, low_k, q.strides[-2], keys, depth, keys, packed_k, 0, q.place
        )
        template += [mask.place if mask is not None else 0,
                     builder.table((np.arange(block) * steps[-2]).astype(np.int32))]  # fmt: skip
        template += [0, 0, keys, size]
        template += _product_words(
            builder, size, low_v, keys, out.strides[-2], keys, width, packed_v, out.place, 0
        )
    kernels = [
        product(Spec(tile_k, low_k, tree, kinds)), adapted(softmax_ir(closed), "ppn"),
        product(Spec(tile_v, low_v)),
    ]  # fmt: skip
    words: list[Word] = [
        heads, len(starts), builder.table(table.astype(np.int64)),
        builder.table(np.ascontiguousarray(blocks, np.int64)), builder.block(template), *kernels,
        scratch.place, room, most,
    ]  # fmt: skip
    reads = [q, packed_k.view, packed_v.view, *([mask] if mask is not None else [])]
    builder.emit(
        "attention", attention(mask is not None), words, reads, out,
        flops=2.0 * heads * length * keys * (depth + width), also=[scratch.buffer],
    )  # fmt: skip
    return out


def _product_words(
    builder: Builder, m: int, low: int, a_row: int, c_row: int, k: int, n: int, panels: Any,
    c: Word, a: Word,
) -> list[Word]:  # fmt: skip
    """The words of one product, whose addresses the leading kernel completes."""
    count = -(-m // (low + 1))
    small = max(0, count * (low + 1) - m)
    while small > count:
        count += 1
        small = count * (low + 1) - m
    bias = builder.table(np.zeros(panels.count * panels.tile.columns, np.float32))
    return [
        c, a, panels.view.place, bias, builder.table((np.arange(m) * a_row).astype(np.int32)),
        builder.table((np.arange(m) * c_row).astype(np.int32)), builder.table(_NONE), 1, k, n,
        count - small, small, panels.count, count, SPLIT_ROWS, 1, 0,
    ]  # fmt: skip
