"""The pictures of a campaign's report as inline SVG: nothing is fetched, nothing is installed.

Knows lines, bars and points; computes no scores.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape

STYLE = """
svg .measured{stroke:var(--accent);fill:none;stroke-width:2}
svg .claimed{stroke:var(--soft);fill:none;stroke-width:1.5;stroke-dasharray:5 4}
svg .axis{stroke:var(--rule);stroke-width:1;fill:none}
svg circle{fill:var(--accent)}
svg circle.claim,svg rect.claim{fill:var(--soft)}
svg circle.other{fill:var(--soft);opacity:.55}
svg rect.gain{fill:var(--goodink)}
svg rect.loss{fill:var(--badink)}
"""
_WIDTH, _HEIGHT = 820, 340
_LEFT, _RIGHT, _TOP, _BOTTOM = 96, 28, 20, 96
_LONGEST = 26  # letters of a name under the axis


@dataclass(frozen=True, slots=True)
class Mark:
    """A point: where it is, what is written beside it."""

    x: float
    y: float
    label: str = ""


@dataclass(frozen=True, slots=True)
class Frame:
    """Values laid on the picture.

    Attributes:
        x: (low, high) of the horizontal axis.
        y: (low, high) of the vertical axis.
    """

    x: tuple[float, float]
    y: tuple[float, float]

    def across(self, value: float) -> float:
        """Pixels from the left."""
        low, high = self.x
        return _LEFT + (_WIDTH - _LEFT - _RIGHT) * (value - low) / max(1e-9, high - low)

    def down(self, value: float) -> float:
        """Pixels from the top."""
        low, high = self.y
        return (
            _HEIGHT - _BOTTOM - (_HEIGHT - _TOP - _BOTTOM) * (value - low) / max(1e-9, high - low)
        )


def draw_ladder(
    names: Sequence[str], measured: Sequence[float | None], claimed: Sequence[float | None]
) -> str:
    """Measured and claimed values, one name after the other; None leaves a gap.

    Args:
        names: Under the axis.
        measured: In percent.
        claimed: In percent.
    """
    values = [value for value in (*measured, *claimed) if value is not None]
    frame = Frame((-0.3, len(names) - 0.7), (0.0, 1.1 * max(values, default=1.0)))
    parts = [_axes(frame, "%")]
    for i, name in enumerate(names):
        parts.append(_name(frame, i, name))
    for kind, row in (("claimed", claimed), ("measured", measured)):
        marks = [Mark(i, value) for i, value in enumerate(row) if value is not None]
        parts.append(_line(frame, marks, kind))
        circle = ' class="claim"' if kind == "claimed" else ""
        for mark in marks:
            x, y = frame.across(mark.x), frame.down(mark.y)
            parts.append(f'<circle{circle} cx="{x:.1f}" cy="{y:.1f}" r="3.5"/>')
            beside = y - 8 if kind == "claimed" else y + 17
            parts.append(_text(x, beside, f"{mark.y:.3g}"))
    return _picture(parts, "Measured (solid) and claimed (dashed) values")


def draw_waterfall(names: Sequence[str], values: Sequence[float]) -> str:
    """How each step changes a value: the first is the start, the last the end.

    Args:
        names: One for each value.
        values: In percent.
    """
    frame = Frame((-0.6, len(names) - 0.4), (0.0, 1.15 * max(values, default=1.0)))
    width = 0.6 * (frame.across(1) - frame.across(0))
    parts = [_axes(frame, "%")]
    for i, (name, value) in enumerate(zip(names, values, strict=True)):
        whole = i in (0, len(names) - 1)
        before = 0.0 if whole else values[i - 1]
        kind = "claim" if whole else "gain" if value <= before else "loss"
        top, bottom = frame.down(max(before, value)), frame.down(min(before, value))
        x = frame.across(i) - width / 2
        parts.append(
            f'<rect class="{kind}" x="{x:.1f}" y="{top:.1f}" width="{width:.1f}"'
            f' height="{max(1.0, bottom - top):.1f}"/>'
        )
        shown = f"{value:.2f}" if whole else f"{value - before:+.2f}"
        parts.append(_text(frame.across(i), top - 6, shown))
        parts.append(_name(frame, i, name))
    return _picture(parts, "What each technique takes away, step by step")


def draw_trade(marks: Sequence[Mark]) -> str:
    """Errors against time; what no other point beats in both is joined by a line and numbered.

    Args:
        marks: x in milliseconds a line, y in percent.
    """
    front = find_front(marks)
    logs = [math.log10(max(1e-3, mark.x)) for mark in marks]
    frame = Frame(
        (min(logs) - 0.1, max(logs) + 0.35),
        (0.0, 1.1 * max(mark.y for mark in marks)),
    )
    parts = [_axes(frame, "%", across=lambda value: f"{10**value:.3g} ms")]
    for mark, log in zip(marks, logs, strict=True):
        kind = "" if mark in front else ' class="other"'
        parts.append(
            f'<circle{kind} cx="{frame.across(log):.1f}" cy="{frame.down(mark.y):.1f}" r="4">'
            f"<title>{escape(mark.label)}: {mark.y:.2f} %, {mark.x:.1f} ms</title></circle>"
        )
    placed = [Mark(math.log10(max(1e-3, mark.x)), mark.y, mark.label) for mark in front]
    parts.append(_line(frame, placed, "measured"))
    for number, mark in enumerate(placed, start=1):
        parts.append(_text(frame.across(mark.x), frame.down(mark.y) - 8, str(number)))
    return _picture(parts, "Character error rate against milliseconds a line")


def find_front(marks: Sequence[Mark]) -> list[Mark]:
    """Marks that no other one beats in both values (the Pareto front), from the left."""
    front: list[Mark] = []
    for mark in sorted(marks, key=lambda mark: (mark.x, mark.y)):
        if not front or mark.y < front[-1].y:
            front.append(mark)
    return front


def draw_reliability(marks: Sequence[Mark]) -> str:
    """Share of right lines against stated confidence, both 0..1, with the line of perfection."""
    frame = Frame((0.0, 1.0), (0.0, 1.0))
    parts = [_axes(frame, "", across=lambda value: f"{value:.1f}")]
    parts.append(_line(frame, [Mark(0, 0), Mark(1, 1)], "claimed"))
    parts.append(_line(frame, marks, "measured"))
    for mark in marks:
        x, y = frame.across(mark.x), frame.down(mark.y)
        parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5"/>')
    return _picture(parts, "Share of right lines against stated confidence")


def _axes(frame: Frame, unit: str, *, across: Callable[[float], str] | None = None) -> str:
    left, bottom = frame.across(frame.x[0]), frame.down(frame.y[0])
    parts = [
        f'<path class="axis" d="M{left:.1f} {_TOP}V{bottom:.1f}H{frame.across(frame.x[1]):.1f}"/>'
    ]
    for i in range(5):
        value = frame.y[0] + (frame.y[1] - frame.y[0]) * i / 4
        shown = f"{value:.3g} {unit}".strip()
        parts.append(_text(left - 6, frame.down(value) + 4, shown, anchor="end"))
    if across is not None:
        for i in range(6):
            value = frame.x[0] + (frame.x[1] - frame.x[0]) * i / 5
            parts.append(_text(frame.across(value), bottom + 18, across(value)))
    return "".join(parts)


def _name(frame: Frame, place: int, name: str) -> str:
    """A name under the axis, cut where it is too long."""
    shown = name if len(name) <= _LONGEST else f"{name[: _LONGEST - 1]}…"
    return _text(frame.across(place) + 6, _HEIGHT - _BOTTOM + 20, shown, turn=-24, anchor="end")


def _line(frame: Frame, marks: Sequence[Mark], kind: str) -> str:
    places = " ".join(f"{frame.across(mark.x):.1f},{frame.down(mark.y):.1f}" for mark in marks)
    return f'<polyline class="{kind}" points="{places}"/>'


def _text(x: float, y: float, text: str, *, turn: int = 0, anchor: str = "middle") -> str:
    turned = f' transform="rotate({turn} {x:.1f} {y:.1f})"' if turn else ""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{turned}>{escape(text)}</text>'


def _picture(parts: Sequence[str], label: str) -> str:
    return (
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" width="{_WIDTH}" role="img"'
        f' aria-label="{escape(label)}">{"".join(parts)}</svg>'
    )
