"""Which faces exist, which are held out for good, and which to draw with.

A face is a font file. Families named in `fonts/heldout_faces.txt` are never trained on; the match
is by the family name inside the file, so that a renamed copy or another weight is held out too.
"""

from __future__ import annotations

import functools
import logging
import re
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from odia_ocr.errors import FontMissingError

# Its warnings are about tables that drawing does not use.
logging.getLogger("fontTools").setLevel(logging.ERROR)
SHIPPED = Path(str(files("odia_ocr.data"))) / "fonts"
_KINDS = {
    "lohitodia": "text",
    "japasansodia": "text",
    "notoserifodia": "serif",
    "alkatra": "display",
}


@dataclass(frozen=True, slots=True)
class Face:
    """One font file.

    Attributes:
        path: TrueType or OpenType file with Odia shaping (or Latin only, see `odia`).
        family: Family name from the file's name table.
        heldout: Never trained on.
        odia: Has Odia letters; False for companions that draw Latin words only.
    """

    path: str
    family: str
    heldout: bool
    odia: bool = True

    @property
    def name(self) -> str:
        """File name without its ending, e.g. "NotoSansOriya-Bold"."""
        return Path(self.path).stem

    @property
    def kind(self) -> str:
        """ "text", "serif" or "display" for held-out faces, else "training"."""
        return _KINDS.get(family_key(self.family), "training")


def family_key(family: str) -> str:
    """Compare families by this: lower case, letters and digits only, "oriya" written "odia"."""
    return re.sub(r"[^a-z0-9]", "", family.lower()).replace("oriya", "odia")


@functools.cache
def heldout_families() -> frozenset[str]:
    """Keys of the families that are held out for good."""
    lines = (SHIPPED / "heldout_faces.txt").read_text(encoding="utf-8").splitlines()
    return frozenset(family_key(line.split("#")[0]) for line in lines if line.split("#")[0].strip())


@functools.cache
def _read_families(path: str) -> tuple[str, ...]:
    """Every family name in the file (name ids 1, 4, 16, 21)."""
    from fontTools.ttLib import TTFont

    with TTFont(path, fontNumber=0, lazy=True) as font:
        names = [
            record.toUnicode() for record in font["name"].names if record.nameID in (16, 1, 21, 4)
        ]
        preferred = font["name"].getBestFamilyName() or (names[0] if names else Path(path).stem)
        return (preferred, *names)


@functools.cache
def _covers_odia(path: str) -> bool:
    from fontTools.ttLib import TTFont

    with TTFont(path, fontNumber=0, lazy=True) as font:
        return 0x0B15 in font.getBestCmap()


def _is_heldout(path: str) -> bool:
    held = heldout_families()
    keys = {family_key(name) for name in _read_families(path)} | {family_key(Path(path).stem)}
    return any(key.startswith(family) for key in keys for family in held)


def find_faces(folder: Path | None = None) -> tuple[Face, ...]:
    """All faces of a folder (searched through), or the shipped ones.

    Raises:
        FontMissingError: If the folder holds no font with Odia letters.
    """
    root = folder or SHIPPED
    paths = sorted(p for p in root.rglob("*") if p.suffix.lower() in (".ttf", ".otf"))
    found = tuple(
        Face(
            path=str(path),
            family=_read_families(str(path))[0],
            heldout=_is_heldout(str(path)),
            odia=_covers_odia(str(path)),
        )
        for path in paths
    )
    if not any(face.odia for face in found):
        raise FontMissingError(
            f"No font with Odia letters in {root}.",
            next_step="Name a folder of .ttf or .otf files with --fonts, or run "
            "scripts/fetch_fonts.py to gather the free ones.",
        )
    return found


def group_families(faces: tuple[Face, ...]) -> tuple[tuple[Face, ...], ...]:
    """Faces by family, so that a family of ten weights is not drawn ten times as often."""
    groups: dict[str, list[Face]] = {}
    for face in faces:
        groups.setdefault(family_key(face.family), []).append(face)
    return tuple(tuple(group) for _, group in sorted(groups.items()))
