"""Tensors that become another view of their memory: ``squeeze_``, ``transpose_`` and their kin."""

from __future__ import annotations

from typing import Any

from .registry import METHODS, op

# operator -> a call of its in-place form and the shape that comes of it
_EXAMPLES = {
    "squeeze": ("zeros(1, 3).squeeze_()", "[3]"),
    "unsqueeze": ("zeros(3).unsqueeze_(0)", "[1, 3]"),
    "t": ("zeros(2, 3).t_()", "[3, 2]"),
    "transpose": ("zeros(2, 3).transpose_(0, 1)", "[3, 2]"),
    "as_strided": ("zeros(6).as_strided_((2, 3), (3, 1))", "[2, 3]"),
}


def _become(name: str) -> None:
    view = METHODS[name]

    def body(input: Any, *args: Any, **options: Any) -> Any:
        input._array = view(input, *args, **options)._array
        return input

    call, shape = _EXAMPLES[name]
    body.__name__ = f"{name}_"
    body.__doc__ = f"""Makes the tensor the view that ``{name}`` gives. Source: PyTorch
    ``torch.Tensor.{name}_``.

    >>> import tensorlite as tl
    >>> tl.{call}.shape
    tensorlite.Size({shape})
    """
    aliases = ("swapaxes_", "swapdims_") if name == "transpose" else ()
    op(spaces=(), method=True, aliases=aliases)(body)


for _name in _EXAMPLES:
    _become(_name)
