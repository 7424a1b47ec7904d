"""Floating-point warnings off, cheaply.

PyTorch gives inf and nan without a word, NumPy warns. ``numpy.errstate`` costs 0.7 us, more than
a small addition; setting the context variable behind it costs 0.08 us. Where a NumPy release
hides that variable elsewhere, ``numpy.errstate`` does the same.
"""

from __future__ import annotations

from contextlib import ExitStack
from contextvars import Token
from typing import Any

import numpy as np

try:
    from numpy._core import umath as _umath

    _variable: Any = _umath._extobj_contextvar
    _silent: Any = _umath._make_extobj(all="ignore")
    _set = _variable.set

    def quiet(_silent: Any = _silent, _set: Any = _set) -> Token[Any]:
        """Turns the warnings off; give what it returns to :func:`restore`."""
        token: Token[Any] = _set(_silent)
        return token

    restore = _variable.reset
except (ImportError, AttributeError):  # pragma: no cover - another NumPy

    def quiet() -> Any:  # type: ignore[misc]
        """Turns the warnings off; give what it returns to :func:`restore`."""
        stack = ExitStack()
        stack.enter_context(np.errstate(all="ignore"))
        return stack

    def restore(token: Any) -> None:
        """Back to what it was before :func:`quiet`."""
        token.close()
