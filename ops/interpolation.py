"""Resampling: interpolate, upsample."""

from __future__ import annotations
