"""Training on a toy network: exact resume, labelled folders, export, clear errors."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from odia_ocr.data.lines import make_renderer, render_lines  # noqa: E402
from odia_ocr.data.lineset import load_labelled  # noqa: E402
from odia_ocr.data.render_folder import write_rendered  # noqa: E402
from odia_ocr.errors import ConfigError, FileMissingError, ModelMissingError  # noqa: E402
from odia_ocr.recognize.ctc import load, load_fast  # noqa: E402
from odia_ocr.recognize.line_tensor import Geometry  # noqa: E402
from odia_ocr.runtime import read_metadata  # noqa: E402
from odia_ocr.train.checkpoint import open_model, save_weights  # noqa: E402
from odia_ocr.train.confidence import fit_confidence, store_calibration  # noqa: E402
from odia_ocr.train.ctc import train_ctc  # noqa: E402
from odia_ocr.train.ctc_config import TrainConfig, config_from  # noqa: E402
from odia_ocr.train.ctc_model import CtcArchitecture, CtcModel  # noqa: E402
from odia_ocr.train.export import write_onnx  # noqa: E402
from odia_ocr.train.quantise import halve_model, quantise_model  # noqa: E402
from odia_ocr.train.schedule import rate_at  # noqa: E402
from odia_ocr.train.stream import StreamConfig, stream_chunks  # noqa: E402
from odia_ocr.types import Candidates, LineImage  # noqa: E402

TINY = CtcArchitecture(channels=(4, 8, 8, 8), blocks=(0, 0), width=16, hidden=8, layers=1)


def tiny_config(steps: int = 6, **stream: object) -> TrainConfig:
    return TrainConfig(
        architecture=TINY,
        stream=StreamConfig(batch=4, chunk_batches=2, **stream),  # type: ignore[arg-type]
        steps=steps,
        warmup=2,
        check_every=3,
        check_lines=4,
        save_every=0.0,
        device="cpu",
        precision="float32",
    )


def test_resuming_gives_the_very_same_weights(tmp_path: Path) -> None:
    def quiet(_: str) -> None: ...

    train_ctc(tiny_config(), tmp_path / "whole", report=quiet)

    class Stop(Exception): ...

    def stop(step: int, _: int) -> None:
        # The state of step 3 is on disk when step 4 ends.
        if step == 4:
            raise Stop

    with pytest.raises(Stop):
        train_ctc(tiny_config(), tmp_path / "parts", report=quiet, on_step=stop)
    train_ctc(tiny_config(), tmp_path / "parts", resume=True, report=quiet)
    whole, parts = (
        torch.load(tmp_path / name / "state.pt", weights_only=True) for name in ("whole", "parts")
    )
    assert whole["progress"]["step"] == parts["progress"]["step"] == 6
    for key, value in whole["model"].items():
        assert torch.equal(value, parts["model"][key]), key
    rows = (tmp_path / "whole" / "log.jsonl").read_text("utf-8").splitlines()
    assert [json.loads(row)["step"] for row in rows] == [3, 6]


def test_the_stream_does_not_depend_on_the_number_of_workers() -> None:
    config = StreamConfig(batch=3, chunk_batches=2, easy_chunks=1)

    def take(workers: int) -> list[np.ndarray]:
        source = stream_chunks(config, Geometry(), workers=workers, first=1)
        batches = [batch for _ in range(3) for batch in next(source)[1]]
        source.close()  # type: ignore[attr-defined]
        return [batch.pixels for batch in batches]

    for a, b in zip(take(1), take(2), strict=True):
        assert np.array_equal(a, b)


def test_labelled_folders_are_mixed_in(tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    write_rendered(render_lines(make_renderer(clean=True, seed=8), 4), folder)
    config = StreamConfig(batch=4, chunk_batches=1, folders=(str(folder),), folder_share=1.0)
    source = stream_chunks(config, Geometry())
    _, (batch,) = next(source)
    source.close()  # type: ignore[attr-defined]
    known = {len((folder / f"{i:06d}.gt.txt").read_text("utf-8").strip()) for i in range(4)}
    assert set(batch.lengths.tolist()) <= known


def test_a_failing_worker_is_reported(tmp_path: Path) -> None:
    config = StreamConfig(batch=2, chunk_batches=1, fonts=str(tmp_path))
    with pytest.raises(Exception, match="No font with Odia letters"):
        next(stream_chunks(config, Geometry()))


def test_unknown_keys_and_values_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="Unknown training keys"):
        config_from({"stepz": 3})
    with pytest.raises(ConfigError, match="Unknown stream keys"):
        config_from({"stream": {"batchsize": 3}})
    with pytest.raises(ConfigError, match="Unknown architecture keys"):
        config_from({"architecture": {"depth": 3}})
    with pytest.raises(ConfigError, match="device"):
        config_from({"device": "tpu"})
    with pytest.raises(FileMissingError, match="without --resume"):
        train_ctc(tiny_config(), tmp_path, resume=True)
    with pytest.raises(FileMissingError, match="does not exist"):
        load_labelled(tmp_path / "nothing")


def test_the_rate_warms_up_and_falls() -> None:
    config = tiny_config(steps=100)
    rates = [rate_at(config, step) for step in range(100)]
    assert rates[0] < rates[1] <= config.rate
    assert max(rates) == config.rate
    assert rates[-1] < 0.03 * config.rate


@pytest.mark.parametrize("mixer", ["lstm", "conv", "attention"])
def test_the_exported_model_equals_the_trained_one(tmp_path: Path, mixer: str) -> None:
    torch.manual_seed(3)
    architecture = CtcArchitecture(
        channels=(4, 8, 8, 8),
        blocks=(1, 1),
        width=24,
        hidden=8,
        layers=1,
        mixer=mixer,  # type: ignore[arg-type]
    )
    model = CtcModel(architecture).eval()
    path = tmp_path / "m.onnx"
    write_onnx(model, path, version="t")  # compares at several batch sizes and widths
    recognizer = load(str(path), threads=1)
    rng = np.random.default_rng(0)
    lines = [
        LineImage(str(i), rng.integers(0, 255, (48, 64 + 40 * i)).astype(np.uint8))
        for i in range(4)
    ]
    for line, emission in zip(lines, recognizer.emit(lines), strict=True):
        assert emission.log_probs.shape == (-(-line.pixels.shape[1] // 4), 196)
        assert np.allclose(np.exp(emission.log_probs).sum(1), 1, atol=1e-4)


def test_an_int8_model_reads_the_same_alone_and_together(tmp_path: Path) -> None:
    torch.manual_seed(4)
    write_onnx(CtcModel(CtcArchitecture(hidden=32)).eval(), tmp_path / "f.onnx", version="t")
    quantise_model(tmp_path / "f.onnx", tmp_path / "q.onnx", lines=6)
    floating, small = (load(str(tmp_path / name), threads=2) for name in ("f.onnx", "q.onnx"))
    assert (tmp_path / "q.onnx").stat().st_size < 0.5 * (tmp_path / "f.onnx").stat().st_size
    renderer = make_renderer(seed=2)
    lines = [LineImage(str(i), renderer.render(i).pixels) for i in range(5)]
    together = small.emit(lines)
    for line, a, b in zip(lines, together, floating.emit(lines), strict=True):
        (alone,) = small.emit([line])
        assert np.array_equal(a.log_probs, alone.log_probs)
        assert float(np.abs(a.log_probs - b.log_probs).mean()) < 0.1
    assert [emission.line_id for emission in together] == [line.id for line in lines]


def test_halved_weights_take_half_the_size_and_read_nearly_the_same(tmp_path: Path) -> None:
    torch.manual_seed(4)
    write_onnx(CtcModel(CtcArchitecture(hidden=32)).eval(), tmp_path / "f.onnx", version="t")
    halve_model(tmp_path / "f.onnx", tmp_path / "h.onnx")
    floating, half = (load(str(tmp_path / name), threads=1) for name in ("f.onnx", "h.onnx"))
    sizes = [(tmp_path / name).stat().st_size for name in ("f.onnx", "h.onnx")]
    assert sizes[1] < 0.55 * sizes[0]
    metadata = [read_metadata(model.session) for model in (floating, half)]
    assert metadata[1] == {**metadata[0], "precision": "float16"}
    renderer = make_renderer(seed=2)
    lines = [LineImage(str(i), renderer.render(i).pixels) for i in range(3)]
    for a, b in zip(floating.emit(lines), half.emit(lines), strict=True):
        assert 0 < float(np.abs(a.log_probs - b.log_probs).max()) < 0.1


def test_weights_round_trip_and_misfits_are_refused(tmp_path: Path) -> None:
    model = CtcModel(TINY).eval()
    save_weights(model, tmp_path / "w.safetensors", {"step": 1})
    again = open_model(tmp_path / "w.safetensors")
    pixels = torch.zeros((1, 1, 48, 64), dtype=torch.uint8)
    assert torch.allclose(model(pixels), again(pixels), atol=2e-2)
    side = tmp_path / "w.json"
    side.write_text(
        side.read_text("utf-8").replace('"alphabet_digest": "', '"alphabet_digest": "x')
    )
    with pytest.raises(ModelMissingError, match="another alphabet"):
        open_model(tmp_path / "w.safetensors")
    with pytest.raises(ModelMissingError, match="No weights"):
        open_model(tmp_path / "none.safetensors")


def test_a_confidence_fit_is_stored_with_the_model(tmp_path: Path) -> None:
    path = tmp_path / "m.onnx"
    write_onnx(CtcModel(TINY).eval(), path, version="t")
    fit = fit_confidence(load(str(path), threads=1), count=24)
    store_calibration(path, {"beam": fit})
    store_calibration(path, {"joint": replace(fit, lines=7)})
    stored = load(str(path), threads=1)
    assert tuple(stored.calibration["line"]) == fit.line
    assert stored.calibration["lines"] == fit.lines
    assert load_fast(str(path), threads=1).calibration == {}
    assert stored.name == "ctc-t"
    (result,) = stored.read([LineImage("a", np.full((48, 90), 255, np.uint8))])
    assert isinstance(result, Candidates)
