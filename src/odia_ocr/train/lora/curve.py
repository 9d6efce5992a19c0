"""Loss and held-out error rate of a LoRA run as an SVG picture."""

from __future__ import annotations

import json
from pathlib import Path


def draw_lora_curve(log: Path, out: Path) -> None:
    """Draw both against the steps; nothing where nothing was logged, or nothing can draw."""
    try:
        import matplotlib
    except ImportError:
        return

    matplotlib.use("svg")
    from matplotlib import pyplot as plt

    rows = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines() if line]
    if not rows:
        return
    steps = [row["step"] for row in rows]
    figure, left = plt.subplots(figsize=(7, 4))
    left.plot(steps, [row["loss"] for row in rows], color="tab:gray", label="loss")
    left.set_xlabel("steps")
    left.set_ylabel("loss")
    left.grid(True, alpha=0.25)
    read = [row for row in rows if "cer_check" in row]
    if read:
        right = left.twinx()
        rates = [100 * row["cer_check"] for row in read]
        right.plot([row["step"] for row in read], rates, marker="o", label="held out")
        right.set_ylabel("CER, %")
        right.set_ylim(bottom=0)
    figure.legend(loc="upper right")
    figure.tight_layout()
    figure.savefig(out)
    plt.close(figure)
