"""Two processes learn together, as two GPUs would, and go on together only."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import pytest

pytest.importorskip("torch")
pytest.importorskip("peft")
pytest.importorskip("accelerate")

from odia_ocr.train.lora.config import AdapterShape, LoraConfig, RenderedConfig
from random_vlm import save_random_base


def train(processes: int, *arguments: str) -> subprocess.CompletedProcess[str]:
    """`train lora` in so many processes on this machine."""
    launch = ["-m", "torch.distributed.run", "--nproc_per_node", str(processes)]
    alone = launch if processes > 1 else []
    return subprocess.run(
        [sys.executable, *alone, "-m", "odia_ocr", "train", "lora", *arguments],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


@pytest.mark.slow
def test_two_processes_share_a_run_and_go_on_exactly(tmp_path: Path) -> None:
    config = LoraConfig(
        base=str(save_random_base(tmp_path / "base")),
        adapter=AdapterShape(rank=2, alpha=4),
        rendered=RenderedConfig(recipe="clean", max_words=1),
        steps=4,
        batch=1,
        accumulate=2,
        check_every=2,
        keep_every=2,
        check_lines=2,
        device="cpu",
    )
    (tmp_path / "run.json").write_text(json.dumps(asdict(config)))
    run = tmp_path / "run"
    made = train(2, "-o", str(run), "--config", str(tmp_path / "run.json"))
    assert made.returncode == 0, made.stderr
    rows = [json.loads(row) for row in (run / "log.jsonl").read_text().splitlines()]
    assert [(row["step"], row["lines"]) for row in rows] == [(2, 8), (4, 16)]
    assert made.stderr.count("Read with") == 1
    last = run / "checkpoint-4"
    learned = (last / "adapter_model.safetensors").read_bytes()
    last.rename(tmp_path / "whole")
    alone = train(1, "-o", str(run), "--resume")
    assert alone.returncode == 2
    assert "as many processes as it was started with" in alone.stderr
    more = train(2, "-o", str(run), "--resume")
    assert more.returncode == 0, more.stderr
    assert (last / "adapter_model.safetensors").read_bytes() == learned
