"""Adapting a toy network: what is learned from, what is kept, what is refused."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("matplotlib")

from odia_ocr.data.lines import make_renderer  # noqa: E402
from odia_ocr.data.vary import vary_line, vary_recipe  # noqa: E402
from odia_ocr.errors import ConfigError, DataError  # noqa: E402
from odia_ocr.evaluate.scores import count_line  # noqa: E402
from odia_ocr.recognize.ctc import load  # noqa: E402
from odia_ocr.recognize.line_tensor import Geometry  # noqa: E402
from odia_ocr.train import adapt  # noqa: E402
from odia_ocr.train.adapt import (  # noqa: E402
    AdaptConfig,
    TrainingLine,
    adapt_config_from,
    adapt_ctc,
    part_check,
)
from odia_ocr.train.adapt_report import compare_counts, write_changes  # noqa: E402
from odia_ocr.train.checkpoint import open_model, save_weights  # noqa: E402
from odia_ocr.train.ctc_model import CtcArchitecture, CtcModel  # noqa: E402
from odia_ocr.train.run import LinesProgress  # noqa: E402
from odia_ocr.types import LineImage  # noqa: E402

TINY = CtcArchitecture(channels=(4, 8, 8, 8), blocks=(0, 0), width=16, hidden=8, layers=1)
QUICK = AdaptConfig(
    steps=4,
    warmup=1,
    check_every=2,
    batch=4,
    replay_lines=8,
    check_lines=2,
    fit_lines=24,
    mix_lines=4,
    device="cpu",
    precision="float32",
    threads=1,
)


def quiet(_: str) -> None: ...


def draw(count: int, seed: int = 3) -> list[TrainingLine]:
    renderer = make_renderer(clean=True, seed=seed)
    drawn = [renderer.render(i) for i in range(count)]
    return [TrainingLine(line.pixels, line.text) for line in drawn]


@pytest.fixture(scope="module")
def start(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(5)
    path: Path = tmp_path_factory.mktemp("start") / "w.safetensors"
    save_weights(CtcModel(TINY), path, {"step": 0})
    return path


def test_an_adapted_model_reads_and_nothing_is_written_over(tmp_path: Path, start: Path) -> None:
    lines, steps = draw(8), []
    made = adapt_ctc(
        lines[:6],
        tmp_path / "r",
        config=QUICK,
        start=start,
        check=lines[6:],
        report=quiet,
        on_step=lambda step, _: steps.append(step),
    )
    assert (made.steps, steps) == (4, [1, 2, 3, 4])
    assert made.before is not None
    assert made.after is not None
    assert made.after <= made.before
    recognizer = load(str(made.model), threads=1)
    assert recognizer.name == "ctc-r"
    assert len(recognizer.read([LineImage("a", lines[0].pixels)])) == 1
    facts = json.loads(made.weights.with_suffix(".json").read_text("utf-8"))["facts"]
    assert facts["labelled_lines"] == 6
    before = made.model.read_bytes()
    with pytest.raises(ConfigError, match="already holds a model"):
        adapt_ctc(lines, tmp_path / "r", config=QUICK, start=start, report=quiet)
    assert made.model.read_bytes() == before


def test_weights_that_forget_are_not_kept(
    tmp_path: Path, start: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The own lines gain a point, the general ones lose ten: what was there before stays."""
    rates = {"degraded": 0.1, "clean": 0.1, "own": 0.5}
    seen = []

    def measure(model, check, *_):
        seen.append(check.name)
        worse = len(seen) > len(rates)
        return rates[check.name] + (-0.01 if check.name == "own" else 0.1) * worse

    monkeypatch.setattr(adapt, "measure", measure)
    monkeypatch.setattr("odia_ocr.train.ctc.measure", measure)
    monkeypatch.setattr(adapt, "export_run", lambda *_, **__: None)
    lines = draw(6)
    config = replace(QUICK, mix=False)
    made = adapt_ctc(lines[:4], tmp_path, config=config, start=start, check=lines[4:], report=quiet)
    facts = json.loads(made.weights.with_suffix(".json").read_text("utf-8"))["facts"]
    assert "step" not in facts  # the weights it began with


def test_general_losses_count_beyond_what_is_allowed() -> None:
    before = {"degraded": 0.04, "clean": 0.02, "own": 0.2}

    def judge(**rates: float) -> float:
        return adapt._judge(rates, before=before, allowed=0.002)

    assert judge(degraded=0.042, clean=0.022, own=0.1) == pytest.approx(0.1)
    assert judge(degraded=0.03, clean=0.01, own=0.1) == pytest.approx(0.1)
    assert judge(degraded=0.05, clean=0.02, own=0.1) == pytest.approx(0.1 + 5 * 0.003)
    assert judge(degraded=0.04, clean=0.02) == 0.0


def test_a_run_ends_when_nothing_gets_better() -> None:
    progress = LinesProgress(best=0.5)
    scores = [None, 0.4, None, 0.6, None, 0.3, 0.7, None, 0.8, 0.9, 0.1]
    taken = []

    def learning():
        for score in scores:
            taken.append(score)
            progress.best = min(progress.best, score or 1.0)
            yield score is not None

    said: list[str] = []
    adapt._stop_in_time(learning(), progress, 3, said.append)
    assert taken == scores[:-1]
    assert said == ["No better for 3 validations: ended at step 0."]


def test_batches_hold_replayed_lines_and_lines_by_weight() -> None:
    geometry = Geometry()
    lines = [replace(line, weight=w) for line, w in zip(draw(2), (1.0, 3.0), strict=True)]
    own = adapt._shape_lines(lines, geometry)
    replay = adapt._shape_lines(draw(1, seed=9), geometry)
    config = replace(QUICK, batch=8, replay=0.25, vary=0.0)
    chunks = list(islice(adapt._draw_chunks(own, replay, config, geometry), 30))
    labels = [
        tuple(part)
        for _, batches in chunks
        for batch in batches
        for part in np.split(batch.labels, np.cumsum(batch.lengths)[:-1])
    ]
    shares = [
        sum(label == tuple(line.labels) for label in labels) / len(labels)
        for line in (*replay, *own)
    ]
    assert shares[0] == 0.25
    assert shares[1] + shares[2] == 0.75
    assert 2 < shares[2] / shares[1] < 4.5
    again = next(adapt._draw_chunks(own, replay, config, geometry))
    assert all(
        np.array_equal(a.pixels, b.pixels) for a, b in zip(again[1], chunks[0][1], strict=True)
    )


def test_rendered_lines_are_drawn_once() -> None:
    assert adapt.render_replay(5, Geometry()) is adapt.render_replay(5, Geometry())


def test_varied_pictures_differ_and_stay_readable() -> None:
    (line,) = adapt._shape_lines(draw(1), Geometry())
    made = [
        vary_line(line.pixels, np.random.default_rng(seed), vary_recipe(1.0)) for seed in range(12)
    ]
    assert len({picture.tobytes() for picture in made}) == 12
    again = vary_line(line.pixels, np.random.default_rng(0), vary_recipe(1.0))
    assert np.array_equal(made[0], again)
    for picture in made:
        assert 0.8 < picture.shape[1] / picture.shape[0] / (line.pixels.shape[1] / 48) < 1.25
        assert picture.min() < 128 < picture.max()
    plain = vary_line(line.pixels, np.random.default_rng(0), vary_recipe(0.0))
    assert plain.shape[0] == 48


def test_a_share_is_held_out() -> None:
    lines = draw(10)
    own, check = part_check(lines, 0.2, seed=4)
    assert (len(own), len(check)) == (8, 2)
    assert {id(line) for line in own + check} == {id(line) for line in lines}
    assert part_check(lines, 0.0) == (lines, [])


def test_lines_without_room_for_their_letters_are_refused(tmp_path: Path, start: Path) -> None:
    narrow = TrainingLine(np.full((48, 20), 255, np.uint8), "ଓଡ଼ିଆ ଲିପି")
    with pytest.raises(DataError, match="None of 1 labelled lines"):
        adapt_ctc([narrow], tmp_path, config=QUICK, start=start, report=quiet)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"stream": {}}, "Unknown adaptation keys"),
        ({"replay": 1.0}, "replay must lie in 0..1"),
        ({"batch": 1}, "batch must be 2 or more"),
        ({"optimizer": "sgd"}, "optimizer must be one of"),
    ],
)
def test_wrong_settings(values: dict[str, object], says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        adapt_config_from(values)


def test_the_report_says_before_and_after(tmp_path: Path) -> None:
    before = [count_line("ଓଡ଼ିଆ", "ଓଡିଆ"), count_line("ଲିପି", "ଲିପି")]
    after = [count_line("ଓଡ଼ିଆ", "ଓଡ଼ିଆ"), count_line("ଲିପି", "ଲିପି")]
    text = write_changes([compare_counts("own", before, after)], tmp_path, title="Tried")
    assert "| own | 2 | 11.11 % (0.00–20.00) | 0.00 % (0.00–0.00) | -11.11" in text
    assert (tmp_path / "report.md").read_text("utf-8") == text
    assert "<svg" in (tmp_path / "report.svg").read_text("utf-8")
    (stored,) = json.loads((tmp_path / "report.json").read_text("utf-8"))["sets"]
    assert stored["after"]["value"] == 0


def test_the_starting_weights_are_mixed_in_until_little_is_lost(
    tmp_path: Path, start: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every tenth of the adapted weights costs a point on clean lines: two of them may stay."""
    base = open_model(start).head.bias.detach().clone()
    adapted: list[torch.Tensor] = []

    def measure(model, check, *_):
        if not adapted or check.name != "clean":
            return 0.1
        return 0.1 + 0.1 * float((model.head.bias.detach() - base).abs().max() / adapted[0])

    def follow_to_the_end(learning, *_):
        for _ in learning:
            pass
        best = tmp_path / "best.safetensors"
        adapted.append((open_model(best).head.bias.detach() - base).abs().max())

    monkeypatch.setattr(adapt, "measure", measure)
    monkeypatch.setattr("odia_ocr.train.ctc.measure", lambda *_: 0.1)
    monkeypatch.setattr(adapt, "_stop_in_time", follow_to_the_end)
    monkeypatch.setattr(adapt, "export_run", lambda *_, **__: None)
    config = replace(QUICK, rate=0.1, forget=0.0205)
    made = adapt_ctc(draw(6), tmp_path, config=config, start=start, report=quiet)
    assert made.share == 0.2
    assert json.loads((tmp_path / "unmixed.json").read_text("utf-8"))["facts"]["step"] == 4
    facts = json.loads(made.weights.with_suffix(".json").read_text("utf-8"))["facts"]
    assert facts["averaged"] == ["w.safetensors: 0.8", "best.safetensors: 0.2"]
    kept, whole = (
        (open_model(path).head.bias.detach() - base).abs().max()
        for path in (made.weights, tmp_path / adapt.UNMIXED)
    )
    assert float(kept) == pytest.approx(0.2 * float(whole), rel=0.1)


def test_soft_labels_are_drawn_by_their_shares() -> None:
    (line,) = adapt._shape_lines(
        [replace(draw(1)[0], text="ଘର", rivals=(("ଘା", 0.25), ("ଗର", 0.25)))], Geometry()
    )
    rng = np.random.default_rng(3)
    drawn = [tuple(adapt._draw_text(line, rng).labels) for _ in range(2000)]
    for text, share in (("ଘର", 0.5), ("ଘା", 0.25), ("ଗର", 0.25)):
        count = drawn.count(tuple(adapt.ALPHABET.encode(text)))
        assert count / 2000 == pytest.approx(share, abs=0.05)
