"""Sequences of different lengths in one tensor: padded, or packed without padding."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from ...construct import tensor
from ...dtypes import int64
from ...errors import ArgumentError, ShapeError
from ...ops.registry import namespace
from ...tensor import Tensor

_tl = namespace("")


class PackedSequence(NamedTuple):
    """Sequences without padding: the first element of all, then the second of all...

    ``batch_sizes`` has how many sequences have an element of each number; the sequences are
    sorted from the longest to the shortest, and the two lists of indices lead there and back.
    Source: PyTorch ``torch.nn.utils.rnn.PackedSequence``.

    >>> import tensorlite as tl
    >>> tl.nn.utils.rnn.pack_sequence([tl.tensor([1, 2, 3]), tl.tensor([4])]).data
    tensor([1, 4, 2, 3])
    """

    data: Tensor
    batch_sizes: Tensor
    sorted_indices: Tensor | None = None
    unsorted_indices: Tensor | None = None

    def to(self, *args: Any, **kwargs: Any) -> PackedSequence:
        """On another device or in another dtype; see :meth:`Tensor.to`."""
        data = self.data.to(*args, **kwargs)
        indices = [
            None if i is None else i.to(data.device)
            for i in (self.sorted_indices, self.unsorted_indices)
        ]
        return PackedSequence(data, self.batch_sizes, *indices)

    def cpu(self) -> PackedSequence:
        """On the cpu device."""
        return self.to("cpu")

    def cuda(self, *args: Any, **kwargs: Any) -> PackedSequence:
        """On a CUDA GPU."""
        return self.to(self.data.cuda(*args, **kwargs).device)

    def float(self) -> PackedSequence:
        """In float32."""
        return self._replace(data=self.data.float())

    def double(self) -> PackedSequence:
        """In float64."""
        return self._replace(data=self.data.double())

    def half(self) -> PackedSequence:
        """In float16."""
        return self._replace(data=self.data.half())

    @property
    def is_cuda(self) -> bool:
        """Whether it lives on a CUDA GPU."""
        return self.data.is_cuda


def pad_sequence(
    sequences: Any,
    batch_first: bool = False,
    padding_value: float = 0.0,
    padding_side: str = "right",
) -> Tensor:
    """Sequences (L_i, ...) as one tensor (max L, N, ...), or (N, max L, ...).

    Source: PyTorch ``torch.nn.utils.rnn.pad_sequence``.

    >>> import tensorlite as tl
    >>> tl.nn.utils.rnn.pad_sequence([tl.tensor([1, 2]), tl.tensor([3])], batch_first=True)
    tensor([[1, 2],
            [3, 0]])
    """
    if padding_side not in ("left", "right"):
        raise ArgumentError(f"pad_sequence: padding_side is left or right, not {padding_side!r}")
    items = list(sequences)
    if not items:
        raise ArgumentError("pad_sequence: expected at least one sequence, got none")
    longest = max(len(s) for s in items)
    first = items[0]
    padded = first.new_full((len(items), longest, *first.shape[1:]), padding_value)
    for row, sequence in enumerate(items):
        size = len(sequence)
        padded[row, longest - size if padding_side == "left" else 0 :][:size] = sequence
    return padded if batch_first else padded.transpose(0, 1)


def unpad_sequence(
    padded_sequences: Tensor, lengths: Any, batch_first: bool = False
) -> list[Tensor]:
    """The sequences that :func:`pad_sequence` was given.

    Source: PyTorch ``torch.nn.utils.rnn.unpad_sequence``.

    >>> import tensorlite as tl
    >>> tl.nn.utils.rnn.unpad_sequence(tl.tensor([[1, 2], [3, 0]]), [2, 1], batch_first=True)
    [tensor([1, 2]), tensor([3])]
    """
    rows = padded_sequences if batch_first else padded_sequences.transpose(0, 1)
    return [row[:length] for row, length in zip(rows, _numbers(lengths), strict=True)]


def pack_padded_sequence(
    input: Tensor, lengths: Any, batch_first: bool = False, enforce_sorted: bool = True
) -> PackedSequence:
    """Packs a padded tensor (L, N, ...), or (N, L, ...), given each sequence's length.

    With ``enforce_sorted`` they must come from the longest to the shortest. Raises ShapeError.
    Source: PyTorch ``torch.nn.utils.rnn.pack_padded_sequence``.

    >>> import tensorlite as tl
    >>> padded = tl.tensor([[1, 2, 3], [4, 0, 0]])
    >>> tl.nn.utils.rnn.pack_padded_sequence(padded, [3, 1], batch_first=True).batch_sizes
    tensor([2, 1, 1])
    """
    counts = _numbers(lengths)
    rows = input.transpose(0, 1) if batch_first else input
    if len(counts) != rows.shape[1] or (counts and not 0 < min(counts) <= max(counts) <= len(rows)):
        raise ShapeError(
            f"pack_padded_sequence: expected {rows.shape[1]} lengths from 1 to {len(rows)}, got "
            f"{counts}"
        )
    order = back = None
    if enforce_sorted:
        if counts != sorted(counts, reverse=True):
            raise ShapeError(
                "pack_padded_sequence: the lengths must not rise; pass enforce_sorted=False"
            )
    else:
        places = sorted(range(len(counts)), key=lambda i: -counts[i])
        order = tensor(places, dtype=int64, device=input.device)
        back = invert_permutation(order)
        counts = [counts[i] for i in places]
        rows = rows.index_select(1, order)
    sizes = [sum(count > step for count in counts) for step in range(max(counts, default=0))]
    data = _tl["cat"]([rows[step, :size] for step, size in enumerate(sizes)])
    return PackedSequence(data, tensor(sizes, dtype=int64, device="cpu"), order, back)


def pad_packed_sequence(
    sequence: PackedSequence,
    batch_first: bool = False,
    padding_value: float = 0.0,
    total_length: int | None = None,
) -> tuple[Tensor, Tensor]:
    """(padded, lengths) of a packed sequence.

    Source: PyTorch ``torch.nn.utils.rnn.pad_packed_sequence``.

    >>> import tensorlite as tl
    >>> rnn = tl.nn.utils.rnn
    >>> padded, lengths = rnn.pad_packed_sequence(rnn.pack_sequence([tl.ones(2), tl.ones(1)]))
    >>> lengths
    tensor([2, 1])
    """
    sizes = _numbers(sequence.batch_sizes)
    steps = len(sizes) if total_length is None else total_length
    if steps < len(sizes):
        raise ShapeError(
            f"pad_packed_sequence: total_length {steps} is below the longest, {len(sizes)}"
        )
    data = sequence.data
    padded = data.new_full((steps, sizes[0], *data.shape[1:]), padding_value)
    begin = 0
    for step, size in enumerate(sizes):
        padded[step, :size] = data[begin : begin + size]
        begin += size
    lengths = tensor([sum(size > i for size in sizes) for i in range(sizes[0])], device="cpu")
    if sequence.unsorted_indices is not None:
        padded = padded.index_select(1, sequence.unsorted_indices)
        lengths = lengths.index_select(0, sequence.unsorted_indices.cpu())
    return (padded.transpose(0, 1) if batch_first else padded), lengths


def pack_sequence(sequences: Sequence[Tensor], enforce_sorted: bool = True) -> PackedSequence:
    """Packs sequences (L_i, ...). Source: PyTorch ``torch.nn.utils.rnn.pack_sequence``.

    >>> import tensorlite as tl
    >>> tl.nn.utils.rnn.pack_sequence([tl.tensor([1, 2]), tl.tensor([3])]).data
    tensor([1, 3, 2])
    """
    lengths = [len(s) for s in sequences]
    return pack_padded_sequence(pad_sequence(sequences), lengths, enforce_sorted=enforce_sorted)


def unpack_sequence(packed_sequences: PackedSequence) -> list[Tensor]:
    """The sequences that :func:`pack_sequence` was given.

    Source: PyTorch ``torch.nn.utils.rnn.unpack_sequence``.

    >>> import tensorlite as tl
    >>> rnn = tl.nn.utils.rnn
    >>> rnn.unpack_sequence(rnn.pack_sequence([tl.tensor([1, 2]), tl.tensor([3])]))
    [tensor([1, 2]), tensor([3])]
    """
    padded, lengths = pad_packed_sequence(packed_sequences, batch_first=True)
    return unpad_sequence(padded, lengths, batch_first=True)


def invert_permutation(permutation: Tensor | None) -> Tensor | None:
    """The permutation that undoes one. Source: PyTorch ``torch.nn.utils.rnn``.

    >>> import tensorlite as tl
    >>> tl.nn.utils.rnn.invert_permutation(tl.tensor([2, 0, 1]))
    tensor([1, 2, 0])
    """
    return None if permutation is None else permutation.argsort()


def _numbers(lengths: Any) -> list[int]:
    return [int(n) for n in (lengths.tolist() if isinstance(lengths, Tensor) else lengths)]
