"""Views as copies: ``permute_copy`` and its kin, each the view's operator and then a copy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .registry import FUNCTIONS, op

# operator -> a call of its copying form and what it prints
_EXAMPLES = {
    "permute": ("permute_copy(tl.zeros(2, 3), (1, 0)).shape", "tensorlite.Size([3, 2])"),
    "transpose": ("transpose_copy(tl.zeros(2, 3), 0, 1).shape", "tensorlite.Size([3, 2])"),
    "t": ("t_copy(tl.zeros(2, 3)).shape", "tensorlite.Size([3, 2])"),
    "expand": ("expand_copy(tl.zeros(1, 3), (2, 3)).shape", "tensorlite.Size([2, 3])"),
    "narrow": ("narrow_copy(tl.arange(3), 0, 1, 2)", "tensor([1, 2])"),
    "squeeze": ("squeeze_copy(tl.zeros(1, 3)).shape", "tensorlite.Size([3])"),
    "unsqueeze": ("unsqueeze_copy(tl.zeros(3), 0).shape", "tensorlite.Size([1, 3])"),
    "diagonal": ("diagonal_copy(tl.eye(2))", "tensor([1., 1.])"),
    "as_strided": ("as_strided_copy(tl.arange(3), (2,), (1,))", "tensor([0, 1])"),
    "unfold": ("unfold_copy(tl.arange(3), 0, 3, 1).shape", "tensorlite.Size([1, 3])"),
    "view": ("view_copy(tl.zeros(4), (2, 2)).shape", "tensorlite.Size([2, 2])"),
    "unbind": ("unbind_copy(tl.arange(2))", "(tensor(0), tensor(1))"),
    "split_with_sizes": ("split_with_sizes_copy(tl.arange(2), [1, 1])",
                         "(tensor([0]), tensor([1]))"),
}  # fmt: skip


def _copying(name: str, view: Callable[..., Any]) -> Callable[..., Any]:
    def body(input: Any, *args: Any, **options: Any) -> Any:
        made = view(input, *args, **options)
        return tuple(x.clone() for x in made) if isinstance(made, tuple) else made.clone()

    call, shown = _EXAMPLES[name]
    body.__name__ = f"{name}_copy"
    body.__doc__ = f""":func:`{name}` with memory of its own. Source: PyTorch ``torch.{name}_copy``.

    >>> import tensorlite as tl
    >>> tl.{call}
    {shown}
    """
    return body


for _name in _EXAMPLES:
    op(method=_name == "narrow" and "narrow_copy")(_copying(_name, FUNCTIONS[_name]))


@op()
def alias_copy(input: Any) -> Any:
    """A copy. Source: PyTorch ``torch.alias_copy``.

    >>> import tensorlite as tl
    >>> tl.alias_copy(tl.arange(2))
    tensor([0, 1])
    """
    return input.clone()
