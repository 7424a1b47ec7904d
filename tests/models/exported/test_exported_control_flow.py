"""Branches and loops as PyTorch's exporters write them."""

from __future__ import annotations

from typing import Any

import pytest
from exporting import Case, case, cases, check, scripted, torch

import tensorlite as tl

nn = torch.nn
F = torch.nn.functional


class Branch(nn.Module):
    """torch.cond: two ways to go, which depend on values; one in the other."""

    def __init__(self) -> None:
        super().__init__()
        self.left, self.right = nn.Linear(4, 3), nn.Linear(4, 3)

    def forward(self, x: Any) -> Any:
        def near(v: Any) -> Any:
            return torch.cond(v.max() > 1, lambda u: u.tanh(), lambda u: u * 2, (v,))

        def left(v: Any) -> Any:
            return self.left(near(v)), v.sum(0)

        def right(v: Any) -> Any:
            return self.right(v).relu(), v.sum(0) * 0

        y, rest = torch.cond(x.sum() > 0, left, right, (x,))
        return y * 2, rest


class While(nn.Module):
    """A while loop whose end depends on values."""

    def forward(self, x: Any) -> Any:
        def again(count: Any, v: Any) -> Any:
            return (v.abs().sum() > 1).logical_and(count < 20)

        def step(count: Any, v: Any) -> Any:
            return count + 1, v * 0.7

        start = torch.tensor(0)
        return torch._higher_order_ops.while_loop(again, step, (start, x))


class Scanned(nn.Module):
    """A recurrence by scan: a state carried on, an output a step."""

    def __init__(self) -> None:
        super().__init__()
        self.cell = nn.Linear(4, 4)

    def forward(self, x: Any, state: Any) -> Any:
        def step(carried: Any, row: Any) -> Any:
            new = torch.tanh(self.cell(carried) + row)
            return new, new * 2

        return torch._higher_order_ops.scan(step, state, x)


class ScriptedLoop(nn.Module):
    """A Python loop over as many rows as there are, with a branch in it."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(4, 4)

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        state = torch.zeros(4)
        total = torch.zeros(4)
        for i in range(x.size(0)):
            if bool(x[i].sum() > 0):
                state = torch.tanh(self.linear(x[i]) + state)
            else:
                state = state * 0.5
            total = total + state
        return state, total


class ScriptedList(nn.Module):
    """A list that grows in a loop, stacked in the end."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        found = []
        for i in range(x.size(0)):
            found.append(x[i] * i)
        return torch.stack(found)


class ScriptedWhile(nn.Module):
    """A loop until values are small."""

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        count = torch.zeros((), dtype=torch.int64)
        while bool(x.abs().max() > 0.1):
            x = x * 0.5
            count = count + 1
        return x, count


class Generated(nn.Module):
    """Greedy decoding: the likeliest token after the other, at most eight."""

    def __init__(self) -> None:
        super().__init__()
        self.embed, self.out = nn.Embedding(12, 6), nn.Linear(6, 12)

    def forward(self, start: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        tokens = start
        hidden = torch.zeros(start.size(0), 6)
        steps = 0
        done = False
        while steps < 8 and not done:
            hidden = torch.tanh(hidden + self.embed(tokens[:, -1]))
            following = self.out(hidden).argmax(1, keepdim=True)
            tokens = torch.cat([tokens, following], 1)
            done = bool((following == 3).all())
            steps += 1
        return tokens, hidden


def script(make: Any) -> Any:
    return lambda: scripted(make())


def signed(n: int, sign: float) -> tuple[Any]:
    return (torch.rand(n, 4) * sign * 2,)


def rows(n: int) -> tuple[Any]:
    return (torch.randn(n, 4),)


def row_and_state(n: int) -> tuple[Any, Any]:
    return torch.randn(n, 4), torch.randn(4)


FREE = ((0,),)

NETWORKS = cases(
    case("branch", Branch, signed, (3, 1.0), (3, -1.0), (3, 0.2), by="dynamo 18, dynamo 23 slow"),
    case("branch-batches", Branch, signed, (3, 1.0), (2, -1.0), free=FREE, by="dynamo 20 slow"),
    case("while", While, rows, (3,), by="dynamo 18"),
    case("scanned", Scanned, row_and_state, (5,), by="dynamo 18"),
    case("loop", script(ScriptedLoop), rows, (5,), (2,), (9,), free=FREE,
         by="torchscript 17, torchscript 20"),
    case("list", script(ScriptedList), rows, (5,), (2,), free=FREE, by="torchscript 17"),
    case("until", script(ScriptedWhile), rows, (5,), (2,), free=FREE, by="torchscript 18"),
    case("generated", script(Generated), lambda n: (torch.arange(n)[:, None],), (2,), (5,),
         free=FREE, by="torchscript 17"),
)  # fmt: skip


@pytest.mark.parametrize("case", NETWORKS)
def test_network(case: Case, device: tl.device) -> None:
    check(case, device)
