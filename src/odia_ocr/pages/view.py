"""A page as it is looked at: turned, straightened or cut out; and the way back to what was given.

Lines are found and read on the view; `View.restore` carries every outline back, so results always
lie on the page as given. A line's outline still starts at the line's own top left, whatever way
the page lies. Knows nothing of why a view was made.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from odia_ocr.types import PageImage

if TYPE_CHECKING:
    import numpy.typing as npt

    from odia_ocr.types import Line, Page, Pixels, Polygon

    Points = npt.NDArray[np.float64]  # (n, 2), x then y

_PIECES = 16  # into which the long sides of an outline are cut before they are bent
_STRAIGHT = 0.06  # of the line's height: outlines bent less stay quadrilaterals


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """What the segmenter and the recognizer see of a page.

    Attributes:
        image: The pixels; source, number and dpi are the page's own.
        back: View pixels to pixels of the page as given, (n, 2) to (n, 2); None when they agree.
        bent: True when `back` makes curves of straight lines.
        steps: What was done to the page as given, for `Page.steps`.
    """

    image: PageImage
    back: Callable[[Points], Points] | None = None
    bent: bool = False
    steps: tuple[str, ...] = ()

    def then(
        self,
        pixels: Pixels,
        back: Callable[[Points], Points],
        *,
        step: str,
        bent: bool = False,
    ) -> View:
        """The view of this view: `pixels`, and `back` from them to the pixels of this one."""
        before = self.back

        def all_the_way(points: Points) -> Points:
            points = back(points)
            return points if before is None else before(points)

        image = replace(self.image, pixels=np.ascontiguousarray(pixels))
        return View(image, all_the_way, self.bent or bent, (*self.steps, step))

    def restore(self, page: Page, given: PageImage) -> Page:
        """Carry a page that was found on this view back to the page as given."""
        steps = (*self.steps, *page.steps)
        if self.back is None:
            return replace(page, steps=steps)
        size = given.size
        return replace(
            page,
            size=size,
            regions=tuple(
                replace(region, polygon=self._carry(region.polygon, size))
                for region in page.regions
            ),
            lines=tuple(self._restore_line(line, size) for line in page.lines),
            steps=steps,
        )

    def _restore_line(self, line: Line, size: tuple[int, int]) -> Line:
        baseline = line.baseline
        if baseline is not None:
            baseline = tuple(self._carry(baseline, size))
        words = tuple(replace(word, polygon=self._carry(word.polygon, size)) for word in line.words)
        outline = self._bend(line.polygon, size) if self.bent else self._carry(line.polygon, size)
        return replace(line, polygon=outline, baseline=baseline, words=words)

    def _carry(self, points: Sequence[tuple[float, float]], size: tuple[int, int]) -> Polygon:
        assert self.back is not None
        carried = self.back(np.asarray(points, np.float64).reshape(-1, 2))
        carried = np.clip(carried, 0.0, np.asarray(size, np.float64))
        return tuple((round(float(x), 1), round(float(y), 1)) for x, y in carried)

    def _bend(self, polygon: Polygon, size: tuple[int, int]) -> Polygon:
        """Four corners, or an outline that follows the curve of the line where it has one."""
        if len(polygon) != 4:
            return self._carry(polygon, size)
        top_left, top_right, bottom_right, bottom_left = np.asarray(polygon, np.float64)
        share = np.linspace(0.0, 1.0, _PIECES + 1)[:, None]
        top = top_left + share * (top_right - top_left)
        bottom = bottom_right + share * (bottom_left - bottom_right)
        outline = self._carry([(float(x), float(y)) for x, y in [*top, *bottom]], size)
        corners = (outline[0], outline[_PIECES], outline[_PIECES + 1], outline[-1])
        upper = np.asarray(outline[: _PIECES + 1])
        chord = upper[0] + share * (upper[-1] - upper[0])
        sag = float(np.abs(upper - chord).max())
        height = float(np.linalg.norm(np.asarray(corners[3]) - np.asarray(corners[0])))
        return corners if sag < max(1.0, _STRAIGHT * height) else outline


def view_page(image: PageImage) -> View:
    """The page as given."""
    return View(image)


def cut_view(view: View, left: int, right: int, *, step: str) -> View:
    """The columns `left` .. `right` of a view."""
    offset = np.array([float(left), 0.0])
    return view.then(view.image.pixels[:, left:right], lambda points: points + offset, step=step)
