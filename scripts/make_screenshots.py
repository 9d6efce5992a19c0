"""Screenshots of the review page for the README, of the sample page, in docs/screenshots/.

Needs Chromium and the extras serve and dev. Run: python scripts/make_screenshots.py
"""

from __future__ import annotations

import io
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from PIL import Image

ROOT = Path(__file__).resolve().parents[1]
SAMPLE = ROOT / "samples" / "page.png"
OUT = ROOT / "docs" / "screenshots"
LARGEST = 150_000  # bytes


@contextmanager
def run_server() -> Iterator[str]:
    """A server on a free port and an empty folder; gives its address."""
    with tempfile.TemporaryDirectory() as folder:
        process = subprocess.Popen(
            [sys.executable, "-m", "odia_ocr", "serve", "--port", "0", "--folder", folder],
            stderr=subprocess.PIPE,
            text=True,
        )
        assert process.stderr is not None
        try:
            yield json.loads(process.stderr.readline())["url"]
        finally:
            process.kill()
            process.wait()


def save(page: Any, name: str) -> None:
    """Write what the browser shows, with no more colours than a small file holds, rare ones too."""
    shot = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    path = OUT / f"{name}.png"
    for colours in (256, 128, 64, 32):
        shot.quantize(colours, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE).save(
            path, optimize=True
        )
        if path.stat().st_size <= LARGEST:
            print(f"{path.relative_to(ROOT)}: {path.stat().st_size / 1000:.0f} kB")
            return
    sys.exit(f"{path} has {path.stat().st_size} bytes, more than {LARGEST}.")


def open_sample(page: Any, url: str) -> None:
    page.goto(url)
    page.set_input_files("#files", SAMPLE)
    page.wait_for_selector(".line.current")
    page.wait_for_load_state("networkidle")


def take(browser: Any, url: str) -> None:
    page = browser.new_page(viewport={"width": 1280, "height": 800})
    open_sample(page, url)
    fields = page.locator("textarea")
    for number in (1, 2):
        fields.nth(number).press("Enter")
    fields.nth(0).focus()  # the least sure line
    page.wait_for_timeout(700)  # scrolling and saving come to rest
    save(page, "review")
    page.emulate_media(color_scheme="dark")
    page.wait_for_timeout(200)
    save(page, "review-dark")
    page.set_viewport_size({"width": 390, "height": 844})
    page.emulate_media(color_scheme="light")
    page.wait_for_timeout(700)
    save(page, "review-phone")
    page.set_viewport_size({"width": 1280, "height": 800})
    page.goto(f"{url}/docs")
    page.wait_for_selector("article")
    save(page, "api")


def main() -> None:
    from playwright.sync_api import sync_playwright

    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        sys.exit("Chromium is not installed: apt-get install chromium")
    OUT.mkdir(parents=True, exist_ok=True)
    with run_server() as url, sync_playwright() as play:
        browser = play.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        take(browser, url)
        browser.close()


if __name__ == "__main__":
    main()
