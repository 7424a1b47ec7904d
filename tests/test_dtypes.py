"""Dtypes and their promotion, over all pairs, against PyTorch."""

from __future__ import annotations

import itertools
import pickle
from typing import Any

import ml_dtypes
import numpy as np
import pytest

import tensorlite as tl
from tensorlite import dtypes
from tensorlite.errors import DTypeError

torch = pytest.importorskip("torch", reason="PyTorch is not installed")
SHARED = [d.name for d in dtypes.ALL if hasattr(torch, d.name) and d.native]
SHARED.append("bfloat16")
SMALL = ["float8_e4m3fn", "float8_e5m2", "float8_e4m3fnuz", "float8_e5m2fnuz"]
NUMBERS = [True, 2, 2.5, 1j]


def named(dtype: Any) -> str:
    return str(dtype).rpartition(".")[2]


@pytest.mark.parametrize("first", SHARED + SMALL)
def test_promotion_of_all_pairs_is_pytorchs(first: str) -> None:
    for second in SHARED + SMALL:
        try:
            want = named(torch.promote_types(getattr(torch, first), getattr(torch, second)))
        except RuntimeError:
            with pytest.raises(DTypeError, match=first):
                tl.promote_types(dtypes.BY_NAME[first], dtypes.BY_NAME[second])
            continue
        assert tl.promote_types(dtypes.BY_NAME[first], dtypes.BY_NAME[second]).name == want


def ours(name: str, shape: tuple[int, ...]) -> tl.Tensor:
    return tl.ones(shape, dtype=dtypes.BY_NAME[name])


def theirs(name: str, shape: tuple[int, ...]) -> Any:
    return torch.ones(shape, dtype=getattr(torch, name))


@pytest.mark.parametrize(
    "name", [n for n in SHARED if not n.startswith(("uint16", "uint32", "uint64"))]
)
@pytest.mark.filterwarnings("ignore:ComplexHalf")
def test_numbers_and_0d_tensors_weigh_less(name: str, device: tl.device) -> None:
    for shape, number in itertools.product(((2,), ()), NUMBERS):
        want = named((theirs(name, shape) * number).dtype)
        if want == "complex32":
            continue  # a dtype that we do not have
        assert (ours(name, shape).to(device) * number).dtype.name == want, (shape, number)
        assert (number * ours(name, shape).to(device)).dtype.name == want, (shape, number)
    for other in ("bool", "uint8", "int64", "float16", "float64", "complex64"):
        for shapes in (((2,), ()), ((), (2,)), ((), ())):
            want = named((theirs(name, shapes[0]) * theirs(other, shapes[1])).dtype)
            if want == "complex32":
                continue
            have = ours(name, shapes[0]).to(device) * ours(other, shapes[1]).to(device)
            assert have.dtype.name == want, (other, shapes)


@pytest.mark.parametrize("source", SHARED + SMALL)
@pytest.mark.filterwarnings("ignore:Casting complex")
def test_conversions_between_all_dtypes(source: str) -> None:
    values = np.array([0, 1, 2, 3, 100, 1.5])
    for target in SHARED + SMALL:
        have = tl.from_numpy(values).to(dtypes.BY_NAME[source]).to(dtypes.BY_NAME[target])
        want = torch.from_numpy(values).to(getattr(torch, source)).to(getattr(torch, target))
        if want.is_complex():
            np.testing.assert_array_equal(have.numpy(), want.numpy())
        else:
            np.testing.assert_array_equal(
                have._plain().astype(np.float64), want.double().numpy(), err_msg=target
            )


@pytest.mark.parametrize("name", ["int8", "uint8", "int16", "int32", "int64"])
def test_integers_wrap_around_as_pytorchs_do(name: str) -> None:
    values = np.array([-1, 127, 128, 255, 256, 70000])
    have = tl.from_numpy(values).to(dtypes.BY_NAME[name]) * 3
    want = torch.from_numpy(values).to(getattr(torch, name)) * 3
    assert have.tolist() == want.tolist()


@pytest.mark.parametrize("name", ["int4", "uint4", "int2", "uint2", "float4_e2m1fn"])
def test_the_smallest_hold_their_numbers(name: str) -> None:
    kind = dtypes.BY_NAME[name]
    limits = tl.finfo(kind) if kind.is_floating_point else tl.iinfo(kind)
    x = tl.tensor([limits.min, 0, 1, limits.max]).to(kind)
    assert x.dtype is kind and x.float().tolist() == [limits.min, 0.0, 1.0, limits.max]
    assert x.tolist() == [limits.min, 0, 1, limits.max]


@pytest.mark.parametrize("name", ["float16", "bfloat16", "float32", "float64"])
def test_finfo_is_pytorchs(name: str) -> None:
    have, want = tl.finfo(dtypes.BY_NAME[name]), torch.finfo(getattr(torch, name))
    for field in ("bits", "eps", "max", "min", "tiny", "smallest_normal", "resolution", "dtype"):
        assert getattr(have, field) == pytest.approx(getattr(want, field)), field


@pytest.mark.parametrize("name", ["int8", "uint8", "int16", "int32", "int64"])
def test_iinfo_is_pytorchs(name: str) -> None:
    have, want = tl.iinfo(dtypes.BY_NAME[name]), torch.iinfo(getattr(torch, name))
    assert (have.bits, have.min, have.max) == (want.bits, want.min, want.max)


def test_can_cast_is_pytorchs() -> None:
    for a, b in itertools.product(SHARED, SHARED):
        want = torch.can_cast(getattr(torch, a), getattr(torch, b))
        assert dtypes.can_cast(dtypes.BY_NAME[a], dtypes.BY_NAME[b]) == want, (a, b)


def test_a_dtype_is_found_by_any_name_of_it() -> None:
    for spec in (
        tl.float32,
        "float32",
        np.float32,
        np.dtype("f4"),
        float,
        "float",
        "torch.float32",
    ):
        assert dtypes.to_dtype(spec) is tl.float32
    assert dtypes.to_dtype(ml_dtypes.bfloat16) is tl.bfloat16
    assert dtypes.to_dtype(int) is tl.int64 and dtypes.to_dtype(bool) is tl.bool
    with pytest.raises(DTypeError, match="Did you mean 'float32'"):
        dtypes.to_dtype("flaot32")
    with pytest.raises(DTypeError):
        dtypes.to_dtype(np.dtype("M8[s]"))


def test_dtypes_are_singletons_after_pickling() -> None:
    for kind in dtypes.ALL:
        assert pickle.loads(pickle.dumps(kind)) is kind, kind


def test_the_default_dtype_is_what_floats_become() -> None:
    tl.set_default_dtype(tl.float64)
    try:
        assert tl.tensor([1.5]).dtype is tl.float64 and tl.zeros(1).dtype is tl.float64
        assert (tl.tensor([1]) / 2).dtype is tl.float64
    finally:
        tl.set_default_dtype(tl.float32)
    with pytest.raises(DTypeError):
        tl.set_default_dtype(tl.int64)
