"""Everything that reads or writes files: weights, ONNX models.

Files are hostile: nothing is unpickled, every length is checked before it is believed, and a
broken file gives one :class:`~tensorlite.errors.FileFormatError` that names the file.
"""

from __future__ import annotations

from .. import errors as errors
