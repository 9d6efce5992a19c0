"""Gather the Odia faces that the package registries carry, as static TrueType files.

    python scripts/fetch_fonts.py [--out .cache/fonts] [--extra DIR] [--only PART] [--no-latin]

`font_catalogue.py` lists the packages. The clients `apt-get`, `dpkg` and `npm` fetch and unpack
them; nothing is installed. What this script knows:

* npm's fontsource packages split a face into subsets. The `oriya` file has no Latin letters, ASCII
  digits or punctuation, so each instance is merged with its `latin` file.
* Variable faces are cut at a few weights and widths (at most ten a family).
* A face is kept only if it shapes, as `font_shaping.py` judges it.
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
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from font_catalogue import (
    DEBIAN_FACES,
    EXTRA_WEIGHTS,
    LATIN_FACES,
    NPM_FAMILIES,
    OFL,
    TRUETYPE,
    DebianFace,
    NpmFamily,
    name_weights,
)
from font_shaping import Face, Instance, Source, compare_shaping, describe_face, find_faults
from fontTools.merge import Merger
from fontTools.ttLib import TTFont
from fontTools.varLib import instancer


class FetchError(Exception):
    """A failure that the person running the script can do something about."""


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
