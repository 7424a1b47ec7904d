"""Special functions of mathematics: gamma, Bessel, error functions and their kin."""

from __future__ import annotations
