"""The flat sheet that layouts print on: pixels, and the truth of every line as it is printed.

Whatever is printed as text enters the truth in the same call; a line that does not fit on the
sheet, or would lie on another, is neither printed nor noted. Knows nothing of cameras or scanners.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np
import numpy.typing as npt

from odia_ocr.data.page_outline import letter_body, outline_line, overlap, turn_mask
from odia_ocr.data.page_truth import TruthLine, TruthRegion, to_points

if TYPE_CHECKING:
    from odia_ocr.data.page_typeset import SetLine
    from odia_ocr.types import GreyPixels, Pixels

    Points = npt.NDArray[np.floating]

Colour = tuple[int, int, int]
Box = tuple[float, float, float, float]  # left, top, right, bottom
BLACK: Colour = (0, 0, 0)
WHITE: Colour = (255, 255, 255)


@dataclass(frozen=True, slots=True)
class Ink:
    """How the letters of a line are coloured.

    Attributes:
        colour: Of the letters, RGB 0..255.
        rim: Colour of an outline around them, or None.
        rim_width: Of the outline, in pixels.
        shadow: Colour of a shadow to the lower right, or None.
        shadow_shift: How far it falls, in pixels.
        second: Another colour for the middle word of a line of three or more, or None.
    """

    colour: Colour = BLACK
    rim: Colour | None = None
    rim_width: int = 0
    shadow: Colour | None = None
    shadow_shift: int = 0
    second: Colour | None = None


def luminance(colour: Colour) -> float:
    """Grey value of a colour, 0..255 (ITU-R BT.601)."""
    return 0.299 * colour[0] + 0.587 * colour[1] + 0.114 * colour[2]


class Sheet:
    """Pixels and truth of a page before it is scanned or photographed.

    Attributes:
        pixels: uint8, (h, w) or (h, w, 3).
        lines: Printed so far, in reading order.
        ink: Where text was printed, uint8 (h, w): for checks, never for training.
        marks: Boxes of what is printed and no text: rules, frames, pictures, ornaments.
    """

    def __init__(self, width: int, height: int, *, colour: bool, paper: Colour = WHITE) -> None:
        self.colour = colour
        shape = (height, width, 3) if colour else (height, width)
        self.pixels: Pixels = np.empty(shape, np.uint8)
        self.pixels[:] = paper if colour else round(luminance(paper))
        self.lines: list[TruthLine] = []
        self.ink: GreyPixels = np.zeros((height, width), np.uint8)
        self.marks: list[Box] = []
        self._regions: list[tuple[str, str, Box | None]] = []
        self._cores: list[Points] = []

    @property
    def width(self) -> int:
        """In pixels."""
        return int(self.pixels.shape[1])

    @property
    def height(self) -> int:
        """In pixels."""
        return int(self.pixels.shape[0])

    def open_region(self, kind: str) -> str:
        """A new region, after all others in reading order; returns its id."""
        region = f"r{len(self._regions):03d}"
        self._regions.append((region, kind, None))
        return region

    def regions(self) -> tuple[TruthRegion, ...]:
        """Pictures, and the regions that got a line; each encloses its lines."""
        out = []
        for region, kind, given in self._regions:
            box = given
            points = [p for line in self.lines if line.region == region for p in line.polygon]
            if points:
                xs, ys = zip(*points, strict=True)
                box = (min(xs), min(ys), max(xs), max(ys))
            if box:
                left, top, right, bottom = box
                corners = ((left, top), (right, top), (right, bottom), (left, bottom))
                out.append(TruthRegion(region, kind, corners))
        return tuple(out)

    # Text.

    def put(
        self,
        line: SetLine,
        x: float,
        baseline: float,
        region: str,
        ink: Ink | None = None,
        *,
        tilt: float = 0.0,
        arc: float = 0.0,
    ) -> bool:
        """Print a line with its measure's left end at `x`.

        Args:
            line: The set line.
            x: Left end of the measure.
            baseline: Of the line; of its left end when tilted.
            region: Id from `open_region`.
            ink: Colours; black without.
            tilt: Degrees the line climbs to the right.
            arc: Height of an upward bow of the line, in pixels; negative bows down.

        Returns:
            False when the line does not fit or would lie on another; then nothing is printed.
        """
        ink = ink or Ink()
        mask, foot = line.drawn.mask, line.drawn.baseline
        turned = bool(arc or tilt)
        # A turned mask is softened at its edges by a pixel.
        spread = (ink.rim_width if ink.rim else 0) + turned
        outline = outline_line(line, spread, 25 if arc else 2)
        corner = np.array([round(x + line.left), round(baseline) - foot], float)
        if turned:
            mask, outline, shift = turn_mask(mask, outline, foot, tilt=tilt, arc=arc)
            corner += shift
        polygon, points = outline.polygon + corner, outline.baseline + corner
        left, top = int(corner[0]), int(corner[1])
        edge = 1 + (ink.shadow_shift if ink.shadow else 0)
        low = np.minimum(polygon.min(axis=0), corner)
        high = np.maximum(polygon.max(axis=0), corner + mask.shape[::-1])
        if (low < edge).any() or (high > np.array([self.width, self.height]) - edge).any():
            return False
        core = letter_body(points, line.core)
        if any(overlap(core, other) for other in self._cores):
            return False
        self._cores.append(core)
        self._print(mask, left, top, ink)
        self.lines.append(
            TruthLine(
                id=f"l{len(self.lines):03d}",
                text=line.drawn.text,
                polygon=to_points(polygon),
                baseline=to_points(points),
                core_height=line.core,
                region=region,
            )
        )
        return True

    def _print(self, mask: GreyPixels, left: int, top: int, ink: Ink) -> None:
        height, width = mask.shape
        rows, columns = slice(top, top + height), slice(left, left + width)
        self.ink[rows, columns] = np.maximum(self.ink[rows, columns], mask)
        if ink.shadow:
            soft = cv2.GaussianBlur(mask, (0, 0), max(0.6, 0.4 * ink.shadow_shift))
            shift = ink.shadow_shift
            self.tint(soft, left + shift, top + shift, ink.shadow)
        if ink.rim and ink.rim_width:
            rim = ink.rim_width
            padded = cv2.copyMakeBorder(mask, rim, rim, rim, rim, cv2.BORDER_CONSTANT, value=0)
            kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * rim + 1, 2 * rim + 1))
            self.tint(cv2.dilate(padded, kernel), left - rim, top - rim, ink.rim)
        self.tint(mask, left, top, ink.colour)
        word = _middle_word(mask) if ink.second else None
        if word and ink.second:
            self.tint(mask[:, word[0] : word[1]], left + word[0], top, ink.second)

    def is_free(self, box: Box) -> bool:
        """No line reaches into a box."""
        left, top, right, bottom = box
        for line in self.lines:
            xs, ys = zip(*line.polygon, strict=True)
            if min(xs) < right and max(xs) > left and min(ys) < bottom and max(ys) > top:
                return False
        return True

    def put_block(
        self,
        lines: Sequence[SetLine],
        x: float,
        y: float,
        step: float,
        region: str,
        ink: Ink | None = None,
        *,
        bottom: float | None = None,
    ) -> float:
        """Print lines under each other from the top edge `y`; returns the lower edge.

        Lines whose slot would pass `bottom` are left out, and all after them.
        """
        limit = self.height if bottom is None else bottom
        for line in lines:
            if y + step > limit + 0.5:
                break
            # The letter body stands a little above the slot's middle: subscripts need less room
            # below than reph and vowel signs above.
            if not self.put(line, x, y + 0.5 * step + 0.55 * line.core, region, ink):
                break
            y += step
        return y

    # What is no text.

    def tint(self, mask: GreyPixels, left: int, top: int, colour: Colour) -> None:
        """Blend a colour in where `mask` (uint8) says so; parts outside the sheet are dropped."""
        height, width = mask.shape
        y0, x0 = max(0, top), max(0, left)
        y1, x1 = min(self.height, top + height), min(self.width, left + width)
        if y1 <= y0 or x1 <= x0:
            return
        share = mask[y0 - top : y1 - top, x0 - left : x1 - left].astype(np.uint16)
        under = self.pixels[y0:y1, x0:x1]
        if self.colour:
            share = share[..., None]
            over = np.array(colour, np.uint16)
        else:
            over = np.array(round(luminance(colour)), np.uint16)
        self.pixels[y0:y1, x0:x1] = (under * (255 - share) + over * share + 127) // 255

    def fill(self, box: Box, colour: Colour, *, radius: float = 0.0, strength: float = 1.0) -> None:
        """Fill a box, with round corners if asked, wholly or in part."""
        left, top, right, bottom = (round(v) for v in box)
        mask = np.zeros((max(1, bottom - top), max(1, right - left)), np.uint8)
        round_box(mask, radius, round(255 * strength))
        self.tint(mask, left, top, colour)
        self.marks.append(box)

    def frame(self, box: Box, colour: Colour, thick: int = 1, *, radius: float = 0.0) -> None:
        """Draw the border of a box."""
        left, top, right, bottom = (round(v) for v in box)
        mask = np.zeros((max(1, bottom - top), max(1, right - left)), np.uint8)
        round_box(mask, radius, 255)
        inner = mask[thick:-thick, thick:-thick]
        if inner.size:
            hole = np.zeros_like(inner)
            round_box(hole, max(0.0, radius - thick), 255)
            inner -= np.minimum(inner, hole)
        self.tint(mask, left, top, colour)
        for edge in (
            (left, top, right, top + thick),
            (left, bottom - thick, right, bottom),
            (left, top, left + thick, bottom),
            (right - thick, top, right, bottom),
        ):
            self.marks.append((float(edge[0]), float(edge[1]), float(edge[2]), float(edge[3])))

    def rule(
        self, x0: float, y0: float, x1: float, y1: float, colour: Colour = BLACK, *,
        thick: int = 1, dash: float = 0.0,
    ) -> None:  # fmt: skip
        """A level or upright rule, solid, or dots and dashes of length `dash`."""
        left, top = round(min(x0, x1)), round(min(y0, y1))
        level = abs(x1 - x0) >= abs(y1 - y0)
        length = max(1, round(max(abs(x1 - x0), abs(y1 - y0))))
        mask = np.full((thick, length), 255, np.uint8)
        if dash:
            at = np.arange(length) / max(1.0, dash)
            mask[:, (at.astype(int) % 2) == 1] = 0
        if not level:
            mask = mask.T
        self.tint(mask, left, top, colour)
        self.marks.append((left, top, left + mask.shape[1], top + mask.shape[0]))

    def paste(self, picture: Pixels, left: float, top: float, *, region: bool = True) -> None:
        """Put an RGB picture (h, w, 3) on the sheet, as a picture region unless told otherwise."""
        x, y = round(left), round(top)
        if not self.colour:
            picture = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
        height, width = picture.shape[:2]
        rows = slice(max(0, y), min(self.height, y + height))
        columns = slice(max(0, x), min(self.width, x + width))
        self.pixels[rows, columns] = picture[
            rows.start - y : rows.stop - y, columns.start - x : columns.stop - x
        ]
        box = (float(columns.start), float(rows.start), float(columns.stop), float(rows.stop))
        self.marks.append(box)
        if region:
            self._regions.append((f"r{len(self._regions):03d}", "picture", box))

    def draw(self, mask: GreyPixels, left: float, top: float, colour: Colour) -> None:
        """Print a mask that is no text: an ornament, a stamp, a scribble."""
        self.tint(mask, round(left), round(top), colour)
        height, width = mask.shape
        self.marks.append((left, top, left + width, top + height))


def round_box(mask: GreyPixels, radius: float, value: int) -> None:
    """Fill a mask but for its round corners, in place."""
    height, width = mask.shape
    r = int(min(radius, height / 2, width / 2))
    if r < 2:
        mask[:] = value
        return
    cv2.rectangle(mask, (r, 0), (width - 1 - r, height - 1), value, -1)
    cv2.rectangle(mask, (0, r), (width - 1, height - 1 - r), value, -1)
    for x in (r, width - 1 - r):
        for y in (r, height - 1 - r):
            cv2.circle(mask, (x, y), r, value, -1, cv2.LINE_AA)


def _middle_word(mask: GreyPixels) -> tuple[int, int] | None:
    """Columns of a word in the middle of a line, told by the gaps around it."""
    empty = np.concatenate([[False], mask.max(axis=0) == 0, [False]])
    steps = np.flatnonzero(np.diff(empty.astype(np.int8)))
    gaps = [
        (int(a), int(b))
        for a, b in zip(steps[::2], steps[1::2], strict=True)
        if b - a > 0.15 * mask.shape[0]
    ]
    if len(gaps) < 2:
        return None
    at = (len(gaps) - 1) // 2
    return gaps[at][1], gaps[at + 1][0]
