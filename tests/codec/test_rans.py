"""rANS blocks: what comes back, how long it is, and what is broken."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tensorlite.codec import rans, tables
from tensorlite.errors import FileFormatError

Array = np.ndarray[Any, Any]


def sparse(count: int, zeros: float = 0.7) -> Array:
    random = np.random.default_rng(3)
    some = random.binomial(15, 0.5, count)
    return np.where(random.random(count) < zeros, 0, some).astype(np.uint8)


def table_for(symbols: Array) -> rans.RansTable:
    return rans.rans_table(np.bincount(symbols, minlength=256))


def decoded(block: bytes, count: int, table: rans.RansTable) -> Array:
    data = np.frombuffer(block, np.uint8)
    room = np.full(count + 64, 0xAB, np.uint8)
    rans.decode_blocks(
        data, np.array([0, len(data)]), np.array([count]), table, room[:count], threads=1
    )
    assert (room[count:] == 0xAB).all()
    return room[:count]


@pytest.fixture(params=["compiled", "numpy"])
def engine(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == "numpy":
        monkeypatch.setattr(rans, "compiles", lambda: False)
    return str(request.param)


@pytest.mark.parametrize("count", [1, 2, 31, 32, 33, 63, 64, 100, 1000, 20001])
@pytest.mark.parametrize("zeros", [0.0, 0.7, 0.99])
def test_symbols_come_back(engine: str, count: int, zeros: float) -> None:
    symbols = sparse(count, zeros)
    table = table_for(symbols)
    block = rans.encode_block(symbols, table)
    np.testing.assert_array_equal(decoded(block, count, table), symbols)


def test_every_byte_occurs(engine: str) -> None:
    symbols = np.random.default_rng(0).integers(0, 256, 5000).astype(np.uint8)
    table = table_for(symbols)
    block = rans.encode_block(symbols, table)
    np.testing.assert_array_equal(decoded(block, 5000, table), symbols)


def test_numpy_writes_the_same_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    symbols = sparse(5001)
    table = table_for(symbols)
    native = rans.encode_block(symbols, table)
    monkeypatch.setattr(rans, "compiles", lambda: False)
    assert rans.encode_block(symbols, table) == native


def test_several_blocks_on_threads(engine: str) -> None:
    symbols = sparse(10000)
    table = table_for(symbols)
    parts = np.split(symbols, [3000, 6000])
    blocks = [rans.encode_block(p, table) for p in parts]
    offsets = np.cumsum([0, *map(len, blocks)])
    out = np.zeros(10000, np.uint8)
    data = np.frombuffer(b"".join(blocks), np.uint8)
    rans.decode_blocks(data, offsets, np.array([len(p) for p in parts]), table, out, threads=2)
    np.testing.assert_array_equal(out, symbols)


# Frequencies of 12 bits are coarse for symbols that occur once in thousands.
@pytest.mark.parametrize(("zeros", "loss"), [(0.0, 0.001), (0.7, 0.001), (0.95, 0.002)])
def test_size_is_the_entropy(zeros: float, loss: float) -> None:
    symbols = sparse(1 << 20, zeros)
    least = tables.entropy(np.bincount(symbols)) * len(symbols) / 8
    assert len(rans.encode_block(symbols, table_for(symbols))) < (1 + loss) * least + 128


@given(st.lists(st.integers(0, 10**9), min_size=256, max_size=256).filter(any))
@settings(max_examples=30, deadline=None)
def test_frequencies_are_whole(counts: list[int]) -> None:
    found = tables.frequencies(np.array(counts))
    assert found.sum() == 4096
    assert ((found > 0) == (np.array(counts) > 0)).all()


def test_tables_come_back() -> None:
    table = table_for(sparse(3000))
    again = rans.RansTable.from_bytes(table.to_bytes())
    np.testing.assert_array_equal(again.slots, table.slots)


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_broken_blocks_give_one_error_or_symbols(data: st.DataObject) -> None:
    symbols = sparse(700)
    table = table_for(symbols)
    block = bytearray(rans.encode_block(symbols, table))
    for _ in range(data.draw(st.integers(1, 4))):
        block[data.draw(st.integers(0, len(block) - 1))] = data.draw(st.integers(0, 255))
    end = data.draw(st.sampled_from([len(block), data.draw(st.integers(0, len(block)))]))
    results = []
    for native in (True, False):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(rans, "compiles", lambda native=native: native)
            try:
                results.append(decoded(bytes(block[:end]), 700, table).tobytes())
            except FileFormatError:
                results.append(None)
    assert results[0] == results[1]


@given(st.data())
@settings(max_examples=100, deadline=None)
def test_broken_tables_give_one_error_or_a_table(data: st.DataObject) -> None:
    table = bytearray(table_for(sparse(3000)).to_bytes())
    table[data.draw(st.integers(0, len(table) - 1))] ^= data.draw(st.integers(1, 255))
    end = data.draw(st.sampled_from([len(table), data.draw(st.integers(0, len(table)))]))
    try:
        found = rans.RansTable.from_bytes(bytes(table[:end]))
    except FileFormatError:
        return
    assert found.frequencies.sum() == len(found.slots) == 4096
