"""What the samples do not reach of reductions: accuracy, nan, ties, errors."""

from __future__ import annotations

import numpy as np
import pytest

import tensorlite as tl
from tensorlite.errors import ArgumentError, DimensionError, DTypeError, OperatorError, ShapeError

nan = float("nan")


@pytest.mark.parametrize("shape, dim", [((300_000,), 0), ((100_000, 3), 0), ((2, 70_000, 2), 1)])
def test_long_sums_are_accurate_along_every_dimension(shape: tuple[int, ...], dim: int) -> None:
    values = np.random.default_rng(0).random(shape).astype(np.float32)
    exact = values.astype(np.float64).sum(axis=dim)
    np.testing.assert_allclose(tl.from_numpy(values).sum(dim).numpy(), exact, rtol=5e-7)
    mean = tl.from_numpy(values).mean(dim).numpy()
    np.testing.assert_allclose(mean, exact / shape[dim], rtol=5e-7)


def test_16_bit_sums_are_in_float32() -> None:
    ones = tl.ones(5000, dtype=tl.bfloat16)
    assert ones.sum().item() == 4992 + 0  # 5000 rounded to 8 bits, not the 256 of a 16-bit sum
    assert tl.ones(70_000, dtype=tl.float16).mean().item() == 1
    assert ones.sum(dtype=tl.float32).item() == 5000
    assert ones.sum(0).dtype is tl.bfloat16


def test_variance_of_large_numbers() -> None:
    x = tl.tensor([10000.0, 10001.0, 10002.0])
    assert x.var().item() == pytest.approx(1.0)
    assert x.var(False).item() == pytest.approx(2 / 3)
    assert tl.isnan(tl.tensor([1.0]).var()) and tl.isnan(tl.tensor(1.0).std())
    assert tl.isinf(x.var(correction=5))


@pytest.mark.parametrize("name", ["max", "min"])
def test_extrema_and_nan(name: str) -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    rows = [[1.0, nan, 3.0, nan], [2.0, 5.0, 5.0, 2.0], [nan, nan, nan, nan]]
    expected, actual = getattr(torch.tensor(rows), name)(1), getattr(tl.tensor(rows), name)(1)
    np.testing.assert_array_equal(actual.values.numpy(), expected.values.numpy())
    assert actual.indices.tolist() == [1, {"max": 1, "min": 0}[name], 0]
    for other in (f"a{name}", f"arg{name}", f"cum{name}"):
        args = (1,)
        theirs, ours = getattr(torch, other)(torch.tensor(rows), *args), None
        ours = getattr(tl, other)(tl.tensor(rows), *args)
        if other.startswith("cum"):
            np.testing.assert_array_equal(ours.values.numpy(), theirs.values.numpy())
            assert ours.indices.tolist() == theirs.indices.tolist()
        elif not other.startswith("arg"):
            np.testing.assert_array_equal(ours.numpy(), theirs.numpy())
        else:
            assert ours.tolist() == actual.indices.tolist()


def test_named_results() -> None:
    x = tl.tensor([[1.0, 3.0], [2.0, 0.0]])
    assert x.max(0)._fields == ("values", "indices") == x.median(1)._fields == x.mode()._fields
    assert x.aminmax()._fields == ("min", "max")
    values, indices = x.min(dim=1)
    assert values.tolist() == [1, 0] and indices.tolist() == [0, 1]
    assert x.max(tl.tensor(1.5)).tolist() == [[1.5, 3], [2, 1.5]]


def test_medians_with_nan() -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    rows = [[3.0, 1.0, nan, 4.0], [1.0, 2.0, 3.0, 4.0], [nan, nan, nan, nan]]
    for name in ("median", "nanmedian"):
        expected = getattr(torch, name)(torch.tensor(rows), 1)
        actual = getattr(tl, name)(tl.tensor(rows), 1)
        np.testing.assert_array_equal(actual.values.numpy(), expected.values.numpy())
        whole = getattr(torch, name)(torch.tensor(rows)).numpy()
        np.testing.assert_array_equal(getattr(tl, name)(tl.tensor(rows)).numpy(), whole)


@pytest.mark.parametrize("how", ["linear", "lower", "higher", "midpoint", "nearest"])
def test_quantiles_with_nan(how: str) -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    rows = [[3.0, 1.0, nan, 4.0], [1.0, 2.0, 3.0, 4.0], [nan, nan, nan, nan]]
    shares = [0.0, 0.2, 0.5, 1.0]
    for name in ("quantile", "nanquantile"):
        expected = getattr(torch, name)(
            torch.tensor(rows), torch.tensor(shares), 1, interpolation=how
        )
        actual = getattr(tl, name)(tl.tensor(rows), tl.tensor(shares), 1, interpolation=how)
        np.testing.assert_allclose(actual.numpy(), expected.numpy())


def test_logsumexp_of_infinities() -> None:
    inf = float("inf")
    rows = [[-inf, -inf], [inf, 1.0], [inf, -inf], [nan, 1.0]]
    result = tl.logsumexp(tl.tensor(rows), 1).numpy()
    np.testing.assert_array_equal(result, [-inf, inf, inf, nan])


def test_nothing_to_choose_from() -> None:
    empty = tl.zeros(2, 0)
    for call in (
        lambda: empty.max(), lambda: empty.max(1), lambda: empty.amin(1), lambda: empty.argmax(),
        lambda: empty.argmin(1), lambda: empty.median(1), lambda: empty.mode(1),
        lambda: empty.aminmax(),
    ):  # fmt: skip
        with pytest.raises(ShapeError, match="no element"):
            call()
    assert empty.max(0).values.shape == (0,)
    assert empty.sum().item() == 0 and empty.prod(1).tolist() == [1, 1]


def test_refusals() -> None:
    x = tl.zeros(2, 3)
    with pytest.raises(DTypeError, match=r"mean: .*int64.*dtype"):
        tl.tensor([1]).mean()
    with pytest.raises(DTypeError, match="var"):
        tl.tensor([1]).var()
    with pytest.raises(DimensionError, match="sum: dimension out of range"):
        x.sum(2)
    with pytest.raises(ShapeError, match="twice"):
        x.sum((0, 0))
    with pytest.raises(ArgumentError, match="unbiased"):
        x.var(0, unbiased=True, correction=1)
    with pytest.raises(OperatorError, match="between 0 and 1"):
        x.quantile(1.5)
    with pytest.raises(ShapeError, match="sum_to_size"):
        x.sum_to_size(3, 3)


def test_out() -> None:
    total = tl.empty(3)
    assert tl.sum(tl.ones(2, 3), 0, out=total) is total and total.tolist() == [2, 2, 2]
    values, indices = tl.empty(0), tl.empty(0, dtype=tl.int64)
    tl.max(tl.tensor([[1.0, 2.0]]), 1, out=(values, indices))
    assert values.tolist() == [2] and indices.tolist() == [1]
    with pytest.raises(DTypeError):
        tl.sum(tl.ones(2), out=tl.empty((), dtype=tl.int64))


def test_spellings_of_numpy() -> None:
    x = tl.tensor([[1.0, 3.0], [2.0, 0.0]])
    assert x.sum(axis=0, keepdims=True).tolist() == [[3, 3]]
    assert x.max(axis=1).indices.tolist() == [1, 0]
    assert tl.cat([x, x], axis=1).shape == (2, 4)
    with pytest.raises(ArgumentError, match="axes"):
        x.sum(axes=0)
