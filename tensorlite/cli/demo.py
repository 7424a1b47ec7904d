"""``tensorlite demo``."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import click
import numpy as np
from rich.console import Console
from rich.style import Style
from rich.table import Table
from rich.text import Text

import tensorlite as tl

from ..models.efficientnet_lite import EfficientNetLite0, prepare
from ..tensor import Tensor
from .values import open_image

ASSETS = Path(__file__).parents[1] / "assets"
Array = np.ndarray[Any, Any]


@click.command()
@click.option("--device", default="auto", show_default=True, help="cpu, numba, cuda, auto")
@click.option("--image", type=click.Path(path_type=Path), help="A picture of your own (Pillow).")
def command(device: str, image: Path | None) -> None:
    """Classify a photograph with the network that comes with tensorlite; no network needed.

    \b
    Examples: tensorlite demo
              tensorlite demo --image holiday.jpg --device cpu
    """
    console, place = Console(), tl.device(device)
    photo = chelsea() if image is None else opened(image)
    model = network().to(place)
    x = prepare(photo).to(place)
    model(x)  # compiles what is not compiled yet
    start = time.perf_counter()
    scores = model(x).softmax(-1)[0]
    place.synchronize()
    seconds = time.perf_counter() - start
    if console.is_terminal:
        console.print(blocks(photo, min(console.width, 72)))
    console.print(ranking(scores))
    console.print(f"EfficientNet-Lite0 on {place}: {seconds * 1e3:.0f} ms", highlight=False)
    console.print(
        "Next: [bold]tensorlite repl[/bold] for a prompt, [bold]tensorlite fetch[/bold] for real "
        "ONNX models, [bold]tensorlite run MODEL[/bold] to run one.",
        highlight=False,
    )


def network() -> EfficientNetLite0:
    """The network with its weights, which are stored in 8 bits."""
    stored = tl.load(ASSETS / "efficientnet_lite0.safetensors")
    weights = {name: value for name, value in stored.items() if not name.endswith(".scale")}
    for name, value in weights.items():
        if f"{name}.scale" in stored:
            scale = stored[f"{name}.scale"]
            weights[name] = value.float() * scale.reshape(-1, *[1] * (value.ndim - 1))
    model = EfficientNetLite0().eval()
    model.load_state_dict(weights, strict=False)  # batch counts are not stored
    return model


def labels() -> list[str]:
    """The names of the classes."""
    return (ASSETS / "imagenet_labels.txt").read_text(encoding="utf-8").splitlines()


def chelsea() -> Array:
    """The cat in the package."""
    picture: Array = np.load(ASSETS / "chelsea.npz")["picture"]
    return picture


def opened(path: Path) -> Array:
    """A picture of the user's, as it is."""
    return np.asarray(open_image(path))


def ranking(scores: Tensor) -> Table:
    """The five most likely classes, with bars."""
    table = Table("class", "", "chance", box=None, pad_edge=False)
    best, places = scores.cpu().topk(5)
    names = labels()
    for chance, place in zip(best.tolist(), places.tolist(), strict=True):
        table.add_row(names[place], "█" * max(round(chance * 30), 1), f"{chance:.1%}")
    return table


def blocks(photo: Array, width: int) -> Text:
    """A picture in half blocks: two pixels above each other in one character."""
    height = max(round(width * photo.shape[0] / photo.shape[1] / 2), 1) * 2
    x = tl.from_numpy(np.ascontiguousarray(photo.transpose(2, 0, 1))).float().unsqueeze(0)
    small = tl.nn.functional.interpolate(x, (height, width), mode="bilinear", antialias=True)
    pixels = small[0].round().clamp(0, 255).to(tl.uint8).numpy().transpose(1, 2, 0)
    text = Text()
    for upper, lower in zip(pixels[::2], pixels[1::2], strict=True):
        for top, bottom in zip(upper, lower, strict=True):
            front, back = ("#" + bytes(p.tolist()).hex() for p in (top, bottom))
            text.append("▀", Style(color=front, bgcolor=back))
        text.append("\n")
    return text
