"""Every operator, one file per family.

The families are imported for what they register; :mod:`.registry` has what they registered.
"""

from ..errors import OperatorError as OperatorError
from . import families as families
