"""Measure how far confidence can be believed, on rendered lines that nothing was fitted on.

    python scripts/measure_confidence.py [--lines 20000] [--engine ctc] [--name confidence]

Lines of the reporting recipes (degraded, clean, Latin in Odia) in held-out faces and texts of the
split "report". Writes docs/reports/NAME.json, .svg and .txt. What was read is kept in
.cache/confidence by model, so that a run that was stopped goes on, and another fit of the
confidence is judged without reading again.
"""

from __future__ import annotations

import argparse
import datetime
import hashlib
import json
import pickle
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import onnx
from rich.progress import track

from odia_ocr.campaign.cache import digest_code
from odia_ocr.correct.calibrate import load_for
from odia_ocr.data.lines import LineRenderer, make_renderer
from odia_ocr.data.reporting import SETS
from odia_ocr.evaluate.reliability import (
    Reliability,
    judge_threshold,
    measure_reliability,
    tabulate_reliability,
)
from odia_ocr.evaluate.reliability_plot import draw_reliability
from odia_ocr.language import count_edits, fold, normalise, split_clusters
from odia_ocr.language.distance import find_kept
from odia_ocr.recognize import open_recognizer
from odia_ocr.runtime import find_members, find_weights
from odia_ocr.types import Candidates, LineImage, Reading, Recognizer

ROOT = Path(__file__).resolve().parents[1]
REPORTS = ROOT / "docs" / "reports"
CACHE = ROOT / ".cache" / "confidence"
PORTION = 250
SEED = 31_000
# Of each portion: lines of each reporting set.
SHARES = {"degraded": 150, "clean": 60, "latin": 40}


@dataclass(frozen=True, slots=True)
class ReadLine:
    """A line of a reporting set, what was read of it and its true text."""

    set: str
    cands: Candidates
    truth: str


@dataclass(frozen=True, slots=True)
class Row:
    """A line or a cluster: stated confidence, errors, reference length."""

    stated: float
    edits: int
    length: int


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--lines", type=int, default=20_000)
    parser.add_argument("--engine", default="ctc")
    parser.add_argument("--name", default="confidence", help="of the report")
    options = parser.parse_args()
    recognizer = open_recognizer(options.engine)
    corrector = load_for(recognizer)
    count = max(1, options.lines // PORTION)
    lines = [line for part in read_portions(options.engine, recognizer, count) for line in part]
    readings = [(line, corrector(line.cands)) for line in lines]
    rows = [judge_line(line, reading) for line, reading in readings]
    found = measure_rows(rows)
    clusters = measure_rows([row for pair in readings for row in judge_clusters(*pair)])
    by_set = {
        name: measure_rows([row for line, row in zip(lines, rows, strict=True) if line.set == name])
        for name in SHARES
    }
    review = getattr(corrector, "review", None)
    accepted = None
    if review is not None:
        stated, edits = [row.stated for row in rows], [row.edits for row in rows]
        accepted = judge_threshold(stated, edits, review)
    report = {
        "report": "confidence",
        "engine": options.engine,
        "date": datetime.date.today().isoformat(),
        "set": SHARES,
        "cer": found.risk[0].cer,
        "cer_at_80": found.accept(0.8).cer,
        "review": asdict(accepted) if accepted else None,
        **asdict(found),
        "sets": {name: summarise(part) for name, part in by_set.items()},
        "clusters": summarise(clusters),
    }
    path = REPORTS / f"{options.name}.json"
    path.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    draw_reliability(found, path.with_suffix(".svg"), title=f"Line confidence of {options.engine}")
    path.with_suffix(".txt").write_text(tabulate_reliability(found) + "\n", encoding="utf-8")
    print(tell("lines", found))
    for name, part in by_set.items():
        print(tell(name, part))
    print(tell("clusters", clusters))
    print(f"Review threshold: {accepted}")


def read_portions(engine: str, recognizer: Recognizer, count: int) -> Iterator[list[ReadLine]]:
    """What is read of each portion, from the cache where it was read before."""
    folder = CACHE / name_reading(engine)
    folder.mkdir(parents=True, exist_ok=True)
    renderers = {
        name: make_renderer(
            split="report", seed=SEED + i, recipe=SETS[name].recipe, mix=SETS[name].mix
        )
        for i, name in enumerate(SHARES)
    }
    for portion in track(range(count), description="Lines"):
        path = folder / f"{portion:05d}.pickle"
        if not path.exists():
            lines = []
            for name, size in SHARES.items():
                lines += read_lines(recognizer, renderers[name], name, portion * size, size)
            part = path.with_suffix(".part")
            part.write_bytes(pickle.dumps(lines))
            part.replace(path)
        yield pickle.loads(path.read_bytes())


def name_reading(engine: str) -> str:
    """Changes with whatever changes readings, but not with fits of the confidence."""
    digest = hashlib.sha256(engine.encode())
    digest.update(digest_code(("recognize/decode", "recognize/ctc.py")).encode())
    digest.update(find_weights("lm-odia", ".ngram").read_bytes())
    for path in (find_weights("ctc"), *find_members("ctc")):
        digest.update(onnx.load(path).graph.SerializeToString())
    return digest.hexdigest()[:16]


def read_lines(
    recognizer: Recognizer, renderer: LineRenderer, name: str, start: int, count: int
) -> Iterator[ReadLine]:
    drawn = [renderer.render(index) for index in range(start, start + count)]
    images = [LineImage(str(i), line.pixels) for i, line in enumerate(drawn)]
    for line, result in zip(drawn, recognizer.read(images), strict=True):
        if isinstance(result, Candidates):
            best = replace(result, hypotheses=result.hypotheses[:1])
            yield ReadLine(name, best, line.text)


def judge_line(line: ReadLine, reading: Reading) -> Row:
    truth = fold(line.truth)
    edits = count_edits(truth, fold(reading.text)).edits
    return Row(state(reading), edits, len(truth))


def state(reading: Reading) -> float:
    if reading.confidence is None:
        raise SystemExit("This engine states no confidence.")
    return reading.confidence


def judge_clusters(line: ReadLine, reading: Reading) -> list[Row]:
    """Clusters in their usual spelling, spaces left out."""
    if not reading.cluster_confidence:
        return []
    clusters = split_clusters(reading.text)
    kept = find_kept(split_clusters(normalise(line.truth)), clusters)
    rows = zip(clusters, reading.cluster_confidence, kept, strict=True)
    return [Row(stated, int(not right), 1) for cluster, stated, right in rows if cluster != " "]


def measure_rows(rows: list[Row]) -> Reliability:
    return measure_reliability(
        [row.stated for row in rows], [row.edits for row in rows], [row.length for row in rows]
    )


def summarise(found: Reliability) -> dict[str, object]:
    """The figures without the diagrams' points."""
    return {k: v for k, v in asdict(found).items() if k not in ("bins", "risk")}


def tell(what: str, found: Reliability) -> str:
    return (
        f"{what}: n {found.n}, ECE {found.ece:.4f} (a perfect one shows "
        f"{found.ece_perfect[0]:.4f}, at most {found.ece_perfect[1]:.4f}), "
        f"Brier {found.brier:.4f}, AUROC {found.auroc:.3f}, "
        f"errors {100 * found.risk[0].cer:.2f} %, of the surest 80 % "
        f"{100 * found.accept(0.8).cer:.2f} %"
    )


if __name__ == "__main__":
    main()
