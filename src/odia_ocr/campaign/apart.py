"""What other campaigns measured of techniques that a campaign cannot measure on its own lines.

A model adapted to one archive is measured on lines of that archive. Such rows are taken over whole,
with the results they stand on; nothing is computed anew.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from odia_ocr.errors import DataError, FileMissingError

RESULTS, STRATEGIES = "evaluation_results.json", "performance_improvement_strategies.json"


@dataclass(frozen=True, slots=True)
class Folder:
    """What a campaign wrote.

    Attributes:
        path: Where.
        record: Its evaluation_results.json.
        rows: Its performance_improvement_strategies.json.
    """

    path: Path
    record: Mapping[str, Any]
    rows: list[dict[str, Any]]


def read_folder(path: Path) -> Folder:
    """Read a campaign's folder.

    Raises:
        FileMissingError: If it holds no campaign.
        DataError: If a file is damaged.
    """
    values: list[Any] = []
    for name in (RESULTS, STRATEGIES):
        file = path / name
        if not file.is_file():
            raise FileMissingError(
                f"No {name} in {path}.", next_step="Name the folder given to campaign run -o."
            )
        try:
            values.append(json.loads(file.read_text(encoding="utf-8")))
        except ValueError as error:
            raise DataError(f"{file} is damaged: {error}.") from None
    return Folder(path, *values)


@dataclass(frozen=True, slots=True)
class Apart:
    """Measured rows of a campaign, with their results.

    Attributes:
        name: Of the campaign.
        rows: As `performance_improvement_strategies.json` has them, measured ones only.
        results: All results that the rows stand on.
        paired: All comparisons of two of these results.
    """

    name: str
    rows: tuple[Mapping[str, Any], ...]
    results: tuple[Mapping[str, Any], ...]
    paired: tuple[Mapping[str, Any], ...]

    def find(self, technique: str, name: str) -> Mapping[str, Any] | None:
        """The row of a technique, by id and name."""
        found = (row for row in self.rows if (row["id"], row["name"]) == (technique, name))
        return next(found, None)


def read_apart(path: Path) -> Apart:
    """What a campaign's folder says of techniques that it measured.

    Raises:
        FileMissingError: If it holds no campaign.
        DataError: If a file is damaged.
    """
    folder = read_folder(path)
    try:
        rows = tuple(row for row in folder.rows if row["measured"] is not None)
        signed = {row["measured"]["signature"] for row in rows}
        paired = tuple(pair for pair in folder.record["paired"] if pair["second"] in signed)
        signed |= {pair["first"] for pair in paired}
        results = tuple(one for one in folder.record["results"] if one["signature"] in signed)
        return Apart(folder.record["campaign"]["name"], rows, results, paired)
    except (KeyError, TypeError) as error:
        raise DataError(
            f"{path} is no campaign's record: {error!r}.", next_step="Run that campaign again."
        ) from None
