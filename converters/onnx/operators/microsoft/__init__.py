"""The operators of ``com.microsoft``, which exporters of ONNX Runtime write into files."""

from ..... import errors as errors
from . import activation as activation
from . import embedding as embedding
from . import fused as fused
from . import normalization as normalization
from . import quantized_elementwise as quantized_elementwise
from . import quantized_weights as quantized_weights
