"""What a data set is made of: counts, characters, clusters, lengths, sizes, and a few lines to see.

One pass; only counts and numbers are kept of each line, and a random few of the pictures.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from odia_ocr.data.sets.formats import SampleSet
from odia_ocr.data.sets.sample import Sample
from odia_ocr.errors import InputError
from odia_ocr.language import ALPHABET, normalise, split_clusters
from odia_ocr.types import Pixels, Problem

SHOWN = 24  # lines on the contact sheet
_PERCENTILES = (0, 5, 25, 50, 75, 95, 100)
_CELL = (460, 64)  # pixels of a picture on the contact sheet
_CAPTION = 16
_COLUMNS = 3
_MOST = 30  # characters and clusters of a table


@dataclass(frozen=True, slots=True, eq=False)
class ShownLine:
    """A line to look at."""

    id: str
    text: str
    pixels: Pixels


@dataclass(slots=True)
class SetStats:
    """The counts of a set.

    Attributes:
        names: Of the sets.
        lines: Lines that can be used.
        problems: Lines that cannot, by code.
        splits, sources: Lines of each.
        characters: Code points after `normalise`, spaces left out.
        clusters: Grapheme clusters, likewise.
        lengths: Clusters of each line, spaces included.
        widths, heights: Of each picture, in pixels.
        texts: Number of different texts.
        words: Number of words.
        shown: A random few lines.
    """

    names: tuple[str, ...]
    lines: int = 0
    problems: Counter[str] = field(default_factory=Counter)
    splits: Counter[str] = field(default_factory=Counter)
    sources: Counter[str] = field(default_factory=Counter)
    characters: Counter[str] = field(default_factory=Counter)
    clusters: Counter[str] = field(default_factory=Counter)
    lengths: list[int] = field(default_factory=list)
    widths: list[int] = field(default_factory=list)
    heights: list[int] = field(default_factory=list)
    texts: int = 0
    words: int = 0
    shown: list[ShownLine] = field(default_factory=list)

    @property
    def outside(self) -> Counter[str]:
        """The characters that the alphabet lacks."""
        return Counter({c: n for c, n in self.characters.items() if c not in ALPHABET})

    @property
    def unused(self) -> str:
        """The Odia characters of the alphabet that no line has."""
        odia = (symbol for symbol in ALPHABET.symbols if "\u0b00" <= symbol <= "\u0b7f")
        return "".join(symbol for symbol in odia if symbol not in self.characters)

    def to_json(self) -> dict[str, Any]:
        """As the command's --json has it."""
        return {
            "schema": 1,
            "sets": list(self.names),
            "lines": self.lines,
            "problems": dict(self.problems),
            "splits": dict(self.splits),
            "sources": dict(self.sources.most_common()),
            "texts": self.texts,
            "words": self.words,
            "characters": dict(self.characters.most_common()),
            "clusters": {"different": len(self.clusters), "common": _first(self.clusters)},
            "outside_alphabet": dict(self.outside.most_common()),
            "unused_letters": self.unused,
            "length_clusters": describe(self.lengths),
            "width_px": describe(self.widths),
            "height_px": describe(self.heights),
        }


def _first(counts: Counter[str]) -> dict[str, int]:
    return dict(counts.most_common(10 * _MOST))


def describe(values: Sequence[int]) -> dict[str, float]:
    """Mean and percentiles of values, e.g. {"mean": 21.3, "p0": 2.0, ...}; empty without any."""
    if not values:
        return {}
    found = np.percentile(values, _PERCENTILES)
    named = {f"p{p}": round(float(v), 1) for p, v in zip(_PERCENTILES, found, strict=True)}
    return {"mean": round(float(np.mean(values)), 1), **named}


def gather_stats(
    sets: Sequence[SampleSet],
    *,
    seed: int = 0,
    tell: Callable[[str, Problem], None],
    progress: Callable[[int], None] = lambda done: None,
) -> SetStats:
    """Count what is in sets, in one pass.

    Args:
        sets: Read one after the other.
        seed: Which lines are shown.
        tell: Called with the set's name and the Problem of each line that cannot be used.
        progress: Called with the number of lines that were done since.

    Raises:
        DataError: If a set as a whole cannot be read.
    """
    stats = SetStats(tuple(one.name for one in sets))
    texts: set[str] = set()
    rng = random.Random(seed)
    for one in sets:
        for item in one:
            problem = item if isinstance(item, Problem) else _count(stats, item, rng)
            if problem is not None:
                stats.problems[problem.code] += 1
                tell(one.name, problem)
            elif isinstance(item, Sample):
                texts.add(item.text)
            progress(1)
    stats.texts = len(texts)
    return stats


def _count(stats: SetStats, sample: Sample, rng: random.Random) -> Problem | None:
    """Add a line; a Problem where its picture cannot be read."""
    try:
        pixels = sample.picture.load()
    except InputError as error:
        return Problem(error.code, error.message, error.next_step, line_id=sample.id)
    text = normalise(sample.text)
    stats.lines += 1
    stats.splits[sample.split] += 1
    stats.sources[sample.source] += 1
    stats.characters.update(text.replace(" ", ""))
    clusters = split_clusters(text)
    stats.clusters.update(cluster for cluster in clusters if cluster != " ")
    stats.words += len(text.split())
    stats.lengths.append(len(clusters))
    stats.heights.append(int(pixels.shape[0]))
    stats.widths.append(int(pixels.shape[1]))
    # A reservoir: each line is shown with the same probability, however many there are.
    at = rng.randrange(stats.lines)
    if len(stats.shown) < SHOWN:
        stats.shown.append(ShownLine(sample.id, sample.text, pixels))
    elif at < SHOWN:
        stats.shown[at] = ShownLine(sample.id, sample.text, pixels)
    return None


def draw_sheet(lines: Sequence[ShownLine]) -> Image.Image:
    """A contact sheet: line pictures in columns, each under its id."""
    width, height = _CELL
    rows = -(-len(lines) // _COLUMNS)
    pitch = height + _CAPTION + 8
    sheet = Image.new("RGB", (_COLUMNS * (width + 12) + 12, max(1, rows) * pitch + 12), "#e2ded5")
    draw = ImageDraw.Draw(sheet)
    font = ImageFont.load_default()
    for i, line in enumerate(lines):
        left, top = 12 + i % _COLUMNS * (width + 12), 8 + i // _COLUMNS * pitch
        caption = line.id.encode("ascii", "replace").decode()[-70:]
        draw.text((left, top), caption, fill="#1d2430", font=font)
        picture = Image.fromarray(line.pixels).convert("RGB")
        picture.thumbnail(_CELL)
        sheet.paste(picture, (left, top + _CAPTION))
    return sheet


def draw_plots(stats: SetStats) -> dict[str, str]:
    """Pictures of a set as SVG, by their titles.

    Raises:
        ImportError: If matplotlib is not installed.
    """
    import matplotlib

    matplotlib.use("svg")
    titles = {
        "Length of a line, grapheme clusters": stats.lengths,
        "Width of a picture, pixels": stats.widths,
        "Height of a picture, pixels": stats.heights,
    }
    return {title: _draw_histogram(values, title) for title, values in titles.items() if values}


def _draw_histogram(values: Sequence[int], title: str) -> str:
    import io

    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(4.2, 2.4))
    # The longest hundredth would squeeze the rest together.
    top = max(float(np.percentile(values, 99)), min(values) + 1.0)
    axes.hist(np.minimum(values, top), bins=30, color="#a8481f")
    axes.set(xlabel=title, ylabel="lines")
    figure.tight_layout()
    stream = io.StringIO()
    figure.savefig(stream, format="svg", metadata={"Date": None})
    plt.close(figure)
    text = stream.getvalue()
    return text[text.index("<svg") :]
