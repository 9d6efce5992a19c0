"""Versions of a line picture for test-time augmentation and multi-scale reading.

What keeps the picture's shape can be averaged frame by frame; paddings and scales change where
letters stand in the frames and are for voting.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from PIL import Image, ImageFilter

from odia_ocr.errors import UsageError, name_choices
from odia_ocr.recognize.ctc import CtcRecognizer
from odia_ocr.types import Candidates, Emission, LineImage, Pixels, Problem, Recognizer, Symbol


def _filtered(kind: ImageFilter.Filter) -> Callable[[Pixels], Pixels]:
    return lambda pixels: np.asarray(Image.fromarray(pixels).filter(kind))


def _partly(kind: ImageFilter.Filter, share: float) -> Callable[[Pixels], Pixels]:
    """A filtered picture laid over the picture with a share of its strength."""

    def blend(pixels: Pixels) -> Pixels:
        picture = Image.fromarray(pixels)
        return np.asarray(Image.blend(picture, picture.filter(kind), share))

    return blend


def _padded(share: float) -> Callable[[Pixels], Pixels]:
    """Ground of the edge's colour above and below, as a share of the height."""

    def pad(pixels: Pixels) -> Pixels:
        rows = max(1, round(share * pixels.shape[0]))
        edges = np.concatenate([pixels[0], pixels[-1]])
        ground = np.median(edges, axis=0).astype(np.uint8)
        band = np.broadcast_to(ground, (rows, *pixels.shape[1:])).astype(np.uint8)
        return np.concatenate([band, pixels, band])

    return pad


def _scaled(factor: float) -> Callable[[Pixels], Pixels]:
    """Wider or narrower letters at the same height."""

    def scale(pixels: Pixels) -> Pixels:
        height, width = pixels.shape[:2]
        size = (max(1, round(factor * width)), height)
        return np.asarray(Image.fromarray(pixels).resize(size, Image.Resampling.BICUBIC))

    return scale


def _shifted(share: float) -> Callable[[Pixels], Pixels]:
    """Down by a share of the height, up where negative; the edge row fills the gap."""

    def shift(pixels: Pixels) -> Pixels:
        height = pixels.shape[0]
        rows = np.arange(height) - round(share * height)
        return np.asarray(pixels[np.clip(rows, 0, height - 1)])

    return shift


def _bent(power: float) -> Callable[[Pixels], Pixels]:
    """Grey values by a power: below 1 the middle ones become lighter."""
    table = np.round(255 * (np.arange(256) / 255) ** power).astype(np.uint8)
    return lambda pixels: np.asarray(table[pixels])


# Keep the picture's shape.
SAME_SHAPE: dict[str, Callable[[Pixels], Pixels]] = {
    "as-is": lambda pixels: pixels,
    "blur": _filtered(ImageFilter.GaussianBlur(0.8)),
    "sharpen": _filtered(ImageFilter.UnsharpMask(1.2, 90, 2)),
    # In full strength both leave hardly a letter readable: strokes are two or three pixels wide.
    "thin": _partly(ImageFilter.MaxFilter(3), 0.3),
    "thick": _partly(ImageFilter.MinFilter(3), 0.3),
    "up": _shifted(-0.04),
    "down": _shifted(0.04),
    "lighter": _bent(0.7),
    "darker": _bent(1.4),
}
# Change it.
OTHER_SHAPE: dict[str, Callable[[Pixels], Pixels]] = {
    "pad": _padded(0.12),
    "wide": _scaled(1.12),
    "narrow": _scaled(0.9),
}
VERSIONS = {**SAME_SHAPE, **OTHER_SHAPE}


def change_line(version: str, line: LineImage) -> LineImage:
    """A version of a line picture.

    Raises:
        UsageError: Unknown name; the message lists the known ones.
    """
    if version not in VERSIONS:
        raise name_choices(version, list(VERSIONS), kind="version of a line")
    return LineImage(line.id, np.ascontiguousarray(VERSIONS[version](line.pixels)))


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """A CTC model that looks at one version of every line.

    Attributes:
        model: The model.
        version: Name from `VERSIONS`.
    """

    model: CtcRecognizer
    version: str = "as-is"

    def emit(self, lines: Sequence[LineImage]) -> list[Emission]:
        """Emissions of all lines; frames are measured in pixels of the lines as they were given."""
        changed = [change_line(self.version, line) for line in lines]
        return [
            replace(emission, px_per_frame=emission.px_per_frame * _ratio(line, other))
            for emission, line, other in zip(self.model.emit(changed), lines, changed, strict=True)
        ]


def check_views(name: str, views: Sequence[View]) -> None:
    """Refuse what cannot be brought together.

    Raises:
        ValueError: Without views.
        UsageError: If the models' alphabets differ.
    """
    if not views:
        raise ValueError(f"{name} has no members")
    if any(view.model.alphabet != views[0].model.alphabet for view in views):
        raise UsageError(
            f"{name}: the members' alphabets differ.",
            next_step="Bring together models of one version of this program.",
        )


@dataclass(frozen=True, slots=True, eq=False)
class VersionRecognizer:
    """Any recognizer that reads one version of every line.

    Attributes:
        recognizer: Reads the changed pictures.
        version: Name from `VERSIONS`.
    """

    recognizer: Recognizer
    version: str

    @property
    def name(self) -> str:
        """E.g. "ctc-v2/blur"."""
        return f"{self.recognizer.name}/{self.version}"

    def read(self, lines: Sequence[LineImage]) -> list[Candidates | Problem]:
        """Read all lines; see `odia_ocr.types.Recognizer`."""
        changed = [change_line(self.version, line) for line in lines]
        return [
            scale_spans(result, _ratio(line, other))
            for result, line, other in zip(
                self.recognizer.read(changed), lines, changed, strict=True
            )
        ]


def _ratio(line: LineImage, other: LineImage) -> float:
    """How much wider a picture is than its other version."""
    return float(line.pixels.shape[1] / other.pixels.shape[1])


def scale_spans(result: Candidates | Problem, factor: float) -> Candidates | Problem:
    """Spans in pixels of a wider or narrower picture; a Problem passes through."""
    if isinstance(result, Problem) or factor == 1.0:
        return result
    return Candidates(
        result.line_id,
        tuple(
            replace(hyp, symbols=tuple(_scale_symbol(symbol, factor) for symbol in hyp.symbols))
            for hyp in result.hypotheses
        ),
    )


def _scale_symbol(symbol: Symbol, factor: float) -> Symbol:
    if symbol.span is None:
        return symbol
    return replace(symbol, span=(symbol.span[0] * factor, symbol.span[1] * factor))
