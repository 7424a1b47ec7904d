"""Convolutions, pooling, padding, upsampling: each layer against PyTorch's of the same name.

A line is a layer: its arguments, and the shapes of its inputs. PyTorch's weights are loaded into
ours; the results, the text and the names of the parameters must be the same.
"""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest

import tensorlite as tl
from tensorlite import nn
from tensorlite.errors import ArgumentError, ShapeError

SIZES = {1: (9,), 2: (9, 8), 3: (6, 7, 5)}
RANDOM = np.random.default_rng(0)


def row(name: str, *args: Any, inputs: Any, **kwargs: Any) -> Any:
    label = ", ".join([*map(str, args), *(f"{k}={v}" for k, v in kwargs.items())])
    return pytest.param(name, args, kwargs, inputs, id=f"{name}({label})-{inputs}")


def rows() -> list[Any]:
    found = []
    for n, sizes in SIZES.items():
        batch, single = (2, 4, *sizes), (4, *sizes)
        for name in (f"Conv{n}d", f"ConvTranspose{n}d"):
            found += [
                row(name, 4, 6, 3, inputs=batch),
                row(name, 4, 6, 3, inputs=single),
                row(name, 4, 6, 2, stride=2, padding=1, bias=False, inputs=batch),
                row(name, 4, 6, (3,) * n, 1, (1,) * n, groups=2, dilation=2, inputs=batch),
                row(name, 4, 4, 3, groups=4, dtype="float64", inputs=batch),
            ]
        found += [
            row(f"Conv{n}d", 4, 6, 3, padding=mode, padding_mode=border, inputs=batch)
            for mode in (1, "same", "valid")
            for border in ("zeros", "reflect", "replicate", "circular")
        ]
        found += [
            row(f"ConvTranspose{n}d", 4, 6, 3, 2, 1, output_padding=1, inputs=batch),
            row(f"LazyConv{n}d", 6, 3, padding=1, inputs=batch),
            row(f"LazyConvTranspose{n}d", 6, 3, stride=2, bias=False, inputs=single),
            row(f"MaxPool{n}d", 2, inputs=batch),
            row(f"MaxPool{n}d", 3, 2, 1, 1, False, True, inputs=single),
            row(f"MaxPool{n}d", 2, return_indices=True, inputs=batch),
            row(f"AvgPool{n}d", 2, inputs=batch),
            row(f"AvgPool{n}d", 3, 2, 1, True, False, inputs=single),
            row(f"LPPool{n}d", 2, 3, inputs=[(*batch, "positive")]),
            row(f"LPPool{n}d", 1.5, 2, 1, True, inputs=[(*single, "positive")]),
            row(f"AdaptiveAvgPool{n}d", 3, inputs=batch),
            row(f"AdaptiveMaxPool{n}d", 4, inputs=single),
            row(f"AdaptiveMaxPool{n}d", 2, return_indices=True, inputs=batch),
            row(f"ConstantPad{n}d", 2, 1.5, inputs=batch),
            row(f"ZeroPad{n}d", (1, -2, *[1, 0] * (n - 1)), inputs=batch),
            row(f"ReflectionPad{n}d", 2, inputs=batch),
            row(f"ReplicationPad{n}d", tuple(range(2 * n)), inputs=batch),
            row(f"CircularPad{n}d", 3, inputs=batch),
            row("Upsample", scale_factor=2, inputs=batch),
            row("Upsample", (5,) * n, inputs=batch),
        ]
        if n > 1:
            found += [
                row(f"AvgPool{n}d", 2, divisor_override=3, inputs=batch),
                row(f"AdaptiveAvgPool{n}d", (None, *[2] * (n - 1)), inputs=batch),
            ]
    image = (2, 4, 9, 8)
    return [
        *found,
        row("Upsample", scale_factor=(1.5, 2), mode="bilinear", inputs=image),
        row("Upsample", scale_factor=1.7, mode="bicubic", align_corners=True, inputs=image),
        row(
            "Upsample", scale_factor=1.7, mode="nearest", recompute_scale_factor=True, inputs=image
        ),
        row("UpsamplingNearest2d", scale_factor=2, inputs=image),
        row("UpsamplingBilinear2d", (5, 12), inputs=image),
        row("PixelShuffle", 2, inputs=image),
        row("PixelUnshuffle", 2, inputs=(2, 3, 4, 6)),
        row("ChannelShuffle", 2, inputs=image),
        row("Unfold", 3, 2, 1, 2, inputs=image),
        row("Fold", (9, 8), (3, 2), inputs=(2, 12, 49)),
    ]


def arrays(inputs: Any) -> list[np.ndarray[Any, Any]]:
    shapes = inputs if isinstance(inputs, list) else [inputs]
    found = []
    for shape in shapes:
        sizes = [n for n in shape if isinstance(n, int)]
        x = RANDOM.standard_normal(sizes).astype("float32")
        found.append(np.abs(x) + 0.1 if "positive" in shape else x)
    return found


def same(expected: Any, actual: Any) -> None:
    if isinstance(expected, tuple):
        for e, a in zip(expected, actual, strict=True):
            same(e, a)
        return
    assert actual.dtype.name == str(expected.dtype).removeprefix("torch.")
    assert tuple(actual.shape) == tuple(expected.shape)
    want = expected.detach().numpy()
    np.testing.assert_allclose(actual.cpu().numpy(), want, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(("name", "args", "kwargs", "inputs"), rows())
@pytest.mark.filterwarnings("ignore:Lazy modules are a new feature")
def test_agrees_with_pytorch(
    name: str, args: Any, kwargs: dict[str, Any], inputs: Any, device: tl.device
) -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    x = arrays(inputs)
    typed = dict(kwargs)
    if dtype := kwargs.get("dtype"):
        kwargs = {**kwargs, "dtype": getattr(torch, dtype)}
        typed["dtype"] = getattr(tl, dtype)
        x = [a.astype(dtype) for a in x]
    theirs, ours = getattr(torch.nn, name)(*args, **kwargs), getattr(nn, name)(*args, **typed)
    expected = theirs(*[torch.from_numpy(a) for a in x])
    state = {key: tl.from_numpy(value.numpy()) for key, value in theirs.state_dict().items()}
    ours.load_state_dict(state)
    assert list(ours.state_dict()) == list(state)
    same(expected, ours.to(device)(*[tl.from_numpy(a).to(device) for a in x]))
    assert repr(ours) == repr(theirs)
    again = pickle.loads(pickle.dumps(ours))
    same(expected, again(*[tl.from_numpy(a).to(device) for a in x]))


@pytest.mark.parametrize("count", [1, 2, 3])
def test_max_unpool(count: int) -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    (x,) = arrays((2, 3, *[8] * count))
    pooled = getattr(torch.nn, f"MaxPool{count}d")(2, return_indices=True)(torch.from_numpy(x))
    theirs, ours = [getattr(m, f"MaxUnpool{count}d")(2) for m in (torch.nn, nn)]
    assert repr(ours) == repr(theirs)
    mine = [tl.from_numpy(p.numpy()) for p in pooled]
    same(theirs(*pooled), ours(*mine))
    same(theirs(*pooled, [9] * count), ours(*mine, [9] * count))


@pytest.mark.parametrize("count", [2, 3])
def test_fractional_max_pool(count: int) -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    (x,) = arrays((2, 3, *SIZES[count]))
    samples = RANDOM.random((2, 3, count)).astype("float32")
    name, options = f"FractionalMaxPool{count}d", {"output_size": 3, "return_indices": True}
    theirs = getattr(torch.nn, name)(2, **options, _random_samples=torch.from_numpy(samples))
    ours = getattr(nn, name)(2, **options, _random_samples=tl.from_numpy(samples))
    same(theirs(torch.from_numpy(x)), ours(tl.from_numpy(x)))
    assert getattr(nn, name)(2, output_ratio=0.5)(tl.from_numpy(x)).shape[2] == SIZES[count][0] // 2


@pytest.mark.parametrize("count", [1, 2, 3])
def test_output_size_of_a_transposed_convolution(count: int) -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    (x,) = arrays((2, 3, *[4] * count))
    options = {"kernel_size": 3, "stride": 3, "padding": 1}
    theirs, ours = [getattr(m, f"ConvTranspose{count}d")(3, 2, **options) for m in (torch.nn, nn)]
    ours.load_state_dict({k: tl.from_numpy(v.numpy()) for k, v in theirs.state_dict().items()})
    for size in (10, 12):
        expected = theirs(torch.from_numpy(x), [size] * count)
        same(expected, ours(tl.from_numpy(x), [size] * count))
        same(expected, ours(tl.from_numpy(x), output_size=(2, 2, *[size] * count)))
    with pytest.raises(ShapeError, match="expected an output_size from"):
        ours(tl.from_numpy(x), [13] * count)


def test_channels_last_flows_through_layers() -> None:
    layers = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.MaxPool2d(2), nn.Conv2d(8, 8, 1))
    x = tl.from_numpy(arrays((2, 3, 8, 8))[0])
    expected = layers(x)
    result = layers(x.contiguous(memory_format="channels_last"))
    assert result.is_contiguous(memory_format="channels_last")
    np.testing.assert_allclose(result.numpy(), expected.numpy(), rtol=1e-4, atol=1e-5)


def test_first_weights_are_within_the_fan_in() -> None:
    layer = nn.Conv2d(8, 16, 3)
    bound = (8 * 9) ** -0.5
    for weights in (layer.weight, layer.bias):
        assert weights.abs().max().item() <= bound
        assert weights.abs().mean().item() > bound / 4


@pytest.mark.parametrize(
    ("message", "call"),
    [
        ("that groups divides", lambda: nn.Conv2d(3, 4, 1, groups=2)),
        ("that groups divides", lambda: nn.Conv2d(4, 3, 1, groups=2)),
        ("'same', 'valid'", lambda: nn.Conv2d(3, 3, 3, padding="full")),
        ("needs stride 1", lambda: nn.Conv2d(3, 3, 3, stride=2, padding="same")),
        ("padding_mode is", lambda: nn.Conv2d(3, 3, 3, padding_mode="mirror")),
        ("only padding_mode", lambda: nn.ConvTranspose2d(3, 3, 3, padding_mode="reflect")),
        ("one of output_size", lambda: nn.FractionalMaxPool2d(2)),
    ],
)
def test_errors(message: str, call: Any) -> None:
    with pytest.raises(ArgumentError, match=message):
        call()
