"""Kernels over a range of rows as kernels of a plan: words for arguments, parts of the range.

``adapted(ir, "ppfn")`` is for a kernel whose arguments are two addresses, a float and a number,
followed by ``first`` and ``last``; the words are the same, then how many rows there are.
"""

from __future__ import annotations

from .code import Code, module
from .fused import Words, share
from .llvm import compiled

_KINDS = {"p": "ptr", "n": "i64", "f": "float"}


def adapted(ir: str, kinds: str) -> int:
    """The address of the kernel for a plan, compiled if need be."""
    code = Code("kernel", "ptr %args, i64 %part, i64 %parts")
    words = Words(code)
    given = [f"{_KINDS[kind]} {words.next(_KINDS[kind])}" for kind in kinds]
    first, last = share(code, words.next())
    code.do(f"call void @rows({', '.join(given)}, i64 {first}, i64 {last})")
    body = ir.replace("define void @kernel(", "define internal void @rows(")
    return compiled(f"{body}\n{module(code)}")
