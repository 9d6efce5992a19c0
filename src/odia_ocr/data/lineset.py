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


@dataclass(frozen=True, slots=True)
class LabelledFolder:
    """The usable lines of a folder, and what was left out.

    Attributes:
        lines: By name.
        unlabelled: Pictures without a transcription.
        empty: Pictures with an empty transcription.
        outside: Pictures whose text leaves the alphabet.
        unknown: The characters that do.
    """

    lines: tuple[LabelledLine, ...]
    unlabelled: int = 0
    empty: int = 0
    outside: int = 0
    unknown: str = ""

    def __str__(self) -> str:
        parts = [f"{len(self.lines)} lines"]
        for count, what in (
            (self.unlabelled, "without a transcription"),
            (self.empty, "with an empty transcription"),
            (self.outside, f"with characters outside the alphabet ({self.unknown})"),
        ):
            if count:
                parts.append(f"{count} pictures {what} left out")
        return ", ".join(parts)


def load_labelled(folder: Path) -> LabelledFolder:
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
    unlabelled = empty = outside = 0
    pictures = sorted(p for p in folder.iterdir() if p.suffix.lower() in PICTURES)
    for path in pictures:
        label = path.with_name(path.stem + ".gt.txt")
        if not label.exists():
            unlabelled += 1
            continue
        text = normalise(label.read_text(encoding="utf-8"))
        strange = {char for char in text if char not in ALPHABET}
        unknown |= strange
        outside += bool(strange)
        empty += not text
        if text and not strange:
            lines.append(LabelledLine(str(path), text))
    if not lines:
        detail = f" Characters outside the alphabet: {sorted(unknown)!r}." if unknown else ""
        raise DataError(
            f"No usable line among the {len(pictures)} pictures of {folder}.{detail}",
            next_step="Each picture NAME.png needs a transcription NAME.gt.txt.",
        )
    return LabelledFolder(tuple(lines), unlabelled, empty, outside, "".join(sorted(unknown)))
