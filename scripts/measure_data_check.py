"""Measure `odia-ocr data check --engine ctc` on rendered lines with planted faults.

    python scripts/measure_data_check.py [--lines 400] [--seeds 3] [--docs docs/data-sets.md]

Each set has 400 lines of held-out texts in held-out faces, 320 in train/ and 80 in test/, no two of
them alike; 12 lines of each kind are then spoiled. A fault is found when the spoiled line, or the
line it was copied from, is named; every other line that is named is a false alarm. A third of the
sets are as clean as a screen shows lines, a third lightly scanned, a third damaged.
"""

from __future__ import annotations

import argparse
import json
import random
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import numpy as np

from odia_ocr.correct.calibrate import load_for
from odia_ocr.data.compose import Mix
from odia_ocr.data.lines import LineRenderer, make_renderer
from odia_ocr.data.recipe import CLEAN
from odia_ocr.data.reporting import DEGRADED, LIGHT_SCAN
from odia_ocr.data.sets.check import Check, check_sets
from odia_ocr.data.sets.copies import TextIndex
from odia_ocr.data.sets.doubts import Judge
from odia_ocr.data.sets.formats import open_set
from odia_ocr.data.sets.picture_folder import write_pairs
from odia_ocr.data.sets.sample import BytesPicture, Sample, encode_png
from odia_ocr.data.texts import TextPool, find_letter_words
from odia_ocr.language import fold, split_clusters
from odia_ocr.line_reading import LineReader
from odia_ocr.recognize.ctc import load
from odia_ocr.types import Pixels

SEED = 8100  # the sets on which the threshold was chosen had others
RECIPES = {"clean": CLEAN, "scan": LIGHT_SCAN, "degraded": DEGRADED}
TEXT = Mix(running=0.75, words=0.0, numbers=0.15, latin=0.10, rare=0.0, min_words=3)
WHOLE = Mix(running=1.0, words=0.0, numbers=0.0, latin=0.0, rare=0.0, min_words=98, max_words=99)
BEGIN, END = "<!-- data-check: begin -->", "<!-- data-check: end -->"
EACH = 12  # planted faults of a kind
TEST_SHARE = 0.2
DEVANAGARI = 0x0900 - 0x0B00  # the two blocks are laid out alike


@dataclass(frozen=True, slots=True, eq=False)
class Drawn:
    """A line in memory."""

    pixels: Pixels
    text: str


@dataclass(frozen=True, slots=True)
class Measured:
    """What was found in the sets of one quality.

    Attributes:
        quality: "clean", "scan", "degraded" or "all".
        sets: How many.
        lines: In all sets.
        planted: Faults in all sets.
        recall: Share of them that was found, by kind and of "all".
        precision: Share of the named lines that were spoiled.
        false_alarms: Lines named without a fault, by code.
    """

    quality: str
    sets: int
    lines: int
    planted: int
    recall: dict[str, float]
    precision: float
    false_alarms: dict[str, int]

    @property
    def false_share(self) -> float:
        """Share of the lines without a fault that were named."""
        return sum(self.false_alarms.values()) / max(1, self.lines - self.planted)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--lines", type=int, default=400, help="of each set")
    parser.add_argument("--seeds", type=int, default=3, help="sets of each quality")
    parser.add_argument("--json", type=Path, default=Path("docs/reports/data-check.json"))
    parser.add_argument("--docs", type=Path, help="document to put the table into")
    options = parser.parse_args()
    recognizer = load(threads=1)
    judge = Judge(LineReader(recognizer, load_for(recognizer)))
    tallies = {name: Tally() for name in RECIPES}
    for name, tally in tallies.items():
        for seed in range(options.seeds):
            measure_set(name, SEED + seed, options.lines, judge, tally)
        print(tell(name, tally), flush=True)
    total = sum_tallies(tallies.values())
    print(tell("all", total))
    rows = [tally.summarise(name) for name, tally in [*tallies.items(), ("all", total)]]
    record = {
        "schema": 1,
        "engine": recognizer.name,
        "lines_a_set": options.lines,
        "processor_seconds": round(time.process_time()),
        "results": [asdict(row) for row in rows],
    }
    options.json.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    if options.docs:
        write_table(options.docs, rows)


def write_table(path: Path, rows: list[Measured]) -> None:
    """Put the figures into the document, between its marks."""
    heads = [row.quality for row in rows]
    table = [["", *heads], ["---", *("---:" for _ in rows)]]
    table.append(["Lines, faults", *(f"{row.lines}, {row.planted}" for row in rows)])
    for kind in ["all", *(kind for kind in rows[0].recall if kind != "all")]:
        table.append([f"Recall, {kind}", *(f"{row.recall[kind]:.1%}" for row in rows)])
    table.append(["Precision", *(f"{row.precision:.1%}" for row in rows)])
    table.append(["Good lines named", *(f"{row.false_share:.1%}" for row in rows)])
    shown = "\n".join(f"| {' | '.join(cells)} |" for cells in table)
    before, _, rest = path.read_text(encoding="utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    path.write_text(f"{before}{BEGIN}\n{shown}\n{END}{after}", encoding="utf-8")


@dataclass(slots=True)
class Tally:
    """Counts over sets."""

    sets: int = 0
    lines: int = 0
    named: int = 0
    right: int = 0
    planted: Counter[str] = field(default_factory=Counter)
    found: Counter[str] = field(default_factory=Counter)
    alarms: Counter[str] = field(default_factory=Counter)

    def summarise(self, quality: str) -> Measured:
        """The shares of these counts."""
        recall = {kind: round(self.found[kind] / n, 4) for kind, n in self.planted.items()}
        recall["all"] = round(self.found.total() / max(1, self.planted.total()), 4)
        precision = round(self.right / max(1, self.named), 4)
        planted = self.planted.total()
        return Measured(
            quality, self.sets, self.lines, planted, recall, precision, dict(+self.alarms)
        )


def sum_tallies(tallies: Iterable[Tally]) -> Tally:
    total = Tally()
    for tally in tallies:
        total.sets += tally.sets
        total.lines += tally.lines
        total.named += tally.named
        total.right += tally.right
        total.planted += tally.planted
        total.found += tally.found
        total.alarms += tally.alarms
    return total


def tell(name: str, tally: Tally) -> str:
    row = tally.summarise(name)
    kinds = ", ".join(f"{kind} {share:.1%}" for kind, share in row.recall.items())
    return f"{name}: precision {row.precision:.1%}; recall {kinds}; alarms {row.false_alarms}"


def measure_set(quality: str, seed: int, count: int, judge: Judge, tally: Tally) -> None:
    """Draw, spoil and check one set."""
    renderer = make_renderer(split="report", seed=seed, recipe=RECIPES[quality], mix=TEXT)
    rng = random.Random(seed)
    drawn = draw_fresh(renderer, count)
    tests = round(TEST_SHARE * count)
    planted = spoil(drawn, tests, renderer, rng)
    with tempfile.TemporaryDirectory() as folder:
        parts = {"test": drawn[:tests], "train": drawn[tests:]}
        for split, lines in parts.items():
            first = 0 if split == "test" else tests
            write_pairs(make_samples(lines, first), Path(folder) / split)
        sets = [open_set(Path(folder) / split) for split in ("train", "test")]
        found = check_sets(sets, judges={"ctc": judge})
    count_found(found, planted, tally)
    tally.sets += 1
    tally.lines += count


def draw_fresh(renderer: LineRenderer, count: int) -> list[Drawn]:
    """Lines of which none is a copy, or nearly one, of another."""
    index = TextIndex()
    drawn: list[Drawn] = []
    number = 0
    while len(drawn) < count:
        line = renderer.render(number)
        number += 1
        words = find_letter_words(line.text)
        if len("".join(words)) > 6 and not index.add(number, words):
            drawn.append(Drawn(line.pixels, line.text))
    return drawn


def spoil(
    drawn: list[Drawn], tests: int, renderer: LineRenderer, rng: random.Random
) -> dict[str, tuple[str, ...]]:
    """Plant the faults; returns name of a spoiled line -> (kind, name of the line copied)."""
    texts = [line.text for line in drawn]
    order = rng.sample(range(tests, len(drawn)), 5 * EACH)
    planted: dict[str, tuple[str, ...]] = {}

    def plant(kind: str, change: Callable[[Drawn], Drawn | None]) -> None:
        done = 0
        while done < EACH:
            at = order.pop() if order else rng.randrange(tests, len(drawn))
            spoiled = change(drawn[at]) if name_of(at) not in planted else None
            if spoiled is not None:
                drawn[at] = spoiled
                planted[name_of(at)] = (kind,)
                done += 1

    plant("other text", lambda line: replace(line, text=rng.choice(texts[tests:])))
    plant("dropped word", lambda line: drop_word(line, rng))
    plant("changed cluster", lambda line: change_cluster(line, texts, rng))
    plant("empty picture", lambda line: replace(line, pixels=make_blank(line, rng)))
    plant("wrong script", lambda line: turn_devanagari(line))
    sound = [at for at in range(tests, len(drawn)) if name_of(at) not in planted]
    targets = rng.sample(range(tests), 2 * EACH)
    for i, (source, at) in enumerate(zip(rng.sample(sound, 2 * EACH), targets, strict=True)):
        if i < EACH:
            drawn[at], kind = drawn[source], "picture in two splits"
        else:
            drawn[at], kind = draw_again(drawn[source], renderer, i), "text in two splits"
        planted[name_of(at)] = (kind, name_of(source))
    return planted


def name_of(number: int) -> str:
    return f"{number:06d}"


def drop_word(line: Drawn, rng: random.Random) -> Drawn | None:
    words = line.text.split()
    if len(words) < 2:
        return None
    del words[rng.randrange(len(words))]
    text = " ".join(words)
    return replace(line, text=text) if fold(text) != fold(line.text) else None


def change_cluster(line: Drawn, texts: list[str], rng: random.Random) -> Drawn | None:
    """One Odia letter with its signs becomes another that occurs in these texts."""
    clusters = split_clusters(line.text)
    places = [i for i, cluster in enumerate(clusters) if is_odia(cluster)]
    others = [cluster for cluster in split_clusters(rng.choice(texts)) if is_odia(cluster)]
    if not places or not others:
        return None
    clusters[rng.choice(places)] = rng.choice(others)
    text = "".join(clusters)
    return replace(line, text=text) if fold(text) != fold(line.text) else None


def is_odia(cluster: str) -> bool:
    return "\u0b05" <= cluster[0] <= "\u0b39"


def turn_devanagari(line: Drawn) -> Drawn | None:
    text = "".join(chr(ord(c) + DEVANAGARI) if "\u0b00" <= c <= "\u0b6f" else c for c in line.text)
    return replace(line, text=text) if text != line.text else None


def make_blank(line: Drawn, rng: random.Random) -> Pixels:
    """Paper with noise and a soft shadow, of the line's size."""
    height, width = line.pixels.shape[:2]
    noise = np.random.default_rng(rng.randrange(1 << 30)).standard_normal((height, width))
    shade = np.linspace(0, rng.uniform(0, 30), width)
    paper = rng.uniform(150, 250) + noise * rng.uniform(0, 8) + shade
    return np.clip(paper, 0, 255).astype(np.uint8)


def draw_again(line: Drawn, renderer: LineRenderer, number: int) -> Drawn:
    """The same text in another picture."""
    pool = TextPool((line.text,), tuple(line.text.split()), ())
    again = replace(renderer, pool=pool, mix=WHOLE, seed=renderer.seed + 1).render(number)
    return Drawn(again.pixels, again.text)


def make_samples(lines: list[Drawn], first: int) -> Iterator[Sample]:
    for number, line in enumerate(lines, start=first):
        name = name_of(number)
        yield Sample(name, BytesPicture(name, encode_png(line.pixels).data), line.text)


def count_found(found: Check, planted: dict[str, tuple[str, ...]], tally: Tally) -> None:
    """Add what was found and what was named for nothing."""
    named: dict[str, str] = {}
    for finding in found.faults:
        named.setdefault(finding.id, finding.code)
    spoiled = {name: kind for name, (kind, *_) in planted.items()}
    partners = {other: name for name, (_, *others) in planted.items() for other in others}
    for name, kind in spoiled.items():
        tally.planted[kind] += 1
        others = planted[name][1:]
        tally.found[kind] += name in named or any(other in named for other in others)
    for name, code in named.items():
        tally.named += 1
        right = name in spoiled or name in partners
        tally.right += right
        tally.alarms[code] += not right


if __name__ == "__main__":
    main()
