"""Feed a server small pages for long, and watch its memory.

    python scripts/soak.py [--pages 2000] [--json FILE] [--svg FILE]

The pages are parts of the sample page, of many sizes and kinds, drawn from a seed; each is a
request of its own, and every tenth a job that is asked for and removed. The resident memory of the
server's process is noted every few pages. Growth is the median of the last tenth over the median
of as many pages after the first 200, in which models and pools are still being opened. The script
ends with 1 where memory grew too much, a page failed or a file was left behind.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import platform
import random
import statistics
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "benchmarks"))

from loopback import Served, count_left_behind, run_server  # noqa: E402

WARM_PAGES = 200
MOST_GROWTH = 0.05
KINDS = ("PNG", "JPEG", "TIFF", "WEBP")
FORMATS = ("txt", "json", "hocr", "alto", "page", "md", "pdf")


@dataclass(frozen=True)
class Sample:
    """Resident memory of the server after so many pages."""

    pages: int
    seconds: float
    resident_bytes: int


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pages", type=int, default=2000)
    parser.add_argument("--preset", default="fast")
    parser.add_argument("--at-once", type=int, default=2, help="requests under way")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--json", type=Path, default=ROOT / "docs/reports/soak.json")
    parser.add_argument("--svg", type=Path, default=ROOT / "docs/reports/soak.svg")
    options = parser.parse_args()
    if options.pages < 4 * WARM_PAGES:
        parser.error(f"--pages: at least {4 * WARM_PAGES}, or growth cannot be told")
    dice = random.Random(options.seed)
    sheet = Image.open(ROOT / "samples/page.png").convert("L")
    every = max(1, options.pages // 400)
    samples: list[Sample] = []
    failed = 0
    with (
        tempfile.TemporaryDirectory(prefix="odia-ocr-soak-") as name,
        run_server(Path(name) / "serve") as served,
        ThreadPoolExecutor(options.at_once) as pool,
    ):
        began = time.perf_counter()
        for done in range(0, options.pages, every):
            count = min(every, options.pages - done)
            numbers = range(done, done + count)
            pages = [(number, draw_page(sheet, dice), dice.choice(FORMATS)) for number in numbers]
            read = pool.map(lambda page: send(served, *page, options.preset), pages)
            failed += sum(not good for good in read)
            seconds = round(time.perf_counter() - began, 2)
            samples.append(Sample(done + count, seconds, served.resident_bytes()))
            if done // every % 20 == 0:
                size = samples[-1].resident_bytes / 1e6
                print(f"{done + count} pages, {seconds:.0f} s, {size:.0f} MB", flush=True)
        left = count_left_behind(Path(name) / "serve")
    growth = measure_growth(samples)
    report = {
        "schema": 1,
        "pages": options.pages,
        "failed": failed,
        "files_left": left,
        "preset": options.preset,
        "at_once": options.at_once,
        "seed": options.seed,
        "seconds": samples[-1].seconds,
        "growth": round(growth, 4),
        "growth_second_half": round(measure_growth(samples, after=options.pages // 2), 4),
        "most_growth": MOST_GROWTH,
        "warm_pages": WARM_PAGES,
        "peak_bytes": max(sample.resident_bytes for sample in samples),
        "load_average": round(os.getloadavg()[0], 2),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "samples": [[s.pages, s.seconds, s.resident_bytes] for s in thin(samples, 100)],
    }
    options.json.parent.mkdir(parents=True, exist_ok=True)
    options.json.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    options.svg.write_text(draw_curve(samples), encoding="utf-8")
    print(f"{options.pages} pages, {failed} failed, {left} files left, memory {growth:+.1%}")
    return int(growth >= MOST_GROWTH or failed > 0 or left > 0)


def draw_page(sheet: Image.Image, dice: random.Random) -> tuple[str, bytes]:
    """A part of the sample page, as a file of some kind."""
    width = dice.randint(250, 600)
    height = dice.randint(70, 240)
    left = dice.randint(0, sheet.width - width)
    top = dice.randint(0, sheet.height - height)
    kind = dice.choice(KINDS)
    stream = io.BytesIO()
    sheet.crop((left, top, left + width, top + height)).save(stream, kind)
    return f"page.{kind.lower()}", stream.getvalue()


def send(served: Served, number: int, page: tuple[str, bytes], form: str, preset: str) -> bool:
    """Read a page through the server; True when it was read."""
    if number % 10:
        answer = served.client.post(
            "/v1/read", params={"format": form, "preset": preset}, files={"file": page}
        )
        return answer.status_code == 200 and "x-failed-pages" not in answer.headers
    answer = served.client.post("/v1/jobs", params={"preset": preset}, files={"file": page})
    if answer.status_code != 202:
        return False
    state = served.wait_for_job(answer.json()["id"])
    path = f"/v1/jobs/{answer.json()['id']}"
    result = served.client.get(f"{path}/result", params={"format": form})
    removed = served.client.delete(path)
    return state == "done" and result.status_code == removed.status_code == 200


def measure_growth(samples: list[Sample], *, after: int = WARM_PAGES) -> float:
    """Share by which memory grew after so many pages."""
    part = samples[-1].pages // 10
    early = [s for s in samples if after < s.pages <= after + part]
    late = [s for s in samples if s.pages > samples[-1].pages - part]
    before, after = (statistics.median(s.resident_bytes for s in some) for some in (early, late))
    return after / before - 1.0


def thin(samples: list[Sample], most: int) -> list[Sample]:
    """At most so many of them, evenly, the last one among them."""
    step = -(-len(samples) // most)
    return samples[::-1][::step][::-1]


def draw_curve(samples: list[Sample]) -> str:
    """Memory over pages as SVG, without a plotting library."""
    width, height, left, bottom = 800, 300, 70, 40
    long = samples[-1].pages
    most = 1.1 * max(sample.resident_bytes for sample in samples)

    def place(pages: float, size: float) -> str:
        across = left + pages / long * (width - left - 20)
        down = height - bottom - size / most * (height - bottom - 20)
        return f"{across:.1f},{down:.1f}"

    points = " ".join(place(s.pages, s.resident_bytes) for s in thin(samples, 200))
    warm_x = place(WARM_PAGES, 0).split(",")[0]
    marks = "".join(
        f'<text x="{left - 8}" y="{place(0, size).split(",")[1]}" text-anchor="end">'
        f"{size / 1e6:.0f} MB</text>"
        for size in (0.0, most / 2.2, most / 1.1)
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}"'
        ' font-family="sans-serif" font-size="12">'
        f'<rect width="{width}" height="{height}" fill="#fff"/>'
        f'<path d="M{left} 20V{height - bottom}H{width - 20}" fill="none" stroke="#888"/>'
        f'<path d="M{warm_x} 20V{height - bottom}" stroke="#bbb" stroke-dasharray="4 4"/>'
        f'<text x="{warm_x}" y="14" text-anchor="middle">{WARM_PAGES} pages</text>'
        f'<polyline points="{points}" fill="none" stroke="#a8481f" stroke-width="1.5"/>{marks}'
        f'<text x="{width - 20}" y="{height - 18}" text-anchor="end">{long} pages</text></svg>\n'
    )


if __name__ == "__main__":
    sys.exit(main())
