"""Values on the command line: inputs from files or at random, outputs as readable summaries."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click
import numpy as np

from .. import dtypes
from ..converters.onnx.graph import ValueInfo
from ..errors import FileFormatError, MissingDependencyError
from ..tensor import Tensor

Array = np.ndarray[Any, Any]
IMAGES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff")


def read(path: Path, info: ValueInfo | None, mean: list[float], std: list[float]) -> Any:
    """An input from a file: .npy, .npz (a dict), JSON, or a picture made to fit the input."""
    suffix = path.suffix.lower()
    if not path.is_file():
        raise FileFormatError(f"{path}: there is no such file")
    if suffix in (".npy", ".npz"):
        try:
            found = np.load(path, allow_pickle=False)
            return dict(found) if suffix == ".npz" else found
        except (ValueError, OSError, EOFError) as error:
            raise FileFormatError(f"{path}: not an array that NumPy can read: {error}") from error
    if suffix == ".json":
        try:
            return json.loads(path.read_text())
        except (ValueError, UnicodeDecodeError) as error:
            raise FileFormatError(f"{path}: not JSON: {error}") from error
    if suffix in IMAGES:
        return picture(path, info, mean, std)
    known = ", ".join((".npy", ".npz", ".json", *IMAGES))
    raise FileFormatError(f"{path}: expected one of {known}")


def open_image(path: Path) -> Any:
    """A picture in RGB, opened by Pillow."""
    try:
        from PIL import Image
    except ImportError:
        raise MissingDependencyError(
            "reading pictures needs Pillow: pip install 'tensorlite[images]'"
        ) from None
    try:
        return Image.open(path).convert("RGB")
    except (OSError, ValueError) as error:
        raise FileFormatError(f"{path}: not a picture that Pillow can read ({error})") from error


def picture(path: Path, info: ValueInfo | None, mean: list[float], std: list[float]) -> Array:
    """A picture as the input wants it: its size, its layout, (x / 255 - mean) / std."""
    image = open_image(path)
    shape = list(info.shape) if info is not None and info.shape else [1, 3, None, None]
    channels_last = len(shape) == 4 and shape[-1] in (1, 3)
    sizes = shape[1:3] if channels_last else shape[-2:]
    height, width = (
        s if isinstance(s, int) and s > 0 else own
        for s, own in zip(sizes, (image.height, image.width), strict=True)
    )
    if (height, width) != (image.height, image.width):
        image = image.resize((width, height), 2)  # bilinear
    pixels = np.asarray(image)
    if info is not None and info.dtype == "uint8":
        scaled: Array = pixels
    else:
        scaled = (pixels / 255 - np.array(mean)) / np.array(std)
        scaled = scaled.astype(info.dtype if info is not None and info.dtype else "float32")
    laid_out = scaled if channels_last else scaled.transpose(2, 0, 1)
    return np.ascontiguousarray(laid_out[None] if len(shape) == 4 else laid_out)


def random_input(info: ValueInfo, random: np.random.Generator, sizes: dict[str, int]) -> Array:
    """Random numbers of an input's type; sizes that the file leaves open are 1, or as given."""
    shape = [d if isinstance(d, int) and d > 0 else sizes.get(str(d), 1) for d in info.shape or ()]
    if info.kind != "tensor" or info.dtype in (None, "string"):
        raise click.UsageError(f"input {info} cannot be random; give it as {info.name}=FILE")
    kind = dtypes.to_dtype(info.dtype)
    if kind.is_floating_point or kind.is_complex:
        return random.standard_normal(shape).astype(kind.numpy)
    if kind is dtypes.bool_:
        return random.random(shape) > 0.5
    return random.integers(0, 10, shape).astype(kind.numpy)


def summary(value: Any) -> str:
    """A value in a line: dtype, shape, range, mean."""
    if isinstance(value, list):
        return f"a sequence of {len(value)}"
    if not isinstance(value, Tensor):
        return repr(value)
    text = f"{value.dtype.name} {list(value.shape)}"
    if value.device.kind != "cpu":
        text += f" on {value.device}"
    array = value.cpu()._host()
    if array.size == 0 or array.dtype == object:
        return text
    plain = value.cpu()._plain()
    if plain.dtype.kind in "iub":
        return f"{text}, from {plain.min()} to {plain.max()}"
    if plain.dtype.kind == "c":
        return text
    bad = int((~np.isfinite(plain)).sum())
    with np.errstate(all="ignore"):
        text += f", from {plain.min():.4g} to {plain.max():.4g}, mean {plain.mean():.4g}"
    return f"{text}, {bad} not finite" if bad else text


def best(value: Any, count: int = 5) -> list[tuple[int, float]]:
    """The highest entries of a vector of scores (one row, at least five classes), else nothing."""
    if not isinstance(value, Tensor) or not value.is_floating_point():
        return []
    if value.ndim not in (1, 2) or value.numel() != value.shape[-1] or value.shape[-1] < 5:
        return []
    scores = value.cpu()._plain().reshape(-1)
    return [(int(i), float(scores[i])) for i in np.argsort(-scores, kind="stable")[:count]]
