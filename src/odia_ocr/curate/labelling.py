"""Batches of lines for people to label: pictures with the machine's reading as a draft, and back.

    BATCH/lines/NAME.png, NAME.gt.txt     the draft begins with a mark that no training takes
    BATCH/label-studio/                   the same as tasks with predictions
    BATCH/batch.html                      to look at
    BATCH/chosen.json                     which lines were chosen, and why

A draft is no transcription until somebody looked at it. So each begins with `DRAFT`, a character
outside the alphabet: training leaves such a line out, whoever reads the folder. Who has looked at
a line takes the mark away, with the text corrected or as it was.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from odia_ocr.curate.batch_page import make_page
from odia_ocr.curate.coverage import Covered
from odia_ocr.curate.strategies import Choice
from odia_ocr.data.sets import label_studio, picture_folder
from odia_ocr.data.sets.check import judge_text
from odia_ocr.data.sets.findings import NEXT_STEPS
from odia_ocr.data.sets.out_files import FileNames, told_as_output, write_whole
from odia_ocr.data.sets.sample import Sample, clean_text
from odia_ocr.errors import DataError, OutputError
from odia_ocr.language import normalise
from odia_ocr.types import Problem

DRAFT = "✎"
LINES, TASKS, PAGE, CHOSEN = "lines", "label-studio", "batch.html", "chosen.json"
SCHEMA = 1


@dataclass(frozen=True, slots=True)
class BatchLine:
    """A line of a batch.

    Attributes:
        choice: Why it was chosen; its id is that of the pool.
        name: Of its files, without an ending.
        draft: What the machine read.
    """

    choice: Choice
    name: str
    draft: str


@dataclass(frozen=True, slots=True)
class Batch:
    """A batch that was written.

    Attributes:
        folder: Where it is.
        lines: By rank.
        facts: Strategy, engine, seed, pool and coverage, as plain values.
    """

    folder: Path
    lines: tuple[BatchLine, ...]
    facts: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Labels:
    """What became of a batch.

    Attributes:
        texts: Of the lines that somebody looked at, by their ids in the pool.
        corrected: How many of them differ from their drafts.
        waiting: Ids of lines that are drafts still.
        problems: Lines whose label cannot be used; `line_id` is the id in the pool.
    """

    texts: Mapping[str, str]
    corrected: int
    waiting: tuple[str, ...]
    problems: tuple[Problem, ...]


def write_batch(
    out: Path,
    chosen: Sequence[Choice],
    lines: Mapping[str, Sample],
    drafts: Mapping[str, str],
    *,
    engine: str,
    covered: Covered | None = None,
    facts: Mapping[str, Any] | None = None,
) -> Batch:
    """Write a batch; the folder appears whole or not at all.

    Args:
        out: The folder; one that was written before is replaced as long as nobody worked on it.
        chosen: By rank.
        lines: The chosen lines by id.
        drafts: Readings by id.
        engine: Who read them.
        covered: How much of the pool they speak for.
        facts: What else `chosen.json` is to say, e.g. strategy and seed.

    Raises:
        OutputError: If it cannot be written, or holds labels that somebody looked at.
        InputError: If a picture can no longer be read.
    """
    names = FileNames()
    found = tuple(
        BatchLine(choice, names.make(replace(lines[choice.id], split="")), drafts[choice.id])
        for choice in chosen
    )
    told = {**(facts or {}), "engine": engine}
    if covered is not None:
        told["coverage"] = {name: round(value, 4) for name, value in asdict(covered).items()}
    batch = Batch(out, found, told)
    _refuse_labelled(out)
    part = out.with_name(f".{out.name}.part")
    with told_as_output(out):
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(parents=True)
    samples = [_make_sample(line, lines[line.choice.id], told) for line in found]
    picture_folder.write_pairs((_mark(sample) for sample in samples), part / LINES)
    label_studio.write_tasks(samples, part / TASKS, readings=engine)
    write_whole(part / PAGE, make_page(out.name, samples, batch.facts).encode())
    write_whole(part / CHOSEN, describe_batch(batch).encode())
    with told_as_output(out):
        if out.exists():
            _clear(out)
        part.rename(out)
    return batch


def _make_sample(line: BatchLine, sample: Sample, facts: Mapping[str, Any]) -> Sample:
    said = {"rank": line.choice.rank, **line.choice.reasons}
    if "strategy" in facts:
        said["strategy"] = facts["strategy"]
    return replace(sample, id=line.name, split="", text=line.draft, extras=tuple(said.items()))


def _mark(sample: Sample) -> Sample:
    return replace(sample, text=f"{DRAFT} {sample.text}".rstrip())


def describe_batch(batch: Batch) -> str:
    """What stands in `chosen.json`; see `read_batch`."""
    rows = [
        {
            "id": line.choice.id,
            "name": line.name,
            "draft": line.draft,
            "rank": line.choice.rank,
            "score": line.choice.score,
            "why": line.choice.reasons,
        }
        for line in batch.lines
    ]
    record = {"schema": SCHEMA, **batch.facts, "lines": rows}
    return json.dumps(record, ensure_ascii=False, indent=1) + "\n"


def _refuse_labelled(out: Path) -> None:
    """Labels are work: they are not written over, asked or not."""
    if not (out / CHOSEN).exists():
        return
    labels = read_labels(read_batch(out))
    if labels.texts:
        raise OutputError(
            f"{out} holds {len(labels.texts)} labels that somebody looked at.",
            next_step="Choose another folder.",
        )


def _clear(out: Path) -> None:
    """Take away what an earlier batch wrote; other files stay and keep the folder from moving."""
    for name in (LINES, TASKS):
        shutil.rmtree(out / name, ignore_errors=True)
    for name in (PAGE, CHOSEN):
        (out / name).unlink(missing_ok=True)
    out.rmdir()


def read_batch(folder: Path) -> Batch:
    """A batch by its `chosen.json`.

    Raises:
        DataError: If that is missing or malformed.
    """
    path = folder / CHOSEN
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        lines = tuple(
            BatchLine(
                Choice(str(row["id"]), int(row["rank"]), float(row["score"]), dict(row["why"])),
                str(row["name"]),
                str(row["draft"]),
            )
            for row in record.pop("lines")
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise DataError(
            f"{folder} is no batch of `curate select`: {CHOSEN} cannot be read ({error}).",
            next_step="Name the folder that was given to `odia-ocr curate select -o`.",
        ) from None
    record.pop("schema", None)
    return Batch(folder, lines, record)


def read_labels(batch: Batch, export: Path | None = None) -> Labels:
    """What people made of a batch.

    Args:
        batch: A batch that was written.
        export: What Label Studio exported of it as JSON; its submitted annotations count before
            the files.

    Raises:
        DataError: If the export cannot be read.
    """
    texts: dict[str, str] = {}
    corrected = 0
    waiting: list[str] = []
    problems: list[Problem] = []
    submitted = _read_export(batch, export, problems) if export is not None else {}
    for line in batch.lines:
        text = submitted.get(line.name)
        if text is None:
            text = _read_file(batch.folder / LINES, line, problems)
        if text is None:
            continue
        if text.startswith(DRAFT):
            waiting.append(line.choice.id)
            continue
        fault = judge_text(text)
        if fault is not None:
            step = NEXT_STEPS.get(fault.code, "Correct it.")
            message = f"{line.name}: {fault.reason}"
            problems.append(Problem(fault.code, message, step, line_id=line.choice.id))
            continue
        texts[line.choice.id] = text
        corrected += normalise(text) != normalise(line.draft)
    return Labels(texts, corrected, tuple(waiting), tuple(problems))


def _read_file(folder: Path, line: BatchLine, problems: list[Problem]) -> str | None:
    path = folder / f"{line.name}{picture_folder.TRANSCRIPTION}"
    try:
        return clean_text(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        code, message = "transcription-missing", f"{path.name} is gone."
    except UnicodeDecodeError as error:
        code, message = "transcription-unreadable", f"{path.name} is not UTF-8 ({error.start})."
    except OSError as error:
        code, message = "transcription-unreadable", f"{path.name}: {error.strerror or error}."
    problems.append(Problem(code, message, "It is skipped.", line_id=line.choice.id))
    return None


def _read_export(batch: Batch, export: Path, problems: list[Problem]) -> dict[str, str]:
    """Submitted texts by the names of lines."""
    known = {line.name: line for line in batch.lines}
    found: dict[str, str] = {}
    for item in label_studio.read_tasks(export, batch.folder / TASKS / label_studio.PICTURES):
        if isinstance(item, Problem):
            if item.code != "transcription-missing":  # not annotated yet
                problems.append(item)
        elif item.id in known:
            found[item.id] = item.text
        else:
            message = f"{export.name} speaks of {item.id}, which is not in {batch.folder}."
            step = "Name the batch that it was exported of."
            problems.append(Problem("line-unknown", message, step, line_id=item.id))
    return found


def take_labelled(batch: Batch, labels: Labels) -> Iterator[Sample]:
    """The labelled lines as samples: pictures of the batch, texts as `read_labels` gave them."""
    files = {
        item.id: item
        for item in picture_folder.read_pairs(batch.folder / LINES)
        if isinstance(item, Sample)
    }
    for line in batch.lines:
        if line.choice.id in labels.texts and line.name in files:
            yield replace(files[line.name], text=labels.texts[line.choice.id])
