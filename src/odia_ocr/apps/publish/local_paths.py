"""No path of this machine is published: folders of results are cut off, other texts are refused.

A path tells who made a model and where, and leads nobody else anywhere.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from odia_ocr.apps.publish.hub import UploadFile
from odia_ocr.errors import DataError

_PART = r"[^\s/\\\"'`<>|()\[\]{},;:*?#]+"
_ROOTED = re.compile(rf"(?<![\w./\\<~-])(?:[A-Za-z]:\\{{1,2}}|/)(?:{_PART}[/\\]+)+{_PART}")
_RELATIVE = re.compile(rf"(?<![\w/\\])(?:{_PART}/)+{_PART}")
_HOMES = re.compile(r"/(?:home|Users|root)/|[A-Za-z]:\\")
_EVERYWHERE = ("/usr/", "/bin/", "/etc/", "/dev/", "/lib/")  # of any machine: they tell nothing
# What records of results call engines and sets by.
_NAMES = {"engine", "engines", "first", "second", "set", "folder", "also", "single", "members"}
_NO_TEXTS = {"tokenizer.json", "vocab.json", "merges.txt"}  # any syllables, also "/usr/local"
_TEXTS = {".json", ".md", ".txt", ".jinja", ".py", ""}
_SAID_BY_LIBRARIES = ("name_or_path", "_name_or_path")  # where a model was loaded from
_LONGEST_HEADER = 1 << 26


def shorten_paths(text: str) -> str:
    """A text with the last part of each rooted path in its place: "vlm:/a/b" -> "vlm:b"."""
    return _ROOTED.sub(lambda found: _take_last(found[0]), text)


def shorten_name(name: str) -> str:
    """An engine or set without folders; the ids of a hub, OWNER/NAME, stay."""

    def shorten(found: re.Match[str]) -> str:
        path = found[0]
        on_hub = path.count("/") == 1 and not path.startswith(".") and not _exists(Path(path))
        return path if on_hub else _take_last(path)

    return _RELATIVE.sub(shorten, shorten_paths(name))


def _take_last(path: str) -> str:
    return re.split(r"[/\\]", path)[-1]


def shorten_record(record: Any, key: str = "") -> Any:
    """A record of results with all its paths shortened."""
    if isinstance(record, dict):
        return {name: shorten_record(value, name) for name, value in record.items()}
    if isinstance(record, list):
        return [shorten_record(value, key) for value in record]
    if isinstance(record, str):
        return shorten_name(record) if key in _NAMES else shorten_paths(record)
    return record


def clean_config(name: str, data: bytes) -> bytes:
    """A configuration without what libraries note of the folder that a model was loaded from."""
    if not name.endswith(".json") or not any(key.encode() in data for key in _SAID_BY_LIBRARIES):
        return data
    try:
        values = json.loads(data)
    except ValueError:
        return data
    if not isinstance(values, dict):
        return data
    local = [
        key
        for key in _SAID_BY_LIBRARIES
        if (said := values.get(key)) and shorten_name(str(said)) != said
    ]
    kept = {key: value for key, value in values.items() if key not in local}
    return data if not local else (json.dumps(kept, indent=2, ensure_ascii=False) + "\n").encode()


def refuse_local_paths(files: Iterable[UploadFile], folder: Path) -> None:
    """Look through the files of an upload.

    Args:
        files: All of them.
        folder: That they come from.

    Raises:
        DataError: If one of them holds a path of this machine.
    """
    found = [f"{file.name}: {said}" for file in files for said in _look_through(file, folder)]
    if found:
        more = f" and {len(found) - 5} more" if len(found) > 5 else ""
        raise DataError(
            f"Paths of this machine would be published: {'; '.join(found[:5])}{more}.",
            next_step="Take them out of these files; of an ONNX file, export it again without "
            "stack traces.",
        )


def _look_through(file: UploadFile, folder: Path) -> Iterator[str]:
    suffix = Path(file.name).suffix
    if file.name in _NO_TEXTS:
        return
    if suffix in _TEXTS:
        for number, line in enumerate(file.read().decode("utf-8", "replace").splitlines(), 1):
            for path in _ROOTED.findall(line):
                if _is_local(path):
                    yield f"{path} in line {number}"
    elif suffix == ".safetensors":
        yield from filter(_is_local, _ROOTED.findall(_read_header(file)))
    else:
        data = file.read()
        yield from (place for place in _list_own(folder) if f"{place}/".encode() in data)


def _is_local(path: str) -> bool:
    if path.startswith(_EVERYWHERE):
        return False
    return bool(_HOMES.match(path)) or _exists(Path(*Path(path).parts[:3]))


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):  # too long to be one, or not to be seen
        return False


def _read_header(file: UploadFile) -> str:
    """What stands beside the tensors of a safetensors file."""
    if isinstance(file.content, bytes):
        return ""
    with file.content.open("rb") as stream:
        length = int.from_bytes(stream.read(8), "little")
        header = json.loads(stream.read(min(length, _LONGEST_HEADER)))
    return json.dumps(header.get("__metadata__", {}), ensure_ascii=False)


def _list_own(folder: Path) -> list[str]:
    """Folders of this machine that files with weights may speak of."""
    places = {Path.home(), Path.cwd(), folder.resolve(), Path(sys.prefix)}
    return sorted(str(place) for place in places if len(place.parts) > 1)
