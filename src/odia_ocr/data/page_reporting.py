"""The fixed set that published figures of rendered pages stand on.

Eight pages of each layout, sixteen in each condition, held-out faces and held-out shipped text, the
shipped fonts only: anyone can make the same pictures again. The text families have nearly equal
parts; the display face has two of eight pages in the layouts that such faces are used in. A set
that changes gets a new name.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from odia_ocr.data.faces import find_faces, group_families
from odia_ocr.data.page_degrade import CONDITIONS
from odia_ocr.data.page_folder import write_pages
from odia_ocr.data.page_render import PageRenderer, make_page_renderer
from odia_ocr.data.page_truth import RenderedPage
from odia_ocr.data.page_typeset import Manner

_MANNER = Manner(numbers=0.02, latin=0.01, made=0.0)


@dataclass(frozen=True, slots=True)
class ReportingPages:
    """A fixed set of pages.

    Attributes:
        name: Names the set in reports.
        layouts: In their order on disk.
        per_layout: Pages of each, a multiple of the four conditions.
        seed: Of every page.
        strength: How far degradations go, 0..1; chosen once, so that Tesseract's `Oriya` model
            with `--psm 3` has a CER between 10 and 20 % over the set.
        display: The layouts in which a quarter of the pages is set in the display face.
    """

    name: str
    layouts: tuple[str, ...]
    per_layout: int
    seed: int
    strength: float
    display: tuple[str, ...]

    @property
    def count(self) -> int:
        """Pages of the set."""
        return len(self.layouts) * self.per_layout


PAGES = ReportingPages(
    name="report-pages-1",
    layouts=("book", "news", "poem", "form", "notice", "magazine", "quote", "ticker"),
    per_layout=8,
    seed=20264,
    strength=0.6,
    display=("poem", "magazine", "quote", "ticker"),
)


def make_reporting_renderer(index: int, pages: ReportingPages = PAGES) -> PageRenderer:
    """The renderer of page `index`: one layout, one condition, one held-out family.

    Raises:
        IndexError: If the set has no such page.
    """
    if not 0 <= index < pages.count:
        raise IndexError(f"page {index} of {pages.name}, which has {pages.count}")
    row, column = divmod(index, pages.per_layout)
    loud = pages.layouts[row] in pages.display
    held = (face for face in find_faces() if face.heldout and face.odia)
    families = group_families(tuple(face for face in held if loud or face.kind != "display"))
    turn = column // len(CONDITIONS)  # every condition meets another family in the next turn
    return make_page_renderer(
        split="report",
        seed=pages.seed,
        layouts=(pages.layouts[row],),
        conditions={CONDITIONS[column % len(CONDITIONS)]: 1.0},
        strength=pages.strength,
        manner=_MANNER,
        faces=families[(row + column + turn) % len(families)],
    )


def render_reporting_pages(pages: ReportingPages = PAGES) -> Iterator[RenderedPage]:
    """All pages of the set, layout by layout."""
    for index in range(pages.count):
        yield make_reporting_renderer(index, pages).render(index)


def make_reporting_pages(out: Path, pages: ReportingPages = PAGES) -> Path:
    """Write the set into `out` as `odia-ocr render pages` does; returns `out`."""
    write_pages(render_reporting_pages(pages), out)
    return out
