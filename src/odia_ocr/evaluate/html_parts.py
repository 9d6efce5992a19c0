"""Pieces of HTML reports on lines and on pages: the document, tables, histogram, marked texts.

A document needs nothing else: styles are inline, pictures are embedded, nothing is fetched.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

from odia_ocr.evaluate.confusions import Confusion
from odia_ocr.evaluate.record import AnyEvaluation, Item
from odia_ocr.evaluate.report import MOST_CONFUSIONS, compare_groups, format_difference, show_unit
from odia_ocr.language import align, fold, split_clusters
from odia_ocr.types import Problem

if TYPE_CHECKING:
    from PIL import Image

# Upper bounds of the histogram's bars, as fractions.
_BINS = (0.0, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, float("inf"))
_BIN_NAMES = ("0", "≤1", "≤2", "≤5", "≤10", "≤20", "≤50", ">50 %")

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


def show_comparison(evaluation: AnyEvaluation, titles: Mapping[str, str]) -> list[str]:
    """What follows the summary: differences and groups as tables, and what was left out."""
    return [
        _show_pairs(evaluation, titles),
        _show_groups(evaluation),
        _list_problems(evaluation.problems),
    ]


def _show_pairs(evaluation: AnyEvaluation, titles: Mapping[str, str]) -> str:
    if not evaluation.paired:
        return ""
    rows = [
        [
            f"{escape(pair.first)} − {escape(pair.second)}",
            *(
                f"{format_difference(gap)}<small>p {gap.p:.3f}</small>"
                for gap in (getattr(pair.differences, metric) for metric in titles)
            ),
        ]
        for pair in evaluation.paired
    ]
    return (
        f"<h2>Differences on the same {evaluation.unit}s</h2><p>Percentage points, first minus"
        " second; an interval without zero is a difference.</p>"
    ) + make_table(["Pair", *titles.values()], rows)


def _show_groups(evaluation: AnyEvaluation) -> str:
    rows = [[escape(cell) for cell in row] for row in compare_groups(evaluation)]
    if not rows:
        return ""
    engines = [escape(result.engine) for result in evaluation.results]
    headings = ["By", "Group", f"{evaluation.unit.capitalize()}s", *engines]
    return "<h2>CER by group</h2>" + make_table(headings, rows, texts=2)


def _list_problems(problems: Sequence[Problem]) -> str:
    if not problems:
        return ""
    items = "".join(f"<li>{escape(problem.message)}</li>" for problem in problems)
    return f"<h2>Left out</h2><ul>{items}</ul>"


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
    label = f"Number of {what} by character error rate in percent"
    return draw_bars(counts, _BIN_NAMES, label)


def draw_bars(counts: Sequence[int], names: Sequence[str], label: str) -> str:
    """Counts as upright bars, as SVG; `label` says what is shown to those who cannot see it."""
    most = max(1, *counts)
    bars = []
    for i, (count, name) in enumerate(zip(counts, names, strict=True)):
        height = 100 * count / most
        left = 10 + 60 * i
        bars.append(
            f'<rect x="{left}" y="{120 - height:.1f}" width="48" height="{height:.1f}" rx="2"/>'
            f'<text x="{left + 24}" y="{114 - height:.1f}" text-anchor="middle">{count}</text>'
            f'<text x="{left + 24}" y="136" text-anchor="middle">{escape(name)}</text>'
        )
    width = 20 + 60 * len(counts)
    return (
        f'<svg viewBox="0 0 {width} 145" width="{width}" role="img" aria-label="{escape(label)}">'
        + "".join(bars)
        + "</svg>"
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


def name_groups(item: Item) -> str:
    """The groups of what was read, as HTML."""
    return escape(", ".join(label.group for label in item.sample.labels))


def embed_picture(picture: Image.Image, name: str, *, quality: int | None = None) -> str:
    """A picture as an element: PNG, or JPEG where a quality is given."""
    kind = "png" if quality is None else "jpeg"
    buffer = io.BytesIO()
    if quality is None:
        picture.save(buffer, "PNG", optimize=True)
    else:
        picture.save(buffer, "JPEG", quality=quality)
    data = base64.b64encode(buffer.getvalue()).decode("ascii")
    return (
        f'<img src="data:image/{kind};base64,{data}" width="{picture.width}"'
        f' height="{picture.height}" alt="{escape(name)}">'
    )
