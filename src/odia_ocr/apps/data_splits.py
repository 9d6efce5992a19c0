"""`odia-ocr data split`: the lines of sets listed, and the lists written."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from odia_ocr.apps.data_told import TellFew, to_json
from odia_ocr.apps.messages import say

if TYPE_CHECKING:
    from odia_ocr.data.sets.formats import SampleSet
    from odia_ocr.data.sets.split import Division, SplitLine
    from odia_ocr.data.sets.split_list import ListedLine


def list_lines(
    sets: list[SampleSet], out: Path, by: str, tell: TellFew
) -> tuple[list[ListedLine], list[SplitLine]]:
    """The usable lines of sets, as a list holds them and as they are divided."""
    from odia_ocr.data.sets.convert import keep_usable
    from odia_ocr.data.sets.split import BY_TEXT, SplitLine, find_group, group_by_text
    from odia_ocr.data.sets.split_list import list_line
    from odia_ocr.data.texts import find_letter_words

    listed: list[ListedLine] = []
    words: list[tuple[str, ...]] = []
    groups: list[str] = []
    for one in sets:
        for sample in keep_usable([one], tell=tell):
            listed.append(list_line(one, sample, out))
            words.append(tuple(find_letter_words(sample.text)))
            groups.append(find_group(sample, by))
    if by == BY_TEXT:
        groups = group_by_text(words)
    return listed, [SplitLine(*pair) for pair in zip(groups, words, strict=True)]


def write_splits(
    out: Path,
    sets: list[SampleSet],
    listed: list[ListedLine],
    division: Division,
    settings: Mapping[str, Any],
) -> None:
    """The lists, and the manifest that says how they were made."""
    from odia_ocr.data.sets.split_list import MANIFEST, write_list
    from odia_ocr.evaluate.report import write_report

    out.mkdir(parents=True, exist_ok=True)
    counts: dict[str, Any] = {}
    for name in settings["shares"]:
        members = [
            line for line, split in zip(listed, division.splits, strict=True) if split == name
        ]
        write_list(members, out / f"{name}.jsonl")
        counts[name] = {
            "lines": len(members),
            "characters": sum(len(line.text) for line in members),
            "sources": len({line.source for line in members}),
            "left_out_as_copies": division.left_out.get(name, 0),
        }
        say(
            f"{name}: {len(members)} lines, {counts[name]['sources']} sources in {out / name}.jsonl"
        )
    lost = sum(division.left_out.values())
    if lost:
        say(f"{lost} lines are in no split: their text stands in a smaller one, too.")
    sources = {} if settings["by"] == "text" else dict(division.groups)
    record = {
        "schema": 1,
        "sets": [{"name": one.name, "format": one.format.name} for one in sets],
        **settings,
        "splits": counts,
        "groups": sources,
    }
    write_report(out / MANIFEST, to_json(record))
