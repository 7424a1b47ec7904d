"""The numba device: kernels compiled for this very processor."""

from ... import errors as errors
