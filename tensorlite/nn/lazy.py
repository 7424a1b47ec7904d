"""Lazy modules: those that take the sizes of their parameters from the first input."""

from __future__ import annotations

from typing import Any, ClassVar

from .module import Module
from .parameter import is_lazy


class LazyModuleMixin(Module):
    """A module that becomes an ordinary one when it is first called.

    A subclass has ``cls_to_become`` and ``initialize_parameters(*args)``, which gives its
    uninitialised parameters their shapes. Source: PyTorch ``torch.nn.modules.lazy``.
    """

    cls_to_become: ClassVar[type[Module]]

    def initialize_parameters(self, *args: Any, **kwargs: Any) -> None:
        """Gives the parameters their shapes, from the arguments of the first call."""
        raise NotImplementedError(f"{type(self).__name__} has no initialize_parameters")

    def has_uninitialized_params(self) -> bool:
        """Whether a parameter or a buffer has no shape yet."""
        return any(is_lazy(t) for t in (*self._parameters.values(), *self._buffers.values()))

    def reset_parameters(self) -> None:
        """Fills the parameters, once they have shapes."""
        if not self.has_uninitialized_params() and all(p.numel() for p in self.parameters()):
            super().reset_parameters()  # type: ignore[misc]

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if self.has_uninitialized_params():
            self.initialize_parameters(*args, **kwargs)
        self.__class__ = self.cls_to_become  # type: ignore[assignment]
        return self(*args, **kwargs)

    def _load_from_state_dict(self, state_dict: dict[str, Any], prefix: str, *rest: Any) -> None:
        held: dict[str, Any] = {**self._parameters, **self._buffers}
        for name, target in held.items():
            value = state_dict.get(prefix + name)
            if is_lazy(target) and value is not None and not is_lazy(value):
                target.materialize(tuple(value.shape))
        super()._load_from_state_dict(state_dict, prefix, *rest)
