"""Measures the small vision-language model and its ladder of adapters.

What it reads (clean held-out lines, whole lines, the shifted domain), what each checkpoint of the
ladder reads there, with paired intervals, and what an ensemble of five costs beside one.

    python scripts/report_vlm.py --ladder 'campaigns/vlm-ladder/checkpoint-*'
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import torch

from odia_ocr.apps.campaign_ladder import open_ladder
from odia_ocr.data.compose import Mix
from odia_ocr.data.lines import make_renderer, render_lines
from odia_ocr.data.render_folder import write_rendered
from odia_ocr.data.reporting import make_reporting_set
from odia_ocr.evaluate.lineset import read_line_set
from odia_ocr.evaluate.measure import Evaluation, measure_lines
from odia_ocr.evaluate.report import make_record
from odia_ocr.evaluate.scores import Bootstrap
from odia_ocr.pages.images import open_pages
from odia_ocr.recognize import open_recognizer
from odia_ocr.recognize.vlm.decoding import VlmDecoding
from odia_ocr.recognize.vlm.ensemble import JointSpeaker, write_mixed
from odia_ocr.recognize.vlm.naming import join_engines
from odia_ocr.recognize.vlm.reader import SingleSpeaker, VlmRecognizer, load
from odia_ocr.types import LineImage

REPORT = Path("docs/reports/vlm.json")
CHOICES = Path("docs/reports/vlm-choices.json")
CAMPAIGN = Path("docs/reports/campaign-vlm/performance_improvement_strategies.json")
PAGE = Path("docs/vlm.md")
BEGIN, END = "<!-- measured -->", "<!-- /measured -->"
PAIRED = ("vlm", "checkpoint-50", "checkpoint-250", "checkpoint-500")  # the others: in the report
GROWTH = ("same rank, 250 more", "twice the rank, 250 more")
LINES = (1, 8, 32)
ROUNDS = 10


def main() -> None:
    """Measure, write the report, put its tables into the documentation."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--ladder", default="campaigns/vlm-ladder/checkpoint-*")
    parser.add_argument("--lines", type=int, default=480, help="clean lines of each set")
    parser.add_argument("--work", type=Path, default=Path("out/vlm"))
    parser.add_argument("--table-only", action="store_true", help="only write the tables anew")
    asked = parser.parse_args()
    if not asked.table_only:
        torch.set_num_threads(1)
        ladder = open_ladder(asked.ladder, asked.work / "ladder", say=print)
        last = sorted(Path(asked.ladder).parent.glob("last/checkpoint-*"))
        further = tuple(f"vlm:tiny::{folder}" for folder in last)
        report = {
            "read": measure_reading(asked.work, asked.lines, (*ladder.engines, *further)),
            "cost": measure_cost(asked.work / "short", ladder.engines[:5]),
        }
        REPORT.parent.mkdir(parents=True, exist_ok=True)
        REPORT.write_text(
            json.dumps(report, ensure_ascii=False, separators=(",", ":")) + "\n", encoding="utf-8"
        )
    write_tables(json.loads(REPORT.read_text(encoding="utf-8")))


def measure_reading(work: Path, count: int, ladder: tuple[str, ...]) -> dict[str, object]:
    """Error rates of the model alone on clean lines, and of all checkpoints where they adapt."""
    for name, mix in (("short", Mix(min_words=1, max_words=4)), ("full", Mix())):
        if not (work / name).exists():
            renderer = make_renderer(split="report", seed=20271, clean=True, mix=mix)
            write_rendered(render_lines(renderer, count), work / name)
    if not (work / "shifted").exists():
        make_reporting_set("shifted", work / "shifted")
    return {
        "short": evaluate(work / "short", ("vlm",)),
        "full": evaluate(work / "full", ("vlm",)),
        "shifted": evaluate(work / "shifted", ("vlm", *ladder, "ctc")),
    }


def evaluate(
    folder: Path, engines: tuple[str, ...], *, names: tuple[str, ...] = ()
) -> dict[str, object]:
    """The record of an evaluation, without its lines, and how long its references are."""
    line_set = read_line_set(folder)
    shown = names or tuple(label(name) for name in engines)
    opened = {
        name: open_recognizer(engine, threads=1)
        for name, engine in zip(shown, engines, strict=True)
    }
    done: Evaluation = measure_lines(line_set, opened, bootstrap=Bootstrap())
    record = make_record(done, texts=False)
    letters = [len(sample.text) for sample in line_set.samples]
    return {
        "lines": len(letters),
        "mean_reference": round(statistics.mean(letters), 1),
        "results": record["results"],
        "paired": record["paired"],
    }


def label(engine: str) -> str:
    """An engine by its checkpoint."""
    return Path(engine.rpartition("::")[2]).name if "::" in engine else engine


def measure_cost(folder: Path, engines: tuple[str, ...]) -> list[dict[str, object]]:
    """Seconds of five checkpoints beside one, on the same lines and threads, median of rounds."""
    one = load(engines[-1].partition(":")[2], threads=1)
    five = load(join_engines(engines).partition(":")[2], threads=1)
    images = [
        LineImage(sample.name, open_pages(sample.picture).load(1).pixels)
        for sample in read_line_set(folder).samples[: max(LINES)]
    ]
    rows = []
    for count in LINES:
        lines = images[:count]
        ways = {
            "one": lambda lines=lines: one.read(lines),
            "five as one": lambda lines=lines: five.read(lines),
            "five in one batch": lambda lines=lines: read_mixed(five, lines),
            "one after the other": lambda lines=lines: read_in_turn(five, lines),
        }
        seconds = time_in_turns(ways)
        rows.append(
            {
                "lines": count,
                "seconds": {name: round(value, 4) for name, value in seconds.items()},
                "ratio": {name: round(v / seconds["one"], 2) for name, v in seconds.items()},
            }
        )
    return rows


def time_in_turns(ways: dict[str, Callable[[], object]]) -> dict[str, float]:
    """Median seconds of each, all in turn, round by round."""
    taken: dict[str, list[float]] = {name: [] for name in ways}
    for attempt in range(ROUNDS + 1):
        for name, run in ways.items():
            began = time.perf_counter()
            run()
            if attempt:  # the first round warms up
                taken[name].append(time.perf_counter() - began)
    return {name: statistics.median(values) for name, values in taken.items()}


def read_mixed(reader: VlmRecognizer, lines: list[LineImage]) -> object:
    """What each adapter writes, in one batch of all."""
    from PIL import Image

    speaker = reader.speaker
    assert isinstance(speaker, JointSpeaker)
    samples = [reader.vlm.encoder.encode(x.id, Image.fromarray(x.pixels), None) for x in lines]
    seen = speaker.look(samples)
    return write_mixed(speaker.writer, speaker.adapters, seen, VlmDecoding(), most=80)


def read_in_turn(reader: VlmRecognizer, lines: list[LineImage]) -> None:
    """All lines by one adapter, then by the next."""
    for adapter in reader.vlm.adapters:
        speaker = SingleSpeaker(reader.speaker.writer, adapter)
        VlmRecognizer(reader.name, reader.vlm, speaker).read(lines)


def tabulate_choices(report: dict[str, list[dict]]) -> list[str]:
    """What `scripts/ablate_vlm.py` found, each way beside the first."""
    rows = ["| Shifted domain | CER | against checkpoint 250, points (95 %) |", "|---|---|---|"]
    first = report["results"][0]["engine"]
    gaps = {pair["second"]: pair["cer"] for pair in report["paired"] if pair["first"] == first}
    for result in report["results"]:
        gap = gaps.get(result["engine"])
        told = "" if gap is None else tell_change(gap)
        rows.append(f"| {result['engine']} | {100 * result['cer']['value']:.1f} % | {told} |")
    adapter, merged = report["seconds"].values()
    return [*rows, "", f"Merging: {100 * (1 - merged / adapter):.0f} % less time for 64 lines."]


def tabulate_techniques(
    rows: list[dict], read: dict[str, list[dict]], choices: dict[str, list[dict]]
) -> list[str]:
    """What the plan claimed of each technique, beside what it did here."""
    known = {(row["id"], row["name"]): show_claim(row["claimed"]) for row in rows}
    told = []
    for row in rows:
        if (found := row["measured"]) is None:
            continue
        change = 100 * found["delta"]
        told.append(
            (
                change,
                f"| {row['name']} | {row['id']} | {show_claim(row['claimed'])} | "
                f"{100 * found['before']:.1f} → {100 * found['after']:.1f} % | {change:+.2f} "
                f"({100 * found['low']:+.2f} to {100 * found['high']:+.2f}) |",
            )
        )
    trained = {
        "LoRA rank 32 to 64, more targets": ("here 8 to 16", choices, *GROWTH),
        "Merging adapters": ("", choices, "checkpoint-500", "checkpoint-500, merged"),
        "Full training past step 250": ("here to 500", read, "checkpoint-250", "checkpoint-500"),
    }
    further = []
    for (number, name), claim in known.items():
        if name not in trained:
            continue
        note, report, before, after = trained[name]
        rates = {result["engine"]: result["cer"]["value"] for result in report["results"]}
        (gap,) = (
            pair["cer"]
            for pair in report["paired"]
            if (pair["first"], pair["second"]) == (before, after)
        )
        further.append(
            f"| {name}{f' ({note})' if note else ''} | {number} | {claim} | "
            f"{100 * rates[before]:.1f} → {100 * rates[after]:.1f} % | {tell_change(gap)} |"
        )
    head = "| Technique | Id | Claimed | Measured CER | points (95 %) |"
    return [head, "|---|---|---|---|---|", *(row for _, row in sorted(told)), *further]


def show_claim(claim: dict | None) -> str:
    """E.g. "42 → 35–38 %"."""
    if claim is None:
        return "–"
    shares = "–".join(str(share) for share in dict.fromkeys(claim["to"]))
    return f"{claim['from']} → {shares} %"


def tell_change(gap: dict[str, float]) -> str:
    """A paired difference the other way round, in points with its interval."""
    low, value, high = (-100 * gap[key] for key in ("high", "value", "low"))
    return f"{value:+.2f} ({low:+.2f} to {high:+.2f})"


def write_tables(report: dict[str, dict]) -> None:
    """Put the figures between the marks of the documentation."""
    read, shifted = report["read"], report["read"]["shifted"]
    rows = ["| Set | Lines | Engine | CER | 95 % |", "|---|---|---|---|---|"]
    names = {
        "short": "clean, 1 to 4 words",
        "full": "clean, whole lines",
        "shifted": "shifted domain",
    }
    for key, name in names.items():
        for result in read[key]["results"]:
            cer = result["cer"]
            rows.append(
                f"| {name} | {read[key]['lines']} | {result['engine']} | "
                f"{100 * cer['value']:.1f} % | {100 * cer['low']:.1f} to {100 * cer['high']:.1f} |"
            )
    rows += ["", "| Shifted domain, paired | CER, points | 95 % |", "|---|---|---|"]
    for pair in shifted["paired"]:
        if not {pair["first"], pair["second"]} <= set(PAIRED):
            continue
        cer = pair["cer"]
        rows.append(
            f"| {pair['first']} - {pair['second']} | {100 * cer['value']:+.2f} | "
            f"{100 * cer['low']:+.2f} to {100 * cer['high']:+.2f} |"
        )
    rows += ["", "| Lines | " + " | ".join(report["cost"][0]["ratio"]) + " |", "|---|" + "---|" * 4]
    for row in report["cost"]:
        shown = [
            f"{row['seconds'][name]:.2f} s ({ratio:.2f}x)" for name, ratio in row["ratio"].items()
        ]
        rows.append(f"| {row['lines']} | " + " | ".join(shown) + " |")
    if CHOICES.exists():
        choices = json.loads(CHOICES.read_text(encoding="utf-8"))
        rows += ["", *tabulate_choices(choices)]
        if CAMPAIGN.exists():
            campaign = json.loads(CAMPAIGN.read_text(encoding="utf-8"))
            rows += ["", *tabulate_techniques(campaign, shifted, choices)]
    text = PAGE.read_text(encoding="utf-8")
    head, _, rest = text.partition(BEGIN)
    tail = rest.partition(END)[2]
    made = "\n".join(rows)
    PAGE.write_text(f"{head}{BEGIN}\n{made}\n{END}{tail}", encoding="utf-8")


if __name__ == "__main__":
    main()
