"""Kill a server in mid-work again and again, and count what was lost or doubled.

    python benchmarks/serve_kills.py [--kills 10] [--seed 11] [--json docs/reports/serve-kills.json]

In each life the server is sent new jobs of several pages, and killed (SIGKILL) at a random moment
after it has kept a page. In the last one all jobs must end. A job is lost when the server took it
on and does not know it, or has not all of its pages; doubled when there is one more than was sent,
or a page stands twice in its text. Texts are compared with those of an undisturbed server.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import random
import signal
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from loopback import LONGEST, Served, run_server, start_server, stop_server
from PIL import Image

ROOT = Path(__file__).resolve().parents[1]
PAGES = 5  # of a job
JOBS = 2  # sent in each life
LONGEST_DELAY = 0.6  # seconds between a page that was kept and the kill


@dataclass(frozen=True)
class Outcome:
    """What became of the jobs.

    Attributes:
        kills: How often the server was killed.
        killed_in_work: Of these, how often pages were still to be read.
        jobs: Taken on.
        pages: In all of them.
        lost: Jobs that are not known or not done, or lack pages.
        doubled: Jobs that nobody sent, and pages that stand twice.
        differing: Jobs whose text is not that of an undisturbed server.
        seconds: The whole run.
    """

    kills: int
    killed_in_work: int
    jobs: int
    pages: int
    lost: int
    doubled: int
    differing: int
    seconds: float


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--seed", type=int, default=11)
    parser.add_argument("--json", type=Path, default=ROOT / "docs/reports/serve-kills.json")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="odia-ocr-kills-") as name:
        outcome = kill_often(Path(name), options.kills, options.seed)
    record = {"schema": 1, "seed": options.seed, **asdict(outcome)}
    record["load_average"] = round(os.getloadavg()[0], 2)
    options.json.parent.mkdir(parents=True, exist_ok=True)
    options.json.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(record))
    return int(outcome.lost + outcome.doubled + outcome.differing > 0)


def kill_often(folder: Path, kills: int, seed: int) -> Outcome:
    """Kill a server so often, then let it finish.

    Args:
        folder: Empty; the servers' folders are made in it.
        kills: How often.
        seed: Of pages and moments.
    """
    began = time.perf_counter()
    dice = random.Random(seed)
    sheet = Image.open(ROOT / "samples/page.png").convert("L")
    sent: dict[str, bytes] = {}
    in_work = 0
    for _ in range(kills):
        served = start_server(folder / "killed")
        try:
            before = count_read(served)
            for _ in range(JOBS):
                content = draw_book(sheet, dice)
                sent[send_job(served, content)] = content
            wait_for_page(served, before)
            time.sleep(dice.uniform(0.0, LONGEST_DELAY))
            in_work += count_read(served) < PAGES * len(sent)
        finally:
            served.client.close()
            os.kill(served.process.pid, signal.SIGKILL)
            served.process.wait()
    served = start_server(folder / "killed")
    try:
        states = {job: wait_unless_gone(served, job) for job in sent}
        known = [str(job["id"]) for job in list_jobs(served)]
        texts = {job: fetch_text(served, job) for job, state in states.items() if state == "done"}
    finally:
        stop_server(served)
    with run_server(folder / "undisturbed") as served:
        wanted = {job: read_undisturbed(served, content) for job, content in sent.items()}
    return Outcome(
        kills=kills,
        killed_in_work=in_work,
        jobs=len(sent),
        pages=PAGES * len(sent),
        lost=sum(texts.get(job, "").count("\f") < PAGES - 1 for job in sent),
        doubled=len(known) - len(set(known) & set(sent)) + count_doubled(texts),
        differing=sum(text != wanted[job] for job, text in texts.items()),
        seconds=round(time.perf_counter() - began, 1),
    )


def draw_book(sheet: Image.Image, dice: random.Random) -> bytes:
    """A TIFF of different parts of the sample page."""
    pages = []
    for _ in range(PAGES):
        top = dice.randint(0, sheet.height - 400)
        pages.append(sheet.crop((0, top, sheet.width, top + 400)))
    stream = io.BytesIO()
    pages[0].save(stream, "TIFF", save_all=True, append_images=pages[1:])
    return stream.getvalue()


def send_job(served: Served, content: bytes) -> str:
    answer = served.client.post("/v1/jobs", files={"file": ("book.tif", content)})
    answer.raise_for_status()
    return str(answer.json()["id"])


def list_jobs(served: Served) -> list[Mapping[str, Any]]:
    answer = served.client.get("/v1/jobs", params={"limit": 100})
    answer.raise_for_status()
    jobs: list[Mapping[str, Any]] = answer.json()["jobs"]
    return jobs


def count_read(served: Served) -> int:
    """Pages kept of all jobs."""
    return sum(int(job["pages"]["read"]) for job in list_jobs(served))


def wait_for_page(served: Served, before: int) -> None:
    deadline = time.monotonic() + LONGEST
    while count_read(served) <= before:
        if time.monotonic() > deadline:
            raise TimeoutError("no page was read")
        time.sleep(0.02)


def wait_unless_gone(served: Served, job: str) -> str:
    if served.client.get(f"/v1/jobs/{job}").status_code == 404:
        return "unknown"
    return served.wait_for_job(job)


def fetch_text(served: Served, job: str) -> str:
    answer = served.client.get(f"/v1/jobs/{job}/result", params={"format": "txt"})
    answer.raise_for_status()
    return answer.text


def read_undisturbed(served: Served, content: bytes) -> str:
    answer = served.client.post(
        "/v1/read", params={"format": "txt"}, files={"file": ("book.tif", content)}
    )
    answer.raise_for_status()
    return answer.text


def count_doubled(texts: Mapping[str, str]) -> int:
    """Pages more than the jobs have."""
    return sum(max(0, text.count("\f") + 1 - PAGES) for text in texts.values())


if __name__ == "__main__":
    sys.exit(main())
