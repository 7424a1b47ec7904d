"""Random numbers, with generators."""

from __future__ import annotations
