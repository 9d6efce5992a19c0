"""Labelled lines for training: the usable ones of a data set, and what was left out of it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from odia_ocr.data.faces import family_key, heldout_families
from odia_ocr.data.sets.formats import open_set
from odia_ocr.data.sets.sample import Picture
from odia_ocr.data.texts import SHIPPED, NearCopies, read_text_lines
from odia_ocr.errors import DataError
from odia_ocr.language import ALPHABET, normalise
from odia_ocr.recognize.line_tensor import choose_grey
from odia_ocr.types import Problem

if TYPE_CHECKING:
    from odia_ocr.types import GreyPixels

_UNLABELLED = ("transcription-missing", "text-empty")


@dataclass(frozen=True, slots=True)
class LabelledLine:
    """A line picture that was not opened yet, and its normalised text."""

    picture: Picture
    text: str

    def read_grey(self) -> GreyPixels:
        """Grey pixels, uint8 (h, w), opened and turned grey just as for reading."""
        return choose_grey(self.picture.load())


@dataclass(frozen=True, slots=True)
class LabelledFolder:
    """The usable lines of a set, and what was left out.

    Attributes:
        lines: In the order of the set.
        unlabelled: Pictures without a transcription.
        empty: Pictures with an empty transcription.
        outside: Pictures whose text leaves the alphabet.
        unknown: The characters that do.
        heldout: Pictures of held-out text or faces of this project.
        unusable: What else could not be read: see `data check`.
    """

    lines: tuple[LabelledLine, ...]
    unlabelled: int = 0
    empty: int = 0
    outside: int = 0
    unknown: str = ""
    heldout: int = 0
    unusable: int = 0

    def __str__(self) -> str:
        parts = [f"{len(self.lines)} lines"]
        for count, what in (
            (self.unlabelled, "without a transcription"),
            (self.empty, "with an empty transcription"),
            (self.outside, f"with characters outside the alphabet ({self.unknown})"),
            (self.heldout, "of held-out text or faces"),
            (self.unusable, "that cannot be read (odia-ocr data check)"),
        ):
            if count:
                parts.append(f"{count} pictures {what} left out")
        return ", ".join(parts)


def load_labelled(where: Path | str) -> LabelledFolder:
    """All labelled lines of a data set whose text fits the alphabet.

    Pictures are opened when they are needed, except those of tables, whose bytes stay in memory.

    Args:
        where: A set of any format of `odia_ocr.data.sets.formats`.

    Raises:
        FileMissingError: If there is nothing of that name.
        DataError: If it is no data set, or no line can be used; the message says why.
    """
    lines: list[LabelledLine] = []
    unknown: set[str] = set()
    left: Counter[str] = Counter()
    said = ""
    copies = NearCopies(read_text_lines(SHIPPED / "heldout.txt"))
    for item in open_set(where):
        if isinstance(item, Problem):
            left["unlabelled" if item.code in _UNLABELLED else "unusable"] += 1
            said = said or f" {item.message}"
            continue
        text = normalise(item.text)
        family = str(dict(item.extras).get("family", ""))
        strange = {char for char in text if char not in ALPHABET}
        if text in copies or family_key(family) in heldout_families():
            left["heldout"] += 1
        elif strange:
            unknown |= strange
            left["outside"] += 1
        elif not text:
            left["empty"] += 1
        else:
            lines.append(LabelledLine(item.picture, text))
    found = LabelledFolder(tuple(lines), unknown="".join(sorted(unknown)), **left)
    if not lines:
        raise DataError(
            f"No usable line in {where}: {found}.{said}",
            next_step="See what is wrong with them: odia-ocr data check.",
        )
    return found
