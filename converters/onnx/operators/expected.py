"""What an operator expects of an input: that it is there, its shape, its dtype."""

from __future__ import annotations

from collections.abc import Sequence

from tensorlite import Tensor, bfloat16, dtype, float16, float32, float64

from ....errors import OnnxError
from ..values import describe

UP_TO_FLOAT32 = (float32, float16, bfloat16)
FLOATS = (float64, *UP_TO_FLOAT32)


def expect(
    name: str,
    x: Tensor | None,
    sizes: tuple[int | str, ...] | None = None,
    dtypes: tuple[dtype, ...] | None = None,
) -> Tensor:
    """The input, if it has those sizes (a name stands for any) and one of those dtypes.

    Raises OnnxError. Without ``sizes`` or ``dtypes`` any will do.
    """
    if not isinstance(x, Tensor):
        raise OnnxError(f"expected a tensor as {name}, got {describe(x)}")
    if sizes is not None and not _fits(x, sizes):
        shape = f"({', '.join(map(str, sizes))}{',' if len(sizes) == 1 else ''})"
        raise OnnxError(f"expected {name} of shape {shape}, got {describe(x)}")
    if dtypes is not None and x.dtype not in dtypes:
        names = ", ".join(d.name for d in dtypes)
        raise OnnxError(f"expected {name} of dtype {names}, got {describe(x)}")
    return x


def _fits(x: Tensor, sizes: tuple[int | str, ...]) -> bool:
    return x.ndim == len(sizes) and all(
        isinstance(want, str) or want == have for want, have in zip(sizes, x.shape, strict=True)
    )


def axis_in(axis: int, x: Tensor, name: str = "axis") -> int:
    """An axis of ``x``, counted from the front. Raises OnnxError where ``x`` has no such axis."""
    if not -x.ndim <= axis < x.ndim:
        raise OnnxError(
            f"expected {name} from {-x.ndim} to {x.ndim - 1} for shape {tuple(x.shape)}, got {axis}"
        )
    return axis % x.ndim


def alike(inputs: Sequence[Tensor]) -> None:
    """Raises OnnxError unless all have one shape, as the operators before broadcasting ask."""
    for x in inputs[1:]:
        if x.shape != inputs[0].shape:
            raise OnnxError(
                f"expected inputs of one shape at this opset, got {tuple(inputs[0].shape)} and "
                f"{tuple(x.shape)}"
            )


def broadcastable(name: str, x: Tensor, shape: tuple[int, ...]) -> Tensor:
    """The input, if it broadcasts to ``shape`` (one way only). Raises OnnxError."""
    beside = shape[len(shape) - x.ndim :]
    if x.ndim > len(shape) or any(m not in (1, n) for m, n in zip(x.shape, beside, strict=True)):
        raise OnnxError(f"expected {name} to broadcast to {shape}, got shape {tuple(x.shape)}")
    return x


def one_of(name: str, value: str, known: tuple[str, ...]) -> str:
    """An attribute's value, if it is one of the known. Raises OnnxError."""
    if value not in known:
        raise OnnxError(f"expected {name} to be one of {', '.join(known)}, got {value!r}")
    return value
