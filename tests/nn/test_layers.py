"""Every layer, with the weights of PyTorch's layer of the same name: results, names and text."""

from __future__ import annotations

import inspect
from dataclasses import dataclass, field
from typing import Any

import pytest
from samples import T
from test_operators import Case, build, moved, ours, same, theirs

import tensorlite as tl
from tensorlite import nn


@dataclass(frozen=True)
class Layer:
    """A layer's name, the arguments of its constructor, and its inputs."""

    name: str
    args: tuple[Any, ...]
    options: dict[str, Any]
    inputs: tuple[Any, ...]
    keywords: dict[str, Any] = field(default_factory=dict)
    training: bool = False


LAYERS: list[Layer] = []


def layer(name: str, *args: Any, **options: Any) -> Any:
    """``layer("Linear", 3, 2)(T(4, 3))`` adds a layer and what it is called with."""
    training = options.pop("training", False)

    def called(*inputs: Any, **keywords: Any) -> None:
        LAYERS.append(Layer(name, args, options, inputs, keywords, training))

    return called


X = T(3, 4)
for name in (
    "ReLU ReLU6 Hardtanh RReLU LeakyReLU PReLU ELU CELU SELU GELU SiLU Mish Hardswish Hardsigmoid "
    "Softplus Softshrink Hardshrink Sigmoid Tanh LogSigmoid Softsign Tanhshrink GLU Identity "
    "Dropout AlphaDropout FeatureAlphaDropout Flatten"
).split():
    layer(name)(X)
for name in "ReLU ReLU6 SELU SiLU Mish Hardswish Hardsigmoid Dropout".split():
    layer(name, inplace=True)(X)
for name in ("Softmax", "Softmin", "LogSoftmax"):
    layer(name, dim=0)(X)
    layer(name, 1)(X)
layer("Softmax2d")(T(2, 3, 4, 5))
layer("Hardtanh", -0.5, 2.0, inplace=True)(X)
layer("RReLU", 0.2, 0.4, inplace=True)(X)
layer("LeakyReLU", 0.2, inplace=True)(X)
layer("PReLU", 4, init=0.1)(X)
layer("ELU", 0.5, inplace=True)(X)
layer("CELU", 0.5)(X)
layer("GELU", approximate="tanh")(X)
layer("Softplus", 2, 5)(X)
layer("Softshrink", 0.3)(X)
layer("Hardshrink", 0.3)(X)
layer("Threshold", 0.1, 20.0)(X)
layer("Threshold", 0.1, 20.0, True)(X)
layer("GLU", dim=0)(T(4, 3))
layer("Dropout1d", 0.3)(T(2, 3, 4))
layer("Dropout2d")(T(2, 3, 4, 5))
layer("Dropout3d")(T(2, 3, 4, 5, 6))
layer("Flatten", 0, 1)(T(2, 3, 4))
layer("Unflatten", 1, (3, 4))(T(2, 12))

layer("Linear", 4, 5)(X)
layer("Linear", 4, 5, bias=False)(T(2, 3, 4))
layer("Bilinear", 4, 5, 2)(X, T(3, 5))
layer("Bilinear", 4, 5, 2, bias=False)(X, T(3, 5))

for n, sizes in ((1, (6,)), (2, (5, 6)), (3, (2, 5, 6))):
    for training in (False, True):
        x = T(3, 4, *sizes)
        layer(f"BatchNorm{n}d", 4, training=training)(x)
        layer(f"BatchNorm{n}d", 4, eps=0.1, momentum=None, bias=False, training=training)(x)
        layer(f"BatchNorm{n}d", 4, affine=False, training=training)(x)
        layer(f"BatchNorm{n}d", 4, track_running_stats=False, training=training)(x)
        layer(f"InstanceNorm{n}d", 4, training=training)(x)
        layer(f"InstanceNorm{n}d", 4, affine=True, training=training)(x)
        layer(f"InstanceNorm{n}d", 4, track_running_stats=True, training=training)(x)
    layer(f"InstanceNorm{n}d", 4)(T(4, *sizes))
layer("BatchNorm1d", 4)(X)
layer("SyncBatchNorm", 4)(X)
layer("LayerNorm", 4)(X)
layer("LayerNorm", (3, 4), eps=0.1, bias=False)(T(2, 3, 4))
layer("LayerNorm", 4, elementwise_affine=False)(X)
layer("RMSNorm", 4)(X)
layer("RMSNorm", (3, 4), eps=0.1)(T(2, 3, 4))
layer("RMSNorm", 4, elementwise_affine=False)(X)
layer("GroupNorm", 2, 4)(T(3, 4, 5))
layer("GroupNorm", 2, 4, eps=0.1, bias=False)(T(3, 4, 5))
layer("GroupNorm", 4, 4, affine=False)(T(3, 4, 5, 6))
layer("LocalResponseNorm", 2)(T(3, 4, 5))
layer("LocalResponseNorm", 3, 0.5, 0.6, 2.0)(T(3, 4, 5))

INDEX = T(2, 3, low=0, high=6, dtype="int64")
layer("Embedding", 6, 4)(INDEX)
layer("Embedding", 6, 4, padding_idx=-1)(INDEX)
layer("Embedding", 6, 4, max_norm=1.0, norm_type=1.0, scale_grad_by_freq=True, sparse=True)(INDEX)
for mode in ("sum", "mean", "max"):
    layer("EmbeddingBag", 6, 4, mode=mode)(INDEX)
layer("EmbeddingBag", 6, 4, max_norm=1.0, mode="sum", padding_idx=1)(INDEX)
layer("PairwiseDistance")(X, X)
layer("PairwiseDistance", 1.0, 1e-3, True)(X, X)
layer("CosineSimilarity")(X, X)
layer("CosineSimilarity", 0, 1e-3)(X, X)

for name in ("RNN", "LSTM", "GRU"):
    layer(name, 4, 5)(T(6, 2, 4))
    layer(name, 4, 5)(T(6, 4))
    layer(name, 4, 5, 2, bias=False, batch_first=True, bidirectional=True)(T(2, 6, 4))
    layer(name, 4, 5, num_layers=2, dropout=0.5)(T(6, 2, 4))
    layer(f"{name}Cell", 4, 5)(T(2, 4))
    layer(f"{name}Cell", 4, 5, bias=False)(T(4))
layer("RNN", 4, 5, 2, "relu", bidirectional=True)(T(6, 2, 4), T(4, 2, 5))
layer("RNN", 4, 5, nonlinearity="relu")(T(6, 2, 4))
layer("RNNCell", 4, 5, nonlinearity="relu")(T(2, 4), T(2, 5))
layer("GRU", 4, 5)(T(6, 4), T(1, 5))
layer("LSTM", 4, 5)(T(6, 2, 4), (T(1, 2, 5), T(1, 2, 5)))
layer("LSTM", 4, 5)(T(6, 4), (T(1, 5), T(1, 5)))
layer("LSTMCell", 4, 5)(T(2, 4), (T(2, 5), T(2, 5)))

SEQUENCE = T(5, 2, 8)
layer("MultiheadAttention", 8, 2)(SEQUENCE, SEQUENCE, SEQUENCE)
layer("MultiheadAttention", 8, 2, bias=False, batch_first=True)(
    SEQUENCE, T(5, 3, 8), T(5, 3, 8), need_weights=False
)
layer("MultiheadAttention", 8, 4, add_bias_kv=True, add_zero_attn=True, kdim=6, vdim=4)(
    SEQUENCE, T(3, 2, 6), T(3, 2, 4), average_attn_weights=False
)
layer("MultiheadAttention", 8, 2)(T(5, 8), T(3, 8), T(3, 8), attn_mask=T(5, 3))
small = {"dim_feedforward": 16, "dropout": 0.0}
for options in (
    {}, {"batch_first": True}, {"norm_first": True}, {"activation": "gelu", "bias": False},
):  # fmt: skip
    layer("TransformerEncoderLayer", 8, 2, **small, **options)(SEQUENCE)
    layer("TransformerDecoderLayer", 8, 2, **small, **options)(SEQUENCE, SEQUENCE)
    layer("Transformer", 8, 2, 1, 2, **small, **options)(SEQUENCE, SEQUENCE)
layer("TransformerEncoderLayer", 8, 2, **small)(SEQUENCE, src_mask=T(5, 5))
layer("TransformerEncoderLayer", 8, 2, **small)(T(5, 8))
layer("AdaptiveLogSoftmaxWithLoss", 16, 20, [5, 10], div_value=2.0, head_bias=True)(
    T(6, 16), T(6, low=0, high=20, dtype="int64")
)

PROBABILITY, LABELS = T(3, 4, low=0.01, high=0.99), T(3, low=0, high=4, dtype="int64")
for name in "L1Loss MSELoss SmoothL1Loss HuberLoss SoftMarginLoss PoissonNLLLoss".split():
    for how in ("mean", "sum", "none"):
        layer(name, reduction=how)(X, T(3, 4))
layer("MSELoss", size_average=False)(X, T(3, 4))
layer("L1Loss", reduce=False)(X, T(3, 4))
layer("SmoothL1Loss", beta=0.5)(X, T(3, 4))
layer("HuberLoss", delta=0.5)(X, T(3, 4))
layer("PoissonNLLLoss", log_input=False, full=True)(PROBABILITY, T(3, 4))
layer("BCELoss")(PROBABILITY, PROBABILITY)
layer("BCELoss", weight=T(4))(PROBABILITY, PROBABILITY)
layer("BCEWithLogitsLoss", pos_weight=T(4))(X, PROBABILITY)
layer("KLDivLoss", reduction="batchmean", log_target=True)(X, X)
layer("GaussianNLLLoss", full=True)(X, T(3, 4), PROBABILITY)
layer("HingeEmbeddingLoss", 0.5)(X, T(3, 4))
layer("MarginRankingLoss", 0.5)(X, T(3, 4), T(3, 4))
layer("CosineEmbeddingLoss", 0.1)(X, T(3, 4), LABELS)
layer("TripletMarginLoss", 0.5, p=1.0, swap=True)(X, T(3, 4), T(3, 4))
layer("TripletMarginWithDistanceLoss", margin=0.5, swap=True)(X, T(3, 4), T(3, 4))
layer("NLLLoss", weight=T(4, low=0.1), ignore_index=1)(X, LABELS)
layer("CrossEntropyLoss")(X, LABELS)
layer("CrossEntropyLoss", weight=T(4, low=0.1), label_smoothing=0.1)(X, LABELS)
layer("CrossEntropyLoss", reduction="sum")(X, PROBABILITY)
layer("LinearCrossEntropyLoss", 4, 5, bias=True)(X, LABELS)
layer("MultiMarginLoss", 2, 0.5, weight=T(4))(X, LABELS)
layer("MultiLabelMarginLoss")(X, T(3, 4, low=-1, high=4, dtype="int64"))
layer("MultiLabelSoftMarginLoss", weight=T(4))(X, T(3, 4))
layer("CTCLoss", blank=1, zero_infinity=True)(
    T(8, 2, 5), T(2, 3, low=2, high=5, dtype="int64"), (8, 7), (3, 2)
)

ANY = Case("nn", (), {}, ("float32",), True, 2e-5)


def made(package: Any, make: Any, spec: Layer) -> tuple[Any, list[Any], dict[str, Any]]:
    """The layer in one package, and its inputs."""
    seed = [len(spec.name)]
    args = build(list(spec.args), "float32", make, seed)
    options = {k: build(v, "float32", make, seed) for k, v in spec.options.items()}
    inputs = build(list(spec.inputs), "float32", make, seed)
    keywords = {k: build(v, "float32", make, seed) for k, v in spec.keywords.items()}
    return getattr(package.nn, spec.name)(*args, **options), inputs, keywords


def text(spec: Layer) -> str:
    args = [*map(str, spec.args), *[f"{k}={v}" for k, v in spec.options.items()]]
    return f"{spec.name}({', '.join(args)})" if len(str(args)) < 60 else spec.name


@pytest.mark.filterwarnings("ignore:.*:UserWarning:torch")
@pytest.mark.parametrize("spec", LAYERS, ids=text)
def test_agrees_with_pytorch(spec: Layer, device: tl.device) -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    torch.manual_seed(0)
    reference, inputs, keywords = made(torch, theirs, spec)
    found, our_inputs, our_keywords = made(tl, ours, spec)
    assert repr(found) == repr(reference)
    weights = reference.state_dict()
    assert list(found.state_dict()) == list(weights)
    found.load_state_dict({name: t.numpy() for name, t in weights.items()})
    found.to(device).train(spec.training)
    reference.train(spec.training)
    with torch.no_grad():
        expected = reference(*inputs, **keywords)
    our_keywords = {k: moved(v, device) for k, v in our_keywords.items()}
    same(expected, found(*[moved(x, device) for x in our_inputs], **our_keywords), ANY)
    for name, tensor in reference.state_dict().items():
        same(tensor, found.state_dict()[name], ANY, name)


@pytest.mark.parametrize("name", sorted({spec.name for spec in LAYERS}))
def test_constructor_is_pytorchs(name: str) -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    wanted, found = (
        inspect.signature(getattr(package.nn, name).__init__) for package in (torch, tl)
    )
    older = {"min_value", "max_value", "args", "kwargs"}
    older |= {"nonlinearity"} if name == "RNN" else set()
    shared = [p for p in wanted.parameters if p not in older]
    assert [p for p in found.parameters if p not in older] == shared
    for key in shared:
        ours, theirs = found.parameters[key].default, wanted.parameters[key].default
        assert callable(theirs) or ours == theirs, key


def test_half_precision_weights() -> None:
    net = nn.Sequential(nn.Linear(8, 8), nn.LayerNorm(8), nn.GELU(), nn.BatchNorm1d(8)).eval()
    x = tl.from_numpy(tl.arange(16).numpy().reshape(2, 8)).float() / 16
    wanted = net(x)
    for dtype in (tl.float16, tl.bfloat16):
        found = net.to(dtype)(x.to(dtype))
        assert found.dtype is dtype
        assert tl.allclose(found.float(), wanted, atol=0.05)
        net.float()


@pytest.mark.filterwarnings("ignore:.*nested:UserWarning")
def test_padding_is_dropped_as_pytorch_does() -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    built = []
    for package in (torch, tl):
        layer = package.nn.TransformerEncoderLayer(8, 2, 16, 0.0, batch_first=True)
        built.append(package.nn.TransformerEncoder(layer, 2).eval())
    reference, found = built
    found.load_state_dict({k: v.numpy() for k, v in reference.state_dict().items()})
    x = tl.randn(2, 4, 8)
    for rows in ([[0, 0, 1, 1], [0, 0, 0, 1]], [[1, 0, 0, 0], [0, 0, 0, 1]]):
        padding = tl.tensor(rows).bool()
        with torch.no_grad():
            wanted = reference(
                torch.from_numpy(x.numpy()),
                src_key_padding_mask=torch.from_numpy(padding.numpy()),
            )
        same(wanted, found(x, src_key_padding_mask=padding), ANY)


@pytest.mark.parametrize(
    ("name", "shape", "options"),
    [
        ("LazyLinear", (3, 4), (5,)),
        ("LazyBatchNorm1d", (3, 4), ()),
        ("LazyBatchNorm2d", (3, 4, 2, 2), ()),
        ("LazyBatchNorm3d", (3, 4, 2, 2, 2), ()),
        ("LazyInstanceNorm1d", (3, 4, 5), ()),
        ("LazyInstanceNorm2d", (3, 4, 2, 2), ()),
        ("LazyInstanceNorm3d", (3, 4, 2, 2, 2), ()),
    ],
)
def test_lazy_layers_become_ordinary(name: str, shape: Any, options: Any) -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    lazy = getattr(nn, name)(*options)
    assert repr(lazy) == repr(getattr(torch.nn, name)(*options))
    result = lazy(tl.ones(*shape))
    assert type(lazy) is getattr(nn, name.removeprefix("Lazy"))
    reference = getattr(torch.nn, name)(*options)
    assert tuple(result.shape) == tuple(reference(torch.ones(*shape)).shape)
    assert list(lazy.state_dict()) == list(reference.state_dict())
