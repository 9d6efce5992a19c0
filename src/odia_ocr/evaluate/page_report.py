"""An evaluation of pages as JSON and as tables on a terminal.

The JSON is that of lines (see `odia_ocr.evaluate.report`) with `"unit": "page"`, the rates of pages
beside those of text, and a row per page and engine in `pages`. Computes nothing.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from odia_ocr.evaluate.page_measure import PageEngineResult, PageEvaluation, PageResult
from odia_ocr.evaluate.page_scores import PAGE_METRICS
from odia_ocr.evaluate.report import (
    SCHEMA,
    format_scores,
    print_details,
    print_table,
    record_confusions,
    record_groups,
    record_pairs,
    record_result,
    write_record,
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
    results = [
        {
            **record_result(evaluation, result, PAGE_METRICS),
            "detection": _detection(result),
            "groups": record_groups(result, PAGE_METRICS),
            "confusions": record_confusions(result.confusions, texts=texts),
        }
        for result in evaluation.results
    ]
    read = [(result.engine, page) for result in evaluation.results for page in result.pages]
    lines = [line for engine, page in read for line in _lines(engine, page)]
    return {
        "schema": SCHEMA,
        "results": results,
        "paired": record_pairs(evaluation, PAGE_METRICS),
        "lines": lines if texts else [],
        "pages": [_page(engine, page, texts=texts) for engine, page in read],
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
    """Write `make_page_record` to a file; raises as `write_json`."""
    write_record(path, make_page_record(evaluation, texts=texts))


def name_basis(result: PageEngineResult) -> str:
    """What lines were told by: "polygons", "text", or "mixed" where pages differ."""
    bases = {page.counts.detection.by for page in result.pages}
    return bases.pop() if len(bases) == 1 else "mixed"


def print_page_tables(evaluation: PageEvaluation, console: Console) -> None:
    """Print summaries, differences, groups and the commonest confusions."""
    first = evaluation.results[0]
    of_text = ("cer", "median_cer", "wer", "cluster_error", "exact", "over_half")
    rows = [
        [
            result.engine,
            *format_scores(result.scores, of_text),
            str(len(result.problems)),
            f"{result.pages_per_second:.2f}",
        ]
        for result in evaluation.results
    ]
    title = f"{evaluation.set_name}: {first.scores.n} pages, text"
    headings = ["engine", *(PAGE_TITLES[metric] for metric in of_text), "failed", "pages/s"]
    print_table(console, title, headings, rows)
    of_lines = ("order_free", "order_error", "line_recall", "line_precision")
    rows = [
        [result.engine, *format_scores(result.scores, of_lines), *count_breaks(result)]
        for result in evaluation.results
    ]
    title = f"Lines and their order (lines told by {name_basis(first)})"
    headings = ["engine", *(PAGE_TITLES[metric] for metric in of_lines), "split", "merged"]
    print_table(console, title, headings, rows)
    compared = ("cer", "median_cer", "wer", "order_free", "line_recall")
    titles = {metric: PAGE_TITLES[metric] for metric in compared}
    print_details(console, evaluation, titles, counted="pages")


def count_breaks(result: PageEngineResult) -> tuple[str, str]:
    """How many printed lines were split, and how many read lines merge several."""
    found = _detection(result)
    return str(found["splits"]), str(found["merges"])


def _detection(result: PageEngineResult) -> dict[str, Any]:
    found = [page.counts.detection for page in result.pages]
    return {
        "by": name_basis(result),
        "printed": sum(page.printed for page in found),
        "read": sum(page.read for page in found),
        "splits": sum(page.splits for page in found),
        "merges": sum(page.merges for page in found),
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
