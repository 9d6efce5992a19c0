"""The outside of files that are mapped into memory: a header in JSON, then a body of numbers.

Layout: 8 bytes of magic, the length of the header (uint32, little endian), the header, padded so
that the body starts at a multiple of 64, the body. Refuses to know what the body holds.
"""

from __future__ import annotations

import contextlib
import json
import mmap
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from odia_ocr.errors import ModelMissingError, OutputError

_ALIGN = 64
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class MappedFile:
    """An open file.

    Attributes:
        memory: All of it.
        header: JSON values.
        start: Where the body begins in `memory`.
    """

    memory: mmap.mmap
    header: Mapping[str, Any]
    start: int


def write_mapped_file(path: Path, magic: bytes, header: Mapping[str, Any], body: bytes) -> None:
    """Write a file; it appears whole or not at all.

    Raises:
        OutputError: If it cannot be written.
    """
    head = json.dumps(header, ensure_ascii=False).encode()
    before = len(magic) + 4
    room = -(-(before + len(head)) // _ALIGN) * _ALIGN - before
    beside = path.with_name(path.name + ".part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        beside.write_bytes(magic + room.to_bytes(4, "little") + head.ljust(room) + body)
        beside.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            beside.unlink()
        raise OutputError(
            f"Cannot write {path}: {error.strerror or error}.", next_step="Check the folder."
        ) from error


def open_mapped_file(
    path: Path, magic: bytes, parse: Callable[[MappedFile], T], *, kind: str, next_step: str
) -> T:
    """Map a file that `write_mapped_file` wrote, and make of it what it stands for.

    Args:
        path: The file.
        magic: What it must begin with.
        parse: Raises ValueError, KeyError or TypeError where the file is not right.
        kind: What the file should be, for messages: "lexicon".
        next_step: Where to get one.

    Raises:
        ModelMissingError: If it is missing, cut short or something else.
    """
    try:
        with path.open("rb") as stream:
            memory = mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)
    except (OSError, ValueError) as error:
        raise ModelMissingError(f"No {kind} {path} ({error}).", next_step=next_step) from error
    try:
        if memory[: len(magic)] != magic:
            raise ValueError("it begins otherwise")
        at = len(magic) + 4
        start = at + int.from_bytes(memory[len(magic) : at], "little")
        return parse(MappedFile(memory, json.loads(memory[at:start].decode()), start))
    except (ValueError, KeyError, TypeError) as error:
        raise ModelMissingError(
            f"{path} is not a {kind} of this program ({error}).", next_step=next_step
        ) from error
