"""The record of pages as JSON, tables and HTML."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path

import pytest
from html_balance import assert_balanced
from page_sets import PAGES, FakePages, bar, write_pages
from rich.console import Console

from odia_ocr.errors import OutputError, PictureError
from odia_ocr.evaluate.page_html import draw_lines, make_page_html, write_page_html
from odia_ocr.evaluate.page_measure import PageEngine, PageEvaluation, measure_pages
from odia_ocr.evaluate.page_report import make_page_record, print_page_tables, write_page_json
from odia_ocr.evaluate.page_scores import PAGE_METRICS
from odia_ocr.evaluate.page_set import read_page_set
from odia_ocr.evaluate.scores import Bootstrap


@pytest.fixture
def evaluation(tmp_path: Path) -> PageEvaluation:
    poor = {
        **PAGES,
        "a_1": [
            ("ଭାରତ ଦେଶ", bar(2)),
            ("ଧମ ଓ କର୍ମ", bar(0)),
            ("<ସସସସସସସ>", bar(4)),
        ],
    }
    engines = {
        "ctc": PageEngine("ctc-1", FakePages(PAGES)),
        "tesseract": PageEngine("t-5", FakePages(poor, fails={"b_1": PictureError("too odd")})),
    }
    page_set = read_page_set(write_pages(tmp_path / "set", truth=True))
    return measure_pages(page_set, engines, bootstrap=Bootstrap(resamples=1000))


def test_json_keeps_the_contract(evaluation: PageEvaluation, tmp_path: Path) -> None:
    path = tmp_path / "new" / "scores.json"
    write_page_json(evaluation, path)
    record = json.loads(path.read_text(encoding="utf-8"))
    assert list(record)[:4] == ["schema", "results", "paired", "lines"]
    first, second = record["results"]
    assert list(first)[:4] == ["engine", "set", "unit", "n"]
    assert (first["engine"], first["unit"], first["n"]) == ("ctc", "page", 3)
    for metric in PAGE_METRICS:
        assert set(first[metric]) == {"value", "low", "high"}
        assert set(record["paired"][0][metric]) == {"value", "low", "high", "p"}
    assert first["signature"].startswith("odia-ocr:")
    assert first["detection"]["by"] == "polygons"
    assert {group["group"] for group in first["groups"]} == {"book", "news"}
    assert second["problems"] == 1
    assert len(record["pages"]) == 6
    row = record["pages"][3]
    assert (row["engine"], row["name"]) == ("tesseract", "a_1")
    assert row["groups"] == {"layout": "book", "condition": "clean"}
    assert row["order_error"] == 1  # both lines that were found, the wrong way round
    assert record["pages"][5]["problem"] == "too odd"
    assert record["pages"][5]["cer"] == 1


def test_lines_of_the_record_show_what_became_of_each(evaluation: PageEvaluation) -> None:
    lines = make_page_record(evaluation)["lines"]
    mine = [line for line in lines if line["engine"] == "tesseract" and line["name"] == "a_1"]
    by_place = {(tuple(line["printed"]), tuple(line["read"])): line for line in mine}
    assert by_place[(1,), (2,)]["edits"] == 2
    assert by_place[(3,), (1,)]["hypothesis"] == "ଭାରତ ଦେଶ"
    assert len(lines) == 6 + 6  # six printed lines, each matched or missed, for both engines


def test_a_record_without_texts_holds_none(evaluation: PageEvaluation) -> None:
    record = make_page_record(evaluation, texts=False)
    assert record["lines"] == []
    assert len(record["pages"]) == 6
    text = json.dumps(record, ensure_ascii=False)
    for lines in PAGES.values():
        for line in lines:
            assert not any(word in text for word in line.split() if len(word) > 4)
    assert record["pages"][5]["problem"] == "picture-unreadable"
    assert "example" not in text


def test_html_shows_the_worst_pages_and_fetches_nothing(evaluation: PageEvaluation) -> None:
    html = make_page_html(evaluation)
    assert_balanced(html)
    assert html.count("data:image/jpeg;base64,") == 2  # the failed page and the one with errors
    assert html.index("<b>b_1</b>") < html.index("<b>a_1</b>")  # worst first
    assert "<del>ର୍ମ</del>" in html
    assert "&lt;" in html
    assert "<ସସ" not in html
    assert "Every page was read without an error" in html
    assert "too odd" in html
    assert "told by polygons" in html
    assert not re.search(r"""(src|href)=["']?(https?:)?//""", html)
    assert evaluation.results[0].signature in html


def test_outlines_are_drawn_in_their_colours(evaluation: PageEvaluation) -> None:
    page = evaluation.results[1].pages[0]
    picture = draw_lines(page)
    assert picture.size == (200, 160)
    at_right_edge = [picture.getpixel((180, 20 + 30 * i)) for i in (0, 1, 2, 4)]
    right, wrong, missed, extra = (17, 120, 60), (214, 120, 0), (130, 40, 190), (200, 30, 40)
    assert at_right_edge == [wrong, missed, right, extra]


def test_a_picture_that_has_gone_leaves_the_texts(evaluation: PageEvaluation) -> None:
    for page in evaluation.results[0].pages:
        page.sample.picture.unlink()
    html = make_page_html(evaluation)
    assert "data:image" not in html
    assert "does not exist" in html


def test_files_that_cannot_be_written(evaluation: PageEvaluation, tmp_path: Path) -> None:
    with pytest.raises(OutputError):
        write_page_html(evaluation, tmp_path)
    with pytest.raises(OutputError):
        write_page_json(evaluation, tmp_path)


def test_tables_on_a_terminal(evaluation: PageEvaluation) -> None:
    stream = io.StringIO()
    print_page_tables(evaluation, Console(file=stream, width=240))
    text = stream.getvalue()
    for part in (
        "median CER", "order-free CER", "line recall", "lines told by polygons", "CER > 50 %",
        "ctc - tesseract", "layout", "ର୍ମ → ମ", "unit:page",
    ):  # fmt: skip
        assert part in text
