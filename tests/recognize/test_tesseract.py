"""Tesseract as a recognizer: its output parsed, its contract, its absence."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from odia_ocr.errors import EngineMissingError, RecognitionError
from odia_ocr.recognize import tesseract
from odia_ocr.recognize.tesseract import (
    TesseractLines,
    TesseractProgram,
    TsvRow,
    find_program,
    load,
    load_pages,
    parse_tsv,
)
from odia_ocr.types import Candidates, LineImage, PageImage, Problem, Recognizer

FACE = Path(tesseract.__file__).parent.parent / "data" / "fonts" / "AnekOdia-Regular.ttf"
HEADER = (
    "level\tpage_num\tblock_num\tpar_num\tline_num\tword_num\tleft\ttop\twidth\theight\tconf\ttext"
)


def _installed() -> bool:
    try:
        find_program("Oriya")
    except EngineMissingError:
        return False
    return True


needs_tesseract = pytest.mark.skipif(not _installed(), reason="tesseract is not installed")


def draw_digits(text: str, name: str = "line") -> LineImage:
    """A line that any engine reads: digits need no shaping."""
    from PIL import ImageFont

    face = ImageFont.truetype(str(FACE), 40, layout_engine=ImageFont.Layout.BASIC)
    picture = Image.new("L", (60 + 26 * len(text), 70), 255)
    ImageDraw.Draw(picture).text((30, 8), text, font=face, fill=0)
    return LineImage(name, np.array(picture))


def blank(name: str, height: int = 48, width: int = 300) -> LineImage:
    return LineImage(name, np.full((height, width), 255, np.uint8))


def inked(name: str, width: int = 300) -> LineImage:
    pixels = np.full((48, width), 255, np.uint8)
    pixels[20:30, 2:6] = 0
    return LineImage(name, pixels)


def word(text: str, *, page: int = 1, left: int = 0, confidence: float = 0.9) -> TsvRow:
    return TsvRow(5, page, (1, 1, 1), (left, 0, left + 10, 20), confidence, text)


def page_row(page: int) -> TsvRow:
    return TsvRow(1, page, (0, 0, 0), (0, 0, 100, 20), None, "")


def with_rows(monkeypatch: pytest.MonkeyPatch, run) -> TesseractLines:
    """An engine whose program is replaced by a function of the pictures."""
    monkeypatch.setattr(TesseractProgram, "run", lambda self, pictures, **_: run(pictures))
    return TesseractLines("tesseract", TesseractProgram("tesseract", "5.3.0", "Oriya"))


def test_tsv_rows_keep_place_box_and_confidence() -> None:
    rows = parse_tsv(
        f"{HEADER}\n1\t2\t0\t0\t0\t0\t0\t0\t180\t51\t-1\t\n"
        "5\t2\t1\t1\t1\t3\t17\t8\t144\t43\t96.5\tସତ୍ୟ\n"
    )
    assert rows == [
        TsvRow(1, 2, (0, 0, 0), (0, 0, 180, 51), None, ""),
        TsvRow(5, 2, (1, 1, 1), (17, 8, 161, 51), pytest.approx(0.965), "ସତ୍ୟ"),
    ]


def test_tsv_text_may_hold_odd_characters_and_broken_rows_are_left_out() -> None:
    row = '5\t1\t1\t1\t1\t1\t0\t0\t9\t9\t50\t"a\tb"'
    assert [r.text for r in parse_tsv(f"{HEADER}\n{row}\nnonsense\n\n")] == ['"a\tb"']


def test_words_become_symbols_with_spaces_between(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [page_row(1), word("ସତ୍ଯ"), word(" ", left=15), word("ବା", left=30, confidence=0.5)]
    (cands,) = with_rows(monkeypatch, lambda pictures: rows).read([inked("a")])
    assert isinstance(cands, Candidates)
    assert [s.text for s in cands.best.symbols] == ["ସତ୍ୟ", " ", "ବା"]  # usual spelling
    assert cands.best.symbols[1].span == (10.0, 30.0)
    assert cands.best.optical_logp == pytest.approx(np.log(0.9) + np.log(0.5))
    assert cands.best.source == "tesseract-5.3.0/Oriya"


def test_a_confidence_of_zero_is_not_impossible(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [page_row(1), word("ମୁଖବନ୍ଧ", confidence=0.0)]
    (cands,) = with_rows(monkeypatch, lambda pictures: rows).read([inked("a")])
    assert isinstance(cands, Candidates)
    assert np.isfinite(cands.best.optical_logp)


def test_one_process_for_all_lines_and_none_for_no_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[int] = []

    def run(pictures):
        calls.append(len(pictures))
        return [row for i in range(len(pictures)) for row in (page_row(i + 1),)]

    engine = with_rows(monkeypatch, run)
    assert engine.read([]) == []
    assert calls == []
    assert len(engine.read([blank(str(i)) for i in range(20)])) == 20
    assert calls == [20]


def test_a_line_it_fails_on_becomes_a_problem_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    def run(pictures):
        if any(pixels.shape[1] == 13 for pixels in pictures):
            raise RecognitionError("Tesseract ended with -11: no reason given")
        rows = []
        for i, pixels in enumerate(pictures):
            rows += [page_row(i + 1), word(str(pixels.shape[1]), page=i + 1)]
        return rows

    widths = [10, 11, 12, 13, 14, 15, 16]
    outcomes = with_rows(monkeypatch, run).read([inked(f"w{w}", width=w) for w in widths])
    texts = [out.best.text if isinstance(out, Candidates) else out.line_id for out in outcomes]
    assert texts == ["10", "11", "12", "w13", "14", "15", "16"]
    (problem,) = (out for out in outcomes if isinstance(out, Problem))
    assert problem.code == "recognition"
    assert problem.next_step


def test_missing_pages_in_the_output_are_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = with_rows(monkeypatch, lambda pictures: [page_row(1)][: len(pictures) % 2])
    one, two = engine.read([blank("a"), blank("b")])
    assert isinstance(one, Candidates)  # alone, it answered
    assert isinstance(two, Candidates)


def test_too_slow_is_an_error_with_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    def run(command, **options):
        raise subprocess.TimeoutExpired(command, options["timeout"])

    monkeypatch.setattr(subprocess, "run", run)
    program = TesseractProgram("tesseract", "5.3.0", "Oriya")
    with pytest.raises(RecognitionError, match="longer than 7 s"):
        program.run([blank("a").pixels], psm=7, timeout=7)


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch):
    """Pretend a program with certain models is installed."""

    def pretend(*models: str) -> None:
        listing = "\n".join(["List of available languages:", *models, ""])
        replies = {"--list-langs": listing, "--version": "tesseract 5.4.1\n leptonica\n"}
        monkeypatch.setattr(shutil, "which", lambda name: f"/usr/bin/{name}")
        monkeypatch.setattr(tesseract, "_ask", lambda path, option, data: replies[option])

    return pretend


def test_without_the_program_the_message_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(EngineMissingError, match="apt install tesseract-ocr") as caught:
        load()
    assert caught.value.exit_code == 3


@pytest.mark.parametrize(
    ("model", "package"),
    [
        ("Oriya", "tesseract-ocr-script-orya"),
        ("ori", "tesseract-ocr-ori"),
        ("Oriya+chi_sim", "tesseract-ocr-script-orya"),
    ],
)
def test_without_the_model_the_message_says_what_to_install(answers, model, package) -> None:
    answers("eng", "osd")
    with pytest.raises(EngineMissingError, match=package):
        load(model)


@pytest.mark.parametrize(
    ("installed", "model", "used"),
    [
        (("Oriya", "eng"), "Oriya", "Oriya"),
        (("script/Oriya", "eng"), "Oriya", "script/Oriya"),
        (("Oriya", "eng"), "script/Oriya", "Oriya"),
        (("script/Oriya", "eng"), "Oriya+eng", "script/Oriya+eng"),
    ],
)
def test_both_places_of_the_script_model_are_understood(answers, installed, model, used) -> None:
    answers(*installed)
    program = find_program(model)
    assert program.model == used
    assert program.version == "5.4.1"


def test_engine_names(answers) -> None:
    answers("Oriya", "ori")
    assert load().name == load("Oriya").name == load_pages().name == "tesseract"
    assert load("ori", threads=2).name == "tesseract:ori"


@needs_tesseract
def test_it_is_a_recognizer_that_keeps_order_and_equals_single_lines() -> None:
    engine = load()
    assert isinstance(engine, Recognizer)
    lines = [draw_digits("୨୦୨୪"), blank("blank"), draw_digits("1975", "b"), draw_digits("୪୫", "c")]
    together = engine.read(lines)
    assert together == [engine.read([line])[0] for line in lines]
    assert [out.line_id for out in together] == ["line", "blank", "b", "c"]
    texts = [out.best.text for out in together if isinstance(out, Candidates)]
    assert texts[1] == ""
    assert texts[2] == "1975"


@needs_tesseract
@pytest.mark.parametrize(("height", "width"), [(1, 1), (2, 3), (2, 500), (300, 2), (48, 300)])
def test_tiny_and_blank_pictures_do_not_crash(height: int, width: int) -> None:
    (outcome,) = load().read([blank("x", height, width)])
    assert isinstance(outcome, Candidates)
    assert outcome.best.text == ""


@needs_tesseract
def test_colour_pictures_and_a_line_beyond_the_programs_limit() -> None:
    digits = draw_digits("1975")
    colour = LineImage("colour", np.repeat(digits.pixels[:, :, None], 3, axis=2))
    wide = blank("wide", 20, 40_000)
    first, second = load().read([colour, wide])
    assert isinstance(first, Candidates)
    assert first.best.text == "1975"
    assert isinstance(second, Problem)
    assert second.line_id == "wide"


@needs_tesseract
def test_a_page_comes_with_lines_words_and_provenance() -> None:
    lines = [draw_digits(text).pixels for text in ("1975", "2024")]
    width = max(pixels.shape[1] for pixels in lines)
    sheet = np.full((400, width + 400), 255, np.uint8)
    for i, pixels in enumerate(lines):
        sheet[60 + 90 * i : 130 + 90 * i, 100 : 100 + pixels.shape[1]] = pixels
    page = load_pages().read(PageImage("sheet.png", 3, sheet))
    assert page.text.split() == ["1975", "2024"]
    assert page.number == 3
    assert [line.id for line in page.lines] == ["p0003-l001", "p0003-l002"]
    assert page.lines[0].words[0].text == "1975"
    left, top, right, bottom = page.lines[0].box
    assert 100 <= left < right <= 100 + width
    assert 60 <= top < bottom <= 130
    assert {line.region for line in page.lines} <= {region.id for region in page.regions}
    assert "--psm 3" in page.steps[0]


@pytest.mark.parametrize(
    ("dpi", "told"),
    [(None, []), (300.0, ["--dpi", "300"]), (99.6, ["--dpi", "100"]), (60.0, []), (9600.0, [])],
)
def test_a_page_comes_in_colour_and_with_its_resolution(
    monkeypatch: pytest.MonkeyPatch, dpi: float | None, told: list[str]
) -> None:
    seen: list[tuple[list[str], bytes]] = []

    def run(command, **options):
        listing = Path(command[1])
        seen.append((command, Path(listing.read_text("utf-8").strip()).read_bytes()))
        (listing.parent / "out.tsv").write_text(HEADER + "\n", encoding="utf-8")
        return subprocess.CompletedProcess(command, 0, b"", b"")

    monkeypatch.setattr(subprocess, "run", run)
    pixels = np.arange(4 * 5 * 3, dtype=np.uint8).reshape(4, 5, 3)
    reader = tesseract.TesseractPages("tesseract", TesseractProgram("tesseract", "5.4.1", "Oriya"))
    assert reader.read(PageImage("page.png", 1, pixels, dpi)).problems == ()
    ((command, picture),) = seen
    assert command[command.index("--psm") + 1] == "3"
    assert command[-len(told) or len(command) :] == told
    assert ("--dpi" in command) == bool(told)
    assert picture == b"P6\n5 4\n255\n" + pixels.tobytes()


@needs_tesseract
def test_a_page_it_fails_on_has_a_problem() -> None:
    page = load_pages().read(PageImage("wide.png", 1, blank("x", 20, 40_000).pixels))
    assert page.lines == ()
    assert page.problems[0].page == 1
