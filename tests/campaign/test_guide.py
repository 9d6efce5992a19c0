"""The guide: one source for the command, the documentation and the example."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

from odia_ocr.campaign.catalogue import TECHNIQUES
from odia_ocr.campaign.guide import make_guide, record_guide, show_measurement

ROOT = Path(__file__).parents[2]
PROGRAM = ROOT / "examples" / "performance_optimization_guide.py"


def test_the_documentation_is_made_of_the_same_data() -> None:
    committed = (ROOT / "docs" / "techniques.md").read_text(encoding="utf-8")
    assert committed == make_guide(), "odia-ocr techniques --markdown > docs/techniques.md"


@pytest.mark.parametrize("key", TECHNIQUES)
def test_examples_run(key: str, capsys: pytest.CaptureFixture[str]) -> None:
    technique = TECHNIQUES[key]
    exec(compile(technique.example, key, "exec"), {"__name__": "example"})
    shown = capsys.readouterr().out
    assert shown.strip() or technique.example.startswith("# On the command line:")


@pytest.mark.parametrize("name", ["2A-1", "2B-3", "2C-1", "3-1"])
def test_the_program_shows_a_technique(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    main = runpy.run_path(str(PROGRAM))["main"]
    assert main([name]) == 0
    shown = capsys.readouterr().out
    technique = next(t for t in TECHNIQUES.values() if t.id == name)
    assert technique.what in shown
    assert ("Sample of 12 lines: CER" in shown) == (name in ("2A-1", "2B-3"))


def test_the_program_refuses_unknown_techniques(capsys: pytest.CaptureFixture[str]) -> None:
    main = runpy.run_path(str(PROGRAM))["main"]
    assert main(["9Z"]) == 2
    assert "Known:" in capsys.readouterr().err


@pytest.mark.slow
def test_the_program_runs_them_all(capsys: pytest.CaptureFixture[str]) -> None:
    main = runpy.run_path(str(PROGRAM))["main"]
    assert main([]) == 0
    shown = capsys.readouterr().out
    assert all(technique.name in shown for technique in TECHNIQUES.values())


def test_what_was_not_measured_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("odia_ocr.campaign.guide.read_strategies", list)
    for entry in record_guide(tuple(TECHNIQUES.values())):
        assert entry["measured"] is None
        assert len(show_measurement(entry)) > 10
