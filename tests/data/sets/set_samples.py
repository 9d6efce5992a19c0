"""Small labelled lines for tests of data sets."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from odia_ocr.data.sets.sample import BytesPicture, Sample, encode_png
from odia_ocr.types import Problem

TEXTS = (
    "ଓଡ଼ିଶା ରାଜ୍ୟର ରାଜଧାନୀ ଭୁବନେଶ୍ୱର ଅଟେ",
    "ଆଜି ସକାଳେ ବହୁତ ବର୍ଷା ହେଲା",
    "ପିଲାମାନେ ବିଦ୍ୟାଳୟକୁ ଯାଉଛନ୍ତି",
    "ନଦୀ କୂଳରେ ଏକ ପୁରୁଣା ମନ୍ଦିର",
    "ଚାଷୀ ଧାନ କାଟି ଘରକୁ ଫେରିଲା",
    "ସେ ଗୋଟିଏ ସୁନ୍ଦର ଗୀତ ଗାଇଲା",
)


def draw_pixels(seed: int, *, width: int = 160, height: int = 32) -> np.ndarray:
    """Black strokes on white, different for each seed."""
    rng = np.random.default_rng(seed)
    picture = Image.new("L", (width, height), 255)
    draw = ImageDraw.Draw(picture)
    for x in range(6, width - 8, 9):
        top, bottom = sorted(rng.integers(4, height - 4, 2).tolist())
        draw.line([(x, top), (x + int(rng.integers(-4, 6)), bottom + 2)], fill=0, width=3)
    return np.asarray(picture)


def make_sample(number: int, text: str | None = None, **fields: object) -> Sample:
    """A line in memory."""
    name = str(fields.pop("id", f"line{number}"))
    data = encode_png(draw_pixels(number)).data
    text = TEXTS[number % len(TEXTS)] if text is None else text
    return Sample(name, BytesPicture(name, data), text, **fields)  # type: ignore[arg-type]


def samples_of(items: Iterable[Sample | Problem]) -> list[Sample]:
    """The samples, when nothing else is there."""
    found = list(items)
    problems = [item for item in found if isinstance(item, Problem)]
    assert problems == []
    return [item for item in found if isinstance(item, Sample)]


def problems_of(items: Iterable[Sample | Problem]) -> list[str]:
    """The codes of the problems."""
    return [item.code for item in items if isinstance(item, Problem)]


def endless_samples(drawn: list[int]) -> Iterator[Sample]:
    """Samples without an end; `drawn` gets the number of each that was asked for."""
    number = 0
    while True:
        drawn.append(number)
        yield make_sample(number, id=f"line{number:05d}")
        number += 1


def save_picture(path: Path, pixels: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)
