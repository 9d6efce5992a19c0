"""Qwen2-VL shares the interface: it is read, learns, and is merged as Qwen2.5-VL is."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("peft")
pytest.importorskip("accelerate")

from PIL import Image  # noqa: E402
from safetensors.numpy import load_file  # noqa: E402

from odia_ocr.recognize.vlm.decoding import VlmDecoding  # noqa: E402
from odia_ocr.recognize.vlm.opening import open_vlm  # noqa: E402
from odia_ocr.recognize.vlm.reader import load  # noqa: E402
from odia_ocr.recognize.vlm.writing import Writer  # noqa: E402
from odia_ocr.train.adapters.merge import merge_adapter  # noqa: E402
from odia_ocr.train.lora.config import AdapterShape, LoraConfig, RenderedConfig  # noqa: E402
from odia_ocr.train.lora.run import train_lora  # noqa: E402
from odia_ocr.types import Candidates, LineImage  # noqa: E402
from random_vlm import make_random_qwen2, save_base  # noqa: E402


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_base(make_random_qwen2(), tmp_path_factory.mktemp("qwen2") / "base")


@pytest.fixture(scope="module")
def adapter(base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One step, on the vision tower too."""
    config = LoraConfig(
        base=str(base),
        adapter=AdapterShape(rank=4, alpha=8, targets="all"),
        rendered=RenderedConfig(recipe="clean", max_words=1),
        steps=1,
        batch=2,
        warmup=0,
        rate=0.01,
        check_lines=1,
        device="cpu",
    )
    run = tmp_path_factory.mktemp("qwen2-run")
    return train_lora(config, run, report=lambda said: None)


def make_lines() -> list[LineImage]:
    rng = np.random.default_rng(0)
    return [
        LineImage(str(i), rng.integers(0, 255, (40, 60 + 50 * i), dtype=np.uint8)) for i in range(3)
    ]


def test_it_reads(base: Path) -> None:
    reader = load(f"{base}?most=20")
    assert type(reader.vlm.model).__name__ == "Qwen2VLForConditionalGeneration"
    results = reader.read(make_lines())
    assert [result.line_id for result in results] == ["0", "1", "2"]
    assert any(isinstance(result, Candidates) and result.best.text for result in results)


def test_what_was_seen_once_is_what_the_model_sees_itself(base: Path) -> None:
    """The reader looks at pictures once and hands on what was seen; the model could do both."""
    vlm = open_vlm(str(base))
    writer = Writer(vlm)
    samples = [
        vlm.encoder.encode(line.id, Image.fromarray(line.pixels), None) for line in make_lines()
    ]
    seen = writer.see(samples)
    written = writer.write(seen, VlmDecoding(), most=5)
    with torch.inference_mode():
        batch = vlm.encoder.collate(samples)
        batch |= {
            "input_ids": torch.cat([batch["input_ids"], written], 1),
            "attention_mask": torch.cat([batch["attention_mask"], torch.ones_like(written)], 1),
            "mm_token_type_ids": torch.cat(
                [batch["mm_token_type_ids"], torch.zeros_like(written)], 1
            ),
        }
        logits = vlm.model(**batch).logits[:, -written.shape[1] - 1 : -1]
    told = writer.score(seen, written)
    assert torch.allclose(told, logits.log_softmax(-1), atol=1e-4)


def test_it_learns_in_both_towers_and_is_merged(base: Path, adapter: Path, tmp_path: Path) -> None:
    stored = load_file(adapter / "adapter_model.safetensors")
    learned = {name for name, value in stored.items() if "lora_B" in name and value.any()}
    assert len(learned) * 2 == len(stored)
    layers = {name.split(".")[-3] for name in learned}
    assert layers == {
        *("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"),
        *("qkv", "proj", "fc1", "fc2"),
    }
    made = merge_adapter(str(base), adapter, tmp_path / "merged")
    assert made.agreement is not None
    merged, apart = (
        load(f"{name}?most=12").read(make_lines())
        for name in (tmp_path / "merged", f"{base}::{adapter}")
    )
    assert [getattr(r, "best", None) and r.best.text for r in merged] == [
        getattr(r, "best", None) and r.best.text for r in apart
    ]
