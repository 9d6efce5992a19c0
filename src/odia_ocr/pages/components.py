"""Connected pieces of ink and their boxes, without an image-processing library.

Run-length encoding, then a union of overlapping runs by pointer jumping, all in array steps.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    from odia_ocr.types import FloatArray

    Mask = npt.NDArray[np.bool_]
    Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Runs:
    """Horizontal runs of True pixels, row by row: each array has one entry a run."""

    row: Ints
    left: Ints
    right: Ints  # exclusive


@dataclass(frozen=True, slots=True, eq=False)
class Components:
    """Boxes of connected pieces; each array has one entry a piece; right and bottom exclusive.

    Attributes:
        left, top, right, bottom: Box in pixels.
        area: Ink pixels.
        contrast: Mean contrast of its pixels in grey levels.
        stroke: Mean length of its horizontal runs, pixels: about the stroke width of a letter.
    """

    left: FloatArray
    top: FloatArray
    right: FloatArray
    bottom: FloatArray
    area: FloatArray
    contrast: FloatArray
    stroke: FloatArray

    def __len__(self) -> int:
        return len(self.left)

    @property
    def width(self) -> FloatArray:
        """Box widths."""
        return self.right - self.left

    @property
    def height(self) -> FloatArray:
        """Box heights."""
        return self.bottom - self.top

    @property
    def middle(self) -> FloatArray:
        """Vertical middles of the boxes."""
        return (self.top + self.bottom) * np.float32(0.5)

    def take(self, which: npt.NDArray[np.bool_] | Ints) -> Components:
        """The pieces chosen by a mask or by indices."""
        return Components(
            self.left[which],
            self.top[which],
            self.right[which],
            self.bottom[which],
            self.area[which],
            self.contrast[which],
            self.stroke[which],
        )


def find_runs(mask: Mask) -> Runs:
    """Runs of True along the rows of `mask`."""
    height, width = mask.shape
    edged = np.zeros((height, width + 1), bool)  # one False ends each row
    edged[:, :-1] = mask
    flat = edged.reshape(-1)
    changes = np.flatnonzero(flat[1:] != flat[:-1]) + 1
    if flat[0]:
        changes = np.concatenate([[0], changes])
    row, left = np.divmod(changes[::2], width + 1)
    return Runs(row, left, changes[1::2] - row * (width + 1))


def label_runs(runs: Runs, width: int) -> Ints:
    """Component number from 0 of each run, 8-connected."""
    count = len(runs.row)
    if count == 0:
        return np.zeros(0, np.int64)
    stride = width + 2
    starts = runs.row * stride + runs.left
    ends = runs.row * stride + runs.right
    # Runs of the next row that touch [left - 1, right + 1).
    first = np.searchsorted(ends, (runs.row + 1) * stride + runs.left, side="left")
    last = np.searchsorted(starts, (runs.row + 1) * stride + runs.right, side="right")
    touching = np.maximum(last - first, 0)
    above = np.repeat(np.arange(count), touching)
    offset = np.arange(len(above)) - np.repeat(np.cumsum(touching) - touching, touching)
    below = np.repeat(first, touching) + offset
    return union(count, above, below)


def union(count: int, one: Ints, other: Ints) -> Ints:
    """Number from 0 of the connected set of each of `count` nodes joined by edges one-other."""
    root = np.arange(count)
    while True:
        low = np.minimum(root[one], root[other])
        before = root.copy()
        np.minimum.at(root, root[one], low)
        np.minimum.at(root, root[other], low)
        while True:
            jumped = root[root]
            if np.array_equal(jumped, root):
                break
            root = jumped
        if np.array_equal(before, root):
            break
    numbers: Ints = np.unique(root, return_inverse=True)[1].reshape(-1).astype(np.int64)
    return numbers


def find_components(mask: Mask, contrast: FloatArray) -> Components:
    """Connected pieces of `mask`, 8-connected; `contrast` has the shape of `mask`."""
    runs = find_runs(mask)
    labels = label_runs(runs, mask.shape[1])
    count = int(labels.max()) + 1 if len(labels) else 0
    length = runs.right - runs.left
    # The values under the mask lie run after run.
    starts = np.cumsum(length) - length
    weight = np.add.reduceat(contrast[mask], starts) if count else np.zeros(0, np.float32)
    box = np.zeros((4, count), np.float32)
    box[:2] = np.inf
    np.minimum.at(box[0], labels, runs.left)
    np.minimum.at(box[1], labels, runs.row)
    np.maximum.at(box[2], labels, runs.right)
    np.maximum.at(box[3], labels, runs.row + 1)
    area = np.bincount(labels, length, minlength=count).astype(np.float32)
    total = np.bincount(labels, weight, minlength=count)
    mean = (total / np.maximum(area, 1)).astype(np.float32)
    rows = np.bincount(labels, minlength=count)
    stroke = (area / np.maximum(rows, 1)).astype(np.float32)
    return Components(box[0], box[1], box[2], box[3], area, mean, stroke)
