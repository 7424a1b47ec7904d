"""Cumulative sums, products and extrema, and differences."""

from __future__ import annotations
