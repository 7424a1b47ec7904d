"""Memory shared with other libraries: NumPy, its functions, DLPack."""

from __future__ import annotations

import numpy as np
import pytest

import tensorlite as tl
from tensorlite.errors import ArgumentError, DTypeError


def test_numpy_both_ways_shares_memory() -> None:
    a = np.zeros((2, 3), np.float32)
    x = tl.from_numpy(a)
    a[0, 0] = 1
    assert x[0, 0].item() == 1
    x.numpy()[0, 1] = 2
    assert a[0, 1] == 2
    assert np.asarray(x) is x.numpy() or np.shares_memory(np.asarray(x), a)
    assert np.array(x, dtype=np.float64).dtype == np.float64


def test_from_numpy_takes_strided_and_foreign_byte_order() -> None:
    a = np.arange(12).reshape(3, 4)[:, ::-2]
    assert tl.from_numpy(a).tolist() == a.tolist()
    assert tl.from_numpy(np.arange(3, dtype=">i4")).tolist() == [0, 1, 2]
    for wrong in ([1, 2], np.array(["a"]), np.array([object()]), np.zeros(2, "M8[s]")):
        with pytest.raises((ArgumentError, DTypeError)):
            tl.from_numpy(wrong)  # type: ignore[arg-type]


def test_a_numpy_function_of_a_tensor_is_ours() -> None:
    x = tl.tensor([1.0, 4.0])
    assert isinstance(np.sqrt(x), tl.Tensor) and np.sqrt(x).tolist() == [1.0, 2.0]
    assert isinstance(np.ones(2, np.float32) + x, tl.Tensor)
    assert (np.ones(2, np.float32) - x).tolist() == [0.0, -3.0]
    assert isinstance(x + np.ones(2, np.float32), tl.Tensor)
    assert isinstance(np.float32(2) * x, tl.Tensor)
    for wrong in (lambda: np.add.reduce(x), lambda: np.modf(x), lambda: np.sqrt(x, where=[True])):
        with pytest.raises(ArgumentError, match="numpy"):
            wrong()


def test_buffers() -> None:
    data = bytearray(b"\x01\x02\x03\x04")
    x = tl.frombuffer(data, dtype=tl.uint8)
    data[0] = 9
    assert x.tolist() == [9, 2, 3, 4]
    assert tl.frombuffer(data, dtype=tl.int16, count=1, offset=2).tolist() == [0x0403]


@pytest.mark.parametrize("name", ["float32", "float64", "int64", "uint8", "bool", "complex64"])
def test_dlpack_with_numpy(name: str) -> None:
    a = np.ones((2, 3), name)
    x = tl.from_dlpack(a)
    assert x.dtype.name == name
    np.testing.assert_array_equal(np.from_dlpack(x), a)
    x[0, 0] = 0
    assert a[0, 0] == 0


@pytest.mark.parametrize("name", ["float32", "int64", "float16", "bool", "complex64"])
def test_dlpack_with_pytorch(name: str) -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    theirs = torch.ones(2, 3, dtype=getattr(torch, name))
    ours = tl.from_dlpack(theirs)
    ours[0, 0] = 0
    assert theirs[0, 0].item() == 0
    back = torch.from_dlpack(ours)
    back[0, 1] = 0
    assert ours[0, 1].item() == 0
    assert torch.from_dlpack(tl.zeros(2, 3).t()).stride() == (1, 3)


def test_dlpack_refuses_by_name() -> None:
    with pytest.raises(ArgumentError, match="__dlpack__"):
        tl.from_dlpack([1, 2])
    with pytest.raises(DTypeError, match="bfloat16"):
        np.from_dlpack(tl.zeros(2, dtype=tl.bfloat16))
