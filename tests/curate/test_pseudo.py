"""Readings that become labels: which are taken, what they weigh, and how right they are."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from made_features import TEXTS, make_sample

from odia_ocr.correct.calibrate import Calibration
from odia_ocr.curate.pseudo import (
    PseudoReader,
    PseudoReading,
    Rule,
    choose_labels,
    open_pseudo,
    rate_precision,
    read_unlabelled,
)
from odia_ocr.data.sets.sample import BytesPicture, Sample
from odia_ocr.errors import ConfigError, DataError, UsageError
from odia_ocr.language import ALPHABET
from odia_ocr.line_reading import LineReader
from odia_ocr.recognize.augment import View
from odia_ocr.recognize.decode.beam import BeamDecoder, Fusion
from odia_ocr.recognize.joint import JointRecognizer
from odia_ocr.types import Candidates, Emission, Hypothesis, LineImage, Problem, Symbol


def make_reading(name: str, text: str = "ଘର", confidence: float = 0.95, **more) -> PseudoReading:
    return PseudoReading(name, text, confidence, None, more.pop("agreement", 1.0), **more)


def test_sure_and_agreed_readings_are_taken() -> None:
    rivals = (("ଘା", 0.2),)
    readings = [
        make_reading("sure", rivals=rivals),
        make_reading("unsure", confidence=0.6),
        make_reading("disputed", agreement=0.5),
        make_reading("empty", ""),
        make_reading("foreign", "घर"),
    ]
    (hard,) = choose_labels(readings, Rule(0.9, 0.9))
    (soft,) = choose_labels(readings, Rule(0.9, 0.9, soft=True))
    assert (hard.reading.id, hard.rivals, hard.weight) == ("sure", (), 1.0)
    assert soft.rivals == rivals
    assert choose_labels(readings, Rule(0.99)) == []


def test_rare_lengths_and_letters_weigh_more() -> None:
    """Half of the pool is long; of the long lines a few are taken only."""
    short = [make_reading(f"s{i}", "ଘର") for i in range(40)]
    long = [make_reading(f"l{i}", "ଚନ୍ଦ୍ର ସୂର୍ଯ୍ୟ ପବନ", 0.95 if i < 10 else 0.2) for i in range(40)]
    labels = choose_labels([*short, *long], Rule(0.9))
    weights = {label.reading.id: label.weight for label in labels}
    assert len(weights) == 50
    assert weights["l0"] > 2 * weights["s0"]
    assert np.mean(list(weights.values())) == pytest.approx(1.0, abs=1e-3)
    even = choose_labels([*short, *long], Rule(0.9, balance=False))
    assert {label.weight for label in even} == {1.0}


def test_precision_by_threshold() -> None:
    readings = [
        make_reading("a", "ଘର", 0.99),
        make_reading("b", "ନଦ", 0.8),
        make_reading("c", "ଗଛ", 0.99),
    ]
    low, high = rate_precision(readings, {"a": "ଘର", "b": "ନଦୀ"}, Rule(), (0.5, 0.9))
    assert (low.lines, low.share, low.exact) == (2, 1.0, 0.5)
    assert low.cer is not None
    assert low.cer.value == pytest.approx(0.2)
    assert (high.lines, high.share, high.exact) == (1, 0.5, 1.0)
    assert rate_precision(readings, {"b": "ନଦୀ"}, Rule(), (0.9,))[0].cer is None


def test_rules_are_checked() -> None:
    with pytest.raises(ConfigError, match="confidence must lie in"):
        Rule(confidence=1.5)
    with pytest.raises(UsageError, match="Unknown engine 'nobody'"):
        open_pseudo("nobody")


class _Model:
    """A model that puts out one text, with some of another one's first letter."""

    alphabet = ALPHABET.symbols

    def __init__(self, text: str, doubt: str) -> None:
        rows = []
        for i, label in enumerate(ALPHABET.encode(text)):
            row = np.full(ALPHABET.size, 1e-6)
            row[label] = 1.0
            if i == 0:
                row[ALPHABET.encode(doubt)[0]] = 0.5
            blank = np.full(ALPHABET.size, 1e-6)
            blank[0] = 1.0
            rows += [row / row.sum(), blank / blank.sum()]
        self.log_probs = np.log(np.array(rows)).astype(np.float32)

    def emit(self, lines: Sequence[LineImage]) -> list[Emission]:
        return [Emission(line.id, self.log_probs, self.alphabet, 4.0) for line in lines]


def test_models_read_together_and_their_disagreement_is_told() -> None:
    views = tuple(View(_Model(*texts)) for texts in (("ଘର", "ଗ"), ("ଘର", "ଗ"), ("ଗର", "ଘ")))
    decoder = BeamDecoder(None, Fusion(), nbest=4)
    reader = PseudoReader(JointRecognizer("three", views, decoder), Calibration())
    (found,) = reader.read([LineImage("x", np.zeros((48, 64), np.uint8))])
    assert (found.id, found.text, found.sure) == ("x", "ଘର", None)
    assert found.agreement == pytest.approx((1 + 1 + 0.5) / 3, abs=1e-4)
    assert found.rivals[0][0] == "ଗର"
    assert 0 < found.rivals[0][1] < 0.5
    assert 0.5 < found.confidence < 1


class _Teacher:
    """Reads all lines as one text, with a rival, and one not at all."""

    name = "teacher"

    def read(self, lines: Sequence[LineImage]) -> list[Candidates | Problem]:
        hyps = [
            Hypothesis(tuple(Symbol(char, -0.1) for char in text), -0.2, posterior=share)
            for text, share in (("ଘର", 0.7), ("ଘଟ", 0.3))
        ]
        return [
            Problem("recognition", "It ran into a loop.")
            if line.id == "l01"
            else Candidates(line.id, tuple(hyps))
            for line in lines
        ]


def test_a_teacher_reads_and_the_models_say_whether_they_agree(tmp_path: Path) -> None:
    views = tuple(View(_Model(*texts)) for texts in (("ଘର", "ଗ"), ("ନର", "ଗ")))
    joint = JointRecognizer("two", views, BeamDecoder(None, Fusion(), nbest=4))
    reader = PseudoReader(joint, Calibration(), LineReader(_Teacher(), Calibration()))
    lines = [make_sample(f"l{i:02d}", seed=i) for i in range(3)]
    first, loop, _ = read_unlabelled(lines, reader.read, tmp_path / "readings.jsonl")
    assert isinstance(first, PseudoReading)
    assert (first.id, first.text, first.rivals) == ("l00", "ଘର", (("ଘଟ", 0.3),))
    assert first.agreement == pytest.approx(0.75)
    assert first.confidence == pytest.approx(np.exp(-0.1), abs=1e-4)
    assert isinstance(loop, Problem)
    assert (loop.line_id, loop.message) == ("l01", "It ran into a loop.")
    known = read_unlabelled(lines, _Read(most=0), tmp_path / "readings.jsonl")
    assert known[:2] == [first, loop], "nothing is read twice"


class _Read:
    def __init__(self, most: int = 1000) -> None:
        self.asked: list[str] = []
        self.most = most

    def __call__(self, lines: Sequence[LineImage]) -> list[PseudoReading]:
        if len(self.asked) >= self.most:
            raise KeyboardInterrupt
        self.asked += [line.id for line in lines]
        return [
            make_reading(line.id, TEXTS[i % len(TEXTS)], rivals=(("ଘ", 0.1),))
            for i, line in enumerate(lines)
        ]


def test_a_killed_reading_goes_on(tmp_path: Path) -> None:
    samples: list[Sample] = [make_sample(f"l{i:02d}", seed=i) for i in range(70)]
    samples[3] = Sample("l03", BytesPicture("l03", b"no picture"), "")
    whole = read_unlabelled(samples, _Read(), tmp_path / "whole.jsonl")
    assert isinstance(whole[3], Problem)
    assert [one.id for one in whole if isinstance(one, PseudoReading)][:4] == [
        "l00",
        "l01",
        "l02",
        "l04",
    ]
    path = tmp_path / "killed.jsonl"
    with pytest.raises(KeyboardInterrupt):
        read_unlabelled(samples, _Read(most=32), path)
    rows = path.read_text("utf-8")
    assert len(rows.splitlines()) == 64
    path.write_text(rows[:-9], "utf-8")  # the last row is not whole
    again, done = _Read(), []
    found = read_unlabelled(samples, again, path, progress=done.append)
    assert found[:63] == whole[:63]
    assert again.asked == [sample.id for sample in samples[63:]]
    assert sum(done) == 70
    with pytest.raises(DataError, match="readings of other lines"):
        read_unlabelled(samples[5:], _Read(), path)
    assert json.loads(path.read_text("utf-8").splitlines()[3])["problem"]["line_id"] == "l03"
