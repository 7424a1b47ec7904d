"""Optimising converted graphs: fewer nodes that give the same values, but for rounding."""

from .... import errors as errors
from .driver import optimized as optimized
from .report import Explanation as Explanation
