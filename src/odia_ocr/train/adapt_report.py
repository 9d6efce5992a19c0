"""What an adaptation gave: error rates before and after, on one's own lines and on general ones."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import chain
from pathlib import Path

from odia_ocr.data.lines import render_lines
from odia_ocr.data.reporting import make_reporting_renderers
from odia_ocr.evaluate.report import format_difference, format_score, write_record, write_report
from odia_ocr.evaluate.scores import (
    Difference,
    LineCounts,
    Score,
    compare_lines,
    count_line,
    score_lines,
)
from odia_ocr.language import normalise
from odia_ocr.recognize.ctc import CtcRecognizer, load
from odia_ocr.train.adapt import TrainingLine
from odia_ocr.train.checkpoint import open_model
from odia_ocr.train.export import write_onnx
from odia_ocr.types import Candidates, LineImage, Recognizer

GENERAL = ("degraded", "clean")  # reporting sets


@dataclass(frozen=True, slots=True)
class Change:
    """CER of one set of lines before and after.

    Attributes:
        name: Of the set.
        lines: Number of lines.
        before: With its 95 % interval.
        after: Likewise.
        difference: After minus before, paired by line.
    """

    name: str
    lines: int
    before: Score
    after: Score
    difference: Difference


def count_readings(recognizer: Recognizer, lines: Sequence[TrainingLine]) -> list[LineCounts]:
    """Read labelled lines and compare; a line that cannot be read counts as an empty reading."""
    results = recognizer.read([LineImage(str(i), line.pixels) for i, line in enumerate(lines)])
    return [
        count_line(line.text, normalise(result.best.text) if isinstance(result, Candidates) else "")
        for line, result in zip(lines, results, strict=True)
    ]


def render_general(name: str, *, per_family: int) -> list[TrainingLine]:
    """The first lines of each held-out family of a reporting set."""
    drawn = chain.from_iterable(
        render_lines(renderer, per_family) for renderer in make_reporting_renderers(name)
    )
    return [TrainingLine(line.pixels, line.text) for line in drawn]


def open_before(start: Path | None) -> CtcRecognizer:
    """What weights read before an adaptation: the shipped model, or that of a weight file."""
    if start is None:
        return load()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "before.onnx"
        write_onnx(open_model(start), path, version=start.parent.name or start.stem)
        return load(str(path))


def measure_changes(
    sets: Mapping[str, Sequence[TrainingLine]], before: Recognizer, after: Recognizer
) -> list[Change]:
    """Read each set with both recognizers; empty sets are left out."""
    changes = []
    for name, lines in sets.items():
        if lines:
            old, new = (count_readings(recognizer, lines) for recognizer in (before, after))
            changes.append(compare_counts(name, old, new))
    return changes


def compare_counts(name: str, before: Sequence[LineCounts], after: Sequence[LineCounts]) -> Change:
    """The change between two readings of the same lines."""
    return Change(
        name,
        len(before),
        score_lines(before).cer,
        score_lines(after).cer,
        compare_lines(after, before).cer,
    )


def write_changes(changes: Sequence[Change], out: Path, *, title: str) -> str:
    """Write report.md, report.json and report.svg into a folder; returns the Markdown.

    Raises:
        OutputError: If they cannot be written.
    """
    rows = "\n".join(
        f"| {change.name} | {change.lines} | {format_score(change.before)} "
        f"| {format_score(change.after)} | {format_difference(change.difference)} |"
        for change in changes
    )
    text = f"""# {title}

Character error rates with 95 % intervals, read as `odia-ocr read` does by default.

| lines | number | before | after | difference, points |
|---|---:|---:|---:|---:|
{rows}

![before and after](report.svg)
"""
    write_report(out / "report.md", text)
    write_record(out / "report.json", {"title": title, "sets": [asdict(c) for c in changes]})
    _draw(changes, out / "report.svg", title)
    return text


def _draw(changes: Sequence[Change], path: Path, title: str) -> None:
    import matplotlib

    matplotlib.use("svg")
    import matplotlib.pyplot as plt

    figure, axis = plt.subplots(figsize=(6.5, 3.8))
    for shift, what in ((-0.19, "before"), (0.19, "after")):
        scores: list[Score] = [getattr(change, what) for change in changes]
        values = [100 * score.value for score in scores]
        reach = [
            [100 * (score.value - score.low) for score in scores],
            [100 * (score.high - score.value) for score in scores],
        ]
        places = [i + shift for i in range(len(changes))]
        axis.bar(places, values, 0.36, yerr=reach, capsize=3, label=what)
    axis.set_xticks(range(len(changes)), [f"{c.name}\n{c.lines} lines" for c in changes])
    axis.set(ylabel="CER, %", title=title)
    axis.legend()
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)
