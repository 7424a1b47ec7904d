"""Single operators, eager: kernels on three sizes each, and what a call costs on four elements."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from .case import Work, function_case
from .engines import Run

Call = Callable[..., Any]  # of the package and its tensors


def work(shapes: tuple[tuple[int, ...], ...], call: Call) -> Work:
    """Random arrays of these shapes for ``call(package, *tensors)``."""

    def prepared(package: Any, tensor: Callable[[Any], Any]) -> Run:
        random = np.random.default_rng(0)
        given = [tensor(random.standard_normal(shape, np.float32)) for shape in shapes]
        return partial(call, package, *given)

    return prepared


def kernels(name: str, call: Call, *sizes: tuple[tuple[int, ...], ...], goal: float = 0.7) -> None:
    for shapes in sizes:
        at = " by ".join("x".join(map(str, shape)) for shape in shapes[:2])
        moved = 4.0 * (sum(map(math.prod, shapes)) + math.prod(shapes[0]))
        function_case(f"{name} {at}", "kernels", goal, work(shapes, call), moved=moved)


_FLAT = (((16_000,),), ((200_000,),), ((1_000_000,),))
_ROWS = ((128, 384), (1536, 128), (4096, 512))
kernels("exp", lambda p, x: p.exp(x), *_FLAT)
kernels("tanh", lambda p, x: p.tanh(x), *_FLAT)
kernels("gelu", lambda p, x: p.nn.functional.gelu(x), *_FLAT)
kernels("silu", lambda p, x: p.nn.functional.silu(x), *_FLAT)
kernels("sigmoid", lambda p, x: p.sigmoid(x), *_FLAT)
kernels("erf", lambda p, x: p.erf(x), *_FLAT)
kernels("softmax", lambda p, x: p.softmax(x, -1), *[(r,) for r in _ROWS])
kernels(
    "layer norm", lambda p, x, w, b: p.nn.functional.layer_norm(x, x.shape[-1:], w, b),
    *[(r, r[1:], r[1:]) for r in _ROWS],
)  # fmt: skip
kernels(
    "RMS norm", lambda p, x, w: p.nn.functional.rms_norm(x, x.shape[-1:], w),
    *[(r, r[1:]) for r in _ROWS],
)  # fmt: skip
kernels(
    "attention", lambda p, q, k, v: p.nn.functional.scaled_dot_product_attention(q, k, v),
    *[((1, 12, n, 32),) * 3 for n in (64, 128, 512)],
)  # fmt: skip
kernels(
    "convolution", lambda p, x, w: p.nn.functional.conv2d(x, w, None, 1, w.shape[-1] // 2),
    *[((1, i, n, n), (o, i, k, k)) for i, n, o, k in ((64, 56, 64, 3), (256, 14, 256, 3),
                                                      (512, 7, 2048, 1))],
)  # fmt: skip
kernels(
    "depthwise convolution",
    lambda p, x, w: p.nn.functional.conv2d(x, w, None, 1, 1, 1, len(w)),
    *[((1, c, n, n), (c, 1, 3, 3)) for c, n in ((96, 112), (192, 28), (576, 14))],
)  # fmt: skip
kernels(
    "transpose", lambda p, x: x.permute(0, 2, 1).contiguous(),
    ((12, 128, 32),), ((1, 384, 1536),), ((4, 1024, 1024),),
)  # fmt: skip
kernels("top-k", lambda p, x: p.topk(x, 100), ((1, 8400),), ((80, 8400),), ((1, 1_000_000),))

_TINY = {
    "a + b": lambda p, a, b: a + b,
    "a + 1.0": lambda p, a, b: a + 1.0,
    "a[1:3]": lambda p, a, b: a[1:3],
    "a.reshape(2, 2)": lambda p, a, b: a.reshape(2, 2),
    "relu": lambda p, a, b: p.relu(a),
    "sum": lambda p, a, b: a.sum(),
}
for _device in ("cpu", "numba"):
    for _name, _call in _TINY.items():
        function_case(
            f"{_name}, 4 elements, {_device}", "calls", 0.8, work(((4,), (4,)), _call),
            device=_device,
        )  # fmt: skip
    function_case(
        f"matmul, 4 elements, {_device}", "calls", 0.8,
        work(((2, 2), (2, 2)), lambda p, a, b: a @ b), device=_device,
    )  # fmt: skip


def _additions(package: Any, a: Any, b: Any) -> list[Any]:
    return [a + b for _ in range(50)]


function_case("50 additions of 3 MB", "calls", 1.0, work(((786_432,), (786_432,)), _additions))
