"""Convolutions and transposed convolutions."""

from __future__ import annotations
