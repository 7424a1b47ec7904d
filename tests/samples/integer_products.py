"""Samples of tensorlite.ops.integer_products."""

from __future__ import annotations

from typing import Any

from . import T, case

EIGHT = {"low": 0, "high": 120}


def products(a: Any, b: Any, a_zero: Any = None, b_zero: Any = None, bias: Any = None) -> Any:
    import torch

    left = a.int() - (0 if a_zero is None else a_zero.int())
    right = b.int() - (0 if b_zero is None else b_zero.int())
    return torch.matmul(left, right) + (0 if bias is None else bias)


def convolved(
    x: Any, w: Any, bias: Any = None, x_zero: Any = None, w_zero: Any = None, *options: Any
) -> Any:
    import torch

    # What is padded is 0 there: the number that x_zero stands for.
    image = x.double() - (0 if x_zero is None else x_zero.double())
    zeros = 0 if w_zero is None else w_zero.double().reshape(-1, *[1] * (w.ndim - 1))
    convolve = (torch.conv1d, torch.conv2d, torch.conv3d)[w.ndim - 3]
    given = None if bias is None else bias.double()
    return convolve(image, w.double() - zeros, given, *options).int()


def sample(name: str, *args: Any) -> None:
    torch = products if name == "integer_matmul" else convolved
    case(name, *args, dtypes="int8 uint8", torch=torch)


def whole(*shape: int) -> T:
    return T(*shape, low=-9000, high=9000, dtype="int32")


for m, k, n in ((1, 1, 1), (3, 300, 5), (5, 4, 33)):
    sample("integer_matmul", T(m, k, **EIGHT), T(k, n, **EIGHT))
    sample("integer_matmul", T(m, k, **EIGHT), T(k, n, dtype="int8"), T(low=0), T(n, dtype="int8"))
sample("integer_matmul", T(2, 3, 4, **EIGHT), T(2, 4, 5, **EIGHT), T(2, 3, 1, **EIGHT))
sample("integer_matmul", T(4, **EIGHT), T(4, **EIGHT))
sample("integer_matmul", T(2, 0, low=0), T(0, 3, low=0), None, None, whole(3))
sample("integer_conv", T(1, 2, 7, **EIGHT), T(3, 2, 3, **EIGHT), whole(3), T(low=0), T(3, low=0))
sample("integer_conv", T(2, 300, 3, 3, **EIGHT), T(2, 300, 3, 3, dtype="int8"))
for groups, *options in ((1, 1, 0), (1, 1, (2, 1)), (2, 2, 0), (4, 1, 1, 2)):
    steps, pads, apart = (*options, 1)[:3]
    sample(
        "integer_conv", T(2, 4, 7, 8, **EIGHT), T(8, 4 // groups, 3, 2, dtype="int8"), None,
        T(low=0), None, steps, pads, apart, groups,
    )  # fmt: skip
sample("integer_conv", T(1, 2, 4, 5, 6, **EIGHT), T(3, 2, 2, 2, 2, **EIGHT))
