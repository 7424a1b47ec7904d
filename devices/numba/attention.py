"""Attention, ``softmax(Q K^T * scale + mask) V``, a block of queries of one head at a time.

The scores of a block stay in the cache: they are computed, made into weights and multiplied with V
before the next block begins, so that the whole matrix of scores never exists.

This kernel only leads: the products and the softmax are kernels of their own, called by address.
Its words: the number of heads, of blocks in a head, the address of a table with six numbers for
each head (elements to its queries, its packed K, its mask, its packed V, its results, zero), that
of one with four for each block (elements to its first query, mask row and result, and which of the
templates it uses), that of the templates (the words of first product, softmax and second product
for blocks of one length, one after another, and their length), the kernels' addresses, the
addresses of the scores' scratch memory, its bytes for each part, and the number of parts that have
one.
"""

from __future__ import annotations

from functools import cache

from .brgemm import WORDS
from .code import Code, Value, module
from .fused import Words, share
from .llvm import made_by

SCORES = len(WORDS) + 2  # words of the first product: with a mask
SOFTMAX = 4
VALUES = len(WORDS)
TEMPLATE = SCORES + SOFTMAX + VALUES


@cache
def attention_ir(masked: bool) -> str:
    """The module of the kernel."""
    code = Code("kernel", "ptr %args, i64 %part, i64 %parts")
    words = Words(code)
    heads, blocks = words.many(2)
    head_table, block_table, templates = (words.next("ptr") for _ in range(3))
    kernels = [words.next("ptr") for _ in range(3)]
    scratch, size, most = words.next("ptr"), words.next(), words.next()
    own = code.value(f"alloca [{TEMPLATE} x i64], align 64")
    few = code.value(f"icmp slt i64 %parts, {most}")
    parts = code.value(f"select i1 {few}, i64 %parts, i64 {most}")
    idle = code.value(f"icmp sge i64 %part, {parts}")
    all_units = code.mul(heads, blocks)
    units = code.value(f"select i1 {idle}, i64 0, i64 {all_units}")
    part = code.value(f"select i1 {idle}, i64 0, i64 %part")
    first, last = share(code, units, part=part, parts=parts)
    scores = code.at("i8", scratch, code.mul(part, size))
    first_at, softmax_at, second_at = 0, SCORES, SCORES + SOFTMAX
    index = {name: i for i, name in enumerate(WORDS)}

    def entry(table: Value, row: Value, width: int, column: int) -> Value:
        place = code.at("i64", table, code.add(code.mul(row, width), column))
        return code.value(f"load i64, ptr {place}")

    def moved(at: int, *offsets: Value) -> None:
        """Adds elements to an address among the words."""
        place = code.at("i64", own, str(at))
        base = code.value(f"load ptr, ptr {place}")
        for offset in offsets:
            base = code.at("float", base, offset)
        code.do(f"store ptr {base}, ptr {place}")

    def assigned(at: int, value: Value) -> None:
        code.do(f"store ptr {value}, ptr {code.at('i64', own, str(at))}")

    with code.loop(last, first) as unit:
        head = code.value(f"sdiv i64 {unit.index}, {blocks}")
        block = code.value(f"srem i64 {unit.index}, {blocks}")
        which = code.mul(entry(block_table, block, 4, 3), TEMPLATE)
        template = code.at("i64", templates, which)
        code.call(
            "void", "llvm.memcpy.p0.p0.i64", f"ptr {own}", f"ptr {template}",
            f"i64 {8 * TEMPLATE}", "i1 false",
        )  # fmt: skip
        of_head = [entry(head_table, head, 6, i) for i in range(5)]
        of_block = [entry(block_table, block, 4, i) for i in range(3)]
        assigned(first_at + index["c"], scores)
        moved(first_at + index["a"], of_head[0], of_block[0])
        moved(first_at + index["b"], of_head[1])
        if masked:
            moved(first_at + len(WORDS), of_head[2], of_block[1])
        assigned(softmax_at, scores)
        assigned(softmax_at + 1, scores)
        assigned(second_at + index["a"], scores)
        moved(second_at + index["b"], of_head[3])
        moved(second_at + index["c"], of_head[4], of_block[2])
        for kernel, at in zip(kernels, (first_at, softmax_at, second_at), strict=True):
            code.do(f"call void {kernel}(ptr {code.at('i64', own, str(at))}, i64 0, i64 1)")
    return module(code)


def attention(masked: bool) -> int:
    """The address of the kernel, compiled if need be."""
    return made_by(attention_ir, masked)
