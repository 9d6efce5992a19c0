"""Fit the confidence of the shipped recognizers and store it in the shipped model file.

    python scripts/fit_confidence.py [--lines 6000] [--only beam] [--only path] [--only joint]

On rendered lines of the split "check": the default engine (beam), `ctc-fast` (path) and `ctc-best`
(joint), each as it ships. How good the fit is, `scripts/measure_confidence.py` tells on others.
"""

from __future__ import annotations

import argparse

from odia_ocr.recognize import open_recognizer
from odia_ocr.runtime import find_weights
from odia_ocr.train.confidence import fit_confidence, store_calibration

ENGINES = {"beam": "ctc", "path": "ctc-fast", "joint": "ctc-best"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--lines", type=int, default=6000)
    parser.add_argument("--only", action="append", choices=list(ENGINES))
    options = parser.parse_args()
    for decoding in options.only or ENGINES:
        fit = fit_confidence(open_recognizer(ENGINES[decoding]), count=options.lines)
        store_calibration(find_weights("ctc"), {decoding: fit})
        print(f"{decoding}: {fit}")


if __name__ == "__main__":
    main()
