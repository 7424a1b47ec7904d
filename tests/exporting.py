"""PyTorch modules through PyTorch's ONNX exporters into tensorlite, and what comes out compared.

A test file has a table of :func:`case`; each of them is exported in the ways that it names, loaded
with and without our optimiser, run with inputs of several sizes, and compiled on the numba device.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

import tensorlite as tl

torch = pytest.importorskip("torch", reason="PyTorch is not installed")
pytest.importorskip("onnxscript", reason="onnxscript, which exports, is not installed")

#: The largest difference, as a part of the largest result: other orders of addition.
TOLERANCE = {"float64": 1e-11, "float32": 1e-5, "float16": 4e-3, "bfloat16": 3e-2}

#: Where the exporters' own warnings come from, as far as they do not blame the caller...
_EXPORTERS = r"(torch|onnxscript|onnx_ir|copyreg)($|\.)"
#: ... and what they say where they do.
_BLAMED = (
    (r"You are using the legacy TorchScript-based ONNX export", DeprecationWarning),
    (r"Constant folding - Only steps=1 can be constant folded", UserWarning),
    (r"_check_is_size will be removed", FutureWarning),
    (r"", torch.jit.TracerWarning),
)


@dataclass(frozen=True)
class Case:
    """A module, its inputs at several sizes, and an exporter with an opset."""

    module: Callable[[], Any]
    inputs: Callable[..., tuple[Any, ...]]
    sizes: tuple[tuple[Any, ...], ...]
    free: tuple[tuple[int, ...], ...]  # of each input tensor the dimensions that may change
    exporter: str
    opset: int
    plan: bool


def case(
    name: str,
    module: Callable[[], Any],
    inputs: Callable[..., tuple[Any, ...]],
    *sizes: tuple[Any, ...],
    free: tuple[tuple[int, ...], ...] = (),
    by: str,
    plan: bool = True,
) -> Iterator[Any]:
    """A pytest parameter for each of the ways in ``by``, such as "dynamo 18 slow, torchscript 17".

    It is exported with inputs of the first sizes and run with inputs of all.
    """
    for way in by.split(", "):
        exporter, opset, *slow = way.split()
        made = Case(module, inputs, sizes or ((),), free, exporter, int(opset), plan)
        marks = [pytest.mark.slow] if slow else []
        yield pytest.param(made, id=f"{name}-{exporter}-{opset}", marks=marks)


def cases(*groups: Iterable[Any]) -> list[Any]:
    """All parameters of these cases."""
    return [parameter for group in groups for parameter in group]


def seeded(make: Callable[[], Any]) -> Any:
    """The module with weights that depend on nothing, and statistics that change something."""
    torch.manual_seed(0)
    module = make().eval()
    for name, buffer in module.named_buffers():
        if name.endswith("running_mean"):
            buffer.normal_()
        if name.endswith("running_var"):
            buffer.uniform_(0.5, 2.0)
    return module


def scripted(module: Any) -> Any:
    """The module compiled by torch.jit.script, which keeps loops and branches."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", r"`torch.jit.script` is deprecated", DeprecationWarning)
        return torch.jit.script(module)


def export(
    module: Any,
    inputs: tuple[Any, ...],
    *,
    exporter: str,
    opset: int,
    free: tuple[tuple[int, ...], ...] = (),
) -> bytes:
    """The ONNX file that an exporter ("dynamo" or "torchscript") makes of a module."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module=_EXPORTERS)
        for message, category in _BLAMED:
            warnings.filterwarnings("ignore", message, category)
        if exporter == "dynamo":
            return _by_dynamo(module, inputs, opset, free)
        return _by_torchscript(module, inputs, opset, free)


def _by_dynamo(module: Any, inputs: tuple[Any, ...], opset: int, free: Any) -> bytes:
    dimensions = iter(free)

    def dynamic(value: Any) -> Any:
        if isinstance(value, tuple | list):
            return type(value)(dynamic(v) for v in value)
        return {d: torch.export.Dim.DYNAMIC for d in next(dimensions)}

    shapes = dynamic(inputs) if free else None
    with torch.no_grad():
        program = torch.onnx.export(
            module, inputs, dynamo=True, opset_version=opset, dynamic_shapes=shapes, verbose=False
        )
    return program.model_proto.SerializeToString()


def _by_torchscript(module: Any, inputs: tuple[Any, ...], opset: int, free: Any) -> bytes:
    file = io.BytesIO()
    names = [f"x{i}" for i in range(len(flat(inputs)))]
    axes = {name: {d: f"{name}_{d}" for d in dims} for name, dims in zip(names, free, strict=False)}
    torch.onnx.export(
        module, inputs, file, dynamo=False, opset_version=opset, input_names=names,
        dynamic_axes=axes,
    )  # fmt: skip
    return file.getvalue()


def flat(values: Any) -> list[Any]:
    """The tensors in tuples, lists and dicts, in their order."""
    if isinstance(values, dict):
        values = tuple(values.values())
    if not isinstance(values, tuple | list):
        return [values]
    return [tensor for value in values for tensor in flat(value)]


def to_tensorlite(tensor: Any) -> tl.Tensor:
    """The same numbers; bfloat16 by way of float32, for numpy has none."""
    if tensor.dtype == torch.bfloat16:
        return tl.from_numpy(tensor.float().numpy()).to(tl.bfloat16)
    return tl.from_numpy(tensor.numpy(force=True))


def agree(have: Any, want: Any) -> None:
    """Asserts one dtype, one shape and, within the dtype's tolerance, the same values."""
    assert have.dtype.name == str(want.dtype).removeprefix("torch.")
    assert tuple(have.shape) == tuple(want.shape)
    tolerance = TOLERANCE.get(have.dtype.name)
    if tolerance is None:
        np.testing.assert_array_equal(have.cpu().numpy(), want.numpy(force=True))
        return
    expected = want.double().numpy(force=True)
    finite = np.abs(expected[np.isfinite(expected)])
    atol = tolerance * max(float(finite.max(initial=0)), 1e-3)
    actual = have.cpu().to(tl.float64).numpy()
    np.testing.assert_allclose(actual, expected, rtol=tolerance, atol=atol)


def check(case: Case, device: tl.device) -> None:
    """Exports the module and asserts that tensorlite gives what PyTorch gives."""
    module = seeded(case.module)
    sets = [case.inputs(*sizes) for sizes in case.sizes]
    with torch.no_grad():
        wanted = [flat(module(*copied(inputs))) for inputs in sets]
    data = export(module, copied(sets[0]), exporter=case.exporter, opset=case.opset, free=case.free)
    models = [tl.onnx.load(data, device=device, optimize=optimize) for optimize in (True, False)]
    calls: list[Any] = list(models)
    if case.plan and device.type == "numba":
        calls.append(models[0].compile())
    for call in calls:
        for inputs, want in zip(sets, wanted, strict=True):
            compare(call, models[0], inputs, want)


def compare(call: Any, model: Any, inputs: tuple[Any, ...], want: list[Any]) -> None:
    """Asserts that a call of the model with PyTorch's tensors gives PyTorch's results."""
    given = [to_tensorlite(tensor).to(model.place) for tensor in flat(inputs)]
    outputs = call(*given[: len(model.inputs)])
    have = list(outputs) if isinstance(outputs, tuple) else [outputs]
    assert len(have) == len(want)
    for ours, theirs in zip(have, want, strict=True):
        agree(ours, theirs)


def copied(values: Any) -> Any:
    """Inputs of their own for a module that writes in them."""
    if isinstance(values, tuple | list):
        return type(values)(copied(value) for value in values)
    return values.clone()
