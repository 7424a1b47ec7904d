"""Values inside tuples, lists, named tuples and dicts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any


def mapped(change: Callable[[Any], Any], value: Any) -> Any:
    """The same structure with every value in it changed.

    >>> mapped(lambda x: x + 1, (1, [2, {"a": 3}]))
    (2, [3, {'a': 4}])
    """
    if isinstance(value, tuple | list):
        items = [mapped(change, item) for item in value]
        return type(value)(*items) if hasattr(value, "_fields") else type(value)(items)
    if isinstance(value, dict):
        return {key: mapped(change, item) for key, item in value.items()}
    return change(value)


def flattened(value: Any) -> Iterator[Any]:
    """The values in a structure, in order.

    >>> [*flattened((1, [2, {"a": 3}]))]
    [1, 2, 3]
    """
    if isinstance(value, tuple | list):
        for item in value:
            yield from flattened(item)
    elif isinstance(value, dict):
        for item in value.values():
            yield from flattened(item)
    else:
        yield value
