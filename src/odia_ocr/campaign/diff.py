"""Two campaigns side by side: what each technique and the stack were worth then and now."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from odia_ocr.campaign.apart import Folder
from odia_ocr.campaign.tables import Table
from odia_ocr.evaluate.scores import LEVEL, Bootstrap

_NOTHING = "–"


def compare_campaigns(before: Folder, after: Folder) -> Table:
    """A row for each technique that either measured, and one for the stack.

    The difference is paired by line where both campaigns measured the same lines.
    """
    old = {(row["id"], row["name"]): row for row in before.rows}
    new = {(row["id"], row["name"]): row for row in after.rows}
    rows = [
        _compare(f"{key[0]} {key[1]}", _find(before, old.get(key)), _find(after, new.get(key)))
        for key in dict.fromkeys([*old, *new])
        if any(rows.get(key, {}).get("measured") for rows in (old, new))
    ]
    rows.append(_compare("the stack", _find_stack(before), _find_stack(after)))
    return Table(
        f"{before.path} → {after.path}",
        "",
        ("Technique", "CER before", "CER after", "Difference, points", "Lines better / worse"),
        tuple(rows),
    )


def _find(folder: Folder, row: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    """The result that a row's figures are of."""
    if row is None or row["measured"] is None:
        return None
    return _find_signed(folder, row["measured"]["signature"])


def _find_stack(folder: Folder) -> Mapping[str, Any] | None:
    stack = folder.record.get("stack")
    return _find_signed(folder, stack["signature"]) if stack else None


def _find_signed(folder: Folder, signature: str) -> Mapping[str, Any] | None:
    apart = folder.record.get("apart", {}).get("results", [])
    known = (*folder.record["results"], *apart)
    return next((result for result in known if result["signature"] == signature), None)


def _compare(
    name: str, one: Mapping[str, Any] | None, other: Mapping[str, Any] | None
) -> tuple[str, ...]:
    shown = [f"{100 * r['cer']['value']:.2f} %" if r else _NOTHING for r in (one, other)]
    if one is None or other is None:
        return (name, *shown, _NOTHING, _NOTHING)
    gap = 100 * (other["cer"]["value"] - one["cer"]["value"])
    if _name_lines(one) != _name_lines(other):
        return (name, *shown, f"{gap:+.2f}, other lines", _NOTHING)
    first, second = _read_edits(one), _read_edits(other)
    low, high = _bound_gap(second - first, one)
    better, worse = int((second < first).sum()), int((second > first).sum())
    return (name, *shown, f"{gap:+.2f} ({low:+.2f} to {high:+.2f})", f"{better} / {worse}")


def _name_lines(result: Mapping[str, Any]) -> str:
    """The part of a signature that names the transcriptions."""
    return next(part for part in str(result["signature"]).split("|") if part.startswith("refs:"))


def _read_edits(result: Mapping[str, Any]) -> np.ndarray:
    return np.array(result["edits"].split(), np.float64)


def _bound_gap(gaps: np.ndarray, result: Mapping[str, Any]) -> tuple[float, float]:
    """Interval of the difference of CER in points, the lines' lengths taken as they are."""
    bootstrap = Bootstrap()
    length = max(1.0, _read_edits(result).sum() / max(1e-9, result["cer"]["value"]))
    drawn = np.concatenate([weights @ gaps for _, weights in bootstrap.draw(len(gaps))])
    tail = 100 * (1 - LEVEL) / 2
    low, high = np.percentile(100 * drawn / length, [tail, 100 - tail])
    return float(low), float(high)
