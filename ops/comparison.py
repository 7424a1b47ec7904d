"""Comparisons, maxima and minima of two tensors, and tests of one."""

from __future__ import annotations
