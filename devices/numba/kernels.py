"""The numba device's kernels, imported when it is first used. A new family adds its line."""

from . import arithmetic as arithmetic
from . import boxes as boxes
from . import contiguous as contiguous
from . import convolution as convolution
from . import depthwise as depthwise
from . import elementwise as elementwise
from . import low_bits as low_bits
from . import matrix as matrix
from . import passes as passes
from . import planned as planned
from . import rows as rows
from . import selection as selection
from . import trees as trees
