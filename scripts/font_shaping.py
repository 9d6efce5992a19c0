"""What a face draws: whether Odia can be printed with it, and what it lacks.

A face is kept only if it shapes: a GSUB table for `orya` or `ory2`, nearly all letters
U+0B05-0B39, no `.notdef` and fewer glyphs than code points for words with a reph and conjuncts,
subscripts that stand below their own letter, and, for a merged face, the very places that its
`oriya` file gives. Alkatra 1.100 fails here: it has no anchors, so subscripts fall under the next
letter. That costs training nothing, because the family is held out; two weights of it ship all
the same, to measure with, and the renderer refuses the lines that it would misplace.

Knows files of faces; where they come from is the matter of `fetch_fonts.py`.
"""

from __future__ import annotations

import dataclasses
import unicodedata
from pathlib import Path

import uharfbuzz as hb
from fontTools.ttLib import TTFont

# Words that every kept face must join: a reph, and a conjunct of three letters.
PROBES = ("ଧର୍ମ", "କ୍ଷ୍ମୀ")
VIRAMA = "\u0b4d"

# Frequent conjuncts and marks; a merged face must draw them as its oriya file does, and those
# that a face leaves apart (a visible virama) are listed in faces.json.
CLUSTER_LIST = """
ଧର୍ମ କ୍ଷ୍ମୀ କ୍ଷ ଜ୍ଞ ତ୍ର ଶ୍ର ପ୍ର କ୍ର ନ୍ତ ନ୍ଦ ନ୍ଧ ମ୍ବ ମ୍ଭ ମ୍ପ ଙ୍କ ଙ୍ଗ ଞ୍ଚ ଞ୍ଜ ଣ୍ଟ ଣ୍ଡ ଣ୍ଣ ଣ୍ତ ତ୍ତ ଦ୍ଧ ଦ୍ଦ ଦ୍ଭ
ସ୍ତ ସ୍ଥ ସ୍କ ସ୍ପ ଷ୍ଟ ଷ୍ଠ ଷ୍ଣ ହ୍ନ ହ୍ମ ଲ୍ଲ ଲ୍ପ ଲ୍କ ବ୍ଦ କ୍ତ କ୍ସ ଗ୍ନ ଗ୍ଧ ଚ୍ଚ ଚ୍ଛ ଜ୍ଜ ଟ୍ଟ ପ୍ତ ପ୍ପ ତ୍ସ ତ୍ମ
ସ୍ତ୍ର ନ୍ତ୍ର ଷ୍ଟ୍ର ନ୍ଦ୍ର ମ୍ପ୍ର କ୍ୟ ତ୍ୟ ଦ୍ୟ ନ୍ୟ ଧ୍ୟ ର୍ଯ୍ୟ ର୍ଥ ର୍ବ ର୍ତ୍ତ ସ୍ୱ ଶ୍ୱ ଦ୍ୱ ତ୍ୱ ସ୍ବ ଶ୍ବ ଦ୍ବ ତ୍ବ ସ୍ଵ
କ୍ଯ ତ୍ଯ କୁ କୂ କୃ କି କୀ ଥି ଧି ଖି କେ କୈ କୋ କୌ କଁ କଂ କଃ ଡ଼ ଢ଼ ୟ ୱ
"""
CLUSTERS = tuple(CLUSTER_LIST.split())

# The largest share of CLUSTERS with a mark outside its own cluster that a kept face may have.
ASTRAY_ALLOWED = 0.1

# A conjunct at least this wide, as a share of its width with a ZWNJ in it, has not joined.
UNJOINED_WIDTH = 0.95

UNASSIGNED_LETTERS = {0x0B0D, 0x0B0E, 0x0B11, 0x0B12, 0x0B29, 0x0B31, 0x0B34}
LETTERS = frozenset(range(0x0B05, 0x0B3A)) - UNASSIGNED_LETTERS
LETTERS_ALLOWED_MISSING = 2


def list_reference_characters() -> list[str]:
    """Return the characters that an Odia page may hold; faces.json lists those a face lacks."""
    block = [chr(c) for c in range(0x0B01, 0x0B78)]
    odia = [c for c in block if unicodedata.category(c) != "Cn" and c != "\u0b55"]
    ascii_printable = [chr(c) for c in range(0x20, 0x7F)]
    return [*odia, *"।॥\u200c\u200d", *ascii_printable, *"‘’“”–—…•₹°×÷©"]


REFERENCE = tuple(list_reference_characters())


@dataclasses.dataclass(frozen=True)
class Instance:
    """One point to cut a variable family at; width is in percent of the normal width."""

    style: str
    weight: int
    width: int = 100
    italic: bool = False


@dataclasses.dataclass(frozen=True)
class Source:
    """Where a face came from, under which licence, and the spellings to draw it with."""

    package: str
    version: str
    licence: str
    respell: tuple[tuple[str, str], ...] = ()


@dataclasses.dataclass(frozen=True)
class Face:
    """One line of faces.json."""

    file: str
    family: str
    style: str
    licence: str
    package: str
    version: str
    weight: int
    width: int
    italic: bool
    has_latin: bool
    has_ascii_digits: bool
    has_odia_digits: bool
    has_danda: bool
    has_double_danda: bool
    has_zwnj: bool
    missing: list[str]
    unjoined: list[str]
    astray: list[str]
    respell: dict[str, str]


def shape_text(font: hb.Font, text: str) -> list[tuple[int, int, int, int]]:
    """Return glyph id, advance and offsets for each glyph of a shaped text."""
    buffer = hb.Buffer()
    buffer.add_str(text)
    buffer.guess_segment_properties()
    hb.shape(font, buffer)
    return [
        (info.codepoint, place.x_advance, place.x_offset, place.y_offset)
        for info, place in zip(buffer.glyph_infos, buffer.glyph_positions, strict=True)
    ]


def open_shaper(path: Path) -> hb.Font:
    """Open a font file for shaping."""
    return hb.Font(hb.Face(hb.Blob.from_file_path(str(path))))


def find_faults(path: Path) -> list[str]:
    """Return the reasons why a face cannot be used for Odia; an empty list keeps it."""
    faults: list[str] = []
    font = TTFont(path, lazy=True)
    scripts: set[str] = set()
    if "GSUB" in font and font["GSUB"].table.ScriptList is not None:
        scripts = {record.ScriptTag for record in font["GSUB"].table.ScriptList.ScriptRecord}
    if not scripts & {"orya", "ory2"}:
        faults.append("no GSUB rules for Odia")
    absent = LETTERS - set(font.getBestCmap())
    if len(absent) > LETTERS_ALLOWED_MISSING:
        faults.append(f"{len(absent)} letters missing")
    shaper = open_shaper(path)
    for word in PROBES:
        glyphs = shape_text(shaper, word)
        if any(glyph[0] == 0 for glyph in glyphs):
            faults.append(f"{word} draws .notdef")
        elif len(glyphs) >= len(word):
            faults.append(f"{word} does not join ({len(glyphs)} glyphs)")
    astray = find_astray(shaper)
    if len(astray) > ASTRAY_ALLOWED * len(CLUSTERS):
        faults.append(
            f"marks stand outside their letter in {len(astray)} of {len(CLUSTERS)} clusters"
        )
    return faults


def is_astray(shaper: hb.Font, cluster: str) -> bool:
    """Tell whether a mark without width has its middle outside the cluster it belongs to."""
    glyphs = shape_text(shaper, cluster)
    total = sum(glyph[1] for glyph in glyphs)
    pen = 0
    for glyph_id, advance, x_offset, _ in glyphs:
        extents = shaper.get_glyph_extents(glyph_id)
        if advance == 0 and extents is not None and extents.width > 0:
            middle = pen + x_offset + extents.x_bearing + extents.width / 2
            if not 0 <= middle <= total:
                return True
        pen += advance
    return False


def find_astray(shaper: hb.Font) -> list[str]:
    """Return the clusters that a face draws with a mark under or over a neighbour."""
    return [cluster for cluster in CLUSTERS if is_astray(shaper, cluster)]


def is_unjoined(shaper: hb.Font, cluster: str) -> bool:
    """Tell whether a conjunct is as wide as if a ZWNJ kept one of its viramas visible."""
    width = measure_width(shaper, cluster)
    parted = [
        f"{cluster[: place + 1]}\u200c{cluster[place + 1 :]}"
        for place, letter in enumerate(cluster)
        if letter == VIRAMA
    ]
    return any(width >= UNJOINED_WIDTH * measure_width(shaper, text) for text in parted)


def measure_width(shaper: hb.Font, text: str) -> int:
    """Return the advance of a shaped text in font units."""
    return sum(glyph[1] for glyph in shape_text(shaper, text))


def compare_shaping(merged: Path, oriya: Path) -> list[str]:
    """Return the clusters that a merged face places otherwise than its oriya subset does."""
    shapers = (open_shaper(merged), open_shaper(oriya))
    return [
        cluster
        for cluster in CLUSTERS
        if len({tuple(g[1:] for g in shape_text(shaper, cluster)) for shaper in shapers}) != 1
    ]


def describe_face(path: Path, family: str, instance: Instance, source: Source) -> Face:
    """Measure what a face lacks, after shaping, and return its line for faces.json."""
    shaper = open_shaper(path)
    cmap = set(TTFont(path, lazy=True).getBestCmap())
    missing = [c for c in REFERENCE if any(glyph[0] == 0 for glyph in shape_text(shaper, c))]
    unjoined = [c for c in CLUSTERS if is_unjoined(shaper, c)]
    return Face(
        file=path.name,
        family=family,
        style=instance.style,
        licence=source.licence,
        package=source.package,
        version=source.version,
        weight=instance.weight,
        width=instance.width,
        italic=instance.italic,
        has_latin=all(ord(c) in cmap for c in "ABCXYZabcxyz"),
        has_ascii_digits=all(ord(c) in cmap for c in "0123456789"),
        has_odia_digits=all(ord(c) in cmap for c in "୦୧୨୩୪୫୬୭୮୯"),
        has_danda=0x0964 in cmap,
        has_double_danda=0x0965 in cmap,
        has_zwnj=0x200C in cmap,
        missing=[f"U+{ord(c):04X}" for c in missing],
        unjoined=unjoined,
        astray=find_astray(shaper),
        respell=dict(source.respell),
    )
