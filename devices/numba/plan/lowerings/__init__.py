"""Operators as steps of a plan, a file per family. A new family adds its line."""

from . import attention as attention
from . import branches as branches
from . import comparison as comparison
from . import convolution as convolution
from . import einsum as einsum
from . import elementwise as elementwise
from . import functions as functions
from . import indexing as indexing
from . import integers as integers
from . import interpolation as interpolation
from . import joining as joining
from . import low_bits as low_bits
from . import matrix as matrix
from . import normalization as normalization
from . import pooling as pooling
from . import quantized as quantized
from . import rearranging as rearranging
from . import recurrent as recurrent
from . import reduction as reduction
from . import rows as rows
from . import statistics as statistics
from . import transposed_convolution as transposed_convolution
from . import trees as trees
from . import views as views
