"""A server that is killed again and again loses no job and doubles none."""

from __future__ import annotations

from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).resolve().parents[3] / "benchmarks"


@pytest.mark.slow
def test_ten_kills_lose_and_double_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(BENCHMARKS)
    from serve_kills import kill_often

    outcome = kill_often(tmp_path, 10, seed=12)
    assert outcome.kills == 10
    assert outcome.killed_in_work >= 1
    assert (outcome.lost, outcome.doubled, outcome.differing) == (0, 0, 0)
