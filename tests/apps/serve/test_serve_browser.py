"""The review page in a browser, as people use it: in both themes, on a phone, with a key."""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from browsing import CHROMIUM, Tab, check_access
from PIL import Image
from servers import SAMPLE, running, wait_for

from odia_ocr.data.lineset import load_labelled

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")


@pytest.fixture
def server(site: Any) -> Any:
    """The client of the server that the browser shows."""
    return site


def test_a_document_is_read_corrected_reloaded_and_exported(
    tab: Tab, server: Any, tmp_path: Path
) -> None:
    job = tab.open_document(SAMPLE)
    page = tab.page
    assert page.locator(".line").count() == 8
    assert page.locator("#outlines polygon").count() == 8
    tab.until("document.getElementById('picture').naturalWidth > 0")
    tab.until("document.querySelector('.line-picture img').naturalWidth > 0")
    field = tab.field(1)
    field.fill("ନୂଆ  ଶିରୋନାମା")  # two spaces become one
    tab.wait_saved()
    field.press("Enter")
    tab.wait_saved()
    page.reload()
    page.wait_for_selector(".line.current")
    assert tab.text_of(1) == "ନୂଆ ଶିରୋନାମା"
    assert "Accepted" in page.locator(".line", has=tab.field(1)).locator(".badge").inner_text()
    assert page.locator("#tally").inner_text() == "1 of 8 accepted"
    for name, looks_right in (
        ("Text", lambda content: content.decode().startswith("ନୂଆ ଶିରୋନାମା\n")),
        ("hOCR", lambda content: "ଶିରୋନାମା</span>".encode() in content),
        ("ALTO XML", lambda content: 'CONTENT="ଶିରୋନାମା"'.encode() in content),
        ("Searchable PDF", lambda content: content.startswith(b"%PDF-")),
    ):
        assert looks_right(download(tab, name)), name
    archive = zipfile.ZipFile(io.BytesIO(download(tab, "Accepted lines for training")))
    archive.extractall(tmp_path / "lines")
    (line,) = load_labelled(tmp_path / "lines").lines
    assert line.text == "ନୂଆ ଶିରୋନାମା"
    assert line.read_grey().shape[1] > 200
    lines = server.get(f"/v1/jobs/{job}/pages/1").json()["lines"]
    history = server.get(f"/v1/jobs/{job}/pages/1/lines/{lines[0]['id']}/history").json()
    assert [change["state"] for change in history["changes"]] == ["edited", "accepted"]
    assert history["read"] == "ଛାପା ପୃଷ୍ଠାରୁ ଲେଖା"


def download(tab: Tab, name: str) -> bytes:
    tab.page.click("#export summary")
    with tab.page.expect_download() as waiting:
        tab.page.click(f"#export-items button:text-is('{name}')")
    return Path(waiting.value.path()).read_bytes()


def test_find_and_replace(tab: Tab, server: Any) -> None:
    job = tab.open_document(SAMPLE)
    tab.press("Control+h")
    tab.page.keyboard.type("ଭାଷା")
    assert tab.page.locator("#found").inner_text() == "2 on this page"
    tab.press("Enter")
    assert tab.current().startswith("Line 2 of")
    assert tab.page.evaluate("document.getSelection().toString()") in ("ଭାଷା", "")
    tab.page.fill("#replace-text", "ବୋଲି")
    tab.page.click("#replace-all")
    tab.until("document.getElementById('found').textContent === '2 replaced'")
    text = server.get(f"/v1/jobs/{job}/result", params={"format": "txt"}).text
    assert "ଭାଷା" not in text
    assert text.count("ବୋଲି") == 2


def test_pages_are_turned_and_changes_on_others_taken_back(
    tab: Tab, server: Any, tmp_path: Path
) -> None:
    book = tmp_path / "book.tif"
    line = Image.open(SAMPLE).crop((0, 95, 1000, 225))
    line.save(book, save_all=True, append_images=[line, line])
    job = tab.open_document(book)
    tab.press("Alt+PageDown")
    tab.wait_page(2)
    tab.field(1).fill("ଦ୍ୱିତୀୟ")
    tab.press("Alt+PageDown")  # what was typed is kept at once
    tab.wait_page(3)
    tab.wait_saved()
    result = f"/v1/jobs/{job}/result?format=txt"
    assert [page.strip() for page in server.get(result).text.split("\f")][1] == "ଦ୍ୱିତୀୟ"
    tab.press("Control+z")
    tab.wait_page(2)
    tab.wait_saved()
    pages = server.get(result).text.split("\f")
    assert len(pages) == 3
    assert len({page.strip() for page in pages}) == 1
    tab.press("Control+h")
    tab.page.keyboard.type("ଛାପା")
    tab.page.fill("#replace-text", "ଲେଖା")
    tab.page.check("#all-pages")
    tab.page.click("#replace-all")
    tab.until("document.getElementById('found').textContent === '3 replaced'")
    assert "ଛାପା" not in server.get(result).text


def test_zoom_and_outlines(tab: Tab) -> None:
    tab.open_document(SAMPLE)
    tab.page.locator("#viewport").focus()
    tab.press("+", "+")
    assert tab.page.locator("#zoom").inner_text() == "156 %"
    before = tab.page.evaluate("document.getElementById('viewport').scrollTop")
    tab.press("ArrowUp")
    assert tab.page.evaluate("document.getElementById('viewport').scrollTop") < before
    tab.press("0")
    assert tab.page.locator("#zoom").inner_text() == "100 %"
    tab.page.locator('#outlines polygon[data-line$="l007"]').first.click()
    assert re.match(r"Line \d of 8", tab.current())


def test_everybody_can_use_it(tab: Tab, faint: Path) -> None:
    tab.page.goto(tab.base)
    tab.until("document.getElementById('preset').options.length === 3")
    looks: list[Callable[[], Any]] = [
        lambda: None,
        lambda: tab.open_document(faint),
        lambda: tab.press("Control+h"),
        lambda: tab.press("Escape", "F1"),
        lambda: (tab.press("Escape"), tab.page.click(".brand"), tab.page.wait_for_selector(".job")),
        lambda: (tab.page.go_back(), tab.page.wait_for_selector(".line.current")),
    ]
    for look in looks:
        look()
        if look is looks[-1]:
            tab.page.set_viewport_size({"width": 390, "height": 800})
            tab.page.emulate_media(color_scheme="dark")
        check_access(tab.page)
        overhang = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        assert tab.page.evaluate(overhang) <= 0


def test_a_document_that_is_gone_is_told(tab: Tab) -> None:
    tab.open_document(SAMPLE)
    tab.page.evaluate("location.hash = '#job/' + '0'.repeat(32)")
    tab.until("document.getElementById('page-problem').textContent.includes('expired')")
    assert tab.page.locator(".line").count() == 0
    assert tab.page.locator("#document-name").inner_text() == ""
    assert len(tab.complaints) == 1  # the browser's own, of the answer 404
    tab.complaints.clear()


def test_the_description_of_the_api_is_drawn(tab: Tab) -> None:
    tab.page.goto(f"{tab.base}/docs")
    tab.page.wait_for_selector("article")
    text = tab.page.inner_text("main")
    assert "POST /v1/read" in text
    assert "curl -F file=@page.png" in text
    assert '"next_step"' not in text.split("POST /v1/jobs")[0]
    assert json.loads(tab.page.locator("article pre").nth(2).inner_text())["progress"]
    check_access(tab.page)


def test_documents_are_taken_before_the_presets_are_known(tab: Tab, server: Any) -> None:
    tab.page.route("**/v1/models", lambda route: None)  # never answered
    job = tab.open_document(SAMPLE)
    assert not tab.page.evaluate("document.getElementById('preset').value")
    assert server.get(f"/v1/jobs/{job}").json()["preset"] == "balanced"


def test_the_key_is_asked_for_once(browser: Any, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setenv("ODIA_OCR_API_KEY", "a-key-of-more-than-sixteen-characters")
    with running(tmp_path / "private") as (_, client):
        context = browser.new_context()
        tab = Tab(context.new_page(), str(client.base_url))
        tab.page.goto(tab.base)
        refused = "document.getElementById('key-refused').hidden"
        for key, first in (
            ("a wrong key", True),
            ("a-key-of-more-than-sixteen-characters", False),
        ):
            tab.until(f"{refused} === {str(first).lower()}")
            tab.until("document.activeElement.id === 'key-text'")
            check_access(tab.page)
            tab.page.keyboard.type(key)
            tab.press("Enter")
        tab.until("document.getElementById('preset').options.length === 3")
        tab.page.set_input_files("#files", SAMPLE)
        tab.until("document.querySelector('.line-picture img')?.naturalWidth > 0")
        context.close()


def test_a_refusal_that_comes_late_asks_no_second_time(
    browser: Any, tmp_path: Path, monkeypatch: Any
) -> None:
    monkeypatch.setenv("ODIA_OCR_API_KEY", "a-key-of-more-than-sixteen-characters")
    with running(tmp_path / "private") as (_, client):
        context = browser.new_context()
        tab = Tab(context.new_page(), str(client.base_url))
        held: list[Any] = []
        answers: list[int] = []
        tab.page.on(
            "response",
            lambda answer: answer.url.endswith("/jobs?limit=100") and answers.append(answer.status),
        )
        tab.page.route(
            "**/v1/jobs?*", lambda route: route.fallback() if held else held.append(route)
        )
        tab.page.goto(tab.base)
        tab.until("document.activeElement.id === 'key-text'")
        tab.page.keyboard.type("a-key-of-more-than-sixteen-characters")
        tab.press("Enter")
        tab.until("document.getElementById('preset').options.length === 3")
        held[0].continue_()
        wait_for(lambda: tab.page.title() and answers == [401, 200])
        assert tab.page.evaluate("document.querySelector('dialog[open]') === null")
        context.close()
