"""Distances and similarities."""

from __future__ import annotations
