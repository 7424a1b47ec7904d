"""Weights that are computed from others: weight norm and spectral norm in their older form.

The weight is computed when it is first needed and kept, until weights are loaded or moved; while
training it is computed in every call. Newer models use ``parametrizations``.
"""

from __future__ import annotations

from typing import Any

from ...errors import ArgumentError
from ...tensor import Tensor
from ..module import Module
from ..parameter import Parameter, empty


class _Computed:
    """A hook before ``forward`` that sets a module's weight from other tensors of the module."""

    suffixes: tuple[str, ...]

    def __init__(self, name: str, dim: int | None, eps: float = 0.0) -> None:
        self.name, self.dim, self.eps = name, dim, eps
        self.seen: list[Any] = []  # the arrays that the weight was computed from

    def sources(self, module: Module) -> list[Tensor]:
        return [getattr(module, self.name + suffix) for suffix in self.suffixes]

    def compute(self, module: Module) -> Tensor:
        raise NotImplementedError

    def __call__(self, module: Module, args: Any = None) -> None:
        arrays = [tensor._array for tensor in self.sources(module)]
        same = len(arrays) == len(self.seen) and all(
            a is b for a, b in zip(arrays, self.seen, strict=True)
        )
        if module.training or not same:
            self.seen = arrays
            setattr(module, self.name, self.compute(module))

    def forget(self, module: Module, keys: Any = None) -> None:
        """Has the weight computed again; called when weights have been loaded."""
        self.seen = []
        self(module)


class _WeightNorm(_Computed):
    suffixes = ("_g", "_v")

    def compute(self, module: Module) -> Tensor:
        g, v = self.sources(module)
        return v * (g / norm_except_dim(v, self.dim))


class _SpectralNorm(_Computed):
    suffixes = ("_orig", "_u", "_v")
    iterations = 1

    def matrix(self, weight: Tensor) -> Tensor:
        """The weight with the dimension of the outputs first, the others as one."""
        dim = self.dim or 0
        return weight.movedim(dim, 0).reshape(weight.shape[dim], -1)

    def compute(self, module: Module) -> Tensor:
        weight, u, v = self.sources(module)
        matrix = self.matrix(weight)
        if module.training:
            power_iteration(matrix, u, v, self.iterations, self.eps)
        return weight / u.dot(matrix.mv(v))


def weight_norm(module: Module, name: str = "weight", dim: int | None = 0) -> Module:
    """The module with its weight as ``g * v / |v|``, g and v being the parameters.

    The norm is over all dimensions but ``dim``. Source: PyTorch ``torch.nn.utils.weight_norm``
    (Salimans & Kingma, 2016).

    >>> import tensorlite as tl
    >>> list(weight_norm(tl.nn.Linear(2, 3)).state_dict())
    ['bias', 'weight_g', 'weight_v']
    """
    weight = _take(module, name, _WeightNorm)
    setattr(module, f"{name}_g", Parameter(norm_except_dim(weight, dim)))
    setattr(module, f"{name}_v", Parameter(weight))
    return _install(module, _WeightNorm(name, dim))


def remove_weight_norm(module: Module, name: str = "weight") -> Module:
    """The module with an ordinary weight again. Source: PyTorch
    ``torch.nn.utils.remove_weight_norm``.

    >>> import tensorlite as tl
    >>> list(remove_weight_norm(weight_norm(tl.nn.Linear(2, 3))).state_dict())
    ['bias', 'weight']
    """
    return _remove(module, name, _WeightNorm)


def spectral_norm(
    module: Module,
    name: str = "weight",
    n_power_iterations: int = 1,
    eps: float = 1e-12,
    dim: int | None = None,
) -> Module:
    """The module with its weight divided by an estimate of its largest singular value.

    Source: PyTorch ``torch.nn.utils.spectral_norm`` (Miyato et al., 2018).

    >>> import tensorlite as tl
    >>> list(spectral_norm(tl.nn.Linear(2, 3)).state_dict())
    ['bias', 'weight_orig', 'weight_u', 'weight_v']
    """
    if dim is None:
        dim = 1 if "ConvTranspose" in type(module).__name__ else 0
    weight = _take(module, name, _SpectralNorm)
    hook = _SpectralNorm(name, dim, eps)
    hook.iterations = n_power_iterations
    matrix = hook.matrix(weight)
    setattr(module, f"{name}_orig", Parameter(weight))
    for suffix, size in zip(("_u", "_v"), matrix.shape, strict=True):
        start = empty((size,), weight.device, weight.dtype).normal_()
        module.register_buffer(name + suffix, start / start.norm())
    return _install(module, hook)


def remove_spectral_norm(module: Module, name: str = "weight") -> Module:
    """The module with an ordinary weight again. Source: PyTorch
    ``torch.nn.utils.remove_spectral_norm``.

    >>> import tensorlite as tl
    >>> list(remove_spectral_norm(spectral_norm(tl.nn.Linear(2, 3))).state_dict())
    ['bias', 'weight']
    """
    return _remove(module, name, _SpectralNorm)


def norm_except_dim(v: Tensor, dim: int | None) -> Tensor:
    """The norms over all dimensions but one, which keep their places with size 1."""
    squares = v * v
    if dim is None or dim == -1:
        return squares.sum().sqrt()
    others = [i for i in range(v.ndim) if i != dim % v.ndim]
    return (squares.sum(others, keepdim=True) if others else squares).sqrt()


def power_iteration(matrix: Tensor, u: Tensor, v: Tensor, times: int, eps: float) -> None:
    """Brings u and v, in place, nearer to the first singular vectors."""
    for _ in range(times):
        u[...] = matrix.mv(v) / matrix.mv(v).norm().clamp(min=eps)
        v[...] = matrix.t().mv(u) / matrix.t().mv(u).norm().clamp(min=eps)


def _take(module: Module, name: str, kind: type[_Computed]) -> Tensor:
    """Takes the ordinary weight out of a module."""
    if _find(module, name, kind) is not None or name not in module._parameters:
        raise ArgumentError(
            f"{type(module).__name__}.{name} is no parameter, or has this norm already"
        )
    return module._parameters.pop(name)  # type: ignore[return-value]


def _install(module: Module, hook: _Computed) -> Module:
    module.register_forward_pre_hook(hook)
    module.register_load_state_dict_post_hook(hook.forget)
    hook(module)
    return module


def _find(module: Module, name: str, kind: type[_Computed]) -> Any:
    for key, hook in module._forward_pre_hooks.items():
        if isinstance(hook.function, kind) and hook.function.name == name:
            return key, hook.function
    return None


def _remove(module: Module, name: str, kind: type[_Computed]) -> Module:
    found = _find(module, name, kind)
    if found is None:
        raise ArgumentError(f"{type(module).__name__}.{name} does not have this norm")
    key, hook = found
    weight = hook.compute(module)
    del module._forward_pre_hooks[key]
    for key, load_hook in list(module._load_state_dict_post_hooks.items()):
        if load_hook == hook.forget:
            del module._load_state_dict_post_hooks[key]
    for suffix in hook.suffixes:
        delattr(module, name + suffix)
    delattr(module, name)
    setattr(module, name, Parameter(weight))
    return module
