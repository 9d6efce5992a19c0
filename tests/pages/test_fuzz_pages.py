"""Broken files of every kind give pages or an error of ours: no other, no hang, nothing left."""

from __future__ import annotations

import random
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mutation import CORPUS, mutate
from odia_ocr.errors import OdiaOcrError
from odia_ocr.pages.images import PageLimits, open_pages

pytestmark = pytest.mark.filterwarnings("ignore")  # Pillow tells of broken tags

FILES = sorted(path for path in CORPUS.iterdir() if path.is_file())
HEADS = (
    *(b"", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"II*\0", b"MM\0*", b"GIF89a", b"BM", b"P4\n"),
    *(b"RIFF\x20\0\0\0WEBPVP8 ", b"%PDF-1.4\n", b"\xef\xbb\xbf%PDF-1.7\n1 0 obj"),
)
LIMITS = PageLimits(max_pixels=2_000_000, pdf_dpi=72.0)
MOST_PAGES = 8
LONGEST = 900  # seconds for the long run as a whole


def read_all(content: bytes) -> int:
    """Pages that a file gives; every other page is an error of ours."""
    try:
        file = open_pages(content, name="fuzzed", limits=LIMITS)
    except OdiaOcrError as error:
        if not error.message:
            raise
        return 0
    good = 0
    try:
        assert file.count >= 1
        for number in range(1, min(file.count, MOST_PAGES) + 1):
            try:
                image = file.load(number)
                file.text_layer(number, image.size)
            except OdiaOcrError as error:
                if not error.message:
                    raise
                continue
            assert image.pixels.size
            assert image.size[0] * image.size[1] <= LIMITS.max_pixels
            good += 1
    finally:
        file.close()
    return good


def test_the_corpus_is_what_its_script_makes() -> None:
    assert sum(path.stat().st_size for path in CORPUS.rglob("*") if path.is_file()) <= 150_000
    assert {path.suffix for path in FILES} >= {
        ".png", ".jpg", ".tif", ".webp", ".gif", ".bmp", ".pdf", ".pbm"
    }  # fmt: skip
    pages = {path.name: read_all(path.read_bytes()) for path in FILES}
    assert pages["pages-lzw.tif"] == 3
    assert pages["pages.pdf"] == 2
    assert pages.pop("cut.tif") == 1  # what stands before the cut
    names = [name for name in pages if name.split(".")[0] in ("cut", "head", "empty", "text")]
    assert [name for name, count in pages.items() if not count] == names


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_broken_files_give_pages_or_errors(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    content = path.read_bytes()
    for seed in range(25):
        read_all(mutate(content, random.Random(f"{path.name}-{seed}")))
    assert list(tmp_path.iterdir()) == []


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    head=st.sampled_from(HEADS),
    tail=st.binary(max_size=300),
)
def test_any_bytes_give_pages_or_errors(head: bytes, tail: bytes) -> None:
    read_all(head + tail)


SCRIPT = """
import random, sys
sys.path[:0] = sys.argv[1:3]
from test_fuzz_pages import FILES, mutate, read_all
for seed in range(int(sys.argv[3])):
    for path in FILES:
        print(path.name, seed, file=sys.stderr, flush=True)
        read_all(mutate(path.read_bytes(), random.Random(f"long-{path.name}-{seed}")))
print("done")
"""


@pytest.mark.slow
def test_broken_files_at_length() -> None:
    """In a process of its own: a crash or a hang of a library ends that, and its seed is told."""
    here = Path(__file__).parent
    command = [sys.executable, "-c", SCRIPT, str(here), str(here.parent), "1500"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=LONGEST, check=False)
    assert (ended.returncode, ended.stdout) == (0, "done\n"), ended.stderr[-1500:]
