"""What ordering needs to know of a row: the band of its letters on the straightened page."""

from __future__ import annotations

from typing import Protocol, TypeVar


class Row(Protocol):
    """A piece of a printed line: its box is the band of its letters."""

    @property
    def left(self) -> float: ...  # noqa: D102

    @property
    def right(self) -> float: ...  # noqa: D102

    @property
    def top(self) -> float: ...  # noqa: D102

    @property
    def bottom(self) -> float: ...  # noqa: D102

    @property
    def height(self) -> float: ...  # noqa: D102

    @property
    def middle(self) -> float: ...  # noqa: D102

    @property
    def letters(self) -> int: ...  # noqa: D102


AnyRow = TypeVar("AnyRow", bound=Row)


def about_level(one: Row, other: Row) -> bool:
    """Do two rows stand beside one another? Rows of neighbouring columns need not be level."""
    apart = max(one.top, other.top) - min(one.bottom, other.bottom)
    return apart < 0.6 * min(one.height, other.height)
