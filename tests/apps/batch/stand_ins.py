"""What stands in for reading in worker processes: quick, and ill-behaved where a page asks for it.

What a page does is told by the name of its file: `crash`, `hang`, `raise`, `once` (fails its first
time), `slow`. Run as a program it is a batch that a test may kill: OUT, LOG, WORKERS, INPUT ...;
with RAY=local or RAY=HOST:PORT in its environment, on a cluster.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from odia_ocr.apps.batch.kept_page import pack_page
from odia_ocr.apps.batch.plan import BatchPlan, RayPlan, run_batch
from odia_ocr.apps.batch.reading import ReadingSettings
from odia_ocr.apps.batch.runner import Counted, PageRead
from odia_ocr.errors import ModelMissingError, PictureError
from odia_ocr.export.formats import FORMATS
from odia_ocr.types import Line, Page, Problem, Reading

PAGES = 4


@dataclass(frozen=True)
class OpenStandIn:
    """Opens a stand-in that notes each page it begins in a file of `log`.

    Beside `log` a folder `workers`, if there is one, gets a file named by its process id.
    """

    log: Path
    fault: str = ""

    def __call__(self):
        if self.fault == "missing":
            raise ModelMissingError("No model.", next_step="Get one.")
        if self.fault == "dies":
            os._exit(7)
        workers = self.log.parent / "workers"
        if workers.exists():
            (workers / str(os.getpid())).touch()
        return self.do

    def do(self, task):
        name = task.path.name
        if task.number is None:
            if not task.path.read_bytes():
                raise PictureError(f"{task.name}: the file is empty.", next_step="Copy it again.")
            return Counted(tuple(range(1, PAGES + 1)), (Problem("odd", "An odd file."),))
        begun = self.log / f"{name}-{task.number}"
        first = not begun.exists()
        with begun.open("a") as stream:
            stream.write("x")
        if "slow" in name:
            time.sleep(0.02)
        if task.number == 2:
            if "crash" in name:
                os.kill(os.getpid(), signal.SIGKILL)
            if "hang" in name:
                time.sleep(600)
            if "raise" in name or ("once" in name and first):
                raise ValueError("a page that raises")
        return PageRead(pack_page(make_page(task.name, task.number)))


def make_page(name, number):
    box = ((1.5, 2.0), (90.0, 2.0), (90.0, 20.0), (1.5, 20.0))
    lines = tuple(
        Line(f"p{number:04d}-l{i:03d}", box, reading=Reading(f"ପୃଷ୍ଠା {number} {i}", 0.1 * i + 0.05))
        for i in range(1, 4)
    )
    return Page(name, number, (100, 200), lines=lines)


def run(out, inputs, log, *, workers=2, formats=("txt", "json"), fault="", **options):
    plan = BatchPlan(
        inputs=tuple(map(str, inputs)),
        folder=out,
        reading=ReadingSettings(),
        formats=tuple(FORMATS[name] for name in formats),
        workers=workers,
        **options,
    )
    return run_batch(plan, open_work=OpenStandIn(log, fault))


if __name__ == "__main__":
    _, out, log, workers, *inputs = sys.argv
    ray = os.environ.get("RAY")
    plan = None if ray is None else RayPlan(None if ray == "local" else ray, fewest=int(workers))
    sys.exit(run(Path(out), inputs, Path(log), workers=int(workers), ray=plan))
