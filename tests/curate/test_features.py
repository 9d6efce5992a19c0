"""What models make of lines, by the shipped ones on a few rendered lines."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("uharfbuzz")

from odia_ocr.campaign.sample import draw_sample
from odia_ocr.curate.features import FeatureReader, LineFeatures, open_features, read_features
from odia_ocr.data.sets.sample import BytesPicture, Sample, encode_png
from odia_ocr.errors import UsageError
from odia_ocr.types import LineImage, Problem


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


def test_only_engines_that_waver_are_asked() -> None:
    with pytest.raises(UsageError, match="tesseract"):
        open_features("tesseract")
