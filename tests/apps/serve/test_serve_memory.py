from __future__ import annotations

import platform
import subprocess
import sys

import pytest

from odia_ocr.apps.serve.memory import draw_trial_page, open_grown
from odia_ocr.pages.images import PageFile
from odia_ocr.pipeline import PageOptions, PageOutcome, Reader, read
from odia_ocr.runtime import find_weights, open_session


def test_the_trial_page_has_eight_lines_as_wide_as_the_page() -> None:
    page = draw_trial_page()
    (found,) = read(page).pages
    widths = [line.box[2] - line.box[0] for line in found.lines]
    assert len(widths) == 8
    assert min(widths) > 0.75 * page.shape[1]


def test_a_grown_reader_has_read_on_all_threads_and_on_one(monkeypatch: pytest.MonkeyPatch) -> None:
    read_on: list[tuple[int, int]] = []  # threads, lines
    read_one = Reader.read_one

    def watch(reader: Reader, file: PageFile, options: PageOptions, number: int) -> PageOutcome:
        outcome = read_one(reader, file, options, number)
        assert outcome.page is not None
        read_on.append((reader.threads, len(outcome.page.lines)))
        return outcome

    monkeypatch.setattr(Reader, "read_one", watch)
    reader = open_grown("ctc-fast", 2)
    assert sorted(read_on) == [(1, 8), (2, 8)]
    assert reader.reopen is not None
    assert reader.reopen.cache_info().currsize == 2  # type: ignore[attr-defined]


@pytest.mark.parametrize("settled", [False, True])
def test_models_have_an_arena_unless_memory_is_settled(
    monkeypatch: pytest.MonkeyPatch, settled: bool
) -> None:
    monkeypatch.setattr("odia_ocr.runtime._settled", settled)
    options = open_session(find_weights("ctc"), threads=1).get_session_options()
    assert options.enable_cpu_mem_arena is not settled
    assert options.enable_mem_pattern is False


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another C library")
def test_large_blocks_go_back_to_the_system_at_once() -> None:
    # By itself glibc keeps blocks of up to 32 MB after the first such block was freed.
    program = """
import ctypes, mmap, pathlib, sys
from odia_ocr.runtime import settle_memory

def resident():
    return int(pathlib.Path("/proc/self/statm").read_text().split()[1]) * mmap.PAGESIZE

if sys.argv[1] == "settled":
    assert settle_memory()
library = ctypes.CDLL("libc.so.6")
library.malloc.restype, library.malloc.argtypes = ctypes.c_void_p, [ctypes.c_size_t]
library.free.argtypes = [ctypes.c_void_p]
size, before = 20 << 20, resident()
for _ in range(2):
    blocks = [library.malloc(size) for _ in range(4)]
    small = [library.malloc(1 << 16) for _ in range(4)]  # lie behind the blocks of the heap
    for block in blocks:
        ctypes.memset(block, 1, size)
    for block in blocks:
        library.free(block)
print(resident() - before)
"""
    kept = {
        how: int(subprocess.check_output([sys.executable, "-c", program, how]))
        for how in ("plain", "settled")
    }
    assert kept["settled"] < 20 << 20 < kept["plain"]
