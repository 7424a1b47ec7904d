"""The ONNX operators, a file per family, imported for what they register."""

from .... import errors as errors
from . import activation as activation
from . import control as control
from . import convolution as convolution
from . import creation as creation
from . import elementwise as elementwise
from . import image as image
from . import indexing as indexing
from . import loss as loss
from . import matrix as matrix
from . import ml_linear as ml_linear
from . import ml_preprocessing as ml_preprocessing
from . import ml_svm as ml_svm
from . import normalization as normalization
from . import padding as padding
from . import pooling as pooling
from . import quantization as quantization
from . import recurrent as recurrent
from . import reduction as reduction
from . import resize as resize
from . import shape as shape
from . import trees as trees
