"""The learning curve of a run as an SVG picture."""

from __future__ import annotations

import json
from pathlib import Path


def draw_curve(log: Path, out: Path) -> None:
    """Draw loss and held-out character error rates (log scale) against lines seen."""
    import matplotlib

    matplotlib.use("svg")
    from matplotlib import pyplot as plt

    rows = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines() if line]
    if not rows:
        return
    lines = [row["lines"] / 1000 for row in rows]
    figure, axis = plt.subplots(figsize=(7, 4))
    for key, label in (("cer_degraded", "held out, degraded"), ("cer_clean", "held out, clean")):
        axis.plot(lines, [100 * row[key] for row in rows], label=label)
    axis.set_yscale("log")
    axis.set_xlabel("lines seen (thousands)")
    axis.set_ylabel("CER, %")
    axis.grid(True, which="both", alpha=0.25)
    axis.legend()
    figure.tight_layout()
    figure.savefig(out)
    plt.close(figure)
