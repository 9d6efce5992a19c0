"""Read documents become answers: one file, or a zip where there are several.

Files are written by the exporters of the command; nothing here knows a format. Corrections are laid
over the pages on their way.
"""

from __future__ import annotations

import re
import tempfile
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import BinaryIO, cast

from odia_ocr.apps.serve.failures import ConflictError
from odia_ocr.curate.labelling import CHOSEN, LINES, Batch, BatchLine, describe_batch
from odia_ocr.curate.strategies import Choice
from odia_ocr.export.formats import Format
from odia_ocr.export.origin import Origin
from odia_ocr.types import Page, Problem

_IN_MEMORY = 4_000_000  # bytes of an answer; larger ones go to an unnamed file
_CHUNK = 1 << 18
_JOINTS = {"txt": (b"", b"\f", b""), "json": (b'{"documents": [\n', b",\n", b"]}\n")}
_UNSAFE = re.compile(r"[^\w.-]+")


@dataclass(frozen=True, slots=True)
class ReadDocument:
    """A document that was read, or why it was not.

    Attributes:
        name: What it is called.
        content: Its file; None when it was not kept.
        pages: Gives its pages, again at each call.
        problems: Of the file, of pages that failed.
    """

    name: str
    content: Path | None = None
    pages: Callable[[], Iterator[Page]] = lambda: iter(())
    problems: tuple[Problem, ...] = ()


def _spool() -> BinaryIO:
    return cast("BinaryIO", tempfile.SpooledTemporaryFile(_IN_MEMORY))


@dataclass(slots=True)
class Answer:
    """The bytes of an answer, and how they are labelled.

    Attributes:
        media_type: Of the bytes.
        file_name: For saving; ASCII letters, digits, dots, hyphens and underscores.
        stream: The bytes, from the start.
    """

    media_type: str
    file_name: str
    stream: BinaryIO = field(default_factory=_spool)

    def chunks(self) -> Iterator[bytes]:
        """The bytes in pieces; closes the stream at the end."""
        with self.stream:
            self.stream.seek(0)
            while chunk := self.stream.read(_CHUNK):
                yield chunk


def write_answer(documents: Sequence[ReadDocument], form: Format) -> Answer:
    """Write documents in a format.

    One document is one file. Of several, text is joined by form feeds and JSON becomes
    `{"documents": [...]}`; other formats become a zip of those that could be read, as do formats
    that hold one page a file when there are several pages.

    Raises:
        OutputError: If the format cannot be written.
    """
    if len(documents) > 1 and form.name in _JOINTS:
        return _write_joined(documents, form)
    files = _list_files(documents, form)
    first, second = next(files, None), next(files, None)
    if first is not None and second is None and len(documents) == 1:
        answer = Answer(form.media_type, first.name)
        _write(first, form, answer.stream)
        return answer
    answer = Answer("application/zip", _safe_stem(documents[0].name) + ".zip")
    with zipfile.ZipFile(answer.stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in chain(filter(None, (first, second)), files):
            with archive.open(file.name, "w", force_zip64=True) as stream:
                _write(file, form, cast("BinaryIO", stream))
    return answer


@dataclass(frozen=True, slots=True)
class _File:
    """A file to be written: its name, its document and the pages that it holds."""

    name: str
    document: ReadDocument
    pages: Iterable[Page]


def _list_files(documents: Iterable[ReadDocument], form: Format) -> Iterator[_File]:
    used: set[str] = set()
    for document in documents:
        if document.content is None:
            continue
        stem = _free_stem(_safe_stem(document.name), used)
        if not form.one_page:
            yield _File(stem + form.suffix, document, document.pages())
            continue
        for position, page in enumerate(document.pages()):
            part = f".p{page.number:04d}" if position else ""
            yield _File(f"{stem}{part}{form.suffix}", document, (page,))


def _write(file: _File, form: Format, stream: BinaryIO) -> None:
    origin = Origin(file.document.name, file.document.content, file.document.problems)
    form.open(origin)(((page, None) for page in file.pages), stream)


def _write_joined(documents: Sequence[ReadDocument], form: Format) -> Answer:
    """Documents of text with form feeds between them; JSON documents as a list."""
    head, between, tail = _JOINTS[form.name]
    answer = Answer(form.media_type, _safe_stem(documents[0].name) + form.suffix)
    answer.stream.write(head)
    for position, document in enumerate(documents):
        if position:
            answer.stream.write(between)
        _write(_File("", document, document.pages()), form, answer.stream)
    answer.stream.write(tail)
    return answer


@dataclass(frozen=True, slots=True)
class TruthLine:
    """A line whose text is known.

    Attributes:
        name: Of its files.
        picture: PNG.
        text: Its text.
        read: What had been read.
        confidence: That this was right, 0..1 or None.
    """

    name: str
    picture: bytes
    text: str
    read: str
    confidence: float | None


def write_training_lines(name: str, engine: str, lines: Iterable[TruthLine]) -> Answer:
    """A zip that is, once unpacked, a labelled batch: `curate collect` and `train ctc --data` take
    it.

    Args:
        name: Of the document.
        engine: What read it.
        lines: Whose text is known.

    Raises:
        ConflictError: If there are no lines.
    """
    answer = Answer("application/zip", _safe_stem(name) + "-lines.zip")
    batch: list[BatchLine] = []
    with zipfile.ZipFile(answer.stream, "w", zipfile.ZIP_STORED) as archive:
        for line in lines:
            doubt = round(1.0 - (line.confidence or 0.0), 4)
            choice = Choice(line.name, len(batch) + 1, doubt, {"accepted": True})
            batch.append(BatchLine(choice, line.name, line.read))
            archive.writestr(f"{LINES}/{line.name}.png", line.picture)
            archive.writestr(f"{LINES}/{line.name}.gt.txt", line.text + "\n")
        facts = {"strategy": "review", "pool": name, "engine": engine}
        archive.writestr(CHOSEN, describe_batch(Batch(Path(), tuple(batch), facts)))
    if not batch:
        raise ConflictError(
            "No line of this document has been accepted yet.",
            next_step="Accept lines on the review page first.",
        )
    return answer


def _safe_stem(name: str) -> str:
    """What a name gives for a file name of ours: ASCII, no separators, never empty."""
    stem = _UNSAFE.sub("-", name.rsplit(".", 1)[0].encode("ascii", "ignore").decode())
    return stem.strip("-._")[:80] or "document"


def _free_stem(stem: str, used: set[str]) -> str:
    free, number = stem, 1
    while free.casefold() in used:
        number += 1
        free = f"{stem}-{number}"
    used.add(free.casefold())
    return free
