"""The compiled Huffman decoder: LLVM IR, and the layout of what it is told.

Streams are decoded side by side, since one stream waits for itself: the next index is known only
when the last lookup is done. A stream is a bit position (a memory address times eight) and where
its symbols go. A refill loads eight bytes and sets the highest bit, so that after some lookups,
each of which shifts right, the leading zeros say how many bits were used. A lookup gives up to
six symbols, stored as one word; what is too much of it the next store overwrites.

Nothing is checked within a round: its number of turns is such that no stream can leave its bytes,
nor its room for symbols. What is left after the rounds is decoded code by code.
"""

from __future__ import annotations

from functools import cache

from ..devices.numba.code import Code, Value, module
from ..devices.numba.llvm import compiled
from .tables import HELD

STREAMS = 6  # as many as there are registers for, and then some
# Words of a job: status, table for many, table for one, raw bits or 0, symbols, how many; then four
# for each stream.
HEAD = 6
WORDS = HEAD + 4 * STREAMS  # a stream: bit position, last bit, room for symbols, its end
MARGIN = 8  # bytes that a store may write


def _shift(code: Code, value: Value, by: Value) -> Value:
    return code.value(f"lshr i64 {value}, {by}")


def _refilled(code: Code, position: Value) -> Value:
    """The bits at a position, with the highest one set before what is used is shifted out."""
    address = code.value(f"inttoptr i64 {_shift(code, position, '3')} to ptr")
    word = code.value(f"load i64, ptr {address}, align 1")
    marked = code.value(f"or i64 {word}, {-(1 << 63)}")
    return _shift(code, marked, code.value(f"and i64 {position}, 7"))


def _advanced(code: Code, position: Value, word: Value) -> Value:
    """The position after the bits that were shifted out of a word."""
    zeros = code.call("i64", "llvm.ctlz.i64", f"i64 {word}", "i1 true")
    return code.add(code.value(f"and i64 {position}, -8"), zeros)


def _round(code: Code, limit: int, table: Value, states: list[list[Value]]) -> list[list[Value]]:
    """As many turns as are safe; gives the positions and outputs after them."""
    lookups = 56 // limit
    turns = ""
    for position, last, out, end in states:
        bits = code.value(f"sub i64 {last}, {position}")
        room = code.add(code.value(f"sub i64 {end}, {out}"), -MARGIN)
        for left, each in ((bits, limit * lookups), (room, HELD * lookups)):
            count = code.value(f"sdiv i64 {left}, {each}")
            turns = (
                code.call("i64", "llvm.smin.i64", f"i64 {turns}", f"i64 {count}")
                if turns
                else count
            )
    carried = [("i64", s[0]) for s in states] + [("i64", s[2]) for s in states]
    with code.loop(turns, carried=carried) as turn:
        positions, outs = turn.carried[: len(states)], turn.carried[len(states) :]
        words = [_refilled(code, position) for position in positions]
        for _ in range(lookups):
            for i, word in enumerate(words):
                index = code.value(f"and i64 {word}, {(1 << limit) - 1}")
                entry = code.value(f"load i64, ptr {code.at('i64', table, index)}")
                words[i] = _shift(code, word, code.value(f"and i64 {entry}, 63"))
                place = code.value(f"inttoptr i64 {outs[i]} to ptr")
                code.do(f"store i64 {_shift(code, entry, '8')}, ptr {place}, align 1")
                outs[i] = code.add(outs[i], _shift(code, entry, "56"))
        positions = [_advanced(code, p, w) for p, w in zip(positions, words, strict=True)]
        turn.next = [*positions, *outs]
    half = len(states)
    return [[turn.carried[i], states[i][1], turn.carried[half + i], states[i][3]]
            for i in range(half)] + [[turns]]  # fmt: skip


def _rounds(code: Code, limit: int, table: Value, states: list[list[Value]]) -> list[list[Value]]:
    """Rounds until one has no turn."""
    head, done, before = code.fresh("rounds"), code.fresh("over"), code.block
    code.do(f"br label %{head}")
    code.label(head)
    names = [(f"%{code.fresh('p')}", f"%{code.fresh('o')}") for _ in states]
    at = len(code.lines)
    code.lines += [""] * (2 * len(states))
    inner = [[p, s[1], o, s[3]] for (p, o), s in zip(names, states, strict=True)]
    *after, (turns,) = _round(code, limit, table, inner)
    for i, ((p, o), first, last) in enumerate(zip(names, states, after, strict=True)):
        for j, (name, which) in enumerate(((p, 0), (o, 2))):
            code.lines[at + 2 * i + j] = (
                f"  {name} = phi i64 [{first[which]}, %{before}], [{last[which]}, %{code.block}]"
            )
    more = code.value(f"icmp sgt i64 {turns}, 0")
    code.do(f"br i1 {more}, label %{head}, label %{done}")
    code.label(done)
    return after


def _rest(code: Code, limit: int, table: Value, state: list[Value]) -> Value:
    """One stream to its end, code by code; gives whether that is where the stream ends."""
    position, last, out, end = state
    head, body, done = (code.fresh(name) for name in ("rest", "one", "ended"))
    before = code.block
    p, o = f"%{code.fresh('p')}", f"%{code.fresh('o')}"
    code.do(f"br label %{head}")
    code.label(head)
    at = len(code.lines)
    code.lines += ["", ""]
    within = code.value(f"icmp sle i64 {p}, {last}")
    some = code.value(f"icmp slt i64 {o}, {end}")
    more = code.value(f"and i1 {within}, {some}")
    code.do(f"br i1 {more}, label %{body}, label %{done}")
    code.label(body)
    word = _refilled(code, p)
    index = code.value(f"and i64 {word}, {(1 << limit) - 1}")
    entry = code.value(f"load i32, ptr {code.at('i32', table, index)}")
    wide = code.value(f"zext i32 {entry} to i64")
    following = code.add(p, code.value(f"and i64 {wide}, 255"))
    place = code.value(f"inttoptr i64 {o} to ptr")
    symbol = code.value(f"trunc i64 {_shift(code, wide, '16')} to i8")
    code.do(f"store i8 {symbol}, ptr {place}")
    count = code.value(f"and i64 {_shift(code, wide, '8')}, 3")
    room = code.value(f"sub i64 {end}, {o}")
    taken = code.call("i64", "llvm.smin.i64", f"i64 {count}", f"i64 {room}")
    with code.when(code.value(f"icmp eq i64 {taken}, 2")):
        second = code.value(f"trunc i64 {_shift(code, wide, '24')} to i8")
        code.do(f"store i8 {second}, ptr {code.at('i8', place, '1')}")
    onward = code.add(o, taken)
    code.lines[at] = f"  {p} = phi i64 [{position}, %{before}], [{following}, %{code.block}]"
    code.lines[at + 1] = f"  {o} = phi i64 [{out}, %{before}], [{onward}, %{code.block}]"
    code.do(f"br label %{head}")
    code.label(done)
    left = code.value(f"sub i64 {last}, {p}")
    short = code.value(f"icmp ult i64 {left}, 8")
    whole = code.value(f"icmp eq i64 {o}, {end}")
    return code.value(f"and i1 {short}, {whole}")


def _merge(code: Code, raw: Value, symbols: Value, count: Value) -> None:
    """Symbols become 16 times themselves plus four raw bits; 64 bytes of those serve 128."""
    low, high = (code.value(f"inttoptr i64 {a} to ptr") for a in (raw, symbols))
    chunks = _shift(code, count, "7")
    with code.loop(chunks) as chunk:
        place = code.at("<64 x i8>", low, chunk.index)
        packed = code.value(f"load <64 x i8>, ptr {place}, align 1")
        halves = (code.value(f"and <64 x i8> {packed}, splat (i8 15)"),
                  code.value(f"lshr <64 x i8> {packed}, splat (i8 4)"))  # fmt: skip
        for i, half in enumerate(halves):
            target = code.at("<64 x i8>", high, code.add(code.mul(chunk.index, 2), i))
            coded = code.value(f"load <64 x i8>, ptr {target}, align 1")
            moved = code.value(f"shl <64 x i8> {coded}, splat (i8 4)")
            whole = code.value(f"or <64 x i8> {moved}, {half}")
            code.do(f"store <64 x i8> {whole}, ptr {target}, align 1")
    start = code.value(f"shl i64 {chunks}, 7")
    with code.loop(count, start) as one:
        within = code.value(f"and i64 {one.index}, 63")
        place = code.at("i8", low, code.add(_shift(code, start, "1"), within))
        packed = code.value(f"load i8, ptr {place}")
        upper = code.value(f"trunc i64 {code.value(f'and i64 {one.index}, 64')} to i8")
        by = code.value(f"lshr i8 {upper}, 4")
        bits = code.value(f"and i8 {code.value(f'lshr i8 {packed}, {by}')}, 15")
        target = code.at("i8", high, one.index)
        coded = code.value(f"load i8, ptr {target}")
        whole = code.value(f"or i8 {code.value(f'shl i8 {coded}, 4')}, {bits}")
        code.do(f"store i8 {whole}, ptr {target}")


@cache
def decoder_ir(limit: int, streams: int = STREAMS) -> str:
    """The decoder of jobs ``first`` to ``last``; a job's status becomes how many streams failed."""
    code = Code("kernel", "ptr %jobs, i64 %first, i64 %last")
    with code.loop("%last", "%first") as job:
        base = code.at("i64", "%jobs", code.mul(job.index, HEAD + 4 * streams))
        words = [code.value(f"load i64, ptr {code.at('i64', base, str(i))}")
                 for i in range(1, HEAD + 4 * streams)]  # fmt: skip
        multi, single = (code.value(f"inttoptr i64 {word} to ptr") for word in words[:2])
        states = [words[HEAD - 1 + 4 * i : HEAD + 3 + 4 * i] for i in range(streams)]
        states = _rounds(code, limit, multi, states)
        failed = "0"
        for state in states:
            (alone,) = _rounds(code, limit, multi, [state])
            good = _rest(code, limit, single, alone)
            failed = code.value(f"select i1 {good}, i64 {failed}, i64 {code.add(failed, 1)}")
        code.do(f"store i64 {failed}, ptr {base}")
        with code.when(code.value(f"icmp ne i64 {words[2]}, 0")):
            _merge(code, *words[2:5])
    return module(code)


def decoder(limit: int) -> int:
    """The address of the decoder of codes of at most so many bits."""
    return compiled(decoder_ir(limit))
