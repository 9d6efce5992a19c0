"""Training a small vision-language model from nothing: exact resume, its stream, what it keeps."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

from PIL import Image  # noqa: E402

from odia_ocr.errors import ConfigError, FileMissingError  # noqa: E402
from odia_ocr.language import ALPHABET, EditCounts, count_edits, fold  # noqa: E402
from odia_ocr.recognize.vlm.decoding import VlmDecoding  # noqa: E402
from odia_ocr.recognize.vlm.inputs import VlmEncoder  # noqa: E402
from odia_ocr.recognize.vlm.reader import load  # noqa: E402
from odia_ocr.train import vlm_base, vlm_stream  # noqa: E402
from odia_ocr.train.vlm_base import (  # noqa: E402
    TinyReader,
    VlmBaseConfig,
    add_noise,
    train_vlm_base,
    vlm_base_config_from,
)
from odia_ocr.train.vlm_stream import VlmStreamConfig, stream_vlm_chunks  # noqa: E402
from odia_ocr.train.vlm_tiny import (  # noqa: E402
    SPECIAL,
    TINY_SETTINGS,
    make_image_processor,
    make_tokenizer,
)
from odia_ocr.types import Candidates, LineImage  # noqa: E402
from random_vlm import SHAPE, make_random_model  # noqa: E402


def tiny_config(steps: int = 4) -> VlmBaseConfig:
    return VlmBaseConfig(
        shape=SHAPE,
        stream=VlmStreamConfig(batch=2, chunk_batches=2, stages=(1, 2, 3)),
        steps=steps,
        warmup=1,
        check_every=2,
        check_lines=2,
        save_every=0.0,
        threads=1,
        device="cpu",
        precision="float32",
    )


@pytest.fixture(autouse=True)
def _draw_here(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Chunks are made in this process: starting others takes longer than all else here."""

    def make_here(
        open_maker: Callable[[], Callable[[int], Any]], *, workers: int, first: int
    ) -> Iterator[tuple[int, Any]]:
        make = open_maker()
        while True:
            yield first, make(first)
            first += 1

    monkeypatch.setattr(vlm_stream, "make_in_processes", make_here)
    threads = torch.get_num_threads()
    yield
    torch.set_num_threads(threads)


def quiet(_: str) -> None: ...


def test_resuming_gives_the_very_same_weights(tmp_path: Path) -> None:
    train_vlm_base(tiny_config(), tmp_path / "whole", report=quiet)

    class Stop(Exception): ...

    def stop(step: int, _: int) -> None:
        # The state of step 1, in the middle of a chunk, is on disk when step 2 ends.
        if step == 2:
            raise Stop

    with pytest.raises(Stop):
        train_vlm_base(tiny_config(), tmp_path / "parts", report=quiet, on_step=stop)
    train_vlm_base(tiny_config(), tmp_path / "parts", resume=True, report=quiet)
    whole, parts = (
        torch.load(tmp_path / name / "state.pt", weights_only=True) for name in ("whole", "parts")
    )
    for state in (whole, parts):
        state["progress"].pop("seconds")
    assert whole["progress"] == parts["progress"]
    assert (whole["progress"]["step"], whole["progress"]["lines"]) == (4, 8)
    for part in ("model", "smooth"):
        for key, value in whole[part].items():
            assert torch.equal(value, parts[part][key]), key
    rows = (tmp_path / "parts" / "log.jsonl").read_text("utf-8").splitlines()
    assert [json.loads(row)["step"] for row in rows] == [2, 4]


def test_the_best_model_is_opened_as_any_other(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    best = train_vlm_base(tiny_config(steps=2), tmp_path / "run", report=quiet)
    assert capfd.readouterr() == ("", "")
    recognizer = load(f"{best}?batch=2", threads=1)
    model = recognizer.vlm.base
    assert recognizer.vlm.encoder.settings == TINY_SETTINGS
    assert not any("head.weight" in name and "lm_head" not in name for name in model.state_dict())
    state = torch.load(tmp_path / "run" / "state.pt", weights_only=True)["smooth"]
    for name, value in model.state_dict().items():
        assert torch.equal(value, state[f"vlm.{name}"].half().float()), name
    facts = json.loads((best / "training.json").read_text("utf-8"))
    assert (facts["step"], facts["config"]["shape"]["width"]) == (2, 32)
    (result,) = recognizer.read([LineImage("a", np.eye(40, 90, dtype=np.uint8) * 255)])
    assert result.line_id == "a"


def test_the_stream_is_the_same_from_any_chunk_and_gets_longer() -> None:
    config = VlmStreamConfig(batch=6, chunk_batches=1, stages=(1, 2, 3), mild_share=0.0)
    chunks = stream_vlm_chunks(config)
    first, second, third = (next(chunks) for _ in range(3))
    number, (again,) = next(stream_vlm_chunks(config, first=2))
    assert number == 2
    for name, tensor in third[1][0].tensors.items():
        assert np.array_equal(tensor, again.tensors[name]), name
    assert np.array_equal(third[1][0].symbols, again.symbols)
    space = ALPHABET.encode(" ")[0]
    words = [
        max(list(line).count(space) + 1 for line in split_lines(chunk[1][0]))
        for chunk in (first, second, third)
    ]
    assert words[0] == 1
    assert words[2] > 1


def split_lines(batch: vlm_stream.VlmBatch) -> list[np.ndarray]:
    return np.split(batch.symbols, batch.lengths.cumsum()[:-1])


def test_symbols_and_tokens_are_of_the_same_lines() -> None:
    config = VlmStreamConfig(batch=4, chunk_batches=1, stages=(0, 0, 0))
    _, (batch,) = next(stream_vlm_chunks(config))
    tokenizer = make_tokenizer()
    for labels, symbols in zip(batch.tensors["labels"], split_lines(batch), strict=True):
        text = tokenizer.decode(labels[labels >= 0], skip_special_tokens=True)
        assert text.strip() == ALPHABET.decode(symbols).strip()
    assert batch.tensors["pixel_values"].dtype == np.float16


def test_noise_touches_answers_only() -> None:
    torch.manual_seed(0)
    ids = torch.full((2, 40), 50)
    labels = torch.full((2, 40), -100)
    labels[:, 20:] = 50
    noisy = add_noise({"input_ids": ids, "labels": labels}, 0.5, 300)
    assert (noisy[:, :20] == 50).all()
    assert 5 < int((noisy[:, 20:] != 50).sum()) < 35
    assert int(noisy.min()) >= len(SPECIAL)
    assert torch.equal(add_noise({"input_ids": ids, "labels": labels}, 0.0, 300), ids)


def test_the_ctc_head_sees_columns_of_each_picture_alone() -> None:
    torch.manual_seed(0)
    encoder = VlmEncoder(make_tokenizer(), make_image_processor(TINY_SETTINGS), TINY_SETTINGS)
    reader = TinyReader(encoder.tokenizer, SHAPE).eval()
    pictures = [Image.radial_gradient("L").resize(size) for size in ((200, 40), (20, 40), (90, 60))]
    samples = [encoder.encode(str(i), picture, "ଓଡ଼ିଆ") for i, picture in enumerate(pictures)]
    with torch.no_grad():
        logits, frames = reader(encoder.collate(samples))
        assert frames.shape == (3, 4 * samples[0].grid[2] // 2, ALPHABET.size)
        for i, sample in enumerate(samples):
            alone_logits, alone = reader(encoder.collate([sample]))
            assert torch.allclose(frames[i, : alone.shape[1]], alone[0], atol=1e-4)
            length = len(sample.tokens)
            assert torch.allclose(logits[i, :length], alone_logits[0], atol=1e-4)


def test_unknown_keys_and_lost_runs_are_refused(tmp_path: Path) -> None:
    config = vlm_base_config_from({"shape": {"width": 64}, "stream": {"batch": 3}, "steps": 7})
    assert (config.shape.width, config.stream.batch, config.steps) == (64, 3, 7)
    for values in ({"stepz": 1}, {"shape": {"depth": 1}}, {"stream": {"words": 1}}):
        with pytest.raises(ConfigError, match="Unknown"):
            vlm_base_config_from(values)
    with pytest.raises(FileMissingError, match="without --resume"):
        train_vlm_base(tiny_config(), tmp_path, resume=True)


def test_check_lines_are_the_same_each_time() -> None:
    first, second = (vlm_base.make_check_lines(4) for _ in range(2))
    assert [line.text for line in first] == [line.text for line in second]
    assert all(2 <= len(line.text.split()) <= 4 for line in first)


def test_held_out_lines_are_read_by_the_recognizer(tmp_path: Path) -> None:
    """The rate that picks the best model is the rate of the model that is kept."""
    encoder = VlmEncoder(make_tokenizer(), make_image_processor(TINY_SETTINGS), TINY_SETTINGS)
    model = TinyReader(encoder.tokenizer, SHAPE)
    model.vlm.load_state_dict(make_random_model().half().float().state_dict())
    check = vlm_base.make_check_lines(3)
    rate = vlm_base.measure(model, check, encoder)
    assert model.training
    vlm_base.save_model(model, encoder, tmp_path, {})
    lines = [LineImage(line.id, np.asarray(line.picture.convert("RGB"))) for line in check]
    reader = load(str(tmp_path), threads=1)
    results = reader.with_decoding(VlmDecoding(most=72, retries=())).read(lines)
    assert any(isinstance(result, Candidates) for result in results)
    total = EditCounts(0, 0)
    for line, result in zip(check, results, strict=True):
        text = result.best.text if isinstance(result, Candidates) else ""
        total += count_edits(fold(line.text), fold(text))
    assert rate == total.rate
