"""The compiled rANS decoder: two vectors of sixteen states, one stream of 16-bit words.

The states of a vector step at once: a gather fetches what each state's low bits stand for, and
those states that have become too small take the next words of the stream, in order.
"""

from __future__ import annotations

from functools import cache

from ..devices.numba.code import Code, Value, module
from ..devices.numba.llvm import compiled, target
from .tables import PRECISION

LANES = 32
_WIDE = 16
HEAD = 6  # words of a job: status, table, first word, end of words, symbols, how many
WORDS = HEAD + LANES // 2  # and the states
_LEAST = 1 << 16  # a state that is smaller takes a word


def _splat(value: int) -> str:
    return f"splat (i32 {value})"


def _step(
    code: Code, table: Value, state: Value, kind: str, table_kind: str
) -> tuple[Value, Value]:
    """The symbols in the low bytes, and the states after them, not yet filled up."""
    many = kind != "i32"
    number = _splat if many else str
    slot = code.value(f"and {kind} {state}, {number((1 << PRECISION) - 1)}")
    if many:
        places = code.value(f"getelementptr i32, ptr {table}, <{_WIDE} x i32> {slot}")
        entry = code.call(kind, f"llvm.masked.gather.v{_WIDE}i32.v{_WIDE}p0",
                          f"<{_WIDE} x ptr> {places}", "i32 4",
                          f"<{_WIDE} x i1> splat (i1 true)", f"{kind} zeroinitializer")  # fmt: skip
    else:
        entry = code.value(
            f"load i32, ptr {code.value(f'getelementptr i32, ptr {table}, i32 {slot}')}"
        )
    less = code.value(f"lshr {kind} {entry}, {number(20)}")
    frequency = code.value(f"add {kind} {less}, {number(1)}")
    moved = code.value(f"lshr {kind} {entry}, {number(8)}")
    bias = code.value(f"and {kind} {moved}, {number((1 << PRECISION) - 1)}")
    above = code.value(f"lshr {kind} {state}, {number(PRECISION)}")
    product = code.value(f"mul {kind} {above}, {frequency}")
    return entry, code.value(f"add {kind} {product}, {bias}")


def _filled(code: Code, state: Value, words: Value) -> tuple[Value, Value]:
    """States of which those that are small took words, and where the next word is."""
    kind, mask_kind = f"<{_WIDE} x i32>", f"<{_WIDE} x i1>"
    small = code.value(f"icmp ult {kind} {state}, {_splat(_LEAST)}")
    place = code.value(f"inttoptr i64 {words} to ptr")
    if "+avx512f" in target().features:
        loaded = code.value(f"load <{_WIDE} x i16>, ptr {place}, align 1")
        wide = code.value(f"zext <{_WIDE} x i16> {loaded} to {kind}")
        spread = code.call(kind, "llvm.x86.avx512.mask.expand.v16i32", f"{kind} {wide}",
                           f"{kind} zeroinitializer", f"{mask_kind} {small}")  # fmt: skip
    else:
        loaded = code.call(f"<{_WIDE} x i16>", f"llvm.masked.expandload.v{_WIDE}i16",
                           f"ptr {place}", f"{mask_kind} {small}",
                           f"<{_WIDE} x i16> zeroinitializer")  # fmt: skip
        spread = code.value(f"zext <{_WIDE} x i16> {loaded} to {kind}")
    shifted = code.value(f"shl {kind} {state}, {_splat(16)}")
    whole = code.value(f"or {kind} {shifted}, {spread}")
    state = code.value(f"select {mask_kind} {small}, {kind} {whole}, {kind} {state}")
    bits = code.value(f"bitcast {mask_kind} {small} to i{_WIDE}")
    count = code.call(f"i{_WIDE}", f"llvm.ctpop.i{_WIDE}", f"i{_WIDE} {bits}")
    used = code.value(f"shl i64 {code.value(f'zext i{_WIDE} {count} to i64')}, 1")
    return state, code.add(words, used)


def _fast(code: Code, table: Value, states: Value, words: Value, end: Value, out: Value,
          count: Value) -> tuple[Value, Value]:  # fmt: skip
    """Whole rows of states while as many words are left as they may take."""
    kind = f"<{_WIDE} x i32>"
    first = [
        code.value(f"load {kind}, ptr {code.at(kind, states, str(i))}, align 4") for i in range(2)
    ]
    head, body, done, before = (*(code.fresh(n) for n in ("row", "step", "rows")), code.block)
    names = [f"%{code.fresh('v')}" for _ in range(4)]
    a, b, at, done_count = names
    code.do(f"br label %{head}")
    code.label(head)
    line = len(code.lines)
    code.lines += [""] * 4
    room = code.value(f"icmp sge i64 {code.value(f'sub i64 {end}, {at}')}, {2 * LANES}")
    left = code.value(f"icmp sge i64 {code.value(f'sub i64 {count}, {done_count}')}, {LANES}")
    more = code.value(f"and i1 {room}, {left}")
    code.do(f"br i1 {more}, label %{body}, label %{done}")
    code.label(body)
    words_now = at
    after = []
    place = code.at("i8", out, done_count)
    for i, state in enumerate((a, b)):
        entry, stepped = _step(code, table, state, kind, kind)
        symbols = code.value(f"trunc {kind} {entry} to <{_WIDE} x i8>")
        code.do(
            f"store <{_WIDE} x i8> {symbols}, ptr {code.at('i8', place, str(i * _WIDE))}, align 1"
        )
        stepped, words_now = _filled(code, stepped, words_now)
        after.append(stepped)
    following = code.add(done_count, LANES)
    values = [(kind, first[0], after[0]), (kind, first[1], after[1]),
              ("i64", words, words_now), ("i64", "0", following)]  # fmt: skip
    for i, (name, (type_, start, last)) in enumerate(zip(names, values, strict=True)):
        code.lines[line + i] = (
            f"  {name} = phi {type_} [{start}, %{before}], [{last}, %{code.block}]"
        )
    code.do(f"br label %{head}")
    code.label(done)
    for i, state in enumerate((a, b)):
        code.do(f"store {kind} {state}, ptr {code.at(kind, states, str(i))}, align 4")
    return at, done_count


def _slow(code: Code, table: Value, states: Value, words: Value, end: Value, out: Value,
          start: Value, count: Value) -> tuple[Value, Value]:  # fmt: skip
    """Symbol by symbol; gives where the words ended, and one if there were too few."""
    carried = [("i64", words), ("i64", "0")]
    with code.loop(count, start, carried=carried) as one:
        at, short = one.carried
        lane = code.value(f"and i64 {one.index}, {LANES - 1}")
        place = code.at("i32", states, lane)
        state = code.value(f"load i32, ptr {place}")
        entry, stepped = _step(code, table, state, "i32", "i32")
        symbol = code.value(f"trunc i32 {entry} to i8")
        code.do(f"store i8 {symbol}, ptr {code.at('i8', out, one.index)}")
        code.do(f"store i32 {stepped}, ptr {place}")
        small = code.value(f"icmp ult i32 {stepped}, {_LEAST}")
        some = code.value(f"icmp slt i64 {at}, {end}")
        lacking = code.value(f"and i1 {small}, {code.value(f'xor i1 {some}, true')}")
        short = code.value(f"or i64 {short}, {code.value(f'zext i1 {lacking} to i64')}")
        takes = code.value(f"and i1 {small}, {some}")
        with code.when(takes):
            source = code.value(f"inttoptr i64 {at} to ptr")
            word = code.value(f"load i16, ptr {source}, align 1")
            shifted = code.value(f"shl i32 {stepped}, 16")
            whole = code.value(f"or i32 {shifted}, {code.value(f'zext i16 {word} to i32')}")
            code.do(f"store i32 {whole}, ptr {place}")
        one.next = [code.value(f"select i1 {takes}, i64 {code.add(at, 2)}, i64 {at}"), short]
    return one.carried[0], one.carried[1]


@cache
def decoder_ir() -> str:
    """The decoder of jobs ``first`` to ``last``; the status of a broken one becomes not zero."""
    code = Code("kernel", "ptr %jobs, i64 %first, i64 %last")
    with code.loop("%last", "%first") as job:
        base = code.at("i64", "%jobs", code.mul(job.index, WORDS))
        table, words, end, out, count = (
            code.value(f"load i64, ptr {code.at('i64', base, str(i))}") for i in range(1, HEAD)
        )
        table, out = (code.value(f"inttoptr i64 {a} to ptr") for a in (table, out))
        states = code.at("i64", base, str(HEAD))
        at, done = _fast(code, table, states, words, end, out, count)
        at, short = _slow(code, table, states, at, end, out, done, count)
        left = code.value(f"sub i64 {end}, {at}")
        code.do(f"store i64 {code.value(f'or i64 {left}, {short}')}, ptr {base}")
    return module(code)


def decoder() -> int:
    """The address of the decoder."""
    return compiled(decoder_ir())
