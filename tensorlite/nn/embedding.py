"""Tables of vectors, looked up by index."""

from __future__ import annotations

from typing import Any

from ..errors import ArgumentError, ShapeError
from ..tensor import Tensor
from . import functional as F
from . import init
from .module import Module
from .parameter import Parameter, parameter


class _Table(Module):
    """What Embedding and EmbeddingBag have in common: the table."""

    weight: Parameter
    padding_idx: int | None

    def _make(
        self, rows: int, width: int, weight: Tensor | None, padding_idx: int | None, factory: Any
    ) -> None:
        if padding_idx is not None and not -rows <= padding_idx < rows:
            raise ArgumentError(
                f"{self._get_name()}: padding_idx {padding_idx} is not among the {rows} rows"
            )
        self.num_embeddings, self.embedding_dim = rows, width
        self.padding_idx = padding_idx if padding_idx is None else padding_idx % rows
        if weight is None:
            self.weight = parameter(rows, width, **factory)
            self.reset_parameters()
        elif tuple(weight.shape) != (rows, width):
            raise ShapeError(
                f"{self._get_name()}: expected a weight {(rows, width)}, got {tuple(weight.shape)}"
            )
        else:
            self.weight = Parameter(weight)

    def reset_parameters(self) -> None:
        """Weights normal; those of ``padding_idx`` 0."""
        init.normal_(self.weight)
        if self.padding_idx is not None:
            self.weight[self.padding_idx] = 0

    @classmethod
    def from_pretrained(
        cls, embeddings: Tensor, freeze: bool = True, *args: Any, **kwargs: Any
    ) -> Any:
        """The layer over a table (n, d) that there is already."""
        if embeddings.ndim != 2:
            raise ShapeError(
                f"from_pretrained: expected a table (n, d), got {tuple(embeddings.shape)}"
            )
        make: Any = cls
        return make(*embeddings.shape, *args, _weight=embeddings, **kwargs)


class Embedding(_Table):
    """The rows of a table that the input's indices name: (...) to (..., embedding_dim).

    Parameters: weight (num_embeddings, embedding_dim). Source: PyTorch ``torch.nn.Embedding``.

    >>> import tensorlite as tl
    >>> table = tl.tensor([[1.0, 2.0], [3.0, 4.0]])
    >>> tl.nn.Embedding.from_pretrained(table)(tl.tensor([1, 0]))
    tensor([[3., 4.],
            [1., 2.]])
    """

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        padding_idx: int | None = None,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        sparse: bool = False,
        _weight: Tensor | None = None,
        _freeze: bool = False,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        self.max_norm, self.norm_type = max_norm, norm_type
        self.scale_grad_by_freq, self.sparse = scale_grad_by_freq, sparse
        factory = {"device": device, "dtype": dtype}
        self._make(num_embeddings, embedding_dim, _weight, padding_idx, factory)

    def forward(self, input: Tensor) -> Tensor:
        return F.embedding(input, self.weight, self.padding_idx, self.max_norm, self.norm_type)

    def extra_repr(self) -> str:
        text = f"{self.num_embeddings}, {self.embedding_dim}"
        if self.padding_idx is not None:
            text += f", padding_idx={self.padding_idx}"
        if self.max_norm is not None:
            text += f", max_norm={self.max_norm}"
        if self.norm_type != 2:
            text += f", norm_type={self.norm_type}"
        if self.scale_grad_by_freq is not False:
            text += f", scale_grad_by_freq={self.scale_grad_by_freq}"
        return text + (", sparse=True" if self.sparse else "")


class EmbeddingBag(_Table):
    """The sum, mean or maximum of the rows of a table that each bag of indices names.

    Bags are the rows of a 2-d input, or begin at the ``offsets`` in a 1-d input.
    Source: PyTorch ``torch.nn.EmbeddingBag``.

    >>> import tensorlite as tl
    >>> table = tl.tensor([[1.0, 2.0], [3.0, 4.0]])
    >>> tl.nn.EmbeddingBag.from_pretrained(table, mode="sum")(tl.tensor([[0, 1], [1, 1]]))
    tensor([[4., 6.],
            [6., 8.]])
    """

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        mode: str = "mean",
        sparse: bool = False,
        _weight: Tensor | None = None,
        include_last_offset: bool = False,
        padding_idx: int | None = None,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        self.max_norm, self.norm_type = max_norm, norm_type
        self.scale_grad_by_freq, self.mode, self.sparse = scale_grad_by_freq, mode, sparse
        self.include_last_offset = include_last_offset
        factory = {"device": device, "dtype": dtype}
        self._make(num_embeddings, embedding_dim, _weight, padding_idx, factory)

    def forward(
        self,
        input: Tensor,
        offsets: Tensor | None = None,
        per_sample_weights: Tensor | None = None,
    ) -> Tensor:
        return F.embedding_bag(
            input, self.weight, offsets, self.max_norm, self.norm_type, self.scale_grad_by_freq,
            self.mode, self.sparse, per_sample_weights, self.include_last_offset, self.padding_idx,
        )  # fmt: skip

    def extra_repr(self) -> str:
        text = f"{self.num_embeddings}, {self.embedding_dim}"
        if self.max_norm is not None:
            text += f", max_norm={self.max_norm}"
        if self.norm_type != 2:
            text += f", norm_type={self.norm_type}"
        if self.scale_grad_by_freq is not False:
            text += f", scale_grad_by_freq={self.scale_grad_by_freq}"
        text += f", mode={self.mode!r}"
        return text + ("" if self.padding_idx is None else f", padding_idx={self.padding_idx}")
