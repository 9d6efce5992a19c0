"""Two thousand samples, some of them hostile, are trained through."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("peft")
pytest.importorskip("accelerate")

from PIL import Image

from odia_ocr.train.lora.config import AdapterShape, LoraConfig
from odia_ocr.train.lora.run import train_lora
from random_vlm import save_random_base

COUNT = 2000
REFUSED = ("strip", "special", "turn", "endless", "empty")


@pytest.mark.slow
@pytest.mark.parametrize("unit", ["line", "page"])
def test_hostile_samples_do_not_stop_a_run(tmp_path: Path, unit: str) -> None:
    lines = tmp_path / "lines"
    lines.mkdir()
    rng = np.random.default_rng(3)
    hostile = {
        "strip": ((8000, 30), "ଲମ୍ବା"),
        "long": ((6000, 30), "ଲମ୍ବା"),  # 200 times as long as high: the most that is taken
        "page": ((2500, 3500), "ପୃଷ୍ଠା"),
        "dot": ((1, 1), "କ"),
        "special": ((80, 40), "କ <|image_pad|> ଖ"),
        "turn": ((80, 40), "<|im_end|>"),
        "empty": ((80, 40), ""),
        "endless": ((80, 40), "କଖଗ " * 500),
    }
    for i in range(COUNT):
        name, (size, text) = f"line-{i:04d}", ((40 + i % 90, 24), f"ଧାଡ଼ି {i}")
        if i % 40 == 7:
            kind = sorted(hostile)[i // 40 % len(hostile)]
            name, (size, text) = f"{kind}-{i:04d}", hostile[kind]
        noise = rng.integers(0, 255, (size[1], size[0]), np.uint8) if i % 3 else 128
        pixels = np.full((size[1], size[0]), noise, np.uint8)
        Image.fromarray(pixels).save(lines / f"{name}.png")
        (lines / f"{name}.gt.txt").write_text(text, encoding="utf-8")
    said: list[str] = []
    config = LoraConfig(
        base=str(save_random_base(tmp_path / "base")),
        adapter=AdapterShape(rank=2, alpha=4),
        data=(str(lines),),
        unit=unit,
        misfit="skip",
        steps=COUNT // 16,
        batch=16,
        check_every=COUNT // 16,
        keep_every=COUNT // 16,
        check_lines=2,
        device="cpu",
    )
    best = train_lora(config, tmp_path / "run", report=said.append)
    assert (best / "adapter_model.safetensors").exists()
    told = "\n".join(said)
    for name in REFUSED:
        assert f"Sample {name}-" in told
    refused = [i for i in range(7, COUNT, 40) if sorted(hostile)[i // 40 % 8] in REFUSED]
    assert f"{COUNT - len(refused)} samples fit, {len(refused)} do not" in told
    assert "Left out" not in told  # all that the preflight let pass could be used
    last = json.loads((tmp_path / "run" / "log.jsonl").read_text().splitlines()[-1])
    assert (last["step"], last["lines"]) == (COUNT // 16, COUNT // 16 * 16)
    assert math.isfinite(last["loss"])
