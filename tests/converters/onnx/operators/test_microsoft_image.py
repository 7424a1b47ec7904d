"""Images of com.microsoft against ONNX Runtime."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from microsoft_node import agree, int32, normal, run
from single_node import same

from tensorlite.errors import OnnxError

IMAGES = normal(2, 3, 6, 7)
BOXES = np.float32(
    [[0, 0, 1, 1], [0.12, 0.23, 0.71, 0.93], [-0.5, -0.5, 1.5, 1.5], [0.8, 0.9, 0.1, 0.2]]
)
WHICH = int32(0, 1, 0, 1)


@pytest.mark.parametrize("size", [(3, 4), (1, 1), (6, 7), (1, 5), (9, 2)])
@pytest.mark.parametrize("mode", ["bilinear", "nearest"])
def test_crop_and_resize(size: tuple[int, int], mode: str, device: Any) -> None:
    attributes = {"mode": mode, "device": device}
    agree("CropAndResize", IMAGES, BOXES, WHICH, int32(*size), **attributes)
    agree(
        "CropAndResize",
        *(IMAGES, BOXES, WHICH, int32(*size)),
        extrapolation_value=7.5,
        **attributes,
    )


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 5), st.integers(1, 5))
def test_crop_and_resize_any_box(seed: int, height: int, width: int) -> None:
    random = np.random.default_rng(seed)
    boxes = random.uniform(-0.2, 1.2, (5, 4)).astype(np.float32)
    which = random.integers(0, 2, 5).astype(np.int32)
    agree("CropAndResize", IMAGES, boxes, which, int32(height, width), rtol=1e-3, atol=1e-4)


def test_crop_and_resize_of_no_boxes(device: Any) -> None:
    boxes = np.zeros((0, 4), np.float32)
    (y,) = run("CropAndResize", IMAGES, boxes, int32(), int32(2, 3), device=device)
    assert y.shape == (0, 3, 2, 3)


@pytest.mark.parametrize("mode", ["bilinear", "nearest", "bicubic"])
@pytest.mark.parametrize("padding_mode", ["zeros", "border", "reflection"])
@pytest.mark.parametrize("align_corners", [0, 1])
def test_grid_sample(mode: str, padding_mode: str, align_corners: int, device: Any) -> None:
    grid = np.random.default_rng(1).uniform(-1.3, 1.3, (2, 4, 5, 2)).astype(np.float32)
    agree(
        "GridSample",
        *(IMAGES, grid),
        mode=mode,
        padding_mode=padding_mode,
        align_corners=align_corners,
        device=device,
        rtol=1e-4,
        atol=1e-4,
    )


def prefixes(*shape: int) -> Any:
    """Masks of ones up to some column of each row."""
    count = np.random.default_rng(2).integers(0, shape[-1] + 1, (*shape[:-1], 1))
    return (np.arange(shape[-1]) < count).astype(np.int32)


@pytest.mark.parametrize(
    "attributes",
    [
        {"kernel_shape": [2, 2]},
        {"kernel_shape": [3, 3], "strides": [2, 2], "pads": [1, 1, 1, 1]},
        {"kernel_shape": [2, 3], "auto_pad": "SAME_UPPER"},
    ],
)
def test_maxpool_with_mask(attributes: Any, device: Any) -> None:
    """ONNX Runtime takes each row of a window up to its first 0, which padding ends at."""
    x, mask = IMAGES[:1, :1], prefixes(1, 1, 6, 7)
    agree("MaxpoolWithMask", x, mask, device=device, **attributes)


def test_masks_of_many_channels(device: Any) -> None:
    """ONNX Runtime looks into the masks of other channels."""
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    lowest = np.finfo(np.float32).min
    for shape in ((2, 3, 6, 7), (1, 3, 6, 7), (1, 1, 6, 7)):
        mask = np.random.default_rng(3).integers(0, 2, shape).astype(np.int32)
        masked = torch.from_numpy(np.where(mask != 0, IMAGES, lowest))
        want = torch.nn.functional.max_pool2d(masked, 2, stride=1).numpy()
        have = run("MaxpoolWithMask", IMAGES, mask, kernel_shape=[2, 2], device=device)
        same(have, [want])


@pytest.mark.parametrize("pads", [None, [0, 1, 1, 0], [1, 1, 1, 1]])
@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("attributes", [{}, {"strides": [2, 2], "output_padding": [1, 0]}])
def test_conv_transpose_with_dynamic_pads(
    pads: Any, bias: bool, attributes: Any, device: Any
) -> None:
    x, w, b = normal(2, 4, 5, 6), normal(4, 3, 3, 3, seed=1), normal(3, seed=2)
    b = b if bias else None
    name, given = "ConvTransposeWithDynamicPads", np.array(pads or [0, 0, 0, 0])
    have = agree(name, x, w, given, b, device=device, rtol=1e-4, atol=1e-4, **attributes)
    if pads is None:
        same(run(name, x, w, None, b, device=device, **attributes), have)


def test_errors() -> None:
    def refuses(name: str, message: str, *inputs: Any, **attributes: Any) -> None:
        with pytest.raises(OnnxError, match=message):
            run(name, *inputs, **attributes)

    crop = (IMAGES, BOXES, WHICH)
    refuses("CropAndResize", "crop_size above 0", *crop, int32(0, 2))
    refuses("CropAndResize", "one of bilinear, nearest", *crop, int32(1, 2), mode="cubic")
    refuses("CropAndResize", "batch_indices from 0 to 1", *crop[:2], WHICH + 1, int32(1, 2))
    refuses("CropAndResize", r"batch_indices of shape \(4,\)", *crop[:2], int32(1), int32(1, 2))
    refuses("MaxpoolWithMask", "M of shape", IMAGES, prefixes(2, 3, 5, 7), kernel_shape=[2, 2])
    refuses(
        "MaxpoolWithMask", "or with 1 instead", IMAGES, prefixes(2, 2, 6, 7), kernel_shape=[2, 2]
    )
    refuses("GridSample", "mode to be one of", IMAGES, normal(2, 1, 1, 2), mode="linear")
    refuses(
        "ConvTransposeWithDynamicPads",
        r"Pads of shape \(4,\)",
        *(normal(1, 1, 3, 3), normal(1, 1, 2, 2), np.array([1, 1])),
    )
