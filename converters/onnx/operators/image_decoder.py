"""ImageDecoder: pictures in files, by Pillow."""

from __future__ import annotations

import io
import warnings
from typing import Any

import numpy as np

from tensorlite import Tensor, uint8

from ....errors import MissingDependencyError, OnnxError
from ..registry import onnx_op
from ..values import to_value
from .expected import expect, one_of

_MODES = {"RGB": "RGB", "BGR": "RGB", "Grayscale": "L"}
_FORMATS = ("BMP", "DIB", "JPEG", "JPEG2000", "PNG", "PPM", "TIFF", "WEBP")
_MAX_PIXELS = 1 << 28


@onnx_op("ImageDecoder", since=20)
def image_decoder(encoded_stream: Tensor, *, pixel_format: str = "RGB") -> Tensor:
    """A picture (height, width, channels) from the bytes of its file; empty if they are none.

    BMP, JPEG, JPEG 2000, PNG, PNM, TIFF and WebP are read, without their alpha channel. Pictures of
    more than 2**28 pixels are refused: their files may be small.
    """
    stream = expect("encoded_stream", encoded_stream, ("bytes",), (uint8,))
    mode = _MODES[one_of("pixel_format", pixel_format, tuple(_MODES))]
    pixels = _decoded(stream._host().tobytes(), mode)
    if pixel_format == "BGR":
        pixels = pixels[..., ::-1]
    return to_value(np.ascontiguousarray(pixels), encoded_stream.device)


def _decoded(data: bytes, mode: str) -> Any:
    try:
        from PIL import Image
    except ImportError as error:
        raise MissingDependencyError(
            "ImageDecoder needs Pillow: pip install 'tensorlite[images]'"
        ) from error
    empty = np.zeros((0, 0, len(mode)), np.uint8)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about sizes, which are checked here
        try:
            picture = Image.open(io.BytesIO(data), formats=_FORMATS)
            size = picture.width * picture.height
            if size <= _MAX_PIXELS:
                return np.array(picture.convert(mode)).reshape(*picture.size[::-1], len(mode))
        except Image.DecompressionBombError:
            size = _MAX_PIXELS + 1
        except Exception:  # Pillow's readers raise nearly anything on broken files
            return empty
    raise OnnxError(f"a picture of {size} pixels or more, at most {_MAX_PIXELS} are decoded")
