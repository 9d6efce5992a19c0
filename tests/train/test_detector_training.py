"""The line detector's targets, its loss, a short run, export, resume."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from odia_ocr.data.page_render import make_page_renderer  # noqa: E402
from odia_ocr.data.page_truth import TruthLine  # noqa: E402
from odia_ocr.errors import ConfigError, FileMissingError, ModelMissingError  # noqa: E402
from odia_ocr.pages.detector import load_detector  # noqa: E402
from odia_ocr.train.detector import (  # noqa: E402
    DetectorConfig,
    _Targets,
    detector_config_from,
    detector_loss,
    open_detector,
    train_detector,
)
from odia_ocr.train.detector_export import export_detector  # noqa: E402
from odia_ocr.train.detector_model import DetectorArchitecture, DetectorModel  # noqa: E402
from odia_ocr.train.detector_stream import (  # noqa: E402
    KERNEL,
    TileConfig,
    draw_targets,
    make_tiles,
    row_band,
    row_reach,
)
from odia_ocr.train.schedule import rate_at  # noqa: E402

TINY = DetectorArchitecture(channels=(4, 8, 8, 8, 8), blocks=(0, 1, 0, 1), neck=8)
TILES = TileConfig(side=128, batch=2, tiles_per_page=2, pages_per_chunk=1)


def line_at(left: float, right: float, baseline: float, body: float = 20.0) -> TruthLine:
    top, bottom = baseline - 1.5 * body, baseline + 0.5 * body
    outline = ((left, top), (right, top), (right, bottom), (left, bottom))
    return TruthLine("l0", "ଓଡ଼ିଆ", outline, ((left, baseline), (right, baseline)), body, "r0")


def test_the_kernel_is_the_middle_of_the_body_and_reach_that_of_the_outline() -> None:
    line = line_at(40, 200, 100)
    band = row_band(line, *KERNEL)
    assert band[:, 1].min() == pytest.approx(84)
    assert band[:, 1].max() == pytest.approx(96)
    assert row_reach(line) == (pytest.approx(20), pytest.approx(20))


def test_targets_of_a_row() -> None:
    line = line_at(40, 200, 100)
    kernel, reach, known, weight = draw_targets([(line, row_band(line, *KERNEL))], 1.0, 256)
    assert kernel.shape == known.shape == weight.shape == (64, 64)
    assert kernel[22, 20] > 0.9
    assert kernel[22, 5] == kernel[10, 20] == 0
    assert np.exp(reach[0, 22, 20]) * 8 == pytest.approx(20, rel=0.01)
    # More is asked beyond the ends of a row, nothing of print that is too small.
    assert weight[22, 55] > 1
    assert weight[10, 20] == 1
    tiny = line_at(40, 200, 100, body=3.0)
    kernel, _, known, weight = draw_targets([(tiny, row_band(tiny, *KERNEL))], 1.0, 256)
    assert kernel.max() == known.max() == 0
    assert weight.min() == 0


def test_tiles_are_a_function_of_chunk_and_show_their_kernels() -> None:
    renderer = make_page_renderer(split="train", seed=5)
    config = replace(TILES, side=256, pages_per_chunk=2)
    one, two = (make_tiles(renderer, config, 3) for _ in range(2))
    assert len(one) == 2
    assert all(np.array_equal(a.pixels, b.pixels) for a, b in zip(one, two, strict=True))
    assert not np.array_equal(one[0].pixels, make_tiles(renderer, config, 4)[0].pixels)
    assert max(batch.kernel.max() for batch in one) > 0.9


def test_the_loss_is_least_for_the_truth_and_ignores_what_has_no_weight() -> None:
    line = line_at(40, 200, 100)
    kernel, reach, known, weight = (
        torch.from_numpy(part)[None]
        for part in draw_targets([(line, row_band(line, *KERNEL))], 1.0, 256)
    )
    targets = _Targets(torch.zeros(1), kernel, reach, known, weight)
    right = torch.cat([torch.where(kernel > 0.5, 9.0, -9.0)[:, None], reach], dim=1)
    empty = torch.cat([torch.full_like(kernel, -9.0)[:, None], reach * 0], dim=1)
    good, bad = (detector_loss(maps, targets) for maps in (right, empty))
    assert float(good[0]) < 0.3 * float(bad[0])
    assert float(good[1]) < 1e-6 < float(bad[1])
    blind = replace(targets, weight=weight * 0)
    noise = right.clone()
    noise[:, 0] = torch.randn_like(kernel)
    assert float(detector_loss(noise, blind)[0]) == pytest.approx(
        float(detector_loss(right, blind)[0])
    )


def test_the_shape_of_the_maps() -> None:
    model = DetectorModel(TINY).eval()
    with torch.no_grad():
        maps = model(torch.zeros((2, 1, 64, 96), dtype=torch.uint8))
    assert maps.shape == (2, 3, 16, 24)


def forget_random_numbers(path: Path) -> None:
    """Make a state one of before they were kept."""
    state = torch.load(path, weights_only=True)
    assert set(state["progress"]) == {"step", "chunk", "in_chunk", "seconds", "best"}
    for name in ("torch_rng", "cuda_rng"):
        del state[name]
    torch.save(state, path)


def test_a_short_run_exports_and_goes_on(tmp_path: Path) -> None:
    def quiet(_: str) -> None: ...

    config = DetectorConfig(
        architecture=TINY,
        tiles=TILES,
        steps=4,
        warmup=1,
        check_every=2,
        check_chunks=1,
        save_every=0.0,
        device="cpu",
        precision="float32",
    )
    run = tmp_path / "run"
    with pytest.raises(FileMissingError, match="without --resume"):
        train_detector(config, run, resume=True, report=quiet)
    best = train_detector(config, run, report=quiet)
    with pytest.raises(ConfigError, match="already holds a run"):
        train_detector(config, run, report=quiet)
    forget_random_numbers(run / "state.pt")
    with (run / "log.jsonl").open("a", encoding="utf-8") as log:
        log.write('{"step": 5}\n')  # logged after the state was saved
    train_detector(replace(config, steps=6), run, resume=True, report=quiet)
    rows = [json.loads(row) for row in (run / "log.jsonl").read_text("utf-8").splitlines()]
    assert [row["step"] for row in rows] == [2, 4, 6]
    assert open_detector(best).architecture == TINY
    export_detector(best, tmp_path / "model.onnx", version="tiny")
    assert load_detector(str(tmp_path / "model.onnx"), threads=1).name == "detector-tiny"
    assert "detector-tiny" in (tmp_path / "model.md").read_text("utf-8")
    with pytest.raises(ModelMissingError, match="No weights"):
        open_detector(tmp_path / "none.safetensors")


def test_settings() -> None:
    config = detector_config_from(
        {"steps": 7, "tiles": {"body": [6, 9]}, "architecture": {"neck": 16}}
    )
    assert (config.steps, config.tiles.body, config.architecture.neck) == (7, (6, 9), 16)
    for bad in ({"stepz": 1}, {"tiles": {"sides": 3}}, {"architecture": {"depth": 3}}):
        with pytest.raises(ConfigError, match="Unknown"):
            detector_config_from(bad)
    with pytest.raises(ConfigError, match="auto, cpu, cuda"):
        detector_config_from({"device": "tpu"})
    rates = [rate_at(replace(config, steps=100, warmup=5), step) for step in range(100)]
    assert rates[0] < rates[4] == max(rates)
    assert rates[-1] < 0.05 * max(rates)
