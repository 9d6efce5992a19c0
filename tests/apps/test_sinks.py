"""The files of a document: whole or not at all, one apart from the other."""

from __future__ import annotations

import io
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from odia_ocr.apps import sinks
from odia_ocr.apps.inputs import Input
from odia_ocr.apps.sinks import FolderSink, replace_file
from odia_ocr.errors import OutputError
from odia_ocr.export.formats import FORMATS, Format, find_format
from odia_ocr.pipeline import PageOutcome
from odia_ocr.types import Hypothesis, Line, Page, PageImage, Problem, Reading, Symbol, Word

BOX = ((5.0, 5.0), (90.0, 5.0), (90.0, 30.0), (5.0, 30.0))


def outcome(number=1):
    hyp = Hypothesis((Symbol("କ", -0.5),), -0.5)
    line = Line(
        f"p{number:04}-l001",
        BOX,
        reading=Reading("କ", 0.9, hypothesis=hyp),
        words=(Word("କ", BOX),),
    )
    page = Page("a.png", number, (100, 80), lines=(line,))
    return PageOutcome(number, page, PageImage("a.png", number, np.full((80, 100), 255, np.uint8)))


def picture(frames=1):
    stream = io.BytesIO()
    images = [Image.new("L", (100, 80), 255) for _ in range(frames)]
    images[0].save(stream, "TIFF", save_all=True, append_images=images[1:])
    return stream.getvalue()


def sink_of(folder, *names, overlay=False, force=False):
    return FolderSink(folder, [find_format(name) for name in names], overlay, force)


def deliver(sink, outcomes, content=None):
    with sink.open(Input(None, "a.png", "a"), content or picture(9)) as delivery:
        for one in outcomes:
            delivery.take(one)
    return delivery


class FullStream(io.RawIOBase):
    """A file on a disk that is full after `room` bytes."""

    def __init__(self, file, room):
        self.file, self.room = file, room

    def writable(self):
        return True

    def write(self, data):
        self.room -= len(data)
        if self.room < 0:
            raise OSError(28, "No space left on device")
        return self.file.write(data)

    def close(self):
        self.file.close()
        super().close()


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_every_format_is_written(tmp_path):
    delivery = deliver(sink_of(tmp_path, *FORMATS), [outcome()])
    assert (delivery.errors, delivery.written) == ([], len(FORMATS))
    assert names(tmp_path) == sorted(f"a{form.suffix}" for form in FORMATS.values())
    assert (tmp_path / "a.txt").read_text("utf-8") == "କ\n"
    assert "-0.5" not in (tmp_path / "a.json").read_text("utf-8")  # no hypotheses


def test_formats_of_one_page_get_a_file_for_each(tmp_path):
    sink = sink_of(tmp_path, "page", "txt")
    item = Input(None, "a.png", "a")
    outcomes = [outcome(3), PageOutcome(4, error=OutputError("x")), outcome(5)]
    deliver(sink, outcomes)
    assert names(tmp_path) == ["a.p0005.page.xml", "a.page.xml", "a.txt"]
    assert 'imageFilename="a.png"' in (tmp_path / "a.page.xml").read_text("utf-8")
    assert "p0003" in (tmp_path / "a.page.xml").read_text("utf-8")
    assert not sink.keeps(item)
    assert sink.keeps(item, [3, 5])
    assert not sink.keeps(item, [3, 4, 5])


def test_a_format_that_fails_leaves_the_others(tmp_path, capsys):
    def fail(origin):
        def write(pages, stream):
            stream.write(b"half")
            raise RuntimeError("broken writer")

        return write

    sink = FolderSink(
        tmp_path,
        [find_format("txt"), Format("bad", ".bad", fail), find_format("json")],
        False,
        False,
    )
    delivery = deliver(sink, [outcome()])
    assert names(tmp_path) == ["a.json", "a.txt"]
    assert delivery.written == 2
    (error,) = delivery.errors
    assert "a.bad cannot be written: RuntimeError: broken writer" in str(error)


@pytest.mark.parametrize(("room", "most"), [(0, 0), (10, 2), (400, 3), (900, 4)])
def test_a_full_disk_leaves_whole_files_only(tmp_path, monkeypatch, room, most):
    real = Path.open

    def open_full(path, *args, **kwargs):
        file = real(path, *args, **kwargs)
        return FullStream(file, room) if path.name.endswith(".part") else file

    with monkeypatch.context() as patch:
        patch.setattr(Path, "open", open_full)
        delivery = deliver(sink_of(tmp_path, *FORMATS), [outcome()])
    assert delivery.written + len(delivery.errors) == len(FORMATS)
    assert delivery.written <= most
    assert delivery.written or room < 10
    for error in delivery.errors:
        assert "No space left" in str(error)
        assert error.next_step == "Check free space and permissions."
    assert len(names(tmp_path)) == delivery.written
    assert not [name for name in names(tmp_path) if name.startswith(".")]


def test_a_full_disk_keeps_the_older_file(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("older")

    def write():
        with replace_file(path) as stream:
            stream.write(b"newer")
            raise OSError(28, "No space left on device")

    with pytest.raises(OutputError, match="No space left"):
        write()
    assert path.read_text() == "older"
    assert names(tmp_path) == ["a.txt"]


@pytest.fixture
def small_disk(tmp_path):
    """A real file system of 64 kB, where the system lets one be made."""
    folder = tmp_path / "small"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(folder)]
    if shutil.which("mount") is None or subprocess.run(command, capture_output=True).returncode:
        pytest.xfail("a file system cannot be made here")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_disk_that_is_really_full(small_disk):
    content = np.random.default_rng(1).integers(0, 255, (300, 400), np.uint8)
    stream = io.BytesIO()
    Image.fromarray(content).save(stream, "PNG")
    delivery = deliver(sink_of(small_disk, "txt", "pdf", "json"), [outcome()], stream.getvalue())
    assert names(small_disk) == ["a.json", "a.txt"]
    assert (small_disk / "a.txt").read_text("utf-8") == "କ\n"
    (error,) = delivery.errors
    assert "a.pdf cannot be written: No space left on device" in str(error)
    (small_disk / "rest").write_bytes(bytes(48 * 1024))
    long = Line("l", BOX, reading=Reading("".join(map(chr, range(0x4E00, 0x9E00))), 0.5))
    pages = [PageOutcome(n, Page("a", n, (100, 80), lines=(long,))) for n in (1, 2)]
    with pytest.raises(OutputError, match="No space left"):
        deliver(sink_of(small_disk, "md"), pages)
    assert names(small_disk) == ["a.json", "a.txt", "rest"]


def test_no_room_for_the_pages_is_told(tmp_path, monkeypatch):
    class Full(io.BytesIO):
        def write(self, data):
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(sinks, "_open_spool", lambda folder: Full())
    with pytest.raises(OutputError, match="No space left"):
        deliver(sink_of(tmp_path, "txt"), [outcome()])
    assert names(tmp_path) == []


def test_a_folder_that_cannot_be_is_told_before_reading(tmp_path):
    (tmp_path / "file").write_text("")
    sink = sink_of(tmp_path / "file" / "deep", "txt")
    with pytest.raises(OutputError, match="cannot be written"):
        sink.open(Input(None, "a", "a"), b"").__enter__()


NO_RIGHTS = """
import os, sys
from pathlib import Path
sys.path.insert(0, "TESTS")
import test_sinks
from odia_ocr.errors import OutputError

def try_in(folder):
    test_sinks.deliver(test_sinks.sink_of(folder, "txt"), [test_sinks.outcome()])

folder = Path("FOLDER")
try_in(folder / "x")  # everything is imported before the rights go
folder.chmod(0o500)
if os.geteuid() == 0:  # root may write everywhere
    os.setgid(65534)
    os.setuid(65534)
try:
    try_in(folder)
except OutputError as error:
    print(error)
"""


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="needs users")
def test_no_permission(tmp_path):
    folder = tmp_path / "locked"
    folder.mkdir()
    for parent in folder.parents:
        if parent == tmp_path.parents[1].parent:
            break
        parent.chmod(0o755)
    code = NO_RIGHTS.replace("TESTS", str(Path(__file__).parent)).replace("FOLDER", str(folder))
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    folder.chmod(0o700)
    assert done.stderr == ""
    assert "cannot be written: Permission denied" in done.stdout
    assert names(folder) == ["x"]


def test_files_that_exist_are_kept_and_it_is_said(tmp_path, capsys):
    for name in ("a.txt", "a.pdf", "a.p0001.overlay.png"):
        (tmp_path / name).write_text("older")
    sink = sink_of(tmp_path, "txt", "pdf", "md", overlay=True)
    delivery = deliver(sink, [outcome()])
    assert (delivery.written, delivery.errors) == (3, [])
    told = capsys.readouterr().err
    for name in ("a.txt", "a.pdf", "a.p0001.overlay.png"):
        assert (tmp_path / name).read_text() == "older"
        assert f"kept {tmp_path / name}, use --force to replace." in told
    assert (tmp_path / "a.md").read_text("utf-8") == "କ\n"
    deliver(sink_of(tmp_path, "txt", force=True), [outcome()])
    assert (tmp_path / "a.txt").read_text("utf-8") == "କ\n"


def test_the_file_that_is_read_is_never_replaced(tmp_path):
    given = tmp_path / "a.pdf"
    given.write_bytes(picture())
    sink = sink_of(tmp_path, "pdf", "txt", force=True)
    delivery = deliver(sink, [outcome()], given)
    assert given.read_bytes() == picture()
    assert "would replace the file that is read" in str(delivery.errors[0])
    assert (tmp_path / "a.txt").exists()


def test_an_overlay_that_fails_leaves_the_text(tmp_path, monkeypatch):
    def fail(*args, **kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("odia_ocr.export.overlay.write_overlay", fail)
    delivery = deliver(sink_of(tmp_path, "txt", overlay=True), [outcome()])
    assert names(tmp_path) == ["a.txt"]
    assert "overlay.png cannot be written: No space left" in str(delivery.errors[0])


def test_pages_are_not_kept_in_memory(tmp_path):
    import tracemalloc

    tracemalloc.start()
    text = "କ" * 20_000
    line = Line("l", BOX, reading=Reading(text, 0.5))

    def outcomes():
        for number in range(1, 301):
            yield PageOutcome(number, Page("a", number, (100, 80), lines=(line,)))

    deliver(sink_of(tmp_path, "txt", "json", "hocr", "alto", "md"), outcomes())
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (tmp_path / "a.txt").stat().st_size > 300 * 20_000
    assert peak < 8_000_000


def test_problems_reach_the_json(tmp_path):
    error = OutputError("page 2 is broken", next_step="mend it")
    deliver(sink_of(tmp_path, "json"), [outcome(), PageOutcome(2, error=error)])
    assert "page 2 is broken" in (tmp_path / "a.json").read_text("utf-8")
    delivery = deliver(sink_of(tmp_path / "none", "json"), [PageOutcome(1, error=error)])
    assert (delivery.written, names(tmp_path / "none")) == (0, [])
    assert delivery.problems == [Problem("output", "page 2 is broken", "mend it", page=1)]


KILLED = """
import signal, sys, time
from pathlib import Path
# A parent in the background hands down that the keyboard's signal is ignored.
signal.signal(signal.SIGINT, signal.default_int_handler)
sys.path.insert(0, "TESTS")
import test_sinks
from odia_ocr.export.formats import Format, find_format

def slow(origin):
    def write(pages, stream):
        stream.write(b"half of it")
        stream.flush()
        print("writing", flush=True)
        time.sleep(60)
    return write

forms = [find_format("txt"), Format("slow", ".slow", slow)]
sink = test_sinks.FolderSink(Path("FOLDER"), forms, False, False)
test_sinks.deliver(sink, [test_sinks.outcome()])
"""


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_a_killed_process_leaves_no_half_written_file(tmp_path, how):
    code = KILLED.replace("TESTS", str(Path(__file__).parent)).replace("FOLDER", str(tmp_path))
    process = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    with process:
        assert process.stdout.readline() == b"writing\n"
        process.send_signal(how)
        process.wait(timeout=60)
    time.sleep(0.05)
    visible = [name for name in names(tmp_path) if not name.startswith(".")]
    assert visible == ["a.txt"]
    # The next run takes the place of whatever was left.
    sink = FolderSink(tmp_path, [Format("slow", ".slow", FORMATS["txt"].open)], False, False)
    deliver(sink, [outcome()])
    assert names(tmp_path) == ["a.slow", "a.txt"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_standard_output_that_takes_no_more_ends_the_command(tmp_path):
    code = (
        f"import sys; sys.path.insert(0, {str(Path(__file__).parent)!r}); import test_sinks\n"
        "from odia_ocr.apps.inputs import Input\n"
        "from odia_ocr.apps.sinks import TextSink\n"
        "import typer\n"
        "sink = TextSink()\n"
        "try:\n"
        "    with sink.open(Input(None, 'a', 'a'), b'') as delivery:\n"
        "        delivery.take(test_sinks.outcome())\n"
        "except typer.Exit as end:\n"
        "    sys.exit(end.exit_code)\n"
    )
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-c", code], stdout=full, stderr=subprocess.PIPE, timeout=120
        )
    assert done.returncode == 1
    assert done.stderr.decode() == (
        "odia-ocr: Standard output cannot be written: No space left on device. "
        "Check free space where it goes.\n"
    )
