"""Signals, as ``torch.signal`` has them: windows."""

from __future__ import annotations

from . import windows as windows
