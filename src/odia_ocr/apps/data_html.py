"""Reports on data sets as one HTML file each: nothing is fetched, pictures are embedded."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from odia_ocr.data.sets.check import Check
from odia_ocr.data.sets.findings import Finding, count_codes
from odia_ocr.data.sets.stats import SetStats, describe, draw_plots
from odia_ocr.evaluate.html_parts import embed_picture, frame_document, make_table

_MOST = 30  # rows of a table of characters
_MOST_FINDINGS = 2000


def make_stats_html(stats: SetStats) -> str:
    """The statistics of sets, with plots and a few lines.

    Raises:
        ImportError: If matplotlib is not installed.
    """
    title = f"Data set {', '.join(stats.names)}"
    plots = "".join(draw_plots(stats).values())
    sizes = [
        [name, *(f"{value:g}" for value in describe(values).values())]
        for name, values in (
            ("Clusters of a line", stats.lengths),
            ("Width, pixels", stats.widths),
            ("Height, pixels", stats.heights),
        )
    ]
    outside = ", ".join(f"{escape(c)} ({n})" for c, n in stats.outside.most_common(_MOST))
    parts = [
        f"<h1>{escape(title)}</h1>",
        f"<p>{stats.lines} lines, {stats.texts} different texts, {stats.words} words,"
        f" {len(stats.clusters)} different clusters; {sum(stats.problems.values())} lines left"
        " out.</p>",
        _count_table("Left out", stats.problems.items()),
        _count_table("Splits", ((name or "(none)", n) for name, n in stats.splits.items())),
        _count_table("Sources", stats.sources.most_common(_MOST)),
        "<h2>Sizes</h2>",
        make_table(["", "Mean", "Least", "5 %", "25 %", "Middle", "75 %", "95 %", "Most"], sizes),
        f'<div class="columns">{plots}</div>',
        "<h2>Characters</h2>",
        f"<p>Outside the alphabet: {outside or 'none'}. Odia letters that no line has: "
        f"{escape(' '.join(stats.unused)) or 'none'}.</p>",
        '<div class="columns">',
        _counts(["Character", "Times"], stats.characters.most_common(_MOST)),
        _counts(["Cluster", "Times"], stats.clusters.most_common(_MOST)),
        "</div>",
        "<h2>A few lines</h2>",
        *(
            f'<div class="line"><header><span>{escape(line.id)}</span></header>'
            f"{_embed(line.pixels, line.id)}"
            f'<div class="text" lang="or">{escape(line.text)}</div></div>'
            for line in stats.shown
        ),
    ]
    return frame_document(title, parts)


def _embed(pixels: object, name: str) -> str:
    from PIL import Image

    picture = Image.fromarray(pixels)  # type: ignore[arg-type]
    picture.thumbnail((1000, 120))
    return embed_picture(picture, name)


def _count_table(title: str, rows: Iterable[tuple[str, int]]) -> str:
    table = list(rows)
    return f"<h2>{title}</h2>{_counts(['', 'Lines'], table)}" if table else ""


def _counts(head: list[str], rows: Iterable[tuple[str, int]]) -> str:
    return make_table(head, [[escape(name), str(count)] for name, count in rows])


def make_check_html(check: Check) -> str:
    """What a check found."""
    title = f"Check of {', '.join(check.sets)}"
    counts = _count_table("Findings", count_codes(check.findings).items())
    shown = check.findings[:_MOST_FINDINGS]
    rows = [[escape(cell) for cell in _row(finding)] for finding in shown]
    left = len(check.findings) - len(shown)
    parts = [
        f"<h1>{escape(title)}</h1>",
        f"<p>{sum(check.lines.values())} lines, {len(check.faults)} faults.</p>",
        counts,
        make_table(["Set", "Line", "Code", "Reason", "Next step"], rows, texts=5) if rows else "",
        f"<p>{left} more are in the JSON record.</p>" if left else "",
    ]
    return frame_document(title, parts, style="td{white-space:normal}")


def _row(finding: Finding) -> tuple[str, ...]:
    return finding.set, finding.id, finding.code, finding.reason, finding.next_step
