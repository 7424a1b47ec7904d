"""Parameters in lists and dicts."""

from __future__ import annotations

import operator
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ..errors import ArgumentError, DimensionError
from ..tensor import Tensor
from .module import Module, _indented
from .parameter import Parameter


class ParameterList(Module):
    """A list whose tensors are parameters. Source: PyTorch ``torch.nn.ParameterList``.

    >>> import tensorlite as tl
    >>> tl.nn.ParameterList([tl.ones(2, 3), tl.zeros(4)])
    ParameterList(
        (0): Parameter containing: [tensorlite.float32 of size 2x3]
        (1): Parameter containing: [tensorlite.float32 of size 4]
    )
    """

    def __init__(self, values: Iterable[Any] | None = None) -> None:
        super().__init__()
        self._size = 0
        if values is not None:
            self.extend(values)

    def _name(self, index: Any) -> str:
        place = operator.index(index)
        if not -self._size <= place < self._size:
            raise DimensionError(f"ParameterList: index {place} of {self._size} parameters")
        return str(place % self._size)

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return type(self)([self[i] for i in range(*index.indices(self._size))])
        return getattr(self, self._name(index))

    def __setitem__(self, index: Any, value: Any) -> None:
        setattr(self, self._name(index), _as_parameter(value))

    def __len__(self) -> int:
        return self._size

    def __iter__(self) -> Iterator[Any]:
        return (self[i] for i in range(self._size))

    def __iadd__(self, values: Iterable[Any]) -> ParameterList:
        return self.extend(values)

    def append(self, value: Any) -> ParameterList:
        """Adds a parameter at the end."""
        self._size += 1
        self[self._size - 1] = value
        return self

    def extend(self, values: Iterable[Any]) -> ParameterList:
        """Adds parameters at the end."""
        if not isinstance(values, Iterable) or isinstance(values, Tensor):
            raise ArgumentError(
                f"ParameterList.extend: expected parameters, got {type(values).__name__}"
            )
        for value in list(values):
            self.append(value)
        return self

    def __repr__(self) -> str:
        return _parameters_text(self, enumerate(self))


class ParameterDict(Module):
    """Parameters by name. Source: PyTorch ``torch.nn.ParameterDict``.

    >>> import tensorlite as tl
    >>> tl.nn.ParameterDict({"scale": tl.ones(3)})
    ParameterDict(
        (scale): Parameter containing: [tensorlite.float32 of size 3]
    )
    """

    def __init__(self, parameters: Any = None) -> None:
        super().__init__()
        self._keys: dict[str, None] = {}
        if parameters is not None:
            self.update(parameters)

    def __getitem__(self, key: str) -> Any:
        return getattr(self, self._attribute(key))

    def __setitem__(self, key: str, value: Any) -> None:
        self._keys[key] = None
        setattr(self, self._attribute(key), _as_parameter(value))

    def __delitem__(self, key: str) -> None:
        del self._keys[key]
        delattr(self, self._attribute(key))

    def _attribute(self, key: Any) -> str:
        if not isinstance(key, str):
            raise ArgumentError(f"ParameterDict: expected a string as key, got {key!r}")
        return key

    def __len__(self) -> int:
        return len(self._keys)

    def __iter__(self) -> Iterator[str]:
        return iter(self._keys)

    def __reversed__(self) -> Iterator[str]:
        return reversed(list(self._keys))

    def __contains__(self, key: object) -> bool:
        return key in self._keys

    def __or__(self, other: Any) -> ParameterDict:
        return ParameterDict({**dict(self.items()), **dict(_pairs(other))})

    def __ior__(self, other: Any) -> ParameterDict:
        self.update(other)
        return self

    def keys(self) -> Iterable[str]:
        """The names."""
        return self._keys.keys()

    def values(self) -> Iterable[Any]:
        """The parameters."""
        return (self[key] for key in self._keys)

    def items(self) -> Iterable[tuple[str, Any]]:
        """(name, parameter) of each."""
        return ((key, self[key]) for key in self._keys)

    def get(self, key: str, default: Any = None) -> Any:
        """The parameter of that name, or the default."""
        return self[key] if key in self._keys else default

    def setdefault(self, key: str, default: Any = None) -> Any:
        """The parameter of that name, which is the default if there was none."""
        if key not in self._keys:
            self[key] = default
        return self[key]

    def copy(self) -> ParameterDict:
        """A dict of the same parameters."""
        return ParameterDict(dict(self.items()))

    def fromkeys(self, keys: Iterable[str], default: Any = None) -> ParameterDict:
        """A dict of those names, all with the default."""
        return ParameterDict(dict.fromkeys(keys, default))

    def pop(self, key: str) -> Any:
        """Takes a parameter out and returns it."""
        value = self[key]
        del self[key]
        return value

    def popitem(self) -> tuple[str, Any]:
        """Takes the last (name, parameter) out."""
        key = next(reversed(self._keys))
        return key, self.pop(key)

    def clear(self) -> None:
        """Takes all parameters out."""
        for key in list(self._keys):
            del self[key]

    def update(self, parameters: Any) -> None:
        """Adds the parameters of a dict or of (name, parameter) pairs."""
        pairs = _pairs(parameters)
        if isinstance(parameters, Mapping) and not isinstance(parameters, OrderedDict):
            pairs = sorted(pairs)
        for key, value in pairs:
            self[key] = value

    def __repr__(self) -> str:
        return _parameters_text(self, self.items())


def _as_parameter(value: Any) -> Any:
    if isinstance(value, Tensor) and not isinstance(value, Parameter):
        return Parameter(value)
    return value


def _parameters_text(module: Module, items: Iterable[tuple[Any, Any]]) -> str:
    lines = []
    for name, value in items:
        if isinstance(value, Tensor):
            size = "x".join(str(s) for s in value.shape)
            kind = "Parameter" if isinstance(value, Parameter) else "Tensor"
            text = f"{kind} containing: [{value.dtype} of size {size}]"
            text += "" if value.device.kind == "cpu" else f" ({value.device})"
        else:
            text = f"Object of type: {type(value).__name__}"
        lines.append(f"    ({name}): {_indented(text)}")
    return (
        "\n".join([f"{module._get_name()}(", *lines, ")"]) if lines else f"{module._get_name()}()"
    )


def _pairs(values: Any) -> Any:
    return values.items() if isinstance(values, Mapping | ParameterDict) else values
