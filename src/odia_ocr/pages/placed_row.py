"""What ordering needs to know of a row: the band of its letters on the straightened page."""

from __future__ import annotations

from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True, eq=False)
class PlacedRow:
    """A `Row`: the band of its letters."""

    left: float
    right: float
    top: float
    bottom: float

    @property
    def height(self) -> float:
        """Height of the letters."""
        return self.bottom - self.top

    @property
    def middle(self) -> float:
        """Vertical middle of the letters."""
        return (self.top + self.bottom) / 2

    @property
    def letters(self) -> int:
        """About how many letters it holds."""
        return max(1, round((self.right - self.left) / max(1.0, 0.9 * self.height)))


AnyRow = TypeVar("AnyRow", bound=Row)


def about_level(one: Row, other: Row) -> bool:
    """Do two rows stand beside one another? Rows of neighbouring columns need not be level."""
    apart = max(one.top, other.top) - min(one.bottom, other.bottom)
    return apart < 0.6 * min(one.height, other.height)
