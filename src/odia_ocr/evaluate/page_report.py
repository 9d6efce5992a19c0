"""An evaluation of pages as JSON and as tables on a terminal.

The JSON is that of lines (see `odia_ocr.evaluate.report`) with `"unit": "page"`, the rates of pages
beside those of text, and a row per page and engine in `pages`. Computes nothing.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from odia_ocr.evaluate.page_measure import PageEngineResult, PageEvaluation, PageResult
from odia_ocr.evaluate.page_scores import PAGE_METRICS
from odia_ocr.evaluate.report import (
    SCHEMA,
    format_difference,
    format_score,
    record_confusions,
    record_differences,
    record_scores,
    show_unit,
    write_report,
)

if TYPE_CHECKING:
    from rich.console import Console

PAGE_TITLES = {
    "cer": "CER",
    "wer": "WER",
    "cluster_error": "clusters",
    "exact": "exact pages",
    "order_free": "order-free CER",
    "line_recall": "line recall",
    "line_precision": "line precision",
    "order_error": "order error",
    "over_half": "CER > 50 %",
    "median_cer": "median CER",
}


def make_page_record(evaluation: PageEvaluation, *, texts: bool = True) -> dict[str, Any]:
    """The evaluation as plain values for JSON.

    Args:
        evaluation: What was measured.
        texts: Whether transcriptions, readings and messages go in; without them `lines` is empty,
            for sets whose texts must not be passed on.
    """
    return {
        "schema": SCHEMA,
        "results": [_result(evaluation, result, texts=texts) for result in evaluation.results],
        "paired": [
            {
                "first": pair.first,
                "second": pair.second,
                **record_differences(pair.differences, PAGE_METRICS),
            }
            for pair in evaluation.paired
        ],
        "lines": [
            line
            for result in evaluation.results
            for page in result.pages
            for line in _lines(result.engine, page)
        ]
        if texts
        else [],
        "pages": [
            _page(result.engine, page, texts=texts)
            for result in evaluation.results
            for page in result.pages
        ],
        "problems": [
            {
                "code": problem.code,
                **({"message": problem.message} if texts else {}),
                "page": problem.line_id,
            }
            for problem in evaluation.problems
        ],
    }


def write_page_json(evaluation: PageEvaluation, path: Path, *, texts: bool = True) -> None:
    """Write `make_page_record` to a file.

    Raises:
        OutputError: If the file cannot be written.
    """
    record = make_page_record(evaluation, texts=texts)
    write_report(path, json.dumps(record, ensure_ascii=False, indent=1) + "\n")


def name_basis(result: PageEngineResult) -> str:
    """What lines were told by: "polygons", "text", or "mixed" where pages differ."""
    bases = {page.counts.detection.by for page in result.pages}
    return bases.pop() if len(bases) == 1 else "mixed"


def print_page_tables(evaluation: PageEvaluation, console: Console) -> None:
    """Print summaries, differences, groups and the commonest confusions."""
    from rich.table import Table

    first = evaluation.results[0]
    title = f"{evaluation.set_name}: {first.scores.n} pages, text"
    table = Table(title=title, title_justify="left")
    table.add_column("engine")
    of_text = ("cer", "median_cer", "wer", "cluster_error", "exact", "over_half")
    for metric in of_text:
        table.add_column(PAGE_TITLES[metric], justify="right")
    table.add_column("failed", justify="right")
    table.add_column("pages/s", justify="right")
    for result in evaluation.results:
        rates = [format_score(getattr(result.scores, metric)) for metric in of_text]
        speed = f"{result.pages_per_second:.2f}"
        table.add_row(result.engine, *rates, str(len(result.problems)), speed)
    console.print(table)
    table = Table(
        title=f"Lines and their order (lines told by {name_basis(first)})", title_justify="left"
    )
    table.add_column("engine")
    of_lines = ("order_free", "order_error", "line_recall", "line_precision")
    for metric in of_lines:
        table.add_column(PAGE_TITLES[metric], justify="right")
    for heading in ("split", "merged"):
        table.add_column(heading, justify="right")
    for result in evaluation.results:
        rates = [format_score(getattr(result.scores, metric)) for metric in of_lines]
        splits = sum(page.counts.detection.splits for page in result.pages)
        merges = sum(page.counts.detection.merges for page in result.pages)
        table.add_row(result.engine, *rates, str(splits), str(merges))
    console.print(table)
    _print_pairs(evaluation, console)
    _print_groups(evaluation, console)
    for result in evaluation.results:
        if result.confusions:
            commonest = ", ".join(
                f"{show_unit(c.reference)} → {show_unit(c.hypothesis)} {c.count}"
                for c in result.confusions[:10]
            )
            console.print(f"{result.engine} confuses: {commonest}", highlight=False, markup=False)
    console.print(first.signature, style="dim", highlight=False, markup=False, soft_wrap=True)


def _print_pairs(evaluation: PageEvaluation, console: Console) -> None:
    from rich.table import Table

    if not evaluation.paired:
        return
    table = Table(title="Paired differences (first minus second)", title_justify="left")
    table.add_column("pair")
    shown = ("cer", "median_cer", "wer", "order_free", "line_recall")
    for metric in shown:
        table.add_column(PAGE_TITLES[metric], justify="right")
        table.add_column("p", justify="right")
    for pair in evaluation.paired:
        cells: list[str] = []
        for metric in shown:
            gap = getattr(pair.differences, metric)
            cells += [format_difference(gap), f"{gap.p:.3f}"]
        table.add_row(f"{pair.first} - {pair.second}", *cells)
    console.print(table)


def _print_groups(evaluation: PageEvaluation, console: Console) -> None:
    from rich.table import Table

    first = evaluation.results[0]
    if not first.groups:
        return
    table = Table(title="CER by group", title_justify="left")
    table.add_column("by")
    table.add_column("group")
    table.add_column("pages", justify="right")
    for result in evaluation.results:
        table.add_column(result.engine, justify="right")
    for i, group in enumerate(first.groups):
        rates = [format_score(result.groups[i].scores.cer) for result in evaluation.results]
        table.add_row(group.by, group.group, str(group.scores.n), *rates)
    console.print(table)


def _result(evaluation: PageEvaluation, result: PageEngineResult, *, texts: bool) -> dict[str, Any]:
    found = [page.counts.detection for page in result.pages]
    return {
        "engine": result.engine,
        "set": evaluation.set_name,
        "unit": "page",
        "n": result.scores.n,
        **record_scores(result.scores, PAGE_METRICS),
        "signature": result.signature,
        "model": result.model,
        "seconds": result.seconds,
        "pages_per_second": result.pages_per_second,
        "problems": len(result.problems),
        "detection": {
            "by": name_basis(result),
            "printed": sum(page.printed for page in found),
            "read": sum(page.read for page in found),
            "splits": sum(page.splits for page in found),
            "merges": sum(page.merges for page in found),
        },
        "groups": [
            {
                "by": group.by,
                "group": group.group,
                "n": group.scores.n,
                **record_scores(group.scores, PAGE_METRICS),
            }
            for group in result.groups
        ],
        "confusions": record_confusions(result.confusions, texts=texts),
    }


def _page(engine: str, page: PageResult, *, texts: bool) -> dict[str, Any]:
    counts = page.counts
    problem = None
    if page.problem is not None:
        problem = page.problem.message if texts else page.problem.code
    return {
        "engine": engine,
        "name": page.sample.name,
        "groups": {label.by: label.group for label in page.sample.labels},
        "cer": counts.cer,
        "edits": counts.text.chars.edits,
        "length": counts.text.chars.length,
        "wer": counts.text.words.rate,
        "cluster_error": counts.text.clusters.rate,
        "exact": counts.text.exact,
        "order_free": counts.order_free.rate,
        "line_recall": counts.detection.recall,
        "line_precision": counts.detection.precision,
        "order_error": counts.order.rate,
        "detection_by": counts.detection.by,
        "printed": counts.detection.printed,
        "read": counts.detection.read,
        "splits": counts.detection.splits,
        "merges": counts.detection.merges,
        "seconds": page.seconds,
        "problem": problem,
        "remarks": [remark.code for remark in page.remarks],
    }


def _lines(engine: str, page: PageResult) -> list[dict[str, Any]]:
    """A row per match, missed line and extra line; `printed` and `read` count lines from 1."""
    said = page.said
    matching = page.counts.matching
    rows = [(match.printed, match.read, match.edits) for match in matching.matches]
    rows += [((i,), (), len(page.sample.lines[i].text)) for i in matching.missed]
    rows += [((), (j,), len(said[j].text)) for j in matching.extra]
    return [
        {
            "engine": engine,
            "name": page.sample.name,
            "printed": [i + 1 for i in printed],
            "read": [j + 1 for j in read],
            "reference": " ".join(page.sample.lines[i].text for i in printed),
            "hypothesis": " ".join(said[j].text for j in read),
            "edits": edits,
        }
        for printed, read, edits in rows
    ]
