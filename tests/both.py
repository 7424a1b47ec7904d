"""The same call in PyTorch and in tensorlite: one result, or an error from both."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tensorlite as tl
from tensorlite.errors import TensorliteError


def both(call: Callable[..., Any], *arrays: Any, rtol: float = 0.0, values: bool = True) -> Any:
    """Asserts that ``call(package, *tensors)`` does the same with either package.

    The tensors are made of the arrays, afresh for each; what the call leaves in them is compared
    too. Where PyTorch refuses, one of our errors is expected. Gives our result, or that error.
    """
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    theirs = [torch.from_numpy(np.array(a)) for a in arrays]
    ours = [tl.from_numpy(np.array(a)) for a in arrays]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            want = call(torch, *theirs)
        except (RuntimeError, IndexError, TypeError, ValueError, NotImplementedError) as error:
            with pytest.raises(TensorliteError) as caught:
                call(tl, *ours)
            assert len(str(caught.value)) > 10, f"an empty answer where PyTorch says: {error}"
            return caught.value
    have = call(tl, *ours)
    same(want, have, rtol, values)
    for theirs_after, ours_after in zip(theirs, ours, strict=True):
        same(theirs_after, ours_after, rtol, values, "argument")
    return have


def same(
    want: Any, have: Any, rtol: float = 0.0, values: bool = True, path: str = "result"
) -> None:
    """Asserts that two results have one structure, dtype, shape, and the same values."""
    if isinstance(want, tuple | list) and not hasattr(want, "numel"):
        assert len(have) == len(want), path
        for i, (w, h) in enumerate(zip(want, have, strict=True)):
            same(w, h, rtol, values, f"{path}[{i}]")
    elif hasattr(want, "resolve_conj"):
        assert isinstance(have, tl.Tensor), f"{path}: expected a Tensor, got {have!r}"
        assert str(want.dtype) == f"torch.{have.dtype.name}", path
        assert tuple(want.shape) == tuple(have.shape), path
        if values:
            want = want.resolve_conj().resolve_neg()
            wide = want.double() if want.is_floating_point() else want
            plain = have._plain()
            plain = plain.astype(np.float64) if want.is_floating_point() else plain
            np.testing.assert_allclose(plain, wide.numpy(), rtol=rtol, err_msg=path)
    elif type(want).__name__ == "dtype":
        assert str(want) == f"torch.{have.name}", path
    elif isinstance(want, float):
        assert have == pytest.approx(want, rel=rtol, nan_ok=True), path
    else:
        assert have == want and isinstance(have, bool) == isinstance(want, bool), path
