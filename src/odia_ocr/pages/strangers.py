"""What a file that does not open as a picture seems to be, told by its first bytes."""

from __future__ import annotations

from odia_ocr.errors import PictureError, PictureKindError


def refuse_content(name: str, head: bytes) -> PictureError:
    """The error for a file that does not open: a broken picture, or something else."""
    again = "Copy, download or scan it again."
    if not head:
        return PictureError(f"{name}: the file is empty (0 bytes).", next_step=again)
    if head.startswith((b"\x89PNG", b"\xff\xd8", b"RIFF", b"BM", b"II*\x00", b"MM\x00*", b"GIF8")):
        what = "the picture is corrupt: its header cannot be read."
        return PictureError(f"{name}: {what}", next_step=again)
    what, next_step = _describe(head)
    return PictureKindError(f"{name}: {what}", next_step=next_step)


def _describe(head: bytes) -> tuple[str, str]:
    """What a file that is no picture seems to be, and what to do."""
    give = "Give a PNG, JPEG, WebP, BMP, TIFF or PDF file."
    if head[4:12] in (b"ftypheic", b"ftypheix", b"ftypmif1", b"ftypavif", b"ftyphevc"):
        return "this is a HEIC or AVIF picture, which is not supported.", "Save it as JPEG or PNG."
    if head.startswith(b"PK\x03\x04"):
        return "this is a ZIP archive or an office document, not a picture.", "Unpack or print it."
    if head.startswith((b"%!PS", b"\xc5\xd0\xd3\xc6")):
        return "this is PostScript, not a picture.", "Convert it to PDF."
    if head.lstrip()[:1] == b"<":
        return "this is HTML, XML or SVG text, not a picture.", give
    try:
        # A multi-byte character may be cut at the end of the head.
        head[:1000].decode("utf-8", errors="strict") if len(head) < 1000 else head[:900].decode(
            "utf-8", errors="ignore"
        ).encode()
        textual = b"\x00" not in head and sum(byte < 9 for byte in head) == 0
    except UnicodeDecodeError:
        textual = False
    if textual:
        return "this is a text file, not a picture.", give
    return "this is not a picture of a known kind.", give
