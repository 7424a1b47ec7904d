"""Linear algebra: products, decompositions, solutions, norms."""

from __future__ import annotations
