"""Sums of products written in Einstein's notation."""

from __future__ import annotations
