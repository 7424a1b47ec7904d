"""Functions of one number, element by element: exponentials, trigonometry, rounding, signs."""

from __future__ import annotations
