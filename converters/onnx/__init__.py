"""ONNX models: read, converted to modules, run.

``tl.onnx.load("model.onnx")`` gives a module; ``tl.onnx.register`` adds operators of your own.
"""

from ... import errors as errors
from . import operators as operators
from .graph import Graph as Graph
from .graph import Model as Model
from .graph import Node as Node
from .module import OnnxModule as OnnxModule
from .module import load as load
from .reader import read as read
from .registry import register as register
