"""The example that reads text: pictures whose text is known."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tensorlite as tl
from tensorlite import fetch
from tensorlite.errors import FetchError

pytestmark = pytest.mark.slow
sys.path.insert(0, str(Path(__file__).parents[2] / "examples"))


@pytest.fixture(scope="module")
def reader(request: pytest.FixtureRequest) -> Any:
    from read_text import Reader

    try:
        fetch.path("rapidocr/det")
    except FetchError as error:
        pytest.skip(str(error))
    kind = request.config.getoption("--device")
    return Reader(kind)


def picture(lines: list[str], turn: float = 0) -> np.ndarray[Any, Any]:
    """Dark text on white, a line below the other, turned by some degrees."""
    image_module = pytest.importorskip("PIL.Image")
    from PIL import ImageDraw, ImageFont

    image = image_module.new("RGB", (640, 90 * len(lines) + 60), "white")
    draw = ImageDraw.Draw(image)
    font = ImageFont.load_default(40)
    for i, line in enumerate(lines):
        draw.text((50, 40 + 90 * i), line, fill=(20, 20, 60), font=font)
    return np.asarray(image.rotate(turn, fillcolor="white", resample=2))


def plain(text: str) -> str:
    return "".join(c for c in text.lower() if c.isalnum())


@pytest.mark.parametrize("turn", [0, 4, 180])
def test_reads_what_was_written(reader: Any, turn: float, device: tl.device) -> None:
    written = ["Tensors at rest", "Invoice 20417", "hello world"]
    lines = [plain(line.text) for line in reader.read(picture(written, turn))]
    expected = [plain(line) for line in written]
    assert lines == (expected[::-1] if turn == 180 else expected)


def test_boxes_lie_around_the_text(reader: Any, device: tl.device) -> None:
    (line,) = reader.read(picture(["Tensor"]))
    xs, ys = zip(*line.box, strict=True)
    assert 30 <= min(xs) <= 55 and 150 <= max(xs) <= 240
    assert 25 <= min(ys) <= 55 and 70 <= max(ys) <= 110


def test_an_empty_picture_has_no_text(reader: Any, device: tl.device) -> None:
    assert reader.read(np.full((200, 300, 3), 255, np.uint8)) == []
