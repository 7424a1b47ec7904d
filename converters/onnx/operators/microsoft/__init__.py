"""The operators of ``com.microsoft``, which exporters of ONNX Runtime write into files."""

from ..... import errors as errors
from . import activation as activation
from . import attention as attention
from . import embedding as embedding
from . import experts as experts
from . import fused as fused
from . import group_query_attention as group_query_attention
from . import image as image
from . import matrix as matrix
from . import multi_head_attention as multi_head_attention
from . import normalization as normalization
from . import packed_experts as packed_experts
from . import quantized_attention as quantized_attention
from . import quantized_convolution as quantized_convolution
from . import quantized_elementwise as quantized_elementwise
from . import quantized_embedding as quantized_embedding
from . import quantized_linear as quantized_linear
from . import quantized_matrix as quantized_matrix
from . import quantized_pooling as quantized_pooling
from . import quantized_recurrent as quantized_recurrent
from . import quantized_weights as quantized_weights
from . import rotary as rotary
from . import shape as shape
from . import tokens as tokens
