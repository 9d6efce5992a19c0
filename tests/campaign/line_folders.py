"""Small labelled folders and recognizers that misbehave, for the campaign's tests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from PIL import Image

from odia_ocr.campaign.sample import Sample, draw_sample
from odia_ocr.recognize import open_recognizer
from odia_ocr.types import Candidates, LineImage, Problem, Recognizer


@lru_cache(maxsize=1)
def sample_of(count: int) -> Sample:
    return draw_sample(count)


def write_folder(folder: Path, start: int, stop: int) -> Path:
    """Lines `start` .. `stop` - 1 of the sample, as a labelled folder."""
    folder.mkdir(parents=True)
    sample = sample_of(12)
    for i in range(start, stop):
        Image.fromarray(sample.lines[i].pixels).save(folder / f"{i:03}.png")
        (folder / f"{i:03}.gt.txt").write_text(sample.texts[i] + "\n", encoding="utf-8")
    return folder


@dataclass(frozen=True, slots=True)
class BadRecognizer:
    """Raises, or gives too few results."""

    name: str
    kind: str

    def read(self, lines: Sequence[LineImage]) -> list[Candidates | Problem]:
        if self.kind == "raises":
            raise RuntimeError("no paper")
        return [Problem("recognition", "blurred", line_id=line.id) for line in lines[1:]]


@lru_cache(maxsize=1)
def _open_shipped() -> Recognizer:
    return open_recognizer("ctc", threads=1)


def open_some(name: str, threads: int) -> Recognizer:
    """The shipped recognizer, whatever its name; "raises" and "short" misbehave."""
    if name in ("raises", "short"):
        return BadRecognizer(name, name)
    return _open_shipped()
