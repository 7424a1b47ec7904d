"""The ONNX operators, a file per family, imported for what they register."""

from .... import errors as errors
from . import control as control
from . import elementwise as elementwise
from . import shape as shape
