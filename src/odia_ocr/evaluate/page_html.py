"""An evaluation of pages as one HTML file that needs nothing else: tables, and the worst pages.

A bad page is shown as a picture with outlines beside its printed and read lines, differences
marked. Knows HTML; computes no scores.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from odia_ocr.errors import DataError, InputError
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
from odia_ocr.evaluate.page_measure import PageEngineResult, PageEvaluation, PageResult
from odia_ocr.evaluate.page_report import PAGE_TITLES, count_breaks, name_basis
from odia_ocr.evaluate.report import format_scores, write_report

if TYPE_CHECKING:
    from PIL import Image, ImageDraw

    from odia_ocr.types import Polygon

WORST_PAGES = 12
_SIDE = 1100  # longest side of a picture in the report, in pixels
_QUALITY = 75
_RIGHT, _WRONG, _EXTRA, _MISSED = (17, 120, 60), (214, 120, 0), (200, 30, 40), (130, 40, 190)

_STYLE = """
.page{background:var(--card);border:1px solid var(--rule);border-radius:.5rem;padding:.8rem 1rem;
margin:0 0 1.4rem}
.page header{display:flex;gap:1rem;flex-wrap:wrap;color:var(--soft);font-size:.85rem;
margin-bottom:.6rem}
.page header b{color:var(--ink)}
.side{display:grid;grid-template-columns:minmax(16rem,5fr) 6fr;gap:1.2rem;align-items:start}
@media(max-width:50rem){.side{grid-template-columns:1fr}}
.side img{width:100%;height:auto;background:#fff;border-radius:.2rem}
.lines{width:100%;border:0;font-size:1.02rem;line-height:1.75}
.lines td,.lines th{white-space:normal;padding:.2rem .5rem;vertical-align:top}
.lines td:first-child{color:var(--soft);font-size:.8rem;white-space:nowrap}
.key span{margin-right:1.1rem}
.key i{display:inline-block;width:.9em;height:.9em;border-radius:.15em;margin-right:.35em;
vertical-align:-.1em}
"""


def write_page_html(evaluation: PageEvaluation, path: Path) -> None:
    """Write the report.

    Raises:
        OutputError: If the file cannot be written.
    """
    write_report(path, make_page_html(evaluation))


def make_page_html(evaluation: PageEvaluation) -> str:
    """The report as one HTML document."""
    title = f"Odia OCR on the pages of {evaluation.set_name}"
    first = evaluation.results[0]
    folds = "strict" if evaluation.strict else "folds what a picture cannot tell apart"
    parts = [
        f"<h1>{escape(title)}</h1>",
        f"<p>{first.scores.n} pages. Rates with 95 % bootstrap intervals over pages; scoring"
        f" {folds}. Lines are told by {name_basis(first)}. CER, WER and clusters compare the whole"
        " text in order; order-free CER compares lines whatever their order; order error is"
        " Kendall's tau distance, 0 in order to 100 % reversed.</p>",
        _summary(evaluation),
        *show_comparison(evaluation, PAGE_TITLES),
        *(_engine(result, strict=evaluation.strict) for result in evaluation.results),
        f"<p><code>{escape(first.signature)}</code></p>",
    ]
    return frame_document(title, parts, style=_STYLE)


def draw_lines(page: PageResult) -> Image.Image:
    """The picture with the outlines of the lines read, numbered as read, and of those missed.

    Green: read right. Orange: read with errors. Red: no printed line. Violet: printed and missed,
    where the truth has polygons.

    Raises:
        InputError: If the picture cannot be decoded any more.
        DataError: If it is not the picture that was measured.
    """
    from PIL import Image, ImageDraw, ImageFont

    picture = Image.fromarray(page.sample.load().pixels).convert("RGB")
    scale = min(1.0, _SIDE / max(picture.size))
    if scale < 1.0:
        picture = picture.resize((round(picture.width * scale), round(picture.height * scale)))
    brush = ImageDraw.Draw(picture)
    font = ImageFont.load_default(12)
    matching = page.counts.matching
    found = {i for match in matching.matches if match.same for i in match.printed}
    for i, printed in enumerate(page.sample.lines):
        if i not in found and printed.polygon is not None:
            _outline(brush, printed.polygon, scale, _MISSED)
    edits = {j: match.edits for match in matching.matches if match.same for j in match.read}
    for j, line in enumerate(page.said):
        colour = _EXTRA if j not in edits else _RIGHT if not edits[j] else _WRONG
        _outline(brush, line.polygon, scale, colour)
        left = min(x for x, _ in line.polygon) * scale
        top = min(y for _, y in line.polygon) * scale
        box = brush.textbbox((left + 1, top + 1), str(j + 1), font=font)
        brush.rectangle((box[0] - 1, box[1] - 1, box[2] + 1, box[3] + 1), fill=colour)
        brush.text((left + 1, top + 1), str(j + 1), fill=(255, 255, 255), font=font)
    return picture


def _outline(
    brush: ImageDraw.ImageDraw, polygon: Polygon, scale: float, colour: tuple[int, int, int]
) -> None:
    points = [(x * scale, y * scale) for x, y in polygon]
    brush.line([*points, points[0]], fill=colour, width=2)


def _summary(evaluation: PageEvaluation) -> str:
    rows = [
        [
            escape(result.engine),
            *format_scores(result.scores, PAGE_TITLES),
            *count_breaks(result),
            str(len(result.problems)),
            f"{result.pages_per_second:.2f}",
        ]
        for result in evaluation.results
    ]
    headings = ["Engine", *PAGE_TITLES.values(), "lines split", "merged", "failed", "pages/s"]
    return make_table(headings, rows)


def _engine(result: PageEngineResult, *, strict: bool) -> str:
    wrong = [page for page in result.pages if not page.counts.text.exact]
    wrong.sort(key=lambda page: (-page.counts.cer, page.sample.name))
    parts = [
        f"<h2>{escape(result.engine)}</h2>",
        "<h3>Pages by CER</h3>",
        draw_histogram([page.counts.cer for page in result.pages], "pages"),
        _all_pages(result.pages),
    ]
    if result.confusions:
        parts += ["<h3>Confusions in matched lines</h3>"]
        parts += [show_confusions(result.confusions, "Cluster")]
    if wrong:
        parts += [
            f"<h3>The worst {min(WORST_PAGES, len(wrong))} of {len(wrong)} pages with errors</h3>",
            _key(),
        ]
        parts += [_worst_page(page, strict=strict) for page in wrong[:WORST_PAGES]]
    else:
        parts.append("<p>Every page was read without an error.</p>")
    return "\n".join(parts)


def _all_pages(pages: Sequence[PageResult]) -> str:
    rows = [
        [
            escape(page.sample.name),
            name_groups(page),
            *(
                f"{rate * 100:.2f} %"
                for rate in (
                    page.counts.cer,
                    page.counts.order_free.rate,
                    page.counts.order.rate,
                    page.counts.detection.recall,
                    page.counts.detection.precision,
                )
            ),
            f"{page.seconds:.2f}",
        ]
        for page in pages
    ]
    headings = ["Page", "Groups", "CER", "order-free CER", "order error", "line recall"]
    table = make_table([*headings, "line precision", "seconds"], rows, texts=2)
    return f"<details><summary>All {len(pages)} pages</summary>{table}</details>"


def _key() -> str:
    names = {"right": _RIGHT, "with errors": _WRONG, "no printed line": _EXTRA, "missed": _MISSED}
    return (
        '<p class="key">'
        + "".join(
            f'<span><i style="background:rgb{colour}"></i>{name}</span>'
            for name, colour in names.items()
        )
        + "Numbers are the order of reading.</p>"
    )


def _worst_page(page: PageResult, *, strict: bool) -> str:
    counts = page.counts
    said = [
        f"<b>{escape(page.sample.name)}</b>",
        name_groups(page),
        f"CER {counts.cer * 100:.1f} % ({counts.text.chars.edits} of {counts.text.chars.length})",
        f"order-free {counts.order_free.rate * 100:.1f} %",
        f"order error {counts.order.rate * 100:.1f} %",
        f"lines {counts.detection.printed} printed, {counts.detection.read} read,"
        f" recall {counts.detection.recall * 100:.0f} %",
        *([escape(page.problem.message)] if page.problem else []),
        *(escape(remark.message) for remark in page.remarks),
    ]
    header = "".join(f"<span>{part}</span>" for part in said if part)
    return (
        f'<div class="page"><header>{header}</header><div class="side">'
        f"<div>{_picture(page)}</div>{_show_lines(page, strict=strict)}</div></div>"
    )


def _show_lines(page: PageResult, *, strict: bool) -> str:
    """Printed beside read, a row per match, in the printed order; extra lines come last."""
    said = page.said
    matching = page.counts.matching
    rows: list[tuple[tuple[int, ...], tuple[int, ...]]] = [
        (match.printed, match.read) for match in matching.matches
    ]
    rows += [((i,), ()) for i in matching.missed]
    rows.sort(key=lambda row: row[0])
    rows += [((), (j,)) for j in matching.extra]
    body = []
    for printed, read in rows:
        marked = mark_differences(
            " ".join(page.sample.lines[i].text for i in printed),
            " ".join(said[j].text for j in read),
            strict=strict,
        )
        places = [", ".join(str(place + 1) for place in side) or "–" for side in (printed, read)]
        body.append(
            f"<tr><td>{places[0]} → {places[1]}</td>"
            f'<td lang="or">{marked.reference or "–"}</td>'
            f'<td lang="or">{marked.hypothesis or "–"}</td></tr>'
        )
    return (
        '<table class="lines"><tr><th>Line</th><th>Printed</th><th>Read</th></tr>'
        + "".join(body)
        + "</table>"
    )


def _picture(page: PageResult) -> str:
    try:
        picture = draw_lines(page)
    except (InputError, DataError) as error:
        return f"<p>{escape(error.message)}</p>"
    return embed_picture(picture, page.sample.name, quality=_QUALITY)
