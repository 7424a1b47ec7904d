"""Samples of tensorlite.ops.creation."""

from . import case

for name in ("zeros", "ones"):
    case(name, 2, 3)
    case(name, (2, 0))
