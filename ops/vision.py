"""Operators on images: grid sampling, pixel shuffle, folding."""

from __future__ import annotations
