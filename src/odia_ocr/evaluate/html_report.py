"""An evaluation of lines as one HTML file: tables, a histogram, the worst lines with pictures.

Knows HTML; computes no scores.
"""

from __future__ import annotations

from html import escape
from pathlib import Path

from odia_ocr.errors import InputError
from odia_ocr.evaluate.html_parts import (
    draw_histogram,
    embed_picture,
    frame_document,
    make_table,
    mark_differences,
    name_groups,
    show_comparison,
    show_confusions,
)
from odia_ocr.evaluate.measure import EngineResult, Evaluation, LineResult
from odia_ocr.evaluate.report import format_scores, write_report
from odia_ocr.evaluate.scores import METRICS

WORST = 30
_TITLES = {"cer": "CER", "wer": "WER", "cluster_error": "Cluster errors", "exact": "Exact lines"}
_MAX_WIDTH, _MAX_HEIGHT = 1400, 120


def write_html(evaluation: Evaluation, path: Path) -> None:
    """Write the report.

    Raises:
        OutputError: If the file cannot be written.
    """
    write_report(path, make_html(evaluation))


def make_html(evaluation: Evaluation) -> str:
    """The report as one HTML document."""
    title = f"Odia OCR on {evaluation.set_name}"
    first = evaluation.results[0]
    parts = [
        f"<h1>{escape(title)}</h1>",
        f"<p>{first.scores.n} lines. Rates with 95 % bootstrap intervals over lines;"
        f" scoring {'strict' if evaluation.strict else 'folds what a picture cannot tell apart'}."
        "</p>",
        _summary(evaluation),
        *show_comparison(evaluation, _TITLES),
        *(_engine(result, strict=evaluation.strict) for result in evaluation.results),
        f"<p><code>{escape(first.signature)}</code></p>",
    ]
    return frame_document(title, parts)


def _summary(evaluation: Evaluation) -> str:
    rows = [
        [
            escape(result.engine),
            *format_scores(result.scores, METRICS),
            f"{(1 - result.scores.cer.value) * 100:.2f} %",
            f"{result.lines_per_second:.1f}",
            str(len(result.problems)),
        ]
        for result in evaluation.results
    ]
    headings = ["Engine", *_TITLES.values(), "1 − CER", "Lines/s", "Failed"]
    return make_table(headings, rows)


def _engine(result: EngineResult, *, strict: bool) -> str:
    wrong = [line for line in result.lines if not line.counts.exact]
    wrong.sort(key=lambda line: (-line.counts.chars.rate, line.sample.name))
    parts = [
        f"<h2>{escape(result.engine)}</h2>",
        "<h3>Lines by CER</h3>",
        draw_histogram([line.counts.chars.rate for line in result.lines], "lines"),
    ]
    if result.confusions:
        parts.append(
            '<h3>Confusions</h3><div class="columns">'
            + show_confusions(result.confusions, "Cluster")
            + show_confusions(result.char_confusions, "Code point")
            + "</div>"
        )
    if wrong:
        parts.append(f"<h3>The worst {min(WORST, len(wrong))} of {len(wrong)} wrong lines</h3>")
        parts += [_worst_line(line, strict=strict) for line in wrong[:WORST]]
    else:
        parts.append("<p>Every line was read without an error.</p>")
    return "\n".join(parts)


def _worst_line(line: LineResult, *, strict: bool) -> str:
    marked = mark_differences(line.sample.text, line.hypothesis, strict=strict)
    counts = line.counts.chars
    problem = f"<span>{escape(line.problem.message)}</span>" if line.problem else ""
    return (
        f'<div class="line"><header><span>{escape(line.sample.name)}</span>'
        f"<span>{name_groups(line)}</span><span>CER {counts.rate * 100:.1f} %"
        f" ({counts.edits} of {counts.length})</span>{problem}</header>"
        f"{_picture(line)}"
        f'<div class="text"><b>printed</b><span lang="or">{marked.reference}</span></div>'
        f'<div class="text"><b>read</b><span lang="or">{marked.hypothesis or "—"}</span></div>'
        "</div>"
    )


def _picture(line: LineResult) -> str:
    from PIL import Image

    try:
        picture = Image.fromarray(line.sample.load().pixels)
    except InputError as error:
        return f"<p>{escape(error.message)}</p>"
    picture.thumbnail((_MAX_WIDTH, _MAX_HEIGHT))
    return embed_picture(picture, line.sample.name)
