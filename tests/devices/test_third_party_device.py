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
from tensorlite.errors import DeviceMismatchError


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
