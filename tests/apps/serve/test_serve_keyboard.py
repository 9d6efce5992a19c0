"""The review page by keyboard alone: from sending a document to exporting it; Latin to Odia."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from browsing import CHROMIUM, Tab, check_access
from servers import SAMPLE, wait_for

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")


@pytest.fixture
def server(site: Any) -> Any:
    """The client of the server that the browser shows."""
    return site


def test_all_work_is_done_with_the_keyboard(tab: Tab, server: Any, faint: Path) -> None:
    job = tab.open_document(faint)
    lines = server.get(f"/v1/jobs/{job}/pages/1").json()["lines"]
    wanting = [line for line in lines if line["doubt"] != "sure"]
    wanting.sort(key=lambda line: (line["doubt"] != "doubtful", line["confidence"]))
    assert len(wanting) >= 2, "the picture is not faint enough for this test"
    places = [lines.index(line) + 1 for line in wanting]
    assert tab.current().startswith(f"Line {places[0]} of")  # the most doubtful one
    before = tab.text_of(places[0])
    asked = server.get(f"/v1/jobs/{job}/pages/1/lines/{wanting[0]['id']}/rivals").json()["rivals"]
    tab.press("Alt+1")
    tab.wait_saved()
    assert tab.text_of(places[0]) == asked[0]["text"] != before
    shown = tab.page.locator(".line.current .rivals button b").all_inner_texts()
    for words, rival in zip(shown, asked, strict=True):
        assert rival["after"].strip() in words
        assert words in rival["text"]
    tab.press("Enter")  # accepts, goes on
    assert tab.current().startswith(f"Line {places[1]} of")
    assert "accepted" in (tab.field(places[0]).get_attribute("aria-label") or "")
    tab.press("Control+z")
    tab.wait_saved()
    tab.until("document.activeElement.getAttribute('aria-label').includes('edited')")
    tab.press("Control+z")
    wait_for(lambda: tab.text_of(places[0]) == before)
    tab.wait_saved()
    kept = server.get(f"/v1/jobs/{job}/pages/1").json()["lines"][places[0] - 1]
    assert (kept["text"], kept["state"]) == (before, "unseen")
    tab.press("Alt+n")
    assert tab.current().startswith(f"Line {places[1]} of")
    tab.press("ArrowUp")
    assert tab.current().startswith(f"Line {places[0]} of")


def test_documents_are_sent_and_exported_with_the_keyboard(tab: Tab) -> None:
    choosers: list[Any] = []
    tab.page.on("filechooser", lambda chooser: choosers.append(chooser))
    tab.page.goto(tab.base)
    tab.until("document.getElementById('preset').options.length === 3")
    tab.tab_to("#files")
    tab.press("Enter")
    wait_for(lambda: tab.page.title() and choosers)
    choosers[0].set_files(SAMPLE)
    tab.page.wait_for_selector(".line.current")
    tab.press("F1")
    tab.until("document.querySelector('dialog[open]') !== null")
    tab.press("Escape")
    tab.tab_to("#export summary", backwards=True)
    tab.press("Enter")
    tab.until("document.getElementById('export').open")
    check_access(tab.page)
    tab.press("Tab")
    with tab.page.expect_download() as waiting:
        tab.press("Enter")
    assert "ଛାପା ପୃଷ୍ଠାରୁ" in Path(waiting.value.path()).read_text("utf-8")


@pytest.mark.parametrize(
    ("now", "rival", "text"),
    [
        ("କଖ ଗଘ କଖ", ("କଖ ଗଘ କଛ", "କଖ", "କଛ", 6), "କଖ ଗଘ କଛ"),  # unchanged: as a whole
        ("ନକଖ ଗଘ କଖ", ("କଖ ଗଘ କଛ", "କଖ", "କଛ", 6), "ନକଖ ଗଘ କଛ"),  # not the first like it
        ("କଖ ଗଘ କଖନ", ("କଛ ଗଘ କଖ", "କଖ", "କଛ", 0), "କଛ ଗଘ କଖନ"),
        ("ନଖ ଗଘ କନ", ("କଖ ଛଘ କଖ", "ଗଘ", "ଛଘ", 3), "ନଖ ଛଘ କନ"),  # between two changes
        ("କଖ ନ କଖ", ("କଖ ଛଘ କଖ", "ଗଘ", "ଛଘ", 3), "କଖ ଛଘ କଖ"),  # the very place was changed
        ("", ("କଖ ଛଘ କଖ", "ଗଘ", "ଛଘ", 3), "କଖ ଛଘ କଖ"),
        ("କଖ ଗଘ କଖନ", ("ନକଖ ଗଘ କଖ", "", "ନ", 0), "ନକଖ ଗଘ କଖନ"),
    ],
)
def test_a_reading_is_taken_at_its_place(tab: Tab, now: str, rival: Any, text: str) -> None:
    tab.page.goto(tab.base)
    taken = tab.page.evaluate(
        """async ([[text, before, after, start], read, now]) => {
          const { takeReading } = await import("/static/lines.js");
          return takeReading({ text, before, after, start }, read, now);
        }""",
        [list(rival), "କଖ ଗଘ କଖ", now],
    )
    assert taken == text


def test_keys_work_on_an_odia_keyboard(tab: Tab, faint: Path) -> None:
    tab.open_document(faint)
    before = tab.current()
    tab.page.evaluate(
        """() => document.activeElement.dispatchEvent(new KeyboardEvent(
          "keydown", { key: "ମ", code: "KeyN", altKey: true, bubbles: true, cancelable: true }))"""
    )
    assert tab.current() != before


SPELLINGS = {
    "oRishaa": "ଓଡ଼ିଶା",
    "oRiaa": "ଓଡ଼ିଆ",
    "bhaaShaa": "ଭାଷା",
    "Thik": "ଠିକ୍",
    "namaskaara|": "ନମସ୍କାର।",
    "kRRShNa": "କୃଷ୍ଣ",
    "lakShmii": "ଲକ୍ଷ୍ମୀ",
    "laxmii": "ଲକ୍ଷ୍ମୀ",
    "jnyaana": "ଜ୍ଞାନ",
    "sa~NgeeTa": "ସଙ୍ଗୀଟ",
    "pa~nca": "ପଞ୍ଚ",
    "chhabi": "ଛବି",
    "aai": "ଆଇ",
    "kau": "କୌ",
    "duHkha": "ଦୁଃଖ",
    "eba~M": "ଏବଁଂ",
    "ebaM": "ଏବଂ",
    "ha~": "ହଁ",
    "2024": "୨୦୨୪",
    "k_Sha": "କ୍\u200cଷ",
    "": "",
    "Qq!": "Qq!",
}


def test_latin_becomes_odia(tab: Tab) -> None:
    tab.page.goto(tab.base)
    spelled = tab.page.evaluate(
        """async (words) => {
          const { transliterate } = await import("/static/phonetic.js");
          return words.map(transliterate);
        }""",
        list(SPELLINGS),
    )
    assert dict(zip(SPELLINGS, spelled, strict=True)) == SPELLINGS


def test_latin_becomes_odia_while_it_is_typed(tab: Tab, server: Any) -> None:
    tab.open_document(SAMPLE)
    tab.page.locator("#order").select_option("page")
    field = tab.field(2)
    field.focus()
    tab.press("Control+a")
    tab.press("Alt+t")
    tab.page.keyboard.type("oRiaa bhaaShaa, Thik")
    assert tab.text_of(2) == "ଓଡ଼ିଆ ଭାଷା, ଠିକ୍"
    tab.press("Alt+t")
    tab.page.keyboard.type("ok")
    tab.wait_saved()
    assert tab.text_of(2) == "ଓଡ଼ିଆ ଭାଷା, ଠିକ୍ok"
