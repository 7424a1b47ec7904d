"""Every error that tensorlite raises on purpose.

Each is a :class:`TensorliteError` and also the built-in (PyTorch-like) kind that people already
catch, so ``except RuntimeError`` around PyTorch code keeps working::

    TensorliteError
    ├── OperatorError (RuntimeError)        an operator refused its arguments
    │   ├── ShapeError (ValueError)         ... for their shapes
    │   ├── DTypeError (TypeError)          ... for their dtypes
    │   ├── DimensionError (IndexError)     ... for a dimension or an index out of range
    │   ├── ArgumentError (TypeError)       ... for a missing or unknown argument
    │   ├── LinAlgError                     ... for a matrix that is singular, not definite...
    │   └── DeviceMismatchError             ... for tensors on devices that do not mix
    ├── UnknownNameError (AttributeError, LookupError)  no such name; says the nearest ones
    ├── DeviceUnavailableError (RuntimeError)  a device that cannot be used here, and why
    ├── AutogradError (RuntimeError)        gradients were asked for; tensorlite has none
    ├── MissingDependencyError (ImportError)   says which package to install
    ├── StateDictError (RuntimeError)       names or shapes that do not fit a module
    ├── FetchError (OSError)                a model that is not here and cannot be had
    └── FileFormatError (ValueError)        a file that is broken or not what it says
        ├── UnsafeFileError                 ... or that asks for something it must not have
        └── OnnxError (RuntimeError)        an ONNX model that is invalid or cannot be run
            └── UnsupportedOperatorError (NotImplementedError)  lists every operator unknown
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class TensorliteError(Exception):
    """The root of everything that tensorlite raises on purpose."""


class OperatorError(TensorliteError, RuntimeError):
    """An operator refused its arguments."""


class ShapeError(OperatorError, ValueError):
    """Shapes that do not fit each other or the operator."""


class DTypeError(OperatorError, TypeError):
    """A dtype that the operator does not take, or dtypes that do not mix."""


class DimensionError(OperatorError, IndexError):
    """A dimension or an index out of range."""


class ArgumentError(OperatorError, TypeError):
    """An argument is missing, unknown or of the wrong kind."""


class LinAlgError(OperatorError):
    """A matrix that is singular, not positive definite, or does not converge."""


class DeviceMismatchError(OperatorError):
    """Tensors on devices that do not mix."""


class UnknownNameError(TensorliteError, AttributeError, LookupError):
    """A name that does not exist; the message has the nearest ones that do."""


class DeviceUnavailableError(TensorliteError, RuntimeError):
    """A device that cannot be used on this machine; the message says why."""


class AutogradError(TensorliteError, RuntimeError):
    """Gradients were asked for; tensorlite is for inference and has none."""


class MissingDependencyError(TensorliteError, ImportError):
    """A package that is needed for this and not installed; the message says how to get it."""


class StateDictError(TensorliteError, RuntimeError):
    """Weights whose names or shapes do not fit the module."""


class FetchError(TensorliteError, OSError):
    """A model that is not in the cache and could not be fetched."""


class FileFormatError(TensorliteError, ValueError):
    """A file that is broken, truncated, or not what its name says."""


class UnsafeFileError(FileFormatError):
    """A file that asks for something it must not have: code to run, a path outside its folder."""


class OnnxError(FileFormatError, RuntimeError):
    """An ONNX model that is invalid or cannot be run."""

    node: str | None = None  # the name of the node that failed, where one did


class UnsupportedOperatorError(OnnxError, NotImplementedError):
    """An ONNX model with operators that tensorlite does not have; all of them are listed."""


def nearest(name: str, known: Iterable[str], count: int = 3) -> str:
    """`` Did you mean 'relu' or 'relu6'?``, or an empty string when nothing comes near.

    >>> nearest("rleu", ["relu", "exp"])
    " Did you mean 'relu'?"
    """
    found = difflib.get_close_matches(name, list(known), n=count, cutoff=0.6)
    if not found:
        return ""
    *first, last = [repr(f) for f in found]
    return f" Did you mean {', '.join(first)}{' or ' if first else ''}{last}?"
