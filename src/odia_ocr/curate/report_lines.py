"""The lines of a report: what was printed, what was read, and what is known of their pictures.

Read are the JSON of `odia-ocr evaluate` on lines and on pages, and `evaluation_results.json` of a
campaign, which has wrong letters by line and no texts: those come from the set it was made on.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from odia_ocr.data.sets.formats import SampleSet, open_set
from odia_ocr.data.sets.sample import Sample
from odia_ocr.errors import DataError, InputError, name_choices

CAMPAIGN = "evaluation_results.json"
_FONTS = ("family", "face")  # fields of a set that name a line's type, the first there is counts


@dataclass(frozen=True, slots=True)
class ReadLine:
    """A line of a report.

    Attributes:
        name: Of the line, or of its page.
        reference: What is printed.
        hypothesis: What was read; None where the report does not say.
        edits: Wrong code points.
        length: Code points of the reference.
        traits: What is known of its picture: pairs like ("degradation", "blur").
        sample: The line in its set, where that is at hand.
    """

    name: str
    reference: str
    hypothesis: str | None
    edits: int
    length: int
    traits: tuple[tuple[str, str], ...] = ()
    sample: Sample | None = None


@dataclass(frozen=True, slots=True)
class ReadReport:
    """A report of one engine.

    Attributes:
        path: Its file.
        engine: Who read.
        set_name: What was read.
        unit: "line" or "page".
        lines: All of them.
        found: The set, where it is at hand.
    """

    path: Path
    engine: str
    set_name: str
    unit: str
    lines: tuple[ReadLine, ...]
    found: SampleSet | None = None


def read_report(path: Path, *, engine: str | None = None, data: str | None = None) -> ReadReport:
    """Read a report.

    Args:
        path: JSON of `evaluate`, or a campaign's folder or `evaluation_results.json`.
        engine: Whose lines; None takes the first engine, or a campaign's last stack.
        data: The set that was read; None looks where the report says.

    Raises:
        DataError: If it is no such report, or holds no lines.
        UsageError: If it has no such engine.
    """
    path = path / CAMPAIGN if path.is_dir() else path
    try:
        return _read(path, _load(path), engine, data)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise _refuse(path, f"{type(error).__name__}: {error}") from None


def _read(path: Path, record: dict[str, Any], engine: str | None, data: str | None) -> ReadReport:
    result = _find_result(record, engine)
    name = str(result.get("set", ""))
    where = data or (name if Path(name).exists() else None)
    found = open_set(where) if where else None
    samples = _list_samples(found) if found is not None else {}
    unit = str(result.get("unit", "line"))
    if "campaign" in record:
        lines = list(_join_edits(path, result, list(samples.values())))
    else:
        groups = {row["name"]: row.get("groups", {}) for row in record.get("pages", ())}
        own = [row for row in record.get("lines", ()) if row.get("engine") == result["engine"]]
        lines = [_make_line(row, groups, samples if unit == "line" else {}) for row in own]
    if not lines:
        raise DataError(
            f"{path} holds no lines of {result['engine']}: it was written without texts.",
            next_step="Measure again: odia-ocr evaluate SET --json FILE.",
        )
    return ReadReport(path, str(result["engine"]), name, unit, tuple(lines), found)


def _load(path: Path) -> dict[str, Any]:
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise _refuse(path, error.strerror or str(error)) from None
    except ValueError as error:
        raise _refuse(path, str(error)) from None
    if not isinstance(record, dict) or not record.get("results"):
        raise _refuse(path, "it has no results")
    return record


def _refuse(path: Path, said: str) -> DataError:
    return DataError(
        f"{path} is no report of an evaluation ({said}).",
        next_step="Name what `odia-ocr evaluate --json` or `campaign run` wrote.",
    )


def _find_result(record: Mapping[str, Any], engine: str | None) -> dict[str, Any]:
    results: list[dict[str, Any]] = record["results"]
    if engine is not None:
        for result in results:
            if engine in (result["engine"], result.get("name")):
                return result
        raise name_choices(engine, [result["engine"] for result in results], kind="engine")
    stack = (record.get("stack") or {}).get("signature")
    return next(
        (result for result in results if stack and result["signature"] == stack), results[0]
    )


def _list_samples(found: SampleSet) -> dict[str, Sample]:
    return {item.id: item for item in found if isinstance(item, Sample)}


def _make_line(
    row: Mapping[str, Any], pages: Mapping[str, Mapping[str, str]], samples: Mapping[str, Sample]
) -> ReadLine:
    sample = samples.get(row["name"])
    groups = {**pages.get(row["name"], {}), **row.get("groups", {})}
    traits = dict.fromkeys([*_tell_groups(groups), *(_tell_sample(sample) if sample else ())])
    reference = str(row["reference"])
    return ReadLine(
        name=str(row["name"]),
        reference=reference,
        hypothesis=str(row["hypothesis"]),
        edits=int(row["edits"]),
        length=int(row.get("length", len(reference))),
        traits=tuple(traits),
        sample=sample,
    )


def _tell_groups(groups: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for by, group in groups.items():
        if by in _FONTS:
            if by == next(name for name in _FONTS if name in groups):
                yield "font", str(group)
        else:
            yield by, str(group)


def _tell_sample(sample: Sample) -> Iterator[tuple[str, str]]:
    extras = dict(sample.extras)
    yield from _tell_groups({name: extras[name] for name in _FONTS if extras.get(name)})
    steps = extras.get("degradation")
    if isinstance(steps, Sequence) and not isinstance(steps, str):
        yield from (("degradation", str(step)) for step in (steps or ("none",)))


def _join_edits(
    path: Path, result: Mapping[str, Any], samples: Sequence[Sample]
) -> Iterator[ReadLine]:
    """A campaign's lines: those of its set whose pictures can be decoded, by name, as it read them.

    Raises:
        DataError: If the set is not at hand, or is another one.
    """
    edits = [int(one) for one in str(result.get("edits", "")).split()]
    usable = [sample for sample in sorted(samples, key=lambda one: one.id) if _is_usable(sample)]
    if not edits or len(usable) != len(edits):
        raise DataError(
            f"{path} knows wrong letters of {len(edits)} lines of {result.get('set')!r}, "
            f"{len(usable)} lines are at hand.",
            next_step="Name the folder that the campaign read: --data SET.",
        )
    for sample, wrong in zip(usable, edits, strict=True):
        traits = tuple(dict.fromkeys(_tell_sample(sample)))
        yield ReadLine(sample.id, sample.text, None, wrong, len(sample.text), traits, sample)


def _is_usable(sample: Sample) -> bool:
    """Whether a campaign reads it: one line of text, and a picture that can be decoded."""
    if len(sample.text.splitlines()) != 1:
        return False
    try:
        sample.picture.load()
    except InputError:
        return False
    return True
