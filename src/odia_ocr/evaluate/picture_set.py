"""A set for measuring: a folder of NAME.png|jpg|... beside NAME.gt.txt, and metadata.jsonl if any.

Knows the folder's layout; refuses to know what a picture shows, engines and scores. Transcriptions
are kept as written (NFC only): folding is the scores' matter.
"""

from __future__ import annotations

import hashlib
import json
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Generic, TypeAlias, TypeVar

from odia_ocr.errors import DataError, FileMissingError
from odia_ocr.types import Problem

PICTURES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".webp", ".bmp")
TRANSCRIPTION = ".gt.txt"
METADATA = "metadata.jsonl"
GROUP_FIELDS = ("group", "face", "family", "kind")


@dataclass(frozen=True, slots=True)
class GroupLabel:
    """One way a picture is grouped, e.g. by "face" into "Noto Sans Oriya"."""

    by: str
    group: str


Labels: TypeAlias = tuple[GroupLabel, ...]


@dataclass(frozen=True, slots=True)
class Sample:
    """A picture of a set; what is printed on it is the matter of `texts`.

    Attributes:
        name: File name of the picture without its ending; unique in the set.
        picture: The picture file.
        labels: The groups it belongs to.
    """

    name: str
    picture: Path
    labels: Labels = field(default=(), kw_only=True)

    @property
    def texts(self) -> tuple[str, ...]:
        """The printed lines."""
        raise NotImplementedError


AnySample = TypeVar("AnySample", bound=Sample)
ReadSample: TypeAlias = Callable[[Path, Path, Labels | None], AnySample]


@dataclass(frozen=True, slots=True)
class PictureSet(Generic[AnySample]):
    """The samples of a folder, by name, and what could not be used.

    Attributes:
        folder: Where it was read.
        samples: Never empty.
        problems: Pictures without transcription, transcriptions without picture, and what was
            skipped.
    """

    folder: Path
    samples: tuple[AnySample, ...]
    problems: tuple[Problem, ...] = ()

    @property
    def digest(self) -> str:
        """First 12 hex digits of the SHA-256 of names and transcriptions: names the set."""
        content = "\n".join("\t".join((sample.name, *sample.texts)) for sample in self.samples)
        return hashlib.sha256(content.encode()).hexdigest()[:12]


def read_pictures(
    folder: Path,
    read: ReadSample[AnySample],
    *,
    fields: Sequence[str],
    layout: str,
    skip: bool = False,
) -> PictureSet[AnySample]:
    """Read a set.

    Args:
        folder: Of the set.
        read: Makes a sample of a picture, its transcription's file and its labels; these are None
            where there is no `metadata.jsonl`.
        fields: Which fields of `metadata.jsonl` group.
        layout: What such a folder looks like, as the next step of errors.
        skip: Leave out samples that `read` refuses, as problems.

    Raises:
        FileMissingError: If the folder does not exist.
        DataError: If it holds no usable sample, or two of one name, or a malformed row of
            metadata; or what `read` raises, unless it is skipped.
    """
    if not folder.exists():
        raise FileMissingError(f"{folder} does not exist.", next_step="Check the path.")
    if not folder.is_dir():
        raise DataError(f"{folder} is no folder.", next_step=layout)
    files = sorted(path for path in folder.iterdir() if path.is_file())
    pictures = [path for path in files if path.suffix.lower() in PICTURES]
    texts = {
        path.name.removesuffix(TRANSCRIPTION): path
        for path in files
        if path.name.endswith(TRANSCRIPTION)
    }
    labels = _read_metadata(folder / METADATA, fields)
    samples: dict[str, AnySample] = {}
    problems: list[Problem] = []
    for picture in pictures:
        name = picture.stem
        if name not in texts:
            message = f"{picture.name} has no transcription {name}{TRANSCRIPTION} and is left out."
            step = "Add the transcription or remove the picture."
            problems.append(Problem("transcription-missing", message, step, line_id=name))
            continue
        if name in samples:
            raise DataError(
                f"{folder}: {samples[name].picture.name} and {picture.name} share one name.",
                next_step="Give each picture its own name.",
            )
        labelled = labels.get(picture.name, ()) if labels is not None else None
        try:
            samples[name] = read(picture, texts[name], labelled)
        except DataError as error:
            if not skip:
                raise
            message = f"{error.message} It is left out."
            problems.append(Problem(error.code, message, error.next_step, line_id=name))
    known = {picture.stem for picture in pictures}
    for name, path in texts.items():
        if name not in known:
            message = f"{path.name} has no picture and is left out."
            problems.append(Problem("picture-missing", message, "Add the picture.", line_id=name))
    if not samples:
        said = f" {problems[0].message}" if problems else ""
        raise DataError(
            f"{folder} holds no picture with a usable transcription"
            f" ({len(pictures)} pictures, {len(texts)} transcriptions).{said}",
            next_step=layout,
        )
    return PictureSet(folder, tuple(samples.values()), tuple(problems))


def read_transcription(path: Path, *, what: str) -> str:
    """The text of a file, NFC, without space around it.

    Args:
        path: The file.
        what: What the text is of, for the error, e.g. "line".

    Raises:
        DataError: If it is empty, not UTF-8 or cannot be read; the message names it.
    """
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
            f"{path} is empty.", next_step=f"Write the {what}'s text, or remove picture and file."
        )
    return text


def _read_metadata(path: Path, fields: Sequence[str]) -> dict[str, Labels] | None:
    """Labels by the picture's file name; None without the file."""
    if not path.is_file():
        return None
    labels: dict[str, Labels] = {}
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
