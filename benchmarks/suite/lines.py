"""All lines of the benchmark."""

from . import classes as classes
from . import concurrency as concurrency
from . import networks as networks
from . import operators as operators
from . import products as products
from . import weights as weights
from .case import CASES as CASES
from .case import Case as Case
