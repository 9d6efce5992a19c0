"""Planted faults are found, and good lines are left alone."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from set_samples import TEXTS, draw_pixels, make_sample, save_picture

from odia_ocr.correct.calibrate import Calibration
from odia_ocr.data.sets.check import check_sets, judge_text
from odia_ocr.data.sets.doubts import Judge
from odia_ocr.data.sets.facts import measure_contrast
from odia_ocr.data.sets.findings import NEXT_STEPS, count_codes
from odia_ocr.data.sets.formats import open_set
from odia_ocr.data.sets.picture_folder import write_pairs
from odia_ocr.data.sets.sample import BytesPicture, Sample, encode_png
from odia_ocr.line_reading import LineReader
from odia_ocr.types import Candidates, Emission, Hypothesis, LineImage, Problem, Symbol


def picture(pixels: np.ndarray) -> BytesPicture:
    return BytesPicture("x", encode_png(pixels).data)


def check(folder: Path, *splits: list[Sample], judges: dict[str, Judge] | None = None):
    for number, samples in enumerate(splits):
        write_pairs(samples, folder / f"part{number}")
    sets = [open_set(folder / f"part{number}") for number in range(len(splits))]
    return check_sets(sets, judges=judges)


def codes(found) -> dict[str, str]:
    return {finding.id: finding.code for finding in found.findings}


def test_a_good_set_has_no_findings(tmp_path: Path) -> None:
    found = check(tmp_path, [make_sample(i) for i in range(6)])
    assert found.findings == ()
    assert found.lines == {"": 6}


def test_broken_and_empty_lines_are_found(tmp_path: Path) -> None:
    noise = np.random.default_rng(3).normal(220, 6, (40, 200)).clip(0, 255).astype(np.uint8)
    samples = [make_sample(i) for i in range(6)]
    samples[1] = replace(samples[1], picture=picture(noise))
    samples[2] = replace(samples[2], picture=picture(np.zeros((5, 60), np.uint8)))
    write_pairs(samples, tmp_path / "set")
    (tmp_path / "set" / "line3.png").write_bytes(b"")
    (tmp_path / "set" / "line4.gt.txt").write_text("", "utf-8")
    (tmp_path / "set" / "line5.gt.txt").unlink()
    found = check_sets([open_set(tmp_path / "set")])
    assert codes(found) == {
        "line1": "picture-empty",
        "line2": "picture-empty",
        "line3": "picture-unreadable",
        "line4": "text-empty",
        "line5": "transcription-missing",
    }
    assert all(finding.next_step and finding.reason for finding in found.findings)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("ଓଡ଼ିଶା English 12 ₹।", None),
        ("भारत माता", "wrong-script"),
        ("বাংলা", "wrong-script"),
        ("ଓଡ଼ିଶା α ଭଲ", "outside-alphabet"),
        ("ଓଡ଼ିଶା ☺", "outside-alphabet"),
        ("ଏକ\nଦୁଇ", "text-several-lines"),
        ("", "text-empty"),
    ],
)
def test_texts_are_judged_by_themselves(text: str, code: str | None) -> None:
    fault = judge_text(text)
    assert (fault and fault.code) == code


def test_lines_of_odd_length_need_a_set_to_be_odd_in(tmp_path: Path) -> None:
    samples = [make_sample(i, f"{TEXTS[i % 6]} {i * 7}") for i in range(24)]
    samples[7] = replace(samples[7], text="ନା")
    (fault,) = check(tmp_path / "a", samples).faults
    assert (fault.id, fault.code) == ("line7", "odd-length")
    assert check(tmp_path / "b", samples[:12]).faults == ()


def recompress(pixels: np.ndarray) -> BytesPicture:
    stream = io.BytesIO()
    Image.fromarray(pixels).resize((150, 30)).save(stream, "JPEG", quality=70)
    return BytesPicture("x", stream.getvalue())


def test_copies_within_a_set(tmp_path: Path) -> None:
    samples = [make_sample(i) for i in range(6)]
    grey_as_rgb = np.repeat(draw_pixels(0)[:, :, None], 3, axis=2)
    samples += [
        replace(make_sample(0, id="same"), picture=picture(grey_as_rgb)),
        replace(make_sample(0, id="other"), text="ଅନ୍ୟ ଲେଖା"),
        replace(make_sample(1, id="near"), picture=recompress(draw_pixels(1))),
        replace(make_sample(9, id="text"), text=f"{TEXTS[2]}।"),
    ]
    found = check(tmp_path, samples)
    assert codes(found) == {
        "same": "same-picture",
        "other": "same-picture-other-text",
        "near": "near-picture",
        "text": "same-text",
    }
    # A text that was printed twice is no fault.
    assert {finding.id for finding in found.faults} == {"near", "other", "same"}


def test_leaks_across_splits(tmp_path: Path) -> None:
    train = [make_sample(i) for i in range(6)]
    test = [
        replace(make_sample(0), id="picture"),
        replace(make_sample(11, TEXTS[1]), id="text"),
        replace(make_sample(12, TEXTS[0].replace("ଅଟେ", "ଅଟଇ")), id="near"),
        make_sample(13, "ଏକ ନୂଆ ଧାଡ଼ି ଏଠାରେ ଅଛି", id="fine"),
        make_sample(14, "ବର୍ଷା", id="short"),
    ]
    found = check(tmp_path, [*train, make_sample(15, "ବର୍ଷା", id="short0")], test)
    assert codes(found) == {
        "picture": "leak-picture",
        "text": "leak-text",
        "near": "leak-near-text",
    }
    by_id = {finding.id: finding for finding in found.findings}
    assert by_id["picture"].other == f"{tmp_path / 'part0'}: line0"
    assert "part0" in by_id["near"].reason


def test_splits_within_one_set_leak_too(tmp_path: Path) -> None:
    samples = [make_sample(0, split="train"), make_sample(0, split="test", id="again")]
    found = check(tmp_path, samples)
    assert list(codes(found).values()) == ["leak-picture"]
    assert found.lines == {"train": 1, "test": 1}


class Oracle:
    """An engine that reads what it was told, with one confidence."""

    def __init__(self, texts: Sequence[str], probability: float = 0.999, name: str = "oracle"):
        self.texts, self.logp, self.name = list(texts), float(np.log(probability)), name

    def read(self, lines: Sequence[LineImage]) -> list[Candidates | Problem]:
        found = []
        for line in lines:
            text = self.texts.pop(0)
            symbols = tuple(Symbol(char, self.logp) for char in text)
            found.append(Candidates(line.id, (Hypothesis(symbols, self.logp * len(text)),)))
        return found


def judge(*args: object, **options: object) -> Judge:
    return Judge(LineReader(Oracle(*args, **options), Calibration()))  # type: ignore[arg-type]


def test_a_sure_engine_makes_a_label_doubted(tmp_path: Path) -> None:
    samples = [make_sample(i) for i in range(3)]
    samples[1] = replace(samples[1], text=TEXTS[1].replace("ବହୁତ ", ""))
    found = check(tmp_path, samples, judges={"sure": judge(TEXTS[:3])})
    (finding,) = found.findings
    assert (finding.code, finding.id, finding.reading) == ("label-doubted", "line1", TEXTS[1])
    assert check(tmp_path, samples, judges={"unsure": judge(TEXTS[:3], 0.8)}).findings == ()


def test_of_several_engines_all_must_disagree(tmp_path: Path) -> None:
    samples = [make_sample(i) for i in range(2)]
    wrong = ["ଅନ୍ୟ କଥା", "ଆଉ କଥା"]
    one, other = judge(wrong, name="one"), judge([TEXTS[0], "ଆଉ କଥା"], name="other")
    found = check(tmp_path, samples, judges={"one": one, "other": other})
    assert [(f.id, f.code) for f in found.findings] == [("line1", "label-doubted")]
    assert found.findings[0].reason.startswith("Each of 2 engines disagrees; ")


class Emitter:
    """A model whose frames say one text, each symbol with one probability."""

    alphabet = tuple(sorted(set("".join(TEXTS))))
    name = "emitter"

    def __init__(self, text: str, probability: float):
        self.text, self.probability = text, probability

    def decoder(self, emission: Emission) -> tuple[Hypothesis, ...]:
        return (Hypothesis(tuple(Symbol(char, -0.1) for char in self.text), -0.1),)

    def read(self, lines: Sequence[LineImage]) -> list[Candidates | Problem]:
        raise AssertionError("emissions are asked for instead")

    def emit(self, lines: Sequence[LineImage]) -> list[Emission]:
        size = len(self.alphabet) + 1
        rest = (1 - self.probability) / (size - 1)
        frames = np.full((2 * len(self.text), size), np.log(rest), np.float32)
        for i, char in enumerate(self.text):
            frames[2 * i, self.alphabet.index(char) + 1] = np.log(self.probability)
            frames[2 * i + 1, 0] = np.log(self.probability)
        return [Emission(line.id, frames, self.alphabet, 4.0) for line in lines]


@pytest.mark.parametrize(("probability", "doubted"), [(0.999, True), (0.5, False)])
def test_likelihoods_decide_where_a_model_gives_them(probability: float, doubted: bool) -> None:
    model = Emitter(TEXTS[0], probability)
    asked = Judge(LineReader(model, Calibration()))  # type: ignore[arg-type]
    changed = TEXTS[0].replace("ରାଜଧାନୀ", "ରାଜଧାରୀ")
    line = LineImage("l", draw_pixels(0))
    (doubt,) = asked.judge([line], [changed])
    assert (doubt.strength >= 1) == doubted
    (none,) = asked.judge([line], [TEXTS[0]])
    assert none.strength == 0


def test_engines_that_fail_on_a_line_have_no_say(tmp_path: Path) -> None:
    class Broken:
        name = "broken"

        def read(self, lines: Sequence[LineImage]) -> list[Candidates | Problem]:
            raise RuntimeError("no")

    broken = Judge(LineReader(Broken(), Calibration()))
    assert check(tmp_path, [make_sample(0)], judges={"broken": broken}).findings == ()


def test_contrast_is_of_writing_not_of_paper() -> None:
    shade = np.tile(np.linspace(120, 250, 400), (50, 1)).astype(np.uint8)
    assert measure_contrast(shade) < 10
    assert measure_contrast(255 - draw_pixels(1)) > 60


def test_counts_come_in_the_order_of_gravity(tmp_path: Path) -> None:
    save_picture(tmp_path / "a.png", draw_pixels(0))
    (tmp_path / "a.gt.txt").write_text("भारत", "utf-8")
    save_picture(tmp_path / "b.png", draw_pixels(1))
    found = check_sets([open_set(tmp_path)])
    assert list(count_codes(found.findings)) == ["transcription-missing", "wrong-script"]
    assert set(codes(found).values()) <= set(NEXT_STEPS)
