"""Huffman blocks: what comes back, how long it is, and what is broken."""

from __future__ import annotations

import heapq
import importlib
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tensorlite.codec import huffman, tables
from tensorlite.errors import ArgumentError, FileFormatError

Array = np.ndarray[Any, Any]


def normal(bits: int, count: int, step: float) -> Array:
    half = 1 << (bits - 1)
    noise = np.random.default_rng(bits).standard_normal(count)
    return (np.clip(np.round(noise / step), -half, half - 1) + half).astype(np.uint8)


def sparse(count: int) -> Array:
    random = np.random.default_rng(3)
    return np.where(random.random(count) < 0.7, 0, normal(4, count, 0.4)).astype(np.uint8)


def table_for(symbols: Array, pairs: bool = False, limit: int = 12) -> tables.HuffmanTable:
    if not pairs:
        return tables.huffman_table(np.bincount(symbols, minlength=256), limit)
    whole = np.append(symbols, symbols[-1:]) if len(symbols) % 2 else symbols
    keys = whole[::2].astype(np.int64) | whole[1::2].astype(np.int64) << 8
    found = tables.pair_table(np.bincount(keys, minlength=65536), limit)
    assert found is not None
    return found


def decoded(block: bytes, count: int, table: tables.HuffmanTable, raw: bool = False) -> Array:
    data = np.frombuffer(block, np.uint8)
    room = np.full(count + 64, 0xAB, np.uint8)  # what lies behind must stay as it is
    huffman.decode_blocks(
        data, np.array([0, len(data)]), np.array([count]), table, room[:count], raw, threads=1
    )
    assert (room[count:] == 0xAB).all()
    return room[:count]


@pytest.fixture(params=["compiled", "numpy"])
def engine(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == "numpy":
        monkeypatch.setattr(huffman, "compiles", lambda: False)
    return str(request.param)


@pytest.mark.parametrize("count", [1, 2, 5, 11, 12, 13, 127, 128, 129, 1000, 4099, 30000])
@pytest.mark.parametrize("pairs", [False, True])
@pytest.mark.parametrize("limit", tables.LIMITS)
def test_symbols_come_back(engine: str, count: int, pairs: bool, limit: int) -> None:
    symbols = normal(4, count, 0.5)
    if pairs and count < 3:
        pytest.skip("pairs need two different ones")
    symbols[:3] = [1, 2, 3][:count]
    table = table_for(symbols, pairs, limit)
    block = huffman.encode_block(symbols, table)
    np.testing.assert_array_equal(decoded(block, count, table), symbols)


@pytest.mark.parametrize("count", [1, 64, 65, 128, 200, 5000])
def test_low_bits_may_be_stored_as_they_are(engine: str, count: int) -> None:
    symbols = normal(8, count, 0.03)
    table = table_for(symbols >> 4)
    block = huffman.encode_block(symbols, table, raw=True)
    np.testing.assert_array_equal(decoded(block, count, table, raw=True), symbols)


@pytest.mark.parametrize("pairs", [False, True])
def test_numpy_writes_the_same_bytes(monkeypatch: pytest.MonkeyPatch, pairs: bool) -> None:
    symbols = sparse(5001)
    table = table_for(symbols, pairs)
    native = huffman.encode_block(symbols, table)
    monkeypatch.setattr(huffman, "compiles", lambda: False)
    assert huffman.encode_block(symbols, table) == native


def test_several_blocks_on_threads(engine: str) -> None:
    symbols = normal(3, 10000, 0.7)
    table = table_for(symbols)
    parts = np.split(symbols, [3000, 6000])
    blocks = [huffman.encode_block(p, table) for p in parts]
    offsets = np.cumsum([0, *map(len, blocks)])
    out = np.zeros(10000, np.uint8)
    data = np.frombuffer(b"".join(blocks), np.uint8)
    huffman.decode_blocks(data, offsets, np.array([len(p) for p in parts]), table, out, threads=2)
    np.testing.assert_array_equal(out, symbols)


def huffman_cost(counts: list[int]) -> int:
    """The bits of Huffman's own algorithm, which knows no limit."""
    heap = list(counts)
    heapq.heapify(heap)
    cost = 0
    while len(heap) > 1:
        merged = heapq.heappop(heap) + heapq.heappop(heap)
        cost += merged
        heapq.heappush(heap, merged)
    return cost


@given(st.lists(st.integers(1, 10**6), min_size=2, max_size=60))
@settings(max_examples=60, deadline=None)
def test_code_lengths_are_huffman_s_where_the_limit_does_not_matter(counts: list[int]) -> None:
    lengths = tables.code_lengths(np.array(counts), 62).astype(np.int64)
    assert int((lengths * counts).sum()) == huffman_cost(counts)


@pytest.mark.parametrize("limit", [3, 4, 5])
def test_no_limited_code_is_shorter(limit: int) -> None:
    from itertools import product

    counts = np.array([1, 1, 2, 3, 50])
    best = min(
        int((np.array(lengths) * counts).sum())
        for lengths in product(range(1, limit + 1), repeat=5)
        if sum(2.0**-n for n in lengths) <= 1
    )
    lengths = tables.code_lengths(counts, limit)
    assert int((lengths * counts).sum()) == best
    assert lengths.max() <= limit


def test_size_is_near_the_entropy() -> None:
    symbols = normal(4, 200_000, 0.33)
    least = tables.entropy(np.bincount(symbols)) * len(symbols) / 8
    assert len(huffman.encode_block(symbols, table_for(symbols, limit=11))) < 1.01 * least


@pytest.mark.parametrize("pairs", [False, True])
def test_tables_come_back(pairs: bool) -> None:
    table = table_for(sparse(3000), pairs)
    again = tables.HuffmanTable.from_bytes(table.to_bytes())
    np.testing.assert_array_equal(again.multi, table.multi)
    np.testing.assert_array_equal(again.codes, table.codes)


@pytest.mark.parametrize("pairs", [False, True])
@pytest.mark.parametrize("limit", tables.LIMITS)
def test_numpy_makes_the_same_decoding_tables(pairs: bool, limit: int) -> None:
    table = table_for(sparse(3000), pairs, limit)
    single, multi = table.tables_numpy()
    np.testing.assert_array_equal(table.single, single)
    np.testing.assert_array_equal(table.multi, multi)


def test_too_many_symbols_for_a_limit() -> None:
    with pytest.raises(ArgumentError, match="2 to 8 symbols, not 9"):
        tables.code_lengths(np.ones(9, np.int64), 3)


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_broken_blocks_give_one_error_or_symbols(data: st.DataObject) -> None:
    symbols = sparse(700)
    pairs, raw = data.draw(st.sampled_from([(False, False), (True, False), (False, True)]))
    table = table_for(symbols >> 4 if raw else symbols, pairs)
    block = bytearray(huffman.encode_block(symbols, table, raw))
    for _ in range(data.draw(st.integers(1, 4))):
        block[data.draw(st.integers(0, len(block) - 1))] = data.draw(st.integers(0, 255))
    end = data.draw(st.sampled_from([len(block), data.draw(st.integers(0, len(block)))]))
    results = []
    for native in (True, False):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(huffman, "compiles", lambda native=native: native)
            try:
                results.append(decoded(bytes(block[:end]), 700, table, raw).tobytes())
            except FileFormatError:
                results.append(None)
    assert results[0] == results[1]


@given(st.data())
@settings(max_examples=200, deadline=None)
def test_broken_tables_give_one_error_or_a_code(data: st.DataObject) -> None:
    pairs = data.draw(st.booleans())
    table = bytearray(table_for(sparse(3000), pairs).to_bytes())
    table[data.draw(st.integers(0, len(table) - 1))] ^= data.draw(st.integers(1, 255))
    end = data.draw(st.sampled_from([len(table), data.draw(st.integers(0, len(table)))]))
    try:
        found = tables.HuffmanTable.from_bytes(bytes(table[:end]))
    except FileFormatError:
        return
    assert (found.single & 255 > 0).all()  # every bit pattern is a code


def test_a_module_without_numba_is_imported_without_it() -> None:
    import subprocess
    import sys

    code = (
        "import sys, tensorlite.codec.huffman; "
        "sys.exit(any(m in sys.modules for m in ('numba', 'llvmlite')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
    assert importlib.import_module("tensorlite.codec").__name__ == "tensorlite.codec"
