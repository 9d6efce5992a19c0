"""A page of a browser as tests use it; see the fixtures `browser`, `site` and `tab`."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

from servers import wait_for

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
OK = 60_000  # milliseconds to wait at most


class Tab:
    """A page of the browser; what it asked for and complained about is kept."""

    def __init__(self, page: Any, base: str) -> None:
        self.page = page
        self.base = base
        self.hosts: set[str] = set()
        self.complaints: list[str] = []
        page.set_default_timeout(OK)
        page.on("request", lambda request: self.hosts.add(urlparse(request.url).netloc))
        page.on("console", lambda said: said.type == "error" and self.complaints.append(said.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def open_document(self, path: Path) -> str:
        """Send a document and wait for its lines; gives the job's name."""
        self.page.goto(self.base)
        self.page.set_input_files("#files", path)
        self.page.wait_for_selector(".line.current")
        return re.search(r"[0-9a-f]{32}", self.page.url)[0]  # type: ignore[index]

    def text_of(self, number: int) -> str:
        """The field of a line, counted from 1 on the page."""
        return self.field(number).input_value()

    def field(self, number: int) -> Any:
        return self.page.locator(f'textarea[aria-label^="Line {number} of"]')

    def wait_saved(self) -> None:
        self.until("document.getElementById('saved').textContent === 'Saved'")

    def wait_page(self, number: int) -> None:
        self.until(f"document.getElementById('picture').alt === 'Page {number} as scanned'")

    def until(self, holds: str) -> None:
        """Wait until JavaScript holds; from here, for the page's policy forbids `eval`."""
        wait_for(lambda: self.page.evaluate(holds))

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)

    def tab_to(self, selector: str, *, backwards: bool = False) -> None:
        """Move the focus with the Tab key alone."""
        for _ in range(80):
            if self.page.evaluate("(s) => document.activeElement.matches(s)", selector):
                return
            self.press("Shift+Tab" if backwards else "Tab")
        raise AssertionError(f"the Tab key does not come to {selector}")

    def current(self) -> str:
        """The label of what has the focus."""
        return self.page.evaluate("document.activeElement.getAttribute('aria-label')") or ""


def check_access(page: Any) -> None:
    """Labels, contrast, order, names of controls: what axe-core finds wrong."""
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
