"""Activations as layers."""

from __future__ import annotations

from typing import Any

from ..tensor import Tensor
from . import functional as F
from . import init
from .module import Module
from .parameter import parameter


class ReLU(Module):
    """``max(0, x)``. Source: PyTorch ``torch.nn.ReLU``.

    >>> import tensorlite as tl
    >>> tl.nn.ReLU()(tl.tensor([-1.0, 2.0]))
    tensor([0., 2.])
    """

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.inplace = inplace

    def forward(self, input: Tensor) -> Tensor:
        return F.relu(input, inplace=True) if self.inplace else F.relu(input)

    def extra_repr(self) -> str:
        return "inplace=True" if self.inplace else ""


class Hardtanh(Module):
    """``min(max(min_val, x), max_val)``. Source: PyTorch ``torch.nn.Hardtanh``.

    >>> import tensorlite as tl
    >>> tl.nn.Hardtanh(-2, 2)(tl.tensor([-3.0, 1.0]))
    tensor([-2.,  1.])
    """

    def __init__(self, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False) -> None:
        super().__init__()
        self.min_val, self.max_val, self.inplace = min_val, max_val, inplace

    def forward(self, input: Tensor) -> Tensor:
        return F.hardtanh(input, self.min_val, self.max_val, self.inplace)

    def extra_repr(self) -> str:
        inplace = ", inplace=True" if self.inplace else ""
        return f"min_val={self.min_val}, max_val={self.max_val}{inplace}"


class ReLU6(Hardtanh):
    """``min(max(0, x), 6)``. Source: PyTorch ``torch.nn.ReLU6``.

    >>> import tensorlite as tl
    >>> tl.nn.ReLU6()(tl.tensor([-1.0, 9.0]))
    tensor([0., 6.])
    """

    def __init__(self, inplace: bool = False) -> None:
        super().__init__(0.0, 6.0, inplace)

    def extra_repr(self) -> str:
        return "inplace=True" if self.inplace else ""


class RReLU(Module):
    """``x`` where positive, else ``a * x``: a uniform in [lower, upper] when training.

    Source: PyTorch ``torch.nn.RReLU``.

    >>> import tensorlite as tl
    >>> tl.nn.RReLU(0.25, 0.75).eval()(tl.tensor([-1.0, 2.0]))
    tensor([-0.5000,  2.0000])
    """

    def __init__(
        self, lower: float = 1.0 / 8, upper: float = 1.0 / 3, inplace: bool = False
    ) -> None:
        super().__init__()
        self.lower, self.upper, self.inplace = lower, upper, inplace

    def forward(self, input: Tensor) -> Tensor:
        return F.rrelu(input, self.lower, self.upper, self.training, self.inplace)

    def extra_repr(self) -> str:
        inplace = ", inplace=True" if self.inplace else ""
        return f"lower={self.lower}, upper={self.upper}{inplace}"


class LeakyReLU(Module):
    """``x`` where positive, else ``negative_slope * x``. Source: PyTorch ``torch.nn.LeakyReLU``.

    >>> import tensorlite as tl
    >>> tl.nn.LeakyReLU(0.5)(tl.tensor([-1.0, 2.0]))
    tensor([-0.5000,  2.0000])
    """

    def __init__(self, negative_slope: float = 1e-2, inplace: bool = False) -> None:
        super().__init__()
        self.negative_slope, self.inplace = negative_slope, inplace

    def forward(self, input: Tensor) -> Tensor:
        return F.leaky_relu(input, self.negative_slope, self.inplace)

    def extra_repr(self) -> str:
        inplace = ", inplace=True" if self.inplace else ""
        return f"negative_slope={self.negative_slope}{inplace}"


class PReLU(Module):
    """``x`` where positive, else ``weight * x``: one weight, or one per channel.

    Source: PyTorch ``torch.nn.PReLU``.

    >>> import tensorlite as tl
    >>> tl.nn.PReLU()(tl.tensor([-1.0, 2.0]))
    tensor([-0.2500,  2.0000])
    """

    def __init__(
        self, num_parameters: int = 1, init: float = 0.25, device: Any = None, dtype: Any = None
    ) -> None:
        super().__init__()
        self.num_parameters, self.init = num_parameters, init
        self.weight = parameter(num_parameters, device=device, dtype=dtype)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """All weights the constructor's ``init``."""
        init.constant_(self.weight, self.init)

    def forward(self, input: Tensor) -> Tensor:
        return F.prelu(input, self.weight)

    def extra_repr(self) -> str:
        return f"num_parameters={self.num_parameters}"


class ELU(Module):
    """``x`` where positive, else ``alpha * (exp(x) - 1)``. Source: PyTorch ``torch.nn.ELU``.

    >>> import tensorlite as tl
    >>> tl.nn.ELU()(tl.tensor([-1.0, 2.0]))
    tensor([-0.6321,  2.0000])
    """

    def __init__(self, alpha: float = 1.0, inplace: bool = False) -> None:
        super().__init__()
        self.alpha, self.inplace = alpha, inplace

    def forward(self, input: Tensor) -> Tensor:
        return F.elu(input, self.alpha, self.inplace)

    def extra_repr(self) -> str:
        return f"alpha={self.alpha}{', inplace=True' if self.inplace else ''}"


class CELU(ELU):
    """``max(0, x) + min(0, alpha * (exp(x / alpha) - 1))``. Source: PyTorch ``torch.nn.CELU``.

    >>> import tensorlite as tl
    >>> tl.nn.CELU()(tl.tensor([-1.0, 2.0]))
    tensor([-0.6321,  2.0000])
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.celu(input, self.alpha, self.inplace)


class SELU(Module):
    """``1.0507 * elu(x, 1.6733)``. Source: PyTorch ``torch.nn.SELU``.

    >>> import tensorlite as tl
    >>> tl.nn.SELU()(tl.tensor([-1.0, 2.0]))
    tensor([-1.1113,  2.1014])
    """

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.inplace = inplace

    def forward(self, input: Tensor) -> Tensor:
        return F.selu(input, self.inplace)

    def extra_repr(self) -> str:
        return "inplace=True" if self.inplace else ""


class GELU(Module):
    """``x * Phi(x)``, Phi the normal distribution. Source: PyTorch ``torch.nn.GELU``.

    >>> import tensorlite as tl
    >>> tl.nn.GELU(approximate="tanh")
    GELU(approximate='tanh')
    """

    def __init__(self, approximate: str = "none") -> None:
        super().__init__()
        self.approximate = approximate

    def forward(self, input: Tensor) -> Tensor:
        return F.gelu(input, approximate=self.approximate)

    def extra_repr(self) -> str:
        return f"approximate={self.approximate!r}"


class SiLU(Module):
    """``x * sigmoid(x)``. Source: PyTorch ``torch.nn.SiLU``.

    >>> import tensorlite as tl
    >>> tl.nn.SiLU()(tl.tensor([-1.0, 2.0]))
    tensor([-0.2689,  1.7616])
    """

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.inplace = inplace

    def forward(self, input: Tensor) -> Tensor:
        return F.silu(input, inplace=True) if self.inplace else F.silu(input)

    def extra_repr(self) -> str:
        return "inplace=True" if self.inplace else ""


class Mish(Module):
    """``x * tanh(softplus(x))``. Source: PyTorch ``torch.nn.Mish``.

    >>> import tensorlite as tl
    >>> tl.nn.Mish()(tl.tensor([-1.0, 2.0]))
    tensor([-0.3034,  1.9440])
    """

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.inplace = inplace

    def forward(self, input: Tensor) -> Tensor:
        return F.mish(input, self.inplace)

    def extra_repr(self) -> str:
        return "inplace=True" if self.inplace else ""


class Hardswish(Module):
    """``x * hardsigmoid(x)``. Source: PyTorch ``torch.nn.Hardswish``.

    >>> import tensorlite as tl
    >>> tl.nn.Hardswish()(tl.tensor([1.0, 4.0]))
    tensor([0.6667, 4.0000])
    """

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.inplace = inplace

    def forward(self, input: Tensor) -> Tensor:
        return F.hardswish(input, self.inplace)


class Hardsigmoid(Module):
    """``min(max(0, x + 3), 6) / 6``. Source: PyTorch ``torch.nn.Hardsigmoid``.

    >>> import tensorlite as tl
    >>> tl.nn.Hardsigmoid()(tl.tensor([0.0, 4.0]))
    tensor([0.5000, 1.0000])
    """

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.inplace = inplace

    def forward(self, input: Tensor) -> Tensor:
        return F.hardsigmoid(input, self.inplace)


class Softplus(Module):
    """``log(1 + exp(beta * x)) / beta``. Source: PyTorch ``torch.nn.Softplus``.

    >>> import tensorlite as tl
    >>> tl.nn.Softplus()(tl.tensor([-1.0, 2.0]))
    tensor([0.3133, 2.1269])
    """

    def __init__(self, beta: float = 1.0, threshold: float = 20.0) -> None:
        super().__init__()
        self.beta, self.threshold = beta, threshold

    def forward(self, input: Tensor) -> Tensor:
        return F.softplus(input, self.beta, self.threshold)

    def extra_repr(self) -> str:
        return f"beta={self.beta}, threshold={self.threshold}"


class Softshrink(Module):
    """``x`` drawn towards 0 by ``lambd``. Source: PyTorch ``torch.nn.Softshrink``.

    >>> import tensorlite as tl
    >>> tl.nn.Softshrink()(tl.tensor([-1.0, 0.3]))
    tensor([-0.5000,  0.0000])
    """

    def __init__(self, lambd: float = 0.5) -> None:
        super().__init__()
        self.lambd = lambd

    def forward(self, input: Tensor) -> Tensor:
        return F.softshrink(input, self.lambd)

    def extra_repr(self) -> str:
        return str(self.lambd)


class Hardshrink(Softshrink):
    """``x`` outside [-lambd, lambd], else 0. Source: PyTorch ``torch.nn.Hardshrink``.

    >>> import tensorlite as tl
    >>> tl.nn.Hardshrink()(tl.tensor([-1.0, 0.3]))
    tensor([-1.,  0.])
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.hardshrink(input, self.lambd)


class Threshold(Module):
    """``x`` where above ``threshold``, else ``value``. Source: PyTorch ``torch.nn.Threshold``.

    >>> import tensorlite as tl
    >>> tl.nn.Threshold(0.5, 9.0)(tl.tensor([-1.0, 2.0]))
    tensor([9., 2.])
    """

    def __init__(self, threshold: float, value: float, inplace: bool = False) -> None:
        super().__init__()
        self.threshold, self.value, self.inplace = threshold, value, inplace

    def forward(self, input: Tensor) -> Tensor:
        return F.threshold(input, self.threshold, self.value, self.inplace)

    def extra_repr(self) -> str:
        inplace = ", inplace=True" if self.inplace else ""
        return f"threshold={self.threshold}, value={self.value}{inplace}"


class GLU(Module):
    """``a * sigmoid(b)``, a and b the halves along ``dim``. Source: PyTorch ``torch.nn.GLU``.

    >>> import tensorlite as tl
    >>> tl.nn.GLU()(tl.tensor([2.0, 0.0]))
    tensor([1.])
    """

    def __init__(self, dim: int = -1) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, input: Tensor) -> Tensor:
        return F.glu(input, self.dim)

    def extra_repr(self) -> str:
        return f"dim={self.dim}"


class Sigmoid(Module):
    """``1 / (1 + exp(-x))``. Source: PyTorch ``torch.nn.Sigmoid``.

    >>> import tensorlite as tl
    >>> tl.nn.Sigmoid()(tl.tensor([0.0]))
    tensor([0.5000])
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.sigmoid(input)


class Tanh(Module):
    """The hyperbolic tangent. Source: PyTorch ``torch.nn.Tanh``.

    >>> import tensorlite as tl
    >>> tl.nn.Tanh()(tl.tensor([0.0]))
    tensor([0.])
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.tanh(input)


class LogSigmoid(Module):
    """``log(sigmoid(x))``. Source: PyTorch ``torch.nn.LogSigmoid``.

    >>> import tensorlite as tl
    >>> tl.nn.LogSigmoid()(tl.tensor([2.0]))
    tensor([-0.1269])
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.logsigmoid(input)


class Softsign(Module):
    """``x / (1 + |x|)``. Source: PyTorch ``torch.nn.Softsign``.

    >>> import tensorlite as tl
    >>> tl.nn.Softsign()(tl.tensor([3.0]))
    tensor([0.7500])
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.softsign(input)


class Tanhshrink(Module):
    """``x - tanh(x)``. Source: PyTorch ``torch.nn.Tanhshrink``.

    >>> import tensorlite as tl
    >>> tl.nn.Tanhshrink()(tl.tensor([2.0]))
    tensor([1.0360])
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.tanhshrink(input)
