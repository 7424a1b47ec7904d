"""The passes on quantised graphs: which there are, and in which order they run.

Dequantise, operate, quantise becomes an operator on quantised numbers, as ONNX Runtime makes of it.
"""

from __future__ import annotations

from .quantized_dynamic import DYNAMIC
from .quantized_elementwise import ELEMENTWISE
from .quantized_moves import MOVES
from .quantized_normalization import NORMALIZED
from .quantized_products import PRODUCTS
from .quantized_to_float import ACTIVATED, TO_FLOAT
from .quantized_weights import WEIGHTS
from .quantized_written import WRITTEN
from .view import Pass

FIRST: tuple[Pass, ...] = WRITTEN
"""Before constants are folded."""

QUANTIZED: tuple[Pass, ...] = (
    *NORMALIZED, *MOVES, *PRODUCTS, *ELEMENTWISE, *DYNAMIC, *ACTIVATED,
)  # fmt: skip

UNQUANTIZED: tuple[Pass, ...] = TO_FLOAT
"""When no more results will turn out to be quantised."""

UNTAKEN: tuple[Pass, ...] = WEIGHTS
"""For the weights that no integer operator took."""
