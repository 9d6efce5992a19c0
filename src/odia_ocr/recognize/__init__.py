"""Line pictures become Candidates: the recognizers, by name."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from odia_ocr.errors import ResourceMissingError, name_choices
from odia_ocr.types import PageReader, Recognizer

# Reached by name: a recognizer's libraries are loaded when it is opened, not before.
ENGINES = {
    "ctc": "odia_ocr.recognize.ctc:load",
    "ctc-fast": "odia_ocr.recognize.ctc:load_fast",
    "ctc-best": "odia_ocr.recognize.joint:load",
    "remote": "odia_ocr.recognize.remote:load",
    "tesseract": "odia_ocr.recognize.tesseract:load",
    "tesseract-lines": "odia_ocr.recognize.tesseract:load_lines",
    "vlm": "odia_ocr.recognize.vlm.reader:load",
}
_EXTRAS = {"vlm": "vlm"}  # of engines whose libraries are not installed with the package
# Engines that find the lines of a page themselves; on line pictures the entry above reads.
PAGE_READERS = {
    "tesseract": "odia_ocr.recognize.tesseract:load_pages",
    "vlm": "odia_ocr.recognize.vlm.pages:load_pages",  # those trained on pages; others get lines
}


def open_recognizer(name: str = "ctc", *, threads: int | None = None) -> Recognizer:
    """Open a recognizer.

    Args:
        name: "ctc", "ctc:FILE.onnx", "ctc-fast" (no language model), "ctc-best" (several models and
            versions of each line), "tesseract", "tesseract:ori"; "tesseract-lines" is Tesseract on
            lines that we found, also when whole pages are read; "vlm" (the shipped small
            vision-language model), "vlm:FOLDER", "vlm:HUB_ID", "vlm:FOLDER::ADAPTER";
            "remote:URL" or "remote:URL#MODEL" asks a server that speaks the OpenAI API.
        threads: Threads to compute with; None takes all cores this process may use.

    Raises:
        UsageError: Unknown name; the message lists the known ones.
        ModelMissingError: Its model is missing.
        EngineMissingError: Its program is not installed.
        ResourceMissingError: A library of it is not installed.
    """
    kind, _, model = name.partition(":")
    if kind not in ENGINES:
        raise name_choices(kind, list(ENGINES), kind="engine")
    recognizer: Recognizer = _load(ENGINES[kind], model, threads)
    return recognizer


def open_page_reader(name: str, *, threads: int | None = None) -> PageReader | None:
    """Open an engine with its own layout analysis; None for engines that read lines we found.

    Raises:
        EngineMissingError: Its program is not installed.
    """
    kind, _, model = name.partition(":")
    if kind not in PAGE_READERS:
        return None
    reader: PageReader = _load(PAGE_READERS[kind], model, threads)
    return reader


def _load(place: str, model: str, threads: int | None) -> Any:
    module, function = place.split(":")
    kind = module.removeprefix(f"{__name__}.").split(".")[0]
    try:
        load = getattr(import_module(module), function)
    except ModuleNotFoundError as error:
        if kind not in _EXTRAS:
            raise
        raise ResourceMissingError(
            f"This engine needs {error.name}, which is not installed.",
            next_step=f"Install it with: pip install 'odia-ocr[{_EXTRAS[kind]}]'.",
        ) from error
    return load(model or None, threads=threads)
