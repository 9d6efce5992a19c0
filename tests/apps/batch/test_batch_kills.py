"""The real command, killed: what `benchmarks/batch_kills.py` measures must hold."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

KILLS = Path(__file__).resolve().parents[3] / "benchmarks" / "batch_kills.py"


@pytest.mark.slow
@pytest.mark.parametrize(("runner", "kills", "pages"), [("process", 20, 160), ("ray", 3, 60)])
def test_a_batch_killed_at_random_moments_writes_the_same(tmp_path, runner, kills, pages):
    report = tmp_path / "kills.json"
    options = ["--runner", runner, "--kills", kills, "--pages", pages, "--json", report]
    command = [sys.executable, KILLS, *map(str, options)]
    assert subprocess.run(command, check=False, timeout=1200).returncode == 0
    found = json.loads(report.read_text("utf-8"))
    assert found["identical"]
    assert (found["kills"], found["pages_done"]) == (kills, pages)
