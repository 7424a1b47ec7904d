"""compress, decompress, verify, inspect and run on .tlz files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from click.testing import CliRunner
from onnx import TensorProto, helper, numpy_helper

import tensorlite as tl
from tensorlite.cli import group, main
from tensorlite.codec import Checkpoint
from tensorlite.converters.safetensors import read_metadata
from tensorlite.errors import FileFormatError, TensorliteError, UnsafeFileError


def run(*args: Any) -> tuple[int, str]:
    """Exit code and all that was printed."""
    found = CliRunner().invoke(group, [str(a) for a in args])
    if isinstance(found.exception, TensorliteError):
        raise found.exception
    return found.exit_code, found.output


def flat(text: str) -> str:
    return " ".join(text.split())


def network(external: Path | None = None) -> onnx.ModelProto:
    """Weights as initializers, in a Constant, in a branch of an If, and in few bits."""
    random = np.random.default_rng(0)
    held = {
        "w": random.standard_normal((64, 48)).astype(np.float32),
        "b": random.standard_normal(48).astype(np.float32),
        "scale": np.array(2, np.float32),
    }
    constant = numpy_helper.from_array(random.standard_normal((48, 32)).astype(np.float32))
    inner = numpy_helper.from_array(random.standard_normal((32, 32)).astype(np.float32), "w")
    four = helper.make_tensor("four", TensorProto.INT4, [300], [i % 15 - 7 for i in range(300)])
    branches = [
        helper.make_graph(
            [helper.make_node("MatMul", ["h2", "w"], [name])], name, [],
            [helper.make_tensor_value_info(name, TensorProto.FLOAT, None)], [inner],
        )
        for name in ("then", "else")
    ]  # fmt: skip
    nodes = [
        helper.make_node("MatMul", ["x", "w"], ["h0"]),
        helper.make_node("Add", ["h0", "b"], ["h1"]),
        helper.make_node("Constant", [], ["c"], value=constant),
        helper.make_node("MatMul", ["h1", "c"], ["h2"]),
        helper.make_node("Greater", ["scale", "zero"], ["yes"]),
        helper.make_node("If", ["yes"], ["y"], then_branch=branches[0], else_branch=branches[1]),
    ]
    weights = [numpy_helper.from_array(value, name) for name, value in held.items()]
    graph = helper.make_graph(
        nodes, "network", [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 64])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        [*weights, numpy_helper.from_array(np.array(0, np.float32), "zero"), four],
    )  # fmt: skip
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    onnx.save(network(), tmp_path / "net.onnx")
    return tmp_path / "net.onnx"


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    random = np.random.default_rng(0)
    tl.save(
        {"layer.weight": random.standard_normal((64, 96)).astype(np.float32),
         "layer.bias": random.standard_normal(64).astype(np.float32), "steps": np.arange(5)},
        tmp_path / "net.safetensors", metadata={"format": "pt"},
    )  # fmt: skip
    return tmp_path / "net.safetensors"


def test_a_model_there_and_back(model: Path) -> None:
    code, text = run("compress", model, "--lossless")
    assert code == 0 and "it holds its ONNX graph" in text
    code, text = run("decompress", model.with_suffix(".tlz"), "-o", model.with_name("back.onnx"))
    assert code == 0 and "back.onnx" in text
    assert onnx.load(model.with_name("back.onnx")) == onnx.load(model)
    with Checkpoint(model.with_suffix(".tlz")) as file:
        assert file.keys() == ["w", "b", "c", "w#2", "w#3"]


def test_external_data_is_taken_in(model: Path, tmp_path: Path) -> None:
    proto = network()
    (tmp_path / "data").mkdir()
    onnx.save(proto, tmp_path / "data" / "ext.onnx", save_as_external_data=True,
              size_threshold=0, convert_attribute=True)  # fmt: skip
    run("compress", tmp_path / "data" / "ext.onnx", "-o", tmp_path / "x.tlz")
    run("decompress", tmp_path / "x.tlz")
    x = np.random.default_rng(0).standard_normal((3, 64)).astype(np.float32)
    a, b = (tl.onnx.load(place).run({"x": x})["y"] for place in (model, tmp_path / "x.onnx"))
    np.testing.assert_array_equal(a.numpy(), b.numpy())


@pytest.mark.parametrize("options", [["--lossless"], ["--bits", "8"]])
def test_models_are_run_as_they_are(model: Path, tmp_path: Path, options: list[str]) -> None:
    x = np.random.default_rng(0).standard_normal((3, 64)).astype(np.float32)
    np.save(tmp_path / "in.npy", x)
    code, text = run("compress", model, "-o", tmp_path / "small.tlz", *options)
    assert code == 0 and (tmp_path / "small.tlz").stat().st_size < model.stat().st_size
    arguments = [tmp_path / "small.tlz", tmp_path / "in.npy", "--output", tmp_path / "y.npy"]
    code, text = run("run", *arguments, "--device", "cpu")
    assert code == 0 and "y: float32 [3, 32]" in text
    session = pytest.importorskip("onnxruntime").InferenceSession(str(model))
    (wanted,) = session.run(None, {"x": x})
    error = np.abs(np.load(tmp_path / "y.npy") - wanted).max() / np.abs(wanted).max()
    assert error < (1e-5 if options == ["--lossless"] else 0.02)
    module = tl.onnx.load(tmp_path / "small.tlz", device="cpu")
    np.testing.assert_array_equal(module(x).numpy(), np.load(tmp_path / "y.npy"))


@pytest.mark.parametrize("bits", [4, 8])
@pytest.mark.parametrize("symmetric", [[], ["--symmetric"]])
def test_products_stay_quantised_in_onnx(tmp_path: Path, bits: int, symmetric: list[str]) -> None:
    random = np.random.default_rng(0)
    text = """<ir_version: 8, opset_import: ["": 17]>
        g (float[n, 80] x) => (float[n, 50] y) <float[80, 96] a, float[96, 50] b>
        { h = MatMul(x, a)  k = Relu(h)  y = MatMul(k, b) }"""
    proto = onnx.parser.parse_model(text.replace("<float[80, 96] a, float[96, 50] b>", ""))
    for name, shape in (("a", (80, 96)), ("b", (96, 50))):
        array = random.standard_normal(shape).astype(np.float32)
        proto.graph.initializer.append(numpy_helper.from_array(array, name))
    onnx.save(proto, tmp_path / "net.onnx")
    run("compress", tmp_path / "net.onnx", "--bits", bits, *symmetric)
    with Checkpoint(tmp_path / "net.tlz") as file:
        assert file.entry("a").transposed and file.entry("b").transposed
    tlz, small = tmp_path / "net.tlz", tmp_path / "small.onnx"
    assert run("decompress", tlz, "-o", small, "--quantized")[0] == 0
    assert run("decompress", tlz, "-o", tmp_path / "large.onnx")[0] == 0
    assert [n.op_type for n in onnx.load(small).graph.node] == [
        "MatMulNBits",
        "Relu",
        "MatMulNBits",
    ]
    assert small.stat().st_size < 0.5 * (tmp_path / "large.onnx").stat().st_size
    x = random.standard_normal((3, 80)).astype(np.float32)
    wanted = tl.onnx.load(tlz, device="cpu")(x).numpy()
    np.testing.assert_allclose(tl.onnx.load(small, device="cpu")(x).numpy(), wanted, 1e-4, 1e-3)
    session = pytest.importorskip("onnxruntime").InferenceSession(str(small))
    np.testing.assert_allclose(session.run(None, {"x": x})[0], wanted, 1e-4, 1e-3)


def test_products_that_do_not_map_become_floats(model: Path, tmp_path: Path) -> None:
    for options in (["--bits", "3"], ["--bits", "4", "--group-size", "24"], ["--lossless"]):
        run("compress", model, "-o", tmp_path / "x.tlz", *options)
        run("decompress", tmp_path / "x.tlz", "-o", tmp_path / "x.onnx", "--quantized")
        found = [node.op_type for node in onnx.load(tmp_path / "x.onnx").graph.node]
        assert found == [node.op_type for node in onnx.load(model).graph.node]


@pytest.mark.parametrize("suffix", [".safetensors", ".npz"])
def test_weights_there_and_back(weights: Path, suffix: str) -> None:
    before = tl.load(weights)
    assert run("compress", weights, "-o", weights.with_name("a.tlz"))[0] == 0
    target = weights.with_name(f"b{suffix}")
    assert run("decompress", weights.with_name("a.tlz"), "-o", target)[0] == 0
    after = tl.load(target)
    assert list(after) == list(before)
    for name, tensor in before.items():
        np.testing.assert_array_equal(after[name].numpy(), tensor.numpy())
    if suffix == ".safetensors":
        assert read_metadata(target) == {"format": "pt"}


def test_weights_of_pytorch(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    layer = torch.nn.Linear(40, 30)
    torch.save(layer.state_dict(), tmp_path / "layer.pt")
    assert run("compress", tmp_path / "layer.pt")[0] == 0
    found = tl.load(tmp_path / "layer.tlz")
    for name, tensor in layer.state_dict().items():
        np.testing.assert_array_equal(found[name].numpy(), tensor.numpy())
    torch.save({"model": layer.state_dict(), "epoch": 3}, tmp_path / "all.pt")
    with pytest.raises(TensorliteError, match="'model' is a .*save the state_dict alone"):
        run("compress", tmp_path / "all.pt")


@pytest.mark.parametrize("bits", [8, 4, 3, 2])
def test_inspect_says_bits_and_shares(weights: Path, bits: int) -> None:
    code, text = run("compress", weights, "--bits", bits, "--group-size", 48, "--meta", "by=me")
    assert code == 0 and f"1 uniform, {bits} bits, groups of 48" in text
    code, text = run("inspect", weights.with_suffix(".tlz"))
    assert code == 0 and "signal to noise" in flat(text)
    assert "by: 'me'" in text and "format: 'pt'" in text and "bits a number" in flat(text)
    with Checkpoint(weights.with_suffix(".tlz")) as file:
        entry = file.entry("layer.weight")
        was = tl.load(weights)["layer.weight"].numpy().astype(np.float64)
        snr = 10 * np.log10((was**2).sum() / ((was - file["layer.weight"]) ** 2).sum())
        assert entry.snr is not None and abs(entry.snr / 100 - snr) < 0.01
        assert f"{entry.snr / 100:.1f}" in text and file.entry("layer.bias").snr is None
        assert entry.parameters["bits"] == bits and entry.parameters["group"] == 48
        assert f"{entry.stored:,}" in text and f"{8 * entry.stored / entry.size:.2f}" in text
        assert 8 * entry.stored / entry.size < bits + 0.75


def test_files_beside_the_tensors(weights: Path, tmp_path: Path) -> None:
    (tmp_path / "labels.txt").write_text("cat\ndog\n")
    tlz = tmp_path / "net.tlz"
    assert run("compress", weights, "--file", f"names={tmp_path / 'labels.txt'}")[0] == 0
    code, text = run("decompress", tlz, "--files", tmp_path / "out")
    assert code == 0 and (tmp_path / "out" / "names").read_text() == "cat\ndog\n"
    for name in ("../names", "/etc/x", "..", "a\\b", "c:d"):
        tl.save({}, tlz, files={name: b"x"})
        with pytest.raises(UnsafeFileError, match="outside"):
            run("decompress", tlz, "--files", tmp_path / "out")
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["names"]


@pytest.mark.parametrize("fast", [[], ["--fast"]])
def test_verify_names_the_broken_tensor_and_the_rest_can_be_had(
    weights: Path, tmp_path: Path, fast: list[str]
) -> None:
    run("compress", weights)
    tlz = weights.with_suffix(".tlz")
    code, text = run("verify", tlz, *fast)
    assert code == 0 and "whole; each of 3 tensors" in text
    with Checkpoint(tlz) as file:
        section = file.entry("layer.weight").parts[0]["data"]
        place = file.directory.start + section.at + section.size // 2
    data = bytearray(tlz.read_bytes())
    data[place] ^= 16
    tlz.write_bytes(data)
    code, text = run("verify", tlz, *fast)
    assert code == 1 and "tensor 'layer.weight' (bytes" in text
    assert "other 2 of 3 tensors are whole" in text and "--partial" in text
    with pytest.raises(FileFormatError, match="layer.weight"):
        run("decompress", tlz, "-o", tmp_path / "rest.safetensors")
    code, text = run("decompress", tlz, "--partial", "-o", tmp_path / "rest.safetensors")
    assert code == 1 and "without 1 tensors" in text
    assert sorted(tl.load(tmp_path / "rest.safetensors")) == ["layer.bias", "steps"]


def test_verify_a_file_that_is_cut_off(weights: Path) -> None:
    run("compress", weights)
    tlz = weights.with_suffix(".tlz")
    tlz.write_bytes(tlz.read_bytes()[:-20])
    code, text = run("verify", tlz)
    assert code == 1 and "cut off" in text and "'layer.weight'" in text


def test_wrong_calls(weights: Path, model: Path, tmp_path: Path) -> None:
    tlz = weights.with_suffix(".tlz")
    for args, match in (
        (["compress", weights, "--lossless", "--bits", "4"], "leave out --bits"),
        (["compress", weights, "-o", tmp_path / "x.bin"], "ends in .tlz"),
        (["compress", weights, "--bits", "5"], "is not one of"),
        (["compress", weights, "--file", "labels"], "expected NAME=VALUE"),
        (["verify"], "Missing argument"),
    ):
        code, text = run(*args)
        assert code == 2 and match in text
    with pytest.raises(TensorliteError, match="groups of a multiple of 8"):
        run("compress", weights, "--bits", "4", "--group-size", "5")
    run("compress", weights)
    code, text = run("decompress", tlz, "-o", tmp_path / "x.bin")
    assert code == 2 and "expected .safetensors, .npz or .onnx" in text
    with pytest.raises(FileFormatError, match="it holds no ONNX graphs.*tl.load"):
        run("run", tlz)
    with pytest.raises(FileFormatError, match="it holds no ONNX graphs"):
        run("decompress", tlz, "-o", tmp_path / "x.onnx")
    (tmp_path / "page.tlz").write_text("<html>")
    with pytest.raises(FileFormatError, match="web page"):
        run("verify", tmp_path / "page.tlz")
    with pytest.raises(FileFormatError, match="at most 10 are allowed"):
        run("decompress", tlz, "--max-bytes", "10", "-o", tmp_path / "x.safetensors")


def test_a_graph_that_its_tensors_do_not_fit(model: Path) -> None:
    run("compress", model)
    tlz = model.with_suffix(".tlz")
    with Checkpoint(tlz) as file:
        graph = file.file("model.onnx")
        arrays = file.read_all()
    from tensorlite.codec.saving import save_arrays

    for changed, match in (
        ({"w": arrays["w"].T}, r"'w' does not fit.*\[48, 64\]"),
        ({"w": arrays["w"].astype(np.float16)}, "'w' does not fit.*float16"),
        ({"w": None}, "'w' does not fit.*none"),
    ):
        given = {k: v for k, v in {**arrays, **changed}.items() if v is not None}
        save_arrays(given, tlz, files={"model.onnx": graph}, kinds={"model.onnx": "onnx"})
        with pytest.raises(FileFormatError, match=match):
            tl.onnx.load(tlz)
    save_arrays(arrays, tlz, files={"a": b"\xff\xff"}, kinds={"a": "onnx"})
    with pytest.raises(FileFormatError, match="no ONNX graph"):
        tl.onnx.load(tlz)


def test_errors_are_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "x.tlz").write_bytes(b"\x89TLZ\r\n\x1a\n")
    with pytest.raises(SystemExit):
        main(["verify", str(tmp_path / "x.tlz")])
    text = capsys.readouterr().err
    assert text.startswith("tensorlite: ") and text.count("\n") == 1 and "cut off" in text
