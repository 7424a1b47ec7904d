"""Segmentation, resizing, spectra and speech as PyTorch's exporters write them."""

from __future__ import annotations

from typing import Any

import pytest
from exporting import Case, case, cases, check, torch

import tensorlite as tl

nn = torch.nn
F = torch.nn.functional


def double(channels: int, out: int) -> Any:
    return nn.Sequential(
        nn.Conv2d(channels, out, 3, padding=1), nn.BatchNorm2d(out), nn.ReLU(inplace=True),
        nn.Conv2d(out, out, 3, padding=1), nn.GroupNorm(2, out), nn.SiLU(),
    )  # fmt: skip


class Unet(nn.Module):
    """Down, up again, and what was before put beside it."""

    def __init__(self, mode: str) -> None:
        super().__init__()
        self.mode = mode
        self.down1, self.down2, self.middle = double(3, 4), double(4, 8), double(8, 8)
        self.up2, self.up1 = double(16, 4), double(8, 4)
        self.back = nn.ConvTranspose2d(8, 8, 2, 2)
        self.out = nn.Conv2d(4, 2, 1)

    def forward(self, x: Any) -> Any:
        one = self.down1(x)
        two = self.down2(F.max_pool2d(one, 2))
        y = self.middle(F.avg_pool2d(two, 2))
        y = self.up2(torch.cat((self.back(y), two), 1))
        y = F.interpolate(y, size=one.shape[2:], mode=self.mode)
        return self.out(self.up1(torch.cat((y, one), 1))).sigmoid()


class Resized(nn.Module):
    """interpolate in its modes, up and down."""

    def forward(self, x: Any) -> Any:
        sizes = dict(size=(5, 13)), dict(scale_factor=2.0), dict(scale_factor=(1.5, 0.6))
        found = [F.interpolate(x, mode="nearest", **how) for how in sizes]
        for mode in ("bilinear", "bicubic"):
            for corners in (False, True):
                found += [
                    F.interpolate(x, mode=mode, align_corners=corners, **how) for how in sizes[:2]
                ]
        return tuple(found)


class Recomputed(nn.Module):
    """The scales are what the sizes say, or what was given."""

    def forward(self, x: Any) -> Any:
        how = dict(scale_factor=(1.7, 0.45), mode="bilinear")
        return (
            F.interpolate(x, recompute_scale_factor=True, **how),
            F.interpolate(x, recompute_scale_factor=False, **how),
        )


class Antialiased(nn.Module):
    def forward(self, x: Any) -> Any:
        return tuple(
            F.interpolate(x, size=size, mode=mode, antialias=True)
            for size in ((3, 4), (5, 13), (9, 3)) for mode in ("bilinear", "bicubic")
        )  # fmt: skip


class Lines(nn.Module):
    """interpolate of one and of three dimensions; area."""

    def forward(self, x: Any, y: Any) -> Any:
        return (
            F.interpolate(x, scale_factor=2.0, mode="linear"), F.interpolate(x, size=5),
            F.interpolate(x, size=7, mode="linear", align_corners=True),
            F.interpolate(y, scale_factor=2.0, mode="trilinear"), F.interpolate(y, size=(3, 2, 5)),
        )  # fmt: skip


class Pyramid(nn.Module):
    """A feature pyramid: nearest upsampling to the size of the level above."""

    def __init__(self) -> None:
        super().__init__()
        self.side = nn.ModuleList(nn.Conv2d(c, 6, 1) for c in (3, 3, 3))
        self.smooth = nn.ModuleList(nn.Conv2d(6, 6, 3, padding=1) for _ in range(3))

    def forward(self, x: Any) -> Any:
        levels = [x, F.max_pool2d(x, 2), F.max_pool2d(x, 4, ceil_mode=True)]
        levels = [side(level) for side, level in zip(self.side, levels, strict=True)]
        for i in (1, 0):
            wide = F.interpolate(levels[i + 1], size=levels[i].shape[-2:], mode="nearest")
            levels[i] = levels[i] + wide
        return [smooth(level) for smooth, level in zip(self.smooth, levels, strict=True)]


class Spectrum(nn.Module):
    """Fourier transforms; complex values are pairs in the file."""

    def forward(self, x: Any) -> Any:
        whole = torch.fft.fft(x)
        half = torch.fft.rfft(x, norm="ortho")
        return (
            torch.view_as_real(whole), half.real, half.imag, half.abs(),
            torch.fft.ifft(whole).real, torch.fft.irfft(half, n=x.shape[-1], norm="ortho"),
            torch.view_as_real(torch.fft.fft(torch.complex(x, x * 2), dim=0, norm="forward")),
            torch.view_as_real(torch.fft.fft2(x)),
        )  # fmt: skip


class Complex(nn.Module):
    """Arithmetic of complex numbers."""

    def forward(self, x: Any, y: Any) -> Any:
        a, b = torch.view_as_complex(x), torch.view_as_complex(y)
        found = a * b, a + b, a - 2 * b, a / b, a.conj(), a @ b.T
        return (*(torch.view_as_real(v.resolve_conj()) for v in found), a.abs(), a.real, b.imag)


class MelFrontEnd(nn.Module):
    """Sound to log mel features, and convolutions over them."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("window", torch.hann_window(32))
        self.register_buffer("mel", torch.rand(17, 10))
        self.conv1 = nn.Conv1d(10, 12, 3, padding=1)
        self.conv2 = nn.Conv1d(12, 12, 3, stride=2, padding=1)
        self.norm = nn.LayerNorm(12)

    def forward(self, x: Any) -> Any:
        spectrum = torch.stft(
            x, 32, 8, window=self.window, center=False, return_complex=True, onesided=True
        )
        power = torch.view_as_real(spectrum).square().sum(-1)
        mel = (power.transpose(1, 2) @ self.mel).clamp(min=1e-10).log10()
        mel = torch.maximum(mel, mel.amax((1, 2), keepdim=True) - 8.0)
        y = F.gelu(self.conv2(F.gelu(self.conv1(mel.transpose(1, 2)))))
        return self.norm(y.transpose(1, 2))


class RawSpeech(nn.Module):
    """Wav2vec's front: convolutions over samples, a convolution for places."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv1d(1, 8, 10, stride=5, bias=False)
        self.norm = nn.GroupNorm(8, 8)
        self.rest = nn.ModuleList(nn.Conv1d(8, 8, k, stride=2, bias=False) for k in (3, 2))
        self.place = nn.utils.parametrizations.weight_norm(
            nn.Conv1d(8, 8, 8, padding=4, groups=2), dim=2
        )

    def forward(self, x: Any) -> Any:
        x = (x - x.mean(-1, keepdim=True)) / (x.var(-1, keepdim=True, unbiased=False) + 1e-7).sqrt()
        y = F.gelu(self.norm(self.first(x[:, None])))
        for layer in self.rest:
            y = F.gelu(layer(y))
        return y + F.gelu(self.place(y)[:, :, :-1])


def image(n: int, h: int, w: int) -> tuple[Any]:
    return (torch.randn(n, 3, h, w),)


def line_and_volume(n: int, s: int) -> tuple[Any, Any]:
    return torch.randn(n, 2, s + 4), torch.randn(n, 2, s, s + 1, s)


def matrix(n: int, w: int) -> tuple[Any]:
    return (torch.randn(n, w),)


def pairs(n: int, w: int) -> tuple[Any, Any]:
    return torch.randn(n, w, 2), torch.randn(n, w, 2)


FREE = ((0, 2, 3),)

NETWORKS = cases(
    case("unet-nearest", lambda: Unet("nearest"), image, (2, 16, 24), (1, 20, 12), free=FREE,
         by="torchscript 17"),
    case("unet-bilinear", lambda: Unet("bilinear"), image, (2, 16, 24), by="dynamo 18"),
    case("resized", Resized, image, (2, 8, 10), (1, 7, 9), free=FREE, by="torchscript 17"),
    case("resized-static", Resized, image, (2, 8, 10), by="torchscript 20, dynamo 18"),
    case("recomputed", Recomputed, image, (2, 8, 10), by="torchscript 17, dynamo 19"),
    case("antialiased", Antialiased, image, (2, 8, 10), by="dynamo 18"),
    case("lines", Lines, line_and_volume, (2, 4), by="torchscript 17, dynamo 23"),
    case("pyramid", Pyramid, image, (2, 16, 12), (1, 13, 10), free=FREE, by="torchscript 18"),
    case("pyramid-static", Pyramid, image, (2, 16, 12), by="dynamo 21"),
    case("spectrum", Spectrum, matrix, (4, 10), by="dynamo 18, dynamo 20 slow"),
    case("complex", Complex, pairs, (3, 4), by="dynamo 18"),
    case("mel", MelFrontEnd, matrix, (2, 160), by="dynamo 18 slow"),
    case("mel-lengths", MelFrontEnd, matrix, (2, 160), (1, 200), free=((0, 1),), by="dynamo 20"),
    case("raw-speech", RawSpeech, matrix, (2, 160), (3, 222), free=((0, 1),),
         by="torchscript 17, dynamo 18"),
)  # fmt: skip


@pytest.mark.parametrize("case", NETWORKS)
def test_network(case: Case, device: tl.device) -> None:
    check(case, device)
