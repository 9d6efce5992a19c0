"""Pictures of reliability: stated against true, and errors against coverage."""

from __future__ import annotations

from pathlib import Path

from odia_ocr.evaluate.reliability import Reliability


def draw_reliability(found: Reliability, path: Path, *, title: str) -> None:
    """Write both diagrams side by side as SVG."""
    import matplotlib

    matplotlib.use("svg")
    import matplotlib.pyplot as plt

    figure, (left, right) = plt.subplots(1, 2, figsize=(9.0, 4.0))
    left.plot([0, 1], [0, 1], color="0.7", linewidth=1)
    left.plot([b.stated for b in found.bins], [b.right for b in found.bins], marker="o")
    left.set(xlabel="stated confidence", ylabel="share of lines that are right")
    left.set_title(f"calibration error {found.ece:.3f} ({found.n} lines)")
    right.plot([100 * p.coverage for p in found.risk], [100 * p.cer for p in found.risk])
    right.set(xlabel="surest lines accepted, %", ylabel="CER of accepted lines, %")
    right.set_title(f"AUROC {found.auroc:.3f}")
    right.set_ylim(bottom=0)
    figure.suptitle(title)
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)
