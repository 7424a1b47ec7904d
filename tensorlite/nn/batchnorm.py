"""Batch and instance normalisation layers."""

from __future__ import annotations

from typing import Any, ClassVar

from ..construct import tensor
from ..dtypes import int64
from ..errors import ShapeError
from ..tensor import Tensor
from . import functional as F
from .lazy import LazyModuleMixin
from .module import Module
from .normalization import ones_and_zeros
from .parameter import (
    UninitializedBuffer,
    UninitializedParameter,
    empty,
    parameter,
)


class _Norm(Module):
    """Weights per channel, and running statistics: what batch and instance norm share."""

    _version = 2
    _dims: ClassVar[tuple[int, ...]] = ()  # how many dimensions an input may have; () is any

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        device: Any = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__()
        self.num_features, self.eps, self.momentum = num_features, eps, momentum
        self.affine, self.track_running_stats = affine, track_running_stats
        for name, wanted in (("weight", affine), ("bias", affine and bias)):
            made = parameter(num_features, device=device, dtype=dtype) if wanted else None
            self.register_parameter(name, made)
        for name in ("running_mean", "running_var"):
            buffer = empty((num_features,), device, dtype) if track_running_stats else None
            self.register_buffer(name, buffer)
        counter = tensor(0, dtype=int64, device=device) if track_running_stats else None
        self.register_buffer("num_batches_tracked", counter)
        self.reset_parameters()

    def reset_running_stats(self) -> None:
        """Running mean 0, running variance 1, no batch counted."""
        if self.track_running_stats:
            ones_and_zeros(self.running_var, self.running_mean)
            ones_and_zeros(None, self.num_batches_tracked)

    def reset_parameters(self) -> None:
        """Weights 1, biases 0, no running statistics."""
        self.reset_running_stats()
        ones_and_zeros(self.weight, self.bias)

    def _check_input_dim(self, input: Tensor) -> None:
        if self._dims and input.ndim not in self._dims:
            wanted = " or ".join(str(d) for d in self._dims)
            raise ShapeError(
                f"{self._get_name()}: expected an input of {wanted} dimensions, got shape "
                f"{tuple(input.shape)}"
            )

    def _load_from_state_dict(
        self, state_dict: dict[str, Any], prefix: str, local_metadata: dict[str, Any], *rest: Any
    ) -> None:
        key = f"{prefix}num_batches_tracked"
        if self.track_running_stats and local_metadata.get("version", 1) < 2:
            state_dict.setdefault(key, self.num_batches_tracked)  # older files do not have it
        super()._load_from_state_dict(state_dict, prefix, local_metadata, *rest)

    def extra_repr(self) -> str:
        return (
            f"{self.num_features}, eps={self.eps}, momentum={self.momentum}, "
            f"affine={self.affine}, bias={self.bias is not None}, "
            f"track_running_stats={self.track_running_stats}"
        )


class _BatchNorm(_Norm):
    def forward(self, input: Tensor) -> Tensor:
        self._check_input_dim(input)
        momentum = self.momentum or 0.0
        if self.training and self.num_batches_tracked is not None:
            self.num_batches_tracked[...] = self.num_batches_tracked + 1
            if self.momentum is None:  # the average of all batches so far
                momentum = 1.0 / int(self.num_batches_tracked)
        known = not self.training or self.track_running_stats
        return F.batch_norm(
            input,
            self.running_mean if known else None,
            self.running_var if known else None,
            self.weight,
            self.bias,
            self.training or (self.running_mean is None and self.running_var is None),
            momentum,
            self.eps,
        )


class BatchNorm1d(_BatchNorm):
    """``(x - mean) / sqrt(var + eps) * weight + bias`` per channel of (N, C) or (N, C, L).

    After ``eval()`` mean and variance are the running ones.
    Parameters: weight and bias (C,); buffers: running_mean and running_var (C,),
    num_batches_tracked. Source: PyTorch ``torch.nn.BatchNorm1d`` (Ioffe & Szegedy, 2015).

    >>> import tensorlite as tl
    >>> tl.nn.BatchNorm1d(1, eps=0.0).eval()(tl.tensor([[3.0]]))
    tensor([[3.]])
    """

    _dims = (2, 3)


class BatchNorm2d(_BatchNorm):
    """Batch norm of (N, C, H, W); see :class:`BatchNorm1d`.

    Source: PyTorch ``torch.nn.BatchNorm2d``.

    >>> import tensorlite as tl
    >>> tuple(tl.nn.BatchNorm2d(3).eval()(tl.ones(2, 3, 4, 5)).shape)
    (2, 3, 4, 5)
    """

    _dims = (4,)


class BatchNorm3d(_BatchNorm):
    """Batch norm of (N, C, D, H, W); see :class:`BatchNorm1d`.

    Source: PyTorch ``torch.nn.BatchNorm3d``.

    >>> import tensorlite as tl
    >>> tuple(tl.nn.BatchNorm3d(3).eval()(tl.ones(2, 3, 4, 5, 6)).shape)
    (2, 3, 4, 5, 6)
    """

    _dims = (5,)


class SyncBatchNorm(_BatchNorm):
    """Batch norm over several machines, which for inference is batch norm.

    Source: PyTorch ``torch.nn.SyncBatchNorm``.

    >>> import tensorlite as tl
    >>> net = tl.nn.Sequential(tl.nn.BatchNorm1d(3))
    >>> type(tl.nn.SyncBatchNorm.convert_sync_batchnorm(net)[0]).__name__
    'SyncBatchNorm'
    """

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        process_group: Any = None,
        device: Any = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__(
            num_features, eps, momentum, affine, track_running_stats, device, dtype, bias=bias
        )
        self.process_group = process_group

    def _check_input_dim(self, input: Tensor) -> None:
        if input.ndim < 2:
            raise ShapeError(f"SyncBatchNorm: expected (N, C, ...), got {tuple(input.shape)}")

    @classmethod
    def convert_sync_batchnorm(cls, module: Module, process_group: Any = None) -> Module:
        """A module with its batch norms replaced by this class."""
        result = module
        if isinstance(module, _BatchNorm):
            result = cls(
                module.num_features, module.eps, module.momentum, module.affine,
                module.track_running_stats, process_group, bias=module.bias is not None,
            )  # fmt: skip
            result._parameters = module._parameters
            result._buffers = module._buffers
            result.training = module.training
        for name, child in module.named_children():
            result._modules[name] = cls.convert_sync_batchnorm(child, process_group)
        return result


class _InstanceNorm(_Norm):
    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float = 0.1,
        affine: bool = False,
        track_running_stats: bool = False,
        device: Any = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__(
            num_features, eps, momentum, affine, track_running_stats, device, dtype, bias=bias
        )

    def forward(self, input: Tensor) -> Tensor:
        self._check_input_dim(input)
        single = input.ndim == self._dims[0]
        channels = input.shape[0 if single else 1]
        if self.affine and channels != self.num_features:
            raise ShapeError(
                f"{self._get_name()}: expected {self.num_features} channels, got shape "
                f"{tuple(input.shape)}"
            )
        result = F.instance_norm(
            input.unsqueeze(0) if single else input,
            self.running_mean,
            self.running_var,
            self.weight,
            self.bias,
            self.training or not self.track_running_stats,
            self.momentum or 0.0,
            self.eps,
        )
        return result.squeeze(0) if single else result


class InstanceNorm1d(_InstanceNorm):
    """Each channel of each sample of (N, C, L) normalised over its positions; or of (C, L).

    Source: PyTorch ``torch.nn.InstanceNorm1d`` (Ulyanov et al., 2016).

    >>> import tensorlite as tl
    >>> tl.nn.InstanceNorm1d(1, eps=0.0)(tl.tensor([[1.0, 3.0]]))
    tensor([[-1.,  1.]])
    """

    _dims = (2, 3)


class InstanceNorm2d(_InstanceNorm):
    """Instance norm of (N, C, H, W) or (C, H, W); see :class:`InstanceNorm1d`.

    Source: PyTorch ``torch.nn.InstanceNorm2d``.

    >>> import tensorlite as tl
    >>> tuple(tl.nn.InstanceNorm2d(3)(tl.ones(3, 4, 5)).shape)
    (3, 4, 5)
    """

    _dims = (3, 4)


class InstanceNorm3d(_InstanceNorm):
    """Instance norm of (N, C, D, H, W) or (C, D, H, W); see :class:`InstanceNorm1d`.

    Source: PyTorch ``torch.nn.InstanceNorm3d``.

    >>> import tensorlite as tl
    >>> tuple(tl.nn.InstanceNorm3d(3)(tl.ones(1, 3, 4, 5, 6)).shape)
    (1, 3, 4, 5, 6)
    """

    _dims = (4, 5)


class _LazyNorm(LazyModuleMixin, _Norm):
    """A norm that takes num_features from the first input."""

    def __init__(
        self,
        eps: float = 1e-5,
        momentum: float = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        device: Any = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__(0, eps, momentum, False, False, bias=False)
        self.affine, self.track_running_stats = affine, track_running_stats
        for name, wanted in (("weight", affine), ("bias", affine and bias)):
            if wanted:
                self._parameters[name] = UninitializedParameter(device=device, dtype=dtype)
        if track_running_stats:
            for name in ("running_mean", "running_var"):
                self._buffers[name] = UninitializedBuffer(device=device, dtype=dtype)
            self._buffers["num_batches_tracked"] = tensor(0, dtype=int64, device=device)

    def initialize_parameters(self, input: Tensor) -> None:
        """Makes the parameters and buffers for an input's channels."""
        self._check_input_dim(input)
        single = isinstance(self, _InstanceNorm) and input.ndim == self._dims[0]
        self.num_features = input.shape[0 if single else 1]
        for held in (self.weight, self.bias, self.running_mean, self.running_var):
            if held is not None:
                held.materialize((self.num_features,))
        self.reset_parameters()


class LazyBatchNorm1d(_LazyNorm, _BatchNorm):
    """A BatchNorm1d that takes num_features from the first input.

    Source: PyTorch ``torch.nn.LazyBatchNorm1d``.

    >>> import tensorlite as tl
    >>> norm = tl.nn.LazyBatchNorm1d().eval()
    >>> norm(tl.ones(2, 3)).numel(), norm.num_features
    (6, 3)
    """

    _dims = (2, 3)
    cls_to_become = BatchNorm1d


class LazyBatchNorm2d(_LazyNorm, _BatchNorm):
    """A BatchNorm2d that takes num_features from the first input.

    Source: PyTorch ``torch.nn.LazyBatchNorm2d``.

    >>> import tensorlite as tl
    >>> norm = tl.nn.LazyBatchNorm2d().eval()
    >>> norm(tl.ones(2, 3, 1, 1)).numel(), norm.num_features
    (6, 3)
    """

    _dims = (4,)
    cls_to_become = BatchNorm2d


class LazyBatchNorm3d(_LazyNorm, _BatchNorm):
    """A BatchNorm3d that takes num_features from the first input.

    Source: PyTorch ``torch.nn.LazyBatchNorm3d``.

    >>> import tensorlite as tl
    >>> norm = tl.nn.LazyBatchNorm3d().eval()
    >>> norm(tl.ones(2, 3, 1, 1, 1)).numel(), norm.num_features
    (6, 3)
    """

    _dims = (5,)
    cls_to_become = BatchNorm3d


class LazyInstanceNorm1d(_LazyNorm, _InstanceNorm):
    """An InstanceNorm1d that takes num_features from the first input.

    Source: PyTorch ``torch.nn.LazyInstanceNorm1d``.

    >>> import tensorlite as tl
    >>> norm = tl.nn.LazyInstanceNorm1d()
    >>> norm(tl.ones(2, 3, 4)).numel(), norm.num_features
    (24, 3)
    """

    _dims = (2, 3)
    cls_to_become = InstanceNorm1d


class LazyInstanceNorm2d(_LazyNorm, _InstanceNorm):
    """An InstanceNorm2d that takes num_features from the first input.

    Source: PyTorch ``torch.nn.LazyInstanceNorm2d``.

    >>> import tensorlite as tl
    >>> norm = tl.nn.LazyInstanceNorm2d()
    >>> norm(tl.ones(2, 3, 4, 5)).numel(), norm.num_features
    (120, 3)
    """

    _dims = (3, 4)
    cls_to_become = InstanceNorm2d


class LazyInstanceNorm3d(_LazyNorm, _InstanceNorm):
    """An InstanceNorm3d that takes num_features from the first input.

    Source: PyTorch ``torch.nn.LazyInstanceNorm3d``.

    >>> import tensorlite as tl
    >>> norm = tl.nn.LazyInstanceNorm3d()
    >>> norm(tl.ones(2, 3, 4, 5, 1)).numel(), norm.num_features
    (120, 3)
    """

    _dims = (4, 5)
    cls_to_become = InstanceNorm3d
