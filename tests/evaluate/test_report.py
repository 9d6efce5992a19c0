from __future__ import annotations

import io
import json
import re
from pathlib import Path

import pytest
from fake_engines import TEXTS, FakeRecognizer
from html_balance import assert_balanced
from rich.console import Console

from odia_ocr.errors import OdiaOcrError, OutputError
from odia_ocr.evaluate.html_parts import mark_differences
from odia_ocr.evaluate.html_report import make_html, write_html
from odia_ocr.evaluate.lineset import read_line_set
from odia_ocr.evaluate.measure import Evaluation, measure_lines
from odia_ocr.evaluate.report import make_record, print_tables, show_unit, write_json
from odia_ocr.evaluate.scores import Bootstrap

RATES = ("cer", "wer", "cluster_error", "exact")


@pytest.fixture
def evaluation(make_set) -> Evaluation:
    poor = {**TEXTS, "a_1": "ଧମ ଓ <କମ>"}
    engines = {
        "ctc": FakeRecognizer(TEXTS),
        "tesseract": FakeRecognizer(poor, problems=frozenset({"b_2"})),
    }
    return measure_lines(read_line_set(make_set()), engines, bootstrap=Bootstrap(resamples=1000))


def test_json_keeps_the_contract(evaluation: Evaluation, tmp_path: Path) -> None:
    path = tmp_path / "new" / "scores.json"
    write_json(evaluation, path)
    text = path.read_text(encoding="utf-8")
    record = json.loads(text)
    assert list(record)[:4] == ["schema", "results", "paired", "lines"]
    assert record["schema"] == 1
    first = record["results"][0]
    assert list(first)[:4] == ["engine", "set", "unit", "n"]
    assert (first["engine"], first["unit"], first["n"]) == ("ctc", "line", 4)
    for rate in RATES:
        assert set(first[rate]) == {"value", "low", "high"}
        assert 0 <= first[rate]["low"] <= first[rate]["value"] <= first[rate]["high"] <= 1
    assert first["signature"].startswith("odia-ocr:")
    assert first["lines_per_second"] > 0
    assert {group["group"] for group in first["groups"]} == {"a", "b"}
    (pair,) = record["paired"]
    assert (pair["first"], pair["second"]) == ("ctc", "tesseract")
    assert set(pair["cer"]) == {"value", "low", "high", "p"}
    assert len(record["lines"]) == 8
    assert record["lines"][0]["reference"] == TEXTS["a_1"]
    assert "ଧର୍ମ" in text  # readable, not escaped
    failed = record["lines"][-1]
    assert (failed["name"], failed["hypothesis"]) == ("b_2", "")
    assert "too odd" in failed["problem"]


def test_a_record_without_texts_holds_none(evaluation: Evaluation) -> None:
    record = make_record(evaluation, texts=False)
    assert record["lines"] == []
    text = json.dumps(record, ensure_ascii=False)
    assert not any(line in text for line in TEXTS.values())
    assert "example" not in text


def test_a_file_that_cannot_be_written(evaluation: Evaluation, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot be written"):
        write_json(evaluation, tmp_path / "file" / "scores.json")
    with pytest.raises(OutputError):
        write_html(evaluation, tmp_path)


def test_html_shows_the_worst_lines_and_fetches_nothing(evaluation: Evaluation) -> None:
    html = make_html(evaluation)
    assert_balanced(html)
    assert "<del>ର୍ମ</del>" in html
    assert "&lt;" in html
    assert "<କମ>" not in html
    assert html.count("data:image/png;base64,") == 2  # a_1 and the failed b_2
    assert html.index("b_2</span>") < html.index("a_1</span>")  # worst first
    assert "Every line was read without an error" in html
    assert not re.search(r"""(src|href)=["']?(https?:)?//""", html)
    assert "prefers-color-scheme:dark" in html
    assert "<svg" in html
    assert evaluation.results[0].signature in html


def test_marks_are_made_by_cluster() -> None:
    marked = mark_differences("ଧର୍ମ ଏ", "ଧମଏ")
    assert marked.reference == "ଧ<del>ର୍ମ</del><del>␣</del>ଏ"
    assert "<ins>ମ</ins>" in marked.hypothesis
    same = mark_differences("ସତ୍ୟ", "ସତ୍ଯ")
    assert same.reference == same.hypothesis == "ସତ୍ୟ"
    assert "<ins>" in mark_differences("ସତ୍ୟ", "ସତ୍ଯ", strict=True).hypothesis


@pytest.mark.parametrize(("unit", "shown"), [("", "∅"), (" ", "␣"), ("ି", "◌ି"), ("କି", "କି")])
def test_units_can_be_seen(unit: str, shown: str) -> None:
    assert show_unit(unit) == shown


def test_tables_on_a_terminal(evaluation: Evaluation) -> None:
    stream = io.StringIO()
    print_tables(evaluation, Console(file=stream, width=200))
    text = stream.getvalue()
    for part in ("CER", "1 - CER", "exact lines", "ctc - tesseract", "ର୍ମ → ମ", "seed:0"):
        assert part in text


def test_the_readme_table_comes_from_stored_reports(script, evaluation: Evaluation) -> None:
    record = {
        **make_record(evaluation, texts=False),
        "date": "2026-01-02",
        "model_bytes": 5_200_000,
    }
    table = script.make_table({"real-lines": record, "speed": record})
    assert "| 44 real line crops | 4 |" in table
    assert "**0.00 % / 0.0 %**" in table
    assert "2026-01-02" in table
    assert "model 5.2 MB" in table
    assert "degraded" not in table  # no stored report, no row


def test_the_table_goes_between_its_markers(script) -> None:
    text = f"before\n{script.BEGIN}\nold\n{script.END}\nafter\n"
    once = script.insert_table(text, "| new |")
    assert once == f"before\n{script.BEGIN}\n| new |\n{script.END}\nafter\n"
    assert script.insert_table(once, "| new |") == once
    with pytest.raises(OdiaOcrError, match="table:begin"):
        script.insert_table("no markers", "")


def test_display_faces_are_told_apart(measuring, make_set) -> None:
    folder = make_set({"0": "କ", "1": "ଖ"})
    rows = [{"file": "0.png", "kind": "serif"}, {"file": "1.png", "kind": "display"}]
    (folder / "metadata.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    labels = [s.labels[-1].group for s in measuring.label_kinds(read_line_set(folder)).samples]
    assert labels == ["text faces", "display face"]


def test_a_stored_report_holds_figures_and_no_texts(
    script, measuring, make_set, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    weights = tmp_path / "ctc.onnx"
    weights.write_bytes(b"12345")
    monkeypatch.setattr("odia_ocr.runtime.find_weights", lambda name: weights)
    monkeypatch.setattr(
        "odia_ocr.recognize.open_recognizer", lambda name, threads=None: FakeRecognizer(TEXTS)
    )
    folder = make_set()
    for one_core in (False, True):
        report = measuring.Report(
            "speed", "speed", "tesseract", lambda data, scratch: folder, "some/set", 2, one_core
        )
        record = measuring.measure(report, None, tmp_path)
        assert [(r["engine"], r["n"], r["set"]) for r in record["results"]] == [
            ("ctc", 2, "some/set"),
            *([("ctc-fast", 2, "some/set")] if one_core else []),
            ("ctc-best", 2, "some/set"),
            ("tesseract", 2, "some/set"),
        ]
        assert record["model_bytes"] == 5
        assert re.fullmatch(r"\d{4}-\d\d-\d\d", record["date"])
        text = json.dumps(record, ensure_ascii=False)
        assert str(tmp_path) not in text
        assert TEXTS["a_1"] not in text
    table = script.make_table({"speed": record, "clean": record})
    assert "| speed on one core, lines/s (`--preset best`) |" in table
    assert "| … `--preset best` | 2 | |" in table


def test_without_data_the_stored_report_is_kept(measuring, tmp_path: Path) -> None:
    with pytest.raises(OdiaOcrError, match="--data"):
        measuring.measure(measuring.REPORT_LIST[0], None, tmp_path)
