"""What is kept of a line when a set is looked through: its text and a few numbers of its picture.

Pixels are let go, so a set of any size can be looked at; everything that compares lines with each
other works on these facts.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageFilter

from odia_ocr.data.sets.sample import Sample
from odia_ocr.data.texts import find_letter_words
from odia_ocr.language import split_clusters
from odia_ocr.recognize.line_tensor import choose_grey

if TYPE_CHECKING:
    from odia_ocr.types import GreyPixels, Pixels

_CELLS = (48, 8)  # (width, height) of the grid that a picture's signature compares
SIGNATURE_BITS = _CELLS[0] * _CELLS[1]
_MARGIN = 0.08  # of the difference between the darkest cell and the lightest
_LOW = 24  # pixels: the height at which contrast is looked at, so that noise is averaged away
_GROUND = 12  # pixels: how far around the ground is taken from


@dataclass(frozen=True, slots=True)
class Facts:
    """A line without its pixels.

    Attributes:
        set: Name of the set it is in.
        id: Of the sample.
        split: Of the sample, or the set's name where several sets were given.
        source: Of the sample.
        text: As written.
        words: Its words for telling copies, see `find_letter_words`.
        size: (width, height) of the picture in pixels.
        contrast: How far the writing stands out from its ground, grey levels.
        pixels: Hash of the decoded pixels: equal for the same picture in another file format.
        signature: A bit for each cell of a small picture: alike for nearly the same picture.
    """

    set: str
    id: str
    split: str
    source: str
    text: str
    words: tuple[str, ...]
    size: tuple[int, int]
    contrast: float
    pixels: bytes
    signature: int

    @property
    def clusters(self) -> int:
        """Number of grapheme clusters of the text, spaces included."""
        return len(split_clusters(self.text))


def gather_facts(set_name: str, sample: Sample, pixels: Pixels) -> Facts:
    """The facts of a line whose picture was decoded."""
    grey = choose_grey(pixels)
    return Facts(
        set=set_name,
        id=sample.id,
        split=sample.split,
        source=sample.source,
        text=sample.text,
        words=tuple(find_letter_words(sample.text)),
        size=(int(pixels.shape[1]), int(pixels.shape[0])),
        contrast=measure_contrast(grey),
        pixels=_hash_pixels(pixels),
        signature=sign_picture(grey),
    )


def _hash_pixels(pixels: Pixels) -> bytes:
    # Grey saved as RGB is the same picture.
    if pixels.ndim == 3 and (pixels == pixels[:, :, :1]).all():
        pixels = pixels[:, :, 0]
    head = repr(pixels.shape).encode()
    return hashlib.blake2b(head + np.ascontiguousarray(pixels).tobytes(), digest_size=16).digest()


def measure_contrast(grey: GreyPixels) -> float:
    """How far the strongest strokes stand out from the ground around them, grey levels."""
    height, width = grey.shape
    target = (max(4, round(width * _LOW / height)), _LOW)
    small = Image.fromarray(grey).resize(target, Image.Resampling.BOX)
    values = np.asarray(small.filter(ImageFilter.MedianFilter(3)), np.float32)
    ground = np.asarray(small.filter(ImageFilter.BoxBlur(_GROUND)), np.float32)
    # The rim is left out: scans have shadows there.
    low, high = np.percentile((values - ground)[2:-2, 1:-1], [1, 99])
    return float(max(-low, high))


def sign_picture(grey: GreyPixels) -> int:
    """A bit for each cell of a grid: whether it is clearly lighter than the cell on its left.

    Source: the difference hash of N. Krawetz, "Kind of Like That" (2013), with wide cells, and a
    margin so that noise on paper says nothing.
    """
    columns, rows = _CELLS
    cells = Image.fromarray(grey).resize((columns + 1, rows), Image.Resampling.BOX)
    values = np.asarray(cells, np.int16)
    margin = _MARGIN * float(np.ptp(values))
    bits = (values[:, 1:] - values[:, :-1] > margin).ravel()
    return int.from_bytes(np.packbits(bits).tobytes(), "big")
