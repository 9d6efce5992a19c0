"""How often the true text of a line is among the readings that the review page offers for it.

    python scripts/measure_rivals.py LINES [--preset balanced]...

LINES holds NAME.png with NAME.gt.txt, e.g. of `odia-ocr render lines --split heldout`. Counted are
the lines that were read wrongly: true text under the first key, under the first three, under any of
nine; with single places changed alone, and with the N best of the whole line before them.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass, field
from pathlib import Path

from odia_ocr.apps.presets import DEFAULT_PRESET, PRESETS
from odia_ocr.apps.serve.nbest import find_others, widen
from odia_ocr.apps.serve.review import list_rivals
from odia_ocr.evaluate.lineset import read_line_set
from odia_ocr.language import normalise
from odia_ocr.pipeline import open_reader
from odia_ocr.types import Reading

KEYS = (1, 3, 9)


@dataclass
class Counts:
    """Lines of a preset.

    Attributes:
        lines, wrong: All of them; those read wrongly.
        places: Of the wrong ones, true text among the first 1, 3, 9 single places changed.
        nbest: The same with the N best of the whole line before them.
        milliseconds: The N best of a line take, processor time, one thread.
    """

    preset: str
    lines: int = 0
    wrong: int = 0
    places: dict[int, int] = field(default_factory=lambda: dict.fromkeys(KEYS, 0))
    nbest: dict[int, int] = field(default_factory=lambda: dict.fromkeys(KEYS, 0))
    milliseconds: float = 0.0


def count(preset: str, folder: Path) -> Counts:
    reader = open_reader(PRESETS[preset], threads=1)
    wide = widen(reader.recognizer)
    assert wide is not None
    counts = Counts(preset)
    spent = 0.0
    for line in read_line_set(folder).samples:
        image = line.load()
        (reading,) = reader.lines.read_lines([image])
        counts.lines += 1
        truth = normalise(line.text)
        if not isinstance(reading, Reading) or reading.text == truth:
            continue
        counts.wrong += 1
        began = time.process_time()
        others = find_others(wide, image, reading.text)
        spent += time.process_time() - began
        for found, rivals in (
            (counts.places, list_rivals(reading)),
            (counts.nbest, list_rivals(reading, others)),
        ):
            texts = [rival.text for rival in rivals]
            for most in KEYS:
                found[most] += truth in texts[:most]
    counts.milliseconds = round(1e3 * spent / max(1, counts.wrong), 1)
    return counts


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("lines", type=Path)
    parser.add_argument("--preset", action="append", choices=list(PRESETS))
    options = parser.parse_args()
    found = [count(preset, options.lines) for preset in options.preset or [DEFAULT_PRESET]]
    print("preset     lines  wrong  places: 1st, 3, 9   N best: 1st, 3, 9   ms a line")
    for one in found:
        places, nbest = (", ".join(map(str, each.values())) for each in (one.places, one.nbest))
        print(
            f"{one.preset:10} {one.lines:5}  {one.wrong:5}  {places:18}  {nbest:18}  "
            f"{one.milliseconds:9}"
        )


if __name__ == "__main__":
    main()
