"""A run that is killed again and again ends with the weights of an undisturbed one."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

CONFIG = {
    "architecture": {
        "channels": [4, 8, 8, 8],
        "blocks": [0, 0],
        "width": 16,
        "hidden": 8,
        "layers": 1,
    },
    "stream": {"batch": 4, "chunk_batches": 2},
    "steps": 600,
    "warmup": 4,
    "check_every": 300,
    "check_lines": 4,
    "save_every": 0.0,
    "device": "cpu",
    "precision": "float32",
    "threads": 1,
}


def start(config: Path, run: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "odia_ocr", "train", "ctc", "-o", str(run), "--no-export"]
    command += ["--resume"] if (run / "state.pt").exists() else ["--config", str(config)]
    return subprocess.Popen(command, start_new_session=True, stderr=subprocess.DEVNULL)


@pytest.mark.slow
def test_killing_at_any_moment_changes_nothing(tmp_path: Path) -> None:
    config = tmp_path / "config.json"
    config.write_text(json.dumps(CONFIG), encoding="utf-8")
    assert start(config, tmp_path / "whole").wait(timeout=300) == 0
    chance = random.Random(5)
    kills = 0
    for _ in range(60):
        run = start(config, tmp_path / "killed")
        try:
            if run.wait(timeout=chance.uniform(3.5, 7.0)) == 0:
                break
            pytest.fail("the run failed by itself")
        except subprocess.TimeoutExpired:
            os.killpg(run.pid, signal.SIGKILL)
            run.wait()
            kills += 1
            time.sleep(0.2)
    assert kills >= 1
    whole, killed = (
        torch.load(tmp_path / name / "state.pt", weights_only=True) for name in ("whole", "killed")
    )
    assert killed["progress"]["step"] == 600
    for key, value in whole["model"].items():
        assert torch.equal(value, killed["model"][key]), key
