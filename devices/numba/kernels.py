"""The numba device's kernels, imported when it is first used. A new family adds its line."""

from . import depthwise as depthwise
from . import elementwise as elementwise
from . import trees as trees
