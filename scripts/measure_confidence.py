"""Measure how far line confidence can be believed, on rendered lines that nothing was fitted on.

    python scripts/measure_confidence.py [--lines 20000] [--engine ctc]

Lines of the reporting recipes (degraded, clean, Latin in Odia) in held-out faces and texts of the
split "report". Writes docs/reports/confidence.json and confidence.svg. What was read is kept in
.cache/confidence by model, so that a run that was stopped goes on.
"""

from __future__ import annotations

import argparse
import datetime
import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from rich.progress import track

from odia_ocr.correct.calibrate import load_for
from odia_ocr.data.lines import LineRenderer, make_renderer
from odia_ocr.data.reporting import SETS
from odia_ocr.evaluate.reliability import measure_reliability
from odia_ocr.evaluate.reliability_plot import draw_reliability
from odia_ocr.language import count_edits, fold
from odia_ocr.recognize import open_recognizer
from odia_ocr.runtime import find_weights
from odia_ocr.types import Candidates, LineImage

ROOT = Path(__file__).resolve().parents[1]
REPORT = ROOT / "docs" / "reports" / "confidence.json"
CACHE = ROOT / ".cache" / "confidence"
PORTION = 250
SEED = 31_000
# Of each portion: lines of each reporting set.
SHARES = {"degraded": 150, "clean": 60, "latin": 40}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--lines", type=int, default=20_000)
    parser.add_argument("--engine", default="ctc")
    options = parser.parse_args()
    count = max(1, options.lines // PORTION)
    rows = [row for portion in read_portions(options.engine, count) for row in portion]
    found = measure_reliability(*zip(*rows, strict=True))
    eighty = next(point for point in found.risk if point.coverage <= 0.8)
    REPORT.write_text(
        json.dumps(
            {
                "report": "confidence",
                "engine": options.engine,
                "date": datetime.date.today().isoformat(),
                "set": SHARES,
                "cer": found.risk[0].cer,
                "cer_at_80": eighty.cer,
                **asdict(found),
            },
            indent=1,
        )
        + "\n",
        encoding="utf-8",
    )
    draw_reliability(
        found, REPORT.with_suffix(".svg"), title=f"Line confidence of {options.engine}"
    )
    print(
        f"{found.n} lines: ECE {found.ece:.4f} (a perfect one shows {found.ece_perfect[0]:.4f}, at "
        f"most {found.ece_perfect[1]:.4f}), Brier {found.brier:.4f}, AUROC {found.auroc:.3f}, CER "
        f"{100 * found.risk[0].cer:.2f} %, of the surest 80 % {100 * eighty.cer:.2f} %"
    )


def read_portions(engine: str, count: int) -> Iterator[list[tuple[float, int, int]]]:
    """(stated confidence, errors, length) of each line, portion by portion."""
    models = [find_weights("ctc"), find_weights("lm-odia", ".ngram")]
    key = hashlib.sha256(b"".join(path.read_bytes() for path in models) + engine.encode())
    folder = CACHE / key.hexdigest()[:16]
    folder.mkdir(parents=True, exist_ok=True)
    recognizer = open_recognizer(engine)
    corrector = load_for(recognizer)
    renderers = {
        name: make_renderer(
            split="report", seed=SEED + i, recipe=SETS[name].recipe, mix=SETS[name].mix
        )
        for i, name in enumerate(SHARES)
    }
    for portion in track(range(count), description="Lines"):
        path = folder / f"{portion:05d}.json"
        if not path.exists():
            rows = []
            for name, lines in SHARES.items():
                rows += read_lines(recognizer, corrector, renderers[name], portion * lines, lines)
            path.write_text(json.dumps(rows), encoding="utf-8")
        yield [tuple(row) for row in json.loads(path.read_text("utf-8"))]


def read_lines(recognizer, corrector, renderer: LineRenderer, start: int, count: int):
    drawn = [renderer.render(index) for index in range(start, start + count)]
    images = [LineImage(str(i), line.pixels) for i, line in enumerate(drawn)]
    for line, result in zip(drawn, recognizer.read(images), strict=True):
        if isinstance(result, Candidates):
            reading = corrector(result)
            truth = fold(line.text)
            edits = count_edits(truth, fold(reading.text)).edits
            yield (reading.confidence or 0.0, edits, len(truth))


if __name__ == "__main__":
    main()
