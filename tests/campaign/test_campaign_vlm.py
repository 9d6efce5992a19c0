"""A campaign on a vision-language model and a ladder of its adapters."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
peft = pytest.importorskip("peft")

from odia_ocr.apps.campaign_ladder import open_ladder  # noqa: E402
from odia_ocr.campaign.config import Campaign, SetOrder  # noqa: E402
from odia_ocr.campaign.run import run_campaign  # noqa: E402
from odia_ocr.campaign.stack import Stack  # noqa: E402
from odia_ocr.campaign.techniques import Means, from_fused  # noqa: E402
from odia_ocr.data.compose import Mix  # noqa: E402
from odia_ocr.data.lines import make_renderer, render_lines  # noqa: E402
from odia_ocr.data.render_folder import write_rendered  # noqa: E402
from odia_ocr.errors import DataError, UsageError  # noqa: E402
from odia_ocr.recognize.vlm.naming import VlmName, join_engines  # noqa: E402
from random_vlm import make_random_model, save_random_base  # noqa: E402


@pytest.fixture(scope="module")
def ladder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run's folder with three checkpoints, and the base that they name."""
    folder = tmp_path_factory.mktemp("run")
    base = save_random_base(folder / "base")
    for step in (100, 50, 150):
        torch.manual_seed(step)
        config = peft.LoraConfig(r=2, target_modules=r".*language_model.*\.(q_proj|v_proj)")
        with pytest.warns(FutureWarning):
            model = peft.get_peft_model(make_random_model(), config)
        with torch.no_grad():
            for name, weight in model.named_parameters():
                if "lora_B" in name:
                    weight.normal_(std=0.3)
        model.save_pretrained(folder / f"checkpoint-{step}")
        path = folder / f"checkpoint-{step}" / "adapter_config.json"
        values = json.loads(path.read_text())
        path.write_text(json.dumps({**values, "base_model_name_or_path": str(base)}))
    return folder


def write_set(folder: Path, seed: int) -> SetOrder:
    renderer = make_renderer(split="check", seed=seed, clean=True, mix=Mix(max_words=1))
    write_rendered(render_lines(renderer, 3), folder)
    return SetOrder(folder=str(folder))


def test_a_ladder_is_measured_with_its_ensembles(ladder: Path, tmp_path: Path) -> None:
    rungs = open_ladder(str(ladder / "checkpoint-*"), tmp_path / "ladder", say=print)
    assert [name.rpartition("-")[2] for name in rungs.engines] == ["50", "100", "150"]
    assert "mean-of-3" in rungs.averaged
    single = rungs.engines[-1]
    chosen = (
        "2A-1",
        "2B-2",
        "2A-2/diverse-vote",
        "2A-2/ladder-vote",
        "2A-2/ladder-emissions",
        "2A-2/ladder-weights",
    )
    campaign = Campaign(
        "vlm",
        fit=write_set(tmp_path / "fit", 1),
        report=write_set(tmp_path / "report", 2),
        single=single,
        members=(f"{single}?height=28", f"{single}?height=84"),  # other scales of the picture
        techniques={key: {} for key in (*chosen, "2B-3/fusion", "2C-3/joint")},
        resamples=1000,
    )
    outcome = run_campaign(
        campaign,
        tmp_path / "cache",
        ladder=rungs.engines,
        averaged=rungs.averaged,
        say=lambda said: None,
    )
    rows = {row.technique.key: row for row in outcome.rows}
    for key in chosen:
        assert rows[key].comparison is not None, rows[key].why
    for key in ("2B-3/fusion", "2C-3/joint"):
        assert "frame by frame" in rows[key].why
    assert len(outcome.checkpoints) == 3
    assert not outcome.problems


def test_how_a_ladder_is_asked_goes_with_each_of_its_engines(ladder: Path, tmp_path: Path) -> None:
    asked = f"vlm:{ladder / 'base'}?prompt=Extract+the+text&height=56"
    rungs = open_ladder(str(ladder / "checkpoint-*"), tmp_path / "ladder", say=print, base=asked)
    names = [VlmName.parse(name.partition(":")[2]) for name in (*rungs.engines, rungs.averaged)]
    assert {(name.prompt, name.height) for name in names} == {("Extract the text", 56)}
    assert len({name.adapters for name in names}) == 4


def test_one_adapter_is_no_ladder(ladder: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="at least two"):
        open_ladder(str(ladder / "checkpoint-50"), tmp_path, say=print)


def test_without_emissions_the_strong_stack_is_a_beam_alone() -> None:
    stack = from_fused(Means(single="vlm:x::y"))
    assert (stack.decode, stack.lm) == ("beam", False)
    assert from_fused(Means(single="ctc")).lm


def test_only_adapters_of_one_model_read_as_one() -> None:
    assert join_engines(["vlm:a::b?dtype=float32", "vlm:a::c"]) == "vlm:a::b::c?dtype=float32"
    for names in (["vlm:a::b", "vlm:d::c"], ["vlm:a", "vlm:a::c"], ["ctc", "vlm:a::c"]):
        with pytest.raises(UsageError):
            join_engines(names)


def test_a_stack_tells_an_engine_how_to_write() -> None:
    from odia_ocr.campaign.sources import _choose_writing

    sampled = Stack(("vlm",), decode="sample", draws=4, heat=0.7, top_p=0.9)
    writing = _choose_writing(sampled)
    assert (writing.samples, writing.temperature, writing.top_p) == (4, 0.7, 0.9)
    assert _choose_writing(replace(sampled, decode="beam", width=5)).beams == 5
    assert _choose_writing(Stack(("vlm",))).name == "greedy"
