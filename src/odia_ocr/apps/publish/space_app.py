"""A page to try the package: a picture goes in, its text comes out. Runs in a Space or anywhere.

GRADIO_ANALYTICS_ENABLED=False python app.py
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from odia_ocr.errors import OdiaOcrError
from odia_ocr.pipeline import Reader, open_reader, read

if TYPE_CHECKING:
    from gradio import Interface

TITLE = "Odia OCR"
_WHAT = "A picture of printed Odia in, Unicode text out. Pictures are deleted within 20 minutes."
_KEPT = 600  # seconds that pictures are kept, and between two looks for older ones


def make_app(engine: str = "ctc", *, sample: Path | None = None, note: str = "") -> Interface:
    """Make the page; `launch()` serves it.

    Args:
        engine: Which recognizer reads.
        sample: A picture to try, or None.
        note: Shown under the title, e.g. where the model comes from.

    Raises:
        UsageError: If the engine is unknown.
        ResourceMissingError: If its model is missing.
    """
    import gradio

    reader = open_reader(engine)

    def read_one(picture: str | None) -> tuple[str, str]:
        try:
            return read_picture(picture, reader)
        except OdiaOcrError as error:
            raise gradio.Error(str(error)) from error

    return gradio.Interface(
        read_one,
        inputs=gradio.Image(
            type="filepath",
            format="png",  # anything else would lose sharpness on the way
            label="Picture",
            sources=["upload", "clipboard"],
        ),
        outputs=[
            gradio.Textbox(label="Text", lines=12, buttons=["copy"]),
            gradio.Textbox(label="Remarks", lines=1),
        ],
        title=TITLE,
        description=f"{_WHAT} {note}".strip(),
        examples=[[str(sample)]] if sample else None,
        cache_examples=False,
        flagging_mode="never",
        api_name="read",
        delete_cache=(_KEPT, _KEPT),
    )


def read_picture(picture: str | None, reader: Reader) -> tuple[str, str]:
    """The text of a picture, and what the person should know about it.

    Raises:
        OdiaOcrError: If it cannot be read.
    """
    if picture is None:
        return "", "Choose a picture first."
    # Its name is that of a temporary file, which says nothing to the person.
    document = read(picture, reader=reader, name="The picture")
    problems = [problem for page in document.pages for problem in page.problems]
    remarks = [f"{p.message} {p.next_step}".strip() for p in (*document.problems, *problems)]
    lines = sum(len(page.lines) for page in document.pages)
    return document.text, " ".join(remarks) or f"{lines} lines."
