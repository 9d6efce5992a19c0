"""The figures that were committed: they are of a campaign, and of this program."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from odia_ocr.campaign.apart import RESULTS, STRATEGIES, read_folder
from odia_ocr.campaign.config import read_campaign
from odia_ocr.campaign.diff import compare_campaigns
from odia_ocr.campaign.guide import read_strategies
from odia_ocr.campaign.outcome import Outcome
from odia_ocr.campaign.report import (
    find_unbacked,
    record_outcome,
    record_strategies,
    write_records,
)
from odia_ocr.campaign.run import run_campaign
from odia_ocr.errors import DataError, FileMissingError

ROOT = Path(__file__).parents[2]
SMALL = ROOT / "campaigns" / "small"
SHIPPED = ROOT / "docs" / "reports" / "campaign"
LEARNING = ROOT / "docs" / "reports" / "campaign-learning"
TOLERANCE = 0.006  # of an error rate: processors round int8 models differently
ROW = {
    "id",
    "phase",
    "name",
    "effort",
    "claimed",
    "engine",
    "settings",
    "measured",
    "verdict",
    "example",
}
MEASURED = {
    "n",
    "before",
    "after",
    "delta",
    "low",
    "high",
    "seconds_per_line",
    "set",
    "signature",
}


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    campaign = read_campaign(ROOT / "campaigns" / "small.json")
    return run_campaign(campaign, tmp_path_factory.mktemp("cache"), say=lambda said: None)


def read(folder: Path, name: str) -> Any:
    return json.loads((folder / name).read_text(encoding="utf-8"))


def test_the_small_campaign_gives_what_was_committed(outcome: Outcome) -> None:
    ours, theirs = record_outcome(outcome), read(SMALL, RESULTS)
    assert ours["campaign"] == theirs["campaign"]
    assert ours["sets"]["report"]["references"] == theirs["sets"]["report"]["references"]
    rows = {(row["id"], row["name"]): row for row in read(SMALL, STRATEGIES)}
    for row in record_strategies(outcome):
        committed = rows[row["id"], row["name"]]
        assert (row["measured"] is None) == (committed["measured"] is None), row["name"]
        if row["measured"] is not None:
            for key in ("before", "after", "delta"):
                assert row["measured"][key] == pytest.approx(
                    committed["measured"][key], abs=TOLERANCE
                ), f"{row['name']}, {key}: run campaigns/small.json again and commit its output"


@pytest.mark.parametrize(
    "folder",
    [path for path in (SMALL, SHIPPED, LEARNING) if path.exists()],
    ids=lambda path: path.name,
)
def test_committed_rows_stand_on_committed_results(folder: Path) -> None:
    rows, record = read(folder, STRATEGIES), read(folder, RESULTS)
    assert find_unbacked(rows, record) == []
    for row in rows:
        assert set(row) == (ROW if row["measured"] else ROW | {"why"}), row["name"]
        if row["measured"]:
            assert set(row["measured"]) == MEASURED
            assert row["verdict"] in ("adopt", "optional", "reject")
        else:
            assert row["verdict"] is None
        if row["claimed"]:
            assert set(row["claimed"]) == {"from", "to"}


def test_the_package_ships_the_strategies_of_the_shipped_campaign() -> None:
    if not SHIPPED.exists():
        assert read_strategies() == []
    else:
        assert read_strategies() == read(SHIPPED, STRATEGIES)


def change(rows: list[dict[str, Any]], **changes: Any) -> list[dict[str, Any]]:
    """A copy of the rows whose first measured one has other figures."""
    changed = copy.deepcopy(rows)
    row = next(row for row in changed if row["measured"] is not None)
    row["measured"] |= changes
    return changed


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"after": 0.001}, "after is 0.001"),
        ({"before": 0.42}, "before, delta, low, high"),
        ({"delta": -0.2}, "before, delta, low, high"),
        ({"high": -0.01}, "before, delta, low, high"),
        ({"n": 2000}, "n is 2000"),
        ({"set": "the best of all sets"}, "set is"),
        ({"seconds_per_line": 1e-6}, "seconds_per_line"),
        ({"signature": "made up"}, "no result has the signature"),
    ],
)
def test_a_figure_that_is_in_no_report_is_found(
    outcome: Outcome, changes: dict[str, Any], said: str
) -> None:
    rows, record = record_strategies(outcome), record_outcome(outcome)
    assert find_unbacked(rows, record) == []
    (complaint,) = find_unbacked(change(rows, **changes), record)
    assert said in complaint


def test_a_row_without_figures_needs_a_reason(outcome: Outcome) -> None:
    rows = record_strategies(outcome)
    rows[0] = {**rows[0], "measured": None, "why": ""}
    (complaint,) = find_unbacked(rows, record_outcome(outcome))
    assert "neither measured nor a reason" in complaint


def test_two_campaigns_are_compared_line_by_line(outcome: Outcome, tmp_path: Path) -> None:
    write_records(outcome, tmp_path / "a")
    write_records(outcome, tmp_path / "b")
    table = compare_campaigns(read_folder(tmp_path / "a"), read_folder(tmp_path / "b"))
    assert all("+0.00 (+0.00 to +0.00)" in row for row in table.rows)
    assert table.rows[-1][0] == "the stack"
    record = read(tmp_path / "b", RESULTS)
    fused = next(r for r in record["results"] if r["signature"] == record["stack"]["signature"])
    edits = fused["edits"].split()
    fused["edits"] = " ".join(["9", *edits[1:]])
    (tmp_path / "b" / RESULTS).write_text(json.dumps(record), encoding="utf-8")
    table = compare_campaigns(read_folder(tmp_path / "a"), read_folder(tmp_path / "b"))
    assert table.rows[-1][-1] == "0 / 1"


def test_folders_without_a_campaign_are_refused(tmp_path: Path) -> None:
    with pytest.raises(FileMissingError, match=RESULTS):
        read_folder(tmp_path)
    (tmp_path / RESULTS).write_text("{", encoding="utf-8")
    with pytest.raises(DataError, match="damaged"):
        read_folder(tmp_path)
