"""The text layer added to a PDF that is there: its bytes first, then what changed, appended.

Each page that was read gets one more content stream, before its own, and one more font; the
streams, pictures and resources that were there are neither decoded nor written again. A page whose
text was taken from the PDF's own text layer has it already and gets no second one. The text comes
first because an original may leave its coordinates turned; being invisible it hides nothing.
A file whose table of objects is broken is mended first, which writes it anew. So is one that is
encrypted though it opens without a password and forbids nothing: what is appended would have to be
encrypted with its key.
"""

from __future__ import annotations

import io
import logging
import re
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import groupby
from typing import TYPE_CHECKING, BinaryIO, cast

from odia_ocr.errors import OutputError
from odia_ocr.export.pdf_file import PdfFile
from odia_ocr.export.pdf_font import GlyphlessFont
from odia_ocr.export.pdf_text import place_page, write_text_layer
from odia_ocr.runtime import PDFIUM_LOCK
from odia_ocr.types import TEXT_LAYER_STEP, Page

if TYPE_CHECKING:
    from pypdf import PageObject, PdfReader
    from pypdf.generic import PdfObject

_LETTER = (0.0, 0.0, 612.0, 792.0)  # what is taken for a page that does not tell its size
# How `Page.steps` says that a page's text is the one that its PDF carries already.
_FONT = "/OdiaOcr"
_TAIL = 2048  # bytes in which the last "startxref" is looked for
# Bits of a PDF's permissions (ISO 32000, table 22), and what their owner may forbid.
_RIGHTS = {4: "printing", 8: "changes", 16: "copying", 32: "notes"}
_IN_MEMORY = 16_000_000  # bytes of a mended file that are kept off the disk


def add_text_layer(name: str, original: BinaryIO, pages: Iterable[Page], stream: BinaryIO) -> None:
    """Write the original and append the text of `pages` to it.

    Args:
        name: Of the document, for messages.
        original: The PDF, seekable.
        pages: In the order of their numbers; those that are not among them stay without text.
        stream: Where to.

    Raises:
        OutputError: If the original is too broken, or its owner forbids something: that would not
            hold for the file written.
    """
    logging.getLogger("pypdf").addHandler(logging.NullHandler())
    with tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY) as mended:
        source = original
        with _explained(name):
            reader = _open_sound(original)
            if reader is None:
                _mend(original, cast("BinaryIO", mended))
                source = cast("BinaryIO", mended)
                reader = _open_sound(source)
        if reader is None:
            raise _too_broken(name, "its table of objects cannot be mended")
        _append(name, source, reader, pages, stream)


def _append(
    name: str, source: BinaryIO, reader: PdfReader, pages: Iterable[Page], stream: BinaryIO
) -> None:
    with _explained(name):
        start, as_stream = _find_table(source)
        size = _next_number(reader)
        originals = _number_pages(reader)
    source.seek(0)
    shutil.copyfileobj(source, stream, 1 << 20)
    file = PdfFile(stream, offset=source.tell(), size=size)
    file.write(b"\n")
    font, font_number = GlyphlessFont(), file.reserve()
    done: set[int] = set()
    for number, parts in groupby(pages, key=lambda page: page.number):
        with _explained(name):
            page = originals.get(number)
            if page is None:
                raise ValueError(f"it has no page {number}")
            target = page.indirect_reference
            box, rotation = _visible_box(page), _rotation(page)
            font_name = _free_font_name(page)
        placed = [
            (part, place_page(part.size, box, rotation))
            for part in parts
            if not any(step.startswith(TEXT_LAYER_STEP) for step in part.steps)
        ]
        layer = write_text_layer(placed, font, font_name[1:].encode())
        if not layer or target is None or target.idnum in done:
            continue
        done.add(target.idnum)
        content = file.put_packed(layer)
        with _explained(name):
            body = _with_layer(page, content, font_name, font_number)
        file.put(body, number=target.idnum, generation=target.generation)
    font.write(file, font_number)
    with _explained(name):
        trailer = _trailer(reader, start)
    file.end(trailer, as_stream=as_stream)


def _open_sound(source: BinaryIO) -> PdfReader | None:
    """A reader of the file, or None when it must be mended before something is appended."""
    from pypdf import PdfReader
    from pypdf.errors import DependencyError, PyPdfError

    source.seek(0)
    if source.read(5) != b"%PDF-":
        return None  # programs differ in where they count from when something stands before it
    try:
        reader = PdfReader(source, strict=True)
        if reader.is_encrypted:
            return None
        _find_table(source)
        return reader if all(page.indirect_reference for page in reader.pages) else None
    except DependencyError:  # it would need a cipher
        return None
    except (PyPdfError, ValueError, TypeError, KeyError, IndexError, AttributeError):
        return None


def _mend(original: BinaryIO, mended: BinaryIO) -> None:
    """Write the file anew, with a table of objects that holds, and without encryption.

    Raises:
        OutputError: If its owner forbids something.
        ValueError: If pages between others are lost: those after them would move up.
    """
    from pypdf import PdfReader, PdfWriter
    from pypdf.errors import DependencyError

    original.seek(0)
    try:
        reader = PdfReader(original, strict=False)
        encrypted = reader.is_encrypted
    except DependencyError:
        encrypted = True
    if encrypted:
        _decrypt(original, mended)
        return
    pages = _number_pages(reader)
    if len(pages) != max(pages, default=0):
        raise ValueError("a page of it is lost, and so is its table of objects")
    PdfWriter(clone_from=reader).write(mended)


def _decrypt(original: BinaryIO, decrypted: BinaryIO) -> None:
    """Write the file anew without encryption; its streams stay packed as they are.

    Raises:
        OutputError: If its owner forbids something.
    """
    import pypdfium2
    import pypdfium2.raw

    original.seek(0)
    with PDFIUM_LOCK:
        document = pypdfium2.PdfDocument(original)
        try:
            allowed = pypdfium2.raw.FPDF_GetDocPermissions(document)
            forbidden = [name for bit, name in _RIGHTS.items() if not allowed & bit]
            if forbidden:
                raise OutputError(
                    f"the PDF's owner forbids {', '.join(forbidden)}, which a PDF with a text "
                    "layer could not keep up.",
                    next_step="Ask for a copy without restrictions, or take them off with the "
                    "owner's password (qpdf --decrypt); the other formats are written as ever.",
                )
            document.save(decrypted, flags=pypdfium2.raw.FPDF_REMOVE_SECURITY)
        finally:
            document.close()


def _find_table(source: BinaryIO) -> tuple[int, bool]:
    """Where the newest table of objects is, and whether it is a stream.

    Raises:
        ValueError: If there is none.
    """
    end = source.seek(0, io.SEEK_END)
    source.seek(max(0, end - _TAIL))
    found = re.findall(rb"startxref\s+(\d+)\s", source.read())
    if not found or int(found[-1]) >= end:
        raise ValueError("it does not say where its table of objects is")
    start = int(found[-1])
    source.seek(start)
    head = source.read(40).lstrip()
    if not head.startswith(b"xref") and not re.match(rb"\d+\s+\d+\s+obj", head):
        raise ValueError("its table of objects is not where it says")
    return start, not head.startswith(b"xref")


def _next_number(reader: PdfReader) -> int:
    known = [number for entries in reader.xref.values() for number in entries]
    size = cast("int", reader.trailer.get("/Size", 1))
    return int(max([size, *known, *reader.xref_objStm])) + 1


def _number_pages(reader: PdfReader) -> dict[int, PageObject]:
    """The pages by their numbers from 1; a page that is lost keeps its number, as in viewers."""
    sound = {
        page.indirect_reference.idnum: page for page in reader.pages if page.indirect_reference
    }
    found: dict[int, PageObject] = {}
    count = 0
    waiting = [reader.root_object.raw_get("/Pages")]
    seen: set[int] = set()
    while waiting:
        reference = waiting.pop()
        number = getattr(reference, "idnum", -1)
        node = reference.get_object()
        if isinstance(node, dict) and "/Kids" in node and number not in seen:
            seen.add(number)
            waiting.extend(reversed(cast("list[PdfObject]", node["/Kids"])))
            continue
        count += 1
        if number in sound:
            found[count] = sound[number]
    return found


def _visible_box(page: PageObject) -> tuple[float, float, float, float]:
    """What is seen of the page: its crop box, as far as it lies in its media box."""
    media = _box(page.get("/MediaBox")) or _LETTER
    crop = _box(page.get("/CropBox")) or media
    left, bottom = max(media[0], crop[0]), max(media[1], crop[1])
    right, top = min(media[2], crop[2]), min(media[3], crop[3])
    return (left, bottom, right, top) if right > left and top > bottom else media


def _box(value: object) -> tuple[float, float, float, float] | None:
    if value is None:
        return None
    numbers = [float(part.get_object()) for part in cast("list[PdfObject]", value)[:4]]  # type: ignore[arg-type]
    if len(numbers) < 4:
        return None
    left, right = sorted((numbers[0], numbers[2]))
    bottom, top = sorted((numbers[1], numbers[3]))
    return (left, bottom, right, top) if right > left and top > bottom else None


def _rotation(page: PageObject) -> int:
    return round(float(page.get("/Rotate", 0)) / 90) * 90 % 360


def _free_font_name(page: PageObject) -> str:
    resources = page.get("/Resources")
    fonts = (resources.get_object() if resources is not None else {}).get("/Font")
    taken = set(fonts.get_object()) if fonts is not None else set()
    name, number = _FONT, 1
    while name in taken:
        number += 1
        name = f"{_FONT}{number}"
    return name


def _with_layer(page: PageObject, content: int, font_name: str, font: int) -> bytes:
    """The page's dictionary with one more content stream and one more font, written out."""
    from pypdf.generic import ArrayObject, DictionaryObject, IndirectObject, NameObject

    changed = DictionaryObject(page)
    before = page.raw_get("/Contents") if "/Contents" in page else None
    contents = ArrayObject([IndirectObject(content, 0, page.pdf)])
    resolved = before.get_object() if before is not None else None
    if isinstance(resolved, ArrayObject):
        contents.extend(resolved)
    elif isinstance(before, IndirectObject) and resolved is not None:
        contents.append(before)
    changed[NameObject("/Contents")] = contents
    resources = DictionaryObject(_dictionary(page, "/Resources"))
    fonts = DictionaryObject(_dictionary(resources, "/Font"))
    fonts[NameObject(font_name)] = IndirectObject(font, 0, page.pdf)
    resources[NameObject("/Font")] = fonts
    changed[NameObject("/Resources")] = resources
    return _write_out(changed)


def _dictionary(holder: object, key: str) -> dict[PdfObject, PdfObject]:
    value = cast("dict[str, object]", holder).get(key)
    found = value.get_object() if hasattr(value, "get_object") else value
    return found if isinstance(found, dict) else {}


def _trailer(reader: PdfReader, start: int) -> bytes:
    entries = [
        key.encode() + b" " + _write_out(reader.trailer.raw_get(key))
        for key in ("/Root", "/Info", "/ID")
        if key in reader.trailer
    ]
    return b" ".join([*entries, b"/Prev %d" % start])


def _write_out(value: PdfObject) -> bytes:
    out = io.BytesIO()
    value.write_to_stream(out)
    return out.getvalue()


@contextmanager
def _explained(name: str) -> Iterator[None]:
    """Turn whatever reading a broken PDF raises into `OutputError`; a full disk passes."""
    try:
        yield
    except OutputError as error:
        raise OutputError(f"{name}: {error.message}", next_step=error.next_step) from None
    except OSError:
        raise
    except Exception as error:
        raise _too_broken(name, str(error) or type(error).__name__) from error


def _too_broken(name: str, why: str) -> OutputError:
    return OutputError(
        f"{name}: no text layer can be added to this PDF ({why}).",
        next_step="Print or export it to a new PDF first; the other formats do not need that.",
    )
