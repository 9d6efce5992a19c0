"""Labelled line folders for training: NAME.png|jpg beside NAME.gt.txt."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from odia_ocr.errors import DataError
from odia_ocr.language import ALPHABET, normalise

if TYPE_CHECKING:
    from odia_ocr.types import GreyPixels

PICTURES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".webp", ".bmp")


@dataclass(frozen=True, slots=True)
class LabelledLine:
    """A line picture on disk and its normalised text."""

    path: str
    text: str

    def read_grey(self) -> GreyPixels:
        """Grey pixels, uint8 (h, w)."""
        with Image.open(self.path) as picture:
            return np.asarray(picture.convert("L"), np.uint8)


def load_labelled(folder: Path) -> tuple[LabelledLine, ...]:
    """All labelled lines of a folder whose text fits the alphabet, by name.

    Raises:
        DataError: If the folder is missing or no line can be used; the message says why.
    """
    if not folder.is_dir():
        raise DataError(
            f"No folder {folder}.", next_step="Name a folder of NAME.png + NAME.gt.txt."
        )
    lines: list[LabelledLine] = []
    unknown: set[str] = set()
    pictures = sorted(p for p in folder.iterdir() if p.suffix.lower() in PICTURES)
    for path in pictures:
        label = path.with_name(path.stem + ".gt.txt")
        if not label.exists():
            continue
        text = normalise(label.read_text(encoding="utf-8"))
        strange = {char for char in text if char not in ALPHABET}
        unknown |= strange
        if text and not strange:
            lines.append(LabelledLine(str(path), text))
    if not lines:
        detail = f" Characters outside the alphabet: {sorted(unknown)!r}." if unknown else ""
        raise DataError(
            f"No usable line among the {len(pictures)} pictures of {folder}.{detail}",
            next_step="Each picture NAME.png needs a transcription NAME.gt.txt.",
        )
    return tuple(lines)
