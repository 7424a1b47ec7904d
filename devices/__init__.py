"""Where tensors live: the devices, and the kernels that they bring.

A device is a subclass of :class:`Device`; a kernel is a function decorated with :func:`kernel`.
"""

from ..errors import DeviceUnavailableError as DeviceUnavailableError
from .base import Device as Device
from .base import default_device as default_device
from .base import devices as devices
from .base import promote_devices as promote_devices
from .base import resolve as resolve
from .base import set_default_device as set_default_device
from .cpu import Cpu as Cpu
from .cuda.device import Cuda as Cuda
from .kernels import Kernel as Kernel
from .kernels import kernel as kernel
from .numba.device import Numba as Numba
