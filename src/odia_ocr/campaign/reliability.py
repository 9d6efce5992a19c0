"""How far a stack's confidence can be believed, on the lines it was measured on."""

from __future__ import annotations

from odia_ocr.campaign.measure import Measured
from odia_ocr.campaign.plots import Mark
from odia_ocr.evaluate.reliability import BINS, Reliability, measure_reliability

_COVERAGE = 0.8  # coverage that reports speak of


def judge_confidence(measured: Measured) -> Reliability | None:
    """What stated confidence is worth; None where little or none is stated."""
    rows = [
        (stated, int(not counts.exact) and max(1, counts.chars.edits), counts.chars.length)
        for stated, counts in zip(measured.readings.confidences, measured.counts, strict=True)
        if stated is not None
    ]
    if len(rows) < BINS:
        return None
    return measure_reliability(*zip(*rows, strict=True))


def make_marks(found: Reliability) -> list[Mark]:
    """The reliability diagram's points."""
    return [Mark(entry.stated, entry.right) for entry in found.bins]


def state_reliability(measured: Measured) -> str:
    """The figures in two sentences."""
    found = judge_confidence(measured)
    if found is None:
        return "This stack states no confidence, or there are too few lines to judge it."
    point = min(found.risk, key=lambda point: abs(point.coverage - _COVERAGE))
    whole = max(1e-9, found.risk[0].cer)
    return (
        f"Expected calibration error of the stack {found.ece:.3f} over {BINS} bins of equal size "
        f"(a perfect confidence shows {found.ece_perfect[0]:.3f} on so many lines), AUROC "
        f"{found.auroc:.3f}. The surest {100 * point.coverage:.0f} % of lines have "
        f"{100 * point.cer / whole:.0f} % of the overall CER."
    )
