"""Parameters and buffers: the tensors that a module holds."""

from __future__ import annotations

from typing import Any

from .. import construct
from ..devices.base import resolve
from ..dtypes import get_default_dtype, to_dtype
from ..errors import ArgumentError
from ..tensor import Tensor, _refuse_grad, wrap


class Parameter(Tensor):
    """A tensor that, assigned to an attribute of a module, is one of its parameters.

    ``data`` is not copied. ``requires_grad=True`` is an AutogradError: there are no gradients.
    Source: PyTorch ``torch.nn.Parameter``.

    >>> import tensorlite as tl
    >>> tl.nn.Parameter(tl.ones(2))
    Parameter containing:
    tensor([1., 1.])
    """

    def __init__(self, data: Any = None, requires_grad: bool = False) -> None:
        _refuse_grad(requires_grad)
        _share(self, data)

    @property
    def data(self) -> Tensor:
        """A tensor that shares this one's memory; assigned, it takes another's."""
        return wrap(self._array, self._device)

    @data.setter
    def data(self, value: Any) -> None:
        _share(self, value)

    def __repr__(self) -> str:
        return f"Parameter containing:\n{super().__repr__()}"


class Buffer(Tensor):
    """A tensor that, assigned to an attribute of a module, is one of its buffers.

    With ``persistent=False`` it is left out of the ``state_dict``.
    Source: PyTorch ``torch.nn.Buffer``.

    >>> import tensorlite as tl
    >>> module = tl.nn.Module()
    >>> module.mean = tl.nn.Buffer(tl.zeros(1))
    >>> list(module.state_dict())
    ['mean']
    """

    persistent: bool = True

    def __init__(self, data: Any = None, *, persistent: bool = True) -> None:
        _share(self, data)
        self.persistent = persistent


class _Uninitialized(Tensor):
    """A tensor whose shape is not known yet; it has the class, dtype and device it will have."""

    _becomes: type[Tensor]

    def __init__(self, requires_grad: bool = False, device: Any = None, dtype: Any = None) -> None:
        _refuse_grad(requires_grad)
        _share(self, empty((0,), device, dtype))

    def materialize(self, shape: Any, device: Any = None, dtype: Any = None) -> None:
        """Takes a shape (and a device and a dtype, if given): becomes an ordinary tensor."""
        made = empty(shape, device or self.device, dtype or self.dtype)
        self._array, self._device = made._array, made._device
        self.__class__ = self._becomes  # type: ignore[assignment]

    @property
    def shape(self) -> Any:
        """Not known yet: ArgumentError."""
        raise ArgumentError(
            "the shape of a lazy module's parameter is known after its first call; call the "
            "module once, or load its weights"
        )

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"


class UninitializedParameter(_Uninitialized, Parameter):
    """The parameter of a lazy module before its first call.

    Source: PyTorch ``torch.nn.parameter.UninitializedParameter``.

    >>> import tensorlite as tl
    >>> weight = tl.nn.UninitializedParameter()
    >>> weight.materialize((2, 3)); type(weight).__name__, tuple(weight.shape)
    ('Parameter', (2, 3))
    """

    _becomes = Parameter


class UninitializedBuffer(_Uninitialized):
    """The buffer of a lazy module before its first call.

    Source: PyTorch ``torch.nn.parameter.UninitializedBuffer``.

    >>> import tensorlite as tl
    >>> tl.nn.UninitializedBuffer()
    <UninitializedBuffer>
    """

    _becomes = Buffer


def is_lazy(tensor: Any) -> bool:
    """Whether it is an uninitialised parameter or buffer."""
    return isinstance(tensor, _Uninitialized)


def empty(shape: Any, device: Any = None, dtype: Any = None) -> Tensor:
    """A tensor of zeros for values to come, of the default device and float dtype."""
    place = resolve(device)
    kind = (get_default_dtype() if dtype is None else to_dtype(dtype)).numpy
    if place.xp is None:
        import numpy

        return wrap(place.from_host(numpy.zeros(tuple(shape), kind)), place)
    return wrap(place.xp.zeros(tuple(shape), kind), place)


def parameter(*shape: int, device: Any = None, dtype: Any = None) -> Parameter:
    """A parameter of that shape, for a layer's ``reset_parameters`` to fill."""
    return Parameter(empty(shape, device, dtype))


def _share(target: Tensor, data: Any) -> None:
    source = empty((0,)) if data is None else construct.as_tensor(data)
    target._array, target._device = source._array, source._device
