"""What the learning experiments measure, and how they tell it: readings, a plot, a table.

Models are read as `odia-ocr read` reads them, each set once; readings are kept, so that an
experiment that was stopped goes on.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from experiment_domain import NAME

from odia_ocr.data.sets.out_files import write_whole
from odia_ocr.evaluate.scores import (
    Difference,
    LineCounts,
    Score,
    compare_lines,
    count_line,
    score_lines,
)
from odia_ocr.language import normalise
from odia_ocr.recognize import open_recognizer
from odia_ocr.types import Candidates, LineImage

RUNS = Path("runs/learning")
REPORTS = Path("docs/reports/learning")
DOCS = Path("docs/learning.md")
THREADS = 2


@dataclass(frozen=True)
class LineSet:
    """Labelled lines to measure with."""

    name: str
    images: Sequence[LineImage]
    texts: Sequence[str]

    def count(self, engine: str, folder: Path) -> list[LineCounts]:
        """The counts of each line; readings are kept in `folder` and not made twice."""
        return self.count_once(engine, folder / f"{self.name}.json")

    def count_once(self, engine: str, path: Path) -> list[LineCounts]:
        """The counts of each line; readings are kept in the file `path` and not made twice."""
        if not path.exists():
            read = open_recognizer(engine, threads=THREADS).read(self.images)
            texts = [normalise(r.best.text) if isinstance(r, Candidates) else "" for r in read]
            write_whole(path, json.dumps(texts, ensure_ascii=False).encode())
        readings = json.loads(path.read_text("utf-8"))
        return [count_line(*pair) for pair in zip(self.texts, readings, strict=True)]


@dataclass(frozen=True)
class Model:
    """A model that is measured.

    Attributes:
        name: In tables.
        engine: Reads it.
        folder: Keeps its readings.
        labels: Labelled lines it learned from.
        facts: What else is told of it; "seconds" goes into the table.
    """

    name: str
    engine: str
    folder: Path
    labels: int = 0
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Measured:
    """A model on one set: CER, and against the first model of the report.

    Attributes:
        cer: With its interval.
        gap: CER minus that of the first model, paired by line; None for that itself.
        fewer: Share of the first model's errors that are gone; negative where there are more.
    """

    cer: Score
    gap: Difference | None
    fewer: float


@contextmanager
def clock() -> Iterator[dict[str, float]]:
    """Seconds that passed, and seconds of processor time of this process."""
    told: dict[str, float] = {}
    wall, used = time.monotonic(), time.process_time()
    yield told
    told["seconds"] = round(time.monotonic() - wall, 1)
    told["cpu_seconds"] = round(time.process_time() - used, 1)


def tell(said: str) -> None:
    """A line of the log, with the time."""
    print(f"{time.strftime('%H:%M:%S')} {said}", flush=True)


def measure(models: Sequence[Model], sets: Sequence[LineSet]) -> dict[str, dict[str, Measured]]:
    """Each model on each set, compared with the first model."""
    found: dict[str, dict[str, Measured]] = {}
    for one in sets:
        counts = {model.name: one.count(model.engine, model.folder) for model in models}
        base = counts[models[0].name]
        start = score_lines(base).cer.value
        for name, own in counts.items():
            cer = score_lines(own).cer
            gap = compare_lines(own, base).cer if own is not base else None
            measured = Measured(cer, gap, 1 - cer.value / max(start, 1e-9))
            found.setdefault(name, {})[one.name] = measured
            tell(f"{name} on {one.name}: {cer.value:.2%}, {measured.fewer:.1%} fewer errors")
    return found


def write(
    what: str,
    models: Sequence[Model],
    sets: Sequence[LineSet],
    facts: Mapping[str, Any],
    *,
    out: Path = REPORTS,
    docs: Path | None = DOCS,
    after: Sequence[str] = (),
) -> str:
    """Measure and write WHAT.json and WHAT.svg into `out` and a table into `docs`.

    Args:
        what: Name of the experiment.
        models: The first one is compared with.
        sets: The first one is drawn, with all its figures in the table; of others the change.
        facts: What else the JSON is to say.
        out: Folder.
        docs: Document with the marks of `what`.
        after: Sentences below the table.

    Returns:
        The table.
    """
    found = measure(models, sets)
    record = {
        "schema": 1,
        "domain": NAME,
        "lines": {one.name: len(one.texts) for one in sets},
        **facts,
        "models": [
            {
                "name": model.name,
                "labels": model.labels,
                **model.facts,
                "sets": {name: asdict(value) for name, value in found[model.name].items()},
            }
            for model in models
        ],
    }
    out.mkdir(parents=True, exist_ok=True)
    (out / f"{what}.json").write_text(json.dumps(record, indent=1) + "\n", "utf-8")
    first, *others = [one.name for one in sets]
    _draw({name: sets_[first].cer for name, sets_ in found.items()}, out / f"{what}.svg")
    table = "\n".join([*_make_table(models, found, first, others), *after])
    if docs is not None:
        put_table(docs, what, table)
    return table


def _make_table(
    models: Sequence[Model],
    found: Mapping[str, Mapping[str, Measured]],
    first: str,
    others: Sequence[str],
) -> list[str]:
    head = ["Model", "Labels", f"CER, {first}", "Fewer errors", *(f"{x}, points" for x in others)]
    rows = [[*head, "Seconds"], ["---", *("---:" for _ in range(len(head)))]]
    for model in models:
        own = found[model.name]
        changes = [own[name].gap for name in others]
        fewer = "" if own[first].gap is None else f"{own[first].fewer:.0%}"
        seconds = model.facts.get("seconds")
        rows.append(
            [
                model.name,
                str(model.labels),
                _show(own[first].cer),
                fewer,
                *("" if gap is None else _show_gap(gap) for gap in changes),
                "" if seconds is None else f"{seconds:.0f}",
            ]
        )
    base = [_show(found[models[0].name][name].cer) for name in others]
    told = ", ".join(f"{name} {cer}" for name, cer in zip(others, base, strict=True))
    return [*(f"| {' | '.join(row)} |" for row in rows), "", f"`{models[0].name}`: {told}."]


def _show(score: Score) -> str:
    return f"{100 * score.value:.2f} % ({100 * score.low:.2f}–{100 * score.high:.2f})"


def _show_gap(gap: Difference) -> str:
    return f"{100 * gap.value:+.2f} ({100 * gap.low:+.2f} to {100 * gap.high:+.2f})"


def put_table(path: Path, what: str, table: str) -> None:
    """Put a table into a document, between its marks."""
    begin, end = f"<!-- {what}: begin -->", f"<!-- {what}: end -->"
    before, _, rest = path.read_text(encoding="utf-8").partition(begin)
    _, _, after = rest.partition(end)
    path.write_text(f"{before}{begin}\n{table}\n{end}{after}", encoding="utf-8")


def _draw(scores: Mapping[str, Score], path: Path) -> None:
    """CER of each model with its interval, as bars."""
    import matplotlib

    matplotlib.use("svg")
    import matplotlib.pyplot as plt

    plt.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "odia-ocr"})

    figure, axes = plt.subplots(figsize=(6.4, 0.8 + 0.42 * len(scores)))
    places = range(len(scores))[::-1]
    values = [100 * score.value for score in scores.values()]
    reach = [
        [100 * (score.value - score.low) for score in scores.values()],
        [100 * (score.high - score.value) for score in scores.values()],
    ]
    colours = ["#6b7280", *["#a8481f"] * (len(scores) - 1)]
    axes.barh(places, values, 0.6, xerr=reach, capsize=3, color=colours)
    axes.set_yticks(list(places), list(scores))
    axes.set(xlabel="CER on held-out lines of the domain, % (95 % interval)")
    axes.grid(axis="x", alpha=0.25)
    figure.tight_layout()
    figure.savefig(path, format="svg", metadata={"Date": None})
    plt.close(figure)
