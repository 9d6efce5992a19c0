"""A read page as people review it: doubt and rivals of each line, and their text laid over it.

Knows pages and corrections; refuses to know HTTP and the database.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from odia_ocr.apps.serve.corrections import Correction, LineState
from odia_ocr.apps.serve.nbest import OtherReading
from odia_ocr.correct.calibrate import needs_review
from odia_ocr.language import normalise, split_clusters
from odia_ocr.line_reading import is_doubtful
from odia_ocr.pages.crop import frame_line
from odia_ocr.pages.words import place_words
from odia_ocr.types import Edit, Line, Page, Reading

_EVEN = 0.5  # below it a line is likelier wrong than right
_LEAST_SHARE = 0.005  # of the probability of what was read; rarer rivals are not shown
_MOST_RIVALS = 9  # one key each
_MOST_WHOLE = 6  # of them whole readings, where there are others


class Doubt(StrEnum):
    """How much a line wants to be looked at."""

    SURE = "sure"
    CHECK = "check"  # less sure than the model's own threshold
    DOUBTFUL = "doubtful"  # likelier wrong than right


@dataclass(frozen=True, slots=True)
class Rival:
    """Another reading of a line.

    Attributes:
        text: The whole line.
        before, after: What changes, in whole clusters.
        start: Where `before` begins, in code points.
        share: Its probability as a share of that of what was read. Of a whole reading by picture
            and language; of one changed place by the picture alone, so it may be above 1.
    """

    text: str
    before: str
    after: str
    start: int
    share: float


def rate_doubt(reading: Reading | None, threshold: float | None) -> Doubt:
    """How much a line wants to be looked at.

    Args:
        reading: None of a line that could not be read.
        threshold: Least confidence that is enough, 0..1; see `correct.calibrate.needs_review`.
    """
    if reading is None or is_doubtful(reading):
        return Doubt.DOUBTFUL
    if not needs_review(reading, threshold):
        return Doubt.SURE
    unlikely = reading.confidence is not None and reading.confidence < _EVEN
    return Doubt.DOUBTFUL if unlikely else Doubt.CHECK


def list_rivals(reading: Reading | None, others: Sequence[OtherReading] = ()) -> tuple[Rival, ...]:
    """Other readings of a line: first the N best of the whole line, then single places changed.

    Args:
        reading: What was read.
        others: Other readings of the whole line, likeliest first.
    """
    if reading is None:
        return ()
    whole = [
        _rival(reading.text, other.text, other.share)
        for other in others
        if other.share >= _LEAST_SHARE and other.text not in ("", reading.text)
    ]
    known = {rival.text for rival in whole}
    places = [rival for rival in _change_places(reading) if rival.text not in known]
    kept = max(_MOST_WHOLE, _MOST_RIVALS - len(places))
    return (*whole[:kept], *places)[:_MOST_RIVALS]


def _change_places(reading: Reading) -> list[Rival]:
    """The line with one symbol replaced by its rival, likeliest first."""
    hyp = reading.hypothesis
    if hyp is None or hyp.text != reading.text:
        return []
    found: dict[str, Rival] = {}
    at = 0
    for symbol in hyp.symbols:
        end = at + len(symbol.text)
        for other, logp in symbol.alternatives:
            share = math.exp(min(50.0, logp - symbol.logp))
            text = normalise(reading.text[:at] + other + reading.text[end:])
            if share < _LEAST_SHARE or text == reading.text or not text:
                continue
            if text not in found or found[text].share < share:
                found[text] = _rival(reading.text, text, share)
        at = end
    return sorted(found.values(), key=lambda rival: -rival.share)


def _rival(before: str, after: str, share: float) -> Rival:
    """A rival with what changes, in whole clusters and never nothing."""
    one, other = split_clusters(before), split_clusters(after)
    start = 0
    while start < min(len(one), len(other)) and one[start] == other[start]:
        start += 1
    end = 0
    while end < min(len(one), len(other)) - start and one[-1 - end] == other[-1 - end]:
        end += 1
    if start and (len(one) - end == start or len(other) - end == start):
        start -= 1  # something came or went: show it beside its neighbour
    return Rival(
        after,
        before="".join(one[start : len(one) - end]),
        after="".join(other[start : len(other) - end]),
        start=len("".join(one[:start])),
        share=round(share, 4),
    )


def correct_page(page: Page, corrections: Mapping[str, Correction]) -> Page:
    """A page with the text that people gave its lines.

    A changed line loses the machine's confidence, for nobody measured that of people; an accepted
    one stays as it was read.
    """
    if not corrections:
        return page
    lines = [_correct_line(line, corrections.get(line.id)) for line in page.lines]
    return replace(page, lines=tuple(line for line in lines if line is not None))


def _correct_line(line: Line, correction: Correction | None) -> Line | None:
    """A line as corrected; None when its text was taken away."""
    if correction is None or correction.text == line.text:
        return line
    if not correction.text:
        return None
    before = line.text
    edit = Edit(0, len(before), before, correction.text, "review")
    hyp = line.reading.hypothesis if line.reading is not None else None
    reading = Reading(correction.text, None, edits=(edit,), hypothesis=hyp)
    words = place_words(reading, frame_line(line.polygon))
    return replace(line, reading=reading, words=words)


def list_truths(page: Page, corrections: Mapping[str, Correction]) -> Sequence[tuple[Line, Line]]:
    """The lines that a person accepted, as they were read and with their text: what can be learned
    from.
    """
    accepted = {
        name: correction
        for name, correction in corrections.items()
        if correction.state is LineState.ACCEPTED and correction.text
    }
    read = {line.id: line for line in page.lines}
    true = correct_page(page, accepted).lines
    return [(read[line.id], line) for line in true if line.id in accepted]
