"""Files that data sets are written into: folders, names, bytes. Nothing is written over unasked."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from odia_ocr.data.sets.sample import Sample
from odia_ocr.errors import OutputError

_NOT_NAME = re.compile(r"[^\w.\-\u0b00-\u0b7f\u200c]+")


class FileNames:
    """Gives each sample a file name of its own in its split, without an ending."""

    def __init__(self) -> None:
        self._used: set[tuple[str, str]] = set()

    def make(self, sample: Sample) -> str:
        """The sample's id as a name; "-2" and so on is added where it is taken."""
        plain = sample.id.removeprefix(f"{sample.split}/") if sample.split else sample.id
        name = _NOT_NAME.sub("_", plain).lstrip(".") or "line"
        count = 1
        free = name
        while (sample.split, free) in self._used:
            count += 1
            free = f"{name}-{count}"
        self._used.add((sample.split, free))
        return free


def name_split(split: str) -> str:
    """A split's name as a folder or a part of a file name, wherever it came from."""
    return _NOT_NAME.sub("_", split).lstrip(".")


def describe(sample: Sample) -> dict[str, Any]:
    """What a written row says of a sample beside picture, text, source and split."""
    said: dict[str, Any] = dict(sample.extras)
    if sample.place is not None:
        said["page"] = sample.place.page.path.name
        said["page_number"] = sample.place.page.number
        said["polygon"] = [list(point) for point in sample.place.polygon]
    return said


def write_bytes(path: Path, data: bytes, *, append: bool = False) -> None:
    """Write, or add to, a file; its folder is made.

    Raises:
        OutputError: If it cannot be written.
    """
    with told_as_output(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("ab" if append else "wb") as stream:
            stream.write(data)


def write_whole(path: Path, data: bytes) -> None:
    """Write a file so that it is there whole or not at all, also when the process is killed.

    Raises:
        OutputError: If it cannot be written, e.g. because the disk is full.
    """
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with part.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)
        raise OutputError(
            f"{path} cannot be written: {error.strerror or error}.",
            next_step="Free some space or choose another folder, then start it again: it goes on "
            "where it stopped.",
        ) from error


@contextmanager
def told_as_output(path: Path) -> Iterator[None]:
    """Turn what the system says about writing into an `OutputError`."""
    try:
        yield
    except OSError as error:
        raise OutputError(
            f"{path} cannot be written: {error.strerror or error}.",
            next_step="Check the folder's permissions and the free space.",
        ) from error
