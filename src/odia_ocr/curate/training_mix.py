"""What to train on next, after the causes of errors: a list of lines, and settings for rendering.

The settings are some of those that `odia-ocr train ctc --config` takes: kinds of text and
degradations are rendered more often by how much more often they are misread.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from odia_ocr.curate.mine import ALL, CONJUNCTS, DIGITS, LATIN, Cause, HardLine
from odia_ocr.data.compose import Mix
from odia_ocr.data.recipe import TRAINING
from odia_ocr.data.sets.formats import SampleSet
from odia_ocr.data.sets.split_list import ListedLine, list_line

_MOST_LIFT = 3.0
_MOST_CHANCE = 0.9
_LEAST_LIFT = 1.2
_DOUBT = 50  # lines of which half of a lift may be chance
_LIST_SHARE = 0.25
# Shares of `Mix` by the causes that speak for them.
_TEXTS = {
    "latin": (("language", LATIN), ("content", LATIN)),
    "numbers": (("language", DIGITS), ("content", DIGITS)),
    "rare": (("conjunct", ALL), ("content", CONJUNCTS)),
}


def make_mix(causes: Iterable[Cause], *, lines: Path | None = None) -> dict[str, Any]:
    """Settings of a training run that sees more of what is misread.

    Args:
        causes: As `mine_report` gives them.
        lines: A list of lines to mix in; None has none.
    """
    lifts = {(one.kind, one.name): _trust(one) for one in causes}
    stream: dict[str, Any] = {}
    if lines is not None:
        stream |= {"folders": [str(lines)], "folder_share": _LIST_SHARE}
    shares = asdict(Mix())
    mix = {
        name: round(shares[name] * lift, 4)
        for name, keys in _TEXTS.items()
        if (lift := max(lifts.get(key, 1.0) for key in keys)) > _LEAST_LIFT
    }
    if mix:
        stream["mix"] = mix
    chances = {entry.name for entry in fields(TRAINING) if entry.type == "float"} - {"strength"}
    recipe = {
        name: round(max(chance, min(_MOST_CHANCE, chance * lift)), 4)
        for (kind, name), lift in sorted(lifts.items())
        if kind == "degradation" and name in chances and lift > _LEAST_LIFT
        for chance in (float(getattr(TRAINING, name)),)
    }
    if recipe:
        stream["recipe"] = {"name": f"{TRAINING.name}-mined", **recipe}
    return {"stream": stream}


def _trust(cause: Cause) -> float:
    """A cause's lift as far as its lines bear it out, at most threefold."""
    borne = cause.lines / (cause.lines + _DOUBT)
    return min(_MOST_LIFT, 1 + (cause.lift - 1) * borne)


def list_lines(hard: Iterable[HardLine], found: SampleSet, folder: Path) -> Iterator[ListedLine]:
    """Rows of a list, that will lie in `folder`, of the lines that a set has."""
    for one in hard:
        if one.line.sample is not None:
            yield list_line(found, one.line.sample, folder)
