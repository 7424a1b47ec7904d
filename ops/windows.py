"""Window functions of signal processing."""

from __future__ import annotations
