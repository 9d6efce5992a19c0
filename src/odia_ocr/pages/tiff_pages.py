"""How many pages a TIFF has, also where one of them or the rest of the file is lost.

Its pages are a chain: each directory says where the next one is. Knows nothing of pixels.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from odia_ocr.runtime import turn_to_page
from odia_ocr.types import Problem

if TYPE_CHECKING:
    from PIL import Image

_MOST_LOST = 8  # pages in a row: beyond them nothing is looked for


@dataclass(frozen=True, slots=True)
class TiffPages:
    """The chain of pages.

    Attributes:
        count: Pages, lost ones included.
        lost: Numbers of those whose directory cannot be read, and why.
    """

    count: int
    lost: dict[int, str]

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What to say of the file as a whole."""
        if self.count not in self.lost:
            return ()
        return (
            Problem(
                "damaged-file",
                f"The TIFF breaks off at page {self.count}; others after it may be missing.",
                "Copy, download or scan it again.",
            ),
        )


def count_pages(image: Image.Image, errors: tuple[type[Exception], ...]) -> TiffPages:
    """Walk through the chain; the image stands at its first page afterwards.

    Args:
        image: An open TIFF; its first page can be read.
        errors: What a broken directory raises.
    """
    lost: dict[int, str] = {}
    count = number = 1
    while number - count < _MOST_LOST:
        number += 1
        try:
            turn_to_page(image, number)
        except EOFError:
            break
        except errors as error:
            lost[number] = str(error) or type(error).__name__
        else:
            count = number
    turn_to_page(image, 1)
    # Of several in a row at the end, the first is where the chain breaks.
    count += count + 1 in lost
    return TiffPages(count, {page: why for page, why in lost.items() if page <= count})
