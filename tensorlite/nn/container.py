"""Modules that hold other modules: Sequential, lists and dicts."""

from __future__ import annotations

import operator
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any

from ..errors import ArgumentError, DimensionError
from .module import Module, _indented


class _Numbered(Module):
    """Modules named "0", "1"...: what Sequential and ModuleList have in common."""

    def _name(self, index: Any) -> str:
        size = len(self)
        place = operator.index(index)
        if not -size <= place < size:
            raise DimensionError(f"{type(self).__name__}: index {place} of {size} modules")
        return next(islice(self._modules, place % size, None))

    def _renumber(self, modules: Iterable[Any]) -> None:
        modules = list(modules)
        self._modules.clear()
        for i, module in enumerate(modules):
            self.add_module(str(i), module)

    def __len__(self) -> int:
        return len(self._modules)

    def __iter__(self) -> Iterator[Any]:
        return iter(self._modules.values())

    def __setitem__(self, index: Any, module: Module) -> None:
        setattr(self, self._name(index), module)

    def __delitem__(self, index: Any) -> None:
        names = list(self._modules)[index] if isinstance(index, slice) else [self._name(index)]
        for name in names:
            del self._modules[name]
        self._renumber(self._modules.values())

    def __iadd__(self, other: Iterable[Any]) -> Any:
        return self.extend(other)

    def append(self, module: Module) -> Any:
        """Adds a module at the end."""
        self.add_module(str(len(self)), module)
        return self

    def extend(self, modules: Iterable[Any]) -> Any:
        """Adds modules at the end."""
        if not isinstance(modules, Iterable):
            raise ArgumentError(
                f"{type(self).__name__}.extend: expected modules, got {type(modules).__name__}"
            )
        for module in list(modules):
            self.append(module)
        return self

    def insert(self, index: int, module: Module) -> Any:
        """Puts a module in front of the one at ``index``."""
        modules = list(self._modules.values())
        modules.insert(index, module)
        self._renumber(modules)
        return self

    def pop(self, index: Any = -1) -> Any:
        """Takes a module out and returns it."""
        module = self._modules[self._name(index)]
        del self[index]
        return module


class Sequential(_Numbered):
    """Modules one after another: each gets what the one before it gives.

    Source: PyTorch ``torch.nn.Sequential``.

    >>> import tensorlite as tl
    >>> from tensorlite import nn
    >>> net = nn.Sequential(nn.Linear(4, 3), nn.ReLU())
    >>> net(tl.ones(2, 4)).shape
    tensorlite.Size([2, 3])
    >>> net[:1]
    Sequential(
      (0): Linear(in_features=4, out_features=3, bias=True)
    )
    """

    def __init__(self, *args: Any) -> None:
        super().__init__()
        named = len(args) == 1 and isinstance(args[0], dict)
        for name, module in args[0].items() if named else enumerate(args):
            self.add_module(str(name), module)

    def forward(self, input: Any) -> Any:
        for module in self._modules.values():
            input = module(input)  # type: ignore[misc]
        return input

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return type(self)(OrderedDict(list(self._modules.items())[index]))
        return self._modules[self._name(index)]

    def __add__(self, other: Sequential) -> Sequential:
        return Sequential(*self, *other)

    def __mul__(self, times: int) -> Sequential:
        return Sequential(*list(self) * times)

    __rmul__ = __mul__

    def __imul__(self, times: int) -> Sequential:
        for module in list(self) * (times - 1):
            self.append(module)
        return self


class ModuleList(_Numbered):
    """A list of modules. Source: PyTorch ``torch.nn.ModuleList``.

    >>> from tensorlite import nn
    >>> layers = nn.ModuleList([nn.Linear(2, 2) for _ in range(2)])
    >>> layers
    ModuleList(
      (0-1): 2 x Linear(in_features=2, out_features=2, bias=True)
    )
    """

    def __init__(self, modules: Iterable[Any] | None = None) -> None:
        super().__init__()
        if modules is not None:
            self.extend(modules)

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return type(self)(list(self._modules.values())[index])
        return self._modules[self._name(index)]

    def __add__(self, other: Iterable[Any]) -> ModuleList:
        return ModuleList([*self, *other])

    def __repr__(self) -> str:
        if not self._modules:
            return f"{self._get_name()}()"
        blocks: list[list[Any]] = []  # [first, last, text] of equal neighbours
        for i, module in enumerate(self):
            text = repr(module)
            if blocks and blocks[-1][2] == text:
                blocks[-1][1] = i
            else:
                blocks.append([i, i, text])
        lines = [f"{self._get_name()}("]
        for first, last, text in blocks:
            many = last > first
            name = f"({first}-{last}): {last - first + 1} x " if many else f"({first}): "
            lines.append(f"  {name}{_indented(text)}")
        return "\n".join([*lines, ")"])


class ModuleDict(Module):
    """Modules by name. Source: PyTorch ``torch.nn.ModuleDict``.

    >>> from tensorlite import nn
    >>> heads = nn.ModuleDict({"a": nn.ReLU()})
    >>> heads["b"] = nn.Tanh()
    >>> list(heads)
    ['a', 'b']
    """

    def __init__(self, modules: Any = None) -> None:
        super().__init__()
        if modules is not None:
            self.update(modules)

    def __getitem__(self, key: str) -> Any:
        return self._modules[key]

    def __setitem__(self, key: str, module: Module) -> None:
        self.add_module(key, module)

    def __delitem__(self, key: str) -> None:
        del self._modules[key]

    def __len__(self) -> int:
        return len(self._modules)

    def __iter__(self) -> Iterator[str]:
        return iter(self._modules)

    def __contains__(self, key: object) -> bool:
        return key in self._modules

    def keys(self) -> Iterable[str]:
        """The names."""
        return self._modules.keys()

    def values(self) -> Iterable[Any]:
        """The modules."""
        return self._modules.values()

    def items(self) -> Iterable[tuple[str, Any]]:
        """(name, module) of each."""
        return self._modules.items()

    def pop(self, key: str) -> Any:
        """Takes a module out and returns it."""
        return self._modules.pop(key)

    def clear(self) -> None:
        """Takes all modules out."""
        self._modules.clear()

    def update(self, modules: Any) -> None:
        """Adds the modules of a dict or of (name, module) pairs."""
        if not isinstance(modules, Iterable):
            raise ArgumentError(
                f"ModuleDict.update: expected a dict or pairs, got {type(modules).__name__}"
            )
        for key, module in _pairs(modules):
            self[key] = module


def _pairs(values: Any) -> Any:
    return values.items() if isinstance(values, Mapping | ModuleDict) else values
