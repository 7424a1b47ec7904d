"""The cuda device: CuPy arrays, and CUDA kernels through CuPy's compiler."""

from ... import errors as errors
