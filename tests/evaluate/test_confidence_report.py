"""The published figures of confidence keep what was aimed at; a constant would not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from odia_ocr.evaluate.reliability import measure_reliability

REPORT = Path(__file__).parents[2] / "docs" / "reports" / "confidence.json"


def meets_aims(figures: dict[str, Any]) -> bool:
    return (
        figures["n"] >= 20_000
        and figures["ece"] <= 0.02
        and figures["auroc"] >= 0.85
        and figures["cer_at_80"] <= 0.4 * figures["cer"]
    )


def test_the_report_meets_the_aims() -> None:
    report = json.loads(REPORT.read_text("utf-8"))
    assert meets_aims(report)
    assert report["ece_perfect"][0] < 0.02
    assert sum(entry["lines"] for entry in report["bins"]) == report["n"]
    assert [point["coverage"] for point in report["risk"]][:2] == [1.0, 0.95]


def test_a_constant_confidence_fails_them() -> None:
    edits = [int(i % 4 == 0) for i in range(20_000)]
    found = measure_reliability([0.75] * len(edits), edits, [30] * len(edits))
    cers = {"cer": found.risk[0].cer, "cer_at_80": found.accept(0.8).cer}
    assert found.ece <= 0.02  # calibrated, and worth nothing
    assert not meets_aims({"n": found.n, "ece": found.ece, "auroc": found.auroc, **cers})
