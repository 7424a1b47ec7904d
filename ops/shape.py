"""Other views of the same elements: reshape, transpose, expand, squeeze."""

from __future__ import annotations
