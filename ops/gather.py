"""Gather, scatter, take, put, masked operations."""

from __future__ import annotations
