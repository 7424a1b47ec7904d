"""Parameters that are computed from others by a module, ``torch.nn.utils.parametrize``'s way.

After ``register_parametrization(layer, "weight", P)`` the layer's weight is ``P(original)``, and
the state_dict has ``parametrizations.weight.original``. The weight is computed when it is first
needed and kept until weights are loaded, moved or assigned; while training it is always computed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from ...errors import ArgumentError, ShapeError
from ...tensor import Tensor
from ..container import ModuleDict, ModuleList
from ..module import Module
from ..parameter import Parameter


class ParametrizationList(ModuleList):
    """The modules that compute one tensor, one after another, and what they compute it from.

    Source: PyTorch ``torch.nn.utils.parametrize.ParametrizationList``.
    """

    def __init__(self, modules: Sequence[Module], original: Any, unsafe: bool = False) -> None:
        super().__init__(modules)
        self._kept: Tensor | None = None
        self._parameter = isinstance(original, Parameter)
        self.is_tensor = True
        self._assign(original, first=True)

    def _assign(self, value: Any, first: bool = False) -> None:
        for module in reversed(list(self)):
            if hasattr(module, "right_inverse"):
                value = module.right_inverse(value)
            elif not first:
                raise ArgumentError(
                    f"{type(module).__name__} has no right_inverse, so the tensor that it "
                    "computes cannot be assigned"
                )
        if first:
            self.is_tensor = isinstance(value, Tensor)
            parts = [value] if self.is_tensor else list(value)
            self._names = ["original"] if self.is_tensor else []
            self._names += [] if self.is_tensor else [f"original{i}" for i in range(len(parts))]
            for name, part in zip(self._names, parts, strict=True):
                if self._parameter:
                    self.register_parameter(name, Parameter(part))
                else:
                    self.register_buffer(name, part)
        else:
            for name, part in zip(self._names, [value] if self.is_tensor else value, strict=True):
                getattr(self, name)[...] = part
        self._kept = None

    def right_inverse(self, value: Tensor) -> None:
        """Assigns the originals for which this tensor is computed."""
        self._assign(value)

    def forward(self) -> Tensor:
        """The tensor."""
        if self._kept is not None and not self.training:
            return self._kept
        first, *rest = self
        result = first(*[getattr(self, name) for name in self._names])
        for module in rest:
            result = module(result)
        self._kept = result
        return result

    def _apply(self, fn: Any, recurse: bool = True) -> Any:
        self._kept = None
        return super()._apply(fn, recurse)

    def _load_from_state_dict(self, *args: Any) -> None:
        self._kept = None
        super()._load_from_state_dict(*args)

    def train(self, mode: bool = True) -> Any:
        """See :meth:`Module.train`."""
        self._kept = None
        return super().train(mode)


def register_parametrization(
    module: Module, tensor_name: str, parametrization: Module, *, unsafe: bool = False
) -> Module:
    """Has a parameter or buffer of a module computed by another module.

    Raises ArgumentError for a name that is neither, ShapeError where the shape changes.
    Source: PyTorch ``torch.nn.utils.parametrize.register_parametrization``.

    >>> import tensorlite as tl
    >>> class Twice(tl.nn.Module):
    ...     def forward(self, x):
    ...         return 2 * x
    >>> layer = register_parametrization(tl.nn.Linear(1, 1, bias=False), "weight", Twice())
    >>> list(layer.state_dict())
    ['parametrizations.weight.original']
    """
    if is_parametrized(module, tensor_name):
        found = module.parametrizations[tensor_name]
        found.append(parametrization)
        found.train(module.training)
        return module
    held = module._parameters if tensor_name in module._parameters else module._buffers
    original = held.get(tensor_name)
    if original is None:
        raise ArgumentError(
            f"register_parametrization: {type(module).__name__} has no parameter or buffer "
            f"{tensor_name!r}"
        )
    made = ParametrizationList([parametrization], original, unsafe).train(module.training)
    if not unsafe and tuple(made().shape) != tuple(original.shape):
        raise ShapeError(
            f"register_parametrization: {type(parametrization).__name__} changes the shape "
            f"{tuple(original.shape)} to {tuple(made().shape)}; pass unsafe=True to allow it"
        )
    del held[tensor_name]
    if not is_parametrized(module):
        module.__class__ = _subclass(type(module))
        module.parametrizations = ModuleDict()
    setattr(type(module), tensor_name, _computed(tensor_name))
    module.parametrizations[tensor_name] = made
    return module


def is_parametrized(module: Module, tensor_name: str | None = None) -> bool:
    """Whether a module has computed parameters (or this one is).

    Source: PyTorch ``torch.nn.utils.parametrize.is_parametrized``.

    >>> import tensorlite as tl
    >>> is_parametrized(tl.nn.Linear(1, 1))
    False
    """
    found = module._modules.get("parametrizations")
    if not isinstance(found, ModuleDict):
        return False
    return len(found) > 0 if tensor_name is None else tensor_name in found


def remove_parametrizations(
    module: Module, tensor_name: str, leave_parametrized: bool = True
) -> Module:
    """The module with an ordinary tensor again: as computed, or the original.

    Source: PyTorch ``torch.nn.utils.parametrize.remove_parametrizations``.

    >>> import tensorlite as tl
    >>> layer = register_parametrization(tl.nn.Linear(1, 1, bias=False), "weight", tl.nn.ReLU())
    >>> list(remove_parametrizations(layer, "weight").state_dict())
    ['weight']
    """
    if not is_parametrized(module, tensor_name):
        raise ArgumentError(f"{type(module).__name__}.{tensor_name} is not parametrized")
    found = module.parametrizations[tensor_name]
    if not leave_parametrized and not found.is_tensor:
        raise ArgumentError("leave_parametrized=False needs one original tensor, not several")
    value = found() if leave_parametrized else found.original
    del module.parametrizations[tensor_name]
    delattr(type(module), tensor_name)
    if not len(module.parametrizations):
        del module.parametrizations
        module.__class__ = type(module).__bases__[0]
    if found._parameter:
        module.register_parameter(tensor_name, Parameter(value))
    else:
        module.register_buffer(tensor_name, value)
    return module


def type_before_parametrizations(module: Module) -> type:
    """The class a module had before. Source: PyTorch ``torch.nn.utils.parametrize``."""
    return type(module).__bases__[0] if is_parametrized(module) else type(module)


@contextmanager
def cached() -> Iterator[None]:
    """Does nothing: computed tensors are kept anyway."""
    yield


def _subclass(cls: type[Module]) -> Any:
    return type(f"Parametrized{cls.__name__}", (cls,), {"__module__": cls.__module__})


def _computed(name: str) -> property:
    def get(self: Any) -> Any:
        return self.parametrizations[name]()

    def put(self: Any, value: Any) -> None:
        self.parametrizations[name].right_inverse(value)

    return property(get, put)
