"""Mutated .tlz files: reading each gives what was written or a FileFormatError, nothing else.

    python benchmarks/fuzz_tlz.py --mutants 100000
    python benchmarks/fuzz_tlz.py --mutants 10000 --numpy    # decoded without numba

The files are small, and have every scheme and coder. A mutant has bytes changed; or its directory,
or the planes in a section, are changed and all checksums made anew, so that what they guard is
reached. Workers have 1 GB more memory than they start with and 5 seconds a mutant. A finding is
anything else than a FileFormatError: a hang, a memory error, a crash, another error, or, where no
checksum was made anew, numbers that are not those that were written. It is printed with its seed,
and ``--only SEED`` makes that mutant again.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import signal
import struct
import sys
import tempfile
import warnings
import zlib
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from tensorlite.codec import Checkpoint, floats, huffman, parallel, planes, rans, tables
from tensorlite.codec.directory import DTYPES, HEAD, SUPERBLOCK, aligned
from tensorlite.codec.encoders import Encoded
from tensorlite.codec.writing import writing
from tensorlite.errors import FileFormatError
from tensorlite.progress import progress

VECTORS = Path(__file__).parents[1] / "tests" / "codec" / "vectors" / "schemes.tlz"
MEMORY, SECONDS, ALLOWED = 1 << 30, 5, 1 << 26
NUMBERS = [0, 1, -1, 2, 3, 7, 8, 63, 64, 127, 255, 256, 4095, 65536, 2**31, 2**32 - 1, 2**47, 2**63]
WORDS = ["", "x", "float32", "int4", "stored", "bytes", "floats", "uniform", "codebook", "data",
         "codes", "../../etc/passwd", "\x00", "é", "weight"]  # fmt: skip


@cache
def seeds() -> list[bytes]:
    """A file for each tensor of the test vectors, with a second tensor and a file beside it."""
    found = []
    with Checkpoint(VECTORS) as file, tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x.tlz"
        for entry in file.directory.tensors.values():
            parts = [
                {key: file._section(place).tobytes() for key, place in part.items()}
                for part in entry.parts
            ]
            held = Encoded(entry.dtype, entry.shape, entry.scheme, dict(entry.parameters),
                           entry.rows, parts, entry.sha256, entry.transposed)  # fmt: skip
            with writing(path, {"made": "here"}, threads=1) as writer:
                writer.add_encoded(entry.name, held)
                writer.add("second", np.arange(40, dtype=np.float32))
                writer.add_file("labels", b"cat dog " * 9)
            found.append(path.read_bytes())
    return found


@cache
def wanted(data: bytes) -> dict[str, bytes]:
    """The numbers of a file that is whole."""
    with tempfile.NamedTemporaryFile() as place:
        Path(place.name).write_bytes(data)
        with Checkpoint(place.name) as file:
            return {name: file[name].tobytes() for name in file}


def mutant(seed: int) -> tuple[bytes, dict[str, bytes], set[str] | None]:
    """The mutant of that number, what was in the file, and tensors that may be other numbers.

    The last is None where any may.
    """
    rng = random.Random(seed)
    data = rng.choice(seeds())
    kind = rng.random()
    if kind < 0.4:
        return changed_bytes(data, rng), wanted(data), set()
    directory, start = taken_apart(data)
    if kind < 0.7:
        for _ in range(rng.randint(1, 3)):
            directory = change(directory, rng)
        return put_together(directory, data[start:]), wanted(data), None
    name = rng.choice(list(directory["tensors"]))
    area = bytearray(data[start:])
    for part in directory["tensors"][name]["parts"]:
        for key, (at, size) in part.items():
            section = bytearray(area[at : at + size])
            for _ in range(rng.randint(0, 3)):
                poke(section, rng)
            mend(section, key, directory["tensors"][name])
            area[at : at + size] = section
    return put_together(directory, bytes(area)), wanted(data), {name}


def changed_bytes(data: bytes, rng: random.Random) -> bytes:
    """A few bytes changed, taken out, put in or doubled; or the end cut off."""
    found = bytearray(data)
    for _ in range(rng.randint(1, 4)):
        start = rng.randint(0, len(found)) if rng.random() < 0.7 else rng.randint(0, HEAD)
        length = rng.randint(0, 4)
        found[start : start + length] = rng.randbytes(length if rng.random() < 0.8 else 3)
    return bytes(found[: rng.randint(0, len(found))] if rng.random() < 0.2 else found)


def taken_apart(data: bytes) -> tuple[Any, int]:
    """The directory, and where the data area begins."""
    held = SUPERBLOCK.unpack(data[: SUPERBLOCK.size])
    return json.loads(zlib.decompress(data[HEAD : HEAD + held[7]])), held[8]


def put_together(directory: Any, area: bytes) -> bytes:
    """A file with a directory, all checksums right."""
    text = json.dumps(directory, separators=(",", ":")).encode()
    held = zlib.compress(text, 1)
    start = aligned(HEAD + len(held))
    head = SUPERBLOCK.pack(b"\x89TLZ\r\n\x1a\n", 1, 0, len(text), 0, 0, start + len(area),
                           len(held), start, zlib.crc32(held))  # fmt: skip
    return (head + struct.pack("<I", zlib.crc32(head)) + held).ljust(start, b"\0") + area


def change(value: Any, rng: random.Random) -> Any:
    """The value with something in it changed, dropped, doubled or moved."""
    if isinstance(value, dict) and value and rng.random() < 0.95:
        key = rng.choice(list(value))
        found = dict(value)
        if rng.random() < 0.08:
            del found[key]
        elif rng.random() < 0.08:
            found[rng.choice(WORDS)] = found[key]
        else:
            found[key] = change(found[key], rng)
        return found
    if isinstance(value, list) and value and rng.random() < 0.9:
        items = list(value)
        at = rng.randrange(len(items))
        if rng.random() < 0.2:
            del items[at]
        elif rng.random() < 0.2:
            items.append(items[at])
        else:
            items[at] = change(items[at], rng)
        return items
    odd = [None, True, 1.5, [], {}, [0, 1], rng.choice(WORDS), rng.choice(NUMBERS)]
    if isinstance(value, int) and rng.random() < 0.8:
        return value + rng.choice([-1, 1, 8, 64, *NUMBERS]) if rng.random() < 0.5 else odd[-1]
    if isinstance(value, str) and rng.random() < 0.7:
        return rng.choice([*WORDS, *DTYPES])
    return rng.choice(odd)


def poke(section: bytearray, rng: random.Random) -> None:
    """A byte, or a number of four or eight bytes, somewhere; most often near the start."""
    at = rng.randrange(len(section) if rng.random() < 0.5 else min(len(section), 80))
    width = rng.choice([1, 1, 1, 2, 4, 8])
    number = rng.choice(
        [rng.getrandbits(64), rng.choice(NUMBERS), section[at] + rng.choice([-1, 1])]
    )
    section[at : at + width] = (number % 256**width).to_bytes(width, "little")[: len(section) - at]


def mend(section: bytearray, key: str, entry: Any) -> None:
    """Makes the checksums of a section's planes anew, as far as they can be followed."""
    if entry["scheme"] == "stored":
        return
    width = DTYPES[entry["dtype"]].itemsize
    if entry["scheme"] != "floats":
        at: int | None = 0
        for _ in range(width):  # or fewer: what is no plane is left as it is
            at = mend_plane(section, at)
        return
    at = 1
    if section[0] > 1:
        at = mend_plane(section, 9)
    for _ in range(section[0]):
        at = None if at is None else at + 4
        for _ in range(width):
            at = mend_plane(section, at)


def mend_plane(data: bytearray, at: int | None) -> int | None:
    """Makes the checksums of a plane anew; gives where it ends, None where it cannot be there."""
    if at is None or len(data) - at < 24:
        return None
    _, _, size, block, count, total = struct.unpack_from("<BBHIQQ", data, at)
    blocks = -(-count // max(block, 1))
    directory = at + 24 + size
    place = directory + 8 * blocks + 4
    if place + total > len(data):
        return None
    end = place + total
    for i in range(blocks):
        (length,) = struct.unpack_from("<I", data, directory + 8 * i)
        struct.pack_into(
            "<I", data, directory + 8 * i + 4, zlib.crc32(data[place : place + length])
        )
        place += length
    crc = directory + 8 * blocks
    struct.pack_into("<I", data, crc, zlib.crc32(data[at:crc]))
    return end


def outcome(seed: int) -> str:
    """What comes of a mutant: "read", "error", "error in part", or a finding in other words."""
    data, numbers, changed = mutant(seed)
    place = scratch()
    place.write_bytes(data)
    mode = ("mmap", "read")[seed % 2]
    signal.alarm(SECONDS)
    failed = 0
    try:
        with Checkpoint(place, mode=mode, max_bytes=ALLOWED, partial=seed % 3 == 0) as file:
            for name in file:
                try:
                    found = file[name].tobytes()
                except FileFormatError as error:
                    if name not in str(error) and repr(name)[1:-1] not in str(error):
                        return f"an error that does not name {name!r}: {error}"
                    if changed and name not in changed:
                        return f"{name!r} was not changed, and cannot be had: {error}"
                    failed += 1
                    continue
                if changed is not None and name not in changed and found != numbers.get(name):
                    return f"{name!r} is not what was written"
            broken = file.broken()
            if len(broken) < failed:
                return f"only {len(broken)} of {failed} broken tensors are found"
        return "error in part" if failed else "broken, and found" if broken else "read"
    except FileFormatError as error:
        return "error" if str(error) else "an error without a message"
    except BaseException as error:  # a hang, a memory error: whatever comes is a finding
        return f"{type(error).__name__}: {error!s:.200}"
    finally:
        signal.alarm(0)


@cache
def scratch() -> Path:
    """A file of this process, in memory where there is such a place."""
    folder = "/dev/shm" if os.access("/dev/shm", os.W_OK) else tempfile.gettempdir()
    return Path(tempfile.mkdtemp(prefix="fuzz_tlz_", dir=folder)) / "x.tlz"


def prepare(numpy: bool) -> None:
    """A worker: its limits, and no warnings."""
    warnings.simplefilter("error")
    if numpy:
        for module in (floats, huffman, planes, rans, tables, parallel):
            module.compiles = lambda: False  # type: ignore[attr-defined]
    for data in seeds():
        wanted(data)

    def late(*_: Any) -> None:
        raise TimeoutError(f"took over {SECONDS} s")

    signal.signal(signal.SIGALRM, late)
    with open("/proc/self/statm") as statistics:
        used = int(statistics.read().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + MEMORY, used + MEMORY))


def run(first: int, count: int) -> dict[str, list[int]]:
    """The outcomes of some mutants: what came -> the seeds it came of."""
    found: dict[str, list[int]] = {}
    for seed in range(first, first + count):
        found.setdefault(outcome(seed), []).append(seed)
    scratch().unlink(missing_ok=True)
    return found


GOOD = ("read", "error", "error in part", "broken, and found")


def main() -> None:
    """Runs mutants, prints the counts and the findings."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--mutants", type=int, default=10_000)
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--only", type=int, help="this seed alone")
    parser.add_argument("--processes", type=int, default=os.cpu_count())
    parser.add_argument("--numpy", action="store_true", help="decode without numba")
    options = parser.parse_args()
    if options.only is not None:
        prepare(options.numpy)
        print(outcome(options.only))
        return
    counts: Counter[str] = Counter()
    step, findings = 500, 0
    starts = range(options.first, options.first + options.mutants, step)
    with ProcessPoolExecutor(
        options.processes, initializer=prepare, initargs=(options.numpy,)
    ) as pool:
        jobs = {
            s: pool.submit(run, s, min(step, options.first + options.mutants - s)) for s in starts
        }
        with progress("mutants") as report:
            for done, (start, job) in enumerate(jobs.items()):
                try:
                    for what, seeds_of in job.result().items():
                        counts[what] += len(seeds_of)
                        if what not in GOOD:
                            findings += len(seeds_of)
                            print(f"seeds {seeds_of[:5]}: {what}")
                except BrokenProcessPool:
                    sys.exit(f"a worker died at seeds {start} to {start + step}")
                report(done + 1, len(jobs))
    print(f"{options.mutants} mutants: " + ", ".join(f"{counts[what]} {what}" for what in GOOD))
    print(f"{findings} findings")
    sys.exit(bool(findings))


if __name__ == "__main__":
    main()
