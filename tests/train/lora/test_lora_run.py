"""Adapters are trained on a toy model: exact continuation, hostile samples, misfits, settings."""

from __future__ import annotations

import json
import shutil
import zlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("peft")
pytest.importorskip("accelerate")

from PIL import Image  # noqa: E402
from safetensors.numpy import load_file  # noqa: E402

from odia_ocr.data.sets.sample import FilePicture, Sample, StoredPicture  # noqa: E402
from odia_ocr.errors import (  # noqa: E402
    ConfigError,
    DataError,
    FileMissingError,
    ModelMissingError,
    PictureError,
    ResourceMissingError,
    SampleError,
)
from odia_ocr.recognize import open_recognizer  # noqa: E402
from odia_ocr.train.lora.checkpoint import list_checkpoints  # noqa: E402
from odia_ocr.train.lora.config import (  # noqa: E402
    AdapterShape,
    LoraConfig,
    RenderedConfig,
    lora_config_from,
)
from odia_ocr.train.lora.order import Order  # noqa: E402
from odia_ocr.train.lora.parts import open_trainee, rate_at_step, share_tokens  # noqa: E402
from odia_ocr.train.lora.preflight import check_samples  # noqa: E402
from odia_ocr.train.lora.run import train_lora  # noqa: E402
from odia_ocr.train.lora.samples import (  # noqa: E402
    Labelled,
    ListedSamples,
    StreamedSamples,
    augment,
)
from odia_ocr.train.lora.sources import open_sources  # noqa: E402
from odia_ocr.types import LineImage, Pixels  # noqa: E402
from random_vlm import save_random_base  # noqa: E402


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_random_base(tmp_path_factory.mktemp("lora") / "base")


def config_on(base: Path, **changes: object) -> LoraConfig:
    plain = LoraConfig(
        base=str(base),
        adapter=AdapterShape(rank=4, alpha=8, dropout=0.1),
        rendered=RenderedConfig(recipe="clean", max_words=1),
        steps=4,
        batch=2,
        accumulate=2,
        warmup=1,
        check_every=2,
        check_lines=2,
        keep_every=2,
        device="cpu",
        augment=0.5,
    )
    return replace(plain, **changes)  # type: ignore[arg-type]


def quiet(_: str) -> None: ...


def write_lines(folder: Path, count: int = 6, *, text: str = "କଟକ") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(1)
    for i in range(count):
        pixels = rng.integers(0, 255, (40, 60 + 10 * i), np.uint8)
        Image.fromarray(pixels).save(folder / f"l{i}.png")
        (folder / f"l{i}.gt.txt").write_text(f"{text} {i}\n", encoding="utf-8")
    return folder


@pytest.mark.parametrize("checkpointing", [False, True], ids=["plain", "checkpointing"])
def test_a_run_goes_on_exactly(base: Path, tmp_path: Path, checkpointing: bool) -> None:
    config = config_on(base, checkpointing=checkpointing)
    train_lora(config, tmp_path / "whole", report=quiet)

    class Stop(Exception): ...

    def stop(news: object) -> None:
        if getattr(news, "step", 0) == 3:
            raise Stop

    with pytest.raises(Stop):
        train_lora(config, tmp_path / "parts", report=quiet, on_step=stop)
    train_lora(config, tmp_path / "parts", report=quiet, resume=True)
    first, second = (
        load_file(tmp_path / name / "checkpoint-4" / "adapter_model.safetensors")
        for name in ("whole", "parts")
    )
    assert max(float(np.abs(first[key] - second[key]).max()) for key in first) == 0.0
    logs = [(tmp_path / name / "log.jsonl").read_text().splitlines() for name in ("whole", "parts")]
    assert [json.loads(row)["loss"] for row in logs[0]] == [
        json.loads(row)["loss"] for row in logs[1]
    ]


def test_a_run_goes_on_with_the_prompt_and_limits_it_was_begun_with(
    base: Path, tmp_path: Path
) -> None:
    """Other trainers make the processor anew, with the limits that the base has by then."""
    copy = shutil.copytree(base, tmp_path / "base")
    config = config_on(copy)
    train_lora(config, tmp_path / "whole", report=quiet)
    shutil.copytree(tmp_path / "whole", tmp_path / "parts")
    shutil.rmtree(tmp_path / "parts" / "checkpoint-4")
    changed = json.loads((copy / "odia_ocr.json").read_text())
    changed |= {"prompt": "Other", "max_pixels": 28 * 28 * 4, "min_pixels": 28 * 28}
    (copy / "odia_ocr.json").write_text(json.dumps(changed))
    train_lora(config, tmp_path / "parts", report=quiet, resume=True)
    first, second = (
        (tmp_path / name / "checkpoint-4" / "adapter_model.safetensors").read_bytes()
        for name in ("whole", "parts")
    )
    assert first == second


def test_it_learns_and_can_be_read_with(base: Path, tmp_path: Path) -> None:
    lines = write_lines(tmp_path / "lines", 3)
    config = config_on(
        base,
        data=(str(lines),),
        check=(str(lines),),
        steps=12,
        accumulate=1,
        rate=0.02,
        check_every=12,
        keep_every=12,
        augment=0.0,
    )
    losses: list[float] = []
    best = train_lora(
        config, tmp_path / "run", report=quiet, on_step=lambda news: losses.append(news.loss)
    )
    assert np.mean(losses[-3:]) < np.mean(losses[:3])
    name = f"vlm:{base}::{best}"
    (result,) = open_recognizer(name).read([LineImage("a", np.zeros((40, 60), np.uint8))])
    assert result.line_id == "a"
    assert json.loads((best / "adapter_config.json").read_text())["base_model_name_or_path"] == str(
        base
    )


def test_a_warm_start_takes_the_adapter_and_a_fresh_optimizer(base: Path, tmp_path: Path) -> None:
    config = config_on(base, steps=2)
    first = train_lora(config, tmp_path / "first", report=quiet)
    for name in ("state.pt", "odia_ocr.json"):  # as adapters are published
        (first / name).unlink()
    trainee = open_trainee(config, start_from=first)
    stored = load_file(first / "adapter_model.safetensors")
    held = {
        name.replace(".default", ""): value.detach().numpy()
        for name, value in trainee.model.named_parameters()
        if "lora_" in name
    }
    assert all(np.array_equal(stored[key], held[key]) for key in stored)
    with pytest.raises(FileMissingError, match="--from"):
        train_lora(config, tmp_path / "first", report=quiet, resume=True)
    train_lora(config, tmp_path / "second", report=quiet, start_from=first)
    assert list_checkpoints(tmp_path / "second")


def test_a_warm_start_asks_as_the_adapter_was_taught(base: Path, tmp_path: Path) -> None:
    """Prompt and limits of an adapter go before its base's, and what the run says before both."""
    first = train_lora(
        config_on(base, steps=2, prompt="Odia?", max_tokens=150), tmp_path / "run", report=quiet
    )
    plain = open_trainee(config_on(base)).encoder.settings
    assert plain.prompt != "Odia?"
    warm = open_trainee(config_on(base), start_from=first).encoder.settings
    assert (warm.prompt, warm.max_tokens, warm.max_pixels) == ("Odia?", 150, plain.max_pixels)
    said = open_trainee(config_on(base, prompt="Text:"), start_from=first).encoder.settings
    assert (said.prompt, said.max_tokens) == ("Text:", 150)


@pytest.mark.parametrize("kind", [{"rslora": True}, {"dora": True}], ids=["rslora", "dora"])
def test_other_kinds_of_adapters_learn_and_are_read_with(
    base: Path, tmp_path: Path, kind: dict[str, bool]
) -> None:
    shape = AdapterShape(rank=4, alpha=8, **kind)  # type: ignore[arg-type]
    best = train_lora(
        config_on(base, adapter=shape, steps=2, rate=0.01), tmp_path / "run", report=quiet
    )
    stored = load_file(best / "adapter_model.safetensors")
    assert all(value.any() for name, value in stored.items() if "lora_B" in name)
    assert any("magnitude" in name for name in stored) == ("dora" in kind)
    line = LineImage("a", np.random.default_rng(2).integers(0, 255, (40, 60), np.uint8))
    (result,) = open_recognizer(f"vlm:{base}::{best}?most=8").read([line])
    assert result.line_id == "a"


@pytest.mark.parametrize("place", ["forward", "backward"])
def test_without_memory_it_says_what_to_change(
    base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise torch.OutOfMemoryError("no memory")

    if place == "forward":
        monkeypatch.setattr("torch.nn.functional.cross_entropy", fail)
    else:
        monkeypatch.setattr(torch.Tensor, "backward", fail)
    with pytest.raises(ResourceMissingError, match=r"batch of 2 samples of \d+ tokens") as error:
        train_lora(config_on(base), tmp_path / "run", report=quiet)
    assert "checkpointing" in error.value.next_step
    assert "max_pixels" in error.value.next_step


def test_hostile_samples_are_left_out_and_named(base: Path, tmp_path: Path) -> None:
    lines = write_lines(tmp_path / "lines")
    said: list[str] = []

    def add(name: str, size: tuple[int, int], text: str) -> None:
        Image.new("L", size, 128).save(lines / f"{name}.png")
        (lines / f"{name}.gt.txt").write_text(text, encoding="utf-8")

    add("strip", (6000, 20), "ଲମ୍ବା")
    add("special", (80, 40), "କ <|image_pad|> ଖ")
    add("empty", (80, 40), " ")
    add("endless", (80, 40), "କଖଗ " * 400)
    (lines / "broken.png").write_bytes(b"no picture")
    (lines / "broken.gt.txt").write_text("କ", encoding="utf-8")
    held_out = str(write_lines(tmp_path / "held_out", 1))
    config = config_on(base, data=(str(lines),), check=(held_out,), steps=2, augment=0.0)
    config = replace(config, misfit="skip")
    train_lora(config, tmp_path / "run", report=said.append)
    told = "\n".join(said)
    for name in ("strip", "special", "endless", "broken"):
        assert name in told
    with pytest.raises(SampleError, match="special tokens"):
        train_lora(replace(config, misfit="reject"), tmp_path / "other", report=quiet)


def test_too_large_pictures_are_scaled_down_when_asked(base: Path, tmp_path: Path) -> None:
    lines = write_lines(tmp_path / "lines")
    Image.new("L", (5600, 56), 200).save(lines / "wide.png")
    (lines / "wide.gt.txt").write_text("ଏକ", encoding="utf-8")
    vlm = open_trainee(config_on(base, max_tokens=120))
    samples = ListedSamples(tuple(_samples(lines)))
    with pytest.raises(SampleError, match=r"wide.*max_tokens is 120"):
        check_samples(samples, vlm.encoder, "reject", tick=lambda done, total: None)
    found = check_samples(samples, vlm.encoder, "shrink", tick=lambda done, total: None)
    assert (len(found.fitting), found.shrunk, found.tokens <= 120) == (7, 1, True)
    sample = vlm.encoder.encode("wide", Image.new("L", (5600, 56), 200), "ଏକ", shrink=True)
    assert len(sample.tokens) <= 120
    assert vlm.encoder.collate([sample])["labels"].shape[1] == len(sample.tokens)


def test_the_preflight_measures_pictures_and_still_names_broken_ones(
    base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = write_lines(tmp_path / "lines")
    for name, data in (
        ("cut", (lines / "l1.png").read_bytes()[:-40]),
        ("nonsense", _store_nonsense((lines / "l2.png").read_bytes())),
    ):
        (lines / f"{name}.png").write_bytes(data)
        (lines / f"{name}.gt.txt").write_text("କ", encoding="utf-8")
    decoded: list[str] = []
    load = FilePicture.load

    def load_noted(picture: FilePicture) -> Pixels:
        decoded.append(picture.path.stem)
        return load(picture)

    monkeypatch.setattr(FilePicture, "load", load_noted)
    encoder = open_trainee(config_on(base)).encoder
    samples = ListedSamples(tuple(_samples(lines)))
    found = check_samples(samples, encoder, "skip", tick=lambda done, total: None)
    assert [one.message.partition(":")[0] for one in found.found] == ["cut"]
    assert "truncated or corrupt" in found.found[0].message
    assert decoded == []
    # Checksums cannot tell nonsense that was stored with care: it is named when its turn comes.
    (number,) = (n for n in found.fitting if samples.listed[n].id == "nonsense")
    with pytest.raises(PictureError, match=r"nonsense\.png.*corrupt"):
        samples.take(number)


def _store_nonsense(png: bytes) -> bytes:
    """The same PNG with bytes that are no rows, and a valid checksum."""
    at = png.index(b"IDAT")
    length = int.from_bytes(png[at - 4 : at], "big")
    body = b"IDAT" + b"\x55" * length
    return png[: at + 4] + body[4:] + zlib.crc32(body).to_bytes(4, "big") + png[at + 8 + length :]


def test_single_characters_are_told(base: Path, tmp_path: Path) -> None:
    lines = tmp_path / "letters"
    lines.mkdir()
    for i, letter in enumerate("କଖଗଘଙ"):
        Image.new("L", (32, 32), 128).save(lines / f"{i}.png")
        (lines / f"{i}.gt.txt").write_text(letter, encoding="utf-8")
    vlm = open_trainee(config_on(base))
    samples = ListedSamples(tuple(_samples(lines)))
    found = check_samples(samples, vlm.encoder, "reject", tick=lambda done, total: None)
    assert any("single characters" in line for line in found.tell())


def _samples(folder: Path) -> list[Sample]:
    from odia_ocr.data.sets.formats import open_set

    return [found for found in open_set(folder) if isinstance(found, Sample)]


class _NoPicture:
    name = "gone"

    def load(self) -> Pixels:
        raise PictureError("gone is no picture.")

    def measure(self) -> tuple[int, int]:
        raise PictureError("gone is no picture.")

    def store(self) -> StoredPicture:
        raise PictureError("gone is no picture.")


def test_streamed_samples_come_in_the_same_order_from_any_place_on() -> None:
    class Flat(_NoPicture):
        def load(self) -> Pixels:
            return np.zeros((4, 4), np.uint8)

    pool = [Sample(str(i), Flat(), "କ") for i in range(9)]

    def open_samples() -> StreamedSamples:
        return StreamedSamples(lambda: iter(pool), buffer=4, seed=3)

    whole = open_samples()
    ids = [whole.take(i).id for i in range(20)]
    assert sorted(ids[:9]) == sorted(sample.id for sample in pool)
    later = open_samples()
    assert [later.take(i).id for i in range(7, 20)] == ids[7:]
    with pytest.raises(DataError):
        StreamedSamples(lambda: iter(()), buffer=4, seed=3).take(0)


def test_a_stream_is_checked_and_its_first_samples_are_held_out(base: Path, tmp_path: Path) -> None:
    lines = write_lines(tmp_path / "lines", 8)
    (lines / "l5.gt.txt").write_text("<|im_end|>", encoding="utf-8")
    config = config_on(
        base, data=(str(lines),), stream=True, misfit="skip", check_lines=3, buffer=4, augment=0.0
    )
    said: list[str] = []
    sources = open_sources(config, open_trainee(config).encoder, report=said.append)
    held = {sample.id for sample in sources.held_out}
    seen = {sources.samples.take(i).id for i in range(12)}
    assert len(held) == 3
    assert not held & seen
    assert "l5" not in seen
    assert "special tokens" in "\n".join(said)
    rejecting = replace(config, misfit="reject")
    with pytest.raises(SampleError):
        open_sources(rejecting, open_trainee(config).encoder, report=quiet)
    late = open_sources(
        replace(rejecting, check_lines=1, buffer=1), open_trainee(config).encoder, report=quiet
    )
    with pytest.raises(SampleError, match="l5"):
        [late.samples.take(i) for i in range(8)]


def test_what_is_held_out_is_looked_at_too(base: Path, tmp_path: Path) -> None:
    lines = write_lines(tmp_path / "lines", 12)
    for i in range(12):
        (lines / f"l{i}.gt.txt").write_text("<|im_end|>" if i == 7 else f"କ {i}", encoding="utf-8")
    config = config_on(base, data=(str(lines),), misfit="skip", augment=0.0)
    sources = open_sources(config, open_trainee(config).encoder, report=quiet)
    assert sources.numbers is not None
    assert len(sources.numbers) + len(sources.held_out) == 11
    assert "l7" not in {sample.id for sample in sources.held_out}
    with pytest.raises(ConfigError, match="curriculum"):
        open_sources(config_on(base, curriculum=0.5), open_trainee(config).encoder, report=quiet)


def test_tokens_of_all_batches_count_alike() -> None:
    labels = [torch.tensor([[-100, 1, 1, 1]]), torch.tensor([[-100, 1, -100, -100]])]
    assert share_tokens([{"labels": each} for each in labels]) == [0.75, 0.25]


def test_the_order_sees_every_sample_once_an_epoch_and_grows() -> None:
    order = Order(tuple(range(10)), seed=1)
    assert sorted(order.at(i).number for i in range(10)) == list(range(10))
    assert [order.at(i) for i in range(10, 20)] != [order.at(i) for i in range(10)]
    growing = Order(tuple(range(100)), seed=1, growing=400)
    early = [growing.at(i).number for i in range(40)]
    assert max(early) < 35
    assert max(growing.at(i).number for i in range(360, 400)) > 60


def test_augmentation_depends_on_its_key_alone() -> None:
    sample = Labelled("a", Image.fromarray(np.full((40, 80), 200, np.uint8)), "କ")
    first, again, other = (augment(sample, 0.8, key) for key in ((1, 2), (1, 2), (1, 3)))
    assert np.array_equal(np.asarray(first.picture), np.asarray(again.picture))
    assert not np.array_equal(np.asarray(first.picture), np.asarray(other.picture))


@pytest.mark.parametrize("schedule", ["cosine", "linear", "constant"])
def test_schedules_warm_up_and_end(schedule: str) -> None:
    config = LoraConfig(steps=100, warmup=10, rate=1.0, schedule=schedule)
    assert rate_at_step(config, 0) == pytest.approx(0.1)
    assert rate_at_step(config, 10) == pytest.approx(1.0)
    end = rate_at_step(config, 100)
    assert end == (1.0 if schedule == "constant" else pytest.approx(0.0, abs=1e-9))


def test_old_checkpoints_go_and_the_best_stays(base: Path, tmp_path: Path) -> None:
    config = config_on(base, steps=6, accumulate=1, check_every=2, keep_every=1, keep_last=1)
    best = train_lora(config, tmp_path / "run", report=quiet)
    kept = list_checkpoints(tmp_path / "run")
    assert best in kept
    assert kept[-1].name == "checkpoint-6"
    assert len(kept) <= 2


def test_a_run_stops_when_reading_gets_no_better(base: Path, tmp_path: Path) -> None:
    config = config_on(base, steps=40, check_every=1, patience=2, rate=1e-9, accumulate=1)
    train_lora(config, tmp_path / "run", report=quiet)
    rows = (tmp_path / "run" / "log.jsonl").read_text().splitlines()
    assert len(rows) == 3


def test_clear_errors(base: Path, tmp_path: Path) -> None:
    train_lora(config_on(base, steps=2), tmp_path / "run", report=quiet)
    with pytest.raises(ConfigError, match="already holds a run"):
        train_lora(config_on(base, steps=2), tmp_path / "run", report=quiet)
    with pytest.raises(ConfigError, match="other values of rate"):
        train_lora(config_on(base, steps=2, rate=1.0), tmp_path / "run", report=quiet, resume=True)
    with pytest.raises(ConfigError, match="Unknown adapter keys"):
        lora_config_from({"adapter": {"ranks": 4}})
    for targets in ("nothing", "*a", r".*norm"):
        shape = AdapterShape(targets=targets)
        with pytest.raises(ConfigError, match="No layers can be adapted by targets") as error:
            open_trainee(config_on(base, adapter=shape))
        assert "language_model" in error.value.next_step
    with pytest.raises(ModelMissingError) as missing:
        open_trainee(config_on(base), start_from=tmp_path / "run")
    assert str(tmp_path / "run" / "checkpoint-2") in missing.value.next_step
    with pytest.raises(ConfigError, match="schedule must be one of"):
        LoraConfig(schedule="steps")
    (tmp_path / "run" / "checkpoint-2" / "state.pt").write_bytes(b"broken")
    with pytest.raises(ModelMissingError, match="resume from the one before"):
        train_lora(config_on(base, steps=2), tmp_path / "run", report=quiet, resume=True)


def run_example(name: str, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> None:
    import runpy

    path = Path(__file__).parents[3] / "examples" / name
    monkeypatch.setattr("sys.argv", [str(path), *arguments])
    runpy.run_path(str(path), run_name="__main__")


def test_the_examples_run(
    base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make_lines: Callable[[Path], Path]
) -> None:
    lines = str(make_lines(tmp_path / "lines"))
    first = train_lora(config_on(base, data=(lines,), steps=2), tmp_path / "run", report=quiet)
    shutil.copytree(first, tmp_path / "published")
    (tmp_path / "published" / "state.pt").unlink()
    said = ("--base", str(base), "--data", lines, "--steps", "2")
    run_example(
        "training_phase2.py",
        monkeypatch,
        str(tmp_path / "published"),
        *said,
        "-o",
        str(tmp_path / "phase2"),
    )
    run_example("training_phase2.py", monkeypatch, str(first))  # it is done: nothing is left
    run_example("training_phase2_optimized.py", monkeypatch, *said, "-o", str(tmp_path / "own"))
    assert [path.name for path in list_checkpoints(tmp_path / "own")] == ["checkpoint-2"]
    again = lora_config_from(json.loads((tmp_path / "own" / "config.json").read_text()))
    shipped = train_lora(
        again, tmp_path / "shipped", report=quiet
    )  # a loop of one's own is as good
    first, second = (
        load_file(folder / "adapter_model.safetensors")
        for folder in (tmp_path / "own" / "checkpoint-2", shipped)
    )
    assert max(float(np.abs(first[key] - second[key]).max()) for key in first) == 0.0
    assert train_lora(again, tmp_path / "own", report=quiet, resume=True).name == "checkpoint-2"
    with pytest.raises(SystemExit) as ended:
        run_example("training_phase2.py", monkeypatch, str(tmp_path / "nowhere"))
    assert ended.value.code == 3


@pytest.fixture
def make_lines() -> Callable[[Path], Path]:
    return write_lines
