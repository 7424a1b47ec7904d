"""PyTorch's wrapper around a module for several GPUs, so that its weights' names load."""

from __future__ import annotations

from typing import Any

from .module import Module


class DataParallel(Module):
    """A module whose weights' names begin with ``module.``; calling it calls the module.

    Source: PyTorch ``torch.nn.DataParallel``.

    >>> import tensorlite as tl
    >>> list(tl.nn.DataParallel(tl.nn.Linear(1, 1)).state_dict())
    ['module.weight', 'module.bias']
    """

    def __init__(
        self, module: Module, device_ids: Any = None, output_device: Any = None, dim: int = 0
    ) -> None:
        super().__init__()
        self.module, self.device_ids, self.output_device = module, device_ids, output_device
        self.dim = dim

    def forward(self, *inputs: Any, **kwargs: Any) -> Any:
        return self.module(*inputs, **kwargs)
