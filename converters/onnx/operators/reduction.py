"""Reductions over axes, and positions of extrema."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorlite as tl
from tensorlite import Tensor

from ....errors import OnnxError
from ..registry import onnx_op
from .expected import axis_in
from .shape import ints

Reduce = Callable[[Tensor, list[int], bool], Tensor]


def _sum(x: Tensor, axes: list[int], keep: bool) -> Tensor:
    return tl.sum(x, axes, keep).to(x.dtype)


def _prod(x: Tensor, axes: list[int], keep: bool) -> Tensor:
    for axis in sorted(axes, reverse=True):
        x = tl.prod(x, axis, keep).to(x.dtype)
    return x


def _mean(x: Tensor, axes: list[int], keep: bool) -> Tensor:
    if x.is_floating_point():
        return tl.mean(x, axes, keep)
    count = 1
    for axis in axes:
        count *= x.shape[axis]
    return tl.div(_sum(x, axes, keep), count, rounding_mode="trunc")


def _max(x: Tensor, axes: list[int], keep: bool) -> Tensor:
    return _extremum(tl.amax, x, axes, keep, highest=False)


def _min(x: Tensor, axes: list[int], keep: bool) -> Tensor:
    return _extremum(tl.amin, x, axes, keep, highest=True)


def _extremum(function: Any, x: Tensor, axes: list[int], keep: bool, *, highest: bool) -> Tensor:
    if all(x.shape[axis] for axis in axes):
        return function(x, axes, keep)
    # The extremum of nothing is what every number beats.
    sizes = [1 if i in axes else s for i, s in enumerate(x.shape)]
    if not keep:
        sizes = [s for i, s in enumerate(x.shape) if i not in axes]
    if x.is_floating_point():
        value: Any = float("inf") if highest else float("-inf")
    elif x.dtype is tl.bool:
        value = highest
    else:
        value = getattr(tl.iinfo(x.dtype), "max" if highest else "min")
    return tl.full(sizes, value, dtype=x.dtype, device=x.device)


def _l1(x: Tensor, axes: list[int], keep: bool) -> Tensor:
    return _sum(tl.abs(x), axes, keep)


def _sum_square(x: Tensor, axes: list[int], keep: bool) -> Tensor:
    return _sum(x * x, axes, keep)


def _l2(x: Tensor, axes: list[int], keep: bool) -> Tensor:
    return tl.sqrt(_sum_square(_wide(x), axes, keep)).to(x.dtype)


def _log_sum(x: Tensor, axes: list[int], keep: bool) -> Tensor:
    return tl.log(_sum(_wide(x), axes, keep)).to(x.dtype)


def _log_sum_exp(x: Tensor, axes: list[int], keep: bool) -> Tensor:
    if not all(x.shape[axis] for axis in axes):
        return _log_sum(x, axes, keep)
    return tl.logsumexp(_wide(x), axes, keep).to(x.dtype)


def _wide(x: Tensor) -> Tensor:
    return x if x.is_floating_point() else x.double()


_REDUCTIONS: dict[str, Reduce] = {
    "ReduceSum": _sum, "ReduceProd": _prod, "ReduceMean": _mean, "ReduceMax": _max,
    "ReduceMin": _min, "ReduceL1": _l1, "ReduceL2": _l2, "ReduceSumSquare": _sum_square,
    "ReduceLogSum": _log_sum, "ReduceLogSumExp": _log_sum_exp,
}  # fmt: skip
_AXES_AS_INPUT = {"ReduceSum": 13}  # the others take axes as an input from opset 18 on


def _by_attribute(reduce: Reduce) -> Callable[..., Tensor]:
    def run(x: Tensor, *, axes: list[int] | None = None, keepdims: int = 1) -> Tensor:
        return reduce(x, _all_or(x, axes), bool(keepdims))

    return run


def _by_input(reduce: Reduce, element: Callable[[Tensor], Tensor]) -> Callable[..., Tensor]:
    def run(
        x: Tensor, axes: Tensor | None = None, *, keepdims: int = 1, noop_with_empty_axes: int = 0
    ) -> Tensor:
        chosen = ints(axes)
        if not chosen and noop_with_empty_axes:
            return element(x)
        return reduce(x, _all_or(x, chosen), bool(keepdims))

    return run


def _all_or(x: Tensor, axes: list[int] | None) -> list[int]:
    if not axes:
        return list(range(x.ndim))
    places = [axis_in(axis, x, "axes") for axis in axes]
    if len(set(places)) < len(places):
        raise OnnxError(f"expected each of the axes once, got {axes}")
    return places


def _itself(x: Tensor) -> Tensor:
    return x


# What is done to each element when nothing is reduced: the reduction of one element.
_ELEMENT: dict[str, Callable[[Tensor], Tensor]] = {
    "ReduceL1": tl.abs, "ReduceL2": tl.abs, "ReduceSumSquare": lambda x: x * x,
    "ReduceLogSum": tl.log,
}  # fmt: skip

for _name, _reduce in _REDUCTIONS.items():
    onnx_op(_name)(_by_attribute(_reduce))
    onnx_op(_name, since=_AXES_AS_INPUT.get(_name, 18))(
        _by_input(_reduce, _ELEMENT.get(_name, _itself))
    )


def _position(function: Any, x: Tensor, axis: int, keepdims: int, last: int) -> Tensor:
    axis = axis_in(axis, x)
    if not last:
        return function(x, axis, bool(keepdims))
    found = x.shape[axis] - 1 - function(tl.flip(x, [axis]), axis, bool(keepdims))
    return found


@onnx_op("ArgMax")
def arg_max(x: Tensor, *, axis: int = 0, keepdims: int = 1, select_last_index: int = 0) -> Tensor:
    return _position(tl.argmax, x, axis, keepdims, select_last_index)


@onnx_op("ArgMin")
def arg_min(x: Tensor, *, axis: int = 0, keepdims: int = 1, select_last_index: int = 0) -> Tensor:
    return _position(tl.argmin, x, axis, keepdims, select_last_index)


@onnx_op("CumSum")
def cum_sum(x: Tensor, axis: Tensor, *, exclusive: int = 0, reverse: int = 0) -> Tensor:
    return _scan(tl.cumsum, 0, x, int(axis.item()), exclusive, reverse)


@onnx_op("CumProd")
def cum_prod(x: Tensor, axis: Tensor, *, exclusive: int = 0, reverse: int = 0) -> Tensor:
    return _scan(tl.cumprod, 1, x, int(axis.item()), exclusive, reverse)


def _scan(function: Any, start: int, x: Tensor, axis: int, exclusive: int, reverse: int) -> Tensor:
    axis = axis_in(axis, x)
    if not x.numel():
        return x
    if reverse:
        x = tl.flip(x, [axis])
    if exclusive:
        first = tl.full_like(x.narrow(axis, 0, 1), start)
        x = tl.cat([first, x.narrow(axis, 0, x.shape[axis] - 1)], axis)
    result = function(x, axis).to(x.dtype)
    return tl.flip(result, [axis]) if reverse else result
