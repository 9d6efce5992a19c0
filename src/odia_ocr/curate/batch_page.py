"""A batch to look at: one HTML file with each line's picture, its draft and why it was chosen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from odia_ocr.data.sets.sample import Sample
from odia_ocr.evaluate.html_parts import embed_picture, frame_document

_SIZE = (1000, 90)  # pixels at most
_QUALITY = 75
_MOST = 500  # lines that are shown


def make_page(name: str, samples: Sequence[Sample], facts: Mapping[str, Any]) -> str:
    """The document; `samples` have the draft as text and the reasons as extras."""
    told = ", ".join(f"{key} {_show(value)}" for key, value in facts.items())
    left = len(samples) - _MOST
    parts = [
        f"<h1>{escape(name)}</h1>",
        f"<p>{len(samples)} lines to label. {escape(told)}.</p>",
        *(_show_line(sample) for sample in samples[:_MOST]),
        f"<p>{left} more are in the folder.</p>" if left > 0 else "",
    ]
    return frame_document(f"Batch {name}", parts)


def _show(value: object) -> str:
    if isinstance(value, Mapping):
        return " ".join(f"{key} {_show(inner)}" for key, inner in value.items())
    return f"{value:g}" if isinstance(value, float) else str(value)


def _show_line(sample: Sample) -> str:
    from PIL import Image

    picture = Image.fromarray(sample.picture.load()).convert("RGB")
    picture.thumbnail(_SIZE)
    reasons = "".join(f"<span>{escape(key)} {_show(value)}</span>" for key, value in sample.extras)
    return (
        f'<div class="line"><header><span>{escape(sample.id)}</span>{reasons}</header>'
        f"{embed_picture(picture, sample.id, quality=_QUALITY)}"
        f'<div class="text"><b>draft</b><span lang="or">{escape(sample.text) or "—"}</span></div>'
        "</div>"
    )
