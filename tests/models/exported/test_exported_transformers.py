"""Transformers as PyTorch's exporters write them."""

from __future__ import annotations

import math
from typing import Any

import pytest
from exporting import Case, agree, case, cases, check, export, seeded, to_tensorlite, torch

import tensorlite as tl

nn = torch.nn
F = torch.nn.functional


class Encoder(nn.Module):
    """PyTorch's encoder, with a mask of places that only fill."""

    def __init__(self, **options: Any) -> None:
        super().__init__()
        layer = nn.TransformerEncoderLayer(16, 4, 24, batch_first=True, **options)
        self.encoder = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)

    def forward(self, x: Any, padding: Any) -> Any:
        return self.encoder(x, src_key_padding_mask=padding)


class Translator(nn.Module):
    """Encoder and decoder, with cross-attention and a causal mask."""

    def __init__(self) -> None:
        super().__init__()
        self.net = nn.Transformer(16, 2, 1, 2, 20, batch_first=True)

    def forward(self, source: Any, target: Any) -> Any:
        mask = torch.ones(target.shape[1], target.shape[1], dtype=torch.bool).triu(1)
        return self.net(source, target, tgt_mask=mask, tgt_is_causal=True)


class Multihead(nn.Module):
    """Self-attention and cross-attention, with weights as a second output."""

    def __init__(self) -> None:
        super().__init__()
        self.own = nn.MultiheadAttention(12, 3, batch_first=True)
        self.cross = nn.MultiheadAttention(12, 2, kdim=8, vdim=6, bias=False, add_bias_kv=True)

    def forward(self, x: Any, keys: Any, values: Any) -> Any:
        y, weights = self.own(x, x, x, average_attn_weights=False)
        z, mean = self.cross(y.transpose(0, 1), keys, values)
        return z, weights, mean


class Scaled(nn.Module):
    """scaled_dot_product_attention in all its variants."""

    def forward(self, q: Any, k: Any, v: Any) -> Any:
        bias = k.mean((0, 1, 3)) * q.mean((0, 1, 3))[:, None]
        attend = F.scaled_dot_product_attention
        return (
            attend(q, k, v), attend(q, k, v, is_causal=True), attend(q, k, v, bias),
            attend(q, k, v, bias > -0.1), attend(q, k, v, bias[None, None], scale=0.3),
        )  # fmt: skip


class Grouped(nn.Module):
    """Queries of several heads that share keys."""

    def forward(self, q: Any, k: Any, v: Any) -> Any:
        return F.scaled_dot_product_attention(q, k, v, enable_gqa=True)


class Bert(nn.Module):
    """Embeddings of words, places and segments, attention that is written out, a pooler."""

    def __init__(self) -> None:
        super().__init__()
        self.words = nn.Embedding(40, 16, padding_idx=0)
        self.places = nn.Embedding(20, 16)
        self.segments = nn.Embedding(2, 16)
        self.norms = nn.ModuleList(nn.LayerNorm(16, eps=1e-12) for _ in range(3))
        self.qkv = nn.ModuleList(nn.Linear(16, 16) for _ in range(3))
        self.out = nn.Linear(16, 16)
        self.up, self.down = nn.Linear(16, 32), nn.Linear(32, 16)
        self.pooler = nn.Linear(16, 16)
        self.register_buffer("position_ids", torch.arange(20)[None])

    def heads(self, x: Any) -> Any:
        return x.view(*x.shape[:-1], 4, 4).permute(0, 2, 1, 3)

    def forward(self, ids: Any, mask: Any, segments: Any) -> Any:
        places = self.places(self.position_ids[:, : ids.shape[1]])
        x = self.norms[0](self.words(ids) + self.segments(segments) + places)
        wide = (1.0 - mask[:, None, None, :].to(x.dtype)) * torch.finfo(x.dtype).min
        q, k, v = (self.heads(layer(x)) for layer in self.qkv)
        scores = q @ k.transpose(-1, -2) / math.sqrt(4) + wide
        y = (scores.softmax(-1) @ v).permute(0, 2, 1, 3).contiguous()
        x = self.norms[1](x + self.out(y.view(*y.shape[:-2], 16)))
        x = self.norms[2](x + self.down(F.gelu(self.up(x))))
        return x, torch.tanh(self.pooler(x[:, 0]))


class RMSNorm(nn.Module):
    """Llama's norm, in float32 whatever comes."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.rand(width) + 0.5)

    def forward(self, x: Any) -> Any:
        wide = x.float()
        scale = torch.rsqrt(wide.pow(2).mean(-1, keepdim=True) + 1e-6)
        return self.weight * (wide * scale).to(x.dtype)


def rotated(x: Any, cos: Any, sin: Any) -> Any:
    left, right = x.chunk(2, -1)
    return x * cos + torch.cat((-right, left), -1) * sin


class LlamaLayer(nn.Module):
    """Grouped heads with rotary embeddings over a cache, and a gated feed-forward."""

    def __init__(self, width: int, heads: int, shared: int) -> None:
        super().__init__()
        self.heads, self.shared, self.size = heads, shared, width // heads
        self.q = nn.Linear(width, heads * self.size, bias=False)
        self.k = nn.Linear(width, shared * self.size, bias=False)
        self.v = nn.Linear(width, shared * self.size, bias=False)
        self.o = nn.Linear(heads * self.size, width, bias=False)
        self.gate = nn.Linear(width, 40, bias=False)
        self.up = nn.Linear(width, 40, bias=False)
        self.down = nn.Linear(40, width, bias=False)
        self.before, self.after = RMSNorm(width), nn.RMSNorm(width, eps=1e-5)

    def split(self, x: Any, heads: int) -> Any:
        return x.view(x.shape[0], x.shape[1], heads, self.size).transpose(1, 2)

    def forward(self, x: Any, cos: Any, sin: Any, mask: Any, k0: Any, v0: Any) -> Any:
        h = self.before(x)
        q = rotated(self.split(self.q(h), self.heads), cos, sin)
        k = torch.cat((k0, rotated(self.split(self.k(h), self.shared), cos, sin)), 2)
        v = torch.cat((v0, self.split(self.v(h), self.shared)), 2)
        times = self.heads // self.shared
        wide_k, wide_v = (t[:, :, None].expand(-1, -1, times, -1, -1).flatten(1, 2) for t in (k, v))
        y = F.scaled_dot_product_attention(q, wide_k, wide_v, mask)
        x = x + self.o(y.transpose(1, 2).flatten(2))
        h = self.after(x)
        return x + self.down(F.silu(self.gate(h)) * self.up(h)), k, v


class Llama(nn.Module):
    """A decoder with a cache: tokens and past keys and values in, logits and all of them out."""

    def __init__(self, dtype: Any = None) -> None:
        super().__init__()
        self.embed = nn.Embedding(32, 16)
        self.layers = nn.ModuleList(LlamaLayer(16, 4, 2) for _ in range(2))
        self.norm = RMSNorm(16)
        self.head = nn.Linear(16, 32, bias=False)
        self.register_buffer("frequencies", 1.0 / 100 ** (torch.arange(0, 4, 2).float() / 4))
        self.to(dtype)

    def forward(self, ids: Any, past: Any) -> Any:
        x = self.embed(ids)
        before, count = past[0].shape[2], ids.shape[1]
        places = torch.arange(before, before + count)
        angles = places[:, None].float() * self.frequencies.float()
        both = torch.cat((angles, angles), -1)
        cos, sin = both.cos().to(x.dtype), both.sin().to(x.dtype)
        mask = torch.arange(before + count)[None] <= places[:, None]
        found = []
        for i, layer in enumerate(self.layers):
            x, k, v = layer(x, cos, sin, mask, past[2 * i], past[2 * i + 1])
            found += [k, v]
        return self.head(self.norm(x)), tuple(found)


class Gpt(nn.Module):
    """GPT-2: learned places, a causal mask cut from a buffer, tied embeddings."""

    def __init__(self) -> None:
        super().__init__()
        self.wte, self.wpe = nn.Embedding(30, 16), nn.Embedding(24, 16)
        self.ln1, self.ln2, self.ln = nn.LayerNorm(16), nn.LayerNorm(16), nn.LayerNorm(16)
        self.attn, self.proj = nn.Linear(16, 48), nn.Linear(16, 16)
        self.fc, self.out = nn.Linear(16, 32), nn.Linear(32, 16)
        self.register_buffer("bias", torch.tril(torch.ones(24, 24)).view(1, 1, 24, 24))

    def forward(self, ids: Any) -> Any:
        b, t = ids.shape
        x = self.wte(ids) + self.wpe(torch.arange(t))
        q, k, v = self.attn(self.ln1(x)).split(16, 2)
        q, k, v = (s.view(b, t, 2, 8).transpose(1, 2) for s in (q, k, v))
        att = (q @ k.transpose(-2, -1)) * (1.0 / math.sqrt(8))
        att = att.masked_fill(self.bias[:, :, :t, :t] == 0, float("-inf")).softmax(-1)
        x = x + self.proj((att @ v).transpose(1, 2).contiguous().view(b, t, 16))
        x = x + self.out(F.gelu(self.fc(self.ln2(x)), approximate="tanh"))
        return F.linear(self.ln(x), self.wte.weight)


class Vit(nn.Module):
    """Patches, a class token, learned places."""

    def __init__(self) -> None:
        super().__init__()
        self.patch = nn.Conv2d(3, 16, 4, 4)
        self.token = nn.Parameter(torch.randn(1, 1, 16))
        self.places = nn.Parameter(torch.randn(1, 17, 16))
        layer = nn.TransformerEncoderLayer(
            16, 2, 32, activation="gelu", batch_first=True, norm_first=True
        )
        self.encoder = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
        self.head = nn.Linear(16, 5)

    def forward(self, x: Any) -> Any:
        x = self.patch(x).flatten(2).transpose(1, 2)
        x = torch.cat((self.token.expand(x.shape[0], -1, -1), x), 1) + self.places
        return self.head(self.encoder(x)[:, 0])


class Windows(nn.Module):
    """Swin's windows: roll, cut, attend with a table of relative places, put together."""

    def __init__(self) -> None:
        super().__init__()
        self.qkv, self.out = nn.Linear(8, 24), nn.Linear(8, 8)
        self.table = nn.Parameter(torch.randn(49, 2))
        grid = torch.stack(torch.meshgrid(torch.arange(4), torch.arange(4), indexing="ij"))
        flat = grid.flatten(1)
        apart = (flat[:, :, None] - flat[:, None]).permute(1, 2, 0) + 3
        self.register_buffer("index", apart[..., 0] * 7 + apart[..., 1])

    def forward(self, x: Any) -> Any:
        n, h, w, c = x.shape
        x = torch.roll(x, (-2, -2), (1, 2)).view(n, h // 4, 4, w // 4, 4, c)
        x = x.permute(0, 1, 3, 2, 4, 5).reshape(-1, 16, c)
        q, k, v = self.qkv(x).reshape(-1, 16, 3, 2, 4).permute(2, 0, 3, 1, 4).unbind(0)
        bias = self.table[self.index.view(-1)].view(16, 16, 2).permute(2, 0, 1)
        x = self.out(
            ((q @ k.transpose(-1, -2) * 0.5 + bias).softmax(-1) @ v)
            .transpose(1, 2)
            .reshape(-1, 16, c)
        )
        x = x.view(n, h // 4, w // 4, 4, 4, c).permute(0, 1, 3, 2, 4, 5).reshape(n, h, w, c)
        return torch.roll(x, (2, 2), (1, 2))


def padded(batch: int, length: int) -> tuple[Any, Any]:
    padding = torch.zeros(batch, length, dtype=torch.bool)
    padding[0, length // 2 + 1 :] = True
    return torch.randn(batch, length, 16), padding


def pair(batch: int, source: int, target: int) -> tuple[Any, Any]:
    return torch.randn(batch, source, 16), torch.randn(batch, target, 16)


def three(batch: int, length: int, keys: int) -> tuple[Any, ...]:
    shapes = (batch, length, 12), (keys, batch, 8), (keys, batch, 6)
    return tuple(torch.randn(*shape) for shape in shapes)


def heads(batch: int, queries: int, keys: int, shared: int = 4) -> tuple[Any, ...]:
    shapes = (batch, 4, queries, 8), (batch, shared, keys, 8), (batch, shared, keys, 6)
    return tuple(torch.randn(*shape) for shape in shapes)


def grouped(batch: int, queries: int, keys: int) -> tuple[Any, ...]:
    return heads(batch, queries, keys, 2)


def tokens(batch: int, length: int) -> tuple[Any, ...]:
    ids, mask = torch.randint(1, 40, (batch, length)), torch.ones(batch, length, dtype=torch.int64)
    mask[-1, length // 2 :] = 0
    return ids, mask, (torch.arange(length) > length // 3).long().expand(batch, length).clone()


def ids(batch: int, length: int) -> tuple[Any]:
    return (torch.randint(0, 30, (batch, length)),)


def cached(batch: int, before: int, count: int, dtype: Any = None) -> tuple[Any, Any]:
    past = tuple(torch.randn(batch, 2, before, 4, dtype=dtype) for _ in range(4))
    return torch.randint(0, 32, (batch, count)), past


BOTH = ((0, 1), (0, 1))
CACHED = ((0, 1), *[(0, 2)] * 4)

NETWORKS = cases(
    case("encoder", Encoder, padded, (2, 6), (3, 9), (1, 4), free=BOTH,
         by="dynamo 18, dynamo 23 slow"),
    case("encoder-gelu", lambda: Encoder(activation="gelu", norm_first=True), padded, (2, 6),
         (3, 9), free=BOTH, by="dynamo 20 slow"),
    case("encoder-static", Encoder, padded, (2, 6), by="torchscript 17, dynamo 22"),
    case("translator", Translator, pair, (2, 6, 5), by="torchscript 17, dynamo 18 slow"),
    case("multihead", Multihead, three, (2, 5, 7), (3, 4, 6), free=((0, 1), (0, 1), (0, 1)),
         by="dynamo 21 slow"),
    case("multihead-static", Multihead, three, (2, 5, 7), by="torchscript 18"),
    case("scaled", Scaled, heads, (2, 5, 5), (3, 7, 7), (1, 4, 6), free=((0, 2),) * 3,
         by="torchscript 17, dynamo 18 slow, dynamo 23"),
    case("grouped", Grouped, grouped, (2, 5, 6), (3, 7, 7), free=((0, 2),) * 3,
         by="dynamo 23, dynamo 18 slow"),
    case("bert", Bert, tokens, (2, 7), (3, 12), (1, 3), free=((0, 1),) * 3,
         by="torchscript 17, dynamo 18, dynamo 24 slow"),
    case("llama", Llama, cached, (2, 5, 3), (2, 6, 1), (1, 2, 4), (3, 1, 2), free=CACHED,
         by="dynamo 18, dynamo 23 slow"),
    case("gpt", Gpt, ids, (2, 6), (3, 11), (1, 2), free=((0, 1),),
         by="torchscript 18, dynamo 24 slow"),
    case("vit", Vit, lambda n: (torch.randn(n, 3, 16, 16),), (2,), (5,), free=((0,),),
         by="torchscript 17, dynamo 20 slow"),
    case("windows", Windows, lambda n: (torch.randn(n, 8, 12, 8),), (2,), (3,),
         free=((0,),), by="torchscript 17, dynamo 18"),
)  # fmt: skip


@pytest.mark.parametrize("case", NETWORKS)
def test_network(case: Case, device: tl.device) -> None:
    check(case, device)


def test_steps_with_a_cache(device: tl.device) -> None:
    """What a prompt and then one token after the other give is what all of them give at once."""
    module = seeded(Llama)
    data = export(module, cached(2, 5, 3), exporter="dynamo", opset=20, free=CACHED)
    model = tl.onnx.load(data, device=device)
    words = torch.randint(0, 32, (1, 9))
    none = tuple(torch.zeros(1, 2, 0, 4) for _ in range(4))
    with torch.no_grad():
        want, want_cache = module(words, none)
    past = [to_tensorlite(t).to(device) for t in none]
    found = []
    for count in (4, 1, 1, 2, 1):
        start = sum(piece.shape[1] for piece in found)
        now = to_tensorlite(words[:, start : start + count]).to(device)
        logits, *past = model(now, *past)
        found.append(logits)
    agree(tl.cat(found, 1), want)
    for have, expected in zip(past, want_cache, strict=True):
        agree(have, expected)


@pytest.mark.parametrize("dtype", ["float16", pytest.param("bfloat16", marks=pytest.mark.slow)])
def test_of_another_dtype(dtype: str, device: tl.device) -> None:
    kind = getattr(torch, dtype)

    def inputs(*sizes: int) -> tuple[Any, ...]:
        return cached(*sizes, dtype=kind)

    check(Case(lambda: Llama(kind), inputs, ((2, 5, 3), (1, 2, 4)), CACHED, "dynamo", 18, False),
          device)  # fmt: skip
