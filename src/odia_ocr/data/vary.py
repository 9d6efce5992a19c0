"""Labelled pictures seen in other ways, so that a few of them teach more than their own pixels.

What varies between pages of one printer and one scanner: ink, wear, a small turn or bend, the
width of the setting, resolution and noise. The letters' design does not change: it is what is to
be learned.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import cv2
import numpy as np

from odia_ocr.data.degrade import INK_STEPS, photograph
from odia_ocr.data.lines import take_steps
from odia_ocr.data.recipe import NO_DEGRADATION, Recipe

if TYPE_CHECKING:
    from odia_ocr.types import GreyPixels

_STRETCH = 0.12  # logarithm of the largest factor on the width
VARIED = replace(
    Recipe("vary-1", angle=0.8, scale=(20.0, 40.0)),
    **{
        **NO_DEGRADATION,
        "rotate": 0.4,
        "bend": 0.1,
        "wobble": 0.4,
        "ink": 0.3,
        "broken": 0.15,
        "blotted": 0.15,
        "low_resolution": 0.25,
        "blur": 0.3,
        "noise": 0.4,
        "jpeg": 0.2,
        "light": 0.2,
        "strength": 0.6,
    },
)


def vary_recipe(amount: float) -> Recipe:
    """The steps of `VARIED`, each `amount` times as often; 0 for none."""
    names = [entry for entry in NO_DEGRADATION if getattr(VARIED, entry)]
    return replace(VARIED, **{name: min(1.0, amount * getattr(VARIED, name)) for name in names})


def vary_line(pixels: GreyPixels, rng: np.random.Generator, recipe: Recipe) -> GreyPixels:
    """Another picture of a line.

    Args:
        pixels: Dark writing on a light ground, contrast stretched, uint8 (h, w).
        rng: What is done is a function of it.
        recipe: Of `vary_recipe`.

    Returns:
        Grey, uint8 (h', w').
    """
    ink = 1.0 - pixels.astype(np.float32) / 255.0
    factor = float(np.exp(rng.uniform(-_STRETCH, _STRETCH)))
    ink = cv2.resize(ink, None, fx=factor, fy=1.0, interpolation=cv2.INTER_LINEAR)
    ink = take_steps(ink, INK_STEPS, rng, recipe, [])
    return photograph(255.0 * (1.0 - ink), rng, recipe, [])
