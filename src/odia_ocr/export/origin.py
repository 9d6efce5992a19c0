"""What a writer is told about a document: its name, its original file, its problems, the wishes.

Knows no format. The original is needed by the searchable PDF, which leaves its pages untouched.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from odia_ocr.errors import OutputError
from odia_ocr.types import Problem


@dataclass(frozen=True, slots=True)
class Origin:
    """One document on its way out.

    Attributes:
        name: What it is called in results.
        content: The original file, as a path or as its bytes; None where it is not at hand.
        problems: Of the document, looked at after the last page, so the list may grow until then.
        paragraphs: Join the printed lines of a paragraph where the format is running text.
        dated: Say when the file was written where the format asks for it; else 1970, so that the
            same pages always give the same file.
    """

    name: str
    content: Path | bytes | None = None
    problems: Sequence[Problem] = ()
    paragraphs: bool = False
    dated: bool = True

    def open(self) -> AbstractContextManager[BinaryIO]:
        """The original file, for reading.

        Raises:
            OutputError: If it is not at hand, or no longer to be read.
        """
        if self.content is None:
            raise OutputError(
                f"{self.name}: the original file is not at hand.",
                next_step="Give a file or its bytes; a searchable PDF is made of it.",
            )
        if isinstance(self.content, bytes):
            return io.BytesIO(self.content)
        try:
            return self.content.open("rb")
        except OSError as error:
            raise OutputError(
                f"{self.name} cannot be opened again: {error.strerror or error}.",
                next_step="Leave the file in its place until the command is done.",
            ) from error
