"""Object files of kernels brought into memory without LLVM, whose library alone takes 40 MB.

Kernels are compiled for a code model in which all addresses have 64 bits, so that loading one is:
its sections one behind another in memory, and addresses written where the relocations say. What
this does not know (another format, another relocation, a function of another library) is left to
LLVM's loader. Sources: the System V ABI (ELF-64), and its supplement for x86-64.
"""

from __future__ import annotations

import ctypes
import mmap
import platform
import struct
import sys
from functools import cache
from typing import Any, NamedTuple

_ABSOLUTE, _RELATIVE = 1, 24  # R_X86_64_64 and R_X86_64_PC64: addresses, and distances, in 64 bits
_ALLOCATED, _WRITABLE = 2, 1  # flags of sections
_NOTHING, _SYMBOLS, _RELOCATIONS, _UNDEFINED = 8, 2, 4, 0
_HEADER = b"\x7fELF\x02\x01\x01"
_MACHINE = 62  # x86-64


PROVIDED: dict[str, int] = {}  # functions that kernels may call beside those of libraries


class _Section(NamedTuple):
    name: int
    kind: int
    flags: int
    address: int
    offset: int
    size: int
    link: int
    info: int
    align: int
    entry: int


class Unknown(Exception):
    """What this loader leaves to LLVM's."""


def loads_here() -> bool:
    """Whether object files of this system can be read."""
    return sys.platform == "linux" and platform.machine() == "x86_64"


def load(symbol: str, code: bytes) -> int:
    """The address of a function of an object file, in memory that is never given back.

    Raises Unknown for a file that it does not understand.
    """
    try:
        return _load(symbol, code)
    except (struct.error, IndexError, ValueError, OSError) as error:
        raise Unknown(str(error)) from error


def _load(symbol: str, code: bytes) -> int:
    if code[: len(_HEADER)] != _HEADER or struct.unpack_from("<HH", code, 16) != (1, _MACHINE):
        raise Unknown("no object file for x86-64")
    (table,) = struct.unpack_from("<Q", code, 40)
    _, count = struct.unpack_from("<HH", code, 58)
    sections = [_Section(*struct.unpack_from("<IIQQQQIIQQ", code, table + 64 * i))
                for i in range(count)]  # fmt: skip
    places, size = {}, 0
    for i, section in enumerate(sections):
        if not section.flags & _ALLOCATED or not section.size:
            continue
        if section.flags & _WRITABLE or section.kind == _NOTHING:
            raise Unknown("memory of its own")
        size = -(-size // max(section.align, 1)) * max(section.align, 1)
        places[i] = size
        size += section.size
    memory = mmap.mmap(-1, max(size, 1), flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    start = ctypes.addressof(ctypes.c_char.from_buffer(memory))
    for i, place in places.items():
        section = sections[i]
        memory[place : place + section.size] = code[section.offset : section.offset + section.size]
    (symbols,) = [s for s in sections if s.kind == _SYMBOLS]
    names = sections[symbols.link].offset
    for section in sections:
        if section.kind == _RELOCATIONS and section.info in places:
            _relocate(code, section, places[section.info], memory, start, symbols, names, places)
    for i in range(symbols.size // 24):
        name, _, _, where, value, _ = struct.unpack_from("<IBBHQQ", code, symbols.offset + 24 * i)
        if where in places and _text(code, names + name) == symbol:
            _protect(start, len(memory))
            # Never given back: threads of a team are in it while the interpreter ends.
            ctypes.pythonapi.Py_IncRef(ctypes.py_object(memory))
            return start + places[where] + int(value)
    raise Unknown(f"no symbol {symbol}")


def _relocate(
    code: bytes, section: _Section, base: int, memory: mmap.mmap, start: int, symbols: _Section,
    names: int, places: dict[int, int],
) -> None:  # fmt: skip
    """Writes the addresses that a section of relocations asks for."""
    for i in range(section.size // 24):
        offset, info, more = struct.unpack_from("<QQq", code, section.offset + 24 * i)
        at = symbols.offset + 24 * (info >> 32)
        name, _, _, where, value, _ = struct.unpack_from("<IBBHQQ", code, at)
        kind = info & 0xFFFFFFFF
        if kind not in (_ABSOLUTE, _RELATIVE):
            raise Unknown(f"relocation {kind}")
        if where == _UNDEFINED:
            address = _function(_text(code, names + name))
        elif where in places:
            address = start + places[where] + value
        else:
            raise Unknown(f"section {where}")
        if kind == _RELATIVE:
            address -= start + base + offset
        struct.pack_into("<Q", memory, base + offset, (address + more) & (2**64 - 1))


def _text(code: bytes, at: int) -> str:
    return code[at : code.index(b"\0", at)].decode()


@cache
def _libraries() -> list[Any]:
    return [ctypes.CDLL(None), ctypes.CDLL("libm.so.6")]


def _function(name: str) -> int:
    """The address of a function of the C library or of Python, or of one that was provided."""
    if name in PROVIDED:
        return PROVIDED[name]
    for library in _libraries():
        try:
            found = ctypes.cast(getattr(library, name), ctypes.c_void_p).value
        except AttributeError:
            continue
        if found:
            return found
    raise Unknown(f"function {name}")


def _protect(start: int, size: int) -> None:
    """Makes memory executable, and no longer writable."""
    libc = _libraries()[0]
    libc.mprotect.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
    whole = -(-size // mmap.PAGESIZE) * mmap.PAGESIZE
    if libc.mprotect(start, whole, mmap.PROT_READ | mmap.PROT_EXEC):
        raise Unknown("memory cannot be made executable")
