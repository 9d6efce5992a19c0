"""Lists that divide sets without copying them: which line of which set belongs to which split.

`split.json` says where the sets lie and how they were divided; `NAME.jsonl` beside it has a row for
each line of a split. Either can be read as a set.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from odia_ocr.data.sets.out_files import told_as_output
from odia_ocr.data.sets.sample import Sample
from odia_ocr.errors import DataError
from odia_ocr.types import Problem

if TYPE_CHECKING:
    from odia_ocr.data.sets.formats import SampleSet

MANIFEST = "split.json"
_HEAD = 1000


@dataclass(frozen=True, slots=True)
class ListedLine:
    """A row of a list.

    Attributes:
        set: Path of the set, relative to the list, or its name on the hub.
        format: Of the set.
        id: Of the sample.
        split: That the sample had in its set; ids are unique within one.
        text: As it was when the list was made.
        source: What it comes from.
    """

    set: str
    format: str
    id: str
    split: str
    text: str
    source: str


def is_list(path: Path) -> bool:
    """Whether a file is a list or a manifest of lists."""
    if path.name == MANIFEST:
        return True
    if path.suffix.lower() != ".jsonl":
        return False
    try:
        with path.open(encoding="utf-8") as rows:
            first = json.loads(rows.readline(100_000))
    except (OSError, ValueError):
        return False
    return isinstance(first, dict) and {"set", "format", "id"} <= first.keys()


def list_line(one: SampleSet, sample: Sample, folder: Path) -> ListedLine:
    """The row of a sample in a list that will lie in `folder`."""
    remote = one.format.name == "hub"
    where = one.name if remote else os.path.relpath(one.name, folder)
    return ListedLine(where, one.format.name, sample.id, sample.split, sample.text, sample.source)


def write_list(lines: Iterable[ListedLine], path: Path) -> int:
    """Write a list; returns how many rows it has.

    Raises:
        OutputError: If it cannot be written.
    """
    count = 0
    with told_as_output(path), path.open("w", encoding="utf-8") as stream:
        for line in lines:
            row = {name: getattr(line, name) for name in ListedLine.__dataclass_fields__}
            stream.write(json.dumps(row, ensure_ascii=False) + "\n")
            count += 1
    return count


def read_list(path: Path, open_set: Callable[..., SampleSet]) -> Iterator[Sample | Problem]:
    """The lines of a list, or of all lists of a manifest, in the order of their sets.

    Args:
        path: `NAME.jsonl` or `split.json`.
        open_set: Opens the sets that it speaks of.

    Raises:
        DataError: If it is malformed.
    """
    lists = [path] if path.suffix == ".jsonl" else _lists_of(path)
    for one in lists:
        yield from _read_one(one, open_set)


def _lists_of(path: Path) -> list[Path]:
    try:
        splits: Mapping[str, Any] = json.loads(path.read_text(encoding="utf-8"))["splits"]
        return [path.with_name(f"{name}.jsonl") for name in splits]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(
            f"{path} is not what `data split` writes: {error}.", next_step="Split again."
        ) from None


def _read_one(path: Path, open_set: Callable[..., SampleSet]) -> Iterator[Sample | Problem]:
    wanted: dict[tuple[str, str], Counter[tuple[str, str]]] = {}
    for line in _read_rows(path):
        # A set may give one id to several lines.
        wanted.setdefault((line.set, line.format), Counter())[line.split, line.id] += 1
    for (name, form), ids in wanted.items():
        where = name if form == "hub" else str(path.parent / name)
        for item in open_set(where, format=form):
            if isinstance(item, Problem):
                continue  # told when the list was made
            if ids[item.split, item.id] > 0:
                ids[item.split, item.id] -= 1
                yield replace(item, split=path.stem)
        for _, lost in ids.elements():
            message = f"{path.name} lists {lost}, which {where} no longer holds."
            yield Problem("line-missing", message, "Split the set again.", line_id=lost)


def _read_rows(path: Path) -> Iterator[ListedLine]:
    try:
        with path.open(encoding="utf-8") as rows:
            for number, row in enumerate(rows, start=1):
                try:
                    values = json.loads(row)
                    yield ListedLine(
                        **{name: str(values[name]) for name in ListedLine.__dataclass_fields__}
                    )
                except (ValueError, KeyError, TypeError) as error:
                    raise DataError(
                        f"{path}, line {number}: no row of a list ({error}).",
                        next_step="Split the set again.",
                    ) from None
    except OSError as error:
        raise DataError(
            f"{path} cannot be read: {error.strerror or error}.", next_step="Split the set again."
        ) from None
