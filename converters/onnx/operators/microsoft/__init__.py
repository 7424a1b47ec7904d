"""The operators of ``com.microsoft``, which exporters of ONNX Runtime write into files."""

from ..... import errors as errors
from . import activation as activation
from . import fused as fused
from . import quantized_elementwise as quantized_elementwise
from . import quantized_matrix as quantized_matrix
from . import quantized_pooling as quantized_pooling
