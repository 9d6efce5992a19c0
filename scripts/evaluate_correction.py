"""Measure the correction dictionary on rendered lines that nothing was fitted on.

    python scripts/evaluate_correction.py [--lines 1000] [--data .cache/data] [--lexicon FILE]

Lines of the split "check", of the half of its texts that is not fitted on, in held-out faces: prose
(damaged and clean), numbers and Latin; with --data verse and names as well. Each way of decoding is
measured without and with the dictionary: its edits one by one (right ones take errors of the line
away, wrong ones add some), and the difference in character errors with its paired interval.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from odia_ocr.correct.calibrate import Calibration
from odia_ocr.correct.dictionary import Dictionary, load_dictionary
from odia_ocr.data.lines import LineRenderer, make_renderer
from odia_ocr.data.recipe import CLEAN
from odia_ocr.data.texts import TextPool, load_pool, read_text_lines, split_lines
from odia_ocr.evaluate.scores import compare_lines, count_line
from odia_ocr.language import ALPHABET, count_edits, fold, normalise
from odia_ocr.recognize.ctc import load
from odia_ocr.train.correction import CorrectionTally, Judged
from odia_ocr.train.correction_lines import DAMAGED, RUNNING, KnownLine, read_lines, take_half

SEED = 6100
SMALLER = 0.3  # of the lines asked for, in sets other than prose
_NUMBERS = replace(RUNNING, running=0.0, numbers=1.0)
_LATIN = replace(RUNNING, running=0.0, latin=1.0)
_SOURCES = {"verse": ("bhagabata", "poems"), "names": ("cldr",)}


@dataclass(frozen=True, slots=True)
class Measured:
    """One set, one way of decoding."""

    set: str
    decoding: str
    lines: int
    right: int
    neutral: int
    wrong: int
    errors_before: int
    errors_after: int
    cer_before: float
    cer_after: float
    difference: tuple[float, float, float]
    p: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--lines", type=int, default=1000)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--lexicon", type=Path, help="instead of the shipped one")
    parser.add_argument("--threshold", type=float, help="instead of the fitted ones")
    parser.add_argument("--json", type=Path, help="write the figures there")
    options = parser.parse_args()
    recognizer = load(threads=1)
    rows = []
    for name, renderer in open_sets(options.data).items():
        count = options.lines if name == "prose" else round(SMALLER * options.lines)
        for decoding, lines in read_lines(recognizer, renderer, count).items():
            dictionary = load_dictionary(
                decoding, path=options.lexicon, threshold=options.threshold
            )
            if dictionary is not None:
                rows.append(measure(name, decoding, lines, dictionary))
                print(tell(rows[-1]), flush=True)
    if options.json:
        options.json.write_text(json.dumps([asdict(row) for row in rows], indent=1) + "\n")


def open_sets(data: Path | None) -> dict[str, LineRenderer]:
    """The sets, by name."""
    pool = take_half(load_pool("check"), 1)

    def draw(seed: int, recipe=DAMAGED, mix=RUNNING, pool: TextPool = pool) -> LineRenderer:
        return make_renderer(split="check", seed=SEED + seed, recipe=recipe, mix=mix, pool=pool)

    sets = {
        "prose": draw(1),
        "clean": draw(6, recipe=CLEAN),
        "numbers": draw(4, mix=_NUMBERS),
        "latin": draw(5, mix=_LATIN),
    }
    if data is not None:
        for seed, (name, files) in enumerate(_SOURCES.items(), 2):
            lines = tuple(list_lines(data, files))
            own = take_half(TextPool(lines, pool.words, pool.latin), 1)
            sets[name] = draw(seed, pool=own)
    return sets


def list_lines(data: Path, files: tuple[str, ...]) -> Iterator[str]:
    """Check lines of texts, normalised, that can be drawn."""
    for name in files:
        for path in sorted((data / "text").glob(f"*/{name}.txt")):
            for line in map(normalise, split_lines(read_text_lines(path), "check")):
                if line and all(char in ALPHABET for char in line):
                    yield line


def measure(name: str, decoding: str, lines: list[KnownLine], dictionary: Dictionary) -> Measured:
    """Edits one by one, and all lines without and with the dictionary."""
    edits: list[Judged] = []
    before, after = [], []
    for line in lines:
        plain = Calibration()(line.cands)
        reading = dictionary(line.cands, plain)
        before.append(count_line(line.truth, plain.text))
        after.append(count_line(line.truth, reading.text))
        for edit in reading.edits:
            alone = plain.text[: edit.start] + edit.after + plain.text[edit.end :]
            more = count_edits(fold(line.truth), fold(alone)).edits - before[-1].chars.edits
            edits.append(Judged(1.0, more))
    tally = CorrectionTally.of(edits)
    gap = compare_lines(after, before).cer
    errors = [sum(counts.chars.edits for counts in some) for some in (before, after)]
    length = max(1, sum(counts.chars.length for counts in before))
    return Measured(
        name,
        decoding,
        len(lines),
        tally.right,
        tally.neutral,
        tally.wrong,
        *errors,
        *(count / length for count in errors),
        (gap.value, gap.low, gap.high),
        gap.p,
    )


def tell(row: Measured) -> str:
    """One line for a person."""
    made = row.right + row.neutral + row.wrong
    relative = 100 * (row.errors_after / max(1, row.errors_before) - 1)
    low, high = (100 * value for value in row.difference[1:])
    return (
        f"{row.set:8} {row.decoding:5} n={row.lines}: {made} edits, {row.right} right, "
        f"{row.neutral} neutral, {row.wrong} wrong; errors {row.errors_before} -> "
        f"{row.errors_after} ({relative:+.1f} %), CER {100 * row.cer_before:.3f} -> "
        f"{100 * row.cer_after:.3f} %, difference {low:+.3f} .. {high:+.3f} points, p {row.p:.4f}"
    )


if __name__ == "__main__":
    main()
