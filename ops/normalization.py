"""Normalisation: batch, layer, group, instance, RMS."""

from __future__ import annotations
