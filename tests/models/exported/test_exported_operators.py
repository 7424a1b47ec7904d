"""Indexing, sorting, reductions, norms, losses and dtypes as PyTorch's exporters write them."""

from __future__ import annotations

from typing import Any

import pytest
from exporting import Case, case, cases, check, torch

import tensorlite as tl

nn = torch.nn
F = torch.nn.functional


class Calls(nn.Module):
    """A function of up to three tensors as a module."""

    def __init__(self, function: Any) -> None:
        super().__init__()
        self.function = function

    def forward(self, x: Any, y: Any = None, z: Any = None) -> Any:
        return self.function(*(value for value in (x, y, z) if value is not None))


def written(x: Any, index: Any) -> Any:
    """Values put in by index, in every way that assignment has."""
    a, b, c, d, e = (x.clone() for _ in range(5))
    a[:, 1:3] = 7.0
    b[index] = x[: index.shape[0]]
    c[..., -1] = x[..., 0] * 2
    d[x > 0.5] = -1.0
    e[0, index] += 1.0
    f = torch.zeros_like(x).index_put((index,), x[: index.shape[0]], accumulate=True)
    return a, b, c, d, e, f


def scattered(x: Any, index: Any) -> Any:
    where = index[:, None].expand(-1, x.shape[1])
    rows = x[: index.shape[0]]
    zeros = torch.zeros_like(x)
    return (
        zeros.scatter(0, where, rows), zeros.scatter_add(0, where, rows),
        zeros.scatter(1, where[:, :1], 3.0),
        x.scatter_reduce(0, where, rows, "amax"),
        x.scatter_reduce(0, where, rows, "prod"),
        zeros.index_add(0, index, rows), zeros.index_copy(0, index, rows),
        x.index_fill(1, index, -2.0),
    )  # fmt: skip


def gathered(x: Any, index: Any) -> Any:
    where = index[:, None].expand(-1, x.shape[1])
    return (
        x.gather(0, where), x.index_select(1, index), torch.take(x, index), x[index, index],
        x[:, index][index], x[..., None, 1:], x[::2, -2:],
        x.masked_fill(x > 0, -1.0), torch.where(x > 0, x, 2.0), x[-1], x.select(1, 2),
        x.narrow(1, 1, 2), x.unbind(1)[1], F.embedding(index, x),
    )  # fmt: skip


def gathered_otherwise(x: Any, index: Any) -> Any:
    where = index[:, None].expand(-1, x.shape[1])
    rows = x[: index.shape[0]]
    return (
        torch.take_along_dim(x, where, 0), torch.block_diag(x[:2], x[:1]),
        torch.kron(x[:2], x[:1]), x.scatter_reduce(0, where, rows, "amin"),
        torch.bucketize(x, torch.tensor([-1.0, 0.0, 1.0])), x[x[:, 0].argsort()],
    )  # fmt: skip


def ordered(x: Any) -> Any:
    top = x.topk(2, 1)
    least = x.topk(3, 0, largest=False)
    sorted_, places = x.sort(1, descending=True)
    up = x.sort(0)
    return (
        top.values, top.indices, *least, sorted_, places, *up, x.argsort(1), x.argmax(1),
        x.argmin(0, keepdim=True), x.max(1).values, x.max(1).indices, *x.min(0),
        torch.maximum(x, x.flip(0)), x.amin(1), x.max(), x.flip(1),
    )  # fmt: skip


def summed(x: Any) -> Any:
    return (
        x.sum(), x.sum(1), x.mean(0), x.mean((0, 1)), x.prod(1), x.std(1), x.var(0),
        x.var(1, unbiased=False), x.norm(dim=1), x.norm(1, 0), x.cumsum(1), x.cumsum(0),
        x.logsumexp(1), (x > 0).any(1), (x > -9).all(0), (x > 0).sum(1), x.abs().log().mean(),
        torch.linalg.vector_norm(x, 3, 1), (x * 3).int().sum(1),
        x.log_softmax(0), x.bool().any(), torch.std_mean(x, dim=1)[0],
    )  # fmt: skip


def shaped(x: Any) -> Any:
    n, w = x.shape
    return (
        x.tril(), x.triu(1), x.roll(1, 1), x.roll((1, 2), (0, 1)), x.repeat(2, 3),
        x.repeat_interleave(2, 1), x.unsqueeze(1).expand(-1, 3, -1), x.reshape(w, n),
        x.t().contiguous().view(-1), torch.stack((x, x), 1), torch.cat((x, x[:1]), 0),
        *x.chunk(2, 1), *x.split([1, w - 1], 1), x.unfold(1, 3, 2),
        x.flatten().unflatten(0, (n, w)), torch.arange(n).to(x.dtype) + x[:, 0],
        torch.full((n, 2), 3.0), torch.ones_like(x),
        torch.linspace(0, 1, 5), torch.eye(3), x.diagonal(), torch.meshgrid(x[0], x[:, 0],
        indexing="ij")[0], x.movedim(0, 1), x.new_full((2, n), 1.5), torch.tensor([n, w]),
    )  # fmt: skip


def pictures(x: Any) -> Any:
    return (
        F.pixel_shuffle(x, 2), F.pixel_unshuffle(x, 2), F.unfold(x, 3, 1, 1, 2),
        F.fold(F.unfold(x, 2, stride=2), (8, 8), 2, stride=2), F.pad(x, (1, 2, 0, 1)),
        F.pad(x, (1, 2, 3, 1), "reflect"), F.pad(x, (1, 0, 0, 2), "replicate"),
        F.pad(x, (1, 2, 0, 1), value=4.0), F.pad(x, (-1, 2)),
    )  # fmt: skip


def sampled(x: Any, grid: Any) -> Any:
    return tuple(
        F.grid_sample(x, grid, mode, padding, corners)
        for mode, padding, corners in (
            ("bilinear", "zeros", False), ("nearest", "border", False),
            ("bicubic", "reflection", True), ("bilinear", "reflection", False),
            ("bilinear", "border", True),
        )
    )  # fmt: skip


def produced(x: Any, y: Any) -> Any:
    return (
        torch.einsum("bij,bkj->bik", x, y), torch.einsum("bij,bkj->b", x, y),
        torch.einsum("...ij->...ji", x), x @ y.transpose(1, 2), torch.bmm(x, y.transpose(1, 2)),
        torch.baddbmm(x[:, :, :1], x, y.transpose(1, 2), beta=0.5, alpha=2.0),
        torch.addmm(x[0, :, :1], x[0], y[0].T, alpha=0.5), torch.outer(x[0, 0], y[0, 0]),
        F.cosine_similarity(x[:, :1], y, 2), torch.tensordot(x, y, ([0, 2], [0, 2])),
        torch.mv(x[0], y[0, 0]),
        F.pairwise_distance(x[:, 0], y[:, 0]), torch.cross(x[..., :3],
        y[:, :1, :3].expand(-1, x.shape[1], -1), -1),
    )  # fmt: skip


def elementwise(x: Any, y: Any) -> Any:
    positive = x.abs() + 0.1
    small = x.tanh() * 0.9
    return (
        x + 2 * y, torch.add(x, y, alpha=0.5), torch.rsub(x, 1, alpha=2), x / y,
        torch.div(x, y, rounding_mode="trunc"), x % y, torch.fmod(x, y), torch.remainder(x, 0.7),
        x**2, positive**y, 2.0**x, torch.exp(x), positive.log(), positive.log2(),
        positive.log1p(), positive.log10(), positive.sqrt(), positive.rsqrt(), x.sin(), x.cos(),
        x.tan(), small.asin(), small.acos(), x.atan(), torch.atan2(x, y), x.floor(), x.ceil(),
        (x * 4).round(), x.sign(), x.abs(), -x, x.reciprocal(), x.clamp(-1, 1),
        x.clamp(min=0.1), torch.clamp(x, y, y + 1), torch.lerp(x, y, 0.3),
        torch.addcmul(x, x, y, value=0.2), torch.isnan(x), torch.isinf(x / 0),
        torch.logit(positive / 20), torch.special.expit(x), x.square(),
        x.nan_to_num(),
    )  # fmt: skip


def elementwise_otherwise(x: Any, y: Any) -> Any:
    """Functions that only the dynamo exporter knows."""
    positive = x.abs() + 0.1
    small = x.tanh() * 0.9
    return (
        x // y, torch.expm1(x), x.sinh(), x.cosh(), x.asinh(), (positive + 1).acosh(),
        small.atanh(), x.trunc(), x.frac(), torch.addcdiv(x, x, positive), torch.erfc(x),
        torch.logaddexp(x, y), torch.xlogy(positive, positive), torch.deg2rad(x),
        torch.heaviside(x, y), torch.sinc(x), x.sgn(),
    )  # fmt: skip


def whole_otherwise(a: Any, b: Any, flags: Any) -> Any:
    positive = b.abs() + 1
    return (
        a // positive, a | b, a ^ b, ~a, a >> 1, torch.floor_divide(a, 2),
        torch.bitwise_left_shift(a, positive), torch.bincount(positive[0]),
    )  # fmt: skip


def whole(a: Any, b: Any, flags: Any) -> Any:
    positive = b.abs() + 1
    return (
        a + b, a * 3 - b, a % positive, torch.fmod(a, positive), a / positive,
        a & b, a << 2, a == b, a != b, a > b, a <= 2, flags & (a > 0),
        flags | flags.flip(0), ~flags, flags ^ flags.flip(0), torch.where(flags, a, b),
        a.float() * 0.5, flags.int() * 2, a.sum(0), a.cumsum(1), a.clamp(-2, 2), a.abs(),
        F.one_hot(positive % 5, 5), a.to(torch.uint8), a.to(torch.int8), flags.sum(), a.max(),
        torch.logical_and(a, flags), torch.logical_not(a), a.bool(), a.sort(1).values, a.prod(1),
        a**2, torch.minimum(a, b), a.sign(), -a, a.tril(), a.double().exp(),
    )  # fmt: skip


class Norms(nn.Module):
    """All of PyTorch's normalisations."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.ModuleList([
            nn.BatchNorm2d(4), nn.BatchNorm2d(4, affine=False), nn.InstanceNorm2d(4, affine=True),
            nn.InstanceNorm2d(4), nn.GroupNorm(2, 4), nn.GroupNorm(4, 4, affine=False),
            nn.LayerNorm([4, 6, 6]), nn.LayerNorm(6, bias=False), nn.LayerNorm(6, eps=0.1),
            nn.LayerNorm([6, 6], elementwise_affine=False), nn.LocalResponseNorm(3),
        ])  # fmt: skip
        self.weighted = nn.utils.parametrizations.weight_norm(nn.Conv2d(4, 3, 3))

    def forward(self, x: Any) -> Any:
        found = [layer(x) for layer in self.layers]
        return (*found, self.weighted(x), F.normalize(x, dim=1), F.normalize(x, 1.0, -1))


class BatchNorms(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.one, self.three = nn.BatchNorm1d(6), nn.BatchNorm3d(4)
        self.flat = nn.BatchNorm1d(24)

    def forward(self, x: Any) -> Any:
        return self.one(x[:, 0]), self.three(x[:, :, None]), self.flat(x[:, :, :, 0].flatten(1))


def lost(x: Any, y: Any, labels: Any) -> Any:
    log = x.log_softmax(1)
    return (
        F.mse_loss(x, y), F.cross_entropy(x, labels), F.cross_entropy(x, labels, reduction="none"),
        F.cross_entropy(x, labels, ignore_index=1), F.nll_loss(log, labels),
        F.nll_loss(log, labels, reduction="sum"),
        F.binary_cross_entropy_with_logits(x, y.sigmoid()),
        F.kl_div(log, y.softmax(1), reduction="batchmean"),
    )  # fmt: skip


def lost_otherwise(x: Any, y: Any, labels: Any) -> Any:
    """Losses that only the dynamo exporter knows."""
    weight = torch.linspace(0.5, 2, x.shape[1])
    log = x.log_softmax(1)
    return (
        F.l1_loss(x, y, reduction="sum"), F.smooth_l1_loss(x, y),
        F.huber_loss(x, y, delta=0.5, reduction="none"),
        F.cross_entropy(x, labels, weight, reduction="none"),
        F.cross_entropy(x, labels, weight, ignore_index=1),
        F.nll_loss(log, labels, weight, reduction="sum"),
        F.binary_cross_entropy(x.sigmoid(), y.sigmoid()), F.poisson_nll_loss(x, y.exp()),
        F.soft_margin_loss(x, y.sign()), F.cosine_embedding_loss(x, y, labels.sign() * 2 - 1),
        F.hinge_embedding_loss(x, y.sign()), F.margin_ranking_loss(x, y, y.sign()),
        F.triplet_margin_loss(x, y, y + 1),
    )  # fmt: skip


def of_other_dtypes(half: Any, double: Any) -> Any:
    return (
        half @ half.T, half.softmax(1), F.gelu(half), F.layer_norm(half, half.shape[1:]),
        half.float(), double @ double.T, double.softmax(1), F.gelu(double),
        F.layer_norm(double, double.shape[1:]), double.sum(1), double.to(half.dtype) + half,
        half.sin(), double.sin(), half.max(1).values, double.clamp(-1, 1), half * 2.5,
        torch.where(half > 0, half, 0.0), half.mean(), double.std(1),
    )  # fmt: skip


def matrix(n: int, w: int) -> tuple[Any]:
    return (torch.randn(n, w),)


def indexed(n: int, w: int, *index: int) -> tuple[Any, Any]:
    return torch.randn(n, w), torch.tensor(index)


def square(n: int) -> tuple[Any]:
    return (torch.randn(n, 4, 8, 8),)


def grid(n: int, h: int, w: int) -> tuple[Any, Any]:
    return torch.randn(n, 2, 6, 7), torch.rand(n, h, w, 2) * 2.4 - 1.2


def blocks(b: int, n: int) -> tuple[Any, Any]:
    return torch.randn(b, n, 5), torch.randn(b, n + 1, 5)


def two(n: int, w: int) -> tuple[Any, Any]:
    return torch.randn(n, w), torch.randn(n, w)


def numbers(n: int, w: int) -> tuple[Any, Any, Any]:
    return torch.randint(-9, 9, (n, w)), torch.randint(-9, 9, (n, w)), torch.rand(n, w) > 0.5


def normed(n: int) -> tuple[Any]:
    return (torch.randn(n, 4, 6, 6),)


def labelled(n: int, classes: int) -> tuple[Any, Any, Any]:
    return torch.randn(n, classes), torch.randn(n, classes), torch.arange(n) % classes


def halves(n: int, w: int, dtype: Any = torch.float16) -> tuple[Any, Any]:
    return torch.randn(n, w).to(dtype), torch.randn(n, w, dtype=torch.float64)


FREE = ((0, 1),)
PAIR = ((0, 1), (0, 1))


def call(function: Any) -> Any:
    return lambda: Calls(function)


OPERATORS = cases(
    case("written", call(written), indexed, (5, 4, 2, 0), by="torchscript 17, dynamo 18"),
    case("scattered", call(scattered), indexed, (5, 4, 2, 0), by="torchscript 18, dynamo 20"),
    case("gathered", call(gathered), indexed, (5, 4, 2, 0), by="torchscript 17, dynamo 24"),
    case("gathered-otherwise", call(gathered_otherwise), indexed, (5, 4, 2, 0), by="dynamo 18"),
    case("ordered", call(ordered), matrix, (5, 4), (4, 7), free=FREE,
         by="torchscript 17, dynamo 18"),
    case("summed", call(summed), matrix, (5, 4), (4, 7), free=FREE,
         by="torchscript 17, dynamo 18, dynamo 24 slow"),
    case("shaped", call(shaped), matrix, (5, 6), by="torchscript 17, dynamo 18"),
    case("pictures", call(pictures), square, (2,), (3,), free=((0,),),
         by="torchscript 18, dynamo 21"),
    case("sampled", call(sampled), grid, (2, 3, 4), by="torchscript 17, dynamo 18 slow, dynamo 20"),
    case("produced", call(produced), blocks, (2, 3), by="torchscript 17, dynamo 18"),
    case("elementwise", call(elementwise), two, (4, 5), (2, 3), free=PAIR,
         by="torchscript 17, dynamo 18"),
    case("elementwise-otherwise", call(elementwise_otherwise), two, (4, 5), by="dynamo 18"),
    case("whole", call(whole), numbers, (4, 5), by="torchscript 18, dynamo 18"),
    case("whole-otherwise", call(whole_otherwise), numbers, (4, 5), by="dynamo 18"),
    case("norms", Norms, normed, (2,), by="torchscript 17, dynamo 18, dynamo 21 slow"),
    case("batch-norms", BatchNorms, normed, (2,), (3,), free=((0,),),
         by="torchscript 17, dynamo 22"),
    case("lost", call(lost), labelled, (4, 5), by="torchscript 17, dynamo 18"),
    case("lost-otherwise", call(lost_otherwise), labelled, (4, 5), by="dynamo 18"),
    case("dtypes", call(of_other_dtypes), halves, (4, 5), by="torchscript 17, dynamo 18"),
)  # fmt: skip


@pytest.mark.parametrize("case", OPERATORS)
def test_operators(case: Case, device: tl.device) -> None:
    check(case, device)
