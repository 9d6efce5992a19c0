"""Every recognizer keeps the contract: order, batch equals singles, blank lines, NFC."""

from __future__ import annotations

import shutil
import unicodedata
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from chat_server import serve_chat
from odia_ocr.data.lines import make_renderer
from odia_ocr.errors import ModelMissingError, UsageError
from odia_ocr.recognize import ENGINES, open_recognizer
from odia_ocr.types import Candidates, LineImage, Recognizer


@pytest.fixture(scope="module")
def lines() -> list[LineImage]:
    renderer = make_renderer(split="heldout", seed=31, clean=True)
    return [LineImage(f"l{i}", renderer.render(i).pixels) for i in range(5)]


@pytest.fixture(scope="module", params=sorted(ENGINES))
def recognizer(request: pytest.FixtureRequest) -> Iterator[Recognizer]:
    if request.param.startswith("tesseract") and not shutil.which("tesseract"):
        pytest.skip("Tesseract is not installed")
    if request.param == "remote":
        with serve_chat() as api:
            yield open_recognizer(f"remote:{api.url}", threads=1)
    else:
        yield open_recognizer(request.param, threads=1)


def texts(results: list[object]) -> list[str]:
    return [r.best.text for r in results if isinstance(r, Candidates)]


def test_order_is_kept_and_a_batch_equals_singles(
    recognizer: Recognizer, lines: list[LineImage]
) -> None:
    together = recognizer.read(lines)
    assert [r.line_id for r in together if isinstance(r, Candidates)] == [line.id for line in lines]
    alone = [recognizer.read([line])[0] for line in lines]
    assert texts(list(together)) == texts(list(alone))
    backwards = recognizer.read(lines[::-1])
    assert texts(list(backwards)) == texts(list(together))[::-1]


def test_empty_input(recognizer: Recognizer) -> None:
    assert recognizer.read([]) == []


@pytest.mark.parametrize("value", [0, 128, 255])
def test_a_blank_line_is_one_empty_hypothesis(recognizer: Recognizer, value: int) -> None:
    (result,) = recognizer.read([LineImage("blank", np.full((40, 300), value, np.uint8))])
    assert isinstance(result, Candidates)
    assert [h.text.strip() for h in result.hypotheses] == [""]


@pytest.mark.parametrize("shape", [(1, 1), (2, 300), (300, 2), (40, 60, 3)], ids=str)
def test_odd_pictures_do_not_break_it(recognizer: Recognizer, shape: tuple[int, ...]) -> None:
    (result,) = recognizer.read([LineImage("odd", np.full(shape, 90, np.uint8))])
    assert getattr(result, "line_id", "odd") == "odd"


def test_text_is_nfc_and_scores_are_log_probabilities(
    recognizer: Recognizer, lines: list[LineImage]
) -> None:
    for result in recognizer.read(lines):
        assert isinstance(result, Candidates)
        hyp = result.best
        assert hyp.text == unicodedata.normalize("NFC", hyp.text)
        assert hyp.optical_logp <= 0
        assert all(symbol.logp <= 0 for symbol in hyp.symbols)


def test_an_unknown_name_lists_the_choices() -> None:
    with pytest.raises(
        UsageError,
        match=r"Did you mean tesseract.*\?.*Known: ctc, ctc-best, ctc-fast, remote, tess",
    ):
        open_recognizer("teseract")


def test_a_missing_or_broken_model_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ModelMissingError, match="Check the path"):
        open_recognizer("ctc:/nowhere/model.onnx")
    broken = tmp_path / "broken.onnx"
    broken.write_bytes(b"no model")
    with pytest.raises(ModelMissingError, match="not a usable ONNX model"):
        open_recognizer(f"ctc:{broken}")
