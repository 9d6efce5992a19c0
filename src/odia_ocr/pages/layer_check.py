"""Whether the text layer of a PDF page can be trusted.

Many Odia PDFs carry text that is not what they show: faces such as Akruti or Shree-Ori draw Odia
shapes in the places of Latin letters, some programs write vowel signs in the order of drawing,
others leave private or unknown code points. The judgement stands on counts, never on a dictionary,
and on the picture: some lines are read from the pixels, and the layer must say the same.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from odia_ocr.language import EditCounts, count_edits, fold
from odia_ocr.language.normalise import CONSONANT, NUKTA, VIRAMA, ZWJ, ZWNJ
from odia_ocr.pages.text_layer import TextLayer, clip_box, outline_box
from odia_ocr.types import Line

# A layer is left aside from these shares on. Right Odia text has hardly a malformed cluster in
# 30,000, the same text in the order of drawing 4 to 10 %, a legacy face no Odia at all.
_UNREADABLE = 0.03  # of the characters: U+FFFD, private, unassigned, control, not mapped
_SIDEWAYS = 0.2  # of the characters
_MALFORMED = 0.015  # of the Odia clusters
_ODIA = 0.5  # of the letters: from here on the layer is Odia
_IRREGULAR = 0.25  # of the Latin words of a layer that is not Odia
# Faces that draw Odia in the places of Latin letters, by the names they are embedded with.
_LEGACY_FACE = re.compile(r"akruti|shree-?ori|shreelipi|sreelipi|sulipi|leap-?odia", re.IGNORECASE)

CHECKS = 6  # lines that are read from the picture
_AGREEMENT = 0.75  # share of the characters that layer and picture must have in common
COVERAGE = 0.6  # of the length of the lines seen on the page must lie under the layer

_BASE = f"(?:[{CONSONANT}]{NUKTA}?|[\u0b05-\u0b14\u0b60\u0b61])"
_SIGN = "[\u0b3e-\u0b44\u0b47\u0b48\u0b4b\u0b4c\u0b62\u0b63]"
_CLUSTER = re.compile(
    f"{_BASE}(?:{VIRAMA}[{ZWJ}{ZWNJ}]?[{CONSONANT}]{NUKTA}?)*"
    f"(?:{VIRAMA}[{ZWJ}{ZWNJ}]?|{_SIGN}?)[\u0b01-\u0b03]*"
    "|[\u0b3d\u0b66-\u0b77]"
)
_ODIA_CHAR = re.compile("[\u0b00-\u0b7f]")
_REGULAR_WORD = re.compile(
    r"[\"'(\[“‘]*(?:[A-Za-z][a-zà-öø-ÿ]*|[A-Z]+)(?:[-'’/.&@_][A-Za-zà-öø-ÿ]+)*[.,;:!?)\]\"'”’…]*"
)


@dataclass(frozen=True, slots=True)
class LayerCounts:
    """What a layer is judged by; sums, so that tests and thresholds can be checked against texts.

    Attributes:
        chars: Characters that are no space.
        unreadable: Of these: U+FFFD, private, unassigned, control.
        letters: Letters and signs of any script.
        odia: Of these in the Odia block.
        clusters: Well-formed Odia clusters.
        malformed: Odia characters outside a well-formed cluster.
        latin_words: Words with a letter and without Odia.
        irregular: Of these not written like a word: capitals or signs inside.
    """

    chars: int = 0
    unreadable: int = 0
    letters: int = 0
    odia: int = 0
    clusters: int = 0
    malformed: int = 0
    latin_words: int = 0
    irregular: int = 0


def count_layer(text: str) -> LayerCounts:
    """Count what `find_fault` judges by."""
    text = unicodedata.normalize("NFC", text)
    visible = [char for char in text if not char.isspace()]
    kinds = [unicodedata.category(char) for char in visible]
    unreadable = sum(
        char == "\ufffd" or kind in ("Co", "Cn", "Cc", "Cs")
        for char, kind in zip(visible, kinds, strict=True)
    )
    odia = len(_ODIA_CHAR.findall(text))
    clusters = _CLUSTER.findall(text)
    rest = _CLUSTER.sub("", text)
    words = [w for w in text.split() if any(c.isalpha() for c in w) and not _ODIA_CHAR.search(w)]
    return LayerCounts(
        chars=len(visible),
        unreadable=unreadable,
        letters=sum(kind[0] in "LM" for kind in kinds),
        odia=odia,
        clusters=len(clusters),
        malformed=len(_ODIA_CHAR.findall(rest)),
        latin_words=len(words),
        irregular=sum(not _REGULAR_WORD.fullmatch(word) for word in words),
    )


def find_fault(layer: TextLayer) -> str | None:
    """Why a layer cannot be the text of its page, from the text alone; None when it may be."""
    counts = count_layer(layer.text)
    if not counts.chars:
        return "it is empty"
    unreadable = max(counts.unreadable / counts.chars, layer.unmapped)
    if unreadable > _UNREADABLE:
        return f"{unreadable:.0%} of its characters are no letters"
    if layer.sideways > _SIDEWAYS:
        return f"{layer.sideways:.0%} of its characters do not run left to right"
    malformed = counts.malformed / max(1, counts.clusters + counts.malformed)
    if malformed > _MALFORMED:
        return f"{malformed:.0%} of its Odia clusters cannot be written so"
    if counts.odia < _ODIA * counts.letters:
        legacy = [font for font in layer.fonts if _LEGACY_FACE.search(font)]
        if legacy:
            return f"its face {legacy[0]} draws Odia in the places of Latin letters"
        irregular = counts.irregular / max(1, counts.latin_words)
        if irregular > _IRREGULAR:
            return f"{irregular:.0%} of its words are written like none"
    return None


def is_odia(layer: TextLayer) -> bool:
    """True when most letters of the layer are Odia."""
    counts = count_layer(layer.text)
    return counts.odia >= _ODIA * counts.letters > 0


def pick_checks(layer: TextLayer, size: tuple[int, int]) -> list[tuple[Line, str]]:
    """Some lines to compare with the picture: where they stand, and what they should say.

    Args:
        layer: Of the page.
        size: (width, height) of the page in pixels.
    """
    order = sorted(range(len(layer.lines)), key=lambda i: len(layer.lines[i].text), reverse=True)
    # From the longer half, all over the page.
    longer = sorted(order[: max(CHECKS, len(order) // 2)])
    chosen = np.linspace(0, len(longer) - 1, min(CHECKS, len(longer))).round().astype(int)
    picked = []
    for i in dict.fromkeys(longer[j] for j in chosen):
        line = layer.lines[i]
        left, top, right, bottom = line.box
        side = 0.1 * (bottom - top)
        box = clip_box((left - side, top - side, right + side, bottom + side), size)
        picked.append((Line(f"layer-{i}", outline_box(box)), line.text))
    return picked


def agree(pairs: Iterable[tuple[str, str]]) -> bool | None:
    """Whether the layer says what the picture shows.

    Args:
        pairs: (what the layer says, what was surely read) line by line.

    Returns:
        None when nothing was read surely.
    """
    total = EditCounts(0, 0)
    for said, read in pairs:
        total += count_edits(fold(read).replace(" ", ""), fold(said).replace(" ", ""))
    if not total.length:
        return None
    return bool(1 - total.edits / total.length >= _AGREEMENT)


def cover(layer: TextLayer, seen: Sequence[Line]) -> float:
    """Share, by length, of the lines seen on the page that lie under the layer."""
    boxes = np.array([line.box for line in layer.lines]).reshape(-1, 4)
    covered = total = 0.0
    for line in seen:
        left, top, right, bottom = line.box
        middle = (top + bottom) / 2
        level = boxes[(boxes[:, 1] <= middle) & (boxes[:, 3] >= middle)]
        shared = np.minimum(level[:, 2], right) - np.maximum(level[:, 0], left)
        covered += min(right - left, float(np.maximum(shared, 0.0).sum()))
        total += right - left
    return covered / total if total else 1.0
