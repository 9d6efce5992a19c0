"""Train several architectures alike and compare them: held-out error against milliseconds a line.

    python scripts/compare_architectures.py -o OUT --steps 3000 [--device cuda] [--only NAME]...

Each gets the same lines, steps and schedule. Runs that exist are resumed, so the comparison can be
stopped and gone on with. The table goes to OUT/table.md; it belongs in LOG.md with its command.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from odia_ocr.data.lines import make_renderer
from odia_ocr.recognize.ctc import load
from odia_ocr.train.checkpoint import open_model
from odia_ocr.train.ctc import train_ctc
from odia_ocr.train.ctc_config import TrainConfig, config_from
from odia_ocr.train.ctc_model import count_parameters
from odia_ocr.train.export import write_onnx
from odia_ocr.train.quantise import quantise_model
from odia_ocr.types import LineImage

ARCHITECTURES: dict[str, dict[str, Any]] = {
    "conv + 2 BiLSTM 160 (shipped)": {},
    "conv + 1 BiLSTM 128": {"layers": 1, "hidden": 128},
    "conv + 2 BiLSTM 256, wider": {"hidden": 256, "width": 256, "channels": [24, 48, 96, 160]},
    "conv only": {"mixer": "conv", "layers": 4, "width": 224},
    "conv + attention": {"mixer": "attention", "layers": 2, "width": 192},
    "conv + alternating 2": {"mixer": "alternating", "layers": 2, "width": 192},
    "conv + alternating 3": {"mixer": "alternating", "layers": 3, "width": 192},
    "conv + 2 BiLSTM 160, 64 px": {"height": 64},
    "deeper conv + 2 BiLSTM 160": {"blocks": [2, 2]},
}


def time_lines(model: Path) -> float:
    """Milliseconds a line on one core, over rendered lines."""
    renderer = make_renderer(split="check", seed=3)
    lines = [LineImage(str(i), renderer.render(i).pixels) for i in range(60)]
    recognizer = load(str(model), threads=1)
    recognizer.read(lines[:4])
    start = time.perf_counter()
    recognizer.read(lines)
    return 1000 * (time.perf_counter() - start) / len(lines)


def train_one(name: str, base: TrainConfig, out: Path) -> dict[str, Any]:
    """Train or go on with one architecture; returns its row."""
    run = out / "".join(c if c.isalnum() else "-" for c in name)
    config = config_from(
        {**json.loads((out / "base.json").read_text("utf-8")), "architecture": ARCHITECTURES[name]}
    )
    config = replace(config, steps=base.steps, device=base.device)
    best = run / "best.safetensors"
    if not (run / "done").exists():
        train_ctc(config, run, resume=(run / "state.pt").exists())
        (run / "done").touch()
    model = open_model(best)
    write_onnx(model, run / "float.onnx", version="compare")
    quantise_model(run / "float.onnx", run / "int8.onnx", lines=60)
    rows = [json.loads(row) for row in (run / "log.jsonl").read_text("utf-8").splitlines()]
    last = min(rows, key=lambda row: row["cer_degraded"] + row["cer_clean"])
    return {
        "architecture": name,
        "M weights": f"{count_parameters(model) / 1e6:.2f}",
        "lines seen": str(rows[-1]["lines"]),
        "CER degraded %": f"{100 * last['cer_degraded']:.2f}",
        "CER clean %": f"{100 * last['cer_clean']:.2f}",
        "ms/line float32": f"{time_lines(run / 'float.onnx'):.1f}",
        "ms/line int8": f"{time_lines(run / 'int8.onnx'):.1f}",
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("-o", "--out", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=3000)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--config", type=Path, help="JSON with settings of TrainConfig for all")
    parser.add_argument("--only", action="append", choices=list(ARCHITECTURES))
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    settings = json.loads(options.config.read_text("utf-8")) if options.config else {}
    (options.out / "base.json").write_text(json.dumps(settings), encoding="utf-8")
    base = TrainConfig(steps=options.steps, device=options.device)
    rows: list[dict[str, Any]] = []
    for name in options.only or ARCHITECTURES:
        rows.append(train_one(name, base, options.out))
        titles = list(rows[0])
        table = ["| " + " | ".join(titles) + " |", "|" + "---|" * len(titles)]
        table += ["| " + " | ".join(row[title] for title in titles) + " |" for row in rows]
        (options.out / "table.md").write_text("\n".join(table) + "\n", encoding="utf-8")
        print(table[-1], flush=True)


if __name__ == "__main__":
    main()
