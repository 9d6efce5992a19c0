"""Pages in ALTO or PAGE XML beside their pictures, as a set of lines, and back.

A line is cut out of the page along its outline. Where a file names its picture otherwise than the
picture is called now, it is looked for beside the file and one folder up, by both names.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path, PureWindowsPath
from typing import TYPE_CHECKING

from odia_ocr.data.sets.out_files import FileNames, name_split, told_as_output, write_bytes
from odia_ocr.data.sets.page_markup import MarkupLine, MarkupPage, read_markup, tell_markup
from odia_ocr.data.sets.sample import (
    CutPicture,
    PagePicture,
    Place,
    Sample,
    StoredPicture,
    clean_text,
    encode_png,
)
from odia_ocr.errors import DataError, InputError
from odia_ocr.export.alto import AltoWriter
from odia_ocr.export.page_xml import PageXmlWriter
from odia_ocr.pages.images import PAGE_SUFFIXES, open_pages
from odia_ocr.types import Line, Page, Problem, Reading, Writer

if TYPE_CHECKING:
    from odia_ocr.types import Point

_LISTS = ("mets.xml", "metadata.xml")  # of documents, beside their pages
_LEAST = 3.0  # pixels: lower or narrower outlines are no lines


def read_pages(where: Path, kind: str, pictures: Path | None = None) -> Iterator[Sample | Problem]:
    """The transcribed lines of a file, or of all files of a folder, that are of one kind.

    Args:
        where: A file or a folder; folders within are looked at, too.
        kind: "alto" or "page".
        pictures: Another folder to look for the pages' pictures in.
    """
    files = [where] if where.is_file() else sorted(where.rglob("*.xml"))
    twins = Counter(map(_page_key, files))
    for path in files:
        if tell_markup(path) != kind:
            if path.name.lower() not in _LISTS and twins[_page_key(path)] == 1:
                message = f"{path.name} is no {kind.upper()} XML and is left out."
                yield Problem("xml-kind", message, "Convert it by itself, or remove it.")
            continue
        try:
            pages = read_markup(path)
        except DataError as error:
            yield Problem("xml-unreadable", error.message, error.next_step)
            continue
        folder = where if where.is_dir() else where.parent
        for page in pages:
            picture = find_picture(path, page.picture, pictures)
            yield from _read_page(path, path.relative_to(folder), page, picture)


def _page_key(path: Path) -> tuple[Path, str]:
    """What the files of one page in several formats have in common: `read` writes them so."""
    return path.parent, path.name.split(".")[0]


def _read_page(
    path: Path, name: Path, page: MarkupPage, picture: Path | None
) -> Iterator[Sample | Problem]:
    stem = name.as_posix()
    for ending in (".xml", ".alto", ".page"):
        stem = stem.removesuffix(ending)
    if picture is None:
        message = f"{path.name}: its picture {page.picture or '(not named)'} is not found."
        step = "Put it beside the file, or name its folder: --pictures FOLDER."
        yield Problem("picture-missing", message, step, page=page.number)
        return
    try:
        with closing(open_pages(picture)) as file:
            # A PAGE XML does not say which page of a PDF it is, ours does in its own name.
            number = min(page.number, file.count)
        image = PagePicture(picture, number)
        width, height = image.load().size
    except InputError as error:
        yield Problem("picture-unreadable", error.message, error.next_step, page=page.number)
        return
    scale = (width / (page.size[0] or width), height / (page.size[1] or height))
    if page.number > 1:
        stem = f"{stem}-p{page.number:04d}"
    for position, line in enumerate(page.lines, start=1):
        yield _read_line(f"{stem}/{line.id or position}", stem, image, line, scale)


def _read_line(
    name: str, source: str, image: PagePicture, line: MarkupLine, scale: tuple[float, float]
) -> Sample | Problem:
    text = clean_text(line.text)
    if not text:
        message = f"{name} has no text and is left out."
        return Problem("text-empty", message, "Transcribe it.", line_id=name)
    polygon = _scale(line.polygon, scale)
    if len(polygon) < 3 or _extent(polygon) < _LEAST:
        message = f"{name} has no outline and is left out."
        return Problem("outline-missing", message, "Draw its outline.", line_id=name)
    baseline = _scale(line.baseline, scale) if line.baseline else None
    place = Place(image, polygon, baseline)
    extras = () if line.confidence is None else (("confidence", line.confidence),)
    return Sample(name, CutPicture(name, place), text, source, place=place, extras=extras)


def _scale(points: tuple[Point, ...], scale: tuple[float, float]) -> tuple[Point, ...]:
    """The unit of the file becomes pixels of the picture at hand."""
    return tuple((x * scale[0], y * scale[1]) for x, y in points)


def _extent(points: tuple[Point, ...]) -> float:
    xs, ys = [x for x, _ in points], [y for _, y in points]
    return min(max(xs) - min(xs), max(ys) - min(ys))


def find_picture(path: Path, named: str, pictures: Path | None = None) -> Path | None:
    """The picture that a file speaks of, by the name it gives or by the file's own."""
    if named and (path.parent / named).is_file():
        return path.parent / named
    # Windows paths and addresses alike end in the name.
    name = PureWindowsPath(named).name
    own = path.name.split(".")[0]
    near = (path.parent, path.parent.parent)
    folders = [*([pictures] if pictures else []), *near, *(place / "images" for place in near)]
    for folder in folders if name else ():
        if (folder / name).is_file():
            return folder / name
    for folder, stem in itertools.product(folders, [PureWindowsPath(name).stem, own]):
        for suffix in sorted(PAGE_SUFFIXES) if stem else ():
            if (folder / f"{stem}{suffix}").is_file():
                return folder / f"{stem}{suffix}"
    return None


@dataclass(frozen=True, slots=True)
class SamplePage:
    """Samples that stand on one page; a line picture without a page is a page of its own.

    Attributes:
        name: Of its files, without an ending.
        split: Of its samples.
        picture: As it is written.
        size: (width, height) in pixels.
        samples: In order, each with the outline that it has on the page.
    """

    name: str
    split: str
    picture: StoredPicture
    size: tuple[int, int]
    samples: tuple[Sample, ...]


def group_pages(samples: Iterable[Sample]) -> Iterator[SamplePage]:
    """Put together samples that follow each other on one page."""
    names = FileNames()
    for place, group in itertools.groupby(samples, key=_page_of):
        members = tuple(group)
        if isinstance(place, str):
            pixels = members[0].picture.load()
            height, width = pixels.shape[:2]
            name = names.make(members[0])
            yield SamplePage(
                name, members[0].split, members[0].picture.store(), (width, height), members
            )
            continue
        image = place.load()
        stem = place.path.stem if place.number == 1 else f"{place.path.stem}-p{place.number:04d}"
        name = names.make(replace(members[0], id=stem))
        yield SamplePage(name, members[0].split, _store_page(place), image.size, members)


def _page_of(sample: Sample) -> PagePicture | str:
    return sample.place.page if sample.place is not None else f"{sample.split}/{sample.id}"


def _store_page(page: PagePicture) -> StoredPicture:
    """The file as it is where it holds just this page, else a PNG of the page."""
    with closing(open_pages(page.path)) as file:
        single = file.count == 1 and page.path.suffix.lower() != ".pdf"
    if single:
        return StoredPicture(page.path.read_bytes(), page.path.suffix.lower())
    return encode_png(page.load().pixels)


def write_alto(samples: Iterable[Sample], out: Path) -> int:
    """Write an ALTO file and a picture for each page; returns the number of lines.

    Raises:
        OutputError: If something cannot be written.
    """
    return _write(samples, out, ".alto.xml", AltoWriter)


def write_page_xml(samples: Iterable[Sample], out: Path) -> int:
    """Write a PAGE XML file and a picture for each page; returns the number of lines.

    Raises:
        OutputError: If something cannot be written.
    """
    return _write(samples, out, ".page.xml", PageXmlWriter)


def _write(
    samples: Iterable[Sample], out: Path, suffix: str, make_writer: Callable[[str], Writer]
) -> int:
    count = 0
    for page in group_pages(samples):
        picture = out / name_split(page.split) / f"{page.name}{page.picture.suffix}"
        write_bytes(picture, page.picture.data)
        path = picture.with_name(f"{page.name}{suffix}")
        with told_as_output(path), path.open("wb") as stream:
            make_writer(picture.name)([(_make_page(picture.name, page), None)], stream)
        count += len(page.samples)
    return count


def _make_page(source: str, page: SamplePage) -> Page:
    return Page(
        source, 1, page.size, lines=tuple(map(partial(_make_line, page.size), page.samples))
    )


def _make_line(size: tuple[int, int], sample: Sample) -> Line:
    width, height = size
    whole = ((0.0, 0.0), (float(width), 0.0), (float(width), float(height)), (0.0, float(height)))
    name = sample.id.rpartition("/")[2]
    reading = Reading(" ".join(sample.text.split()), None)
    if sample.place is None:
        return Line(name, whole, reading=reading)
    return Line(name, sample.place.polygon, sample.place.baseline, reading=reading)
