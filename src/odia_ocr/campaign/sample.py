"""A few rendered lines with their texts, to try a technique on without any data."""

from __future__ import annotations

from dataclasses import dataclass

from odia_ocr.data.compose import Mix
from odia_ocr.data.lines import make_renderer
from odia_ocr.types import LineImage

_SEED = 515
_FIRST = "from odia_ocr.campaign.sample import draw_sample"


@dataclass(frozen=True, slots=True)
class Sample:
    """Rendered lines of held-out texts and faces.

    Attributes:
        lines: Their pictures.
        texts: What stands there.
    """

    lines: list[LineImage]
    texts: list[str]


def draw_sample(count: int = 8) -> Sample:
    """Draw some damaged lines, the same ones every time.

    Raises:
        FontMissingError: If this installation has no faces.
        ResourceMissingError: If the libraries that draw are not installed.
    """
    renderer = make_renderer(split="check", seed=_SEED, mix=Mix(min_words=2, max_words=5))
    drawn = [renderer.render(i) for i in range(count)]
    return Sample(
        [LineImage(f"sample-{i}", line.pixels) for i, line in enumerate(drawn)],
        [line.text for line in drawn],
    )


def example(*rows: str) -> str:
    """Python that runs as it stands: `lines` are pictures of a sample."""
    imports = [row for row in rows if row.startswith(("from ", "import "))]
    rest = [row for row in rows if row not in imports]
    return "\n".join([*sorted([_FIRST, *imports]), "", "lines = draw_sample(4).lines", *rest])
