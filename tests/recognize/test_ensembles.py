"""Recognizers made of recognizers, mean emissions, joint readings, versions of a line."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from odia_ocr.data.lines import make_renderer
from odia_ocr.errors import RecognitionError, UsageError
from odia_ocr.fuse.vote import Vote
from odia_ocr.recognize.augment import (
    SAME_SHAPE,
    VERSIONS,
    VersionRecognizer,
    View,
    change_line,
)
from odia_ocr.recognize.averaging import AveragedRecognizer, average_emissions
from odia_ocr.recognize.ctc import CtcRecognizer, load
from odia_ocr.recognize.decode.beam import BeamDecoder
from odia_ocr.recognize.decode.forward import score_labels
from odia_ocr.recognize.decode.greedy import GreedyDecoder
from odia_ocr.recognize.ensemble import EnsembleRecognizer
from odia_ocr.recognize.joint import JointRecognizer
from odia_ocr.types import Candidates, Emission, Hypothesis, LineImage, Problem, Recognizer, Symbol

ROWS = st.lists(st.lists(st.floats(0.01, 1.0), min_size=4, max_size=4), min_size=1, max_size=4)


def make_emission(rows: list[list[float]], px: float = 4.0) -> Emission:
    table = np.array(rows, np.float64)
    table /= table.sum(axis=1, keepdims=True)
    return Emission("l", np.log(table).astype(np.float32), ("କ", "ଖ", "7"), px)


@dataclass(frozen=True)
class FakeRecognizer:
    """Reads every line as one text, or fails on some."""

    text: str
    fails: tuple[str, ...] = ()
    name: str = "fake"

    def read(self, lines: Sequence[LineImage]) -> list[Candidates | Problem]:
        symbols = tuple(Symbol(char, -0.1) for char in self.text)
        return [
            Problem("bad", f"{self.text} fails")
            if line.id in self.fails
            else Candidates(line.id, (Hypothesis(symbols, -0.1),))
            for line in lines
        ]


@pytest.fixture(scope="module")
def model() -> CtcRecognizer:
    return load(threads=1)


@pytest.fixture(scope="module")
def lines() -> list[LineImage]:
    renderer = make_renderer(split="heldout", seed=31, clean=True)
    return [LineImage(f"l{i}", renderer.render(i).pixels) for i in range(4)]


def test_an_ensemble_votes_and_leaves_out_a_member_that_fails() -> None:
    members = (FakeRecognizer("କଖ"), FakeRecognizer("କଗ", ("b", "c")), FakeRecognizer("କଗ", ("c",)))
    first, second, third = EnsembleRecognizer(
        "vote", (replace(members[0], fails=("c",)), *members[1:]), Vote("majority")
    ).read([LineImage(name, np.zeros((4, 4), np.uint8)) for name in "abc"])
    assert isinstance(first, Candidates)
    assert first.best.text == "କଗ"
    assert isinstance(second, Candidates)
    assert second.best.text == "କଖ"
    assert isinstance(third, Problem)
    with pytest.raises(ValueError, match="no members"):
        EnsembleRecognizer("none", (), Vote())


def test_weights_stay_with_their_members_when_one_fails() -> None:
    members = (FakeRecognizer("ଗ", ("b",)), FakeRecognizer("କ"), FakeRecognizer("ଖ"))
    vote = Vote("majority", weights=(4.0, 2.0, 1.0))
    lines = [LineImage(name, np.zeros((4, 4), np.uint8)) for name in "ab"]
    results = EnsembleRecognizer("vote", members, vote).read(lines)
    assert [r.best.text for r in results if isinstance(r, Candidates)] == ["ଗ", "କ"]


@dataclass(frozen=True)
class WrongRecognizer:
    """Leaves a line out, or gives the lines in another order."""

    kept: slice
    name: str = "wrong"

    def read(self, lines: Sequence[LineImage]) -> list[Candidates | Problem]:
        return FakeRecognizer("କ").read(lines)[self.kept]


@pytest.mark.parametrize("kept", [slice(1), slice(None, None, -1)], ids=["fewer", "backwards"])
def test_a_member_that_breaks_the_contract_is_named(kept: slice) -> None:
    ensemble = EnsembleRecognizer("vote", (FakeRecognizer("କ"), WrongRecognizer(kept)), Vote())
    lines = [LineImage(name, np.zeros((4, 4), np.uint8)) for name in "ab"]
    with pytest.raises(RecognitionError, match="wrong gave"):
        ensemble.read(lines)


@pytest.mark.parametrize("kind", ["ensemble", "average", "version"])
def test_recognizers_of_recognizers_keep_the_contract(
    kind: str, model: CtcRecognizer, lines: list[LineImage]
) -> None:
    views = (View(model), View(model, "up"))
    recognizer: Recognizer = {
        "ensemble": EnsembleRecognizer("e", (model, VersionRecognizer(model, "pad")), Vote()),
        "average": AveragedRecognizer("a", views, model.decoder),
        "version": VersionRecognizer(model, "wide"),
    }[kind]
    assert isinstance(recognizer, Recognizer)
    together = recognizer.read(lines)
    assert [result.line_id for result in together] == [line.id for line in lines]
    assert together == [recognizer.read([line])[0] for line in lines]
    (tiny,) = recognizer.read([LineImage("tiny", np.full((1, 1), 90, np.uint8))])
    assert tiny.line_id == "tiny"


@given(ROWS)
def test_a_mean_of_equals_is_itself(rows: list[list[float]]) -> None:
    emission = make_emission(rows)
    for how in ("probability", "log"):
        mean = average_emissions([emission] * 3, how=how)
        assert mean.log_probs == pytest.approx(emission.log_probs, abs=1e-5)


def test_means_of_probabilities_and_of_logarithms() -> None:
    one, other = make_emission([[1, 1, 1, 1]]), make_emission([[1, 7, 1, 1]])
    mean = np.exp(average_emissions([one, other]).log_probs[0])
    assert mean == pytest.approx([0.175, 0.475, 0.175, 0.175], abs=1e-6)
    product = np.exp(average_emissions([one, other], how="log").log_probs[0])
    assert product[1] / product[0] == pytest.approx(math.sqrt(7), abs=1e-4)
    alone = average_emissions([one, other], [0.0, 1.0])
    assert alone.log_probs == pytest.approx(other.log_probs, abs=1e-5)
    with pytest.raises(ValueError, match="weights"):
        average_emissions([one, other], [1.0])


def test_other_frame_rates_are_laid_by_place() -> None:
    fine = make_emission([[0.97, 0.01, 0.01, 0.01], [0.01, 0.97, 0.01, 0.01]] * 2, px=4.0)
    coarse = make_emission([[0.97, 0.01, 0.01, 0.01], [0.01, 0.97, 0.01, 0.01]], px=8.0)
    mean = average_emissions([fine, coarse], [0.0, 1.0])
    assert mean.log_probs.argmax(axis=1).tolist() == [0, 0, 1, 1]


@given(ROWS)
def test_scores_of_readings_are_sums_over_all_paths(rows: list[list[float]]) -> None:
    emission = make_emission(rows)
    sums: dict[tuple[int, ...], float] = {}
    for path in itertools.product(range(4), repeat=len(rows)):
        labels = tuple(k for k, before in zip(path, (0, *path), strict=False) if k and k != before)
        logp = sum(float(emission.log_probs[t, k]) for t, k in enumerate(path))
        sums[labels] = sums.get(labels, 0.0) + math.exp(logp)
    readings = list(sums)
    for labels, logp in zip(readings, score_labels(emission.log_probs, readings), strict=True):
        assert math.exp(logp) == pytest.approx(sums[labels], rel=1e-4)
    (impossible,) = score_labels(emission.log_probs, [(1, 2, 1, 2, 1)])
    assert impossible < -1e6


def test_a_joint_reading_of_one_view_is_that_of_its_beam(
    model: CtcRecognizer, lines: list[LineImage]
) -> None:
    assert isinstance(model.decoder, BeamDecoder)
    joint = JointRecognizer("joint", (View(model),), replace(model.decoder, nbest=4))
    for ours, theirs in zip(joint.read(lines), model.read(lines), strict=True):
        assert isinstance(ours, Candidates)
        assert isinstance(theirs, Candidates)
        assert ours.best.text == theirs.best.text
        assert ours.best.symbols == theirs.best.symbols
        assert sum(hyp.posterior or 0.0 for hyp in ours.hypotheses) == pytest.approx(1.0)


def test_lines_that_the_first_view_is_sure_of_are_not_shown_to_the_others(
    model: CtcRecognizer, lines: list[LineImage]
) -> None:
    assert isinstance(model.decoder, BeamDecoder)
    decoder = replace(model.decoder, nbest=4)
    views = (View(model), View(model, "wide"))
    alone = replace(model, decoder=decoder).read(lines)
    apart = [cands.best.posterior for cands in alone]
    level = sorted(apart)[len(apart) // 2]
    joint = JointRecognizer("joint", views, decoder, sure=level)
    for line, posterior, cands in zip(lines, apart, joint.read(lines), strict=True):
        assert cands.line_id == line.id
        assert (cands.best.source == "joint") == (posterior < level)
    emissions = zip(*(view.emit(lines) for view in views), strict=True)
    assert [joint.read_emissions(seen) for seen in emissions] == joint.read(lines)
    everything = JointRecognizer("joint", views, decoder).read(lines)
    assert {cands.best.source for cands in everything} == {"joint"}


def test_views_outvote_a_view_that_misreads(model: CtcRecognizer) -> None:
    ka, kha, doubt = [0.02, 0.96, 0.01, 0.01], [0.02, 0.01, 0.96, 0.01], [0.02, 0.5, 0.47, 0.01]
    decoder = BeamDecoder(nbest=4)
    joint = JointRecognizer("joint", (View(model),) * 2, decoder)
    assert joint.join([make_emission([doubt]), make_emission([kha])]).best.text == "ଖ"
    assert joint.join([make_emission([doubt]), make_emission([ka])]).best.text == "କ"


def test_blank_lines_stay_blank(model: CtcRecognizer) -> None:
    blank = LineImage("blank", np.full((40, 300), 255, np.uint8))
    assert isinstance(model.decoder, BeamDecoder)
    views = (View(model), View(model, "wide"))
    for recognizer in (
        JointRecognizer("joint", views, replace(model.decoder, nbest=3)),
        AveragedRecognizer("mean", views[:1], model.decoder),
    ):
        (result,) = recognizer.read([blank])
        assert isinstance(result, Candidates)
        assert result.best.text == ""
        assert recognizer.read([]) == []


def test_views_of_other_alphabets_are_refused(model: CtcRecognizer) -> None:
    other = replace(model, alphabet=model.alphabet[::-1])
    with pytest.raises(UsageError, match="alphabets differ"):
        JointRecognizer("joint", (View(model), View(other)), BeamDecoder())
    with pytest.raises(ValueError, match="no members"):
        AveragedRecognizer("mean", (), GreedyDecoder())


@pytest.mark.parametrize("version", list(VERSIONS))
def test_versions_of_a_line(version: str, model: CtcRecognizer, lines: list[LineImage]) -> None:
    line = lines[0]
    changed = change_line(version, line)
    if version in SAME_SHAPE:
        assert changed.pixels.shape == line.pixels.shape
    else:
        assert changed.pixels.shape != line.pixels.shape
    colour = LineImage("c", np.repeat(line.pixels[..., None], 3, axis=2))
    assert change_line(version, colour).pixels.shape[2] == 3
    (result,) = VersionRecognizer(model, version).read([line])
    assert isinstance(result, Candidates)
    last = [symbol.span for symbol in result.best.symbols if symbol.span][-1]
    assert last[1] == pytest.approx(line.pixels.shape[1], rel=0.15)


def test_shifts_move_the_writing_and_grey_bends_keep_black_and_white() -> None:
    pixels = np.full((50, 20), 255, np.uint8)
    pixels[20:30, 5:15] = 100
    pixels[24, 8] = 0

    def top(version: str) -> int:
        changed = change_line(version, LineImage("l", pixels)).pixels
        return int(np.flatnonzero((changed < 255).any(axis=1))[0])

    assert (top("up"), top("as-is"), top("down")) == (18, 20, 22)
    for version, brighter in (("lighter", True), ("darker", False)):
        changed = change_line(version, LineImage("l", pixels)).pixels
        assert (changed[0, 0], changed[24, 8]) == (255, 0)
        assert (changed[22, 8] > 100) == brighter


def test_an_unknown_version_lists_the_known_ones(lines: list[LineImage]) -> None:
    with pytest.raises(UsageError, match="as-is"):
        change_line("smudge", lines[0])
