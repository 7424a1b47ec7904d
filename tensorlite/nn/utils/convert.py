"""All parameters as one vector and back, and layers without first values."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ...errors import ArgumentError, ShapeError
from ...ops.registry import namespace
from ...tensor import Tensor
from ..module import Module


def parameters_to_vector(parameters: Iterable[Tensor]) -> Tensor:
    """All elements behind one another. Source: PyTorch ``torch.nn.utils.parameters_to_vector``.

    >>> import tensorlite as tl
    >>> parameters_to_vector([tl.ones(1, 2), tl.zeros(1)])
    tensor([1., 1., 0.])
    """
    return namespace("")["cat"]([parameter.reshape(-1) for parameter in parameters])


def vector_to_parameters(vec: Tensor, parameters: Iterable[Tensor]) -> None:
    """Writes such a vector back. Source: PyTorch ``torch.nn.utils.vector_to_parameters``.

    >>> import tensorlite as tl
    >>> layer = tl.nn.Linear(2, 1)
    >>> vector_to_parameters(tl.tensor([1.0, 2.0, 3.0]), layer.parameters()); layer.bias.item()
    3.0
    """
    if not isinstance(vec, Tensor):
        raise ArgumentError(f"vector_to_parameters: expected a Tensor, got {type(vec).__name__}")
    begin = 0
    for parameter in parameters:
        size = parameter.numel()
        if begin + size > vec.numel():
            raise ShapeError(f"vector_to_parameters: {vec.numel()} elements are too few")
        parameter[...] = vec[begin : begin + size].reshape(parameter.shape)
        begin += size


def skip_init(module_cls: type[Module], *args: Any, **kwargs: Any) -> Module:
    """A layer; its weights have their first values all the same.

    Source: PyTorch ``torch.nn.utils.skip_init``.

    >>> import tensorlite as tl
    >>> skip_init(tl.nn.Linear, 2, 1)
    Linear(in_features=2, out_features=1, bias=True)
    """
    return module_cls(*args, **kwargs)
