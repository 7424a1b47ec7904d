"""Linear, bilinear and the identity."""

from __future__ import annotations

import math
from typing import Any

from ..tensor import Tensor
from . import functional as F
from . import init
from .lazy import LazyModuleMixin
from .module import Module
from .parameter import Parameter, UninitializedParameter, parameter


class Identity(Module):
    """The input; any constructor arguments are ignored. Source: PyTorch ``torch.nn.Identity``.

    >>> import tensorlite as tl
    >>> tl.nn.Identity(54)(tl.tensor([1.0]))
    tensor([1.])
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__()

    def forward(self, input: Any) -> Any:
        return input


class Linear(Module):
    """``x @ weight.T + bias``: (..., in_features) to (..., out_features).

    Parameters: weight (out_features, in_features), bias (out_features,).
    Source: PyTorch ``torch.nn.Linear``.

    >>> import tensorlite as tl
    >>> tl.nn.Linear(4, 2)(tl.ones(3, 4)).shape
    tensorlite.Size([3, 2])
    """

    in_features: int
    out_features: int
    weight: Parameter
    bias: Parameter | None

    def __init__(
        self,
        in_features: int,
        out_features: int,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        self.in_features, self.out_features = in_features, out_features
        self.weight = parameter(out_features, in_features, device=device, dtype=dtype)
        self.register_parameter(
            "bias", parameter(out_features, device=device, dtype=dtype) if bias else None
        )
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Weights and biases uniform within ``1 / sqrt(in_features)``."""
        init.kaiming_uniform_(self.weight, a=math.sqrt(5))
        if self.bias is not None:
            bound = 1 / math.sqrt(self.in_features) if self.in_features else 0
            init.uniform_(self.bias, -bound, bound)

    def forward(self, input: Tensor) -> Tensor:
        return F.linear(input, self.weight, self.bias)

    def extra_repr(self) -> str:
        return (
            f"in_features={self.in_features}, out_features={self.out_features}, "
            f"bias={self.bias is not None}"
        )


class NonDynamicallyQuantizableLinear(Linear):
    """A Linear by another name, in MultiheadAttention, as PyTorch has it."""


class LazyLinear(LazyModuleMixin, Linear):
    """A Linear that takes its in_features from the first input.

    Source: PyTorch ``torch.nn.LazyLinear``.

    >>> import tensorlite as tl
    >>> layer = tl.nn.LazyLinear(2)
    >>> layer(tl.ones(3, 4)).shape, layer
    (tensorlite.Size([3, 2]), Linear(in_features=4, out_features=2, bias=True))
    """

    cls_to_become = Linear

    def __init__(
        self, out_features: int, bias: bool = True, device: Any = None, dtype: Any = None
    ) -> None:
        super().__init__(0, 0, False)
        self.out_features = out_features
        self.weight = UninitializedParameter(device=device, dtype=dtype)
        if bias:
            self.bias = UninitializedParameter(device=device, dtype=dtype)

    def initialize_parameters(self, input: Tensor) -> None:
        """Makes the parameters for an input's last size."""
        self.in_features = input.shape[-1]
        self.weight.materialize((self.out_features, self.in_features))
        if self.bias is not None:
            self.bias.materialize((self.out_features,))
        self.reset_parameters()


class Bilinear(Module):
    """``y_k = x1 @ weight[k] @ x2 + bias_k``: (..., in1_features), (..., in2_features).

    Parameters: weight (out_features, in1_features, in2_features), bias (out_features,).
    Source: PyTorch ``torch.nn.Bilinear``.

    >>> import tensorlite as tl
    >>> tl.nn.Bilinear(3, 4, 2)(tl.ones(5, 3), tl.ones(5, 4)).shape
    tensorlite.Size([5, 2])
    """

    def __init__(
        self,
        in1_features: int,
        in2_features: int,
        out_features: int,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        self.in1_features, self.in2_features = in1_features, in2_features
        self.out_features = out_features
        shape = (out_features, in1_features, in2_features)
        self.weight = parameter(*shape, device=device, dtype=dtype)
        self.register_parameter(
            "bias", parameter(out_features, device=device, dtype=dtype) if bias else None
        )
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Weights and biases uniform within ``1 / sqrt(in1_features)``."""
        bound = 1 / math.sqrt(self.in1_features)
        init.uniform_(self.weight, -bound, bound)
        if self.bias is not None:
            init.uniform_(self.bias, -bound, bound)

    def forward(self, input1: Tensor, input2: Tensor) -> Tensor:
        return F.bilinear(input1, input2, self.weight, self.bias)

    def extra_repr(self) -> str:
        return (
            f"in1_features={self.in1_features}, in2_features={self.in2_features}, "
            f"out_features={self.out_features}, bias={self.bias is not None}"
        )
