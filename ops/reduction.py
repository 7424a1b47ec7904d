"""Sums, means, extrema and other reductions over dimensions."""

from __future__ import annotations
