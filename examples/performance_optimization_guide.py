"""Run the techniques on a few rendered lines, one by one, and see what each does.

    python examples/performance_optimization_guide.py          all that run without further models
    python examples/performance_optimization_guide.py 2B-3     one of them, with its code

The sample is far too small to judge by: `odia-ocr techniques` shows what the shipped campaign
measured, `odia-ocr campaign run` measures on your own lines.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from odia_ocr.campaign.cache import Store
from odia_ocr.campaign.catalogue import TECHNIQUES, find_techniques
from odia_ocr.campaign.config import SetOrder
from odia_ocr.campaign.engines import Engines
from odia_ocr.campaign.fitting import fit_technique
from odia_ocr.campaign.guide import record_guide, show_measurement
from odia_ocr.campaign.measure import Comparison, Scorer
from odia_ocr.campaign.reader import StackReader
from odia_ocr.campaign.sets import open_bench
from odia_ocr.campaign.sources import SourceReader
from odia_ocr.campaign.techniques import Means, Technique
from odia_ocr.errors import OdiaOcrError
from odia_ocr.evaluate.scores import Bootstrap

SAMPLE = SetOrder(recipe="degraded", lines_per_family=3, seed=4242)


def open_sample(cache: Path) -> Scorer:
    """A scorer of a few damaged lines."""
    reader = StackReader(SourceReader(Engines(), Store(cache / "steps", print)))
    return Scorer(reader, open_bench(SAMPLE, cache), Bootstrap(resamples=1000))


def show_technique(technique: Technique, scorer: Scorer, *, code: bool) -> None:
    """Tell about a technique, and run it on the sample."""
    print(f"\n{technique.id}  {technique.name}\n    {technique.what}\n    {technique.when}")
    (entry,) = record_guide([technique])
    print(f"    Shipped campaign: {show_measurement(entry)}")
    means = Means()
    hindrance = technique.why or technique.need(means)
    if hindrance:
        print(f"    Not run here: {hindrance}")
    else:
        defaults = {name: choices[:1] for name, choices in technique.grid.items()}
        fitted = fit_technique(technique, scorer, means, defaults)
        show_effect(scorer.compare(fitted.before, fitted.after))
    if code:
        print("\n" + technique.example)


def show_effect(pair: Comparison) -> None:
    """Figures of the sample, and the first line that is read in another way."""
    before, after = pair.before, pair.after
    print(
        f"    Sample of {before.scores.n} lines: CER {100 * before.scores.cer.value:.2f} -> "
        f"{100 * after.scores.cer.value:.2f} %, "
        f"{1000 * before.readings.seconds_per_line:.1f} -> "
        f"{1000 * after.readings.seconds_per_line:.1f} ms a line"
    )
    pairs = zip(before.readings.texts, after.readings.texts, strict=True)
    for one, other in pairs:
        if one != other:
            print(f"    - {one}\n    + {other}")
            break


def main(arguments: list[str] | None = None) -> int:
    """Run the guide; gives the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else "")
    parser.add_argument("id", nargs="?", help="a technique, e.g. 2A-1; all when left out")
    chosen = parser.parse_args(arguments).id
    try:
        techniques = find_techniques(chosen) if chosen else tuple(TECHNIQUES.values())
        with tempfile.TemporaryDirectory() as folder:
            scorer = open_sample(Path(folder))
            for technique in techniques:
                show_technique(technique, scorer, code=chosen is not None)
    except OdiaOcrError as error:
        print(f"performance_optimization_guide: {error}", file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
