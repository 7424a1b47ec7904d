"""Samples of tensorlite.ops.einsum."""

from . import FLOATS, INTS, T, case

KINDS = f"{FLOATS} {INTS} complex64"
for equation, *shapes in (
    ("i->", (3,)), ("ij->ji", (2, 3)), ("ii", (3, 3)), ("ii->i", (3, 3)), ("ijj->i", (2, 3, 3)),
    ("...ij->...ji", (2, 2, 3)), ("ij->", (2, 3)), ("ba", (2, 3)),
    ("i,i", (3,), (3,)), ("i,j->ij", (3,), (2,)), ("ij,jk", (2, 3), (3, 4)),
    ("bij,bjk->bik", (2, 3, 4), (2, 4, 5)), ("bhqd,bhkd->bhqk", (2, 2, 3, 4), (2, 2, 5, 4)),
    ("...ij,...jk->...ik", (2, 3, 4), (4, 5)), ("ij,ij->i", (2, 3), (2, 3)),
    ("ij,kj->ik", (2, 1), (4, 3)), ("i...,i...->...", (3, 2), (3, 2)),
    ("ij , jk -> ki", (2, 3), (3, 4)),
    ("...,...", (2, 1), (3,)), ("ij,j,jk->ik", (2, 3), (3,), (3, 4)),
    ("ab,bc,cd,de->ae", (2, 3), (3, 4), (4, 5), (5, 2)), ("Ab,bC", (2, 3), (3, 2)),
    (",ij", (), (2, 3)), ("ii,ij->j", (3, 3), (3, 2)), ("ij,ij", (0, 3), (0, 3)),
):  # fmt: skip
    kinds = KINDS if len(shapes) < 3 else f"{INTS} float32 complex64"  # PyTorch rounds in between
    case("einsum", equation, *[T(*shape) for shape in shapes], dtypes=kinds)
case("einsum", "ij,jk->ik", [T(2, 3), T(3, 4)])
case("einsum", T(2, 3), [0, 1], T(3, 4), [1, 2], [0, 2])
case("einsum", T(5, 2, 3), [Ellipsis, 0, 1], T(3), [1])
