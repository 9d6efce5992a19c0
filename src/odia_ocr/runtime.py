"""Weights by name -> file -> ONNX session; what a process has but once; Pillow's and files' quirks.

Knows no models.
"""

from __future__ import annotations

import ctypes
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from odia_ocr.errors import ModelMissingError

if TYPE_CHECKING:
    from onnxruntime import InferenceSession
    from PIL import Image

PDFIUM_LOCK = threading.Lock()  # PDFium is not safe for threads: held by whoever calls it


def find_weights(name: str, suffix: str = ".onnx") -> Path:
    """Path of shipped weights, e.g. "ctc".

    Raises:
        ModelMissingError: If this installation does not hold them.
    """
    path = Path(str(files("odia_ocr"))) / "weights" / f"{name}{suffix}"
    if not path.is_file():
        raise ModelMissingError(
            f"The shipped model {name!r} is not in this installation ({path}).",
            next_step="Install odia-ocr again, or name a model of yours: --engine ctc:FILE.onnx or "
            "vlm:FOLDER.",
        )
    return path


def find_members(name: str) -> list[Path]:
    """Further shipped models of a kind, "NAME-member-*.onnx", in the order of their names."""
    return sorted((Path(str(files("odia_ocr"))) / "weights").glob(f"{name}-member-*.onnx"))


def count_threads(asked: int | None) -> int:
    """Threads to compute with: what was asked for, else the cores this process may use."""
    if asked:
        return asked
    if hasattr(os, "sched_getaffinity"):
        return max(1, len(os.sched_getaffinity(0)))
    return os.cpu_count() or 1


# Parameters of mallopt(3): arenas; the size from which a block is mapped by itself; how much free
# memory at the top of the heap is kept. The last two would grow with what is freed, and pictures
# break up the heap. A block of 4 MB and less mapped by itself costs a tenth of the speed.
_ARENA_MAX, _MMAP_THRESHOLD, _TRIM_THRESHOLD = -8, -3, -1
_MALLOPT = {_ARENA_MAX: 2, _MMAP_THRESHOLD: 8 << 20, _TRIM_THRESHOLD: 64 << 20}
_settled = False


def settle_memory() -> bool:
    """Keep memory level in this process, which is to live long; call it before threads start.

    Models opened from now on have no arena, which keeps room for the largest page ever met but
    makes the first pages faster. The C library gives back what pages leave: True where that is
    glibc, which can be told so.
    """
    global _settled
    _settled = True
    if not sys.platform.startswith("linux"):
        return False
    try:
        library = ctypes.CDLL("libc.so.6")
        return all(library.mallopt(key, value) == 1 for key, value in _MALLOPT.items())
    except (OSError, AttributeError):  # another C library
        return False


def open_session(path: Path, *, threads: int | None = None) -> InferenceSession:
    """Open an ONNX file on the CPU.

    Raises:
        ModelMissingError: If the file is missing or is no ONNX model.
    """
    import onnxruntime

    if not path.is_file():
        raise ModelMissingError(
            f"No model file {path}.", next_step="Check the path given after ctc:."
        )
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = count_threads(threads)
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    # Plans are kept for each width of a line; without them a reader is as fast, and smaller.
    options.enable_mem_pattern = False
    options.enable_cpu_mem_arena = not _settled
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime raises its own untyped family
        raise ModelMissingError(
            f"{path} is not a usable ONNX model: {str(error).splitlines()[0]}",
            next_step="Download or export it again.",
        ) from error


def read_metadata(session: InferenceSession) -> dict[str, str]:
    """The custom metadata of a model file."""
    meta: Any = session.get_modelmeta()
    return dict(meta.custom_metadata_map)


_PILLOW = threading.Lock()


@contextmanager
def lift_pillow_limit() -> Iterator[None]:
    """Pillow's own limit on pixels off: it is a variable of its module, so one lock guards it.

    Only to open or seek; callers check the size against a limit of theirs before they decode.
    """
    from PIL import Image

    with _PILLOW:
        before, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
        try:
            yield
        finally:
            Image.MAX_IMAGE_PIXELS = before


def turn_to_page(image: Image.Image, number: int) -> None:
    """Turn an open TIFF to page `number`, counted from 1.

    Pillow lays the palette of the page before on a page without one, and lets it inherit resolution
    and colour profile.

    Raises:
        EOFError: If there is no such page.
        OSError: If its directory is broken; `SyntaxError`, `ValueError` and others may say so too.
    """
    if image.tell() == number - 1:
        return
    for inherited in ("dpi", "icc_profile"):
        image.info.pop(inherited, None)
    with lift_pillow_limit():
        image.seek(number - 1)
    if image.mode != "P":
        image.palette = None


HEAD = 1024  # bytes at the beginning of a file that tell what it is
_PICTURES = (b"\x89PNG", b"\xff\xd8\xff", b"II*\0", b"MM\0*", b"GIF8", b"RIFF", b"BM")


def is_pdf(head: bytes) -> bool:
    """True for the first `HEAD` bytes of a PDF.

    Something may stand before its mark (ISO 32000-1, annex H.3): a printer's commands, a header
    of the web.
    """
    return b"%PDF-" in head[:HEAD] and not head.startswith(_PICTURES)
