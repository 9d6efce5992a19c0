"""What the command line names becomes a list of documents to read, each with its output name."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from odia_ocr.errors import InputError

STDIN = "-"
# PNG, JPEG, TIFF (both ways round), GIF, PDF. Two bytes of a BMP or PNM say too little.
_HEADS = (b"\x89PNG\r\n", b"\xff\xd8\xff", b"II*\0", b"MM\0*", b"GIF8", b"%PDF-")
OVERLAY_SUFFIX = ".overlay.png"


@dataclass(frozen=True, slots=True)
class Input:
    """One document to read.

    Attributes:
        path: The file, or None for standard input.
        name: What to call it in messages and results.
        stem: Of its output files; unique in one call.
    """

    path: Path | None
    name: str
    stem: str

    def content(self) -> Path | bytes:
        """What to open: the path, or the bytes of standard input."""
        return sys.stdin.buffer.read() if self.path is None else self.path


def expand_inputs(names: Iterable[str], *, output: Path | None) -> list[Input | InputError]:
    """Files as given, folders as the pictures and PDFs in them, "-" as standard input.

    Args:
        names: As typed.
        output: Folder the results go to; inside an input folder it is not read.

    Returns:
        In order; a folder that holds nothing to read gives an error in its place. A file that
        does not exist is found out when it is opened.
    """
    from odia_ocr.pages.images import PAGE_SUFFIXES

    found: list[Path | InputError | None] = []
    for name in names:
        path = Path(name)
        if name == STDIN:
            found.append(None)
        elif path.is_dir():
            files = list(_walk(path, output))
            if not files:
                found.append(
                    InputError(
                        f"{path}: no pictures or PDFs in this folder.",
                        next_step=f"Looked for {', '.join(sorted(PAGE_SUFFIXES))}.",
                    )
                )
            found.extend(files)
        else:
            found.append(path)
    return list(_name(found))


def _walk(folder: Path, output: Path | None) -> Iterator[Path | InputError]:
    """Files in natural order; a folder that may not be read gives an error in its place."""
    from odia_ocr.pages.images import PAGE_SUFFIXES

    skipped = output.resolve() if output is not None else None
    closed: list[OSError] = []
    for root, folders, files in os.walk(folder, onerror=closed.append):
        yield from map(_tell_closed, closed)
        closed.clear()
        here = Path(root)
        folders[:] = sorted(
            (f for f in folders if not f.startswith(".") and (here / f).resolve() != skipped),
            key=natural_key,
        )
        for file in sorted(files, key=natural_key):
            if file.startswith(".") or file.endswith(OVERLAY_SUFFIX):
                continue
            if Path(file).suffix.lower() in PAGE_SUFFIXES or _begins_like_a_page(here / file):
                yield here / file
    yield from map(_tell_closed, closed)


def _begins_like_a_page(path: Path) -> bool:
    """Is a file of another name a picture or PDF by its first bytes?"""
    try:
        with path.open("rb") as stream:
            head = stream.read(12)
    except OSError:
        return False
    webp = head.startswith(b"RIFF") and head[8:] == b"WEBP"
    return webp or head.startswith(_HEADS)


def _tell_closed(error: OSError) -> InputError:
    return InputError(
        f"{error.filename}: the folder cannot be read: {error.strerror or error}.",
        next_step="Check its permissions.",
    )


def natural_key(name: str) -> list[tuple[int, str]]:
    """Sort key: page-2 before page-10."""
    return [
        (int(part), "") if part.isdecimal() else (-1, part.casefold())
        for part in re.split(r"(\d+)", name)
    ]


def _name(found: list[Path | InputError | None]) -> Iterator[Input | InputError]:
    stems = iter(give_stems(name_stem(item) for item in found if not isinstance(item, InputError)))
    for item in found:
        if isinstance(item, InputError):
            yield item
        else:
            yield Input(item, "<stdin>" if item is None else str(item), next(stems))


def name_stem(path: Path | None) -> str:
    """What the output files of a document would be called; others may be called the same."""
    return "stdin" if path is None else path.stem or path.name


def give_stems(wanted: Iterable[str], *, taken: Iterable[str] = ()) -> list[str]:
    """The wanted stems in order; "-2" and so on is added to those that are taken.

    Case does not tell stems apart, because some file systems do not either.

    Args:
        wanted: One for each document.
        taken: Stems given out before.
    """
    wanted = list(wanted)
    own = {stem.casefold() for stem in wanted}
    used = {stem.casefold() for stem in taken}
    given: list[str] = []
    for stem in wanted:
        unique = stem
        number = 1
        while unique.casefold() in used or (number > 1 and unique.casefold() in own):
            number += 1
            unique = f"{stem}-{number}"
        used.add(unique.casefold())
        given.append(unique)
    return given
