"""A vision-language model that was trained on whole pages or blocks reads them without our layout.

It says what stands there, not where: every line has the whole page for its outline.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from PIL import Image

from odia_ocr.errors import OdiaOcrError
from odia_ocr.recognize.vlm.naming import VlmName
from odia_ocr.recognize.vlm.opening import find_settings, find_source
from odia_ocr.recognize.vlm.reader import VlmRecognizer, load
from odia_ocr.recognize.vlm.symbols import make_symbols
from odia_ocr.types import Hypothesis, Line, Page, PageImage, Polygon, Problem, Reading, Region


@dataclass(frozen=True, slots=True, eq=False)
class VlmPages:
    """Reads whole pages; see `odia_ocr.types.PageReader`.

    Attributes:
        recognizer: The model.
    """

    recognizer: VlmRecognizer

    @property
    def name(self) -> str:
        """As the recognizer's."""
        return self.recognizer.name

    def read(self, image: PageImage) -> Page:
        """The page with a line for each one that was written; a failure becomes its Problem."""
        page = Page(
            source=image.source,
            number=image.number,
            size=image.size,
            dpi=image.dpi,
            steps=(f"read as a whole with {self.name}, without the places of lines",),
        )
        try:
            picture = Image.fromarray(image.pixels)
            sample = self.recognizer.vlm.encoder.encode(f"page {image.number}", picture, None)
            (found,) = self.recognizer.write_texts([sample])
        except OdiaOcrError as error:
            found = Problem(error.code, error.message, error.next_step)
        if isinstance(found, Problem):
            problem = replace(found, page=image.number, line_id=None)
            return replace(page, problems=(problem,))
        width, height = image.size
        outline: Polygon = ((0, 0), (width, 0), (width, height), (0, height))
        region = Region(f"p{image.number:04}-r001", outline)
        lines = []
        for number, written in enumerate(found[0].split_lines(), start=1):
            hyp = Hypothesis(make_symbols(written.tokens), written.logp, source=self.name)
            if hyp.text:
                reading = Reading(hyp.text, confidence=None, hypothesis=hyp)
                line_id = f"p{image.number:04}-l{number:03}"
                lines.append(Line(line_id, outline, region=region.id, reading=reading))
        return replace(page, regions=(region,) if lines else (), lines=tuple(lines))


def load_pages(model: str | None, *, threads: int | None = None) -> VlmPages | None:
    """Open a model that reads pages; None for one whose settings say that it reads lines.

    Raises:
        UsageError: If the name holds unknown settings.
        ModelMissingError: If something is missing, damaged or does not fit.
    """
    name = VlmName.parse(model or "")
    settings = name.change(find_settings(find_source(name.base), name.adapters))
    return None if settings.line_height else VlmPages(load(model, threads=threads))
