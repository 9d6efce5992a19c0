"""What a batch is given becomes a list of documents: files, folders, globs, lists, addresses.

An address (`s3://bucket/scans/`) is anything fsspec knows; its documents are fetched one by one
when their turn comes, into a private file.
"""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from odia_ocr.apps.inputs import STDIN, Input, expand_inputs, name_stem, natural_key
from odia_ocr.errors import (
    FileMissingError,
    InputError,
    OdiaOcrError,
    ResourceMissingError,
    UsageError,
    name_extra,
)

_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")


@dataclass(frozen=True, slots=True)
class Source:
    """A document of a batch.

    Attributes:
        name: As it was named, or found in a folder; tells it from all others.
        stem: Its output files would like to be called so.
        stamp: Changes when the file does; empty where that cannot be told.
    """

    name: str
    stem: str
    stamp: str


def is_address(name: str) -> bool:
    """Is a document fetched, and not just opened?"""
    return _ADDRESS.match(name) is not None


def list_sources(names: Iterable[str], *, output: Path) -> Iterator[Source | OdiaOcrError]:
    """The documents, in order, each once; what holds none gives an error in its place.

    Args:
        names: As typed: files, folders, globs, `@LIST` with a name a line, addresses.
        output: Folder the results go to; inside an input folder it is not read.

    Raises:
        UsageError: If standard input is named.
        ResourceMissingError: If an address needs a library that is not installed.
    """
    seen: set[str] = set()
    for name in names:
        for source in _expand(name, output, lists=True):
            if isinstance(source, OdiaOcrError):
                yield source
            elif source.name not in seen:
                seen.add(source.name)
                yield source


def fetch(address: str, target: Path) -> None:
    """Copy what lies at an address into a file.

    Raises:
        InputError: If it cannot be fetched.
    """
    with _told(address):
        system, path = _connect(address)
        system.get_file(path, str(target))


def _expand(name: str, output: Path, *, lists: bool) -> Iterator[Source | OdiaOcrError]:
    if name == STDIN:
        raise UsageError(
            "A batch does not read standard input: it could not be read again after a break.",
            next_step="Give a file, or use odia-ocr read.",
        )
    if lists and name.startswith("@"):
        yield from _expand_list(Path(name[1:]), output)
    elif is_address(name):
        yield from _expand_address(name)
    elif glob.has_magic(name) and not Path(name).exists():
        # Path.glob takes no absolute patterns.
        found = sorted(glob.glob(name, recursive=True), key=natural_key)  # noqa: PTH207
        if not found:
            yield InputError(f"{name}: nothing matches.", next_step="Check the pattern.")
        for match in found:
            yield from _expand_path(match, output)
    else:
        yield from _expand_path(name, output)


def _expand_list(path: Path, output: Path) -> Iterator[Source | OdiaOcrError]:
    try:
        text = path.read_text("utf-8")
    except FileNotFoundError:
        yield FileMissingError(f"{path} does not exist.", next_step="Check the path after @.")
        return
    except (OSError, UnicodeDecodeError) as error:
        yield InputError(
            f"{path} cannot be read as a list: {error}.",
            next_step="Give a UTF-8 text file with a path a line.",
        )
        return
    for row in text.splitlines():
        if row.strip():
            yield from _expand(row.strip(), output, lists=False)


def _expand_path(name: str, output: Path) -> Iterator[Source | OdiaOcrError]:
    for item in expand_inputs([name], output=output):
        if isinstance(item, Input) and item.path is not None:
            if not os.path.lexists(item.path):
                # Kept as a document it would count as failed in this batch for ever.
                yield FileMissingError(f"{item.name} does not exist.", next_step="Check the path.")
                continue
            yield Source(item.name, name_stem(item.path), _stamp(item.path))
        elif isinstance(item, OdiaOcrError):
            yield item


def _stamp(path: Path) -> str:
    try:
        status = path.stat()
    except OSError:  # what is wrong is told when it is opened
        return ""
    return f"{status.st_size}:{status.st_mtime_ns}"


def _expand_address(name: str) -> Iterator[Source | OdiaOcrError]:
    try:
        with _told(name):
            found = list(_find(name))
    except InputError as error:
        yield error
        return
    if not found:
        yield InputError(f"{name}: no pictures or PDFs there.", next_step="Check the address.")
    yield from found


def _find(name: str) -> Iterator[Source]:
    from odia_ocr.pages.images import PAGE_SUFFIXES

    system, path = _connect(name)
    if glob.has_magic(path):
        paths = system.glob(path)
    elif system.isdir(path):
        files = system.find(path)
        paths = [p for p in files if PurePosixPath(p).suffix.lower() in PAGE_SUFFIXES]
    elif system.exists(path):
        paths = [path]
    else:
        raise FileMissingError(f"{name} does not exist.", next_step="Check the address.")
    for file in sorted(paths, key=natural_key):
        stem = name_stem(Path(PurePosixPath(file).name))
        yield Source(system.unstrip_protocol(file), stem, str(system.ukey(file)))


def _connect(address: str) -> tuple[Any, str]:
    """The file system of an address, and the path there."""
    try:
        from fsspec.core import url_to_fs
    except ImportError as error:
        raise name_extra(error, "batch", doing="Fetching documents") from error
    try:
        system, path = url_to_fs(address)
    except ImportError as error:
        raise ResourceMissingError(
            f"{address} needs a library that is not installed: {error}.",
            next_step="Install it beside fsspec, e.g. s3fs for s3://.",
        ) from error
    return system, path


@contextmanager
def _told(address: str) -> Iterator[None]:
    """Turn whatever a remote file system raises into an `InputError`."""
    try:
        yield
    except OdiaOcrError:
        raise
    except Exception as error:  # each of them has its own family
        raise InputError(
            f"{address} cannot be fetched: {type(error).__name__}: {error}.",
            next_step="Check the address and what its service needs to let you in.",
        ) from error
