"""Documents as JSON, by the published schema, and back.

The schema is `schema/document.schema.json` beside this file. `schema_version` changes only when
a reader of the old form would misread the new one; fields may be added without it. What was seen
before correction (the hypothesis, symbol by symbol) is left out unless asked for: it is ten times
the rest.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO

from odia_ocr.errors import DataError
from odia_ocr.types import (
    Document,
    Edit,
    Hypothesis,
    Line,
    Page,
    PageImage,
    Polygon,
    Problem,
    Reading,
    Region,
    Symbol,
    Word,
)

SCHEMA_VERSION = 1

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class JsonWriter:
    """Writes one document, a page at a time and a printed line a row.

    Attributes:
        source: File the pages come from.
        problems: Of the document; looked at after the last page.
        hypotheses: Also write what was seen before correction.
    """

    source: str
    problems: Sequence[Problem] = ()
    hypotheses: bool = False

    def __call__(self, pages: Iterable[tuple[Page, PageImage | None]], stream: BinaryIO) -> None:
        """Write `pages` to `stream` as UTF-8."""
        for part in self._parts(page for page, _ in pages):
            # A file name of bytes that are no Unicode must not stop the writing.
            stream.write(part.encode("utf-8", "replace"))

    def _parts(self, pages: Iterable[Page]) -> Iterator[str]:
        head = {
            "schema_version": SCHEMA_VERSION,
            "generator": name_generator(),
            "source": self.source,
        }
        yield _dump(head)[:-1] + ', "pages": ['
        for position, page in enumerate(pages):
            record = page_to_json(page, hypotheses=self.hypotheses)
            rows = ",\n".join(_dump(row) for row in record.pop("lines"))
            yield ",\n" if position else "\n"
            yield _dump(record)[:-1] + ', "lines": [\n' + rows + "\n]}"
        yield '\n], "problems": ' + _dump([problem_to_json(p) for p in self.problems]) + "}\n"


def document_to_json(document: Document, *, hypotheses: bool = False) -> Json:
    """A document as JSON values."""
    return {
        "schema_version": SCHEMA_VERSION,
        "generator": name_generator(),
        "source": document.source,
        "pages": [page_to_json(page, hypotheses=hypotheses) for page in document.pages],
        "problems": [problem_to_json(problem) for problem in document.problems],
    }


def document_from_json(record: Mapping[str, Any]) -> Document:
    """The document that `document_to_json` or `JsonWriter` wrote.

    Raises:
        DataError: If it is of another schema version or lacks fields.
    """
    version = record.get("schema_version")
    if version != SCHEMA_VERSION:
        raise DataError(
            f"This is a document of schema version {version!r}, not {SCHEMA_VERSION}.",
            next_step="Read the pages again with this version.",
        )
    try:
        return Document(
            record["source"],
            tuple(page_from_json(page) for page in record["pages"]),
            tuple(Problem(**problem) for problem in record["problems"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise DataError(
            f"The document does not follow the schema: {error!r}.",
            next_step="Check it against document.schema.json.",
        ) from error


def page_to_json(page: Page, *, hypotheses: bool = False) -> Json:
    """A page as JSON values."""
    return {
        "number": page.number,
        "source": page.source,
        "size": {"width": page.size[0], "height": page.size[1]},
        "dpi": None if page.dpi is None else round(page.dpi, 2),
        "steps": list(page.steps),
        "problems": [problem_to_json(problem) for problem in page.problems],
        "regions": [
            {"id": region.id, "kind": region.kind, "polygon": _points_to_json(region.polygon)}
            for region in page.regions
        ],
        "lines": [_line_to_json(line, hypotheses=hypotheses) for line in page.lines],
    }


def _line_to_json(line: Line, *, hypotheses: bool) -> Json:
    return {
        "id": line.id,
        "region": line.region,
        "polygon": _points_to_json(line.polygon),
        "baseline": None if line.baseline is None else _points_to_json(line.baseline),
        "reading": None
        if line.reading is None
        else _reading_to_json(line.reading, hypotheses=hypotheses),
        "words": [
            {
                "text": word.text,
                "polygon": _points_to_json(word.polygon),
                "confidence": _round(word.confidence),
            }
            for word in line.words
        ],
    }


def _reading_to_json(reading: Reading, *, hypotheses: bool) -> Json:
    record: Json = {
        "text": reading.text,
        "confidence": _round(reading.confidence),
        "cluster_confidence": [_round(value) for value in reading.cluster_confidence],
        "edits": [
            {
                "start": edit.start,
                "end": edit.end,
                "before": edit.before,
                "after": edit.after,
                "reason": edit.reason,
            }
            for edit in reading.edits
        ],
    }
    if hypotheses and reading.hypothesis is not None:
        record["hypothesis"] = _hypothesis_to_json(reading.hypothesis)
    return record


def _hypothesis_to_json(hyp: Hypothesis) -> Json:
    return {
        "optical_logp": hyp.optical_logp,
        "lm_logp": hyp.lm_logp,
        "posterior": hyp.posterior,
        "source": hyp.source,
        "scored": hyp.scored,
        "symbols": [
            {
                "text": symbol.text,
                "logp": symbol.logp,
                "span": None if symbol.span is None else list(symbol.span),
                "alternatives": [list(rival) for rival in symbol.alternatives],
            }
            for symbol in hyp.symbols
        ],
    }


def problem_to_json(problem: Problem) -> Json:
    """A problem as JSON values; `Problem(**values)` is the way back."""
    return {
        "code": problem.code,
        "message": problem.message,
        "next_step": problem.next_step,
        "page": problem.page,
        "line_id": problem.line_id,
    }


def page_from_json(record: Json) -> Page:
    """The page that `page_to_json` wrote."""
    return Page(
        source=record["source"],
        number=record["number"],
        size=(record["size"]["width"], record["size"]["height"]),
        dpi=record["dpi"],
        regions=tuple(
            Region(region["id"], _points_from_json(region["polygon"]), region["kind"])
            for region in record["regions"]
        ),
        lines=tuple(_line_from_json(line) for line in record["lines"]),
        problems=tuple(Problem(**problem) for problem in record["problems"]),
        steps=tuple(record["steps"]),
    )


def _line_from_json(record: Json) -> Line:
    baseline, reading = record["baseline"], record["reading"]
    return Line(
        id=record["id"],
        polygon=_points_from_json(record["polygon"]),
        baseline=None if baseline is None else _points_from_json(baseline),
        region=record["region"],
        reading=None if reading is None else _reading_from_json(reading),
        words=tuple(
            Word(word["text"], _points_from_json(word["polygon"]), word["confidence"])
            for word in record["words"]
        ),
    )


def _reading_from_json(record: Json) -> Reading:
    hyp = record.get("hypothesis")
    return Reading(
        text=record["text"],
        confidence=record["confidence"],
        cluster_confidence=tuple(record["cluster_confidence"]),
        edits=tuple(Edit(**edit) for edit in record["edits"]),
        hypothesis=None if hyp is None else _hypothesis_from_json(hyp),
    )


def _hypothesis_from_json(record: Json) -> Hypothesis:
    return Hypothesis(
        symbols=tuple(
            Symbol(
                text=symbol["text"],
                logp=symbol["logp"],
                span=None if symbol["span"] is None else (symbol["span"][0], symbol["span"][1]),
                alternatives=tuple((text, logp) for text, logp in symbol["alternatives"]),
            )
            for symbol in record["symbols"]
        ),
        optical_logp=record["optical_logp"],
        lm_logp=record["lm_logp"],
        posterior=record["posterior"],
        source=record["source"],
        scored=record.get("scored", True),
    )


def _points_to_json(polygon: Polygon) -> list[list[float]]:
    return [[x, y] for x, y in polygon]


def _points_from_json(points: list[list[float]]) -> Polygon:
    return tuple((point[0], point[1]) for point in points)


def _round(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


def _dump(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def name_generator() -> str:
    """This program and its version, e.g. "odia-ocr 0.1.0"."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return f"odia-ocr {version('odia-ocr')}"
    except PackageNotFoundError:
        return "odia-ocr"
