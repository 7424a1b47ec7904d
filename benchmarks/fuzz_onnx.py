"""Mutated ONNX models: loading each gives a model or one of tensorlite's own errors.

    python benchmarks/fuzz_onnx.py --mutants 100000
    python benchmarks/fuzz_onnx.py --mutants 2000 --run      # and runs what loads

The models are ONNX's conformance cases; a mutant has bytes, or fields of its messages, changed.
Workers have 1 GB more memory than they start with and 5 seconds a mutant. Anything else than a
model or an error of tensorlite's, a hang, a memory error or a crash, is a finding: it is printed
with its seed, and ``--only SEED`` makes that mutant again.
"""

from __future__ import annotations

import argparse
import random
import resource
import signal
import warnings
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import cache
from typing import Any

import onnx

import tensorlite as tl
from tensorlite.converters.onnx.conformance import _plain, cases
from tensorlite.errors import TensorliteError
from tensorlite.progress import progress

MEMORY, SECONDS, LARGEST = 1 << 30, 5, 100_000
NUMBERS = [0, 1, -1, 2, 7, 127, 255, 2**31 - 1, 2**31, 2**40, 2**60, -(2**63)]
WORDS = [
    "",
    "x",
    "y",
    "Relu",
    "Loop",
    "If",
    "ai.onnx",
    "../../etc/passwd",
    "/dev/zero",
    "\x00",
    "é",
]


@cache
def seeds() -> list[tuple[bytes, list[Any]]]:
    """Small models, and inputs for each."""
    found = []
    for case in cases():
        model, sets = case.read()
        data = model.SerializeToString()
        if len(data) < LARGEST and not case.name.startswith("light"):
            found.append((data, sets[0][0] if sets else []))
    return found


def mutant(seed: int) -> tuple[bytes, list[Any]]:
    """The mutant of that number, the same every time."""
    rng = random.Random(seed)
    data, inputs = rng.choice(seeds())
    if rng.random() < 0.4:
        return changed_bytes(data, rng), inputs
    model = onnx.ModelProto.FromString(data)
    for _ in range(rng.randint(1, 4)):
        change(rng.choice(messages(model)), rng)
    return model.SerializeToString(), inputs


def changed_bytes(data: bytes, rng: random.Random) -> bytes:
    """A few bytes changed, taken out, put in or doubled; or the end cut off."""
    found = bytearray(data)
    for _ in range(rng.randint(1, 4)):
        start, length = rng.randint(0, len(found)), rng.randint(0, 4)
        found[start : start + length] = rng.randbytes(rng.randint(0, 5))
    return bytes(found[: rng.randint(0, len(found))] if rng.random() < 0.1 else found)


def messages(proto: Any) -> list[Any]:
    """The message and all that stand in it."""
    found = [proto]
    for message in found:
        for field, value in message.ListFields():
            if field.message_type is not None:
                found.extend(value if field.is_repeated else [value])
    return found


def change(message: Any, rng: random.Random) -> None:
    """A field cleared or set to something odd, or an entry doubled, dropped or moved."""
    field = rng.choice(list(message.DESCRIPTOR.fields))
    values = getattr(message, field.name)
    if field.is_repeated:
        if not len(values) or rng.random() < 0.2:
            message.ClearField(field.name)
        elif rng.random() < 0.4:
            del values[rng.randrange(len(values))]
        elif field.message_type is not None:
            values.append(rng.choice(list(values)))
        elif field.cpp_type in (field.CPPTYPE_INT32, field.CPPTYPE_INT64):
            values[rng.randrange(len(values))] = number(field, rng)
        else:
            values.append(rng.choice(list(values)))
    elif field.message_type is not None or rng.random() < 0.2:
        message.ClearField(field.name)
    elif field.cpp_type in (field.CPPTYPE_INT32, field.CPPTYPE_INT64):
        setattr(message, field.name, number(field, rng))
    elif field.cpp_type == field.CPPTYPE_ENUM:
        setattr(message, field.name, rng.choice(list(field.enum_type.values)).number)
    elif field.cpp_type == field.CPPTYPE_STRING:
        word = rng.choice(WORDS)
        setattr(message, field.name, word.encode() if field.type == field.TYPE_BYTES else word)


def number(field: Any, rng: random.Random) -> int:
    """An odd number that the field can hold."""
    bits = 31 if field.cpp_type == field.CPPTYPE_INT32 else 63
    return max(-(2**bits), min(rng.choice(NUMBERS), 2**bits - 1))


def outcome(seed: int, run: bool = False) -> str:
    """What comes of a mutant: "model", "ran", "error", or a finding in other words."""
    data, inputs = mutant(seed)
    signal.alarm(SECONDS)
    try:
        model = tl.onnx.load(data)
        if not run:
            return "model"
        model._run(model.bind([_plain(v) for v in inputs], {}))
        return "ran"
    except TensorliteError as error:
        return "error" if str(error) else "an error without a message"
    except BaseException as error:  # a hang, a memory error: whatever comes is a finding
        return f"{type(error).__name__}: {error!s:.200}"
    finally:
        signal.alarm(0)


def prepare() -> None:
    """A worker: its limits, and no warnings."""
    warnings.simplefilter("ignore")
    seeds()

    def late(*_: Any) -> None:
        raise TimeoutError(f"took over {SECONDS} s")

    signal.signal(signal.SIGALRM, late)
    with open("/proc/self/statm") as file:
        size = int(file.read().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (size + MEMORY, size + MEMORY))


def batch(first: int, count: int, run: bool) -> list[str]:
    return [outcome(seed, run) for seed in range(first, first + count)]


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--mutants", type=int, default=10_000)
    parser.add_argument("--first", type=int, default=0, help="the first mutant's seed")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--run", action="store_true", help="run what loads")
    parser.add_argument("--only", type=int, help="one mutant, here, with its traceback")
    options = parser.parse_args()
    if options.only is not None:
        data, inputs = mutant(options.only)
        model = tl.onnx.load(data)
        print(model._run(model.bind([_plain(v) for v in inputs], {})) if options.run else model)
        return 0
    counts: Counter[str] = Counter()
    findings = []
    step = 200
    starts = range(options.first, options.first + options.mutants, step)
    with (
        progress("mutants") as report,
        ProcessPoolExecutor(options.processes, initializer=prepare) as pool,
    ):
        jobs = [pool.submit(batch, start, step, options.run) for start in starts]
        for done, (start, job) in enumerate(zip(starts, jobs, strict=True)):
            try:
                results = job.result()
            except BrokenProcessPool:
                findings.append((start, f"a worker died in one of {step} mutants from here on"))
                break
            for seed, result in enumerate(results, start):
                kind = result if result in ("model", "ran", "error") else "finding"
                counts[kind] += 1
                if kind == "finding":
                    findings.append((seed, result))
            report(done + 1, len(starts))
    for seed, result in findings:
        print(f"--only {seed}: {result}")
    print(", ".join(f"{name} {count:,}" for name, count in counts.most_common()))
    return 1 if findings else 0


if __name__ == "__main__":
    raise SystemExit(main())
