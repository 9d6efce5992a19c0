"""Which pages of a file are wanted: "1-3,7,12-".

Knows page numbers only; whether a file has them is the file's business.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from odia_ocr.errors import UsageError

_SPAN = re.compile(r"(\d{1,18})?\s*(-)?\s*(\d{1,18})?")
_SHOWN = 60  # characters of what cannot be understood


@dataclass(frozen=True, slots=True)
class PageRange:
    """Spans of page numbers, counted from 1.

    Attributes:
        spans: (first, last), both included; last None runs to the end of the file.
    """

    spans: tuple[tuple[int, int | None], ...]

    def __post_init__(self) -> None:
        for first, last in self.spans:
            if first < 1 or (last is not None and last < first):
                raise UsageError(
                    f"Pages {first}-{'' if last is None else last} do not make sense.",
                    next_step="Pages count from 1, the smaller number first: 1-3,7,12-.",
                )

    def select(self, count: int) -> Sequence[int]:
        """The wanted numbers of a file with `count` pages, ascending."""
        chosen: list[int] = []
        at = 0  # up to here all is decided, so that many spans cost no more than their pages
        for first, last in sorted(self.spans, key=lambda span: span[0]):
            end = count if last is None else min(last, count)
            chosen.extend(range(max(first, at + 1), end + 1))
            at = max(at, end)
        return chosen


ALL_PAGES = PageRange(((1, None),))


def parse_pages(text: str) -> PageRange:
    """Read "1-3,7,12-" or "-4".

    Raises:
        UsageError: If `text` is not a list of numbers and ranges.
    """
    spans: list[tuple[int, int | None]] = []
    for part in text.split(","):
        match = _SPAN.fullmatch(part.strip())
        if not match or not (match[1] or match[3]):
            raise UsageError(
                f"Cannot understand the pages {text[:_SHOWN]!r}.",
                next_step="Write them like 1-3,7,12-.",
            )
        first = int(match[1] or 1)
        if match[3]:
            last: int | None = int(match[3])
        else:
            last = None if match[2] else first
        spans.append((first, last))
    return PageRange(tuple(spans))
