"""Gather the Odia faces that the package registries carry, as static TrueType files.

    python scripts/fetch_fonts.py [--out .cache/fonts] [--extra DIR] [--only PART] [--no-latin]

What this script knows:

* Which Debian and npm packages hold Odia faces, and under which licence (read from the licence
  file of each). The clients `apt-get`, `dpkg` and `npm` fetch and unpack them; nothing is
  installed.
* npm's fontsource packages split a face into subsets. The `oriya` file has no Latin letters, ASCII
  digits or punctuation, so each instance is merged with its `latin` file.
* Variable faces are cut at a few weights and widths (at most ten a family).
* A face is kept only if it shapes: a GSUB table for `orya` or `ory2`, nearly all letters
  U+0B05-0B39, no `.notdef` and fewer glyphs than code points for words with a reph and conjuncts,
  subscripts that stand below their own letter, and, for a merged face, the very places that its
  `oriya` file gives. Alkatra 1.100 fails here: it has no anchors, so subscripts fall under the next
  letter. That costs training nothing, because the family is held out; two weights of it ship all
  the same, to measure with, and the renderer refuses the lines that it would misplace.
* Old faces (Samyak, Utkal) know the spellings of their day: WA after a virama stays apart, and
  ya-phala written with YYA carries a stray dot. faces.json names the spelling to draw instead.
* Faces that need no cutting or merging are copied byte for byte (some reserve their font names).
* English words in Odia lines are mostly printed in a face of their own. Latin companions come from
  Debian, as they are; nothing about them is measured.

Written to the output folder: `Family-Style.ttf` files, `faces.json`, which tells for each file its
family, style, licence, source, weight, width and what it lacks, and the companions in `latin/`.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import json
import logging
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import uharfbuzz as hb
from fontTools.merge import Merger
from fontTools.ttLib import TTFont
from fontTools.varLib import instancer

OFL = "OFL-1.1"

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


class FetchError(Exception):
    """A failure that the person running the script can do something about."""


@dataclasses.dataclass(frozen=True)
class Instance:
    """One point to cut a variable family at; width is in percent of the normal width."""

    style: str
    weight: int
    width: int = 100
    italic: bool = False


@dataclasses.dataclass(frozen=True)
class NpmFamily:
    """A variable family in an npm fontsource package: files/<stem>-<subset>-<axes>-normal.woff2."""

    name: str
    package: str
    version: str
    stem: str
    axes: str
    instances: tuple[Instance, ...]
    licence: str = OFL


@dataclasses.dataclass(frozen=True)
class DebianFace:
    """A static face in a Debian package, copied as it is."""

    name: str
    style: str
    package: str
    path: str
    licence: str
    weight: int = 400
    respell: tuple[tuple[str, str], ...] = ()


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


def name_weights(*weights: int) -> tuple[Instance, ...]:
    """Return upright instances of normal width at these weights."""
    return tuple(Instance(WEIGHT_NAMES[weight], weight) for weight in weights)


WEIGHT_NAMES = {
    100: "Thin",
    200: "ExtraLight",
    300: "Light",
    400: "Regular",
    500: "Medium",
    600: "SemiBold",
    700: "Bold",
    800: "ExtraBold",
    900: "Black",
}

NPM_FAMILIES = (
    NpmFamily(
        "Noto Sans Oriya",
        "@fontsource-variable/noto-sans-oriya",
        "5.3.0",
        "noto-sans-oriya",
        "standard",
        (
            *name_weights(200, 300, 400, 500, 600, 700, 900),
            Instance("Condensed", 400, 75),
            Instance("CondensedBold", 700, 75),
            Instance("ExtraCondensed", 400, 62),
        ),
    ),
    NpmFamily(
        "Noto Serif Oriya",
        "@fontsource-variable/noto-serif-oriya",
        "5.3.0",
        "noto-serif-oriya",
        "wght",
        name_weights(400, 500, 600, 700),
    ),
    NpmFamily(
        "Anek Odia",
        "@fontsource-variable/anek-odia",
        "5.3.0",
        "anek-odia",
        "standard",
        (
            *name_weights(200, 300, 400, 500, 600, 700, 800),
            Instance("Condensed", 400, 75),
            Instance("CondensedBold", 700, 75),
            Instance("Expanded", 400, 125),
        ),
    ),
    NpmFamily(
        "Baloo Bhaina 2",
        "@fontsource-variable/baloo-bhaina-2",
        "5.3.0",
        "baloo-bhaina-2",
        "wght",
        name_weights(400, 500, 600, 700, 800),
    ),
    NpmFamily(
        "Alkatra",
        "@fontsource-variable/alkatra",
        "5.3.0",
        "alkatra",
        "wght",
        name_weights(400, 500, 600, 700),
    ),
    NpmFamily(
        "Google Sans",
        "@fontsource-variable/google-sans",
        "5.3.1",
        "google-sans",
        "wght",
        (
            *name_weights(400, 500, 700),
            Instance("Italic", 400, italic=True),
            Instance("BoldItalic", 700, italic=True),
        ),
    ),
)

# Draw ya-phala with YA and wa-phala with BA: see the module docstring.
OLD_SPELLINGS = (("\u0b4d\u0b5f", "\u0b4d\u0b2f"), ("\u0b4d\u0b71", "\u0b4d\u0b2c"))

TRUETYPE = "usr/share/fonts/truetype"
DEBIAN_FACES = (
    DebianFace(
        name="Lohit Odia",
        style="Regular",
        package="fonts-lohit-orya",
        path=f"{TRUETYPE}/lohit-oriya/Lohit-Odia.ttf",
        licence=OFL,
    ),
    DebianFace(
        name="Samyak Oriya",
        style="Regular",
        package="fonts-samyak-orya",
        path=f"{TRUETYPE}/samyak-fonts/Samyak-Oriya.ttf",
        licence="GPL-3.0-or-later WITH Font-exception-2.0",
        respell=OLD_SPELLINGS,
    ),
    DebianFace(
        name="Utkal",
        style="Medium",
        package="fonts-orya-extra",
        path=f"{TRUETYPE}/fonts-orya-extra/utkal.ttf",
        licence="GPL-2.0-or-later",
        respell=OLD_SPELLINGS,
    ),
    DebianFace(
        name="Free Serif",
        style="Regular",
        package="fonts-freefont-ttf",
        path=f"{TRUETYPE}/freefont/FreeSerif.ttf",
        licence="GPL-3.0-or-later WITH Font-exception-2.0",
    ),
)

# Latin companions by Debian package; names are without their ending, * stands for any style.
LATIN_FACES = {
    "fonts-liberation": ("LiberationSans-*", "LiberationSerif-*", "LiberationMono-Regular"),
    "fonts-dejavu-core": ("DejaVuSans*", "DejaVuSerif*"),
    "fonts-crosextra-carlito": ("Carlito-*",),
    "fonts-crosextra-caladea": ("Caladea-*",),
    "fonts-open-sans": tuple(
        f"OpenSans-{style}" for style in ("Regular", "Italic", "Bold", "BoldItalic")
    ),
    "fonts-roboto-unhinted": (
        *(f"Roboto-{style}" for style in ("Regular", "Italic", "Bold", "BoldItalic")),
        *(f"RobotoCondensed-{style}" for style in ("Light", "Regular", "Medium", "Bold")),
    ),
}

# Variable files in the extra folder are cut at these weights where their axis reaches.
EXTRA_WEIGHTS = (400, 500, 600, 700)


def run_client(command: list[str], folder: Path, advice: str) -> str:
    """Run a package client in a folder and return what it printed; say what to do if it fails."""
    if shutil.which(command[0]) is None:
        raise FetchError(f"the command '{command[0]}' is missing. {advice}")
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        last = (done.stderr.strip() or done.stdout.strip()).splitlines()[-3:]
        raise FetchError(f"'{' '.join(command)}' failed: {' '.join(last)}\n{advice}")
    return done.stdout


def unpack_npm_package(family: NpmFamily, folder: Path) -> Path:
    """Fetch one npm package into a folder and return the folder of its files."""
    advice = "Install Node.js with npm, check the network, or run with '--only debian'."
    printed = run_client(
        ["npm", "pack", "--silent", f"{family.package}@{family.version}"], folder, advice
    )
    archive = folder / printed.strip().splitlines()[-1]
    target = folder / family.stem
    with tarfile.open(archive) as tar:
        tar.extractall(target, filter="data")
    return target / "package"


def unpack_debian_package(package: str, folder: Path) -> tuple[Path, str]:
    """Fetch one Debian package into a folder; return its unpacked root and its version."""
    advice = "Run 'apt-get update' on a Debian machine first, or run with '--only npm'."
    inner = folder / package
    inner.mkdir()
    run_client(["apt-get", "download", package], inner, advice)
    archive = next(inner.glob("*.deb"))
    run_client(["dpkg", "-x", archive.name, "root"], inner, advice)
    version = run_client(["dpkg-deb", "-f", archive.name, "Version"], inner, advice).strip()
    return inner / "root", version


def cut_instance(font: TTFont, instance: Instance) -> TTFont:
    """Pin every axis of a variable font and return the static font."""
    wanted = {"wght": instance.weight, "wdth": instance.width}
    location: dict[str, float] = {}
    for axis in font["fvar"].axes:
        value = wanted.get(axis.axisTag, axis.defaultValue)
        location[axis.axisTag] = min(max(value, axis.minValue), axis.maxValue)
    return instancer.instantiateVariableFont(font, location, inplace=True)


def rename_font(font: TTFont, family: str, style: str, weight: int) -> None:
    """Write family and style into the name table, and the weight into OS/2."""
    table = font["name"]
    for name_id in (16, 17, 21, 22, 25):
        table.removeNames(nameID=name_id)
    postscript = f"{family.replace(' ', '')}-{style}"
    for name_id, text in ((1, family), (2, style), (4, f"{family} {style}"), (6, postscript)):
        table.removeNames(nameID=name_id)
        table.setName(text, name_id, 3, 1, 0x409)
    font["OS/2"].usWeightClass = weight


def merge_subsets(oriya: TTFont, latin: TTFont, folder: Path) -> TTFont:
    """Return one font with the glyphs of both; the two must be subsets of one face."""
    paths = []
    for label, font in (("oriya", oriya), ("latin", latin)):
        font.flavor = None
        path = folder / f"{label}.ttf"
        font.save(path)
        paths.append(str(path))
    with silence_fonttools():
        return Merger().merge(paths)


@contextlib.contextmanager
def silence_fonttools() -> Iterator[None]:
    """Keep fontTools from printing its notes on dropped tables."""
    logger = logging.getLogger("fontTools")
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(before)


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


def name_file(family: str, style: str) -> str:
    """Return Family-Style.ttf without spaces."""
    return re.sub(r"[^A-Za-z0-9]", "", family) + "-" + re.sub(r"[^A-Za-z0-9]", "", style) + ".ttf"


def keep_face(path: Path, family: str, instance: Instance, source: Source) -> Face | None:
    """Check a written face: describe it, or remove it and say why."""
    faults = find_faults(path)
    if faults:
        print(f"  drop {path.name}: {'; '.join(faults)}", flush=True)
        path.unlink()
        return None
    face = describe_face(path, family, instance, source)
    lack = f", lacks {len(face.missing)} characters" if face.missing else ""
    print(f"  keep {path.name}{lack}", flush=True)
    return face


def gather_npm_family(family: NpmFamily, folder: Path, out: Path) -> Iterator[Face]:
    """Fetch one npm family, cut and merge its instances into the output folder."""
    print(f"{family.package} {family.version}", flush=True)
    files = unpack_npm_package(family, folder) / "files"
    for instance in family.instances:
        slope = "italic" if instance.italic else "normal"
        cut = []
        for subset in ("oriya", "latin"):
            path = files / f"{family.stem}-{subset}-{family.axes}-{slope}.woff2"
            if not path.exists():
                raise FetchError(
                    f"{family.package} {family.version} has no {path.name}: "
                    "look at its files and correct NPM_FAMILIES."
                )
            cut.append(cut_instance(TTFont(path), instance))
        font = merge_subsets(cut[0], cut[1], folder)
        rename_font(font, family.name, instance.style, instance.weight)
        target = out / name_file(family.name, instance.style)
        font.save(target)
        changed = compare_shaping(target, folder / "oriya.ttf")
        if changed:
            print(f"  drop {target.name}: merging changed {' '.join(changed)}", flush=True)
            target.unlink()
            continue
        source = Source(family.package, family.version, family.licence)
        face = keep_face(target, family.name, instance, source)
        if face is not None:
            yield face


def gather_debian_face(entry: DebianFace, folder: Path, out: Path) -> Iterator[Face]:
    """Fetch one Debian package and copy its face into the output folder."""
    root, version = unpack_debian_package(entry.package, folder)
    print(f"{entry.package} {version}", flush=True)
    origin = root / entry.path
    if not origin.exists():
        raise FetchError(
            f"{entry.package} {version} has no {entry.path}: "
            "look at its files and correct DEBIAN_FACES."
        )
    target = out / name_file(entry.name, entry.style)
    shutil.copyfile(origin, target)
    instance = Instance(entry.style, entry.weight)
    source = Source(entry.package, version, entry.licence, entry.respell)
    face = keep_face(target, entry.name, instance, source)
    if face is not None:
        yield face


def gather_latin_faces(out: Path) -> int:
    """Copy the Latin companions into a folder and return how many there are."""
    out.mkdir(exist_ok=True)
    count = 0
    with tempfile.TemporaryDirectory() as name:
        for package, patterns in LATIN_FACES.items():
            root, version = unpack_debian_package(package, Path(name))
            print(f"{package} {version}", flush=True)
            for pattern in patterns:
                paths = sorted((root / TRUETYPE).rglob(f"{pattern}.ttf"))
                if not paths:
                    raise FetchError(
                        f"{package} {version} has no {pattern}.ttf: "
                        "look at its files and correct LATIN_FACES."
                    )
                for path in paths:
                    shutil.copyfile(path, out / path.name)
                count += len(paths)
    return count


def read_names(font: TTFont) -> tuple[str, str]:
    """Return the family name in plain words and the licence, as the name table tells them."""
    table = font["name"]
    family = str(table.getDebugName(16) or table.getDebugName(1) or "Unnamed")
    family = re.sub(r"[_\s]+", " ", family)
    family = re.sub(r" (Normal|Regular)\s*$", "", family.strip()).strip()
    told = " ".join(str(table.getDebugName(i) or "") for i in (0, 13, 14)).lower()
    if "open font license" in told or "openfontlicense" in told or "sil.org/ofl" in told:
        return family, OFL
    if "non-commercial" in told:
        return family, "free for non-commercial use"
    return family, "GPL" if "gpl" in told else "unknown"


def gather_extra_file(path: Path, known: set[str], out: Path) -> Iterator[Face]:
    """Bring one file of the extra folder in: cut it if it is variable, else copy it."""
    font = TTFont(path)
    family, licence = read_names(font)
    print(path.name, flush=True)
    if family in known:
        print(f"  skip {path.name}: {family} is here already")
        return
    source = Source("extra", path.name, licence)
    if "fvar" not in font:
        target = out / name_file(family, "Regular")
        shutil.copyfile(path, target)
        face = keep_face(target, family, Instance("Regular", 400), source)
        if face is not None:
            yield face
        return
    axis = next((a for a in font["fvar"].axes if a.axisTag == "wght"), None)
    weights = [w for w in EXTRA_WEIGHTS if axis is None or axis.minValue <= w <= axis.maxValue]
    for instance in name_weights(*(weights if axis is not None else [400])):
        cut = cut_instance(TTFont(path), instance)
        rename_font(cut, family, instance.style, instance.weight)
        target = out / name_file(family, instance.style)
        cut.save(target)
        face = keep_face(target, family, instance, source)
        if face is not None:
            yield face


def gather_faces(out: Path, extra: Path | None, only: str | None) -> list[Face]:
    """Fill the output folder; the extra folder adds families that the registries did not give."""
    faces: dict[str, Face] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if only in (None, "npm"):
            for family in NPM_FAMILIES:
                faces.update((f.file, f) for f in gather_npm_family(family, folder, out))
        if only in (None, "debian"):
            for entry in DEBIAN_FACES:
                faces.update((f.file, f) for f in gather_debian_face(entry, folder, out))
    if extra is not None:
        for path in sorted(extra.glob("*.[to]tf")):
            known = {face.family for face in faces.values()}
            faces.update((f.file, f) for f in gather_extra_file(path, known, out))
    return [faces[name] for name in sorted(faces)]


def read_arguments(arguments: list[str]) -> argparse.Namespace:
    """Return the parsed command line."""
    parser = argparse.ArgumentParser(
        description="Gather the Odia faces of the package registries as static TrueType files."
    )
    parser.add_argument(
        "--out", type=Path, default=Path(".cache/fonts"), help="folder to fill (.cache/fonts)"
    )
    parser.add_argument("--extra", type=Path, help="a folder of more TTF files to bring in")
    parser.add_argument("--only", choices=["npm", "debian"], help="ask one registry only")
    parser.add_argument(
        "--latin",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="also gather faces for English words into OUT/latin (from Debian)",
    )
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> int:
    """Run the script and return its exit status."""
    options = read_arguments(sys.argv[1:] if arguments is None else arguments)
    if options.extra is not None and not options.extra.is_dir():
        print(f"error: --extra {options.extra} is not a folder", file=sys.stderr)
        return 2
    options.out.mkdir(parents=True, exist_ok=True)
    try:
        faces = gather_faces(options.out, options.extra, options.only)
        wants_latin = options.latin and options.only != "npm"
        companions = gather_latin_faces(options.out / "latin") if wants_latin else 0
    except FetchError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    if not faces:
        print("error: no face was kept; read the reasons above", file=sys.stderr)
        return 1
    lines: list[dict[str, Any]] = [dataclasses.asdict(face) for face in faces]
    text = json.dumps(lines, ensure_ascii=False, indent=1)
    (options.out / "faces.json").write_text(text + "\n", encoding="utf-8")
    families = sorted({face.family for face in faces})
    print(f"{len(faces)} faces of {len(families)} families in {options.out}: {', '.join(families)}")
    if companions:
        print(f"{companions} Latin faces in {options.out / 'latin'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
