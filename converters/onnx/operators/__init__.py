"""The ONNX operators, a file per family, imported for what they register."""

from .... import errors as errors
from . import activation as activation
from . import control as control
from . import creation as creation
from . import elementwise as elementwise
from . import indexing as indexing
from . import matrix as matrix
from . import recurrent as recurrent
from . import reduction as reduction
from . import resize as resize
from . import shape as shape
