"""Activation functions of networks."""

from __future__ import annotations
