"""Read the text in pictures: find it, cut it out, turn it upright, recognise it.

    python examples/read_text.py PICTURE...            # text and boxes of each picture
    python examples/read_text.py --json PICTURE        # the same for programs
    python examples/read_text.py --boxes out.png PICTURE    # the picture with the boxes drawn in

The three networks are PP-OCR's (package rapidocr, Apache-2.0), fetched on first use. Pictures are
read with Pillow: pip install 'tensorlite[images]'.
"""

from __future__ import annotations

import argparse
import json
import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial import ConvexHull, QhullError

import tensorlite as tl
import tensorlite.nn.functional as F
from tensorlite import fetch

Array = NDArray[Any]
Points = NDArray[np.float64]  # (4, 2): x and y, clockwise from the top left


@dataclass(frozen=True)
class Line:
    """One line of text: what it says, how sure that is, and its box in the picture."""

    text: str
    score: float
    box: list[list[int]]


class Reader:
    """The three networks, and the steps between them."""

    def __init__(self, device: str | None = None) -> None:
        self.device = tl.device(device or "cpu")
        self.detector = tl.onnx.load(fetch.path("rapidocr/det"), device=self.device)
        self.direction = tl.onnx.load(fetch.path("rapidocr/cls"), device=self.device)
        self.recogniser = tl.onnx.load(fetch.path("rapidocr/rec"), device=self.device)
        letters = self.recogniser.model.metadata["character"].splitlines()
        self.alphabet = ["", *letters, " "]  # 0 is the blank between letters

    def read(self, picture: Array) -> list[Line]:
        """The lines of text in a picture (height, width, RGB; uint8), from top to bottom."""
        lines = []
        for box in in_reading_order(self.detect(picture)):
            text, score = self.recognise(self.upright(cut_out(picture, box)))
            if text and score >= 0.5:
                lines.append(Line(text, round(score, 3), np.rint(box).astype(int).tolist()))
        return lines

    def detect(self, picture: Array) -> list[Points]:
        """The boxes around lines of text."""
        height, width = picture.shape[:2]
        scale = max(1.0, 736 / min(height, width)) if max(height, width) < 1400 else 1.0
        size = [max(round(side * scale / 32) * 32, 32) for side in (height, width)]
        chances = self.detector(self.prepared(picture, size))[0, 0].cpu().numpy()
        stretch = np.array([width / size[1], height / size[0]])
        found = [box * stretch for box in boxes_in(chances)]
        limit = np.array([width - 1, height - 1])
        return [np.clip(box, 0, limit) for box in found]

    def upright(self, line: Array) -> Array:
        """A line, turned by half a turn if it stands on its head."""
        chance = self.direction(self.fitted(line, 192))[0]
        return line[::-1, ::-1] if chance[1].item() > 0.9 else line

    def recognise(self, line: Array) -> tuple[str, float]:
        """The text of one line, and the mean certainty of its letters."""
        height, width = line.shape[:2]
        steps = self.recogniser(self.fitted(line, max(320, math.ceil(48 * width / height))))[0]
        best, letters = steps.max(1)
        places = letters.cpu().numpy()
        kept = (places != 0) & (places != np.concatenate(([-1], places[:-1])))
        text = "".join(self.alphabet[i] for i in places[kept])
        return text, float(best.cpu().numpy()[kept].mean()) if kept.any() else 0.0

    def fitted(self, line: Array, width: int) -> tl.Tensor:
        """A line as the networks want it: 48 high, padded on the right to a width."""
        own = min(width, max(math.ceil(48 * line.shape[1] / line.shape[0]), 1))
        return F.pad(self.prepared(line, [48, own]), (0, width - own))

    def prepared(self, picture: Array, size: list[int]) -> tl.Tensor:
        """A picture as (1, 3, height, width) in [-1, 1], channels blue, green, red."""
        channels = np.ascontiguousarray(picture[..., ::-1].transpose(2, 0, 1))
        x = tl.from_numpy(channels).to(self.device).float().unsqueeze(0)
        return F.interpolate(x, size, mode="bilinear") / 127.5 - 1


def boxes_in(chances: Array) -> list[Points]:
    """Rectangles around the regions where text is likely, a little wider than the regions."""
    mask = ndimage.binary_dilation(chances > 0.3, np.ones((2, 2)))
    labels, _ = ndimage.label(mask, np.ones((3, 3)))
    boxes = []
    for index, (rows, columns) in enumerate(ndimage.find_objects(labels), start=1):
        region = labels[rows, columns] == index
        y, x = np.nonzero(region)
        box = smallest_rectangle(np.stack([x + columns.start, y + rows.start], 1))
        score = float(chances[rows, columns][region].mean())
        sides = side_lengths(box)
        if min(sides) < 3 or score < 0.5:
            continue
        boxes.append(grown(box, 1.6 * sides[0] * sides[1] / (2 * sum(sides))))
    return boxes


def smallest_rectangle(points: Array) -> Points:
    """The rectangle of least area around points: one of its sides lies on their hull."""
    points = np.concatenate([points, points + [[1, 0]], points + [[0, 1]], points + [[1, 1]]])
    try:
        hull = points[ConvexHull(points).vertices].astype(np.float64)
    except QhullError:  # all on one line
        hull = points.astype(np.float64)
    edges = np.diff(np.concatenate([hull, hull[:1]]), axis=0)
    best: tuple[float, Points] | None = None
    for angle in np.unique(np.arctan2(edges[:, 1], edges[:, 0]) % (math.pi / 2)):
        turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
        turned = hull @ turn
        low, high = turned.min(0), turned.max(0)
        area = float(np.prod(high - low))
        if best is None or area < best[0]:
            corners = np.array([low, [high[0], low[1]], high, [low[0], high[1]]])
            best = area, corners @ turn.T
    assert best is not None
    return clockwise(best[1])


def clockwise(corners: Points) -> Points:
    """Corners from the top left on."""
    left = corners[np.argsort(corners[:, 0], kind="stable")]
    (top_left, bottom_left) = left[:2][np.argsort(left[:2, 1])]
    (top_right, bottom_right) = left[2:][np.argsort(left[2:, 1])]
    return np.stack([top_left, top_right, bottom_right, bottom_left])


def side_lengths(box: Points) -> tuple[float, float]:
    """Width and height of a rectangle."""
    return float(np.linalg.norm(box[1] - box[0])), float(np.linalg.norm(box[3] - box[0]))


def grown(box: Points, by: float) -> Points:
    """A rectangle with every side moved outward."""
    width, height = side_lengths(box)
    along, across = (box[1] - box[0]) / max(width, 1e-6), (box[3] - box[0]) / max(height, 1e-6)
    signs = ((-1, -1), (1, -1), (1, 1), (-1, 1))
    return box + by * np.stack([a * along + c * across for a, c in signs])


def in_reading_order(boxes: list[Points]) -> list[Points]:
    """From top to bottom; boxes whose tops are close are one row, from left to right."""
    rows: list[list[Points]] = []
    for box in sorted(boxes, key=lambda b: float(b[0, 1])):
        if rows and abs(box[0, 1] - rows[-1][-1][0, 1]) < 10:
            rows[-1].append(box)
        else:
            rows.append([box])
    return [box for row in rows for box in sorted(row, key=lambda b: float(b[0, 0]))]


def cut_out(picture: Array, box: Points) -> Array:
    """The part of a picture in a rectangle, turned to lie straight; tall ones are laid down."""
    width, height = (max(round(side), 1) for side in side_lengths(box))
    u, v = np.meshgrid((np.arange(width) + 0.5) / width, (np.arange(height) + 0.5) / height)
    places = box[0] + u[..., None] * (box[1] - box[0]) + v[..., None] * (box[3] - box[0])
    grid = places / [picture.shape[1], picture.shape[0]] * 2 - 1
    source = tl.from_numpy(np.ascontiguousarray(picture.transpose(2, 0, 1))).float().unsqueeze(0)
    where = tl.from_numpy(grid.astype(np.float32)).unsqueeze(0)
    taken = F.grid_sample(source, where, padding_mode="border", align_corners=False)
    part = tl.clamp(tl.round(taken[0]), 0, 255).to(tl.uint8).numpy().transpose(1, 2, 0)
    return np.rot90(part) if height >= 1.5 * width else part


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("pictures", nargs="+", type=Path, metavar="PICTURE")
    parser.add_argument("--device", default="cpu", help="cpu, numba, cuda or auto")
    parser.add_argument("--json", action="store_true", help="print JSON, a line a picture")
    parser.add_argument("--boxes", type=Path, help="save the (last) picture with its boxes here")
    args = parser.parse_args()
    try:
        from PIL import Image, ImageDraw
    except ImportError:
        parser.error("reading pictures needs Pillow: pip install 'tensorlite[images]'")
    reader = Reader(args.device)
    for path in args.pictures:
        try:
            image = Image.open(path).convert("RGB")
        except OSError as error:
            parser.error(f"{path} is not a picture that Pillow can read: {error}")
        lines = reader.read(np.asarray(image))
        if args.json:
            print(json.dumps({"picture": str(path), "lines": [asdict(line) for line in lines]}))
        else:
            print(f"{path}: {len(lines)} lines")
            for line in lines:
                print(f"  {line.score:.2f}  {line.text}   {line.box}")
        if args.boxes:
            draw = ImageDraw.Draw(image)
            for line in lines:
                draw.polygon([tuple(point) for point in line.box], outline="red", width=2)
            image.save(args.boxes)


if __name__ == "__main__":
    main()
