"""Features and pools that need no model."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from odia_ocr.curate.features import LineFeatures
from odia_ocr.data.sets.sample import BytesPicture, Sample, encode_png
from odia_ocr.types import Problem

TEXTS = tuple("ଘର ନଦୀ ଫୁଲ ଗଛ ବହି ପାଣି ଆକାଶ ମାଟି ପବନ ଚନ୍ଦ୍ର ସୂର୍ଯ୍ୟ ତାରା".split())


def make_features(
    name: str,
    text: str = "ଘର",
    *,
    doubts: Sequence[float] | float = 0.1,
    dissent: Sequence[float] | float = 0.0,
    sureness: float = 0.9,
    surprise: float = 1.0,
    point: Sequence[float] = (1.0, 0.0),
    rivals: tuple[tuple[str, float], ...] = (),
) -> LineFeatures:
    clusters = tuple(text)
    if isinstance(doubts, float):
        doubts = (doubts,) * len(clusters)
    if isinstance(dissent, float):
        dissent = (dissent,) * len(clusters)
    embedding = np.array(point, np.float32)
    return LineFeatures(
        id=name,
        text=text,
        confidence=0.5,
        clusters=clusters,
        doubts=tuple(doubts),
        dissent=tuple(dissent),
        rivals=rivals,
        sureness=sureness,
        surprise=surprise,
        embedding=embedding / np.linalg.norm(embedding),
    )


def make_sample(name: str, text: str = "", seed: int = 0) -> Sample:
    rng = np.random.default_rng(seed)
    pixels = np.full((32, 90), 255, np.uint8)
    for x in range(6, 84, 8):
        pixels[int(rng.integers(4, 12)) : int(rng.integers(18, 28)), x : x + 3] = 0
    return Sample(name, BytesPicture(name, encode_png(pixels).data), text, "book")


def look_without_model(engine: str, lines: Sequence[Sample]) -> list[LineFeatures | Problem]:
    """Doubts that depend on the line's id and on whether something was learned."""
    seen: list[LineFeatures | Problem] = []
    for sample in lines:
        rng = np.random.default_rng(sum(map(ord, sample.id + engine[:5])))
        text = TEXTS[int(rng.integers(len(TEXTS)))]
        doubt = float(rng.random())
        seen.append(make_features(sample.id, text, doubts=doubt, point=rng.random(3)))
    return seen
