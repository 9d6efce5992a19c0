"""Line pictures become Candidates: the recognizers, by name."""

from __future__ import annotations

from importlib import import_module

from odia_ocr.errors import name_choices
from odia_ocr.types import Recognizer

# Reached by name: a recognizer's libraries are loaded when it is opened, not before.
ENGINES = {
    "ctc": "odia_ocr.recognize.ctc:load",
    "tesseract": "odia_ocr.recognize.tesseract:load",
}


def open_recognizer(name: str = "ctc", *, threads: int | None = None) -> Recognizer:
    """Open a recognizer.

    Args:
        name: "ctc", "ctc:FILE.onnx", "tesseract", "tesseract:ori".
        threads: Threads to compute with; None takes all cores this process may use.

    Raises:
        UsageError: Unknown name; the message lists the known ones.
        ModelMissingError: Its model is missing.
        EngineMissingError: Its program is not installed.
    """
    kind, _, model = name.partition(":")
    if kind not in ENGINES:
        raise name_choices(kind, list(ENGINES), kind="engine")
    module, function = ENGINES[kind].split(":")
    recognizer: Recognizer = getattr(import_module(module), function)(
        model or None, threads=threads
    )
    return recognizer
