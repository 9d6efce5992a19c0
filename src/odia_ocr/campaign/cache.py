"""What a campaign has computed, kept on disk under what it was computed from.

A file's name is the digest of everything that decides its content: the engine and the hash of its
weights, the settings, the digest of the set. Each file also names the version of the program and of
the code that made it; one of another version is computed again, and a note says so. Files appear
whole or not at all, so a campaign that was killed goes on where it stopped.
"""

from __future__ import annotations

import functools
import hashlib
import io
import json
import zipfile
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np

from odia_ocr.campaign.packing import Array, Arrays
from odia_ocr.data.sets.out_files import write_whole
from odia_ocr.errors import OutputError

FORMAT = 1
_DAMAGED = (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error)
Say = Callable[[str], None]
Key = Mapping[str, Any]


@functools.cache
def digest_code(places: tuple[str, ...]) -> str:
    """First 12 hex digits of the SHA-256 of sources: rooms or files of the package."""
    package = Path(str(files("odia_ocr")))
    digest = hashlib.sha256()
    for place in places:
        paths = [package / place] if place.endswith(".py") else (package / place).rglob("*.py")
        for path in sorted(paths):
            digest.update(path.relative_to(package).as_posix().encode() + path.read_bytes())
    return digest.hexdigest()[:12]


def digest_file(path: Path) -> str:
    """First 12 hex digits of the SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:12]


def digest_key(key: Key) -> str:
    """First 20 hex digits of the SHA-256 of plain values."""
    text = json.dumps(key, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:20]


@dataclass(frozen=True, slots=True)
class Kept:
    """What a file of the cache holds.

    Attributes:
        arrays: The content.
        facts: Plain values beside it, e.g. the seconds it took.
    """

    arrays: Arrays
    facts: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Store:
    """A folder of computed things.

    Attributes:
        folder: Made when something is kept.
        say: Told about the first file of another version, the first unreadable one, a full disk.
    """

    folder: Path
    say: Say
    _told: set[str] = field(default_factory=set, repr=False, compare=False)

    def keep(self, key: Key, compute: Callable[[], Kept], *, code: str) -> Kept:
        """What is kept under a key; computed and kept when it is not there.

        Args:
            key: Plain values that decide the content.
            compute: Makes it.
            code: Digest of the code it depends on, see `digest_code`.

        Where it cannot be written, e.g. on a full disk, that is said once and nothing is kept.
        """
        path = self.folder / f"{digest_key(key)}.npz"
        stamp = {
            "format": FORMAT,
            "version": version("odia-ocr"),
            "code": code,
            "key": json.loads(json.dumps(key, ensure_ascii=False)),
        }
        found = self._find(path, stamp)
        if found is None:
            found = compute()
            content = _write_arrays({**found.arrays, "facts": _pack({**found.facts, **stamp})})
            try:
                write_whole(path, content)
            except OutputError as error:
                self._tell("full", f"{error.message} It goes on without keeping what it computes.")
        return found

    def _tell(self, kind: str, message: str) -> None:
        """Tell the first of each kind: what happens to one file happens to a hundred."""
        if kind not in self._told:
            self._told.add(kind)
            self.say(message)

    def _find(self, path: Path, stamp: Mapping[str, Any]) -> Kept | None:
        if not path.exists():
            return None
        try:
            with np.load(path, allow_pickle=False) as file:
                arrays = {name: file[name] for name in file.files}
            facts = json.loads(arrays.pop("facts").tobytes().decode())
        except _DAMAGED as error:
            self._tell(
                "damaged",
                f"{path.name} of the cache cannot be read ({error}); such files are made again.",
            )
            return None
        differing = [name for name in stamp if facts.get(name) != stamp[name]]
        if differing:
            self._tell(
                "other",
                f"{path.name} of the cache is of another {' and '.join(differing)}; such files are "
                "made again.",
            )
            return None
        return Kept(arrays, {name: facts[name] for name in facts if name not in stamp})


def _write_arrays(arrays: Arrays) -> bytes:
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)  # type: ignore[arg-type]
    return buffer.getvalue()


def _pack(values: Mapping[str, Any]) -> Array:
    return np.frombuffer(json.dumps(values, ensure_ascii=False).encode(), np.uint8)
