"""The operators of ``com.microsoft``, which exporters of ONNX Runtime write into files."""

from ..... import errors as errors
