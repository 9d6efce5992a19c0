"""An evaluation as JSON and as tables on a terminal.

The JSON is a contract with scripts outside this project: `schema`, `results` first, then `paired`
and `lines`; rates are fractions. Writes what the record says and computes nothing.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from odia_ocr.errors import OutputError
from odia_ocr.evaluate.confusions import Confusion
from odia_ocr.evaluate.measure import Evaluation, LineResult
from odia_ocr.evaluate.record import AnyEngine, AnyEvaluation
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
    results = [
        {
            **record_result(evaluation, result, METRICS),
            "groups": record_groups(result, METRICS),
            "confusions": record_confusions(result.confusions, texts=texts),
            "char_confusions": record_confusions(result.char_confusions, texts=texts),
        }
        for result in evaluation.results
    ]
    lines = [_line(result.engine, line) for result in evaluation.results for line in result.lines]
    return {
        "schema": SCHEMA,
        "results": results,
        "paired": record_pairs(evaluation, METRICS),
        "lines": lines if texts else [],
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
    write_record(path, make_record(evaluation, texts=texts))


def write_record(path: Path, record: dict[str, Any]) -> None:
    """Write a record as JSON, making its folder; raises as `write_report`."""
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
    rows = [
        [
            result.engine,
            *format_scores(result.scores, METRICS),
            f"{(1 - result.scores.cer.value) * 100:.2f} %",
            f"{result.lines_per_second:.1f}",
        ]
        for result in evaluation.results
    ]
    title = f"{evaluation.set_name}: {evaluation.results[0].scores.n} lines"
    headings = ["engine", *_TITLES.values(), "1 - CER", "lines/s"]
    print_table(console, title, headings, rows)
    print_details(console, evaluation, _TITLES, counted="n")


def print_details(
    console: Console, evaluation: AnyEvaluation, titles: Mapping[str, str], *, counted: str
) -> None:
    """Print what follows the summary: differences, groups, confusions and the signature.

    `titles` are those of the metrics whose differences are shown; `counted` heads the size of a
    group.
    """
    _print_pairs(console, evaluation, titles)
    _print_groups(console, evaluation, counted)
    for result in evaluation.results:
        if result.confusions:
            shown = ", ".join(
                f"{show_unit(c.reference)} → {show_unit(c.hypothesis)} {c.count}"
                for c in result.confusions[:10]
            )
            console.print(f"{result.engine} confuses: {shown}", highlight=False, markup=False)
    signature = evaluation.results[0].signature
    console.print(signature, style="dim", highlight=False, markup=False, soft_wrap=True)


def print_table(
    console: Console,
    title: str,
    headings: Sequence[str],
    rows: Iterable[Sequence[str]],
    *,
    texts: int = 1,
) -> None:
    """Print a table whose first `texts` columns are text and the others figures."""
    from rich.table import Table

    table = Table(title=title, title_justify="left")
    for i, heading in enumerate(headings):
        table.add_column(heading, justify="left" if i < texts else "right")
    for row in rows:
        table.add_row(*row)
    console.print(table)


def _print_pairs(console: Console, evaluation: AnyEvaluation, titles: Mapping[str, str]) -> None:
    if not evaluation.paired:
        return
    rows = []
    for pair in evaluation.paired:
        gaps: list[Difference] = [getattr(pair.differences, metric) for metric in titles]
        cells = [cell for gap in gaps for cell in (format_difference(gap), f"{gap.p:.3f}")]
        rows.append([f"{pair.first} - {pair.second}", *cells])
    headings = ["pair", *(heading for title in titles.values() for heading in (title, "p"))]
    print_table(console, "Paired differences (first minus second)", headings, rows)


def _print_groups(console: Console, evaluation: AnyEvaluation, counted: str) -> None:
    first = evaluation.results[0]
    if not first.groups:
        return
    headings = ["by", "group", counted, *(result.engine for result in evaluation.results)]
    print_table(console, "CER by group", headings, compare_groups(evaluation), texts=2)


def compare_groups(evaluation: AnyEvaluation) -> list[list[str]]:
    """A row per group: way of grouping, name, number of items, and the CER of each engine."""
    return [
        [
            group.by,
            group.group,
            str(group.scores.n),
            *(format_score(result.groups[i].scores.cer) for result in evaluation.results),
        ]
        for i, group in enumerate(evaluation.results[0].groups)
    ]


def format_scores(scores: object, metrics: Iterable[str]) -> list[str]:
    """Rates with their intervals; `scores` has an attribute for each metric."""
    return [format_score(getattr(scores, metric)) for metric in metrics]


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


def record_result(
    evaluation: AnyEvaluation, result: AnyEngine, metrics: Sequence[str]
) -> dict[str, Any]:
    """What there is to say of an engine on lines and pages alike, as plain values."""
    return {
        "engine": result.engine,
        "set": evaluation.set_name,
        "unit": evaluation.unit,
        "n": result.scores.n,
        **record_scores(result.scores, metrics),
        "signature": result.signature,
        "model": result.model,
        "seconds": result.seconds,
        f"{evaluation.unit}s_per_second": result.per_second,
        "problems": len(result.problems),
    }


def record_groups(result: AnyEngine, metrics: Sequence[str]) -> list[dict[str, Any]]:
    """The scores of an engine's groups as plain values."""
    return [
        {
            "by": group.by,
            "group": group.group,
            "n": group.scores.n,
            **record_scores(group.scores, metrics),
        }
        for group in result.groups
    ]


def record_pairs(evaluation: AnyEvaluation, metrics: Sequence[str]) -> list[dict[str, Any]]:
    """The differences of each two engines as plain values."""
    return [
        {
            "first": pair.first,
            "second": pair.second,
            **record_differences(pair.differences, metrics),
        }
        for pair in evaluation.paired
    ]


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
