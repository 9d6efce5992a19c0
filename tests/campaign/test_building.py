"""Building a stack with readings made up for each stack."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from odia_ocr.campaign.building import Built, build_stack
from odia_ocr.campaign.catalogue import TECHNIQUES
from odia_ocr.campaign.cost import Cost
from odia_ocr.campaign.fitting import Fitted, fit_technique
from odia_ocr.campaign.ladders import climb_ladder
from odia_ocr.campaign.measure import Scorer
from odia_ocr.campaign.reader import Readings, StackReader
from odia_ocr.campaign.sets import Bench
from odia_ocr.campaign.stack import Stack
from odia_ocr.campaign.techniques import Means
from odia_ocr.evaluate.lineset import LineSample
from odia_ocr.evaluate.scores import Bootstrap

LINES = 60
TEXT = "କଖଗଘଙଚଛଜଝଞ"
MEANS = Means()
Errors = Callable[[Stack], int]


def make_scorer(errors: Errors, name: str = "made up") -> Scorer:
    """A scorer whose stacks have so many wrong letters in all, spread over the lines."""

    def read(stack: Stack, bench: Bench) -> Readings:
        wrong = errors(stack)
        counts = [wrong // LINES + (i < wrong % LINES) for i in range(LINES)]
        texts = tuple("x" * count + TEXT[count:] for count in counts)
        return Readings(texts, (None,) * LINES, 0, Cost(0.1))

    samples = tuple(LineSample(f"{i:03}", Path("none.png"), TEXT) for i in range(LINES))
    describe_all = SimpleNamespace(describe_all=lambda stack: list(stack.engines))
    reader: Any = SimpleNamespace(read=read, sources=SimpleNamespace(engines=describe_all))
    bench = Bench(name, samples, "d", "r", ())
    return Scorer(cast(StackReader, reader), bench, Bootstrap(resamples=1000))


def with_settings(key: str, errors: Errors = lambda stack: 0) -> Fitted:
    technique = TECHNIQUES[key]
    assert technique.change is not None
    start = technique.start(MEANS)
    after = technique.change(start, technique.defaults, MEANS)
    return Fitted(technique, technique.defaults, start, after, 1, errors(after))


def build(
    errors: Errors, *keys: str, report: Errors | None = None, backwards: bool = False
) -> Built:
    fitted = [with_settings(key, errors) for key in keys]
    scorers = make_scorer(errors), make_scorer(report or errors, "report")
    return build_stack(fitted, *scorers, MEANS, tick=lambda said: None, backwards=backwards)


def keys_of(built: Built) -> list[str]:
    return [step.fitted.technique.key for step in built.steps]


def test_the_most_helpful_technique_joins_first() -> None:
    def errors(stack: Stack) -> int:
        return 300 - 200 * stack.lm - 60 * (len(stack.versions) > 1)

    built = build(errors, "2C-3/mean", "2B-3/fusion")
    assert keys_of(built) == ["2B-3/fusion", "2C-3/mean"]
    assert built.stack.lm
    assert built.whole.after.edits == 40
    assert [step.measured.after.edits for step in built.steps] == [100, 40]
    assert [step.interaction for step in built.steps] == pytest.approx([0.0, 0.0])


def test_building_backwards_measures_the_same_from_the_other_end() -> None:
    asked: list[Stack] = []

    def errors(stack: Stack) -> int:
        asked.append(stack)
        return 500 - 200 * stack.lm - 90 * (len(stack.versions) > 1) - 80 * bool(stack.average)

    keys = "2C-3/mean", "2A-3/emission", "2B-3/fusion"
    forwards = build(errors, *keys)
    first = [stack for stack in asked if stack.versions == ("as-is",)]
    asked.clear()
    backwards = build(errors, *keys, backwards=True)
    last = [stack for stack in asked if stack.versions == ("as-is",)]
    assert keys_of(backwards) == keys_of(forwards)
    assert backwards.stack == forwards.stack
    assert backwards.whole.after.scores == forwards.whole.after.scores
    assert [step.inside.differences for step in backwards.steps] == [
        step.inside.differences for step in forwards.steps
    ]
    assert set(first) == set(last)
    assert first != last


def test_a_gain_that_is_no_gain_does_not_join() -> None:
    # One letter fewer on 60 lines: the interval holds zero.
    built = build(lambda stack: 300 - (stack.temperature != 1.0), "2A-3/emission")
    assert built.steps == ()
    assert built.stack == Stack(("ctc",))


def test_what_others_make_superfluous_is_taken_away_again() -> None:
    def errors(stack: Stack) -> int:
        # Alone the average is the best; beside the other two it is worth nothing.
        average, lm, heat = len(stack.versions) > 1, stack.lm, stack.temperature != 1.0
        if lm and heat:
            return 60
        return 300 - 150 * average - 90 * lm - 90 * heat + 20 * (average and (lm or heat))

    built = build(errors, "2C-3/mean", "2B-3/fusion", "2A-3/emission")
    assert keys_of(built) == ["2B-3/fusion", "2A-3/emission"]
    assert [fitted.technique.key for fitted in built.dropped] == ["2C-3/mean"]
    assert len(built.stack.versions) == 1


def test_an_interaction_is_told() -> None:
    def errors(stack: Stack) -> int:
        return 300 - min(200, 180 * stack.lm + 120 * (len(stack.versions) > 1))

    built = build(errors, "2C-3/mean", "2B-3/fusion")
    assert keys_of(built) == ["2B-3/fusion", "2C-3/mean"]
    length = LINES * len(TEXT)
    assert built.steps[1].alone.differences.cer.value == pytest.approx(-120 / length)
    assert built.steps[1].inside.differences.cer.value == pytest.approx(-20 / length)
    assert built.steps[1].interaction == pytest.approx(100 / length)


def test_the_reporting_lines_decide_nothing() -> None:
    def report(stack: Stack) -> int:
        return 300 + 100 * stack.lm

    built = build(lambda stack: 300 - 200 * stack.lm, "2B-3/fusion", report=report)
    assert keys_of(built) == ["2B-3/fusion"]
    assert built.whole.worse


def test_settings_are_those_with_the_fewest_errors() -> None:
    scorer = make_scorer(lambda stack: 100 + abs(stack.width - 16))
    technique = TECHNIQUES["2A-1"]
    fitted = fit_technique(technique, scorer, MEANS, {"width": (2, 15, 40)})
    assert fitted.settings == {"width": 15}
    assert (fitted.tried, fitted.edits) == (3, 101)


def test_an_ensemble_stands_beside_its_best_engine() -> None:
    quality = {("ctc",): 90, ("ctc:a",): 70, ("ctc:b",): 80}
    scorer = make_scorer(lambda stack: quality.get(stack.engines, 60))
    means = replace(MEANS, members=("ctc:a", "ctc:b"))
    fitted = fit_technique(TECHNIQUES["2A-2/diverse-vote"], scorer, means)
    assert fitted.before == Stack(("ctc:a",))
    assert fitted.after.engines == ("ctc", "ctc:a", "ctc:b")


def test_a_rung_that_cannot_be_climbed_leaves_the_ladder_standing() -> None:
    scorer = make_scorer(lambda stack: 300 - 50 * (stack.decode != "path") - 100 * stack.lm)
    fitted = {key: with_settings(key) for key in ("2A-1", "2B-3/fusion")}
    rungs = climb_ladder("mid", fitted, {"2A-3/mbr": "no dice"}, scorer, MEANS)
    edits = [rung.measured.edits if rung.measured else None for rung in rungs]
    assert edits == [300, 250, None, None, None, None, 150]
    assert rungs[2].why == "no dice"
    assert rungs[0].claim is not None
    assert rungs[-1].claim is not None
    assert (rungs[0].claim.low, rungs[-1].claim.low) == (42, 24)
