"""The README's table of whole pages, and the reports it comes from."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from page_sets import PAGES, FakePages, write_pages

from odia_ocr.errors import OdiaOcrError


@pytest.fixture
def record(measuring, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A report of drawn pages: ours reads right, the peers leave out a page."""
    poor = {name: lines for name, lines in PAGES.items() if name != "b_1"}

    def open_fake(engine: str, *, threads: int | None = None) -> SimpleNamespace:
        reader = FakePages(PAGES if engine.startswith("ctc") else poor)
        page_reader = SimpleNamespace(program=SimpleNamespace(version="5.9"))
        return SimpleNamespace(read_page=reader, page_reader=page_reader)

    monkeypatch.setattr("odia_ocr.pipeline.open_reader", open_fake)
    folder = write_pages(tmp_path / "pages", truth=True)

    def measure(name: str):
        report = next(r for r in measuring.PAGE_REPORTS if r.name == name)
        there = measuring.PageReport(
            report.name, report.title, lambda data, scratch: folder, report.label, report.each
        )
        return measuring.measure_page_report(there, None, tmp_path)

    return measure


def test_a_stored_report_holds_figures_and_no_texts(record, tmp_path: Path) -> None:
    stored = record("real-pages")
    assert [result["engine"] for result in stored["results"]] == [
        "ctc-fast",
        "ctc",
        "ctc-best",
        "tesseract",
        "tesseract:ori",
    ]
    assert {result["set"] for result in stored["results"]} == {"real/pages"}
    assert (stored["report"], stored["peer_version"]) == ("real-pages", "5.9")
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", stored["date"])
    text = json.dumps(stored, ensure_ascii=False)
    assert str(tmp_path) not in text
    assert not any(line in text for lines in PAGES.values() for line in lines)


def test_real_pages_have_a_row_each_and_rendered_ones_a_row_a_group(script, record) -> None:
    table = script.make_page_table(
        {"real-pages": record("real-pages"), "rendered-pages": record("rendered-pages")}
    )
    rows = table.splitlines()
    assert len({row.count("|") for row in rows}) == 1  # every row has all columns
    assert "| real pages | 3 | " in table
    assert "**0.00 % / 0.0 %**" in table
    assert "| … *b_1* | | 100.00 % / 100.0 % | 100.00 % / 100.0 % | 0.00 % / 0.0 % |" in table
    real, _, rendered = table.partition("| rendered pages | 3 |")
    assert "| … news | 1 | " not in real
    assert "| … news | 1 | 100.00 % / 100.0 % |" in rendered
    assert "*b_1*" not in rendered
    assert "| … pages with CER over 50 % | | 33.33 % | 33.33 % | 0.00 % |" in rendered


def test_speed_comes_from_the_benchmark(script) -> None:
    def spread(value: float) -> dict[str, float]:
        return {"median": value, "low": value, "high": value}

    def told(rate: float) -> dict[str, object]:
        return {
            "pages_per_second": spread(rate),
            "first_page_seconds": spread(0.5),
            "peak_megabytes": spread(200.0),
        }

    run = {"cores": 2, "ours": told(6.0), "peer": told(2.0), "ratio": spread(3.0)}
    stored = {"pages-speed": {"n": 60, "date": "2026-01-02", "preset": "fast", "runs": [run]}}
    table = script.make_page_table(stored)
    assert "| pages/s, 2 cores, fast | 60 | 2.00 | | **6.00** (3.0×) | | 2026-01-02 |" in table
    assert "| peak memory, MB, 2 cores, fast | 60 | 200 | | 200 |" in table


def test_presets_are_rated_by_the_run_on_rendered_pages(script, record) -> None:
    stored = record("rendered-pages")
    rates = script.rate_presets(stored)
    assert list(rates) == ["fast", "balanced", "best"]
    for rate, result in zip(rates.values(), stored["results"], strict=False):
        assert rate["seconds"] == pytest.approx(1 / result["pages_per_second"])
    table = script.make_preset_table(rates)
    assert "| `best` | 0.00 % / 0.0 % | 0.00 % |" in table


def test_all_tables_go_between_their_markers(script) -> None:
    text = (
        f"a\n{script.BEGIN}\nold\n{script.END}\nb\n{script.PAGES_BEGIN}\nold\n{script.PAGES_END}\n"
        f"c\n{script.PRESETS_BEGIN}\nold\n{script.PRESETS_END}\n"
    )
    done = script.insert_tables(text, {})
    assert "old" not in done
    assert done.index("measured on") < done.index("whole pages")
    assert script.insert_tables(done, {}) == done
    with pytest.raises(OdiaOcrError, match="presets:begin"):
        script.insert_tables(f"{script.BEGIN}\n{script.END}", {})


def test_without_data_or_renderer_the_stored_report_is_kept(
    measuring, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, rendered = measuring.PAGE_REPORTS
    with pytest.raises(OdiaOcrError, match="--data"):
        measuring.measure_page_report(real, None, tmp_path)
    with pytest.raises(OdiaOcrError, match="does not exist"):
        measuring.measure_page_report(real, tmp_path, tmp_path)
    # None in place of a module makes its import fail.
    monkeypatch.setitem(sys.modules, "odia_ocr.data.page_reporting", None)
    with pytest.raises(OdiaOcrError, match="cannot be rendered"):
        measuring.measure_page_report(rendered, None, tmp_path)
