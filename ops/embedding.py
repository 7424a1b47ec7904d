"""Look-ups in tables of vectors."""

from __future__ import annotations
