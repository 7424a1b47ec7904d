"""Sorting, searching, uniqueness and top-k."""

from __future__ import annotations
