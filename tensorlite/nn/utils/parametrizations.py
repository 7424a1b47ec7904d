"""The parametrisations that PyTorch offers: weight norm and spectral norm."""

from __future__ import annotations

from ...errors import ArgumentError
from ...tensor import Tensor
from ..module import Module
from ..parameter import empty
from .parametrize import register_parametrization
from .weight_norm import norm_except_dim, power_iteration


class _WeightNorm(Module):
    def __init__(self, dim: int | None = 0) -> None:
        super().__init__()
        self.dim = -1 if dim is None else dim

    def forward(self, weight_g: Tensor, weight_v: Tensor) -> Tensor:
        return weight_v * (weight_g / norm_except_dim(weight_v, self.dim))

    def right_inverse(self, weight: Tensor) -> tuple[Tensor, Tensor]:
        return norm_except_dim(weight, self.dim), weight


class _SpectralNorm(Module):
    def __init__(
        self, weight: Tensor, n_power_iterations: int = 1, dim: int = 0, eps: float = 1e-12
    ) -> None:
        super().__init__()
        self.dim, self.eps, self.n_power_iterations = dim, eps, n_power_iterations
        if weight.ndim > 1:
            matrix = self._matrix(weight)
            for name, size in zip(("_u", "_v"), matrix.shape, strict=True):
                start = empty((size,), weight.device, weight.dtype).normal_()
                self.register_buffer(name, start / start.norm())
            power_iteration(matrix, self._u, self._v, 15, eps)

    def _matrix(self, weight: Tensor) -> Tensor:
        return weight.movedim(self.dim, 0).reshape(weight.shape[self.dim], -1)

    def forward(self, weight: Tensor) -> Tensor:
        if weight.ndim == 1:
            return weight / weight.norm().clamp(min=self.eps)
        matrix = self._matrix(weight)
        if self.training:
            power_iteration(matrix, self._u, self._v, self.n_power_iterations, self.eps)
        return weight / self._u.dot(matrix.mv(self._v))

    def right_inverse(self, value: Tensor) -> Tensor:
        return value


def weight_norm(module: Module, name: str = "weight", dim: int | None = 0) -> Module:
    """The module with its weight as ``g * v / |v|``; the norm is over all dimensions but ``dim``.

    Source: PyTorch ``torch.nn.utils.parametrizations.weight_norm`` (Salimans & Kingma, 2016).

    >>> import tensorlite as tl
    >>> list(weight_norm(tl.nn.Linear(2, 3, bias=False)).state_dict())
    ['parametrizations.weight.original0', 'parametrizations.weight.original1']
    """
    return register_parametrization(module, name, _WeightNorm(dim), unsafe=True)


def spectral_norm(
    module: Module,
    name: str = "weight",
    n_power_iterations: int = 1,
    eps: float = 1e-12,
    dim: int | None = None,
) -> Module:
    """The module with its weight divided by an estimate of its largest singular value.

    Source: PyTorch ``torch.nn.utils.parametrizations.spectral_norm`` (Miyato et al., 2018).

    >>> import tensorlite as tl
    >>> [key.split(".", 2)[2] for key in spectral_norm(tl.nn.Linear(2, 3, False)).state_dict()]
    ['original', '0._u', '0._v']
    """
    weight = getattr(module, name, None)
    if not isinstance(weight, Tensor):
        raise ArgumentError(f"spectral_norm: {type(module).__name__} has no tensor {name!r}")
    if dim is None:
        dim = 1 if "ConvTranspose" in type(module).__name__ else 0
    return register_parametrization(
        module, name, _SpectralNorm(weight, n_power_iterations, dim, eps)
    )
