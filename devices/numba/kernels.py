"""The numba device's kernels, imported when the device is first used."""

from ... import errors as errors
