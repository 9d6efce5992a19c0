"""A read page as the bytes that the manifest keeps, and back.

JSON, not pickle: opening a manifest that somebody else made must not run code of theirs.
"""

from __future__ import annotations

import json
import zlib

from odia_ocr.export.document_json import page_from_json, page_to_json
from odia_ocr.types import Page


def pack_page(page: Page) -> bytes:
    """A page without the hypotheses behind its readings, which are ten times the rest."""
    return zlib.compress(json.dumps(page_to_json(page), ensure_ascii=False).encode("utf-8"), 6)


def unpack_page(packed: bytes) -> Page:
    """The page that `pack_page` packed, with confidences to four digits."""
    return page_from_json(json.loads(zlib.decompress(packed)))
