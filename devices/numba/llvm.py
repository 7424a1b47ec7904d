"""From LLVM IR as text to the address of machine code for this processor.

The IR names its function ``@kernel``; it is given a name of its own here, from the hash of the IR,
the processor and the compiler, under which the code is also kept on disk (:mod:`.cache`). A kernel
of plans is named by the source that writes its IR and by what it is written for.

``TENSORLITE_CPU`` compiles for another processor than this one: "generic", "avx2", "avx512" or a
name that LLVM knows. It is for tests: what this machine lacks it cannot run.
"""

from __future__ import annotations

import os
import platform
import re
import threading
from collections.abc import Callable, Hashable
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from ...errors import OperatorError
from . import objects
from .cache import key, read, write

_FORMAT = "1"  # changes when the same IR is to give other code
# What LLVM may call without being asked, and what threads that wait ask of the system.
_ALLOWED = ("memcpy", "memset", "memmove", "syscall", "sched_yield", "sched_getcpu")
_lock = threading.RLock()
_addresses: dict[str, int] = {}
_counts = {"made": 0, "found": 0}


@dataclass(frozen=True)
class Target:
    """The processor that code is made for."""

    cpu: str
    features: str

    @property
    def lanes(self) -> int:
        """How many float32 numbers its widest vector holds."""
        if "+avx512f" in self.features:
            return 16
        return 8 if "+avx2" in self.features else 4


_AVX512 = "+avx512f,+avx512bw,+avx512dq,+avx512vl,+avx2,+fma"
_NAMED = {
    "generic": ("generic", ""),
    "avx2": ("haswell", "+avx2,+fma"),
    "avx512": ("skylake-avx512", _AVX512),
}


@cache
def target() -> Target:
    """This processor, or the one that TENSORLITE_CPU names."""
    wanted = os.environ.get("TENSORLITE_CPU")
    if wanted:
        return Target(*_NAMED.get(wanted, (wanted, "")))
    cpu, features, _ = _host()
    return Target(cpu, features)


def is_x86() -> bool:
    """Whether the instructions of x86 are at hand."""
    return platform.machine().lower() in ("x86_64", "amd64", "i386", "i686")


def _version() -> str:
    return _host()[2]


@cache
def _host() -> tuple[str, str, str]:
    """The processor, its features and LLVM's version: asked of LLVM once on a machine.

    LLVM's library takes 30 ms and 40 MB; where all kernels are on disk it is not needed.
    """
    name = _host_key()
    kept = read(name) if name else None
    if kept is not None and kept.count(b"\n") == 2:
        cpu, listed, version = kept.decode().split("\n")
        return cpu, listed, version
    import llvmlite
    from llvmlite import binding

    features = binding.get_host_cpu_features()
    listed = ",".join(f"{'+' if on else '-'}{name}" for name, on in sorted(features.items()))
    version = f"{llvmlite.__version__} {binding.llvm_version_info}"
    found = binding.get_host_cpu_name(), listed, version
    if name:
        write(name, "\n".join(found).encode())
    return found


def _host_key() -> str | None:
    """What the answers of LLVM depend on: the processor as Linux describes it, and llvmlite."""
    try:
        described = Path("/proc/cpuinfo").read_text().partition("\n\n")[0]
        spec = find_spec("llvmlite")
        origin = None if spec is None else spec.origin
        version = Path(origin or "").with_name("_version.py").read_text(encoding="utf-8")
    except (OSError, ValueError):
        return None
    lines = [line for line in described.splitlines() if line.split("\t")[0].strip() in _DESCRIBED]
    return key("host", _FORMAT, *lines, version) if lines else None


_DESCRIBED = ("vendor_id", "cpu family", "model", "model name", "stepping", "flags", "Features",
              "CPU implementer", "CPU architecture", "CPU variant", "CPU part")  # fmt: skip


def _machine() -> Any:
    """A new TargetMachine: an engine takes possession of the one it is given."""
    from llvmlite import binding

    _initialize()
    found = target()
    triple = binding.Target.from_triple(binding.get_process_triple())
    return triple.create_target_machine(
        cpu=found.cpu, features=found.features, opt=2, reloc="default", codemodel="jitdefault"
    )


@cache
def _initialize() -> None:
    from llvmlite import binding

    binding.initialize_native_target()
    binding.initialize_native_asmprinter()


@cache
def _engine() -> Any:
    """LLVM's loader, for what ours does not know; it lives as long as the process."""
    from llvmlite import binding

    return binding.create_mcjit_compiler(binding.parse_assembly(""), _machine())


def compiled(ir: str) -> int:
    """The address of the function ``@kernel`` in LLVM IR; compiled only if nobody did before."""
    return _kept(key(_FORMAT, target().cpu, target().features, _version(), ir), lambda: ir)


def made_by(write_ir: Callable[..., str], *given: Hashable) -> int:
    """The address of ``@kernel`` in what a function of this folder writes for arguments.

    It is known by the source of this folder and the arguments, so that IR is written only where
    no machine code is kept.
    """
    maker = f"{write_ir.__module__}.{write_ir.__qualname__}"
    source = _source(write_ir.__module__.rpartition(".")[2])
    name = key(_FORMAT, target().cpu, target().features, _version(), source, maker, repr(given))
    return _kept(name, lambda: write_ir(*given))


@cache
def _source(module: str) -> str:
    """A hash of a module of this folder and of those that it imports from here."""
    texts, wanted = {}, {module}
    while wanted:
        name = wanted.pop()
        path = Path(__file__).with_name(f"{name}.py")
        if name in texts or not path.exists():
            continue
        texts[name] = path.read_text(encoding="utf-8")
        for one, several in _IMPORTS.findall(texts[name]):
            wanted.update([one] if one else several.split(", "))
    return key(*[texts[name] for name in sorted(texts)])


_IMPORTS = re.compile(r"^from \.(?:(\w+) import|[ ]import ([\w, ]+))", re.MULTILINE)


def _kept(name: str, ir: Callable[[], str]) -> int:
    with _lock:
        if name not in _addresses:
            symbol = f"k_{name}"
            code = read(name)
            _counts["made" if code is None else "found"] += 1
            if code is None:
                code = _object(ir().replace("@kernel", f"@{symbol}"))
                write(name, code)
            _addresses[name] = load(symbol, code)
        return _addresses[name]


def made() -> int:
    """How many kernels this process has compiled."""
    return _counts["made"]


def found() -> int:
    """How many kernels this process has found on disk."""
    return _counts["found"]


def load(symbol: str, code: bytes) -> int:
    """The address of a symbol in an object file, which is brought into memory."""
    if objects.loads_here():
        with suppress(objects.Unknown):
            return objects.load(symbol, code)
    from llvmlite import binding

    with _lock:
        engine = _engine()
        for name, place in objects.PROVIDED.items():
            if not binding.address_of_symbol(name):
                binding.add_symbol(name, place)
        engine.add_object_file(binding.ObjectFileRef.from_data(code))
        engine.finalize_object()
        address = int(engine.get_function_address(symbol))
    if not address:
        raise OperatorError(f"the kernel {symbol} is not in its object file")
    return address


def _object(ir: str) -> bytes:
    """An object file for IR. Vector IR written by hand gains nothing from LLVM's passes."""
    from llvmlite import binding

    try:
        module = binding.parse_assembly(ir)
        module.verify()
    except RuntimeError as error:
        raise OperatorError(f"LLVM does not take the IR of a kernel: {error}") from error
    for function in module.functions:
        if function.is_declaration and not function.name.startswith("llvm."):
            if function.name not in _ALLOWED:
                raise OperatorError(f"a kernel calls {function.name!r}, which nothing provides")
    found: bytes = _machine().emit_object(module)
    return found
