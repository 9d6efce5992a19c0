"""A campaign from configuration to record: every technique alone, the stack, the plan's ladders.

One technique that fails, lacks something or comes too late leaves the others alone: its row says
why. Everything computed is kept, so a campaign that was stopped goes on where it was.
"""

from __future__ import annotations

import contextlib
import functools
import multiprocessing
import multiprocessing.connection
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from odia_ocr.campaign.apart import Apart, read_apart
from odia_ocr.campaign.building import Built, build_stack
from odia_ocr.campaign.cache import Store
from odia_ocr.campaign.catalogue import TECHNIQUES
from odia_ocr.campaign.config import LEVELS, Campaign, Level, SetOrder
from odia_ocr.campaign.engines import Engines
from odia_ocr.campaign.fitting import Fitted, fit_technique
from odia_ocr.campaign.ladders import Rung, climb_ladder, follow_checkpoints
from odia_ocr.campaign.measure import Scorer
from odia_ocr.campaign.outcome import Elsewhere, Outcome, Row
from odia_ocr.campaign.reader import StackReader
from odia_ocr.campaign.sets import open_bench
from odia_ocr.campaign.sources import SourceReader
from odia_ocr.campaign.stack import Stack, name_engine
from odia_ocr.campaign.techniques import Means, Technique, from_fused
from odia_ocr.errors import OdiaOcrError, name_choices
from odia_ocr.evaluate.scores import Bootstrap
from odia_ocr.line_reading import tell_error
from odia_ocr.runtime import find_members
from odia_ocr.types import Problem

_PHASES = {"quick": ("2A", "+"), "mid": ("2A", "2B", "+"), "full": ("2A", "2B", "2C", "3", "+")}
# What is about speed takes seconds and comes first: it must not fall to a budget that others spent.
_ORDER = sorted(TECHNIQUES.values(), key=lambda technique: technique.phase != "+")
T = TypeVar("T")
Say = Callable[[str], None]
Progress = Callable[[str, int, int], None]  # what is under way, done, total


@dataclass(frozen=True, slots=True)
class _Order:
    """What decides all that a campaign computes; another process can start from it."""

    campaign: Campaign
    cache: Path
    level: Level
    ladder: tuple[str, ...]
    averaged: str


@dataclass(slots=True)
class _Run:
    """A campaign under way."""

    campaign: Campaign
    level: Level
    means: Means
    fit: Scorer
    report: Scorer
    also: list[Scorer]
    say: Say
    progress: Progress
    problems: list[Problem]
    apart: tuple[Apart, ...] = ()
    began: float = field(default_factory=time.monotonic)
    done: int = 0
    total: int = 0

    def advance(self, what: str) -> None:
        """One step more is done."""
        self.done += 1
        self.progress(what, min(self.done, self.total), self.total)

    def late(self) -> bool:
        """Whether the budget is spent."""
        return time.monotonic() - self.began > 60 * self.campaign.minutes


def run_campaign(
    campaign: Campaign,
    cache: Path,
    *,
    level: Level = "full",
    ladder: tuple[str, ...] = (),
    averaged: str = "",
    engines: Engines | None = None,
    processes: int = 1,
    say: Say = print,
    progress: Progress = lambda what, done, total: None,
) -> Outcome:
    """Run a campaign.

    Args:
        campaign: What to do.
        cache: Folder for drawn sets and everything computed.
        level: How far to go: phase 2A, up to 2B, or all.
        ladder: Checkpoints of one run as engines, oldest first.
        averaged: The engine whose weights are the mean of theirs, or "".
        engines: Opens recognizers; None opens them by name.
        processes: Further ones work ahead, with recognizers opened by name; figures are the same.
        say: Told what goes wrong without ending the campaign.
        progress: Told how far it is.

    Raises:
        UsageError: If a technique or an engine of the configuration is unknown.
        DataError: If a set cannot be used, or a campaign measured apart is damaged.
        FileMissingError: If the folder of a campaign measured apart holds none.
        ResourceMissingError: If the single reader's model is missing.
        OutputError: If a rendered set cannot be written.
    """
    order = _Order(campaign, cache, level, ladder, averaged)
    run = _open_run(order, engines or Engines(campaign.threads), say, progress)
    wanted = [technique for technique in TECHNIQUES.values() if technique.change is not None]
    run.total = len(wanted) + 3 + len(run.also)
    run.report.measure(Stack((run.means.single,)))
    measured = {t.key: _measure_technique(run, t) for t in _ORDER if t.idle}
    with _lend_hands(order, processes - 1):
        measured |= {t.key: _measure_technique(run, t) for t in _ORDER if not t.idle}
        return _finish(run, tuple(measured[key] for key in TECHNIQUES))


def _open_run(order: _Order, engines: Engines, say: Say, progress: Progress) -> _Run:
    campaign = order.campaign
    for key in (*campaign.techniques, *campaign.learned):
        if key not in TECHNIQUES:
            raise name_choices(key, list(TECHNIQUES), kind="technique")
    apart = tuple(read_apart(Path(folder)) for folder in campaign.apart)
    engines.find(campaign.single)
    reader = StackReader(SourceReader(engines, Store(order.cache / "steps", say)))
    problems: list[Problem] = []

    def open_scorer(wanted: SetOrder) -> Scorer:
        bench = open_bench(wanted, order.cache)
        for problem in bench.problems:
            say(f"{bench.name}: {problem.message}")
        problems.extend(bench.problems)
        return Scorer(reader, bench, Bootstrap(resamples=campaign.resamples))

    progress("drawing and reading the sets", 0, 1)
    return _Run(
        campaign=campaign,
        level=order.level,
        means=Means(
            single=campaign.single,
            members=_list_members(campaign.members),
            ladder=order.ladder,
            averaged=order.averaged,
            floating=campaign.floating,
            halved=campaign.halved,
            tesseract=campaign.tesseract,
            learned=campaign.learned,
        ),
        fit=open_scorer(campaign.fit),
        report=open_scorer(campaign.report),
        also=[open_scorer(wanted) for wanted in campaign.also],
        say=say,
        progress=progress,
        problems=problems,
        apart=apart,
    )


@contextlib.contextmanager
def _lend_hands(order: _Order, count: int) -> Iterator[None]:
    """Let further processes compute ahead, from the other end, into the same cache.

    What they have done is found there; what they fail at is tried again here, and told.
    """
    spawn = multiprocessing.get_context("spawn")  # engines with threads must not be forked
    hands = [
        spawn.Process(target=_help_out, args=(order, i, count), daemon=True) for i in range(count)
    ]
    for hand in hands:
        hand.start()
    try:
        yield
    finally:
        for hand in hands:
            hand.terminate()
            hand.join()


def _help_out(order: _Order, number: int, count: int) -> None:
    """What a further process does: it works ahead, and ends with the first one."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the first one's, which ends this one
    _end_with_parent()
    _work_ahead(order, number, count)


def _work_ahead(order: _Order, number: int, count: int) -> None:
    """Compute one share of the techniques, last one first, then the rest, ladders and the stack.

    The first process builds the stack before it climbs, so they do not do the same.
    """
    run = _open_run(order, Engines(order.campaign.threads), _be_quiet, lambda *_: None)
    backwards = _ORDER[::-1]
    for technique in backwards[number::count]:
        _measure_technique(run, technique)
    measured = {technique.key: _measure_technique(run, technique) for technique in backwards}
    rows = tuple(measured[key] for key in TECHNIQUES)
    _climb(run, *_find_fitted(rows))
    built = _guard(run, "the stack", lambda: _build(run, rows, backwards=True))
    for scorer in run.also[::-1]:
        _guard(run, scorer.bench.name, _look_at(run, scorer, built))


def _end_with_parent() -> None:
    """End this process when the first one is gone, also when that was killed."""
    parent = multiprocessing.parent_process()
    if parent is None:
        return

    def watch(sentinel: int) -> None:
        multiprocessing.connection.wait([sentinel])
        os._exit(1)

    threading.Thread(target=watch, args=(parent.sentinel,), daemon=True).start()


def _be_quiet(said: str) -> None:
    """The first process tells everything."""


def _list_members(members: tuple[str, ...]) -> tuple[str, ...]:
    """Members by engine; "shipped" becomes the further models of this installation."""
    shipped = [f"ctc:{path}" for path in find_members("ctc")]
    return tuple(
        engine for name in members for engine in (shipped if name == "shipped" else [name])
    )


def _finish(run: _Run, rows: tuple[Row, ...]) -> Outcome:
    """What is made of the techniques once each of them was measured alone."""
    built = _guard(run, "the stack", lambda: _build(run, rows))
    ladders = _climb(run, *_find_fitted(rows))
    checkpoints = _guard(run, "the checkpoints", lambda: follow_checkpoints(run.report, run.means))
    run.advance("the checkpoints")
    looks = [(scorer.bench.name, _look_at(run, scorer, built)) for scorer in run.also]
    elsewhere = [_guard(run, name, look) for name, look in looks]
    return Outcome(
        campaign=run.campaign,
        level=run.level,
        means=run.means,
        fit=run.fit,
        report=run.report,
        rows=rows,
        built=built,
        ladders=ladders,
        checkpoints=checkpoints or (),
        elsewhere=tuple(found for found in elsewhere if found is not None),
        problems=tuple(run.problems),
        apart=run.apart,
    )


def _find_fitted(rows: Sequence[Row]) -> tuple[dict[str, Fitted], dict[str, str]]:
    """The fitted settings of techniques that were measured, and why others were not; by key."""
    fitted = {row.technique.key: row.fitted for row in rows if row.fitted is not None}
    return fitted, {row.technique.key: row.why for row in rows if row.why}


def _measure_technique(run: _Run, technique: Technique) -> Row:
    why = _find_hindrance(run, technique)
    if not why:
        try:
            fitted = fit_technique(
                technique, run.fit, run.means, run.campaign.techniques.get(technique.key)
            )
            comparison = run.report.compare(fitted.before, fitted.after)
        except Exception as error:  # one bad technique must not take the others with it
            said = str(error) if isinstance(error, OdiaOcrError) else tell_error(error)
            why = f"It failed: {said}"
            run.problems.append(Problem("technique", f"{technique.key}: {said}"))
            run.say(f"{technique.key} {technique.name} failed: {said}")
        else:
            run.advance(technique.name)
            return Row(technique, fitted, comparison)
    if technique.change is not None:
        run.advance(technique.name)
    return Row(technique, why=why)


def _find_hindrance(run: _Run, technique: Technique) -> str:
    """Why a technique is not measured in this run; "" when it is."""
    if technique.change is None:
        return technique.why
    if technique.phase not in _PHASES[run.level]:
        return f"It is not part of the level {run.level!r}."
    if run.campaign.techniques and technique.key not in run.campaign.techniques:
        return "The configuration leaves it out."
    if run.late():
        return f"The budget of {run.campaign.minutes:g} minutes was spent."
    if technique.frames and not run.means.emits:
        return f"It needs emissions, frame by frame; {name_engine(run.means.single)} gives none."
    return technique.need(run.means)


def _climb(
    run: _Run, fitted: dict[str, Fitted], whys: dict[str, str]
) -> dict[Level, tuple[Rung, ...]]:
    """The plan's ladders up to the level."""
    ladders: dict[Level, tuple[Rung, ...]] = {}
    for level in LEVELS[: LEVELS.index(run.level) + 1]:
        climb = functools.partial(climb_ladder, level, fitted, whys, run.report, run.means)
        ladders[level] = _guard(run, f"the {level} ladder", climb) or ()
    run.advance("the plan's ladders")
    return ladders


def _build(run: _Run, rows: tuple[Row, ...], *, backwards: bool = False) -> Built:
    joining = [row.fitted for row in rows if row.fitted is not None and row.technique.joins]
    built = build_stack(joining, run.fit, run.report, run.means, tick=run.say, backwards=backwards)
    run.advance("the stack")
    return built


def _look_at(run: _Run, scorer: Scorer, built: Built | None) -> Callable[[], Elsewhere]:
    """Measures a further set."""

    def look() -> Elsewhere:
        single = Stack((run.means.single,))
        found = Elsewhere(
            fused=scorer.compare(single, from_fused(run.means)),
            stack=scorer.compare(single, built.stack if built else single),
        )
        run.advance(scorer.bench.name)
        return found

    return look


def _guard(run: _Run, what: str, compute: Callable[[], T]) -> T | None:
    """A part of the record; None, with a problem, where it fails."""
    try:
        return compute()
    except Exception as error:  # the other parts are finished
        said = str(error) if isinstance(error, OdiaOcrError) else tell_error(error)
        run.problems.append(Problem("campaign", f"{what}: {said}"))
        run.say(f"{what} could not be measured: {said}")
        return None
