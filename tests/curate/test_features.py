"""What models make of lines, by the shipped ones on a few rendered lines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("uharfbuzz")

from odia_ocr.campaign.sample import draw_sample
from odia_ocr.correct.calibrate import Calibration
from odia_ocr.curate.features import FeatureReader, LineFeatures, open_features, read_features
from odia_ocr.data.sets.sample import BytesPicture, Sample, encode_png
from odia_ocr.errors import UsageError
from odia_ocr.line_reading import LineReader
from odia_ocr.types import Candidates, Hypothesis, LineImage, Problem, Symbol


@pytest.fixture(scope="module")
def reader() -> FeatureReader:
    return open_features("ctc", threads=1)


@pytest.fixture(scope="module")
def sample():
    return draw_sample(6)


@pytest.fixture(scope="module")
def seen(reader: FeatureReader, sample) -> list[LineFeatures]:
    return reader.read(sample.lines)


def test_features_are_about_the_reading(seen: list[LineFeatures], sample) -> None:
    assert [line.id for line in seen] == [image.id for image in sample.lines]
    for line in seen:
        assert "".join(line.clusters) == line.text
        assert len(line.doubts) == len(line.dissent) == len(line.clusters)
        assert all(0 <= value <= 1 for value in (*line.doubts, *line.dissent, line.sureness))
        assert line.confidence is not None
        assert np.linalg.norm(line.embedding) == pytest.approx(1.0, abs=1e-5)
    assert len({line.embedding.shape for line in seen}) == 1


def test_a_batch_equals_singles(reader: FeatureReader, seen, sample) -> None:
    for image, line in zip(sample.lines, seen, strict=True):
        (alone,) = reader.read([image])
        assert (alone.text, alone.dissent) == (line.text, line.dissent)
        np.testing.assert_allclose(alone.embedding, line.embedding, atol=1e-6)


def test_a_spoiled_picture_is_doubted_more(reader: FeatureReader, sample) -> None:
    image = sample.lines[4]
    noise = np.random.default_rng(1).integers(-110, 110, image.pixels.shape)
    spoiled = LineImage(image.id, np.clip(image.pixels + noise, 0, 255).astype(np.uint8))
    clear, noisy = reader.read([image, spoiled])
    assert noisy.doubt > clear.doubt
    assert noisy.disagreement > clear.disagreement
    assert noisy.sureness < clear.sureness


def test_an_empty_line_has_features(reader: FeatureReader) -> None:
    (line,) = reader.read([LineImage("white", np.full((40, 300), 255, np.uint8))])
    assert line.clusters == ()
    assert (line.doubt, line.sureness, line.surprise) == (1.0, 0.0, 0.0)


def test_views_that_agree_do_not_dissent(reader: FeatureReader, sample) -> None:
    twins = replace(reader, views=(reader.views[0], reader.views[0]))
    line = twins.read(sample.lines[4:5])[0]
    assert line.disagreement == 0.0, "the language model changed nothing in this line"
    assert line.rivals == ()


def test_a_broken_picture_is_a_problem_in_its_place(reader: FeatureReader, sample) -> None:
    good = encode_png(sample.lines[0].pixels).data
    lines = [
        Sample(name, BytesPicture(name, data), "")
        for name, data in (("a", good), ("b", b"no picture"), ("c", good))
    ]
    done: list[int] = []
    found = list(read_features(lines, reader, progress=done.append))
    assert sorted(item.line_id for item in found if isinstance(item, Problem)) == ["b"]
    assert [item.id for item in found if isinstance(item, LineFeatures)] == ["a", "c"]
    assert sum(done) == 3


class _Engine:
    """Reads every line as one text and cannot read one of them."""

    name = "other"

    def read(self, lines: Sequence[LineImage]) -> list[Candidates | Problem]:
        return [self._read(line) for line in lines]

    def _read(self, line: LineImage) -> Candidates | Problem:
        if line.id == "bad":
            return Problem("recognition", "It failed.")
        symbols = tuple(Symbol(char, logp) for char, logp in (("ଘ", -0.1), ("ର", -2.0)))
        return Candidates(line.id, (Hypothesis(symbols, -2.1),))


def test_another_engine_reads_and_is_compared(reader: FeatureReader, sample) -> None:
    engine = LineReader(_Engine(), Calibration())
    lines = [sample.lines[0], replace(sample.lines[1], id="bad"), sample.lines[2]]
    first, bad, last = replace(reader, engine=engine).read(lines)
    assert isinstance(first, LineFeatures)
    assert isinstance(last, LineFeatures)
    assert isinstance(bad, Problem)
    assert (bad.line_id, bad.message) == ("bad", "It failed.")
    assert (first.text, first.confidence) == ("ଘର", None)
    assert first.doubts[0] < 0.2 < 0.8 < first.doubts[1]
    assert first.disagreement > 0.5, "the shipped models read something else"
    (own,) = reader.read(sample.lines[:1])
    np.testing.assert_allclose(first.embedding, own.embedding, atol=1e-6)


def test_engines_without_scores_are_taken_and_unknown_ones_named() -> None:
    with pytest.raises(UsageError, match="Unknown engine 'nobody'"):
        open_features("nobody")
    assert open_features("ctc-fast", threads=1).engine is not None
