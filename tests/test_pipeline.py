import io
import subprocess
import sys

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
    UsageError,
)
from odia_ocr.pipeline import DOUBTFUL_CLUSTER, DOUBTFUL_LINE, Reader, read, read_pages
from odia_ocr.types import Candidates, Hypothesis, Page, PageImage, Problem, Reading, Symbol

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
