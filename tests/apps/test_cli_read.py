"""The command as scripts call it, in this process with a stand-in for the recognizer."""

from __future__ import annotations

import io
import json
import os
import struct
import subprocess
import sys
import zlib
from importlib.resources import files

import jsonschema
import numpy as np
import pytest
from PIL import Image

from odia_ocr.apps import cli
from odia_ocr.errors import ModelMissingError
from odia_ocr.pipeline import Reader
from odia_ocr.pipeline import open_reader as open_real_reader
from odia_ocr.types import Candidates, Hypothesis, Page, Problem, Reading, Symbol

SCHEMA = json.loads(
    (files("odia_ocr.export") / "schema" / "document.schema.json").read_text("utf-8")
)


class FakeRecognizer:
    name = "fake"

    def read(self, lines):
        symbols = (
            Symbol("କ", -0.1, (0, 9)),
            Symbol(" ", -0.1, (9, 12)),
            Symbol("ଖ", -0.1, (12, 20)),
        )
        return [Candidates(line.id, (Hypothesis(symbols, -0.3),)) for line in lines]


def page_pixels(rows):
    page = np.full((60 + 60 * max(rows, 1), 600), 245, np.uint8)
    for row in range(rows):
        for letter in range(14):
            top, left = 40 + 60 * row, 40 + 36 * letter
            page[top : top + 28, left : left + 28] = 20
            page[top + 4 : top + 24, left + 4 : left + 24] = 245
    return page


class PartlyBlind(FakeRecognizer):
    """Gives a Problem for the lines whose ids end so; "" stands for every line."""

    def __init__(self, *endings):
        self.endings = endings

    def read(self, lines):
        return [
            Problem("recognition", "too thin", "Scan it again.")
            if line.id.endswith(self.endings)
            else result
            for line, result in zip(lines, super().read(lines), strict=True)
        ]


def save(path, *rows):
    pages = [Image.fromarray(page_pixels(r)) for r in rows]
    more = {"save_all": True, "append_images": pages[1:]} if len(pages) > 1 else {}
    path.parent.mkdir(parents=True, exist_ok=True)
    pages[0].save(path, **more)
    return path


def bomb_png():
    def chunk(kind, body):
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    header = struct.pack(">IIBBBBB", 20000, 20000, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(99)))


class Outcome:
    def __init__(self, code, out, err):
        self.code, self.out, self.err = code, out, err


@pytest.fixture
def run(monkeypatch, capfdbinary, tmp_path):
    """Run the command in this process; standard streams as bytes."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("ODIA_OCR_DEBUG", raising=False)

    def open_fake(engine="ctc", *, threads=None, detector=None):
        if engine == "missing":
            raise ModelMissingError("The model is missing.", next_step="Install it again.")
        return Reader(FakeRecognizer(), lambda c: Reading(c.best.text, 0.9, hypothesis=c.best))

    monkeypatch.setattr("odia_ocr.pipeline.open_reader", open_fake)

    def call(*args, stdin=b""):
        monkeypatch.setattr(sys, "argv", ["odia-ocr", *map(str, args)])
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        with pytest.raises(SystemExit) as caught:
            cli.main()
        captured = capfdbinary.readouterr()
        code = caught.value.code
        return Outcome(0 if code is None else code, captured.out.decode(), captured.err.decode())

    return call


def test_text_on_standard_output(run, tmp_path):
    save(tmp_path / "a.png", 2)
    save(tmp_path / "b.tif", 1, 2)
    result = run("read", "a.png", "b.tif")
    assert result.out == "କ ଖ\nକ ଖ\n\fକ ଖ\n\fକ ଖ\nକ ଖ\n"
    assert (result.code, result.err) == (0, "")


def test_standard_input_and_pages(run, tmp_path):
    data = save(tmp_path / "b.tif", 1, 2, 1).read_bytes()
    assert run("read", "-", "--pages", "2", stdin=data).out == "କ ଖ\nକ ଖ\n"
    assert run("read", "-", "--pages", "9", stdin=data).code == 3


def test_files_in_a_folder(run, tmp_path):
    save(tmp_path / "in" / "a.png", 2)
    save(tmp_path / "in" / "deep" / "a.jpg", 1)
    result = run("read", "in", "-o", "in/out", "--overlay")
    assert (result.code, result.out, result.err) == (0, "", "")
    assert sorted(p.name for p in (tmp_path / "in" / "out").iterdir()) == [
        "a-2.json",
        "a-2.p0001.overlay.png",
        "a-2.txt",
        "a.json",
        "a.p0001.overlay.png",
        "a.txt",
    ]
    assert (tmp_path / "in/out/a.txt").read_text("utf-8") == "କ ଖ\nକ ଖ\n"
    record = json.loads((tmp_path / "in/out/a.json").read_text("utf-8"))
    jsonschema.validate(record, SCHEMA)
    assert record["source"] == "in/a.png"
    assert record["pages"][0]["lines"][0]["words"][1]["text"] == "ଖ"
    # The results are not read as inputs the next time.
    assert "a-3" not in run("read", "in", "-o", "in/out").err


def test_existing_files_are_kept_unless_forced(run, tmp_path):
    save(tmp_path / "a.png", 1)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "a.txt").write_text("mine", "utf-8")
    result = run("read", "a.png", "-o", "out")
    assert result.code == 0
    assert "kept out/a.txt" in result.err
    assert "--force" in result.err
    assert (tmp_path / "out/a.txt").read_text("utf-8") == "mine"
    assert (tmp_path / "out/a.json").exists()
    assert "kept" in run("read", "a.png", "-o", "out").err
    assert run("read", "a.png", "-o", "out", "--force").err == ""
    assert (tmp_path / "out/a.txt").read_text("utf-8") == "କ ଖ\n"


def test_a_missing_overlay_is_drawn_beside_files_that_stay(run, tmp_path):
    save(tmp_path / "b.tif", 1, 2)
    assert run("read", "b.tif", "-o", "out").code == 0
    (tmp_path / "out" / "b.txt").write_text("mine", "utf-8")
    result = run("read", "b.tif", "-o", "out", "--overlay")
    assert result.code == 0
    assert "kept out/b.txt" in result.err
    assert (tmp_path / "out/b.txt").read_text("utf-8") == "mine"
    overlays = sorted(tmp_path.glob("out/*.overlay.png"))
    assert [path.name for path in overlays] == [f"b.p000{n}.overlay.png" for n in (1, 2)]
    # Of all that is there, nothing is made again; of what is missing, only that.
    before = [path.stat().st_mtime_ns for path in overlays]
    assert "kept" in run("read", "b.tif", "-o", "out", "--overlay").err
    assert [path.stat().st_mtime_ns for path in overlays] == before
    overlays[1].unlink()
    assert run("read", "b.tif", "-o", "out", "--overlay", "--pages", "1").code == 0
    assert not overlays[1].exists()
    assert run("read", "b.tif", "-o", "out", "--overlay").code == 0
    assert overlays[1].exists()
    assert overlays[0].stat().st_mtime_ns == before[0]


def test_one_format(run, tmp_path):
    save(tmp_path / "a.png", 1)
    assert run("read", "a.png", "-o", "out", "--format", "txt").code == 0
    assert [p.name for p in (tmp_path / "out").iterdir()] == ["a.txt"]


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("empty.png", b"", "empty"),
        ("text.png", b"no picture at all, sorry\n" * 9, "text file"),
        ("bomb.png", bomb_png(), "400 megapixels"),
        ("corrupt.jpg", b"\xff\xd8\xff\xe0" + bytes(range(200)), "corrupt"),
        ("broken.pdf", b"%PDF-1.5 no more", "PDF"),
        ("truncated.png", None, "truncated"),
        ("missing.png", FileNotFoundError, "does not exist"),
    ],
)
def test_bad_input_leaves_the_others_alone(run, tmp_path, name, content, says):
    if content is None:
        whole = save(tmp_path / "whole.png", 2).read_bytes()
        content = whole[: len(whole) // 2]
    if isinstance(content, bytes):
        (tmp_path / name).write_bytes(content)
    save(tmp_path / "good.png", 1)
    result = run("read", name, "good.png")
    assert (result.code, result.out) == (1, "କ ଖ\n")
    assert result.err.count("\n") == 1
    assert name in result.err
    assert says in result.err
    assert result.err.rstrip().endswith(".")
    assert "Traceback" not in result.err
    alone = run("read", name, "-o", "out")
    assert (alone.code, alone.out) == (3, "")
    assert not list(tmp_path.glob("out/*"))


def test_a_mislabelled_picture_is_read(run, tmp_path):
    save(tmp_path / "a.png", 1).rename(tmp_path / "a.jpg")
    assert run("read", "a.jpg").code == 0


def test_a_blank_page_is_told_and_no_failure(run, tmp_path):
    save(tmp_path / "blank.png", 0)
    result = run("read", "blank.png")
    assert (result.code, result.out) == (0, "")
    assert "No text was found" in result.err
    assert run("read", "blank.png", "-o", "out").code == 0
    record = json.loads((tmp_path / "out/blank.json").read_text("utf-8"))
    assert record["pages"][0]["problems"][0]["code"] == "blank-page"


def test_a_missing_model_stops_with_its_own_status(run, tmp_path):
    save(tmp_path / "a.png", 1)
    result = run("read", "a.png", "--engine", "missing")
    assert (result.code, result.out) == (3, "")
    assert result.err == "odia-ocr: The model is missing. Install it again.\n"


def test_engines_that_cannot_be_opened(run, tmp_path, monkeypatch):
    monkeypatch.setattr("odia_ocr.pipeline.open_reader", open_real_reader)
    save(tmp_path / "a.png", 1)
    save(tmp_path / "b.png", 1)
    result = run("read", "a.png", "b.png", "--engine", "nosuch")
    assert (result.code, result.out) == (2, "")
    assert result.err.startswith("odia-ocr: Unknown engine 'nosuch'. ")
    assert "ctc" in result.err
    assert result.err.count("\n") == 1
    result = run("read", "a.png", "b.png", "--engine", "ctc:/nowhere.onnx")
    assert (result.code, result.out) == (3, "")
    assert "/nowhere.onnx" in result.err
    assert result.err.count("\n") == 1


@pytest.mark.parametrize(
    ("endings", "code", "out"), [(("",), 3, ""), (("1",), 1, "କ ଖ\n"), (("9",), 0, "କ ଖ\nକ ଖ\n")]
)
def test_a_page_is_done_when_some_line_was_read(run, tmp_path, monkeypatch, endings, code, out):
    reader = Reader(PartlyBlind(*endings), lambda c: Reading(c.best.text, 0.9, hypothesis=c.best))
    monkeypatch.setattr("odia_ocr.pipeline.open_reader", lambda *_, **__: reader)
    save(tmp_path / "a.png", 2)
    result = run("read", "a.png")
    assert (result.code, result.out) == (code, out)
    assert ("Scan it again." in result.err) == (code != 0)
    assert run("read", "a.png", "-o", "out").code == code
    assert (tmp_path / "out" / "a.json").exists() == (code != 3)


@pytest.mark.parametrize(("code", "status"), [("recognition", 3), ("blank-page", 0)])
def test_an_engine_with_its_own_layout_that_reads_nothing(run, tmp_path, monkeypatch, code, status):
    class Engine:
        def read(self, image):
            problem = Problem(code, "Nothing came out.", "Try another.", page=image.number)
            return Page(image.source, image.number, image.size, problems=(problem,))

    reader = Reader(FakeRecognizer(), None, page_reader=Engine())
    monkeypatch.setattr("odia_ocr.pipeline.open_reader", lambda *_, **__: reader)
    save(tmp_path / "a.png", 1)
    result = run("read", "a.png")
    assert (result.code, result.out.strip()) == (status, "")
    assert result.err == "odia-ocr: a.png, page 1: Nothing came out. Try another.\n"


@pytest.mark.parametrize(
    ("preset", "engine", "opened"),
    [
        ("fast", "ctc", "ctc-fast"),
        ("fast", "ctc:mine.onnx", "ctc-fast:mine.onnx"),
        ("fast", "tesseract", "tesseract"),
        ("balanced", "ctc", "ctc"),
        ("best", "ctc", "ctc-best"),
        ("best", "ctc:mine.onnx", "ctc-best:mine.onnx"),
    ],
)
def test_presets_choose_the_engine(run, tmp_path, monkeypatch, preset, engine, opened):
    import odia_ocr.pipeline

    asked = []
    fake = odia_ocr.pipeline.open_reader

    def note(name="ctc", **options):
        asked.append(name)
        return fake("ctc", **options)

    monkeypatch.setattr("odia_ocr.pipeline.open_reader", note)
    save(tmp_path / "a.png", 1)
    result = run("read", "a.png", "--preset", preset, "--engine", engine)
    assert (result.code, result.out, result.err) == (0, "କ ଖ\n", "")
    assert asked == [opened]


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (["--format", "hocrr", "-o", "out"], "Did you mean hocr"),
        (["--format", "jsn", "-o", "out"], "Did you mean json"),
        (["--format", "json"], "-o DIR"),
        (["--overlay"], "-o DIR"),
        (["--pages", "x"], "1-3,7"),
        (["-o", "a.png"], "not a folder"),
        (["--nonsense"], "nonsense"),
        (["--preset", "fastest"], "Known: balanced, best, fast."),
        (["--threads", "0"], "threads"),
    ],
)
def test_wrong_use(run, tmp_path, args, says):
    save(tmp_path / "a.png", 1)
    result = run("read", "a.png", *args)
    assert (result.code, result.out) == (2, "")
    assert says in result.err


def test_an_output_that_cannot_be_written(run, tmp_path, monkeypatch):
    save(tmp_path / "a.png", 1)

    def full(self, target):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pathlib.Path.replace", full)
    result = run("read", "a.png", "-o", "out", "--format", "txt")
    assert result.code == 1
    assert "No space left on device" in result.err
    assert not list((tmp_path / "out").iterdir())


def test_debug_shows_the_traceback(run, tmp_path, monkeypatch):
    monkeypatch.setenv("ODIA_OCR_DEBUG", "1")
    save(tmp_path / "a.png", 1)
    with pytest.raises(ModelMissingError):
        run("read", "a.png", "--engine", "missing")


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_progress_counts_files_and_pages_on_a_terminal(run, tmp_path, monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "120")
    for name in ("a.png", "b.png", "c.png"):
        save(tmp_path / "in" / name, 1)

    def shown(*args):
        terminal = Terminal()
        monkeypatch.setattr(sys, "stderr", terminal)
        assert run("read", *args).code == (1 if "broken" in args else 0)
        return terminal.getvalue()

    assert "3/3" in shown("in", "-o", "out")
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "d.png").write_bytes(b"")
    told = shown("in", "broken", "-o", "more")
    assert "4/4" in told
    assert "\x1b[2Kodia-ocr: broken/d.png: " in told  # on a line of its own, above the bar
    save(tmp_path / "b.tif", 1, 2)
    assert "b.tif" in shown("b.tif", "-o", "out")
    assert shown("in/a.png") == ""
    monkeypatch.setenv("NO_PROGRESS", "1")
    assert shown("in", "-o", "again") == ""


def test_help_and_version(run):
    assert run("--version").out.startswith("odia-ocr ")
    assert "odia-ocr read page.jpg" in run("--help").out
    assert "Exit status" in run("read", "--help").out


def command(*args, **options):
    env = {**os.environ, "PYTHONIOENCODING": "ascii", "LC_ALL": "C"}
    return subprocess.run(
        [sys.executable, "-m", "odia_ocr", *map(str, args)],
        capture_output=True,
        env=env,
        check=False,
        **options,
    )


def test_as_a_process_output_is_clean_and_utf8(tmp_path):
    save(tmp_path / "ପୃଷ୍ଠା.png", 0)
    (tmp_path / "bad.png").write_bytes(b"")
    result = command("read", tmp_path / "bad.png")
    assert (result.returncode, result.stdout) == (3, b"")
    assert b"empty" in result.stderr
    result = command("read", tmp_path / "ନାହିଁ.png")
    assert "ନାହିଁ.png" in result.stderr.decode("utf-8")
    assert result.returncode == 3


def test_help_loads_nothing_heavy():
    code = (
        "import sys; sys.argv = ['odia-ocr', '--help']\n"
        "from odia_ocr.apps.cli import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "names = {'torch', 'onnxruntime', 'transformers', 'cv2', 'rich', 'numpy', 'fontTools'}\n"
        "heavy = names & set(sys.modules)\n"
        "sys.exit(str(heavy) if heavy else 0)"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
    assert result.returncode == 0, result.stderr.decode()
