"""The Tensor itself: construction, views, in-place operators, conversions, Python's protocols."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tensorlite as tl
from tensorlite.errors import (
    ArgumentError,
    AutogradError,
    DimensionError,
    DTypeError,
    ShapeError,
)

torch = pytest.importorskip("torch", reason="PyTorch is not installed")


@pytest.mark.parametrize(
    "data",
    [1, 1.5, True, 1j, [1, 2], [[1.0], [2.0]], [], [[]], (1, 2), [True, False], [1, 2.5], [1, 1j],
     range(3), np.float32(2), np.int16(2), [np.float64(1), np.float64(2)], np.arange(3, dtype="i2"),
     [np.arange(2), np.arange(2)]],
    ids=repr,
)  # fmt: skip
@pytest.mark.filterwarnings("ignore:Creating a tensor from a list of numpy")
def test_tensor_has_pytorchs_shape_and_dtype(data: Any) -> None:
    have, want = tl.tensor(data), torch.tensor(data)
    assert tuple(have.shape) == tuple(want.shape)
    assert f"torch.{have.dtype.name}" == str(want.dtype)
    np.testing.assert_array_equal(have.numpy(), want.numpy())


@pytest.mark.parametrize("data", [[[1, 2], [3]], "abc", ["a"], None, [None], object(), 2**70])
def test_tensor_refuses_what_is_no_tensor(data: Any) -> None:
    with pytest.raises((ShapeError, DTypeError)):
        tl.tensor(data)


def test_tensor_copies_and_as_tensor_does_not() -> None:
    a = np.zeros(3)
    copied, shared = tl.tensor(a), tl.as_tensor(a)
    a[0] = 1
    assert copied[0].item() == 0 and shared[0].item() == 1
    x = tl.zeros(2)
    assert tl.as_tensor(x) is x and tl.tensor(x) is not x


def test_the_constructor_is_pytorchs() -> None:
    assert tl.Tensor([1, 2]).dtype is tl.float32
    assert tl.Tensor(2, 3).shape == (2, 3)


# name, what makes a view, and the shape it is made of
VIEWS: list[tuple[str, Any, tuple[int, ...]]] = [
    ("slice", lambda x: x[1:], (3, 4)), ("int", lambda x: x[1], (3, 4)),
    ("none", lambda x: x[None], (3, 4)), ("ellipsis", lambda x: x[..., 1], (3, 4)),
    ("step", lambda x: x[::2, 1:3], (3, 4)), ("list", lambda x: x[[0, 1]], (3, 4)),
    ("mask", lambda x: x[x == x], (3, 4)), ("view", lambda x: x.view(4, 3), (3, 4)),
    ("reshape", lambda x: x.reshape(2, 6), (3, 4)),
    ("reshape_t", lambda x: x.t().reshape(12), (3, 4)), ("t", lambda x: x.t(), (3, 4)),
    ("T", lambda x: x.T, (3, 4)), ("mT", lambda x: x.mT, (3, 4)),
    ("transpose", lambda x: x.transpose(0, 1), (3, 4)),
    ("permute", lambda x: x.permute(1, 0), (3, 4)), ("squeeze", lambda x: x.squeeze(), (3, 1)),
    ("unsqueeze", lambda x: x.unsqueeze(0), (3, 4)), ("flatten", lambda x: x.flatten(), (3, 4)),
    ("expand", lambda x: x.expand(2, 3, 4), (3, 4)),
    ("narrow", lambda x: x.narrow(1, 1, 2), (3, 4)),
    ("select", lambda x: x.select(1, 1), (3, 4)), ("diagonal", lambda x: x.diagonal(), (3, 4)),
    ("unfold", lambda x: x.unfold(1, 2, 1), (3, 4)), ("split", lambda x: x.split(2)[0], (3, 4)),
    ("chunk", lambda x: x.chunk(2, 1)[1], (3, 4)), ("unbind", lambda x: x.unbind(1)[1], (3, 4)),
    ("movedim", lambda x: x.movedim(0, 1), (3, 4)), ("detach", lambda x: x.detach(), (3, 4)),
    ("data", lambda x: x.data, (3, 4)), ("contiguous", lambda x: x.contiguous(), (3, 4)),
    ("contiguous_t", lambda x: x.t().contiguous(), (3, 4)), ("clone", lambda x: x.clone(), (3, 4)),
    ("to", lambda x: x.to(x.dtype), (3, 4)), ("flip", lambda x: x.flip(0), (3, 4)),
    ("roll", lambda x: x.roll(1), (3, 4)), ("repeat", lambda x: x.repeat(1, 1), (3, 4)),
    ("ravel", lambda x: x.ravel(), (3, 4)), ("unflatten", lambda x: x.unflatten(1, (2, 2)), (3, 4)),
    ("as_strided", lambda x: x.as_strided((2, 2), (4, 1)), (3, 4)),
    ("view_dtype", lambda x: x.view(type(x) is tl.Tensor and tl.int32 or torch.int32), (3, 4)),
]  # fmt: skip


@pytest.mark.parametrize(("name", "make", "shape"), VIEWS, ids=[v[0] for v in VIEWS])
def test_views_share_memory_where_pytorchs_do(name: str, make: Any, shape: Any) -> None:
    ours, theirs = tl.zeros(shape), torch.zeros(shape)
    view, other = make(ours), make(theirs)
    assert tuple(view.shape) == tuple(other.shape)
    assert view.stride() == other.stride() or 1 in view.shape
    if name == "expand":  # PyTorch writes through it only element by element
        view[0, 0, 0], other[0, 0, 0] = 7, 7
    else:
        view[...], other[...] = 7, 7
    np.testing.assert_array_equal(ours.numpy(), theirs.numpy())


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_indexing_is_pytorchs(data: Any) -> None:
    shape = data.draw(st.lists(st.integers(1, 4), min_size=1, max_size=3))
    index = []
    for size in shape[: data.draw(st.integers(0, len(shape)))]:
        index.append(
            data.draw(
                st.one_of(
                    st.integers(-size, size - 1),
                    st.builds(slice, st.integers(-3, 3) | st.none(), st.integers(-3, 4) | st.none(),
                              st.integers(1, 2) | st.none()),
                    st.lists(st.integers(-size, size - 1), min_size=2, max_size=2),
                    st.lists(st.booleans(), min_size=size, max_size=size),
                )
            )
        )  # fmt: skip
    for extra in data.draw(st.lists(st.sampled_from([None]), max_size=1)):
        index.insert(data.draw(st.integers(0, len(index))), extra)
    values = np.arange(np.prod(shape), dtype=np.float32).reshape(shape)
    ours, theirs = tl.from_numpy(values.copy()), torch.from_numpy(values.copy())

    def convert(tensor: Any) -> tuple[Any, ...]:
        return tuple(tensor(i) if isinstance(i, list) else i for i in index)

    try:
        want = theirs[convert(torch.tensor)]
    except IndexError:
        with pytest.raises((DimensionError, ShapeError)):
            ours[convert(tl.tensor)]
        return
    have = ours[convert(tl.tensor)]
    assert tuple(have.shape) == tuple(want.shape)
    np.testing.assert_array_equal(have.numpy(), want.numpy())
    ours[convert(tl.tensor)] = -1
    theirs[convert(torch.tensor)] = -1
    np.testing.assert_array_equal(ours.numpy(), theirs.numpy())


def test_indexing_refuses_what_pytorch_refuses() -> None:
    x = tl.zeros(2, 3)
    for bad, error in ((5, DimensionError), ((0, 0, 0), DimensionError), ("a", Exception),
                       (slice(None, None, -1), ShapeError), (1.5, Exception),
                       (tl.tensor([5]), DimensionError)):  # fmt: skip
        with pytest.raises(error):
            x[bad]


def test_in_place_operators_keep_the_tensor(device: tl.device) -> None:
    x = tl.ones(3, device=device)
    same = x
    x += 1
    x *= 2
    x -= tl.ones(3, device=device)
    x /= 3
    assert x is same and x.tolist() == [1.0, 1.0, 1.0]
    assert x.add_(1) is x and x.clamp_(max=1.5).tolist() == [1.5] * 3


def test_in_place_operators_refuse_other_dtypes_and_shapes() -> None:
    with pytest.raises(DTypeError, match="float32.*int64"):
        tl.tensor([1]).add_(0.5)
    with pytest.raises(ShapeError):
        tl.zeros(3).add_(tl.zeros(2, 3))


def test_python_asks_a_tensor() -> None:
    x = tl.tensor([[1, 2], [3, 4]])
    assert len(x) == 2 and [r.tolist() for r in x] == [[1, 2], [3, 4]]
    assert 3 in x and 9 not in x
    assert bool(tl.tensor(1)) and not bool(tl.tensor([0.0]))
    assert int(tl.tensor(2.7)) == 2 and float(tl.tensor(2)) == 2.0 and [0, 1, 2][tl.tensor(1)] == 1
    assert f"{tl.tensor(1.5):.2f}" == "1.50" and x.tolist() == [[1, 2], [3, 4]]
    assert tl.tensor(3).item() == 3 and isinstance(tl.tensor(True).item(), bool)
    assert {x: 1}[x] == 1 and (x == None) is False  # noqa: E711
    for wrong, error in (
        (lambda: bool(x), ShapeError), (lambda: len(tl.tensor(1)), ArgumentError),
        (lambda: list(tl.tensor(1)), ArgumentError), (lambda: x.item(), ShapeError),
        (lambda: [1][tl.tensor(0.0)], ArgumentError),
    ):  # fmt: skip
        with pytest.raises(error):
            wrong()


def test_attributes() -> None:
    x = tl.zeros(2, 3, 4, dtype=tl.float16)
    t = torch.zeros(2, 3, 4, dtype=torch.float16)
    for name in ("ndim", "itemsize", "nbytes", "is_sparse", "requires_grad", "is_leaf"):
        assert getattr(x, name) == getattr(t, name), name
    for name in ("dim", "numel", "element_size", "stride", "storage_offset", "is_contiguous",
                 "is_floating_point", "is_complex", "is_signed", "nelement"):  # fmt: skip
        assert getattr(x, name)() == getattr(t, name)(), name
    assert x[1, 1:].storage_offset() == t[1, 1:].storage_offset()
    assert x.size(-1) == 4 and x.stride(0) == 12
    assert x.shape.numel() == 24 and x.shape[1:] == (3, 4) and isinstance(x.shape[1:], tl.Size)
    with pytest.raises(DimensionError):
        x.size(3)


def test_copies_and_pickles(device: tl.device) -> None:
    x = tl.arange(4, device=device).reshape(2, 2)
    for made in (pickle.loads(pickle.dumps(x)), copy.deepcopy(x)):
        assert made.device == x.device and made.tolist() == x.tolist()
        made[0, 0] = 9
        assert x[0, 0].item() == 0
    shallow = copy.copy(x)
    shallow[0, 0] = 5
    assert x[0, 0].item() == 5


def test_to_in_all_its_forms() -> None:
    x = tl.ones(2)
    assert x.to("cpu") is x and x.to(tl.float32) is x and x.to(x) is x
    assert x.to(tl.float32, copy=True) is not x
    assert x.to("numba", tl.float16).dtype is tl.float16
    assert x.to(dtype=tl.int8).dtype is tl.int8 and x.to(device="numba").device == "numba"
    assert x.to(tl.zeros(1, dtype=tl.bool)).dtype is tl.bool
    assert x.type("int64").dtype is tl.int64 and x.type() == "tensorlite.float32"
    with pytest.raises(ArgumentError):
        x.to(object())


def test_there_are_no_gradients() -> None:
    x = tl.ones(2)
    assert x.requires_grad is False and x.grad is None and x.requires_grad_(False) is x
    for wrong in (
        lambda: x.backward(), lambda: x.requires_grad_(), lambda: tl.ones(1, requires_grad=True),
        lambda: tl.tensor(1.0, requires_grad=True), lambda: setattr(x, "requires_grad", True),
        lambda: tl.enable_grad(), lambda: tl.set_grad_enabled(True),
    ):  # fmt: skip
        with pytest.raises(AutogradError, match="no autograd"):
            wrong()

    @tl.no_grad()
    def decorated() -> bool:
        return tl.is_grad_enabled()

    with tl.inference_mode(), tl.no_grad():
        assert decorated() is False


def test_infinities_come_without_warnings() -> None:
    zero = tl.zeros(2)
    assert (tl.ones(2) / zero).tolist() == [float("inf")] * 2
    assert bool((zero / zero).isnan().all()) and tl.log(zero)[0].item() == float("-inf")
    assert (tl.tensor([3e38]) * 10)[0].item() == float("inf")
