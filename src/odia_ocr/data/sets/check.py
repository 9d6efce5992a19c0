"""A data set is looked through for lines that would harm training or make a measurement untrue.

Each line is opened once, in a stream; what compares lines works on their facts. Engines, if any,
read the lines in small batches.
"""

from __future__ import annotations

import math
import statistics
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from odia_ocr.data.sets.copies import (
    LEAST_CLUSTERS,
    LEAST_WORDS,
    Copy,
    PictureIndex,
    TextIndex,
)
from odia_ocr.data.sets.doubts import Doubt, Judge
from odia_ocr.data.sets.facts import Facts, gather_facts
from odia_ocr.data.sets.findings import NEXT_STEPS, Finding
from odia_ocr.data.sets.formats import SampleSet
from odia_ocr.errors import InputError
from odia_ocr.language import find_unknown, split_clusters
from odia_ocr.types import LineImage, Problem

if TYPE_CHECKING:
    from odia_ocr.data.sets.sample import Sample
    from odia_ocr.types import Pixels

LEAST_CONTRAST = 10.0  # grey levels; the faintest of 600 damaged lines have 11, noisy paper 3 to 11
LEAST_SIDE = 8  # pixels
ODD = 3.0  # times wider or narrower for its letters than the middle line of its set
_ENOUGH = 20  # lines of a set from which its middle means something
_BATCH = 16
_OWN_SCRIPTS = ("ORIYA", "LATIN")

Progress = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Check:
    """What was found.

    Attributes:
        sets: Names of the sets.
        lines: How many lines each split has, by name.
        engines: Names of the engines that were asked.
        findings: By set and line as they were read, comparisons last.
    """

    sets: tuple[str, ...]
    lines: Mapping[str, int]
    engines: tuple[str, ...]
    findings: tuple[Finding, ...]

    @property
    def faults(self) -> tuple[Finding, ...]:
        """The findings after which something is to be done."""
        return tuple(finding for finding in self.findings if finding.is_fault)


@dataclass(slots=True)
class _Seen:
    """What is known so far."""

    facts: list[Facts] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    waiting: list[tuple[Facts, Pixels]] = field(default_factory=list)


def check_sets(
    sets: Sequence[SampleSet],
    *,
    judges: Mapping[str, Judge] | None = None,
    progress: Progress = lambda done: None,
) -> Check:
    """Look through sets; several sets count as the splits of one.

    Args:
        sets: Read one after the other.
        judges: Engines that are asked for their opinion on labels, by name; a label is doubted
            when all of them disagree with it.
        progress: Called with the number of lines that were done since.

    Raises:
        DataError: If a set as a whole cannot be read.
        ResourceMissingError: If an engine lacks something.
    """
    seen = _Seen()
    judges = judges or {}
    for one in sets:
        for item in one:
            _look_at(one.name, item, seen, whole=len(sets) > 1, judged=bool(judges))
            if len(seen.waiting) >= _BATCH:
                seen.findings += _judge(judges, seen.waiting)
                seen.waiting.clear()
            progress(1)
    seen.findings += _judge(judges, seen.waiting)
    seen.findings += find_odd_lengths(seen.facts)
    seen.findings += find_copies(seen.facts)
    counts = Counter(facts.split for facts in seen.facts)
    names = tuple(one.name for one in sets)
    return Check(names, dict(counts), tuple(judges), tuple(seen.findings))


def _look_at(name: str, item: Sample | Problem, seen: _Seen, *, whole: bool, judged: bool) -> None:
    """Check one line by itself and keep what is needed of it."""
    if isinstance(item, Problem):
        step = item.next_step or NEXT_STEPS.get(item.code, "")
        seen.findings.append(Finding(item.code, name, item.line_id or "", item.message, step))
        return
    split = item.split or (name if whole else "")

    def find(code: str, reason: str, step: str = "") -> None:
        step = step or NEXT_STEPS.get(code, "")
        seen.findings.append(Finding(code, name, item.id, reason, step, split))

    wrong = judge_text(item.text)
    if wrong is not None:
        find(wrong.code, wrong.reason)
    try:
        pixels = item.picture.load()
    except InputError as error:
        find(error.code, error.message, error.next_step)
        return
    facts = replace(gather_facts(name, item, pixels), split=split)
    seen.facts.append(facts)
    if min(facts.size) < LEAST_SIDE:
        find("picture-empty", f"It is {facts.size[0]} x {facts.size[1]} pixels.")
    elif facts.contrast < LEAST_CONTRAST:
        find("picture-empty", f"No writing stands out: contrast {facts.contrast:.0f} of 255.")
    elif judged and wrong is None:
        seen.waiting.append((facts, pixels))


@dataclass(frozen=True, slots=True)
class TextFault:
    """What is wrong with a text by itself."""

    code: str
    reason: str


def judge_text(text: str) -> TextFault | None:
    """What is wrong with a text by itself, if anything."""
    if not text:
        return TextFault("text-empty", "Its text is empty.")
    if len(text.splitlines()) > 1:
        return TextFault("text-several-lines", f"Its text has {len(text.splitlines())} lines.")
    unknown = find_unknown([text])
    if not unknown:
        return None
    scripts = Counter(_tell_script(char) for char in text if unicodedata.category(char)[0] in "LM")
    strange = [(n, name) for name, n in scripts.items() if name not in _OWN_SCRIPTS]
    if strange and 2 * max(strange)[0] >= sum(scripts.values()):
        return TextFault("wrong-script", f"Its text is {max(strange)[1].title()}, not Odia.")
    shown = ", ".join(f"{char} (U+{ord(char):04X})" for char in list(unknown)[:5])
    return TextFault("outside-alphabet", f"Outside the alphabet: {shown}.")


def _tell_script(char: str) -> str:
    return unicodedata.name(char, "UNKNOWN").split()[0]


def find_odd_lengths(lines: Sequence[Facts]) -> Iterator[Finding]:
    """Lines far too wide or too narrow for their text, beside the middle line of their set.

    Sets of fewer than 20 lines have no middle to compare with.
    """
    by_set: dict[str, list[Facts]] = defaultdict(list)
    for facts in lines:
        if facts.text:
            by_set[facts.set].append(facts)
    for members in by_set.values():
        if len(members) < _ENOUGH:
            continue
        middle = statistics.median(map(_pitch, members))
        for facts in members:
            times = _pitch(facts) / middle
            if max(times, 1 / times) > ODD:
                width, height = facts.size
                reason = (
                    f"{facts.clusters} letters on {width} x {height} pixels: {times:.1f} times the "
                    "usual width of a letter."
                )
                yield _find("odd-length", facts, reason)


def _pitch(facts: Facts) -> float:
    """Width of a letter for the height of the line."""
    width, height = facts.size
    return width / height / max(1, facts.clusters)


def _find(code: str, facts: Facts, reason: str, other: str = "", reading: str = "") -> Finding:
    step = NEXT_STEPS[code]
    return Finding(code, facts.set, facts.id, reason, step, facts.split, other, reading)


def find_copies(lines: Sequence[Facts]) -> Iterator[Finding]:
    """Copies of texts and pictures, within a split and across splits; each line once for each."""
    texts, pictures = TextIndex(), PictureIndex()
    for number, facts in enumerate(lines):
        same_picture = False
        for copy in _nearest(pictures.add(number, facts), lines):
            same_picture = True
            yield _find_copy(
                _name_picture_copy(copy, lines[copy.first], facts), facts, lines[copy.first]
            )
        for copy in _nearest(texts.add(number, facts.words), lines):
            code = _name_text_copy(copy, lines[copy.first], facts)
            if code and not same_picture:
                yield _find_copy(code, facts, lines[copy.first])


def _nearest(copies: Iterable[Copy], lines: Sequence[Facts]) -> list[Copy]:
    """The one that matters most: exact before near, and one in another split before the rest."""
    ranked = sorted(
        copies, key=lambda c: (lines[c.first].split == lines[c.second].split, not c.exact, c.first)
    )
    return ranked[:1]


def _name_picture_copy(copy: Copy, one: Facts, other: Facts) -> str:
    if one.words != other.words:
        return "same-picture-other-text"
    if one.split != other.split:
        return "leak-picture"
    return "same-picture" if copy.exact else "near-picture"


def _name_text_copy(copy: Copy, one: Facts, other: Facts) -> str:
    longer = len(other.words) >= LEAST_WORDS and other.clusters >= LEAST_CLUSTERS
    if not longer:
        return ""  # a name or a number is printed on many pages
    if one.split != other.split:
        return "leak-text" if copy.exact else "leak-near-text"
    return "same-text" if copy.exact else "near-text"


def _find_copy(code: str, facts: Facts, first: Facts) -> Finding:
    where = first.id if first.set == facts.set else f"{first.set}: {first.id}"
    near = code in ("near-picture", "leak-near-text", "near-text")
    what = "picture" if "picture" in code else "text"
    reason = f"{'Nearly the' if near else 'The'} same {what} as {where}"
    if facts.split != first.split:
        reason += f", which is in {first.split or 'no split'}"
    if code == "same-picture-other-text":
        reason += f", with the text {first.text!r}"
    return _find(code, facts, f"{reason}.", where)


def _judge(judges: Mapping[str, Judge], lines: Sequence[tuple[Facts, Pixels]]) -> Iterator[Finding]:
    """Lines whose label every engine disagrees with."""
    if not judges or not lines:
        return
    images = [LineImage(str(i), pixels) for i, (_, pixels) in enumerate(lines)]
    labels = [facts.text for facts, _ in lines]
    opinions = [judge.judge(images, labels) for judge in judges.values()]
    for (facts, _), said in zip(lines, zip(*opinions, strict=True), strict=True):
        doubts = [doubt for doubt in said if isinstance(doubt, Doubt)]
        if not doubts or min(doubt.strength for doubt in doubts) < 1.0:
            continue  # an engine that failed on the line has no say
        best = max(doubts, key=lambda doubt: doubt.strength)
        reason = _tell_doubt(facts.text, best, len(doubts))
        yield _find("label-doubted", facts, reason, reading=best.reading)


def _tell_doubt(label: str, doubt: Doubt, engines: int) -> str:
    who = doubt.engine if engines == 1 else f"Each of {engines} engines disagrees; {doubt.engine}"
    length = len(split_clusters(label))
    strength = min(99.0, doubt.strength) if math.isfinite(doubt.strength) else 99.0
    return f"{who} reads {doubt.reading!r} for {label!r} ({length} letters; doubt {strength:.1f})."
