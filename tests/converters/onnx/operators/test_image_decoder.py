"""ImageDecoder on pictures that Pillow writes, and on bytes that are none."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

import numpy as np
import pytest
from single_node import node_model, ours

from tensorlite.errors import OnnxError

Image = pytest.importorskip("PIL.Image", reason="Pillow is not installed")


def encoded(mode: str, format: str, size: tuple[int, int] = (7, 5), **options: Any) -> Any:
    """A picture and its file."""
    bands = len(mode) if mode != "1" else 1
    pixels = np.random.default_rng(0).integers(0, 256, (*size[::-1], bands), np.uint8)
    picture = Image.fromarray(pixels.squeeze(), mode) if mode != "1" else Image.new("1", size, 1)
    out = io.BytesIO()
    picture.save(out, format, **options)
    return picture, np.frombuffer(out.getvalue(), np.uint8)


def decoded(data: Any, pixel_format: str, device: Any = "cpu") -> Any:
    model = node_model("ImageDecoder", [data], 1, 20, pixel_format=pixel_format)
    return ours(model, [data], device)[0]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("format, options", [
    ("PNG", {}), ("BMP", {}), ("TIFF", {}), ("PPM", {}), ("WEBP", {"lossless": True}),
    ("JPEG", {"quality": 95}), ("JPEG2000", {}),
])  # fmt: skip
@pytest.mark.parametrize("mode", ["RGB", "L"])
@pytest.mark.parametrize("pixel_format", ["RGB", "BGR", "Grayscale"])
def test_formats(device: Any, format: str, options: Any, mode: str, pixel_format: str) -> None:
    _, data = encoded(mode, format, **options)
    have = decoded(data, pixel_format, device)
    wanted = Image.open(io.BytesIO(data.tobytes())).convert(
        "L" if pixel_format[0] == "G" else "RGB"
    )
    want = np.asarray(wanted).reshape(5, 7, -1)
    assert have.dtype == np.uint8
    np.testing.assert_array_equal(have, want[..., ::-1] if pixel_format == "BGR" else want)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_alpha_and_two_colours() -> None:
    assert decoded(encoded("RGBA", "PNG")[1], "RGB").shape == (5, 7, 3)
    assert (decoded(encoded("1", "PNG")[1], "Grayscale") == 255).all()


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_broken_files_give_an_empty_picture() -> None:
    _, data = encoded("RGB", "PNG", (40, 40))
    for broken in (b"", b"no picture", data[: len(data) // 2].tobytes(), b"%!PS-Adobe-3.0 EPSF"):
        have = decoded(np.frombuffer(broken, np.uint8), "RGB")
        assert have.shape == (0, 0, 3) and have.dtype == np.uint8


def test_gigantic_pictures_are_refused() -> None:
    """A file of a few bytes that says it holds 2**34 pixels."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        check = struct.pack(">I", zlib.crc32(kind + body))
        return struct.pack(">I", len(body)) + kind + body + check

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", 1 << 17, 1 << 17, 8, 2, 0, 0, 0))
    data = b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")
    with pytest.raises(OnnxError, match="pixels"):
        decoded(np.frombuffer(data, np.uint8), "RGB")


def test_unknown_pixel_format() -> None:
    with pytest.raises(OnnxError, match="HSV"):
        decoded(np.zeros(3, np.uint8), "HSV")
