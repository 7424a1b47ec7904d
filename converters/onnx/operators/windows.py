"""The arithmetic of sliding windows in ONNX: automatic padding and output sizes."""

from __future__ import annotations

from dataclasses import dataclass

from ....errors import OnnxError


@dataclass(frozen=True)
class Window:
    """How a window slides along each spatial dimension."""

    kernel: list[int]
    strides: list[int]
    dilations: list[int]
    begins: list[int]
    ends: list[int]

    @property
    def reach(self) -> list[int]:
        """The extent of the dilated kernel."""
        return [(k - 1) * d + 1 for k, d in zip(self.kernel, self.dilations, strict=True)]

    @property
    def symmetric(self) -> bool:
        """Whether both ends are padded alike, so that PyTorch's ``padding`` can say it."""
        return self.begins == self.ends

    def output(self, sizes: list[int], ceil: bool = False) -> list[int]:
        """How often the window fits; with ``ceil`` a last one may hang over the end, if it
        starts within the input or the padding before it.
        """
        found = []
        for i, size in enumerate(sizes):
            room = size + self.begins[i] + self.ends[i] - self.reach[i]
            steps = -(-room // self.strides[i]) if ceil else room // self.strides[i]
            if ceil and steps * self.strides[i] >= size + self.begins[i]:
                steps -= 1
            found.append(max(steps + 1, 0))
        return found


def window(
    sizes: list[int],
    kernel: list[int],
    strides: list[int] | None,
    dilations: list[int] | None,
    pads: list[int] | None,
    auto_pad: str,
) -> Window:
    """The window of a node over an input of these spatial sizes."""
    n = len(sizes)
    strides = strides or [1] * n
    dilations = dilations or [1] * n
    for name, values in (("kernel", kernel), ("strides", strides), ("dilations", dilations)):
        if len(values) != n or min(values, default=1) < 1:
            raise OnnxError(f"{name} {values}: expected {n} numbers of 1 or more")
    if auto_pad in ("NOTSET", ""):
        pads = pads or [0] * (2 * n)
        if len(pads) != 2 * n:
            raise OnnxError(f"pads {pads}: expected {2 * n} of them")
        return Window(kernel, strides, dilations, pads[:n], pads[n:])
    if auto_pad == "VALID":
        return Window(kernel, strides, dilations, [0] * n, [0] * n)
    if auto_pad not in ("SAME_UPPER", "SAME_LOWER"):
        raise OnnxError(f"auto_pad {auto_pad!r}: expected NOTSET, SAME_UPPER, SAME_LOWER or VALID")
    begins, ends = [], []
    for size, k, s, d in zip(sizes, kernel, strides, dilations, strict=True):
        total = max((-(-size // s) - 1) * s + (k - 1) * d + 1 - size, 0)
        small = total // 2
        begins.append(small if auto_pad == "SAME_UPPER" else total - small)
        ends.append(total - begins[-1])
    return Window(kernel, strides, dilations, begins, ends)


def flat_pads(begins: list[int], ends: list[int]) -> list[int]:
    """Paddings in PyTorch's order: the last dimension first.

    >>> flat_pads([1, 2], [3, 4])
    [2, 4, 1, 3]
    """
    pairs = list(zip(begins, ends, strict=True))
    return [size for pair in reversed(pairs) for size in pair]
