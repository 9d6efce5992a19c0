"""An evaluation as JSON and as tables on a terminal.

The JSON is a contract with scripts outside this project: `schema`, `results` first, then `paired`
and `lines`; rates are fractions. Writes what the record says and computes nothing.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from odia_ocr.errors import OutputError
from odia_ocr.evaluate.confusions import Confusion
from odia_ocr.evaluate.measure import EngineResult, Evaluation, LineResult
from odia_ocr.evaluate.scores import METRICS, Difference, Score

if TYPE_CHECKING:
    from rich.console import Console

SCHEMA = 1
MOST_CONFUSIONS = 50
_TITLES = {"cer": "CER", "wer": "WER", "cluster_error": "clusters", "exact": "exact lines"}


def make_record(evaluation: Evaluation, *, texts: bool = True) -> dict[str, Any]:
    """The evaluation as plain values for JSON.

    Args:
        evaluation: What was measured.
        texts: Whether transcriptions and readings go in; without them `lines` is empty, for sets
            whose texts must not be passed on.
    """
    return {
        "schema": SCHEMA,
        "results": [_result(evaluation, result, texts=texts) for result in evaluation.results],
        "paired": [
            {
                "first": pair.first,
                "second": pair.second,
                **record_differences(pair.differences, METRICS),
            }
            for pair in evaluation.paired
        ],
        "lines": [
            _line(result.engine, line) for result in evaluation.results for line in result.lines
        ]
        if texts
        else [],
        "problems": [
            {"code": problem.code, "message": problem.message, "line": problem.line_id}
            for problem in evaluation.problems
        ],
    }


def write_json(evaluation: Evaluation, path: Path, *, texts: bool = True) -> None:
    """Write `make_record` to a file.

    Raises:
        OutputError: If the file cannot be written.
    """
    record = make_record(evaluation, texts=texts)
    write_report(path, json.dumps(record, ensure_ascii=False, indent=1) + "\n")


def write_report(path: Path, text: str) -> None:
    """Write a report, making its folder.

    Raises:
        OutputError: If it cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise OutputError(
            f"{path} cannot be written: {error.strerror or error}.",
            next_step="Check the folder and its permissions.",
        ) from error


def print_tables(evaluation: Evaluation, console: Console) -> None:
    """Print summary, differences, groups and the commonest confusions."""
    from rich.table import Table

    first = evaluation.results[0]
    table = Table(title=f"{evaluation.set_name}: {first.scores.n} lines", title_justify="left")
    table.add_column("engine")
    for heading in (*_TITLES.values(), "1 - CER", "lines/s"):
        table.add_column(heading, justify="right")
    for result in evaluation.results:
        rates = [format_score(getattr(result.scores, metric)) for metric in METRICS]
        right = f"{(1 - result.scores.cer.value) * 100:.2f} %"
        table.add_row(result.engine, *rates, right, f"{result.lines_per_second:.1f}")
    console.print(table)
    if evaluation.paired:
        table = Table(title="Paired differences (first minus second)", title_justify="left")
        table.add_column("pair")
        for metric in METRICS:
            table.add_column(_TITLES[metric], justify="right")
            table.add_column("p", justify="right")
        for pair in evaluation.paired:
            cells: list[str] = []
            for metric in METRICS:
                gap: Difference = getattr(pair.differences, metric)
                cells += [format_difference(gap), f"{gap.p:.3f}"]
            table.add_row(f"{pair.first} - {pair.second}", *cells)
        console.print(table)
    _print_groups(evaluation, console)
    for result in evaluation.results:
        if result.confusions:
            shown = ", ".join(
                f"{show_unit(c.reference)} → {show_unit(c.hypothesis)} {c.count}"
                for c in result.confusions[:10]
            )
            console.print(f"{result.engine} confuses: {shown}", highlight=False, markup=False)
    console.print(first.signature, style="dim", highlight=False, markup=False, soft_wrap=True)


def _print_groups(evaluation: Evaluation, console: Console) -> None:
    from rich.table import Table

    first = evaluation.results[0]
    if not first.groups:
        return
    table = Table(title="CER by group", title_justify="left")
    table.add_column("by")
    table.add_column("group")
    table.add_column("n", justify="right")
    for result in evaluation.results:
        table.add_column(result.engine, justify="right")
    for i, group in enumerate(first.groups):
        rates = [format_score(result.groups[i].scores.cer) for result in evaluation.results]
        table.add_row(group.by, group.group, str(group.scores.n), *rates)
    console.print(table)


def format_score(score: Score) -> str:
    """E.g. "1.80 % (0.90-2.70)"."""
    return f"{score.value * 100:.2f} % ({score.low * 100:.2f}–{score.high * 100:.2f})"


def format_difference(gap: Difference) -> str:
    """E.g. "-2.10 (-3.40 to -0.90)", in percentage points."""
    return f"{gap.value * 100:+.2f} ({gap.low * 100:+.2f} to {gap.high * 100:+.2f})"


def show_unit(text: str) -> str:
    """A cluster or code point so that it can be seen: empty, blank and bare marks included."""
    if not text:
        return "∅"
    if text.isspace():
        return "␣"
    return text if text[0].isalnum() or not _is_mark(text[0]) else f"◌{text}"


def _is_mark(char: str) -> bool:
    import unicodedata

    return unicodedata.category(char).startswith("M")


def _result(evaluation: Evaluation, result: EngineResult, *, texts: bool) -> dict[str, Any]:
    return {
        "engine": result.engine,
        "set": evaluation.set_name,
        "unit": evaluation.unit,
        "n": result.scores.n,
        **record_scores(result.scores, METRICS),
        "signature": result.signature,
        "model": result.model,
        "seconds": result.seconds,
        "lines_per_second": result.lines_per_second,
        "problems": len(result.problems),
        "groups": [
            {
                "by": group.by,
                "group": group.group,
                "n": group.scores.n,
                **record_scores(group.scores, METRICS),
            }
            for group in result.groups
        ],
        "confusions": record_confusions(result.confusions, texts=texts),
        "char_confusions": record_confusions(result.char_confusions, texts=texts),
    }


def record_scores(scores: object, metrics: Sequence[str]) -> dict[str, dict[str, float]]:
    """Rates with their intervals as plain values; `scores` has an attribute for each metric."""
    rates: dict[str, dict[str, float]] = {}
    for metric in metrics:
        score: Score = getattr(scores, metric)
        rates[metric] = {"value": score.value, "low": score.low, "high": score.high}
    return rates


def record_differences(differences: object, metrics: Sequence[str]) -> dict[str, dict[str, float]]:
    """Paired differences as plain values, like `record_scores`."""
    gaps: dict[str, dict[str, float]] = {}
    for metric in metrics:
        gap: Difference = getattr(differences, metric)
        gaps[metric] = {"value": gap.value, "low": gap.low, "high": gap.high, "p": gap.p}
    return gaps


def record_confusions(confusions: Sequence[Confusion], *, texts: bool) -> list[dict[str, Any]]:
    """The most frequent confusions as plain values; `texts` adds where they occur first."""
    return [
        {
            "reference": confusion.reference,
            "hypothesis": confusion.hypothesis,
            "count": confusion.count,
            **({"example": confusion.example} if texts else {}),
        }
        for confusion in confusions[:MOST_CONFUSIONS]
    ]


def _line(engine: str, line: LineResult) -> dict[str, Any]:
    return {
        "engine": engine,
        "name": line.sample.name,
        "groups": {label.by: label.group for label in line.sample.labels},
        "reference": line.sample.text,
        "hypothesis": line.hypothesis,
        "cer": line.counts.chars.rate,
        "edits": line.counts.chars.edits,
        "length": line.counts.chars.length,
        "exact": line.counts.exact,
        "problem": line.problem.message if line.problem else None,
    }
