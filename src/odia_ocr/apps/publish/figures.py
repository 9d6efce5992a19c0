"""What was measured of a model: rows of a campaign's or an evaluation's JSON, for its card.

Reads `evaluation_results.json` of `odia-ocr campaign` and the file of `odia-ocr evaluate --json`;
computes nothing.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from odia_ocr.apps.publish.local_paths import shorten_name, shorten_paths, shorten_record
from odia_ocr.errors import DataError, FileMissingError, name_choices
from odia_ocr.evaluate.scores import METRICS, Score, Scores


@dataclass(frozen=True, slots=True)
class Figure:
    """One engine measured on one set.

    Attributes:
        name: How it was read, e.g. "ctc, beam, lm".
        set_name: Of the pictures.
        unit: What a picture shows, "line" or "page".
        scores: Of how many pictures, and the rates as fractions with 95 % intervals.
        signature: What the figures stand on.
        own: It is of what is published, not of a peer, nor of it together with other models.
    """

    name: str
    set_name: str
    unit: str
    scores: Scores
    signature: str
    own: bool


def read_figures(
    path: Path, *, engine: str | None = None, models: Collection[str] = (), how: str = ""
) -> list[Figure]:
    """The figures of a file of results.

    Of a campaign the plain reader and the whole stack are taken, on each set.

    Args:
        path: The file.
        engine: Name of the published model in it; None takes the first one's.
        models: Names of all models that are published, as the results have them behind a ":".
        how: How to make the file, as the next step where it is missing.

    Raises:
        FileMissingError: If it does not exist.
        DataError: If it holds no results.
        UsageError: If it does not know the engine; the message lists the known ones.
    """
    if not path.is_file():
        raise FileMissingError(f"There are no results: {path} does not exist.", next_step=how)
    try:
        record = json.loads(path.read_text("utf-8"))
        results = list(record["results"])
        engine = engine or str(results[0]["engine"])
        known = {str(result["engine"]) for result in results}
        own = {engine, *models}
        figures = [_read_figure(result, own) for result in _choose(record, engine)]
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        raise DataError(
            f"{path} holds no results of a campaign or an evaluation"
            f" ({type(error).__name__}: {error}).",
            next_step=how,
        ) from None
    if not any(figure.own for figure in figures):
        raise name_choices(engine, sorted(known), kind=f"engine of {path.name}")
    return figures


def _choose(record: Mapping[str, Any], engine: str) -> list[Mapping[str, Any]]:
    """Of a campaign the plain reader and what it built; of an evaluation all rows."""
    results: list[Mapping[str, Any]] = record["results"]
    if "campaign" not in record:
        return results
    stacks = [{"engines": [engine]}]
    if record.get("stack"):
        stacks.append(record["stack"]["stack"])
    return [result for result in results if result["stack"] in stacks]


def _read_figure(result: Mapping[str, Any], own: Collection[str]) -> Figure:
    members: list[str] = result.get("stack", {}).get("engines", [result["engine"]])
    return Figure(
        name=_tell_name(result),
        set_name=shorten_name(str(result["set"])),
        unit=str(result["unit"]),
        scores=Scores(int(result["n"]), **{name: _read_score(result[name]) for name in METRICS}),
        signature=shorten_paths(str(result["signature"])),
        own=all(member in own or member.partition(":")[2] in own for member in members),
    )


def _tell_name(result: Mapping[str, Any]) -> str:
    """The campaign's name, else the engine; of one with a path only what it calls itself."""
    engine = str(result["engine"])
    shown = result.get("model", engine) if "/" in engine else engine
    return shorten_name(str(result.get("name") or shown))


def _read_score(record: Mapping[str, Any]) -> Score:
    return Score(*(float(record[key]) for key in ("value", "low", "high")))


def strip_texts(path: Path) -> bytes:
    """The file of results without what may not be anybody's to show: texts, and paths.

    Takes what `read_figures` has read.
    """
    record = shorten_record(json.loads(path.read_text("utf-8")))
    for name in ("lines", "pages"):
        if name in record:
            record[name] = []
    for result in record["results"]:
        for confusion in (*result.get("confusions", ()), *result.get("char_confusions", ())):
            confusion.pop("example", None)
    return (json.dumps(record, ensure_ascii=False, indent=1) + "\n").encode()
