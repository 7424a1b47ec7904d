"""A device that nobody here made: arrays of its own, three kernels, the rest on the host."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import tensorlite as tl
from tensorlite import nn
from tensorlite.devices import Device, kernel
from tensorlite.devices.base import KINDS, _open
from tensorlite.devices.kernels import KERNELS
from tensorlite.errors import DeviceMismatchError, OperatorError


class ToyArray:
    """Bytes in the toy's own memory; it knows their shape and dtype and can do nothing."""

    def __init__(self, array: np.ndarray[Any, Any]) -> None:
        self.data = array.tobytes()
        self.shape, self.dtype, self.ndim = array.shape, array.dtype, array.ndim
        self.size, self.itemsize = array.size, array.itemsize
        self.strides = np.empty(self.shape, self.dtype).strides

    def host(self) -> np.ndarray[Any, Any]:
        return np.frombuffer(bytearray(self.data), self.dtype).reshape(self.shape)


class Toy(Device):
    kind = "toy"
    xp = None

    @classmethod
    def describe(cls) -> str:
        return "a toy"

    def from_host(self, array: np.ndarray[Any, Any]) -> Any:
        return ToyArray(array)

    def to_host(self, array: Any) -> np.ndarray[Any, Any]:
        return array.host()

    def write(self, array: Any, values: Any) -> None:
        array.data = values.data


def floats(*arrays: Any, **options: Any) -> str | None:
    bad = [a.dtype for a in arrays if a.dtype != np.float32]
    return f"{bad[0]}; it is for float32" if bad else None


@kernel("toy", "add", when=floats)
def toy_add(input: Any, other: Any, **options: Any) -> Any:
    return ToyArray(input.host() + other.host())


@kernel("toy", "relu", when=floats)
def toy_relu(input: Any) -> Any:
    return ToyArray(np.maximum(input.host(), 0))


@kernel("toy", "matmul", when=floats)
def toy_matmul(input: Any, other: Any) -> Any:
    return ToyArray(input.host() @ other.host())


@pytest.fixture(scope="module", autouse=True)
def forget() -> Iterator[None]:
    """The toy is known in this file only."""
    yield
    KINDS.pop("toy")
    KERNELS.pop("toy")
    _open.pop(("toy", 0), None)


def test_its_kernels_run_on_its_arrays() -> None:
    x = tl.tensor([[1.0, -2.0], [3.0, 4.0]], device="toy")
    assert isinstance(x._array, ToyArray) and x.device == "toy"
    with tl.explain() as e:
        y = (x @ x + x).relu()
    assert isinstance(y._array, ToyArray)
    assert y.cpu().tolist() == [[0.0, 0.0], [18.0, 14.0]]
    assert [row.kernel for row in e.rows] == ["toy:toy_matmul", "toy:toy_add", "toy:toy_relu"]
    assert all(row.copies == 0 for row in e.rows)


def test_the_rest_falls_back_and_says_so() -> None:
    x = tl.tensor([1.0, 4.0], device="toy")
    with tl.explain() as e:
        y = x.sqrt().softmax(0)
    assert y.device == "toy"
    np.testing.assert_allclose(y.cpu().sum().item(), 1, rtol=1e-6)
    assert {row.kernel for row in e.rows} == {"reference:numpy"}
    assert all("ran on the host" in row.why and row.copies for row in e.rows)
    with tl.explain() as e:
        tl.tensor([1], device="toy") + tl.tensor([2], device="toy")
    assert "toy_add: int64; it is for float32" in e.rows[0].why


def test_everything_about_a_tensor_works() -> None:
    x = tl.arange(6, device="toy").reshape(2, 3)
    assert x.shape == (2, 3) and x.dtype is tl.int64 and x.ndim == 2 and x.stride() == (3, 1)
    assert x[1, 2].item() == 5 and x[:, 1].tolist() == [1, 4]
    assert x.float().mean().item() == 2.5
    assert repr(x[0]) == "tensor([0, 1, 2], device='toy')"
    assert pickle.loads(pickle.dumps(x)).tolist() == x.tolist()
    assert copy.deepcopy(x).tolist() == x.tolist()
    assert x.to("cpu").to("toy").device == "toy"
    assert [row.tolist() for row in x] == [[0, 1, 2], [3, 4, 5]]
    with pytest.raises(DeviceMismatchError, match="x.cpu"):
        x.numpy()


def test_it_is_written_to() -> None:
    x = tl.zeros(2, 3, device="toy")
    same = x
    x[0, 1] = 5
    x[:, 2] = tl.tensor([1.0, 2.0], device="toy")
    assert x.tolist() == [[0, 5, 1], [0, 0, 2]]
    x[x > 1] = -1
    x += 1
    assert same is x and x.tolist() == [[1, 0, 2], [1, 1, 0]]
    assert x.clamp_(max=1).sum().item() == 4 and x.fill_(2).sum().item() == 12
    assert x.copy_(tl.ones(3)).sum().item() == 6
    for out in (tl.empty(2, 3, device="toy"), tl.empty(0, device="toy")):
        assert tl.add(x, x, out=out) is out and out.sum().item() == 12
    tl.manual_seed(0)
    want = tl.randn(4)
    tl.manual_seed(0)
    assert tl.randn(4, device="toy").tolist() == want.tolist()


def test_a_device_without_write_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(Toy, "write")
    x = tl.zeros(2, device="toy")
    for change in (
        lambda: x.add_(1),
        lambda: x.fill_(1),
        lambda: tl.add(x, x, out=tl.zeros_like(x)),
    ):
        with pytest.raises(OperatorError, match=r"toy cannot be written to: Toy has no write\(\)"):
            change()
    assert x.tolist() == [0, 0]


def test_a_device_that_cannot_be_shared_says_so() -> None:
    x = tl.zeros(2, device="toy")
    with pytest.raises(OperatorError, match="x.cpu"):
        np.from_dlpack(x)
    with pytest.raises(OperatorError, match="toy does not say"):
        x.data_ptr()


def test_numbers_and_indices_of_the_host_are_taken_along() -> None:
    x = tl.tensor([[1.0, -2.0], [3.0, 4.0]], device="toy")
    two = tl.tensor(2.0)
    for y in (x * two, two * x, tl.where(x > 0, two, x)):
        assert y.device == "toy"
    assert x[tl.tensor([1, 0])].tolist() == [[3, 4], [1, -2]]
    assert x[tl.tensor([True, False]), 1].tolist() == [-2]
    x[tl.tensor([0])] = 9
    assert x.tolist() == [[9, 9], [3, 4]]


def test_layouts_and_other_dtypes() -> None:
    x = tl.arange(24.0, device="toy").reshape(1, 2, 3, 4)
    assert x.is_contiguous() and x.permute(0, 3, 1, 2).contiguous().shape == (1, 4, 2, 3)
    assert x.contiguous(memory_format=tl.channels_last).tolist() == x.tolist()
    for dtype in (tl.float16, tl.bfloat16, tl.int8, tl.bool, tl.complex64):
        assert x.to(dtype).dtype is dtype and x.to(dtype).device == "toy"


def test_weights_are_loaded_and_saved_there(tmp_path: Any) -> None:
    net = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.Flatten(), nn.LSTM(8, 3)).eval()
    x = tl.ones(1, 1, 4, 4)
    want, _ = net(x)
    tl.save(net.to("toy"), tmp_path / "net.safetensors")
    other = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.Flatten(), nn.LSTM(8, 3)).eval()
    other.to("toy").load_state_dict(tl.load(tmp_path / "net.safetensors"))
    assert {p.device.kind for p in other.parameters()} == {"toy"}
    have, _ = copy.deepcopy(other)(x.to("toy"))
    np.testing.assert_allclose(have.cpu().numpy(), want.numpy(), rtol=1e-5)


def test_an_onnx_model_runs_there() -> None:
    import onnx

    text = """<ir_version: 8, opset_import: ["": 17]>
    g (float[n, 3] x) => (float[n, 3] y) <float[3] w = {1, 2, 3}> {a = Add(x, w) \n y = Relu(a)}"""
    model = tl.onnx.load(onnx.parser.parse_model(text), device="toy")
    y = model.run({"x": np.full((1, 3), -2, np.float32)})["y"]
    assert y.device == "toy" and y.tolist() == [[0, 0, 1]]


def test_a_network_moves_there() -> None:
    tl.manual_seed(0)
    net = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2))
    x = tl.randn(5, 3)
    want = net(x).numpy()
    have = net.to("toy")(x.to("toy"))
    assert have.device == "toy"
    np.testing.assert_allclose(have.cpu().numpy(), want, rtol=1e-5)


def test_it_does_not_mix_with_others() -> None:
    with pytest.raises(DeviceMismatchError, match=r"add.*cpu and toy|add.*toy and cpu"):
        tl.ones(2) + tl.ones(2, device="toy")
    assert any(row["device"] == "toy" for row in tl.devices())
