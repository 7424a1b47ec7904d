"""Make the files of `tensorlite demo`: the network's weights in 8 bits, and the photograph.

    python examples/make_demo_assets.py

Needs scikit-image for the photograph. The convolutions and the last layer are quantised to int8
with one scale for each output channel; the rest stays float32.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

import tensorlite as tl
from tensorlite import Tensor, fetch

ASSETS = Path(tl.__file__).parent / "assets"


def quantised(weight: Tensor) -> tuple[Tensor, Tensor]:
    """int8 numbers and the scale of each output channel: weight = numbers * scale."""
    rows = weight.flatten(1)
    scale = rows.abs().amax(1).clamp(min=1e-12) / 127
    numbers = (rows / scale.unsqueeze(1)).round().to(tl.int8)
    return numbers.reshape(weight.shape), scale


def main() -> None:
    weights = tl.load(fetch.path("efficientnet-lite0"))
    small: dict[str, Tensor] = {}
    for name, value in weights.items():
        if name.endswith("num_batches_tracked"):
            continue
        if name.endswith("weight") and value.ndim > 1:
            small[name], small[f"{name}.scale"] = quantised(value)
        else:
            small[name] = value.float()
    tl.save(small, ASSETS / "efficientnet_lite0.safetensors")

    from skimage import data

    np.savez_compressed(ASSETS / "chelsea.npz", picture=data.chelsea())


if __name__ == "__main__":
    main()
