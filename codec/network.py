"""Networks that are Python classes, in ``.tlz`` files: the class's name and its arguments, as data.

The file ``network.json`` has ``{"class": NAME, "arguments": {...}}``. The class itself is given by
whoever loads it; nothing is imported by a name from a file.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ..errors import ArgumentError, FileFormatError
from .container import Checkpoint

NAME, KIND = "network.json", "network"


def described(module: Any, arguments: Mapping[str, Any]) -> bytes:
    """The content of ``network.json`` for a module and the arguments that its class was given.

    >>> described([], {"width": 3})
    b'{"arguments":{"width":3},"class":"list"}'
    """
    found = {"arguments": dict(arguments), "class": type(module).__qualname__}
    try:
        text = json.dumps(found, sort_keys=True, separators=(",", ":"), allow_nan=False)
    except (TypeError, ValueError) as error:
        raise ArgumentError(
            f"save: arguments are numbers, texts, lists and dicts of them, as in JSON ({error})"
        ) from None
    if json.loads(text) != found:
        raise ArgumentError(
            "save: arguments are changed by JSON; use lists and names that are texts"
        )
    return text.encode()


def build(file: Checkpoint, kind: Any, device: Any = None) -> Any:
    """The module ``kind(**arguments)`` with the weights of a file.

    Raises FileFormatError where the file has no arguments, or those of another class.
    """
    if NAME not in file.directory.files:
        raise FileFormatError(
            f"{file.path}: it does not say the arguments of a class; make the module, and give "
            "tl.load(path) to its load_state_dict"
        )
    try:
        found = json.loads(file.file(NAME))
        name, arguments = found["class"], dict(found["arguments"])
    except (ValueError, LookupError, TypeError, RecursionError):
        raise FileFormatError(f"{file.path}: file {NAME!r} is not as it should be") from None
    if name != kind.__qualname__:
        raise FileFormatError(
            f"{file.path}: it holds a network of the class {name!r:.99}, not {kind.__qualname__!r}"
        )
    module = kind(**arguments)
    if device is not None:
        module = module.to(device)
    module.load_state_dict(file.read_all())
    return module
