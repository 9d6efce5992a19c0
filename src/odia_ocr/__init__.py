"""Odia OCR: pictures of Odia text in, right Unicode text out.

    import odia_ocr
    print(odia_ocr.read("page.jpg").text)

Importing this package loads no model and no heavy library.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from odia_ocr.pipeline import read

__all__ = ["read"]


def __getattr__(name: str) -> object:
    if name == "read":
        from odia_ocr.pipeline import read

        return read
    if name == "__version__":
        from importlib.metadata import version

        return version("odia-ocr")
    raise AttributeError(f"module 'odia_ocr' has no attribute {name!r}")
