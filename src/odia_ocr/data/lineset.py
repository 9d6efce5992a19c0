"""Labelled line folders for training: NAME.png|jpg beside NAME.gt.txt."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from odia_ocr.data.faces import family_key, heldout_families
from odia_ocr.data.texts import SHIPPED, NearCopies, read_text_lines
from odia_ocr.errors import DataError
from odia_ocr.language import ALPHABET, normalise
from odia_ocr.pages.images import open_pages
from odia_ocr.recognize.line_tensor import choose_grey

if TYPE_CHECKING:
    from odia_ocr.types import GreyPixels

PICTURES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".webp", ".bmp")


@dataclass(frozen=True, slots=True)
class LabelledLine:
    """A line picture on disk and its normalised text."""

    path: str
    text: str

    def read_grey(self) -> GreyPixels:
        """Grey pixels, uint8 (h, w), opened and turned grey just as for reading."""
        return choose_grey(open_pages(self.path).load(1).pixels)


@dataclass(frozen=True, slots=True)
class LabelledFolder:
    """The usable lines of a folder, and what was left out.

    Attributes:
        lines: By name.
        unlabelled: Pictures without a transcription.
        empty: Pictures with an empty transcription.
        outside: Pictures whose text leaves the alphabet.
        unknown: The characters that do.
        heldout: Pictures of held-out text or faces of this project.
    """

    lines: tuple[LabelledLine, ...]
    unlabelled: int = 0
    empty: int = 0
    outside: int = 0
    unknown: str = ""
    heldout: int = 0

    def __str__(self) -> str:
        parts = [f"{len(self.lines)} lines"]
        for count, what in (
            (self.unlabelled, "without a transcription"),
            (self.empty, "with an empty transcription"),
            (self.outside, f"with characters outside the alphabet ({self.unknown})"),
            (self.heldout, "of held-out text or faces"),
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
    unlabelled = empty = outside = heldout = 0
    copies = NearCopies(read_text_lines(SHIPPED / "heldout.txt"))
    families = _read_families(folder / "metadata.jsonl")
    pictures = sorted(p for p in folder.iterdir() if p.suffix.lower() in PICTURES)
    for path in pictures:
        label = path.with_name(path.stem + ".gt.txt")
        if not label.exists():
            unlabelled += 1
            continue
        text = normalise(_read_label(label))
        if text in copies or family_key(families.get(path.name, "")) in heldout_families():
            heldout += 1
            continue
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
    return LabelledFolder(
        tuple(lines), unlabelled, empty, outside, "".join(sorted(unknown)), heldout
    )


def _read_label(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise DataError(
            f"{path} is not UTF-8 ({error.reason} at byte {error.start}).",
            next_step="Convert it, for example with iconv -t UTF-8.",
        ) from None


def _read_families(path: Path) -> dict[str, str]:
    """Picture name -> family of its face, where rendered lines say so."""
    if not path.exists():
        return {}
    try:
        rows = [json.loads(row) for row in path.read_text(encoding="utf-8").splitlines() if row]
        return {row["file"]: row.get("family", "") for row in rows}
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(
            f"{path} is not what `render lines` writes: {error}.", next_step="Remove or mend it."
        ) from error
