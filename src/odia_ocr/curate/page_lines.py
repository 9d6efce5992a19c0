"""The lines of pages as a pool: found and cut out as reading does it.

A file that cannot be opened and a page that cannot be read are Problems and leave the others alone.
Knows the pipeline; refuses to know what is done with the lines.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from pathlib import Path

from odia_ocr.data.sets.sample import CutPicture, PagePicture, Place, Sample
from odia_ocr.errors import OdiaOcrError, ResourceMissingError
from odia_ocr.pages.images import open_pages
from odia_ocr.pipeline import Reader
from odia_ocr.types import Page, Problem

_LOOKED_AT = 20  # files of a pool, to tell lines from pages
_LEAST_PAGE = 300  # pixels of height


def find_lines(
    paths: Iterable[Path], reader: Reader, *, progress: Callable[[int], None] = lambda done: None
) -> Iterator[Sample | Problem]:
    """The lines of pictures and PDFs, in reading order, with empty texts.

    Args:
        paths: One document each.
        reader: Finds the lines; it reads them, too, for that tells how a page lies.
        progress: Called with the number of pages that were done since.

    Raises:
        ResourceMissingError: If the reader lacks something it needs.
    """
    for path in paths:
        try:
            with closing(open_pages(path)) as file:
                for outcome in reader.read_each(file):
                    if outcome.problem is not None:
                        yield outcome.problem
                    if outcome.page is not None:
                        yield from _take_lines(path, outcome.page)
                    progress(1)
        except ResourceMissingError:
            raise
        except OdiaOcrError as error:
            yield Problem(error.code, error.message, error.next_step)


def _take_lines(path: Path, page: Page) -> Iterator[Sample]:
    image = PagePicture(path, page.number)
    for line in page.lines:
        name = f"{path.stem}/{line.id}"
        place = Place(image, line.polygon, line.baseline)
        yield Sample(name, CutPicture(name, place), "", path.stem, place=place)


def look_like_pages(paths: Iterable[Path]) -> bool:
    """Whether most of some files are pages and not lines: PDFs, and pictures that are no strips."""
    found = [_looks_like_page(path) for path in itertools.islice(paths, _LOOKED_AT)]
    return 2 * sum(found) > len(found)


def _looks_like_page(path: Path) -> bool:
    from PIL import Image

    if path.suffix.lower() == ".pdf":
        return True
    try:
        with Image.open(path) as picture:
            width, height = picture.size
    except (OSError, Image.DecompressionBombError, ValueError):
        return False
    return height >= _LEAST_PAGE and 2 * height > width
