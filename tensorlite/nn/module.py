"""Module, the base of layers and networks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from .. import dtypes
from ..convert import destination
from ..devices.base import resolve
from ..errors import ArgumentError, AutogradError, UnknownNameError, nearest
from ..ops.trace import TRACERS, tracing
from ..tensor import Tensor
from .hooks import WithHooks, call_with_hooks, new_hooks
from .parameter import Buffer, Parameter, empty
from .state_dict import WithState

Self = TypeVar("Self", bound="Module")
Named = Iterator[tuple[str, Any]]


class Module(WithHooks, WithState):
    """A layer or a network: parameters, buffers, modules inside it, and a ``forward``.

    A subclass makes its parts in ``__init__`` and says in ``forward`` what calling it computes.
    Source: PyTorch ``torch.nn.Module``.

    >>> import tensorlite as tl
    >>> from tensorlite import nn
    >>> class Twice(nn.Module):
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.inner = nn.ReLU()
    ...     def forward(self, x):
    ...         return 2 * self.inner(x)
    >>> Twice()(tl.tensor([-1.0, 3.0]))
    tensor([0., 6.])
    >>> Twice()
    Twice(
      (inner): ReLU()
    )
    """

    training: bool
    _version: int = 1
    _parameters: dict[str, Parameter | None]
    _buffers: dict[str, Tensor | None]
    _modules: dict[str, Module | None]
    _non_persistent_buffers_set: set[str]
    forward: Callable[..., Any]

    def __init__(self) -> None:
        self.__dict__.update(
            training=True,
            _parameters={},
            _buffers={},
            _non_persistent_buffers_set=set(),
            _modules={},
            **new_hooks(),
        )

    def forward(self, *args: Any, **kwargs: Any) -> Any:  # type: ignore[no-redef]
        """What calling the module computes; a subclass says it."""
        raise NotImplementedError(f"{type(self).__name__} has no forward method; define one")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if TRACERS and (tracer := tracing()):
            return tracer.module(self, args, kwargs, self._call)
        if self._forward_hooks or self._forward_pre_hooks:
            return call_with_hooks(self, args, kwargs)
        return self.forward(*args, **kwargs)

    def _call(self, *args: Any, **kwargs: Any) -> Any:
        """A call with its hooks, noted already if it is traced."""
        if self._forward_hooks or self._forward_pre_hooks:
            return call_with_hooks(self, args, kwargs)
        return self.forward(*args, **kwargs)

    def compile(self, *args: Any, **kwargs: Any) -> Any:
        """The module as a plan for inputs like these: kernels over one piece of memory.

        Called like the module, gives what it gives. Other shapes make further plans. Weights are
        taken as they are now; what no kernel can do runs as it was written between them
        (``explain()`` says what and why), and ``profile(inputs)`` gives the time of each step.
        Without arguments the first plan is made when it is called.

        >>> import tensorlite as tl
        >>> net = tl.nn.Sequential(tl.nn.Conv2d(3, 8, 3), tl.nn.ReLU())
        >>> x = tl.randn(1, 3, 10, 10)
        >>> fast = net.compile(x)
        >>> tl.allclose(fast(x), net(x), atol=1e-5)
        True
        """
        from ..devices.numba.plan import compile

        return compile(self, *args, **kwargs)

    # Attributes

    def __getattr__(self, name: str) -> Any:
        own = self.__dict__
        for kind in ("_parameters", "_buffers", "_modules"):
            found = own.get(kind)
            if found is not None and name in found:
                return found[name]
        if "_modules" not in own and not name.startswith("__"):
            raise UnknownNameError(
                f"{type(self).__name__} has no attribute {name!r} yet: its __init__ must call "
                "super().__init__() first"
            )
        near = "" if name.startswith("__") else nearest(name, dir(self))
        raise UnknownNameError(f"{type(self).__name__} has no attribute {name!r}.{near}")

    def __setattr__(self, name: str, value: Any) -> None:
        own = self.__dict__
        if isinstance(value, Parameter):
            self._forget(name)
            self.register_parameter(name, value)
        elif isinstance(value, Module):
            self._forget(name)
            self._modules[name] = value
        elif isinstance(value, Buffer):
            self._forget(name)
            self.register_buffer(name, value, value.persistent)
        else:
            for kind, expected in _KINDS.items():
                if name in own.get(kind, ()):
                    if value is not None and not isinstance(value, expected):
                        raise ArgumentError(
                            f"{type(self).__name__}.{name}: expected {expected.__name__} or None, "
                            f"got {type(value).__name__}; del the attribute first to change "
                            "what it is"
                        )
                    own[kind][name] = value
                    return
            object.__setattr__(self, name, value)

    def __delattr__(self, name: str) -> None:
        for kind in _KINDS:
            if name in self.__dict__[kind]:
                del self.__dict__[kind][name]
                self._non_persistent_buffers_set.discard(name)
                return
        object.__delattr__(self, name)

    def _forget(self, name: str) -> None:
        """Takes away whatever has that name, for something else to have it."""
        own = self.__dict__
        if "_modules" not in own:
            raise ArgumentError(
                f"{type(self).__name__}: call super().__init__() before assigning {name!r}"
            )
        own.pop(name, None)
        for kind in _KINDS:
            own[kind].pop(name, None)
        self._non_persistent_buffers_set.discard(name)

    def __dir__(self) -> list[str]:
        parts = [*self._parameters, *self._buffers, *self._modules] if self.__dict__ else []
        return sorted({*dir(type(self)), *self.__dict__, *(p for p in parts if p.isidentifier())})

    # Parts

    def register_parameter(self, name: str, param: Parameter | None) -> None:
        """Adds a parameter (or None, a name that may get one)."""
        self._check_name(name, self._parameters, "parameter")
        if param is not None and not isinstance(param, Parameter):
            raise ArgumentError(
                f"register_parameter: expected a Parameter or None for {name!r}, got "
                f"{type(param).__name__}; wrap it in nn.Parameter"
            )
        self._parameters[name] = param

    def register_buffer(self, name: str, tensor: Tensor | None, persistent: bool = True) -> None:
        """Adds a buffer: a tensor that is no parameter; in the state_dict if ``persistent``."""
        self._check_name(name, self._buffers, "buffer")
        if tensor is not None and not isinstance(tensor, Tensor):
            raise ArgumentError(
                f"register_buffer: expected a Tensor or None for {name!r}, got "
                f"{type(tensor).__name__}"
            )
        self._buffers[name] = tensor
        if persistent:
            self._non_persistent_buffers_set.discard(name)
        else:
            self._non_persistent_buffers_set.add(name)

    def add_module(self, name: str, module: Module | None) -> None:
        """Adds a module inside this one."""
        if module is not None and not isinstance(module, Module):
            raise ArgumentError(
                f"add_module: expected a Module or None for {name!r}, got {type(module).__name__}"
            )
        self._check_name(name, self._modules, "module")
        self._modules[name] = module

    def register_module(self, name: str, module: Module | None) -> None:
        """The same as :meth:`add_module`."""
        self.add_module(name, module)

    def _has(self, name: str) -> bool:
        own = self.__dict__
        taken = name in own or any(name in own[kind] for kind in _KINDS)
        return taken or hasattr(type(self), name)

    def _check_name(self, name: Any, place: dict[str, Any], kind: str) -> None:
        if not isinstance(name, str) or not name or "." in name:
            raise ArgumentError(
                f"the name of a {kind} is a nonempty string without a dot, got {name!r}"
            )
        if name not in place and self._has(name):
            raise ArgumentError(f"{type(self).__name__} has an attribute {name!r} already")

    def get_submodule(self, target: str) -> Module:
        """The module of a dotted name, such as "encoder.layers.0"; itself for ""."""
        module = self
        for part in target.split(".") if target else ():
            found = module._modules.get(part) or getattr(module, part, None)
            if not isinstance(found, Module):
                raise UnknownNameError(
                    f"{type(module).__name__} has no module {part!r} (of {target!r})."
                    f"{nearest(part, module._modules)}"
                )
            module = found
        return module

    def set_submodule(self, target: str, module: Module, strict: bool = False) -> None:
        """Puts a module at a dotted name; with ``strict`` there must be one already."""
        if not target or not isinstance(module, Module):
            raise ArgumentError("set_submodule: expected a name and a Module")
        path, _, name = target.rpartition(".")
        parent = self.get_submodule(path)
        if strict and name not in parent._modules:
            raise UnknownNameError(f"set_submodule: there is no module {target!r} to replace")
        setattr(parent, name, module)

    def get_parameter(self, target: str) -> Parameter:
        """The parameter of a dotted name."""
        return self._get(target, "_parameters", "parameter")

    def get_buffer(self, target: str) -> Tensor:
        """The buffer of a dotted name."""
        return self._get(target, "_buffers", "buffer")

    def _get(self, target: str, kind: str, word: str) -> Any:
        path, _, name = target.rpartition(".")
        place = self.get_submodule(path).__dict__[kind]
        if place.get(name) is None:
            raise UnknownNameError(f"there is no {word} {target!r}.{nearest(name, place)}")
        return place[name]

    # Iteration

    def named_modules(
        self, memo: set[Any] | None = None, prefix: str = "", remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Module]]:
        """(name, module) of this module, whose name is "", and of all inside it."""
        memo = set() if memo is None else memo
        if self in memo:
            return
        if remove_duplicate:
            memo.add(self)
        yield prefix, self
        for name, module in self._modules.items():
            if module is not None:
                inner = f"{prefix}.{name}" if prefix else name
                yield from module.named_modules(memo, inner, remove_duplicate)

    def modules(self) -> Iterator[Module]:
        """This module and all inside it, each once."""
        return (module for _, module in self.named_modules())

    def named_children(self) -> Iterator[tuple[str, Module]]:
        """(name, module) of the modules directly inside this one, each once."""
        seen: set[Module] = set()
        for name, module in self._modules.items():
            if module is not None and module not in seen:
                seen.add(module)
                yield name, module

    def children(self) -> Iterator[Module]:
        """The modules directly inside this one."""
        return (module for _, module in self.named_children())

    def _named_members(
        self,
        get_members_fn: Callable[[Module], Any],
        prefix: str = "",
        recurse: bool = True,
        remove_duplicate: bool = True,
    ) -> Named:
        seen: set[int] = set()
        if recurse:
            modules = self.named_modules(prefix=prefix, remove_duplicate=remove_duplicate)
        else:
            modules = iter([(prefix, self)])
        for path, module in modules:
            for name, member in get_members_fn(module):
                if member is None or id(member) in seen:
                    continue
                if remove_duplicate:
                    seen.add(id(member))
                yield (f"{path}.{name}" if path else name), member

    def named_parameters(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Named:
        """(name, parameter) of this module and of all inside it."""
        return self._named_members(
            lambda m: m._parameters.items(), prefix, recurse, remove_duplicate
        )

    def parameters(self, recurse: bool = True) -> Iterator[Parameter]:
        """The parameters of this module and of all inside it."""
        return (parameter for _, parameter in self.named_parameters(recurse=recurse))

    def named_buffers(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Named:
        """(name, buffer) of this module and of all inside it."""
        return self._named_members(lambda m: m._buffers.items(), prefix, recurse, remove_duplicate)

    def buffers(self, recurse: bool = True) -> Iterator[Tensor]:
        """The buffers of this module and of all inside it."""
        return (buffer for _, buffer in self.named_buffers(recurse=recurse))

    def apply(self: Self, fn: Callable[[Module], Any]) -> Self:
        """Calls ``fn`` with every module inside this one, then with this one."""
        for module in self.children():
            module.apply(fn)
        fn(self)
        return self

    # Devices and dtypes

    def _apply(self: Self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Self:
        """Replaces every parameter's and buffer's values; the parameters stay the same objects."""
        if recurse:
            for module in self.children():
                module._apply(fn)
        for parameter in self._parameters.values():
            if parameter is not None:
                made = fn(parameter)
                parameter._array, parameter._device = made._array, made._device
        for name, buffer in self._buffers.items():
            if buffer is not None:
                self._buffers[name] = fn(buffer)
        return self

    def to(self: Self, *args: Any, **kwargs: Any) -> Self:
        """Moves to a device and/or casts the floats among the weights; the module itself.

        ``module.to("cuda")``, ``module.to(tl.float16)``, ``module.to("cuda", tl.float16)``.

        >>> import tensorlite as tl
        >>> tl.nn.Linear(2, 2).to(tl.float64).weight.dtype
        tensorlite.float64
        """
        memory_format = kwargs.pop("memory_format", None)
        device, dtype, _ = destination(*args, **kwargs)
        if dtype is not None and not (dtype.is_floating_point or dtype.is_complex):
            raise ArgumentError(f"Module.to: expected a float dtype, got {dtype.name}")

        def move(tensor: Tensor) -> Tensor:
            cast = dtype if tensor.is_floating_point() or tensor.is_complex() else None
            laid_out = memory_format if tensor.ndim in (4, 5) else None
            return tensor.to(device=device, dtype=cast, memory_format=laid_out)

        return self._apply(move)

    def to_empty(self: Self, *, device: Any, recurse: bool = True) -> Self:
        """Moves to a device without the values."""
        place = resolve(device)
        return self._apply(lambda t: empty(tuple(t.shape), place, t.dtype), recurse)

    def cpu(self: Self) -> Self:
        """Moves to the cpu device."""
        return self.to(resolve("cpu"))

    def cuda(self: Self, device: Any = None) -> Self:
        """Moves to a CUDA GPU."""
        return self._apply(lambda t: t.cuda(device))

    def float(self: Self) -> Self:
        """Casts the floats among the weights to float32."""
        return self.to(dtypes.float32)

    def double(self: Self) -> Self:
        """Casts the floats among the weights to float64."""
        return self.to(dtypes.float64)

    def half(self: Self) -> Self:
        """Casts the floats among the weights to float16."""
        return self.to(dtypes.float16)

    def bfloat16(self: Self) -> Self:
        """Casts the floats among the weights to bfloat16."""
        return self.to(dtypes.bfloat16)

    def type(self: Self, dst_type: Any) -> Self:
        """Casts all weights."""
        return self._apply(lambda t: t.to(dtypes.to_dtype(dst_type)))

    # Training: there is none, but inference code says these

    def train(self: Self, mode: bool = True) -> Self:
        """Sets ``training``, by which Dropout and the norms change what they compute."""
        if not isinstance(mode, bool):
            raise ArgumentError(f"train: expected True or False, got {mode!r}")
        self.training = mode
        for module in self.children():
            module.train(mode)
        return self

    def eval(self: Self) -> Self:
        """The same as ``train(False)``."""
        return self.train(False)

    def requires_grad_(self: Self, requires_grad: bool = True) -> Self:
        """Itself for False; AutogradError for True."""
        if requires_grad:
            raise AutogradError("requires_grad_: tensorlite is for inference and has no autograd")
        return self

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Does nothing: there are no gradients."""

    def share_memory(self: Self) -> Self:
        """Itself."""
        return self

    # Text

    def _get_name(self) -> str:
        return type(self).__name__

    def extra_repr(self) -> str:
        """The arguments in the module's ``repr``; a subclass says them."""
        return ""

    def __repr__(self) -> str:
        extra = self.extra_repr().split("\n") if self.extra_repr() else []
        inner = [f"({name}): {_indented(repr(m))}" for name, m in self._modules.items()]
        if not inner and len(extra) < 2:
            return f"{self._get_name()}({''.join(extra)})"
        return "\n  ".join([f"{self._get_name()}(", *extra, *inner]) + "\n)"


def _indented(text: str) -> str:
    return text.replace("\n", "\n  ")


_KINDS: dict[str, type] = {"_parameters": Parameter, "_modules": Module, "_buffers": Tensor}
