"""A campaign's record as a Markdown file and as one HTML file with its pictures."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterable
from html import escape
from pathlib import Path

from PIL import Image

from odia_ocr.campaign.outcome import Outcome
from odia_ocr.campaign.plots import (
    STYLE,
    Mark,
    draw_ladder,
    draw_reliability,
    draw_trade,
    draw_waterfall,
    find_front,
)
from odia_ocr.campaign.reliability import judge_confidence, make_marks, state_reliability
from odia_ocr.campaign.stack import describe_stack, name_engine
from odia_ocr.campaign.tables import Table, make_tables
from odia_ocr.data.sets.out_files import write_whole
from odia_ocr.evaluate.html_parts import frame_document, make_table, mark_differences
from odia_ocr.evaluate.lineset import LineSample

MARKDOWN, HTML = "report.md", "report.html"
_PICTURE = (1400, 120)


def write_pages(outcome: Outcome, folder: Path) -> None:
    """Write both files.

    Raises:
        OutputError: If they cannot be written.
    """
    write_whole(folder / MARKDOWN, make_markdown(outcome).encode())
    write_whole(folder / HTML, make_html(outcome).encode())


def make_markdown(outcome: Outcome) -> str:
    """The tables, for people who read files."""
    parts = [f"# Campaign {outcome.campaign.name}", *_introduce(outcome)]
    for table in make_tables(outcome):
        parts += [f"## {table.title}", table.note, _mark_down(table)]
    parts += ["## Confidence", state_reliability(outcome.best)]
    if outcome.problems:
        parts += ["## Problems", "\n".join(f"- {p.message}" for p in outcome.problems)]
    parts.append(f"`{outcome.best.signature}`")
    return "\n\n".join(parts) + "\n"


def _introduce(outcome: Outcome) -> list[str]:
    return [
        f"Fitted on {outcome.fit.bench.name}, measured on {outcome.report.bench.name}, level "
        f"{outcome.level}. The single reader is `{describe_stack(outcome.single.stack)}`, the "
        f"stack `{describe_stack(outcome.best.stack)}`.",
    ]


def _mark_down(table: Table) -> str:
    head = "| " + " | ".join(table.headings) + " |"
    rule = "|" + "|".join("---" if i < table.texts else "---:" for i in _columns(table)) + "|"
    rows = [
        "| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in table.rows
    ]
    return "\n".join([head, rule, *rows])


def _columns(table: Table) -> range:
    return range(len(table.headings))


def make_html(outcome: Outcome) -> str:
    """Tables and pictures as one document that fetches nothing."""
    title = f"Campaign {outcome.campaign.name}"
    parts = [f"<h1>{escape(title)}</h1>", *(_paragraph(text) for text in _introduce(outcome))]
    for table in make_tables(outcome):
        parts += [f"<h2>{escape(table.title)}</h2>", _paragraph(table.note)]
        cells = [[escape(cell) for cell in row] for row in table.rows]
        parts.append(make_table([escape(h) for h in table.headings], cells, texts=table.texts))
    parts += [*_draw_ladders(outcome), *_draw_stack(outcome), *_draw_trade(outcome)]
    parts += ["<h2>Confidence</h2>", _paragraph(state_reliability(outcome.best))]
    confidence = judge_confidence(outcome.best)
    if confidence is not None:
        parts.append(draw_reliability(make_marks(confidence)))
    parts += _show_worst(outcome)
    if outcome.problems:
        items = "".join(f"<li>{escape(problem.message)}</li>" for problem in outcome.problems)
        parts.append(f"<h2>Problems</h2><ul>{items}</ul>")
    parts.append(f"<p><code>{escape(outcome.best.signature)}</code></p>")
    return frame_document(title, parts, style=STYLE)


def _paragraph(text: str) -> str:
    return f"<p>{escape(text)}</p>"


def _draw_ladders(outcome: Outcome) -> Iterable[str]:
    rungs = outcome.ladders.get(outcome.level, ())
    first = rungs[0].measured if rungs else None
    if first is not None:
        start = max(1e-9, first.scores.cer.value)
        yield "<h2>The plan's path, claimed and measured, as shares of their start</h2>"
        yield draw_ladder(
            [rung.name for rung in rungs],
            [
                100 * rung.measured.scores.cer.value / start if rung.measured else None
                for rung in rungs
            ],
            [
                50 * (rung.claim.low + rung.claim.high) / rung.claim.start if rung.claim else None
                for rung in rungs
            ],
        )
    if outcome.checkpoints:
        yield "<h2>CER along the checkpoints</h2>"
        yield draw_ladder(
            [name_engine(found.engine) for found in outcome.checkpoints],
            [100 * found.measured.scores.cer.value for found in outcome.checkpoints],
            [found.claim for found in outcome.checkpoints],
        )


def _draw_stack(outcome: Outcome) -> Iterable[str]:
    if outcome.built is None or not outcome.built.steps:
        return
    steps = outcome.built.steps
    values = [step.measured.after.scores.cer.value for step in steps]
    start, end = outcome.built.whole.before, outcome.built.whole.after
    yield "<h2>What each step takes away</h2>"
    yield draw_waterfall(
        ["single reader", *(step.fitted.technique.name for step in steps), "stack"],
        [100 * value for value in (start.scores.cer.value, *values, end.scores.cer.value)],
    )


def _draw_trade(outcome: Outcome) -> Iterable[str]:
    yield "<h2>Errors against time</h2>"
    marks = [
        Mark(
            1000 * measured.readings.seconds_per_line,
            100 * measured.scores.cer.value,
            describe_stack(measured.stack),
        )
        for measured in outcome.report.known
        if not measured.stack.cached
    ]
    yield draw_trade(marks)
    items = (
        f"<li>{escape(mark.label)}: {mark.y:.2f} %, {mark.x:.1f} ms a line</li>"
        for mark in find_front(marks)
    )
    yield f"<ol>{''.join(items)}</ol>"


def _show_worst(outcome: Outcome) -> list[str]:
    best, bench = outcome.best, outcome.report.bench
    rows = zip(bench.samples, best.readings.texts, best.counts, strict=True)
    wrong = [row for row in rows if not row[2].exact]
    wrong.sort(key=lambda row: (-row[2].chars.rate, row[0].name))
    shown = wrong[: outcome.campaign.worst]
    if not shown:
        return []
    parts = [f"<h2>The worst {len(shown)} of {len(wrong)} wrong lines of the stack</h2>"]
    for sample, text, counts in shown:
        marked = mark_differences(sample.text, text)
        parts.append(
            f'<div class="line"><header><span>{escape(sample.name)}</span>'
            f"<span>CER {100 * counts.chars.rate:.1f} %</span></header>{_embed(sample)}"
            f'<div class="text"><b>printed</b><span lang="or">{marked.reference}</span></div>'
            f'<div class="text"><b>read</b><span lang="or">{marked.hypothesis or "—"}</span></div>'
            "</div>"
        )
    return parts


def _embed(sample: LineSample) -> str:
    picture = Image.fromarray(sample.load().pixels)
    picture.thumbnail(_PICTURE)
    buffer = io.BytesIO()
    picture.save(buffer, "PNG", optimize=True)
    data = base64.b64encode(buffer.getvalue()).decode("ascii")
    return (
        f'<img src="data:image/png;base64,{data}" width="{picture.width}"'
        f' height="{picture.height}" alt="{escape(sample.name)}">'
    )
