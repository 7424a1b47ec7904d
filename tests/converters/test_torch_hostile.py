"""PyTorch files made to do harm, or broken: one named error each, and nothing runs."""

from __future__ import annotations

import io
import pickle
import pickletools
import struct
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tensorlite import errors
from tensorlite.converters import torch_pickle
from tensorlite.converters.torch import read_torch
from tensorlite.converters.torch_objects import StorageType, TorchObjects
from tensorlite.converters.torch_pickle import Function, Unpickler

MAGIC = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."
HEADER = MAGIC + pickle.dumps(1001, 2) + pickle.dumps({"little_endian": True}, 2)


def text(value: str) -> bytes:
    raw = value.encode()
    return b"X" + struct.pack("<I", len(raw)) + raw


def glob(name: str) -> bytes:
    module, _, last = name.rpartition(".")
    return f"c{module}\n{last}\n".encode()


def call(name: str, *arguments: bytes) -> bytes:
    return glob(name) + b"(" + b"".join(arguments) + b"tR"


def storage(elements: int = 4, kind: str = "torch.FloatStorage", key: str = "0") -> bytes:
    return b"(" + text("storage") + glob(kind) + text(key) + text("cpu") + number(elements) + b"tQ"


def number(value: int) -> bytes:
    return pickle.dumps(value, 2)[2:-1]


def sizes(*values: int) -> bytes:
    return b"(" + b"".join(map(number, values)) + b"t"


def tensor(offset: bytes, size: bytes, stride: bytes, under: bytes | None = None) -> bytes:
    return call(
        "torch._utils._rebuild_tensor_v2", under or storage(), offset, size, stride, b"\x89", b"N"
    )


def zipped(pickled: bytes, data: dict[str, bytes] | None = None, **options: Any) -> bytes:
    """A file of the zip kind; one storage of four float32 unless ``data`` says otherwise."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", **options) as archive:
        archive.writestr("archive/data.pkl", pickled)
        for name, content in ({"data/0": bytes(16)} if data is None else data).items():
            archive.writestr(f"archive/{name}", content)
    return out.getvalue()


def legacy(pickled: bytes, keys: tuple[str, ...] = ("0",), raw: bytes | None = None) -> bytes:
    body = struct.pack("<q", 4) + bytes(16) if raw is None else raw
    return HEADER + pickled + pickle.dumps(list(keys), 2) + body


def read(content: bytes, path: Path) -> Any:
    path.write_bytes(content)
    return read_torch(path)


@pytest.fixture
def refuse(tmp_path: Path) -> Any:
    """Asserts that a pickle is refused in both kinds of files; gives the messages."""

    def run(pickled: bytes, kind: type[Exception] = errors.FileFormatError) -> str:
        messages = []
        for content in (zipped(pickled), legacy(pickled)):
            with pytest.raises(kind) as caught:
                read(content, tmp_path / "bad.pth")
            message = str(caught.value)
            assert "bad.pth: " in message and len(message) < 1500
            messages.append(message)
        return "\n".join(messages)

    return run


# -- code ---------------------------------------------------------------------------------------

HARM = [
    "os.system",
    "posix.system",
    "nt.system",
    "subprocess.Popen",
    "subprocess.check_output",
    "builtins.eval",
    "builtins.exec",
    "builtins.getattr",
    "builtins.__import__",
    "builtins.open",
    "builtins.compile",
    "__builtin__.eval",
    "__builtin__.getattr",
    "builtins.object.__subclasses__",
    "builtins.list",
    "builtins.type",
    "importlib.import_module",
    "runpy._run_code",
    "pickle.loads",
    "_pickle.loads",
    "shutil.rmtree",
    "pathlib.Path",
    "ctypes.CDLL",
    "functools.partial",
    "operator.attrgetter",
    "types.FunctionType",
    "marshal.loads",
    "code.InteractiveInterpreter",
    "webbrowser.open",
    "pydoc.pipepager",
    "timeit.timeit",
    "cProfile.run",
    "sys.modules",
    "torch.load",
    "torch.hub.load",
    "torch.storage._load_from_bytes",
    "torch.utils._config_module.load_config",
    "torch._inductor.codecache.compile_file",
    "torch._utils._import_dotted_name",
    "torch.nn.modules.module.Module",
    "numpy.core.multiarray.fromfile",
    "numpy.f2py.capi_maps.eval",
    "numpy.testing._private.utils.runstring",
    "numpy.core._multiarray_umath.add_docstring",
    "numpy.load",
    "tensorlite.fetch.fetch",
    "torchvision.models.resnet.ResNet",
    "collections.OrderedDict.fromkeys",
    "collections.defaultdict",
    "argparse.Namespace",
    "copyreg._reconstructor",
    "_codecs.decode",
    "codecs.open",
]


@pytest.mark.parametrize("name", HARM)
def test_names_are_refused(name: str, refuse: Any) -> None:
    shown = name.replace("__builtin__.", "builtins.")
    message = refuse(b"\x80\x02" + call(name, text("true")) + b".")
    assert repr(shown) in message
    module, _, last = name.rpartition(".")
    message = refuse(b"\x80\x04" + text(module) + text(last) + b"\x93" + text("1") + b"\x85R.")
    assert repr(shown) in message


@pytest.mark.parametrize("name", ["os.system", "torchvision.models.resnet.ResNet"])
def test_unknown_names_are_unsafe(name: str, refuse: Any) -> None:
    message = refuse(glob(name) + b".", errors.UnsafeFileError)
    assert "only tensors and plain containers are read" in message and "state_dict" in message


def test_the_table_of_names_holds_nothing_that_acts() -> None:
    for name, value in TorchObjects(None, lambda a: a, lambda d: d).names.items():  # type: ignore[arg-type]
        if isinstance(value, Function):
            assert value.name == name
            assert getattr(value.call, "__module__", "").startswith("tensorlite.converters.torch")
        else:
            assert isinstance(value, StorageType | np.dtype)


def test_chains_of_getattr_are_refused(refuse: Any) -> None:
    chain = call("builtins.getattr", call("builtins.__import__", text("os")), text("system"))
    message = refuse(b"\x80\x02" + chain + text("true") + b"\x85R.", errors.UnsafeFileError)
    assert "'builtins.getattr'" in message


@pytest.mark.parametrize("place", range(5))
def test_code_in_any_pickle_of_a_legacy_file(place: int, tmp_path: Path) -> None:
    parts = [MAGIC, pickle.dumps(1001, 2), pickle.dumps({}, 2), b"N.", pickle.dumps([], 2)]
    evil = b"\x80\x02" + call("os.system", text("true")) + b"."
    # The kind is known by its magic number, which is kept where the first pickle is the evil one.
    parts[place] = (b"\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19" if place == 0 else b"") + evil
    with pytest.raises(errors.UnsafeFileError, match=r"'os\.system'"):
        read(b"".join(parts), tmp_path / "x.pth")


def test_states_set_no_attributes(tmp_path: Path) -> None:
    ordered = call("collections.OrderedDict") + b"}("
    state = b"".join(text(k) + text("x") for k in ("items", "__class__", "keys", "_metadata"))
    got = read(zipped(ordered + state + b"ub."), tmp_path / "x.pt")
    assert vars(got) == {} and list(got.items()) == []


@pytest.mark.parametrize(
    "target",
    [b"]", b"}", b"N", b"(t", text("a"), glob("torch.FloatStorage"), storage(), glob("torch.Size"),
     tensor(b"K\0", sizes(4), sizes(1)), call("collections.Counter"), call("builtins.set")],
)  # fmt: skip
def test_nothing_else_takes_a_state(target: bytes, refuse: Any) -> None:
    refuse(b"\x80\x02" + target + b"}" + text("x") + b"K\x01sb.")


JUNK = [b"", b"N", b"K\x01", b"J\xff\xff\xff\xff", b"G" + struct.pack(">d", 1.5), text("a"), b"]",
        b"}", b")", b"C\x01a", b"\x88", storage(), glob("torch.Size"), glob("torch.FloatStorage"),
        tensor(b"K\0", sizes(4), sizes(1)), b"\x8a\xff" + b"\x7f" * 255, sizes(2, 2),
        call("numpy.dtype", text("f4"))]  # fmt: skip


def test_allowed_functions_with_wrong_arguments(tmp_path: Path) -> None:
    names = TorchObjects(None, lambda a: a, lambda d: d).names  # type: ignore[arg-type]
    tried = 0
    for name, value in names.items():
        for junk in JUNK:
            for count in range(1, 9) if isinstance(value, Function) else (1,):
                for code in (b"R", b"\x81"):
                    pickled = glob(name) + b"(" + junk * count + b"t" + code + b"."
                    tried += 1
                    try:
                        run(pickled)
                    except errors.FileFormatError:
                        continue
    assert tried > 5000


def run(pickled: bytes) -> Any:
    """What a pickle gives beside one storage of 16 bytes, without a file around it."""
    from tensorlite.converters.torch_objects import Storage

    under = Storage(np.zeros(16, np.uint8))
    objects = TorchObjects(lambda key, kind, size, view: under, lambda a: a, lambda d: d)
    return Unpickler(pickled, objects).load()


def test_no_module_is_imported_and_nothing_runs(tmp_path: Path) -> None:
    """Under an audit hook, which Python calls before imports, exec, processes and open files."""
    for index, name in enumerate(HARM):
        evil = b"\x80\x02" + call(name, text(f"touch {tmp_path}/ran")) + b"."
        (tmp_path / f"{index}.pt").write_bytes(zipped(evil))
        (tmp_path / f"{index}.pth").write_bytes(legacy(evil))
    fine = b"\x80\x02" + tensor(b"K\0", sizes(2, 2), sizes(2, 1)) + b"."
    (tmp_path / "fine.pt").write_bytes(zipped(fine))
    (tmp_path / "fine.pth").write_bytes(legacy(fine))
    program = """
import pathlib, sys
from tensorlite.errors import FileFormatError
from tensorlite.converters.torch import read_torch
files = sorted(pathlib.Path(sys.argv[1]).glob("*.pt*"))
read_torch(sys.argv[1] + "/fine.pt"), read_torch(sys.argv[1] + "/fine.pth")
events = set()
sys.addaudithook(lambda event, args: events.add(
    event if event != "open" else "open for writing" if set(str(args[1])) & set("wax+") else "open"
))
read, refused = 0, 0
for file in files:
    try:
        read_torch(file)
        read += 1
    except FileFormatError:
        refused += 1
print(read, refused, *sorted(events))
"""
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path)], capture_output=True, text=True, check=True
    )
    read_files, refused, *events = done.stdout.split()
    assert (int(read_files), int(refused)) == (2, 2 * len(HARM))
    assert set(events) <= {"open", "mmap.__new__"}, events
    assert not (tmp_path / "ran").exists()


# -- broken pickles -----------------------------------------------------------------------------


@pytest.mark.parametrize("opcode", pickletools.opcodes, ids=lambda opcode: opcode.name)
def test_every_instruction_alone(opcode: Any, refuse: Any) -> None:
    code = opcode.code.encode("latin-1")
    if code != b".":
        refuse(b"\x80\x02" + code)
    # Filled up with zeros for its argument: a value, or an error.
    for before in (b"", b"N", b"(", b"N(", b"](", b"}(N", b"]N", b"}NN"):
        try:
            run(b"\x80\x02" + before + code + b"\0" * 8 + b".")
        except errors.FileFormatError:
            pass


@pytest.mark.parametrize(
    ("pickled", "says"),
    [
        (b".", "a value that is not there"),
        (b"", "it ends"),
        (b"(.", "a value that is not there"),
        (b"0.", "a value that is not there"),
        (b"N(00.", "a value that is not there"),
        (b"t.", "a mark that is not there"),
        (b"h\x05.", "memo 5 was never filled"),
        (b"j\xff\xff\xff\xff.", "never filled"),
        (b"NNR.", "calls a NoneType"),
        (glob("torch.Size") + b"]R.", "with a list"),
        (b"NNa.", "fills a NoneType"),
        (b"](K\x01K\x01u.", "fills a list"),
        (b"}(K\x01u.", "a key without a value"),
        (b"}]Ns.", "a list as a key"),
        (b"}((Nttt.", "a mark that is not there"),
        (b"})\x85Ns.", "a tuple as a key"),
        (b"](]e\x90.", "a mark that is not there"),
        (b"(]\x91.", "a list as a key"),
        (b"X\xff\xff\xff\xffabc", "it ends where 4294967295"),
        (b"\x8d" + b"\xff" * 8 + b"abc", "it ends where"),
        (b"\x8e" + b"\xff" * 8 + b"abc", "it ends where"),
        (b"\x96" + b"\xff" * 8 + b"abc", "it ends where"),
        (b"B\xff\xff\xff\x7f", "it ends where"),
        (b"T\xff\xff\xff\xffabc", "a text of -1 bytes"),
        (b"\x8b\xff\xff\xff\x7f", "an integer of 2147483647 bytes"),
        (b"\x8b\xff\xff\xff\xff", "an integer of -1 bytes"),
        (b"\x95" + b"\xff" * 8 + b"N.", "longer than the file"),
        (b"X\x01\0\0\0\xff.", "not UTF-8"),
        (b"cos\nsystem", "a name without an end"),
        (b"cos\n" + b"s" * 5000 + b"\n.", "a name without an end"),
        (b"c\xff\nx\n.", "not UTF-8"),
        (b"NN\x93.", "a name that is no text"),
        (b"I1\n.", "none that weights need"),
        (b"Fnan\n.", "none that weights need"),
        (b"ios\nsystem\n(.", "none that weights need"),
        (b"\x82\x01.", "none that weights need"),
        (b"P1\n.", "none that weights need"),
        (b"NQ.", "no storage"),
        (text("storage") + b"\x85Q.", "no storage"),
        (text("module") + b"NNNNtQ.", "a mark"),
        (b"(" + text("module") + b"NNNNtQ.", "no storage"),
        (b"(" + text("storage") + b"NNNNtQ.", "without a known type"),
        (storage(-1) + b".", "no number of elements"),
        (storage(2**70) + b".", "no number of elements"),
        (storage(2**60) + b".", "bytes"),
        (storage(5) + b".", "bytes"),
        (storage(3, "torch.DoubleStorage") + b".", "bytes"),
        (storage(4, "torch.FloatStorage2") + b".", "FloatStorage2"),
        (call("builtins.bytearray", number(2**40)) + b".", "does not take"),
        (call("builtins.bytes", number(2**40)) + b".", "does not take"),
        (call("builtins.set", b"](]e") + b".", "a list as a key"),
        (call("_codecs.encode", text("a"), text("zlib")) + b".", "does not take"),
        (call("_codecs.encode", text("\u0100"), text("latin1")) + b".", "does not take"),
        (call("numpy.dtype", text("O")) + b".", "plain numbers"),
        (call("numpy.dtype", text("V1000000000")) + b".", "plain numbers"),
        (call("numpy.dtype", text("f4,O")) + b".", "plain numbers"),
        (call("numpy.core.multiarray.scalar", call("numpy.dtype", text("f4")), b"C\x01a") + b".",
         "expected 4 bytes"),
        (call("torch._tensor._rebuild_from_type_v2", glob("torch.Size"), b"NNN") + b".",
         "a function that rebuilds"),
    ],
)  # fmt: skip
def test_broken_pickles(pickled: bytes, says: str, refuse: Any) -> None:
    assert says in refuse(b"\x80\x02" + pickled)


@pytest.mark.parametrize(
    "state",
    [b"N", b")", sizes(1, 2), b"(K\x01)" + call("numpy.dtype", text("f4")) + b"\x89C\x08aaaaaaaat",
     b"(K\x01" + sizes(-1) + call("numpy.dtype", text("f4")) + b"\x89C\x00t",
     b"(K\x01" + sizes(2**61) + call("numpy.dtype", text("f4")) + b"\x89C\x00t",
     b"(K\x01" + sizes(*[2] * 70) + call("numpy.dtype", text("f4")) + b"\x89C\x00t",
     b"(K\x01" + sizes(1) + b"N\x89](Net", b"(K\x01" + sizes(1) + text("O") + b"\x89](Net",
     b"(K\x01" + sizes(1) + call("numpy.dtype", text("b1")) + b"\x89C\x01\x07t"],
)  # fmt: skip
def test_broken_numpy_arrays(state: bytes, refuse: Any) -> None:
    array = call("numpy._core.multiarray._reconstruct", glob("numpy.ndarray"), sizes(0), b"C\x01b")
    refuse(b"\x80\x02" + array + state + b"b.")


# -- broken tensors -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("offset", "size", "stride"),
    [
        (number(0), sizes(5), sizes(1)),
        (number(1), sizes(4), sizes(1)),
        (number(4), sizes(1), sizes(1)),
        (number(0), sizes(2), sizes(4)),
        (number(3), sizes(2), sizes(-1)),
        (number(-1), sizes(1), sizes(1)),
        (number(0), sizes(-1), sizes(1)),
        (number(0), sizes(-2, -2), sizes(1, 1)),
        (number(0), sizes(2**61, 2**61), sizes(0, 0)),
        (number(0), sizes(2**40, 2**40), sizes(0, 0)),
        (number(0), sizes(1), sizes(2**61)),
        (number(2**63), sizes(1), sizes(1)),
        (number(0), sizes(2**64), sizes(1)),
        (number(0), sizes(0, 2**62), sizes(1, 1)),
        (number(0), sizes(0, 2**61, 2**61), sizes(1, 1, 1)),
        (number(0), sizes(2, 2), sizes(1)),
        (number(0), sizes(*[1] * 65), sizes(*[1] * 65)),
        (b"N", sizes(1), sizes(1)),
        (b"\x88", sizes(1), sizes(1)),
        (number(0), b"N", sizes(1)),
        (number(0), text("aa"), text("aa")),
        (number(0), b"(\x88t", sizes(1)),
        (number(0), sizes(1), b"(Nt"),
    ],
)
def test_tensors_outside_of_their_storage(
    offset: bytes, size: bytes, stride: bytes, refuse: Any
) -> None:
    refuse(b"\x80\x02" + tensor(offset, size, stride) + b".")


def test_the_same_storage_with_two_lengths(refuse: Any) -> None:
    refuse(b"\x80\x02" + storage(4) + storage(2) + b"\x86.")


def test_bools_are_zero_or_one(tmp_path: Path) -> None:
    for kind, elements in (("torch.BoolStorage", 16), ("torch.storage.UntypedStorage", 16)):
        under = storage(elements, kind)
        v2 = tensor(b"K\0", sizes(16), sizes(1), under)
        v3 = call("torch._utils._rebuild_tensor_v3", under, b"K\0", sizes(16), sizes(1), b"\x89",
                  b"N", glob("torch.bool"))  # fmt: skip
        for pickled in (v2, v3) if "Bool" in kind else (v3,):
            for content in (
                zipped(pickled + b".", {"data/0": b"\x02" * 16}),
                legacy(pickled + b".", raw=struct.pack("<q", 16) + b"\x02" * 16),
            ):
                with pytest.raises(errors.FileFormatError):
                    read(content, tmp_path / "x.pt")


# -- bombs --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "open_, close", [(b"(", b"t"), (b"(", b"l"), (b"(K\1", b"d"), (b"N", b"\x85")]
)
def test_deep_nesting(open_: bytes, close: bytes, tmp_path: Path) -> None:
    depth = 100_000
    if open_ == b"N":
        pickled = b"N" + close * depth + b"."
    else:
        pickled = open_ * depth + b"N" * (close == b"d") + close * depth + b"."
    got = read(zipped(b"\x80\x02" + pickled), tmp_path / "x.pt")
    for _ in range(100):
        got = got[1] if isinstance(got, dict) else got[0]


def test_deep_tuples_as_keys(refuse: Any) -> None:
    refuse(b"\x80\x02}N" + b"\x85" * 100_000 + b"Ns.")


def test_a_tensor_of_endless_length_is_not_walked_through(refuse: Any) -> None:
    endless = tensor(b"K\0", sizes(2**59), sizes(0))
    for name in ("builtins.set", "collections.OrderedDict", "torch.Size", "numpy.dtype"):
        refuse(b"\x80\x02" + call(name, endless) + b".")
    refuse(b"\x80\x02}" + endless + b"Ns.")
    refuse(b"\x80\x02" + call("_codecs.encode", text("a"), endless) + b".")


@pytest.mark.parametrize("name", ["builtins.set", "builtins.frozenset", "builtins.bytearray"])
def test_copies_without_end(name: str, refuse: Any) -> None:
    items = b"B" + struct.pack("<I", 5000) + b"a" * 5000
    if name != "builtins.bytearray":
        items = b"](" + b"K\1" * 5000 + b"e"
    again = glob(name) + b"h\0\x85R0"
    assert "over and over" in refuse(b"\x80\x02" + items + b"q\x00" + again * 1000 + b".")


def test_states_copied_without_end(refuse: Any) -> None:
    raw = b"B" + struct.pack("<I", 8000) + bytes(8000)
    dtype = call("numpy.dtype", text("u1"))
    state = b"(K\x01" + sizes(8000) + dtype + b"\x89" + raw + b"tq\x00"
    array = call("numpy.core.multiarray._reconstruct", glob("numpy.ndarray"), sizes(0), b"C\x01b")
    assert "over and over" in refuse(b"\x80\x02" + state + (array + b"h\0b") * 300 + b".")


def test_keys_that_can_collide_are_few(monkeypatch: pytest.MonkeyPatch, refuse: Any) -> None:
    monkeypatch.setattr(torch_pickle, "MAX_TUPLE_KEYS", 10)
    refuse(b"\x80\x02}(" + b"".join(b"K" + bytes([i]) + b"\x85N" for i in range(20)) + b"u.")
    refuse(b"\x80\x02}" + sizes(*range(17)) + b"Ns.")
    refuse(b"\x80\x02}" + number(2**64) + b"Ns.")


def test_the_number_of_instructions_is_bounded(
    monkeypatch: pytest.MonkeyPatch, refuse: Any
) -> None:
    monkeypatch.setattr(torch_pickle, "MAX_INSTRUCTIONS", 1000)
    assert "instructions" in refuse(b"\x80\x02" + b"N0" * 1000 + b"N.")
    monkeypatch.setattr(torch_pickle, "MAX_CALLS", 10)
    for large in (b"\x8f", call("collections.OrderedDict")):
        assert "more than 10 calls" in refuse(b"\x80\x02" + large * 20 + b".")


# -- broken archives ----------------------------------------------------------------------------

FINE = b"\x80\x02" + tensor(b"K\0", sizes(2, 2), sizes(2, 1)) + b"."


def both() -> list[bytes]:
    return [
        zipped(FINE, {"byteorder": b"little", "data/0": bytes(range(16))}),
        legacy(FINE, raw=struct.pack("<q", 4) + bytes(range(16))),
    ]


def test_fine_ones_are_read(tmp_path: Path) -> None:
    for content in both():
        got = read(content, tmp_path / "x.pt")
        np.testing.assert_array_equal(got.reshape(-1).view("u1"), np.arange(16))


@pytest.mark.parametrize("kind", [0, 1], ids=["zip", "legacy"])
def test_cut_off_anywhere(kind: int, tmp_path: Path) -> None:
    content = both()[kind]
    for length in range(len(content)):
        with pytest.raises(errors.FileFormatError, match="x.pt: "):
            read(content[:length], tmp_path / "x.pt")


@pytest.mark.parametrize("kind", [0, 1], ids=["zip", "legacy"])
@settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_changed_bytes(kind: int, data: st.DataObject, tmp_path: Path) -> None:
    content = bytearray(both()[kind])
    places = st.lists(st.integers(0, len(content) - 1), min_size=1, max_size=4)
    for place in data.draw(places):
        content[place] = data.draw(st.integers(0, 255))
    try:
        read(bytes(content), tmp_path / "x.pt")
    except errors.FileFormatError as error:
        assert "x.pt: " in str(error)


@settings(max_examples=500, deadline=None)
@given(st.lists(st.sampled_from([*JUNK, *(o.code.encode("latin-1") for o in pickletools.opcodes)])))
def test_programs_of_random_instructions(parts: list[bytes]) -> None:
    try:
        run(b"".join(parts) + b".")
    except errors.FileFormatError:
        pass


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "no file of PyTorch's"),
        (b"hello", "no file of PyTorch's"),
        (zipped(b"N.", {"other": b""}).replace(b"data.pkl", b"data.pk_"), "none of PyTorch's"),
        (zipped(FINE, {"data/1": bytes(16)}), "storage '0' is missing"),
        (zipped(FINE, {"data/0": bytes(12)}), "has 12 bytes, not 16"),
        (zipped(FINE, {"data/0": bytes(16), "byteorder": b"middle"}), "byte order is 'middle'"),
        (zipped(FINE, {"data/0": bytes(16), "constants.pkl": b""}), "TorchScript"),
        (zipped(FINE, compression=zipfile.ZIP_DEFLATED), "compressed"),
        (zipped(FINE).replace(bytes(16), bytes(15) + b"\1"), "CRC"),
        (legacy(FINE, keys=()), "list of storages"),
        (legacy(FINE, keys=("0", "0")), "list of storages"),
        (legacy(FINE, keys=("0", "1")), "list of storages"),
        (legacy(FINE, raw=struct.pack("<q", 5) + bytes(20)), "has 5 elements"),
        (legacy(FINE, raw=struct.pack("<q", -4) + bytes(16)), "has -4 elements"),
        (HEADER + FINE + b"N." + bytes(24), "list of storages"),
        (MAGIC + pickle.dumps(1002, 2), "protocol version"),
        (MAGIC + b"\x88.", "protocol version"),
        (b"\x80\x02}X\x01\0\0\0al" + b"\xfc\x9cF\xf9 j\xa8P\x19" + b"s.", "pickle"),
        (pickle.dumps({"a": 1}, 2), "torch.save did not write"),
        (pickle.dumps({"a": 1}, 5), "torch.save did not write"),
        (b"\0" * 257 + b"ustar" + b"\0" * 300, "tar archive"),
    ],
)  # fmt: skip
def test_broken_files(content: bytes, says: str, tmp_path: Path) -> None:
    with pytest.raises(errors.FileFormatError) as caught:
        read(content, tmp_path / "x.pt")
    assert says in str(caught.value)


def test_entries_on_top_of_each_other(tmp_path: Path) -> None:
    content = bytearray(zipped(FINE, {"data/0": bytes(16), "data/1": bytes(16)}))
    first = content.index(b"PK\1\2", content.index(b"PK\1\2") + 4)
    second = content.index(b"PK\1\2", first + 4)
    content[second + 42 : second + 46] = content[first + 42 : first + 46]
    with pytest.raises(errors.FileFormatError):
        read(bytes(content), tmp_path / "x.pt")


@pytest.mark.parametrize("size", [0, 1, 15, 17, 2**20, 2**31, 2**32 - 2])
def test_entries_of_other_sizes_than_theirs(size: int, tmp_path: Path) -> None:
    content = bytearray(zipped(FINE, {"data/0": bytes(16)}))
    place = content.index(b"PK\1\2", content.index(b"PK\1\2") + 4)
    for where in (20, 24):  # compressed and uncompressed
        content[place + where : place + where + 4] = struct.pack("<I", size)
    with pytest.raises(errors.FileFormatError):
        read(bytes(content), tmp_path / "x.pt")


def test_what_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="this is a folder"):
        read_torch(tmp_path)
    with pytest.raises(FileNotFoundError):
        read_torch(tmp_path / "missing.pt")
