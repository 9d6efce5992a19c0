"""A plugin for OCRmyPDF: `ocrmypdf --plugin odia_ocr.apps.ocrmypdf_plugin in.pdf out.pdf`.

OCRmyPDF cleans pages and makes PDF/A; the text, and its places, are read here. Our own text layer
is grafted in (the "sandwich" renderer): its inkless font spells Odia in logical order, whatever
fonts the system has.
"""

from __future__ import annotations

import functools
import logging
from importlib.metadata import version as installed_version
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from ocrmypdf import OcrEngine, hookimpl
from ocrmypdf.exceptions import MissingDependencyError
from ocrmypdf.pluginspec import OrientationConfidence

from odia_ocr.errors import RecognitionError, ResourceMissingError

if TYPE_CHECKING:
    from collections.abc import Set

    from ocrmypdf._options import OcrOptions

    from odia_ocr.export.formats import Format
    from odia_ocr.pipeline import Reader
    from odia_ocr.types import Page

# English is what OCRmyPDF asks for when nothing is asked for; digits and Latin words are read too.
LANGUAGES = frozenset({"ori", "ory", "eng"})
_SURE = 15.0  # OCRmyPDF's scale: very confident
_DPI = 300.0  # where the picture does not say
_FONT = b"F1"  # the name under which OCRmyPDF looks for the font of a text layer
_NAME = "odia-ocr"

log = logging.getLogger(__name__)


class OdiaOcrEngine(OcrEngine):  # type: ignore[misc]
    """Reads page pictures for OCRmyPDF."""

    @staticmethod
    def version() -> str:
        """Of this package."""
        return installed_version(_NAME)

    @staticmethod
    def creator_tag(options: OcrOptions) -> str:
        """For the PDF's metadata."""
        return f"{_NAME} {OdiaOcrEngine.version()}"

    def __str__(self) -> str:
        return f"{_NAME} {self.version()}"

    @staticmethod
    def languages(options: OcrOptions) -> Set[str]:
        """What `-l` may ask for."""
        return LANGUAGES

    @staticmethod
    def get_orientation(input_file: Path, options: OcrOptions) -> OrientationConfidence:
        """How far the page is to be turned clockwise, for `--rotate-pages`."""
        from odia_ocr.export.pdf_text import find_rotation

        page = _read(input_file)
        return OrientationConfidence(find_rotation([page]), _SURE if page.text else 0.0)

    @staticmethod
    def generate_hocr(
        input_file: Path, output_hocr: Path, output_text: Path, options: OcrOptions
    ) -> None:
        """Write a page as hOCR and as text, for `--pdf-renderer fpdf2`."""
        page = _read(input_file)
        _write(page, "hocr", output_hocr)
        _write(page, "txt", output_text)

    @staticmethod
    def generate_pdf(
        input_file: Path, output_pdf: Path, output_text: Path, options: OcrOptions
    ) -> None:
        """Write the text of a page on an empty page of its size, and as text."""
        page = _read(input_file)
        with output_pdf.open("wb") as stream:
            _write_text_page(page, stream)
        _write(page, "txt", output_text)


@hookimpl  # type: ignore[untyped-decorator]
def check_options(options: OcrOptions) -> None:
    """Take our own text layer unless another renderer was asked for."""
    if options.pdf_renderer == "auto":
        options.pdf_renderer = "sandwich"


@hookimpl  # type: ignore[untyped-decorator]
def get_ocr_engine(options: OcrOptions | None) -> OdiaOcrEngine | None:
    """Read with odia-ocr, unless another engine was asked for by name."""
    asked = getattr(options, "ocr_engine", "auto")
    return OdiaOcrEngine() if asked == "auto" else None


@functools.cache
def _open_reader() -> Reader:
    from odia_ocr.pipeline import open_reader

    # OCRmyPDF reads pages side by side.
    return open_reader(threads=1)


def _read(picture: Path) -> Page:
    """Read a page picture; one whose lines cannot be read is told, and stays without text."""
    from odia_ocr.pages.images import open_pages
    from odia_ocr.types import Page

    file = open_pages(picture)
    try:
        image = file.load(1)
        return _open_reader().read_page(image)
    except ResourceMissingError as error:
        raise MissingDependencyError(str(error)) from error
    except RecognitionError as error:
        log.warning("%s", error)
        return Page(file.source, 1, image.size, image.dpi)
    finally:
        file.close()


def _write(page: Page, name: str, path: Path) -> None:
    from odia_ocr.export.formats import find_format
    from odia_ocr.export.origin import Origin

    form: Format = find_format(name)
    with path.open("wb") as stream:
        form.open(Origin(page.source))(iter([(page, None)]), stream)


def _write_text_page(page: Page, stream: BinaryIO) -> None:
    """A PDF of one page of the picture's size that holds the inkless text and nothing else."""
    from odia_ocr.export.pdf_file import HEADER, PdfFile, number_text
    from odia_ocr.export.pdf_font import GlyphlessFont
    from odia_ocr.export.pdf_text import place_page, write_text_layer

    width, height = (72 * side / (page.dpi or _DPI) for side in page.size)
    font = GlyphlessFont()
    file = PdfFile(stream)
    file.write(HEADER)
    catalog, tree, font_number = file.reserve(), file.reserve(), file.reserve()
    placed = place_page(page.size, (0.0, 0.0, width, height))
    content = file.put_packed(write_text_layer([(page, placed)], font, _FONT))
    sheet = file.put(
        b"<< /Type /Page /Parent %d 0 R /MediaBox [0 0 %s %s] /Contents %d 0 R "
        b"/Resources << /Font << /%s %d 0 R >> >> >>"
        % (tree, number_text(width), number_text(height), content, _FONT, font_number)
    )
    font.write(file, font_number)
    file.put(b"<< /Type /Pages /Count 1 /Kids [%d 0 R] >>" % sheet, number=tree)
    file.put(b"<< /Type /Catalog /Pages %d 0 R >>" % tree, number=catalog)
    file.end(b"/Root %d 0 R" % catalog)
