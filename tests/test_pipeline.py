import io
import os
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import odia_ocr
from odia_ocr.errors import (
    FileMissingError,
    InputError,
    ModelMissingError,
    PictureError,
    RecognitionError,
    ResourceMissingError,
    UsageError,
)
from odia_ocr.line_reading import DOUBTFUL_CLUSTER, DOUBTFUL_LINE
from odia_ocr.pages.crop import crop_line
from odia_ocr.pages.detector import load_detector
from odia_ocr.pages.text_layer import LayerLine, LayerWord, TextLayer
from odia_ocr.pipeline import (
    PageOptions,
    Reader,
    read,
    read_pages,
)
from odia_ocr.types import Candidates, Hypothesis, Line, Page, PageImage, Problem, Reading, Symbol

SAMPLE = Path(__file__).parent.parent / "samples" / "page.png"
LOW_CLUSTER, HIGH_CLUSTER = DOUBTFUL_CLUSTER / 2, (1 + DOUBTFUL_CLUSTER) / 2
LOW_LINE, HIGH_LINE = DOUBTFUL_LINE / 2, (1 + DOUBTFUL_LINE) / 2


def page_pixels(rows=4):
    """A white page with rows of rings that look like letters."""
    page = np.full((60 + 60 * rows, 600), 245, np.uint8)
    for row in range(rows):
        top = 40 + 60 * row
        for letter in range(14):
            left = 40 + 36 * letter
            page[top : top + 28, left : left + 28] = 20
            page[top + 4 : top + 24, left + 4 : left + 24] = 245
    return page


def encode(*pages, kind="PNG"):
    images = [Image.fromarray(page) for page in pages]
    stream = io.BytesIO()
    more = {"save_all": True, "append_images": images[1:]} if len(images) > 1 else {}
    images[0].save(stream, kind, **more)
    return stream.getvalue()


class FakeRecognizer:
    """Reads "କ ଖ" and the line's number wherever there is a line."""

    name = "fake"

    def __init__(self):
        self.calls = 0

    def read(self, lines):
        self.calls += 1
        return [self.read_one(line) for line in lines]

    def read_one(self, line):
        text = f"କ ଖ{int(line.id[-3:])}"
        width = line.pixels.shape[1] / len(text)
        symbols = tuple(
            Symbol(char, -0.1, (i * width, (i + 1) * width)) for i, char in enumerate(text)
        )
        return Candidates(line.id, (Hypothesis(symbols, -0.1 * len(text)),))


def correct(cands, confidence=0.9):
    return Reading(cands.best.text, confidence, hypothesis=cands.best)


def reader_of(recognizer, corrector=correct):
    return Reader(recognizer, corrector)


def test_a_page_is_read_in_order_with_words():
    document = read(page_pixels(), reader=reader_of(FakeRecognizer()))
    assert document.text == "କ ଖ1\nକ ଖ2\nକ ଖ3\nକ ଖ4"
    page = document.pages[0]
    assert page.problems == ()
    assert page.steps[-1] == "text: fake"
    for line in page.lines:
        assert [word.text for word in line.words] == line.text.split()
        left, right = line.words[0].polygon, line.words[1].polygon
        assert line.box[0] <= left[0][0] < left[1][0] <= right[0][0] < right[1][0] <= line.box[2]


@pytest.mark.parametrize("as_what", ["path", "bytes", "pillow", "array"])
def test_sources(as_what, tmp_path):
    data = encode(page_pixels())
    path = tmp_path / "page.png"
    path.write_bytes(data)
    source = {
        "path": path,
        "bytes": data,
        "pillow": Image.open(path),
        "array": page_pixels(),
    }[as_what]
    document = read(source, reader=reader_of(FakeRecognizer()))
    assert len(document.pages[0].lines) == 4
    if as_what == "path":
        assert document.source == str(path)


def test_a_blank_page_is_a_page_with_a_problem():
    recognizer = FakeRecognizer()
    document = read(np.full((300, 200), 250, np.uint8), reader=reader_of(recognizer))
    assert document.text == ""
    assert [p.code for p in document.pages[0].problems] == ["blank-page"]
    assert recognizer.calls == 0


def test_marks_without_text_are_left_out_and_counted():
    class Silent(FakeRecognizer):
        def read_one(self, line):
            if line.id.endswith("2"):
                return Candidates(line.id, (Hypothesis((), -0.1),))
            return super().read_one(line)

    page = read(page_pixels(), reader=reader_of(Silent())).pages[0]
    assert page.text == "କ ଖ1\nକ ଖ3\nକ ଖ4"
    assert "1 lines of marks" in page.steps[-1]

    class Mute(FakeRecognizer):
        def read_one(self, line):
            return Candidates(line.id, (Hypothesis((), -0.1),))

    page = read(page_pixels(), reader=reader_of(Mute())).pages[0]
    assert [p.code for p in page.problems] == ["blank-page"]


def test_a_line_problem_stays_on_its_line():
    class Partly(FakeRecognizer):
        def read_one(self, line):
            if line.id.endswith("3"):
                return Problem("recognition", "too thin")
            return super().read_one(line)

    page = read(page_pixels(), reader=reader_of(Partly())).pages[0]
    assert [line.reading is None for line in page.lines] == [False, False, True, False]
    (problem,) = page.problems
    assert (problem.line_id, problem.page, problem.message) == ("p0001-l003", 1, "too thin")


def test_a_recognizer_that_raises_on_one_line_reads_the_others():
    class Raises(FakeRecognizer):
        def read_one(self, line):
            if line.id.endswith("2"):
                raise ValueError("bad line")
            return super().read_one(line)

    page = read(page_pixels(), reader=reader_of(Raises())).pages[0]
    assert page.text == "କ ଖ1\nକ ଖ3\nକ ଖ4"
    assert "ValueError: bad line" in page.problems[0].message
    assert page.problems[0].next_step


def test_a_recognizer_that_always_raises_is_an_error():
    class Raises(FakeRecognizer):
        def read(self, lines):
            raise RuntimeError("no memory")

    with pytest.raises(RecognitionError, match="no memory"):
        read(page_pixels(), reader=reader_of(Raises()))


def test_problems_on_every_line_are_an_error():
    class Fails(FakeRecognizer):
        def read_one(self, line):
            return Problem("recognition", "too thin", "Scan it again.")

    with pytest.raises(RecognitionError, match=r"No line could be read: too thin.*Scan it again"):
        read(page_pixels(), reader=reader_of(Fails()))


def test_an_engine_with_its_own_layout():
    class Engine:
        def __init__(self, *problems):
            self.problems = problems

        def read(self, image):
            return Page(image.source, image.number, image.size, problems=self.problems)

    def reader_with(*problems):
        return Reader(FakeRecognizer(), correct, page_reader=Engine(*problems))

    page = read(page_pixels(), reader=reader_with()).pages[0]
    assert [p.code for p in page.problems] == ["blank-page"]
    with pytest.raises(RecognitionError, match="took too long"):
        read(page_pixels(), reader=reader_with(Problem("recognition", "took too long")))


@pytest.mark.parametrize("count", [0, 3, 5])
def test_the_wrong_number_of_results_is_an_error(count):
    class Wrong(FakeRecognizer):
        def read(self, lines):
            return (super().read(lines) * 2)[:count]

    with pytest.raises(RecognitionError, match=f"{count} results for 4 lines"):
        read(page_pixels(), reader=reader_of(Wrong()))


def test_results_in_another_order_are_an_error():
    class Shuffled(FakeRecognizer):
        def read(self, lines):
            return super().read(lines)[::-1]

    with pytest.raises(RecognitionError, match="in the place of"):
        read(page_pixels(), reader=reader_of(Shuffled()))


def test_a_missing_model_ends_it():
    class Missing(FakeRecognizer):
        def read(self, lines):
            raise ModelMissingError("no weights")

    with pytest.raises(ModelMissingError):
        read(page_pixels(), reader=reader_of(Missing()))


def test_a_corrector_that_raises_is_a_problem_of_the_line():
    def broken(cands):
        if cands.line_id.endswith("1"):
            raise KeyError("x")
        return correct(cands)

    page = read(page_pixels(), reader=reader_of(FakeRecognizer(), broken)).pages[0]
    assert page.problems[0].line_id == "p0001-l001"
    assert len(page.text.splitlines()) == 3


@pytest.mark.parametrize(
    ("confidence", "clusters", "codes"),
    [
        (LOW_LINE, (), ["doubtful"]),
        (HIGH_LINE, (), []),
        (None, (), []),
        (None, (LOW_CLUSTER,) * 4, ["doubtful"]),
        (None, (HIGH_CLUSTER,) * 4, []),
        # Handwriting: sure clusters in a line that the calibration holds for wrong.
        (LOW_LINE, (HIGH_CLUSTER,) * 4, ["doubtful"]),
        (HIGH_LINE, (LOW_CLUSTER,) * 4, ["doubtful"]),
        (HIGH_LINE, (HIGH_CLUSTER,) * 4, []),
    ],
)
def test_low_confidence_is_told(confidence, clusters, codes):
    def corrector(cands):
        return Reading(cands.best.text, confidence, clusters, hypothesis=cands.best)

    page = read(page_pixels(), reader=reader_of(FakeRecognizer(), corrector)).pages[0]
    assert [p.code for p in page.problems] == codes
    assert len(page.lines) == 4


def test_pages_of_a_tiff_stream_one_by_one():
    data = encode(page_pixels(2), page_pixels(1), page_pixels(3), kind="TIFF")
    outcomes = read_pages(data, reader=reader_of(FakeRecognizer()))
    assert next(outcomes).page.number == 1
    assert [len(o.page.lines) for o in outcomes] == [1, 3]
    document = read(data, pages="2-", reader=reader_of(FakeRecognizer()))
    assert [page.number for page in document.pages] == [2, 3]
    assert document.text.count("\f") == 1
    assert document.pages[0].lines[0].id == "p0002-l001"
    with pytest.raises(InputError, match="none of the wanted pages"):
        read(data, pages="7", reader=reader_of(FakeRecognizer()))
    with pytest.raises(UsageError):
        read(data, pages="x", reader=reader_of(FakeRecognizer()))


def test_one_failing_page_leaves_the_others():
    class FailsOnSecond(FakeRecognizer):
        def read(self, lines):
            if lines[0].id.startswith("p0002"):
                raise RuntimeError("hiccup")
            return super().read(lines)

    data = encode(page_pixels(2), page_pixels(1), page_pixels(3), kind="TIFF")
    document = read(data, reader=reader_of(FailsOnSecond()))
    assert [page.number for page in document.pages] == [1, 3]
    (problem,) = document.problems
    assert (problem.code, problem.page) == ("recognition", 2)


def test_unreadable_sources_raise(tmp_path):
    with pytest.raises(FileMissingError):
        read(tmp_path / "none.png", reader=reader_of(FakeRecognizer()))
    with pytest.raises(PictureError):
        read(b"", reader=reader_of(FakeRecognizer()))
    with pytest.raises(PictureError):
        read(encode(page_pixels())[:200], reader=reader_of(FakeRecognizer()))


def test_the_reader_takes_pixels_alone():
    page = reader_of(FakeRecognizer()).read_page(PageImage("scan", 5, page_pixels(1)))
    assert page.lines[0].id == "p0005-l001"


def test_importing_loads_nothing_heavy():
    assert callable(odia_ocr.read)
    code = (
        "import sys, odia_ocr; odia_ocr.read;"
        "heavy = {'torch', 'onnxruntime', 'transformers', 'cv2', 'pypdfium2'} & set(sys.modules);"
        "sys.exit(str(heavy) if heavy else 0)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


class KnowsUp(FakeRecognizer):
    """Sure of a line whose rings have their thick side below, as `marked_page` draws them."""

    def read_one(self, line):
        grey = line.pixels.astype(float)
        third = max(1, grey.shape[0] // 2)
        up = grey[-third:].mean() < grey[:third].mean() - 0.5
        wide = grey.shape[1] > 4 * grey.shape[0]
        logp = -0.02 if up and wide else -0.6
        return Candidates(line.id, (Hypothesis((Symbol("କ", logp),) * 6, 6 * logp),))


def marked_page(rows=8):
    page = page_pixels(rows)
    for row in range(rows):
        top = 40 + 60 * row
        for letter in range(14):
            left = 40 + 36 * letter
            page[top + 19 : top + 24, left : left + 28] = 20
    return page


@pytest.mark.parametrize("quarters", [0, 1, 2, 3])
def test_a_page_that_lies_wrong_is_read_and_keeps_its_coordinates(quarters):
    upright = marked_page()
    given = np.ascontiguousarray(np.rot90(upright, quarters))
    page = read(given, reader=reader_of(KnowsUp())).pages[0]
    assert page.size == given.shape[::-1]
    assert len(page.lines) == 8
    assert any("turned" in step for step in page.steps) == (quarters > 0)
    if quarters:
        assert f"turned {90 * quarters} degrees" in page.steps[0]
    recut = [crop_line(PageImage("x", 1, given), line).pixels for line in page.lines]
    assert all(up[-14:].mean() < up[:14].mean() for up in recut)
    # The first line is the first of the upright page.
    first = page.lines[0].polygon[0]
    corner = [(0, 0), (0, 600), (600, 540), (540, 0)][quarters]
    assert np.hypot(first[0] - corner[0], first[1] - corner[1]) < 80


def test_a_page_that_reads_well_is_looked_at_once():
    recognizer = KnowsUp()
    read(marked_page(), reader=reader_of(recognizer))
    assert recognizer.calls == 1


def test_one_model_tells_how_a_page_lies_that_several_read():
    class SureOfTurned(FakeRecognizer):
        """As several models are: in doubt of a page that lies right, sure of it upside down."""

        def read_one(self, line):
            grey = line.pixels.astype(float)
            half = grey.shape[0] // 2
            logp = -0.3 if grey[-half:].mean() < grey[:half].mean() - 0.5 else -0.02
            return Candidates(line.id, (Hypothesis((Symbol("ଖ", logp),) * 6, 6 * logp),))

    joint = reader_of(SureOfTurned())
    (page,) = read(marked_page(), reader=replace(joint, scout=KnowsUp())).pages
    assert [line.text for line in page.lines] == ["ଖଖଖଖଖଖ"] * 8
    assert not any("turned" in step for step in page.steps)
    assert any("turned" in step for step in read(marked_page(), reader=joint).pages[0].steps)


def test_a_blank_page_is_not_turned_for_ever():
    recognizer = KnowsUp()
    page = read(np.full((300, 200), 250, np.uint8), reader=reader_of(recognizer)).pages[0]
    assert (page.text, recognizer.calls) == ("", 0)


@pytest.mark.parametrize("better", ["straight", "as it lies"])
def test_a_straightened_page_that_reads_worse_is_dropped(monkeypatch, better):
    def straighten(view):
        pixels = np.full_like(view.image.pixels, 245)
        pixels[:-5] = view.image.pixels[5:]
        return view.then(pixels, lambda points: np.add(points, (0.0, 5.0)), step="straightened: up")

    monkeypatch.setattr("odia_ocr.view_reading.straighten", straighten)
    asked = []

    class Judge(FakeRecognizer):
        def read(self, lines):
            asked.append(len(lines))
            sure = (len(asked) == 1) == (better == "straight")
            logp = -0.01 if sure else -0.5
            hyp = Hypothesis((Symbol("କ", logp),) * 6, 6 * logp)
            return [Candidates(line.id, (hyp,)) for line in lines]

    page = read(page_pixels(), reader=reader_of(Judge())).pages[0]
    assert asked[:2] == [4, 4]
    assert ("straightened: up" in page.steps) == (better == "straight")
    assert [line.box[1] for line in page.lines] == pytest.approx(
        [line.box[1] for line in read(page_pixels(), reader=reader_of(Judge())).pages[0].lines],
        abs=2,
    )


@pytest.mark.parametrize(("pieces", "kept"), [(1, True), (2, False)])
def test_a_straightened_page_that_reads_as_well_in_fewer_pieces_is_kept(monkeypatch, pieces, kept):
    def straighten(view):
        return view.then(view.image.pixels.copy(), lambda points: points, step="straightened")

    class Breaking:
        """Breaks every line of the page as given in two, of the straightened one in `pieces`."""

        def __init__(self):
            self.looks = 0

        def segment(self, image):
            parts = pieces if self.looks else 2
            self.looks += 1
            lines = []
            for top in (40, 100, 160, 220):
                for part in range(parts):
                    left, right = 40 + 480 * part / parts, 40 + 480 * (part + 1) / parts
                    box = ((left, top), (right, top), (right, top + 28), (left, top + 28))
                    lines.append(Line(f"l{len(lines)}", box))
            return Page(image.source, image.number, image.size, lines=tuple(lines))

    class ByWidth(FakeRecognizer):
        def read(self, lines):
            return [
                Candidates(line.id, (Hypothesis((Symbol("କ", -0.01),) * (count), -0.01 * count),))
                for line in lines
                for count in [round(line.pixels.shape[1] / 40)]
            ]

    monkeypatch.setattr("odia_ocr.view_reading.straighten", straighten)
    monkeypatch.setattr("odia_ocr.view_reading.lies_flat", lambda lines: False)
    reader = Reader(ByWidth(), correct, segmenter=Breaking())
    page = read(page_pixels(), reader=reader).pages[0]
    assert ("straightened" in page.steps, len(page.lines)) == (kept, 4 if kept else 8)


def test_spreads_are_read_side_by_side_on_request():
    spread = np.full((600, 1400), 245, np.uint8)
    spread[:300, :600] = page_pixels()
    spread[:300, 760:1360] = page_pixels()
    options = PageOptions(split_spreads=True)
    page = read(spread, reader=reader_of(FakeRecognizer()), options=options).pages[0]
    assert [line.box[0] > 700 for line in page.lines] == [False] * 4 + [True] * 4
    assert len({line.id for line in page.lines}) == 8
    upright = read(page_pixels(), reader=reader_of(FakeRecognizer()), options=options).pages[0]
    assert "spread: no gutter found" in upright.steps


class FakeFile:
    """Pages made when asked for."""

    source = "book.pdf"

    def __init__(self, count, *, layer=None, problems=(), broken=()):
        self.count = count
        self.problems = problems
        self.layer = layer
        self.broken = broken
        self.loaded = []

    def load(self, number):
        self.loaded.append(number)
        if number in self.broken:
            raise self.broken[number]
        return PageImage(self.source, number, page_pixels(1 + number % 3))

    def text_layer(self, number, size):
        return self.layer


@pytest.mark.parametrize("threads", [1, 2, 8])
def test_pages_side_by_side_keep_their_order_and_their_failures(threads):
    file = FakeFile(
        7, broken={3: PictureError("bad page", next_step="Export it."), 5: KeyError("x")}
    )
    reader = Reader(FakeRecognizer(), correct, threads=threads)
    outcomes = list(reader.read_each(file))
    assert [outcome.number for outcome in outcomes] == [1, 2, 3, 4, 5, 6, 7]
    assert sorted(file.loaded) == [1, 2, 3, 4, 5, 6, 7]
    for outcome in outcomes:
        if outcome.number in (3, 5):
            assert outcome.page is None
            assert outcome.problem.page == outcome.number
            assert outcome.problem.next_step
        else:
            assert len(outcome.page.lines) == 1 + outcome.number % 3
    assert "KeyError" in outcomes[4].problem.message


def test_no_more_pages_are_begun_than_a_few():
    file = FakeFile(50)
    outcomes = Reader(FakeRecognizer(), correct, threads=8).read_each(file)
    next(outcomes)
    next(outcomes)
    outcomes.close()
    assert len(file.loaded) <= 7


@pytest.mark.parametrize("error", [KeyboardInterrupt, ResourceMissingError("gone")])
def test_what_ends_everything_ends_pages_side_by_side_too(error):
    class Stops(FakeRecognizer):
        def read(self, lines):
            raise error

    file = FakeFile(50)
    before = threading.active_count()
    with pytest.raises(type(error) if isinstance(error, Exception) else error):
        list(Reader(Stops(), correct, threads=3).read_each(file))
    assert len(file.loaded) <= 6
    assert threading.active_count() == before


@pytest.mark.parametrize(("threads", "pages", "each"), [(2, 5, 1), (8, 2, 4), (9, 50, 2)])
def test_pages_side_by_side_share_the_threads(threads, pages, each):
    alone, shared = FakeRecognizer(), FakeRecognizer()
    asked = []

    def reopen(count):
        asked.append(count)
        return reader_of(shared)

    reader = Reader(alone, correct, threads=threads, reopen=reopen)
    assert len(list(reader.read_each(FakeFile(1)))) == 1
    assert not asked
    assert (alone.calls, shared.calls) == (1, 0)
    assert len(list(reader.read_each(FakeFile(pages)))) == pages
    assert asked == [each]
    assert (alone.calls, shared.calls) == (1, pages)


def test_threads_do_not_change_what_is_read():
    sample = Image.open(SAMPLE).convert("L")
    pages = [sample, sample.rotate(180), sample.resize((460, 600)), sample.rotate(2, fillcolor=255)]
    stream = io.BytesIO()
    pages[0].save(stream, "TIFF", save_all=True, append_images=pages[1:])
    alone, together = (read(stream.getvalue(), engine="ctc-fast", threads=n) for n in (1, 3))
    assert len(alone.pages) == 4
    assert together == alone


def test_flat_pages_are_not_straightened(monkeypatch):
    tried = []

    def straighten(view):
        tried.append(view)
        return view

    monkeypatch.setattr("odia_ocr.view_reading.straighten", straighten)
    sample = Image.open(SAMPLE).convert("L")
    segmenter = load_detector(threads=1)
    reader = Reader(FakeRecognizer(), correct, segmenter=segmenter)
    page = read(sample, reader=reader).pages[0]
    assert page.lines
    assert not tried
    turned = sample.rotate(6, expand=True, fillcolor=255)
    read(turned, reader=reader)
    assert len(tried) == 1


def test_a_damaged_file_is_told_on_its_first_page():
    problem = Problem("damaged-file", "It breaks off.", "Copy it again.")
    file = FakeFile(3, problems=(problem,))
    outcomes = list(reader_of(FakeRecognizer()).read_each(file))
    assert [[p.code for p in o.page.problems] for o in outcomes] == [["damaged-file"], [], []]
    assert outcomes[0].page.problems[0].page == 1


def test_a_damaged_file_is_told_on_the_first_page_that_is_read():
    problem = Problem("damaged-file", "It breaks off.", "Copy it again.")
    file = FakeFile(
        3, problems=(problem,), broken={1: PictureError("bad page", next_step="Export it.")}
    )
    outcomes = list(reader_of(FakeRecognizer()).read_each(file))
    assert outcomes[0].page is None
    assert [p.code for p in outcomes[1].page.problems] == ["damaged-file"]
    assert outcomes[1].page.problems[0].page == 2
    assert not outcomes[2].page.problems


def layer_saying(*texts):
    lines = tuple(
        LayerLine((LayerWord(text, (40.0, 34 + 60 * i, 540.0, 74 + 60 * i)),))
        for i, text in enumerate(texts)
    )
    return TextLayer(lines)


class Says(FakeRecognizer):
    def __init__(self, text, logp=-0.01):
        super().__init__()
        self.text, self.logp = text, logp

    def read_one(self, line):
        symbols = tuple(Symbol(char, self.logp) for char in self.text)
        return Candidates(line.id, (Hypothesis(symbols, self.logp * len(symbols)),))


@pytest.mark.parametrize(
    ("layer", "recognizer", "step"),
    [
        (layer_saying("ଧର୍ମ ଓ କର୍ମ"), Says("ଧର୍ମ ଓ କର୍ମ"), "text layer of the PDF"),
        (layer_saying("ଧର୍ମ ଓ କର୍ମ"), Says("ନଦୀ ଓ ପାହାଡ଼"), "shows another text"),
        (layer_saying("The old river"), Says("ନଦୀ ଓ ପାହାଡ଼"), "shows another text"),
        (layer_saying("ଧର୍ମ ଓ କର୍ମ"), Says(""), "does not show it"),
        (layer_saying("ଧର୍ମ ଓ କର୍ମ"), Says("ନଦୀ", -0.7), "text layer of the PDF"),
        (layer_saying("The old river"), Says("ନଦୀ", -0.7), "nothing confirms it"),
        (layer_saying("େକ ିକ େକ"), Says("ଧର୍ମ"), "cannot be written so"),
        (None, Says("ଧର୍ମ"), "text layer: none"),
        (
            TextLayer(layer_saying("ଧର୍ମ").lines, picture_share=0.9),
            Says("ଧର୍ମ"),
            "of the lines on the page",
        ),
    ],
)
def test_a_text_layer_is_taken_when_the_page_shows_it(layer, recognizer, step):
    file = FakeFile(1, layer=layer)
    reader = reader_of(recognizer)
    (outcome,) = reader.read_each(file, options=PageOptions(text_layer=True))
    assert step in outcome.page.steps[0]
    taken = "text layer of the PDF" in step
    assert outcome.page.text == (layer.text if taken else "\n".join([recognizer.text] * 2).strip())
    # Without the option nobody looks at it.
    (plain,) = reader.read_each(file)
    assert "layer" not in " ".join(plain.page.steps)


@pytest.mark.slow
@pytest.mark.parametrize(("threads", "count"), [(1, 300), (2, 2000)])
def test_memory_stays_flat_over_many_pages(tmp_path, threads, count):
    sys.path.insert(0, str(Path(__file__).parent / "pages"))
    from pdfs import PdfWriter

    pdf = PdfWriter()
    rng = np.random.default_rng(0)
    for _ in range(count):
        # Every page a picture of its own, so that a cache of any kind shows.
        noise = rng.integers(0, 40, (400, 300)).astype(np.uint8)
        page = Image.fromarray(215 + noise)
        page.paste(Image.fromarray(page_pixels(1)).resize((300, 60)), (0, 100))
        pdf.picture_page(page, size=(72, 96))
    path = tmp_path / "book.pdf"
    path.write_bytes(pdf.build())
    del pdf

    def resident():
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 2**20

    reader = Reader(FakeRecognizer(), correct, threads=threads)
    seen = []
    for outcome in read_pages(path, reader=reader):
        assert outcome.page is not None
        seen.append(resident())
    assert len(seen) == count
    # Each page is 0.1 MB of grey pixels and 0.1 MB of the file: kept, they would show.
    assert max(seen[150:]) < max(seen[:100]) + 15
