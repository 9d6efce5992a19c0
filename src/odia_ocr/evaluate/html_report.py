"""An evaluation as one HTML file that needs nothing else: tables, a histogram, the worst lines.

Pictures are embedded, styles are inline, nothing is fetched. Knows HTML; computes no scores.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

from odia_ocr.errors import InputError
from odia_ocr.evaluate.confusions import Confusion
from odia_ocr.evaluate.measure import EngineResult, Evaluation, LineResult
from odia_ocr.evaluate.report import (
    MOST_CONFUSIONS,
    format_difference,
    format_score,
    show_unit,
    write_report,
)
from odia_ocr.evaluate.scores import METRICS
from odia_ocr.language import align, fold, split_clusters
from odia_ocr.types import Problem

WORST = 30
_TITLES = {"cer": "CER", "wer": "WER", "cluster_error": "Cluster errors", "exact": "Exact lines"}
# Upper bounds of the histogram's bars, as fractions.
_BINS = (0.0, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, float("inf"))
_BIN_NAMES = ("0", "≤1", "≤2", "≤5", "≤10", "≤20", "≤50", ">50 %")
_MAX_WIDTH, _MAX_HEIGHT = 1400, 120

STYLE = """
:root{color-scheme:light dark;--ink:#1d2430;--soft:#5d6878;--ground:#fbfaf7;--card:#fff;
--rule:#e2ded5;--accent:#a8481f;--bad:#fbd9d3;--badink:#8d1c0d;--good:#d8efdc;--goodink:#11592a}
@media(prefers-color-scheme:dark){:root{--ink:#e7e6e2;--soft:#9aa3b0;--ground:#14171c;
--card:#1c2027;--rule:#323844;--accent:#f0935f;--bad:#5a211a;--badink:#ffb9ad;--good:#18402a;
--goodink:#a6e8bc}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:70rem;padding:2rem 1.25rem 4rem;background:var(--ground);
color:var(--ink);font:16px/1.55 system-ui,"Noto Sans","Noto Sans Oriya",sans-serif}
h1{font-size:1.7rem;line-height:1.2;margin:0 0 .25rem}
h2{font-size:1.15rem;margin:2.5rem 0 .6rem}
h3{font-size:1rem;margin:1.5rem 0 .5rem}
p,small{color:var(--soft)}
.wide{overflow-x:auto}
table{border-collapse:collapse;background:var(--card);border:1px solid var(--rule)}
th,td{padding:.4rem .8rem;text-align:left;border-bottom:1px solid var(--rule);white-space:nowrap}
th{font-weight:600;color:var(--soft);font-size:.85rem}
td.n{text-align:right;font-variant-numeric:tabular-nums}
td small{display:block;font-size:.78rem}
.line{background:var(--card);border:1px solid var(--rule);border-radius:.5rem;padding:.8rem 1rem;
margin:0 0 .9rem}
.line img{display:block;max-width:100%;background:#fff;margin:.2rem 0 .6rem;border-radius:.2rem}
.line header{display:flex;gap:1rem;flex-wrap:wrap;color:var(--soft);font-size:.85rem}
.text{font-size:1.15rem;line-height:1.9}
.text b{display:inline-block;width:4.2rem;font-weight:400;font-size:.8rem;color:var(--soft)}
del,ins{text-decoration:none;border-radius:.2rem;padding:0 .1em}
del{background:var(--good);color:var(--goodink)}
ins{background:var(--bad);color:var(--badink)}
.columns{display:flex;flex-wrap:wrap;gap:1.5rem}
code{font-size:.8rem;color:var(--soft);overflow-wrap:anywhere}
svg text{fill:var(--soft);font-size:11px}
svg rect{fill:var(--accent)}
"""


@dataclass(frozen=True, slots=True)
class MarkedTexts:
    """HTML of two texts: what differs is in `<del>` (reference) and `<ins>` (hypothesis)."""

    reference: str
    hypothesis: str


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
        _paired(evaluation),
        _groups(evaluation),
        list_problems(evaluation.problems),
    ]
    for result in evaluation.results:
        parts.append(_engine(result, strict=evaluation.strict))
    parts.append(f"<p><code>{escape(first.signature)}</code></p>")
    return frame_document(title, parts)


def frame_document(title: str, parts: Iterable[str], *, style: str = "") -> str:
    """A whole HTML document of its parts; empty ones are left out."""
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{escape(title)}</title><style>{STYLE}{style}</style></head>\n<body>\n"
        + "\n".join(part for part in parts if part)
        + "\n</body></html>\n"
    )


def make_table(headings: Sequence[str], rows: Iterable[Sequence[str]], *, texts: int = 1) -> str:
    """A table whose first `texts` columns are text and the others figures; cells are HTML."""
    head = "".join(f"<th>{heading}</th>" for heading in headings)
    body = "".join(
        "<tr>"
        + "".join(
            f"<td>{cell}</td>" if i < texts else f'<td class="n">{cell}</td>'
            for i, cell in enumerate(row)
        )
        + "</tr>"
        for row in rows
    )
    return f'<div class="wide"><table><tr>{head}</tr>{body}</table></div>'


def _summary(evaluation: Evaluation) -> str:
    rows = [
        [
            escape(result.engine),
            *(format_score(getattr(result.scores, metric)) for metric in METRICS),
            f"{(1 - result.scores.cer.value) * 100:.2f} %",
            f"{result.lines_per_second:.1f}",
            str(len(result.problems)),
        ]
        for result in evaluation.results
    ]
    headings = ["Engine", *_TITLES.values(), "1 − CER", "Lines/s", "Failed"]
    return make_table(headings, rows)


def _paired(evaluation: Evaluation) -> str:
    if not evaluation.paired:
        return ""
    rows = [
        [
            f"{escape(pair.first)} − {escape(pair.second)}",
            *(
                f"{format_difference(gap)}<small>p {gap.p:.3f}</small>"
                for gap in (getattr(pair.differences, metric) for metric in METRICS)
            ),
        ]
        for pair in evaluation.paired
    ]
    return (
        "<h2>Differences on the same lines</h2><p>Percentage points, first minus second;"
        " an interval without zero is a difference.</p>"
    ) + make_table(["Pair", *_TITLES.values()], rows)


def _groups(evaluation: Evaluation) -> str:
    first = evaluation.results[0]
    if not first.groups:
        return ""
    rows = [
        [
            escape(group.by),
            escape(group.group),
            str(group.scores.n),
            *(format_score(result.groups[i].scores.cer) for result in evaluation.results),
        ]
        for i, group in enumerate(first.groups)
    ]
    headings = ["By", "Group", "Lines", *(escape(r.engine) for r in evaluation.results)]
    return "<h2>CER by group</h2>" + make_table(headings, rows, texts=2)


def list_problems(problems: Sequence[Problem]) -> str:
    """What was left out of the set; empty when nothing was."""
    if not problems:
        return ""
    items = "".join(f"<li>{escape(problem.message)}</li>" for problem in problems)
    return f"<h2>Left out</h2><ul>{items}</ul>"


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


def show_confusions(confusions: Sequence[Confusion], unit: str) -> str:
    """The most frequent ones as a table; `unit` is what its head calls them."""
    rows = [
        [
            escape(show_unit(c.reference)),
            escape(show_unit(c.hypothesis)),
            escape(c.example),
            str(c.count),
        ]
        for c in confusions[: MOST_CONFUSIONS // 2]
    ]
    return make_table([f"{unit} printed", "Read as", "E.g. in", "Times"], rows, texts=3)


def draw_histogram(rates: Sequence[float], what: str) -> str:
    """How many lines or pages (`what`) have which character error rate, as SVG."""
    counts = [0] * len(_BINS)
    for rate in rates:
        counts[next(i for i, top in enumerate(_BINS) if rate <= top)] += 1
    most = max(counts)
    bars = []
    for i, (count, name) in enumerate(zip(counts, _BIN_NAMES, strict=True)):
        height = 100 * count / most
        left = 10 + 60 * i
        bars.append(
            f'<rect x="{left}" y="{120 - height:.1f}" width="48" height="{height:.1f}" rx="2"/>'
            f'<text x="{left + 24}" y="{114 - height:.1f}" text-anchor="middle">{count}</text>'
            f'<text x="{left + 24}" y="136" text-anchor="middle">{escape(name)}</text>'
        )
    label = f"Number of {what} by character error rate in percent"
    return (
        f'<svg viewBox="0 0 500 145" width="500" role="img" aria-label="{label}">'
        + "".join(bars)
        + "</svg>"
    )


def _worst_line(line: LineResult, *, strict: bool) -> str:
    marked = mark_differences(line.sample.text, line.hypothesis, strict=strict)
    groups = ", ".join(label.group for label in line.sample.labels)
    counts = line.counts.chars
    problem = f"<span>{escape(line.problem.message)}</span>" if line.problem else ""
    return (
        f'<div class="line"><header><span>{escape(line.sample.name)}</span>'
        f"<span>{escape(groups)}</span><span>CER {counts.rate * 100:.1f} %"
        f" ({counts.edits} of {counts.length})</span>{problem}</header>"
        f"{_picture(line)}"
        f'<div class="text"><b>printed</b><span lang="or">{marked.reference}</span></div>'
        f'<div class="text"><b>read</b><span lang="or">{marked.hypothesis or "—"}</span></div>'
        "</div>"
    )


def mark_differences(reference: str, hypothesis: str, *, strict: bool = False) -> MarkedTexts:
    """Both texts, folded as for scoring, as HTML with their differences marked."""
    left = split_clusters(fold(reference, strict=strict))
    right = split_clusters(fold(hypothesis, strict=strict))
    one: list[str] = []
    other: list[str] = []
    for pair in align(left, right):
        if pair.reference == pair.hypothesis:
            one.append(escape(pair.reference))
            other.append(escape(pair.hypothesis))
            continue
        if pair.reference:
            one.append(f"<del>{escape(_seen(pair.reference))}</del>")
        if pair.hypothesis:
            other.append(f"<ins>{escape(_seen(pair.hypothesis))}</ins>")
    return MarkedTexts("".join(one), "".join(other))


def _seen(unit: str) -> str:
    return "␣" if unit.isspace() else unit


def _picture(line: LineResult) -> str:
    from PIL import Image

    try:
        picture = Image.fromarray(line.sample.load().pixels)
    except InputError as error:
        return f"<p>{escape(error.message)}</p>"
    picture.thumbnail((_MAX_WIDTH, _MAX_HEIGHT))
    buffer = io.BytesIO()
    picture.save(buffer, "PNG", optimize=True)
    data = base64.b64encode(buffer.getvalue()).decode("ascii")
    return (
        f'<img src="data:image/png;base64,{data}" width="{picture.width}"'
        f' height="{picture.height}" alt="{escape(line.sample.name)}">'
    )
