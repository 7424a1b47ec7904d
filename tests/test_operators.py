"""Every operator, on its sample inputs: against PyTorch, in every dtype, on the device at hand.

An operator without samples or without documentation fails here.
"""

from __future__ import annotations

import doctest
import inspect
import warnings
import zlib
from typing import Any

import numpy as np
import pytest
from samples import Case, D, T, load_all

import tensorlite as tl
from tensorlite.ops.registry import FUNCTIONS, OPS

CASES = load_all()
TOLERANCE = {
    "float16": 5e-3, "bfloat16": 2e-2, "float32": 1e-5, "float64": 1e-9, "complex64": 1e-5,
    "complex128": 1e-9,
}  # fmt: skip
EVERY = [
    pytest.param(case, dtype, id=f"{name}-{i}-{dtype}")
    for name, cases in sorted(CASES.items())
    for i, case in enumerate(cases)
    for dtype in case.dtypes
]


def array_of(spec: T, dtype: str, seed: int) -> np.ndarray[Any, Any]:
    """The random numbers of a spec, as NumPy array (bfloat16 as float32)."""
    random = np.random.default_rng(seed)
    name = spec.dtype or dtype
    if name == "bool":
        return random.random(spec.shape) > 0.5
    if name.startswith(("int", "uint")):
        low = max(int(spec.low), 0) if name.startswith("u") else int(spec.low)
        return random.integers(low, int(spec.high), spec.shape).astype(name)
    values = random.uniform(spec.low, spec.high, spec.shape)
    if name.startswith("complex"):
        values = values + 1j * random.uniform(spec.low, spec.high, spec.shape)
    if spec.definite:
        values = values @ values.swapaxes(-1, -2).conj() + np.eye(spec.shape[-1])
    return values.astype("float32" if name == "bfloat16" else name)


def build(value: Any, dtype: str, make: Any, seed: list[int]) -> Any:
    """An argument with its specs replaced by tensors."""
    if isinstance(value, T):
        seed[0] += 1
        return make(array_of(value, dtype, seed[0]), value.dtype or dtype)
    if isinstance(value, D):
        return make(np.zeros(0), value.name).dtype
    if isinstance(value, tuple | list):
        return type(value)(build(v, dtype, make, seed) for v in value)
    return value


def arguments(case: Case, dtype: str, make: Any) -> tuple[list[Any], dict[str, Any]]:
    seed = [zlib.crc32(case.operator.encode()) % 10000]
    args = [build(a, dtype, make, seed) for a in case.args]
    return args, {k: build(v, dtype, make, seed) for k, v in case.kwargs.items()}


def ours(array: Any, dtype: str) -> tl.Tensor:
    return tl.from_numpy(np.array(array)).to(getattr(tl, dtype))


def theirs(array: Any, dtype: str) -> Any:
    import torch

    return torch.from_numpy(np.array(array)).to(getattr(torch, dtype))


def lookup(package: Any, name: Any) -> Any:
    """The function, or the Tensor method, of that name (or the function that stands for it)."""
    if callable(name):
        return name
    target = package
    for part in name.split("."):
        target = getattr(target, part, None)
    methods = package.Tensor
    return target or getattr(methods, name, None) or getattr(methods, f"__{name}__")


def same(expected: Any, actual: Any, case: Case, path: str = "result") -> None:
    """Asserts that a result has PyTorch's structure, shapes, dtypes and values."""
    if isinstance(expected, tuple | list):
        assert len(actual) == len(expected), path
        for i, (e, a) in enumerate(zip(expected, actual, strict=True)):
            same(e, a, case, f"{path}[{i}]")
    elif hasattr(expected, "detach"):
        assert isinstance(actual, tl.Tensor), f"{path}: expected a Tensor, got {actual!r}"
        name = str(expected.dtype).removeprefix("torch.")
        assert tuple(actual.shape) == tuple(expected.shape), path
        assert actual.dtype.name == name, path
        if case.exact:
            expected = expected.resolve_conj().resolve_neg()
            want = expected.float().numpy() if name == "bfloat16" else expected.numpy()
            have = actual.cpu()._plain()
            rtol = case.rtol or TOLERANCE.get(name, 0)
            np.testing.assert_allclose(have, want, rtol=rtol, atol=rtol, err_msg=path)
    elif isinstance(actual, tl.dtype):
        assert f"torch.{actual.name}" == str(expected), path
    elif isinstance(expected, float | complex):
        assert actual == pytest.approx(expected, nan_ok=True), path
    else:
        assert actual == expected, path


def moved(value: Any, device: tl.device) -> Any:
    """Tensors in a value, on a device."""
    if isinstance(value, tl.Tensor):
        return value.to(device)
    if isinstance(value, tuple | list):
        return type(value)(moved(v, device) for v in value)
    return value


@pytest.mark.parametrize(("case", "dtype"), EVERY)
def test_agrees_with_pytorch(case: Case, dtype: str, device: tl.device) -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    args, kwargs = arguments(case, dtype, theirs)
    with warnings.catch_warnings():  # what PyTorch calls deprecated is here all the same
        warnings.simplefilter("ignore")
        expected = lookup(torch, case.torch or case.operator)(*args, **kwargs)
    args, kwargs = arguments(case, dtype, ours)
    args, kwargs = (
        [moved(a, device) for a in args],
        {k: moved(v, device) for k, v in kwargs.items()},
    )
    same(expected, FUNCTIONS[case.operator](*args, **kwargs), case)


def strided(array: Any, dtype: str) -> tl.Tensor:
    """The same tensor, with gaps between its elements and from back to front in memory."""
    tensor = ours(array, dtype)
    if not tensor.ndim:
        return tensor
    wide = np.empty((*tensor.shape[:-1], 2 * tensor.shape[-1] + 1), tensor._array.dtype)
    view = wide[..., ::-2][..., : tensor.shape[-1]]
    view[...] = tensor._array
    return tl.from_numpy(view)


@pytest.mark.parametrize("name", sorted(CASES))
def test_memory_layout_does_not_matter(name: str, device: tl.device) -> None:
    for case in CASES[name]:
        if not case.exact or case.dense:
            continue
        results = []
        for make in (ours, strided):
            args, kwargs = arguments(case, case.dtypes[0], make)
            args = [moved(a, device) for a in args]
            kwargs = {k: moved(v, device) for k, v in kwargs.items()}
            results.append(FUNCTIONS[case.operator](*args, **kwargs))
        _equal(*results)


def _equal(first: Any, second: Any) -> None:
    if isinstance(first, tuple | list):
        for a, b in zip(first, second, strict=True):
            _equal(a, b)
    elif isinstance(first, tl.Tensor):
        assert first.dtype is second.dtype
        np.testing.assert_allclose(
            first.cpu()._plain(), second.cpu()._plain(), rtol=1e-5, atol=1e-6
        )
    else:
        assert first == second


@pytest.mark.parametrize("name", sorted(OPS))
def test_is_documented_and_sampled(name: str) -> None:
    entry = OPS[name]
    assert name in CASES, f"{name}: add a line of sample inputs in tests/samples"
    doc = inspect.getdoc(entry.body)
    assert doc and ">>>" in doc, f"{name}: its docstring needs an example"
    assert "Source:" in doc, f"{name}: its docstring names no source"


@pytest.mark.parametrize("name", sorted(OPS))
def test_example_runs(name: str) -> None:
    """The doctest of each operator; pytest does not look behind what :func:`op` makes of them."""
    body = OPS[name].body
    out: list[str] = []
    runner = doctest.DocTestRunner(verbose=False)
    for example in doctest.DocTestFinder(recurse=False).find(body, name, globs={"tl": tl}):
        runner.run(example, out=out.append)
    assert runner.summarize(verbose=False).failed == 0, "".join(out)
