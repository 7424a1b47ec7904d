"""Ways to fill tensors with first values, as ``torch.nn.init`` has them.

All write into the tensor that they are given and return it; the random ones draw from tensorlite's
generator, or from ``generator=``.
"""

from __future__ import annotations

import math
from typing import Any

from ..errors import ArgumentError, ShapeError
from ..ops.registry import namespace
from ..tensor import Tensor

_GAINS = {
    "linear": 1.0, "conv1d": 1.0, "conv2d": 1.0, "conv3d": 1.0, "conv_transpose1d": 1.0,
    "conv_transpose2d": 1.0, "conv_transpose3d": 1.0, "sigmoid": 1.0, "tanh": 5 / 3,
    "relu": math.sqrt(2), "selu": 3 / 4,
}  # fmt: skip


def calculate_gain(nonlinearity: str, param: float | None = None) -> float:
    """The recommended gain for what follows a layer; ``param`` is leaky_relu's slope.

    Source: PyTorch ``torch.nn.init.calculate_gain``.

    >>> calculate_gain("tanh")
    1.6666666666666667
    """
    if nonlinearity == "leaky_relu":
        slope = 0.01 if param is None else param
        if isinstance(slope, bool) or not isinstance(slope, int | float):
            raise ArgumentError(f"calculate_gain: expected a number as slope, got {param!r}")
        return math.sqrt(2.0 / (1 + slope**2))
    if nonlinearity not in _GAINS:
        raise ArgumentError(
            f"calculate_gain: {nonlinearity!r} is none of {', '.join([*_GAINS, 'leaky_relu'])}"
        )
    return _GAINS[nonlinearity]


def uniform_(tensor: Tensor, a: float = 0.0, b: float = 1.0, generator: Any = None) -> Tensor:
    """Uniform in [a, b). Source: PyTorch ``torch.nn.init.uniform_``.

    >>> import tensorlite as tl
    >>> bool((uniform_(tl.zeros(100), 2, 3) >= 2).all())
    True
    """
    return tensor.uniform_(a, b, generator=generator)


def normal_(tensor: Tensor, mean: float = 0.0, std: float = 1.0, generator: Any = None) -> Tensor:
    """Normal with that mean and deviation. Source: PyTorch ``torch.nn.init.normal_``.

    >>> import tensorlite as tl
    >>> normal_(tl.zeros(2, 3)).shape
    tensorlite.Size([2, 3])
    """
    return tensor.normal_(mean, std, generator=generator)


def trunc_normal_(
    tensor: Tensor,
    mean: float = 0.0,
    std: float = 1.0,
    a: float = -2.0,
    b: float = 2.0,
    generator: Any = None,
) -> Tensor:
    """Normal, drawn again outside [a, b]. Source: PyTorch ``torch.nn.init.trunc_normal_``.

    >>> import tensorlite as tl
    >>> bool((trunc_normal_(tl.zeros(100)).abs() <= 2).all())
    True
    """

    def below(x: float) -> float:
        return (1.0 + math.erf(x / math.sqrt(2.0))) / 2.0

    low, high = below((a - mean) / std), below((b - mean) / std)
    tensor.uniform_(2 * low - 1, 2 * high - 1, generator=generator)
    tensor[...] = (tensor.erfinv() * (std * math.sqrt(2.0)) + mean).clamp(min=a, max=b)
    return tensor


def constant_(tensor: Tensor, val: float) -> Tensor:
    """One value everywhere. Source: PyTorch ``torch.nn.init.constant_``.

    >>> import tensorlite as tl
    >>> constant_(tl.zeros(2), 0.5)
    tensor([0.5000, 0.5000])
    """
    tensor[...] = val
    return tensor


def ones_(tensor: Tensor) -> Tensor:
    """Ones. Source: PyTorch ``torch.nn.init.ones_``.

    >>> import tensorlite as tl
    >>> ones_(tl.zeros(2))
    tensor([1., 1.])
    """
    return constant_(tensor, 1)


def zeros_(tensor: Tensor) -> Tensor:
    """Zeros. Source: PyTorch ``torch.nn.init.zeros_``.

    >>> import tensorlite as tl
    >>> zeros_(tl.ones(2))
    tensor([0., 0.])
    """
    return constant_(tensor, 0)


def eye_(tensor: Tensor) -> Tensor:
    """The identity matrix. Source: PyTorch ``torch.nn.init.eye_``.

    >>> import tensorlite as tl
    >>> eye_(tl.zeros(2, 2))
    tensor([[1., 0.],
            [0., 1.]])
    """
    if tensor.ndim != 2:
        raise ShapeError(f"eye_: expected a matrix, got shape {tuple(tensor.shape)}")
    zeros_(tensor)
    for i in range(min(tensor.shape)):
        tensor[i, i] = 1
    return tensor


def dirac_(tensor: Tensor, groups: int = 1) -> Tensor:
    """A convolution's weight that keeps as many channels as it can unchanged.

    Source: PyTorch ``torch.nn.init.dirac_``.

    >>> import tensorlite as tl
    >>> dirac_(tl.zeros(1, 1, 3))
    tensor([[[0., 1., 0.]]])
    """
    if tensor.ndim not in (3, 4, 5):
        raise ShapeError(f"dirac_: expected 3 to 5 dimensions, got shape {tuple(tensor.shape)}")
    outputs, inputs, *kernel = tensor.shape
    if outputs % groups:
        raise ShapeError(f"dirac_: {outputs} channels cannot be split into {groups} groups")
    zeros_(tensor)
    for group in range(groups):
        for i in range(min(outputs // groups, inputs)):
            tensor[(group * (outputs // groups) + i, i, *[k // 2 for k in kernel])] = 1
    return tensor


def xavier_uniform_(tensor: Tensor, gain: float = 1.0, generator: Any = None) -> Tensor:
    """Uniform within ``gain * sqrt(6 / (fan_in + fan_out))`` (Glorot & Bengio, 2010).

    Source: PyTorch ``torch.nn.init.xavier_uniform_``.

    >>> import tensorlite as tl
    >>> bool((xavier_uniform_(tl.zeros(3, 3)).abs() <= 1).all())
    True
    """
    fan_in, fan_out = _fans(tensor)
    bound = gain * math.sqrt(6.0 / (fan_in + fan_out))
    return uniform_(tensor, -bound, bound, generator)


def xavier_normal_(tensor: Tensor, gain: float = 1.0, generator: Any = None) -> Tensor:
    """Normal, of deviation ``gain * sqrt(2 / (fan_in + fan_out))`` (Glorot & Bengio, 2010).

    Source: PyTorch ``torch.nn.init.xavier_normal_``.

    >>> import tensorlite as tl
    >>> xavier_normal_(tl.zeros(3, 3)).shape
    tensorlite.Size([3, 3])
    """
    fan_in, fan_out = _fans(tensor)
    return normal_(tensor, 0.0, gain * math.sqrt(2.0 / (fan_in + fan_out)), generator)


def kaiming_uniform_(
    tensor: Tensor,
    a: float = 0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    generator: Any = None,
) -> Tensor:
    """Uniform within ``gain * sqrt(3 / fan)`` (He et al., 2015); ``a`` is the leaky slope.

    Source: PyTorch ``torch.nn.init.kaiming_uniform_``.

    >>> import tensorlite as tl
    >>> bool((kaiming_uniform_(tl.zeros(3, 6)).abs() <= 1).all())
    True
    """
    std = _kaiming(tensor, a, mode, nonlinearity)
    bound = math.sqrt(3.0) * std
    return tensor if std == 0 else uniform_(tensor, -bound, bound, generator)


def kaiming_normal_(
    tensor: Tensor,
    a: float = 0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    generator: Any = None,
) -> Tensor:
    """Normal, of deviation ``gain / sqrt(fan)`` (He et al., 2015); ``a`` is the leaky slope.

    Source: PyTorch ``torch.nn.init.kaiming_normal_``.

    >>> import tensorlite as tl
    >>> kaiming_normal_(tl.zeros(3, 6), mode="fan_out").shape
    tensorlite.Size([3, 6])
    """
    std = _kaiming(tensor, a, mode, nonlinearity)
    return tensor if std == 0 else normal_(tensor, 0.0, std, generator)


def orthogonal_(tensor: Tensor, gain: float = 1, generator: Any = None) -> Tensor:
    """A (half-)orthogonal matrix, the first dimension by all others (Saxe et al., 2013).

    Source: PyTorch ``torch.nn.init.orthogonal_``.

    >>> import tensorlite as tl
    >>> q = orthogonal_(tl.zeros(2, 2))
    >>> tl.allclose(q @ q.T, tl.eye(2), atol=1e-5)
    True
    """
    if tensor.ndim < 2:
        raise ShapeError(f"orthogonal_: expected a matrix, got shape {tuple(tensor.shape)}")
    if tensor.numel() == 0:
        return tensor
    rows = tensor.shape[0]
    flat = normal_(tensor.new_empty(rows, tensor.numel() // rows), generator=generator)
    wide = rows < flat.shape[1]
    q, r = namespace("linalg")["qr"](flat.t() if wide else flat)
    q = q * r.diagonal().sign()
    tensor[...] = (gain * (q.t() if wide else q)).reshape(tensor.shape)
    return tensor


def sparse_(tensor: Tensor, sparsity: float, std: float = 0.01, generator: Any = None) -> Tensor:
    """Normal, with that fraction of each column zero (Martens, 2010).

    Source: PyTorch ``torch.nn.init.sparse_``.

    >>> import tensorlite as tl
    >>> int((sparse_(tl.zeros(10, 2), 0.3) == 0).sum())
    6
    """
    if tensor.ndim != 2:
        raise ShapeError(f"sparse_: expected a matrix, got shape {tuple(tensor.shape)}")
    rows, columns = tensor.shape
    normal_(tensor, 0, std, generator)
    for column in range(columns):
        order = namespace("")["randperm"](rows, generator=generator)
        tensor[order[: math.ceil(sparsity * rows)], column] = 0
    return tensor


def _fans(tensor: Tensor) -> tuple[int, int]:
    """How many inputs and outputs each element of a weight has to do with."""
    if tensor.ndim < 2:
        raise ShapeError(
            f"fan in and fan out need two dimensions or more, got shape {tuple(tensor.shape)}"
        )
    field = math.prod(tensor.shape[2:])
    return tensor.shape[1] * field, tensor.shape[0] * field


def _kaiming(tensor: Tensor, a: float, mode: str, nonlinearity: str) -> float:
    """The deviation; 0 for a tensor without elements."""
    if 0 in tensor.shape:
        return 0.0
    fan_in, fan_out = _fans(tensor)
    if mode not in ("fan_in", "fan_out"):
        raise ArgumentError(f"kaiming: mode is 'fan_in' or 'fan_out', not {mode!r}")
    fan = fan_in if mode == "fan_in" else fan_out
    return calculate_gain(nonlinearity, a) / math.sqrt(fan)


# What PyTorch called them before 0.4, and still offers.
uniform, normal, constant, eye, dirac = uniform_, normal_, constant_, eye_, dirac_
xavier_uniform, xavier_normal = xavier_uniform_, xavier_normal_
kaiming_uniform, kaiming_normal = kaiming_uniform_, kaiming_normal_
orthogonal, sparse = orthogonal_, sparse_
