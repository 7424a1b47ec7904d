"""Columns of features (ai.onnx.ml): joined, and picked."""

from __future__ import annotations

from collections.abc import Sequence

import tensorlite as tl
from tensorlite import Tensor

from ....errors import OnnxError
from ..registry import onnx_op
from ..values import describe
from .expected import expect
from .indexing import from_start, is_traced
from .ml_features import DTYPES, ML

_EXTRACTED = (*DTYPES, tl.dtypes.string)


@onnx_op("FeatureVectorizer", domain=ML)
def feature_vectorizer(
    *inputs: Tensor | None, inputdimensions: Sequence[int] | None = None
) -> Tensor:
    """The inputs ``[N, C]`` (or ``[C]``, one row) side by side, as float32.

    Of each input ``inputdimensions`` takes that many columns; what it has fewer, are zeros.
    """
    if not inputs:
        raise OnnxError("expected one input or more, got none")
    rows = [_rows(f"input {i}", x) for i, x in enumerate(inputs)]
    if len({x.dtype for x in rows}) > 1 or len({x.shape[0] for x in rows}) > 1:
        raise OnnxError("expected inputs of one dtype and of equally many rows, got "
                        f"{', '.join(describe(x) for x in inputs)}")  # fmt: skip
    sizes = inputdimensions or [x.shape[1] for x in rows]
    if len(sizes) != len(rows) or min(sizes) < 0:
        raise OnnxError(f"expected {len(rows)} sizes in inputdimensions, got {list(sizes)}")
    joined: Tensor = tl.cat([_fitted(x.float(), n) for x, n in zip(rows, sizes, strict=True)], 1)
    return joined


def _rows(name: str, x: Tensor | None) -> Tensor:
    x = expect(name, x, dtypes=DTYPES)
    if x.ndim not in (1, 2):
        raise OnnxError(f"expected {name} to be [N, C] or [C], got {describe(x)}")
    return x.unsqueeze(0) if x.ndim == 1 else x


def _fitted(x: Tensor, columns: int) -> Tensor:
    if columns <= x.shape[1]:
        return x[:, :columns]
    missing = tl.zeros(x.shape[0], columns - x.shape[1], dtype=x.dtype, device=x.device)
    joined: Tensor = tl.cat([x, missing], 1)
    return joined


@onnx_op("ArrayFeatureExtractor", domain=ML)
def array_feature_extractor(x: Tensor, y: Tensor) -> Tensor:
    """The columns ``y`` of the last dimension; of a 1-d input, as one row."""
    expect("X", x, dtypes=_EXTRACTED)
    if not x.ndim:
        raise OnnxError(f"expected X of one dimension or more, got {describe(x)}")
    index = expect("Y", y, dtypes=(tl.int64,)).reshape(-1)
    rows = x.unsqueeze(0) if x.ndim == 1 else x
    if is_traced(index):  # a plan checks indices when it runs
        return rows.index_select(-1, index)
    if index.numel() and index.min().item() < 0:
        raise OnnxError(f"expected in Y indices from 0 on, got {index.min().item()}")
    return rows[..., from_start(index, x.shape[-1])]
