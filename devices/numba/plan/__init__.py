"""Plans: networks of known shapes as compiled kernels over one piece of memory."""

from ...base import Device as Device
from .compile import Compiled as Compiled
from .compile import compile as compile
