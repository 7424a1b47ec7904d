"""Joining, splitting, stacking and repeating tensors."""

from __future__ import annotations
