"""What to do with a technique, by what was measured of it."""

from __future__ import annotations

from typing import Literal

from odia_ocr.campaign.building import Built
from odia_ocr.campaign.outcome import Row

Verdict = Literal["adopt", "optional", "reject"]
_FASTER = 0.9  # share of the time before, from which on a technique counts as faster


def judge(row: Row, built: Built | None) -> Verdict | None:
    """The verdict on a technique; None where nothing was measured.

    adopt: part of the stack that was built; or, of those that are about speed, faster and no worse.
    optional: fewer errors alone (the interval excludes zero), but the stack has no use for it.
    reject: everything else.
    """
    if row.comparison is None:
        return None
    key = row.technique.key
    if built is not None and any(step.fitted.technique.key == key for step in built.steps):
        return "adopt"
    before, after = row.comparison.before.readings, row.comparison.after.readings
    faster = after.seconds_per_line <= _FASTER * before.seconds_per_line
    if faster and not row.comparison.worse and row.technique.phase == "+":
        return "adopt"
    return "optional" if row.comparison.better else "reject"
