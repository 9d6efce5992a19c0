"""Fit the confidence of the shipped recognizers and store it in the shipped model file.

    python scripts/fit_confidence.py [--lines 6000] [--only beam] [--only path] [--only joint]
    python scripts/fit_confidence.py --vlm tiny --lines 1000

On rendered lines of the split "check": the default engine (beam), `ctc-fast` (path) and `ctc-best`
(joint), each as it ships. How good the fit is, `scripts/measure_confidence.py` tells on others.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from pathlib import Path

from odia_ocr.recognize import open_recognizer
from odia_ocr.recognize.vlm.naming import VlmName, find_base
from odia_ocr.recognize.vlm.reader import CONFIDENCE
from odia_ocr.runtime import find_weights
from odia_ocr.train.confidence import fit_confidence, store_calibration

ENGINES = {"beam": "ctc", "path": "ctc-fast", "joint": "ctc-best"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--lines", type=int, default=6000)
    parser.add_argument("--only", action="append", choices=list(ENGINES))
    parser.add_argument("--vlm", metavar="MODEL", help="fit a vision-language model instead")
    options = parser.parse_args()
    if options.vlm:
        fit = fit_confidence(open_recognizer(f"vlm:{options.vlm}", threads=1), count=options.lines)
        name = VlmName.parse(options.vlm)
        folder = Path(name.adapters[0]) if name.adapters else find_base(name.base)
        text = json.dumps(asdict(fit), indent=1) + "\n"
        (folder / CONFIDENCE).write_text(text, encoding="utf-8")
        print(f"{options.vlm}: {fit}")
        return
    for decoding in options.only or ENGINES:
        fit = fit_confidence(open_recognizer(ENGINES[decoding]), count=options.lines)
        store_calibration(find_weights("ctc"), {decoding: fit})
        print(f"{decoding}: {fit}")


if __name__ == "__main__":
    main()
