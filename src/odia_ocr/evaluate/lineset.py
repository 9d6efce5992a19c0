"""A set for measuring lines: a folder of NAME.png|jpg|... beside NAME.gt.txt.

Knows the folder's layout and the optional `metadata.jsonl`; refuses to know engines and scores.
Transcriptions are kept as written (NFC only): folding is the scores' matter.
"""

from __future__ import annotations

import hashlib
import json
import unicodedata
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from odia_ocr.errors import DataError, FileMissingError
from odia_ocr.types import LineImage, Problem

PICTURES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".webp", ".bmp")
TRANSCRIPTION = ".gt.txt"
METADATA = "metadata.jsonl"
GROUP_FIELDS = ("group", "face", "family", "kind")

_LAYOUT = "A set is a folder of NAME.png (or .jpg) beside NAME.gt.txt, UTF-8."


@dataclass(frozen=True, slots=True)
class GroupLabel:
    """One way a line is grouped, e.g. by "face" into "Noto Sans Oriya"."""

    by: str
    group: str


@dataclass(frozen=True, slots=True)
class LineSample:
    """One line of a set.

    Attributes:
        name: File name of the picture without its ending; unique in the set.
        picture: The picture file.
        text: The transcription, NFC, one line.
        labels: The groups it belongs to.
    """

    name: str
    picture: Path
    text: str
    labels: tuple[GroupLabel, ...] = ()

    def load(self) -> LineImage:
        """Decode the picture.

        Raises:
            InputError: If it is missing, corrupt or too large.
        """
        from odia_ocr.pages.images import open_pages

        with closing(open_pages(self.picture)) as file:
            return LineImage(self.name, file.load(1).pixels)


@dataclass(frozen=True, slots=True)
class LineSet:
    """The lines of a folder, by name, and what could not be used.

    Attributes:
        folder: Where it was read.
        samples: Never empty.
        problems: Pictures without transcription and transcriptions without picture.
    """

    folder: Path
    samples: tuple[LineSample, ...]
    problems: tuple[Problem, ...] = ()

    @property
    def digest(self) -> str:
        """First 12 hex digits of the SHA-256 of names and transcriptions: names the set."""
        content = "\n".join(f"{sample.name}\t{sample.text}" for sample in self.samples)
        return hashlib.sha256(content.encode()).hexdigest()[:12]


def read_line_set(folder: Path) -> LineSet:
    """Read a set.

    Lines are grouped by the fields group, face, family and kind of `metadata.jsonl` where that
    exists, else by the part of their name before the first underscore.

    Raises:
        FileMissingError: If the folder does not exist.
        DataError: If it holds no labelled picture, or a transcription or the metadata is
            malformed; the message names the file.
    """
    if not folder.exists():
        raise FileMissingError(f"{folder} does not exist.", next_step="Check the path.")
    if not folder.is_dir():
        raise DataError(f"{folder} is no folder.", next_step=_LAYOUT)
    files = sorted(path for path in folder.iterdir() if path.is_file())
    pictures = [path for path in files if path.suffix.lower() in PICTURES]
    texts = {path.name.removesuffix(TRANSCRIPTION): path for path in files if _is_text(path)}
    labels = read_metadata(folder / METADATA)
    samples: dict[str, LineSample] = {}
    problems: list[Problem] = []
    for picture in pictures:
        name = picture.stem
        if name not in texts:
            message = f"{picture.name} has no transcription {name}{TRANSCRIPTION} and is left out."
            step = "Add the transcription or remove the picture."
            problems.append(Problem("transcription-missing", message, step, line_id=name))
        elif name in samples:
            raise DataError(
                f"{folder}: {samples[name].picture.name} and {picture.name} share one name.",
                next_step="Give each picture its own name.",
            )
        else:
            labelled = labels.get(picture.name) if labels is not None else _label_by_name(name)
            text = _read_text(texts[name])
            samples[name] = LineSample(name, picture, text, labelled or ())
    known = {picture.stem for picture in pictures}
    for name, path in texts.items():
        if name not in known:
            message = f"{path.name} has no picture and is left out."
            problems.append(Problem("picture-missing", message, "Add the picture.", line_id=name))
    if not samples:
        raise DataError(
            f"{folder} holds no picture with a transcription"
            f" ({len(pictures)} pictures, {len(texts)} transcriptions).",
            next_step=_LAYOUT,
        )
    return LineSet(folder, tuple(samples.values()), tuple(problems))


def _is_text(path: Path) -> bool:
    return path.name.endswith(TRANSCRIPTION)


def _read_text(path: Path) -> str:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(
            f"{path} is not UTF-8 (byte {error.start}).", next_step="Save it as UTF-8."
        ) from None
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}.") from None
    text = unicodedata.normalize("NFC", text).strip()
    if not text:
        raise DataError(
            f"{path} is empty.", next_step="Write the line's text, or remove picture and file."
        )
    if "\n" in text:
        raise DataError(
            f"{path} has {len(text.splitlines())} lines; a line picture has one.",
            next_step="Measure whole pages with --unit page.",
        )
    return text


def _label_by_name(name: str) -> tuple[GroupLabel, ...]:
    prefix, mark, _ = name.partition("_")
    return (GroupLabel("name", prefix),) if mark and prefix else ()


def read_metadata(
    path: Path, fields: Sequence[str] = GROUP_FIELDS
) -> dict[str, tuple[GroupLabel, ...]] | None:
    """Labels by the picture's file name; None without the file.

    Args:
        path: The `metadata.jsonl`.
        fields: Which of its fields group.

    Raises:
        DataError: If a row is malformed; the message names file and line.
    """
    if not path.is_file():
        return None
    labels: dict[str, tuple[GroupLabel, ...]] = {}
    try:
        rows = path.read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError as error:
        raise DataError(f"{path} is not UTF-8 (byte {error.start}).") from None
    for number, row in enumerate(rows, start=1):
        if not row.strip():
            continue
        try:
            values = json.loads(row)
            labels[str(values["file"])] = tuple(
                GroupLabel(by, str(values[by])) for by in fields if values.get(by) not in (None, "")
            )
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise DataError(
                f"{path}, line {number}: no JSON object with a field 'file' ({error}).",
                next_step="Correct the line, or remove the file.",
            ) from None
    return labels
