"""Values on the command line: inputs from files or at random, outputs as readable summaries."""

from __future__ import annotations

import json
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import numpy as np

from .. import dtypes
from ..converters.npz import write_npy, write_npz
from ..converters.onnx.graph import ValueInfo
from ..errors import FileFormatError, MissingDependencyError
from ..tensor import Tensor

Array = np.ndarray[Any, Any]
IMAGES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff")


@dataclass(frozen=True)
class PictureOptions:
    """How a picture becomes numbers; what is None is taken from the model's input."""

    mean: tuple[float, ...] = (0.0,)  # one, or one for each channel
    std: tuple[float, ...] = (1.0,)
    size: tuple[int, int] | None = None  # height, width
    layout: str | None = None  # "nchw" or "nhwc"


def read(path: Path, info: ValueInfo | None, options: PictureOptions) -> Any:
    """An input from a file: .npy, .npz (a dict), JSON, or a picture made to fit the input."""
    suffix = path.suffix.lower()
    if not path.is_file():
        raise FileFormatError(f"{path}: there is no such file")
    if suffix in (".npy", ".npz"):
        try:
            with open(path, "rb") as file:
                found = np.load(file, allow_pickle=False)
                return found if isinstance(found, np.ndarray) else dict(found)
        except Exception as error:  # from zip, zlib and NumPy's parser come many kinds
            raise FileFormatError(f"{path}: not an array that NumPy can read: {error}") from error
    if suffix == ".json":
        try:
            return json.loads(path.read_text(encoding="utf-8"))
        except (ValueError, RecursionError) as error:
            raise FileFormatError(f"{path}: not JSON: {error}") from error
    if suffix in IMAGES:
        return picture(path, info, options)
    known = ", ".join((".npy", ".npz", ".json", *IMAGES))
    raise FileFormatError(f"{path}: expected one of {known}")


def open_image(path: Path, mode: str = "RGB") -> Any:
    """A picture in RGB (or another of Pillow's modes), opened by Pillow."""
    try:
        from PIL import Image
    except ImportError:
        raise MissingDependencyError(
            "reading pictures needs Pillow: pip install 'tensorlite[images]'"
        ) from None
    try:
        with warnings.catch_warnings():  # a picture of many pixels is an error, not a warning
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            return Image.open(path).convert(mode)
    except FileNotFoundError:
        raise FileFormatError(f"{path}: there is no such file") from None
    except Exception as error:  # Pillow's readers raise nearly anything on broken files
        raise FileFormatError(f"{path}: not a picture that Pillow can read ({error})") from error


def picture(path: Path, info: ValueInfo | None, options: PictureOptions) -> Array:
    """A picture as the input wants it: its size, its layout, (x / 255 - mean) / std."""
    shape = info.shape if info is not None and info.shape is not None else (1, 3, None, None)
    if len(shape) not in (3, 4):
        raise FileFormatError(f"{path}: a picture does not fit the input {info}; give an array")
    *batch, first, second, third = shape
    last = options.layout == "nhwc" or (options.layout is None and third in (1, 3))
    sizes, channels = ((first, second), third) if last else ((second, third), first)
    image = open_image(path, "L" if channels == 1 else "RGB")
    own = options.size or (image.height, image.width)
    height, width = (
        s if isinstance(s, int) and s > 0 else o for s, o in zip(sizes, own, strict=True)
    )
    if (height, width) != (image.height, image.width):
        image = image.resize((width, height), 2)  # bilinear
    pixels = np.asarray(image).reshape(height, width, -1)
    laid_out = scaled(pixels, info, options)
    laid_out = laid_out if last else laid_out.transpose(2, 0, 1)
    return np.ascontiguousarray(laid_out[None] if batch else laid_out)


def scaled(pixels: Array, info: ValueInfo | None, options: PictureOptions) -> Array:
    """Pixels in the input's dtype: (x / 255 - mean) / std, or as they are if it is uint8."""
    kind = info.dtype if info is not None and info.dtype else "float32"
    if kind == "uint8":
        return pixels
    for name, given in (("--mean", options.mean), ("--std", options.std)):
        if len(given) not in (1, pixels.shape[2]):
            raise click.UsageError(f"{name}: {len(given)} numbers for {pixels.shape[2]} channels")
    numbers: Array = (pixels / 255 - np.array(options.mean)) / np.array(options.std)
    return numbers.astype(dtypes.to_dtype(kind).numpy)


def random_input(info: ValueInfo, random: np.random.Generator, sizes: dict[str, int]) -> Array:
    """Random numbers of an input's type; sizes that the file leaves open are 1, or as given."""
    shape = [d if isinstance(d, int) and d > 0 else sizes.get(str(d), 1) for d in info.shape or ()]
    if info.kind != "tensor" or info.dtype in (None, "string"):
        raise click.UsageError(
            f"input {info.name} is a {info.type}, which cannot be random; give {info.name}=FILE"
        )
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
    if not isinstance(value, Tensor) or not value.is_floating_point() or value.numel() < 5:
        return []
    if value.numel() != max(value.shape):
        return []
    scores = value.cpu()._plain().reshape(-1)
    return [(int(i), float(scores[i])) for i in np.argsort(-scores, kind="stable")[:count]]


def write(outputs: dict[str, Any], path: Path) -> None:
    """The outputs in a file: .npz and .json by name, .npy if there is only one."""
    if path.suffix == ".json":
        try:
            text = json.dumps({name: listed(value) for name, value in outputs.items()})
        except TypeError as error:
            raise click.UsageError(f"--output {path}: {error}; use .npz") from None
        path.write_text(text, encoding="utf-8")
        return
    arrays: dict[str, Array] = {}
    for name, value in outputs.items():
        parts = enumerate(value) if isinstance(value, list) else [("", value)]
        arrays |= {f"{name}.{i}" if i != "" else name: array(v) for i, v in parts if v is not None}
    if path.suffix == ".npz":
        write_npz(arrays, path)
    elif len(arrays) == 1:
        write_npy(next(iter(arrays.values())), path)
    else:
        raise click.UsageError(f"--output {path}: {len(arrays)} outputs do not fit; use .npz")


def array(value: Any) -> Array:
    """An output in a dtype that NumPy itself knows: text as text, bfloat16 as float32."""
    found: Array = value.cpu()._plain() if isinstance(value, Tensor) else np.asarray(value)
    return found.astype(str) if found.dtype == object else found


def listed(value: Any) -> Any:
    """An output as JSON has it."""
    if isinstance(value, list):
        return [listed(v) for v in value]
    return value.cpu().tolist() if isinstance(value, Tensor) else value
