"""How often and how far lines are changed on their way to a picture; knows no step of it."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any


@dataclass(frozen=True, slots=True)
class Recipe:
    """Chances (0..1) and ranges of every degradation.

    Attributes:
        name: Names the recipe in metadata and reports; a changed recipe gets a new name.
        slant, stretch, bold, tracking, jitter: Chances of drawing styles.
        sizes: Range of the drawn em in pixels.
        margin: Range of the space above and below, as a share of the ink's height.
        side: Range of the space left and right, as a share of the ink's height.
        wide_side: Chance of each side to have far more space, up to six times the ink's height.
        neighbours: Chance that lines above and below peep in.
        beside: Chance that something stands left or right: a rule, a letter's rest, a picture edge.
        frame: Chance of underlines, boxes and rules.
        rotate: Chance of a turn; `angle` is its largest size in degrees.
        bend, wobble: Chances of a curved baseline and of small elastic warps.
        ink: Chance of spread or thinned ink.
        broken, blotted: Chances of broken strokes and of uneven, filled ink.
        inverted: Chance of light writing on a dark ground.
        low_contrast: Chance of grey writing.
        ground, texture, photo, bleed, halftone, specks: Chances of grounds and dirt.
        outline, shadow: Chances of drawn effects.
        low_resolution: Chance; `scale` is the range of heights in pixels it is reduced to.
        blur, motion, noise, jpeg, sharpen, binarise, light: Chances of camera and scanner effects.
        colour: Chance of coloured writing on a coloured ground that may change along the line.
        strength: Scales how far blur, noise, warps and compression go; 1 is the full range.
        pen, proportion: Chances of another design of the face: strokes thick one way and thin the
            other, and heads, bodies and subscripts of other heights.
    """

    name: str
    slant: float = 0.30
    stretch: float = 0.35
    bold: float = 0.35
    tracking: float = 0.30
    jitter: float = 0.12
    sizes: tuple[float, float] = (22.0, 54.0)
    margin: tuple[float, float] = (-0.03, 0.38)
    side: tuple[float, float] = (0.0, 0.9)
    wide_side: float = 0.14
    neighbours: float = 0.38
    beside: float = 0.08
    frame: float = 0.07
    rotate: float = 0.45
    angle: float = 1.8
    bend: float = 0.15
    wobble: float = 0.18
    ink: float = 0.35
    broken: float = 0.22
    blotted: float = 0.15
    inverted: float = 0.22
    low_contrast: float = 0.12
    ground: float = 0.35
    texture: float = 0.25
    photo: float = 0.12
    bleed: float = 0.08
    halftone: float = 0.05
    specks: float = 0.12
    outline: float = 0.07
    shadow: float = 0.06
    low_resolution: float = 0.38
    scale: tuple[float, float] = (15.0, 36.0)
    blur: float = 0.35
    motion: float = 0.05
    noise: float = 0.40
    jpeg: float = 0.35
    sharpen: float = 0.08
    binarise: float = 0.08
    light: float = 0.20
    colour: float = 0.12
    strength: float = 1.0
    pen: float = 0.0
    proportion: float = 0.0


# Every chance at zero: `replace(Recipe(...), **NO_DEGRADATION)`.
NO_DEGRADATION: dict[str, Any] = {
    entry.name: 0.0
    for entry in fields(Recipe)
    if entry.type == "float" and entry.name != "strength"
}
CLEAN = replace(
    Recipe("clean-1", sizes=(32.0, 48.0), margin=(0.08, 0.20), side=(0.2, 0.5)), **NO_DEGRADATION
)
TRAINING = Recipe("training-3", pen=0.25, proportion=0.25)
