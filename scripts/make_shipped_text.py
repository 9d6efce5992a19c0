"""Write the two small text files that ship: held-out lines for reporting and a training sample.

    python scripts/make_shipped_text.py DATA

DATA holds text/**/*.txt. Only the open tier is shipped; sources are listed in THIRD_PARTY.md.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from odia_ocr.data.texts import SHIPPED, NearCopies, is_heldout, read_text_lines
from odia_ocr.language import ALPHABET, normalise

SOURCES = ("mann-ki-baat", "common-voice", "wikipedia", "ud-odtb", "cldr", "bible-irv", "bhagabata")
HELDOUT_BYTES = {"bible-irv": 30_000, "bhagabata": 20_000, "cldr": 15_000}
TRAIN_BYTES = {"bible-irv": 30_000, "bhagabata": 25_000, "cldr": 20_000, "wikipedia": 60_000}


def choose_lines(lines: list[str], budget: int, rng: np.random.Generator) -> list[str]:
    """Random lines, in file order, up to `budget` bytes."""
    chosen: list[int] = []
    for i in rng.permutation(len(lines)):
        size = len(lines[i].encode()) + 1
        if size <= budget:
            chosen.append(int(i))
            budget -= size
    return [lines[i] for i in sorted(chosen)]


def is_usable(line: str) -> bool:
    """Long enough to draw, every character in the alphabet."""
    text = normalise(line)
    return len(text) >= 12 and all(char in ALPHABET for char in text)


def main() -> None:
    folder = Path(sys.argv[1]) / "text" / "open"
    rng = np.random.default_rng(7)
    sources = {name: read_text_lines(folder / f"{name}.txt") for name in SOURCES}
    every_heldout = [line for lines in sources.values() for line in lines if is_heldout(line)]
    held, train = [], []
    # Held-out lines that have a near-copy in any text that may be trained on would measure memory.
    everything = sorted((Path(sys.argv[1]) / "text").rglob("*.txt"))
    trained = NearCopies(
        line for path in everything for line in read_text_lines(path) if not is_heldout(line)
    )
    for name, lines in sources.items():
        usable = [line for line in lines if is_usable(line)]
        own = [line for line in usable if is_heldout(line) and line not in trained]
        held += choose_lines(own, HELDOUT_BYTES.get(name, 65_000), rng)
    copies = NearCopies(every_heldout)
    for name, lines in sources.items():
        usable = [line for line in lines if is_usable(line) and not is_heldout(line)]
        some = choose_lines(usable, TRAIN_BYTES.get(name, 50_000), rng)
        train += [line for line in some if line not in copies]
    SHIPPED.mkdir(parents=True, exist_ok=True)
    (SHIPPED / "heldout.txt").write_text("\n".join(held) + "\n", encoding="utf-8")
    (SHIPPED / "train.txt").write_text("\n".join(train) + "\n", encoding="utf-8")
    print(f"held out: {len(held)} lines; training sample: {len(train)} lines")


if __name__ == "__main__":
    main()
