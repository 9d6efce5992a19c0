"""`odia-ocr publish` against a hub on loopback, and everything that must keep it from uploading."""

from __future__ import annotations

import json
import os
import struct
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from model_hub import TOKEN, Answer, ModelHub, Repo, serve_hub

from odia_ocr.recognize.vlm.settings import VlmSettings
from odia_ocr.runtime import find_weights

ROOT = Path(__file__).parents[2]
CAMPAIGN = ROOT / "docs" / "reports" / "campaign" / "evaluation_results.json"
BASE = "Qwen/Qwen2.5-VL-3B-Instruct"
RUN_LEFTOVERS = (
    "optimizer.pt",
    "scheduler.pt",
    "rng_state_0.pth",
    "training_args.bin",
    "trainer_state.json",
    "state.pt",
    "log.jsonl",
    "events.out.tfevents.1",
)


def score(value: float) -> dict[str, float]:
    return {"value": value, "low": value / 2, "high": value * 2}


def write_results(path: Path, *engines: str) -> None:
    """A file as `odia-ocr evaluate --json` writes it."""
    results = [
        {
            "engine": engine,
            "model": engine.rpartition("/")[2],
            "set": "my lines",
            "unit": "line",
            "n": 40,
            **{name: score(0.1 / i) for name in ("cer", "wer", "cluster_error", "exact")},
            "signature": f"sig:{engine}",
            "confusions": [{"reference": "କ", "hypothesis": "ଖ", "count": 2, "example": "SECRET"}],
        }
        for i, engine in enumerate(engines, start=1)
    ]
    lines = [{"engine": engines[0], "reference": "SECRET", "hypothesis": "SECRET"}]
    path.write_text(json.dumps({"schema": 1, "results": results, "paired": [], "lines": lines}))


def write_safetensors(path: Path, metadata: dict[str, str] | None = None) -> None:
    data = b"\0" * 16
    tensor = {"dtype": "F32", "shape": [4], "data_offsets": [0, 16]}
    header = json.dumps({"__metadata__": metadata or {}, "w": tensor}).encode()
    path.write_bytes(struct.pack("<Q", len(header)) + header + data)


@pytest.fixture
def engine(tmp_path: Path) -> Path:
    """The folder of a training run with an ONNX recognizer."""
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / "model.onnx").write_bytes(find_weights("ctc").read_bytes())
    (folder / "model.md").write_text("# Card\n\n## Data\n\nDrawn lines.\n\n```\n# kept\n```\n")
    write_results(folder / "evaluation_results.json", "ctc:run/model.onnx", "tesseract")
    for name in RUN_LEFTOVERS:
        (folder / name).write_text("x")
    (folder / "checkpoints").mkdir()
    return folder


@pytest.fixture
def adapter(tmp_path: Path) -> Path:
    """The folder of a LoRA adapter, in the state that a trainer leaves it in."""
    folder = tmp_path / "lora"
    folder.mkdir()
    write_safetensors(folder / "adapter_model.safetensors")
    config = {"base_model_name_or_path": BASE, "peft_type": "LORA", "r": 16}
    (folder / "adapter_config.json").write_text(json.dumps(config))
    (folder / "README.md").write_text("# Model Card for Model ID\n[More Information Needed]\n")
    (folder / "tokenizer.json").write_text("{}")
    VlmSettings().save(folder)
    write_results(folder / "evaluation_results.json", "vlm:lora", "ctc")
    for name in RUN_LEFTOVERS:
        (folder / name).write_text("x")
    return folder


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[ModelHub]:
    from huggingface_hub import constants

    with serve_hub() as running:
        files = f"{running.url}/{{repo_id}}/resolve/{{revision}}/{{filename}}"
        monkeypatch.setattr(constants, "ENDPOINT", running.url)  # it was read at import
        monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", files)
        monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(tmp_path / "no-token"))
        monkeypatch.setenv("HF_TOKEN", TOKEN)
        yield running


def test_a_dry_run_shows_files_and_card_and_needs_no_network(
    odia_ocr: Callable, engine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HF_TOKEN", raising=False)
    ended = odia_ocr("publish", engine, "--repo", "odia-ctc", "--dry-run")
    assert (ended.code, ended.err) == (0, "")
    head, _, card = ended.out.partition("\n\n")
    assert head.splitlines()[0].startswith("model OWNER/odia-ctc, 3 files, 1.")
    assert [line.split()[0] for line in head.splitlines()[1:4]] == [
        "README.md",
        "evaluation_results.json",
        "model.onnx",
    ]
    assert all(name in head.splitlines()[4] for name in (*RUN_LEFTOVERS, "checkpoints/"))
    assert "| model.onnx | my lines | 40 lines | 10.00 % (5.00–20.00)" in card
    assert "| tesseract (not this model alone) |" in card
    assert "### Data\n\nDrawn lines.\n\n```\n# kept" in card
    assert "license: apache-2.0" in card


def test_an_engine_goes_up_and_comes_down_again(
    odia_ocr: Callable, engine: Path, hub: ModelHub, tmp_path: Path
) -> None:
    from huggingface_hub import ModelCard, hf_hub_download

    ended = odia_ocr("publish", engine, "--repo", "odia-ctc")
    assert (ended.code, ended.out) == (0, "")
    assert f"published: {hub.url}/me/odia-ctc" in ended.err
    repo = hub.repos["models/me/odia-ctc"]
    assert set(repo.files) == {"README.md", "evaluation_results.json", "model.onnx"}
    assert len(repo.commits) == 1
    assert "SECRET" not in repo.files["evaluation_results.json"].decode()

    cache = tmp_path / "cache"
    got = hf_hub_download("me/odia-ctc", "model.onnx", cache_dir=cache)
    assert Path(got).read_bytes() == (engine / "model.onnx").read_bytes()
    card = ModelCard(repo.files["README.md"].decode())
    own = {result.metric_type: result for result in card.data.eval_results}
    assert set(own) == {"cer", "wer", "cluster_error", "exact_match"}  # of this engine alone
    assert own["cer"].metric_value == 0.1
    assert own["cer"].metric_args["signature"] == "sig:ctc:run/model.onnx"
    assert own["cer"].dataset_name == "my lines"
    card.validate()

    assert odia_ocr("publish", engine, "--repo", "me/odia-ctc").code == 0  # again
    assert len(repo.commits) == 2


def test_an_adapter_goes_up_with_its_base_and_without_the_trainers_state(
    odia_ocr: Callable, adapter: Path, hub: ModelHub
) -> None:
    from huggingface_hub import ModelCard

    ended = odia_ocr("publish", adapter, "--repo", "me/odia-lora", "--dataset", "me/odia-lines")
    assert ended.code == 0, ended.err
    files = hub.repos["models/me/odia-lora"].files
    assert set(files) == {
        "README.md",
        "adapter_config.json",
        "adapter_model.safetensors",
        "evaluation_results.json",
        "odia_ocr.json",
        "tokenizer.json",
    }
    card = ModelCard(files["README.md"].decode())
    assert card.data.base_model == BASE
    assert card.data.to_dict()["base_model_relation"] == "adapter"
    assert (card.data.library_name, card.data.datasets) == ("peft", ["me/odia-lines"])
    assert (card.data.license, card.data.license_link) == (
        "other",
        f"https://huggingface.co/{BASE}",
    )
    assert f"--engine vlm:{BASE} --adapter me/odia-lora" in card.text
    assert "More Information Needed" not in card.text


SHIPPED_BASES = {
    "its name": "tiny",
    "its published name": "odia-ocr:tiny",
    "its folder": str(find_weights("vlm-tiny/model", ".safetensors").parent),
    "its folder on another machine": "/home/me/.venv/lib/odia_ocr/weights/vlm-tiny",
}


@pytest.mark.parametrize("base", SHIPPED_BASES.values(), ids=SHIPPED_BASES)
def test_an_adapter_of_the_shipped_model_says_how_to_get_it(
    odia_ocr: Callable, adapter: Path, hub: ModelHub, base: str
) -> None:
    from huggingface_hub import ModelCard

    config = {"base_model_name_or_path": base, "peft_type": "LORA", "r": 16}
    (adapter / "adapter_config.json").write_text(json.dumps(config))
    ended = odia_ocr("publish", adapter, "--repo", "me/odia-lora", "--space")
    assert ended.code == 0, ended.err
    files = hub.repos["models/me/odia-lora"].files
    named = json.loads(files["adapter_config.json"])
    assert named == {**config, "base_model_name_or_path": "odia-ocr:tiny"}
    assert json.loads((adapter / "adapter_config.json").read_text()) == config
    card = ModelCard(files["README.md"].decode())
    assert card.data.base_model is None  # a name that no hub has
    assert card.data.license == "apache-2.0"
    assert "comes with the Python package `odia-ocr`" in card.text
    assert "pip install 'odia-ocr[vlm]'" in card.text
    assert "--engine vlm:tiny --adapter me/odia-lora" in card.text
    assert "`vlm:tiny`" in hub.repos["spaces/me/odia-lora"].files["README.md"].decode()
    everything = b"".join((*files.values(), *hub.repos["spaces/me/odia-lora"].files.values()))
    for path in (str(ROOT), "/home/me", "vlm-tiny", str(adapter.parent)):
        assert path.encode() not in everything


def test_the_base_model_can_be_named(odia_ocr: Callable, adapter: Path, engine: Path) -> None:
    (adapter / "adapter_config.json").write_text('{"base_model_name_or_path": "/data/base"}')
    order = ["--repo", "me/x", "--dry-run"]
    ended = odia_ocr("publish", adapter, *order)
    assert ended.code == 3
    assert "--base OWNER/NAME" in ended.err
    ended = odia_ocr("publish", adapter, *order, "--base", BASE)
    assert ended.code == 0, ended.err
    assert f"base_model: {BASE}" in ended.out
    for folder, base, said in (
        (adapter, "models/base/3", "no name of the hub"),
        (engine, BASE, "--base is for adapters"),
    ):
        ended = odia_ocr("publish", folder, *order, "--base", base)
        assert ended.code == 2
        assert said in ended.err


def test_a_base_beside_the_adapter_is_no_name_of_the_hub(odia_ocr: Callable, adapter: Path) -> None:
    (adapter.parent / "models" / "base").mkdir(parents=True)
    (adapter / "adapter_config.json").write_text('{"base_model_name_or_path": "models/base"}')
    elsewhere = adapter.parent / "elsewhere"
    elsewhere.mkdir()
    os.chdir(elsewhere)
    ended = odia_ocr("publish", adapter, "--repo", "me/x", "--dry-run")
    assert ended.code == 3
    assert "is a folder of this machine" in ended.err


def test_folders_in_results_and_configurations_are_cut_off(
    odia_ocr: Callable, adapter: Path, hub: ModelHub
) -> None:
    results = adapter / "evaluation_results.json"
    run = f"vlm:/models/base::{adapter}?beams=5"
    write_results(results, run, "vlm:Qwen/Qwen2.5-VL-3B-Instruct", "ctc:runs/a/model.onnx")
    record = json.loads(results.read_text())
    for result in record["results"]:
        result |= {"set": "../shared/lines", "signature": "refs:1a2b"}
    record["problems"] = [{"message": f"{adapter.parent}/lines/a.png is broken."}]
    results.write_text(json.dumps(record))
    (adapter / "tokenizer_config.json").write_text(
        json.dumps({"name_or_path": "/models/base", "padding_side": "left"})
    )
    ended = odia_ocr("publish", adapter, "--repo", "me/odia-lora")
    assert ended.code == 0, ended.err
    files = hub.repos["models/me/odia-lora"].files
    assert json.loads(files["tokenizer_config.json"]) == {"padding_side": "left"}
    shown = json.loads(files["evaluation_results.json"])
    assert [result["engine"] for result in shown["results"]] == [
        "vlm:base::lora?beams=5",
        "vlm:Qwen/Qwen2.5-VL-3B-Instruct",
        "ctc:model.onnx",
    ]
    assert {result["set"] for result in shown["results"]} == {"lines"}
    assert shown["problems"][0]["message"] == "a.png is broken."
    everything = b"".join(files.values())
    for path in ("/models", str(adapter.parent), "shared", "runs/"):
        assert path.encode() not in everything


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("model.md", "README.md: {place}/scans"),
        ("chat_template.jinja", "chat_template.jinja: {place}/scans in line 2."),
        ("adapter_model.safetensors", "adapter_model.safetensors: {place}/scans"),
    ],
)
def test_other_paths_of_this_machine_stay_at_home(
    odia_ocr: Callable, adapter: Path, hub: ModelHub, name: str, said: str
) -> None:
    place = str(adapter.parent)
    if name.endswith(".safetensors"):
        write_safetensors(adapter / name, {"made": f"from {place}/scans"})
    else:
        harmless = f"/usr/share/fonts https://a.b/c/d /{'x' * 300}/y/z </a/b> and/or"
        (adapter / name).write_text(f"{harmless}\nFrom {place}/scans, too")
    ended = odia_ocr("publish", adapter, "--repo", "me/odia")
    assert ended.code == 3
    assert "Paths of this machine would be published" in ended.err
    assert said.format(place=place) in ended.err
    assert not hub.repos


def test_traces_in_an_onnx_file_stay_at_home(
    odia_ocr: Callable, engine: Path, tmp_path: Path
) -> None:
    """Exporters of torch write where each node was made."""
    with (engine / "model.onnx").open("ab") as file:
        file.write(f'File "{engine}/model.py", line 3'.encode())
    ended = odia_ocr("publish", engine, "--repo", "me/odia", "--dry-run")
    assert ended.code == 3
    assert f"model.onnx: {engine}" in ended.err


def test_of_a_campaign_the_reader_and_its_stack_are_shown(odia_ocr: Callable, engine: Path) -> None:
    from huggingface_hub import ModelCard

    (engine / "evaluation_results.json").write_bytes(CAMPAIGN.read_bytes())
    ended = odia_ocr("publish", engine, "--repo", "me/x", "--dry-run", "--engine", "ctc")
    assert ended.code == 0, ended.err
    record = json.loads(CAMPAIGN.read_text("utf-8"))
    plain = record["results"][0]
    own = ModelCard(ended.out.partition("\n\n")[2]).data.eval_results
    assert {result.metric_name for result in own} == {
        "CER (ctc)",
        "WER (ctc)",
        "Cluster errors (ctc)",
        "Exact (ctc)",
    }
    assert plain["cer"]["value"] in {result.metric_value for result in own}
    assert ended.out.count("joint, correct (not this model alone) |") == 2


def test_members_that_are_published_too_make_the_stack_ones_own(
    odia_ocr: Callable, engine: Path
) -> None:
    for name in ("ctc-member-attention", "ctc-member-tall"):
        (engine / f"{name}.onnx").write_bytes(find_weights("ctc").read_bytes())
    ended = odia_ocr(
        "publish", engine, "--repo", "me/x", "--dry-run", "--results", CAMPAIGN, "--engine", "ctc"
    )
    assert ended.code == 0, ended.err
    assert "not this model alone" not in ended.out
    assert "CER (ctc+ctc-member-attention" in ended.out


def test_a_space_is_written_and_uploaded(
    odia_ocr: Callable, engine: Path, hub: ModelHub, tmp_path: Path
) -> None:
    from huggingface_hub import SpaceCard

    ended = odia_ocr("publish", engine, "--repo", "odia-ctc", "--space", "--private")
    assert ended.code == 0, ended.err
    space = hub.repos["spaces/me/odia-ctc"]
    assert (space.private, space.sdk) == (True, "gradio")
    assert hub.repos["models/me/odia-ctc"].private
    folder = tmp_path / "run-space"
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == space.files
    assert set(space.files) == {"README.md", "app.py", "requirements.txt", "page.png", "model.onnx"}
    card = SpaceCard(space.files["README.md"].decode())
    assert (card.data.sdk, card.data.app_file) == ("gradio", "app.py")
    assert card.data.models == ["me/odia-ctc"]
    pins = space.files["requirements.txt"].decode().splitlines()
    assert all("==" in pin for pin in pins)
    assert f"gradio=={card.data.sdk_version}" in pins
    compile(space.files["app.py"], "app.py", "exec")


def test_the_space_of_an_adapter_says_that_it_reads_with_another_model(
    odia_ocr: Callable, adapter: Path, tmp_path: Path
) -> None:
    place = tmp_path / "page"
    order = ["--repo", "me/x", "--space", "--space-folder", place, "--dry-run"]
    assert odia_ocr("publish", adapter, *order).code == 0
    assert {path.name for path in place.iterdir()} == {
        "README.md",
        "app.py",
        "requirements.txt",
        "page.png",
    }
    assert 'make_app(\n    "ctc",' in (place / "app.py").read_text()
    assert "not with [me/x]" in (place / "README.md").read_text()


@pytest.mark.parametrize(
    ("private", "asked", "said"),
    [(True, (), "exists and is private"), (False, ("--private",), "exists and is public")],
)
def test_a_repository_that_others_see_than_expected_is_left_alone(
    odia_ocr: Callable,
    engine: Path,
    hub: ModelHub,
    private: bool,
    asked: tuple[str, ...],
    said: str,
) -> None:
    hub.repos["models/me/odia"] = Repo(private=private)
    ended = odia_ocr("publish", engine, "--repo", "me/odia", *asked)
    assert ended.code == 2
    assert said in ended.err
    assert not hub.repos["models/me/odia"].files


def test_without_a_token_it_says_how_to_log_in(
    odia_ocr: Callable, engine: Path, hub: ModelHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HF_TOKEN")
    for repo in ("odia", "me/odia"):
        ended = odia_ocr("publish", engine, "--repo", repo)
        assert ended.code == 3
        assert "There is no token of the hub." in ended.err
        assert "hf auth login" in ended.err
    monkeypatch.setenv("HF_TOKEN", "hf_stale")
    ended = odia_ocr("publish", engine, "--repo", "me/odia")
    assert ended.code == 3
    assert "The hub does not take the token" in ended.err
    assert not hub.repos


@pytest.mark.parametrize(
    ("refusal", "code", "said"),
    [
        (Answer({"error": "no rights"}, 403), 3, "may not write to me/odia"),
        (Answer({"error": "bad files"}, 400), 1, "The hub refused me/odia (400)"),
    ],
)
def test_refusals_of_the_hub_are_told(
    odia_ocr: Callable, engine: Path, hub: ModelHub, refusal: Answer, code: int, said: str
) -> None:
    hub.refusal = refusal
    ended = odia_ocr("publish", engine, "--repo", "me/odia")
    assert ended.code == code
    assert said in ended.err


@pytest.mark.parametrize("repo", ["a/b/c", "me/my model", "", "me/"])
def test_odd_names_are_refused(odia_ocr: Callable, engine: Path, repo: str) -> None:
    ended = odia_ocr("publish", engine, "--repo", repo, "--dry-run")
    assert ended.code == 2
    assert "cannot be the name of a repository" in ended.err


def spoil(folder: Path, name: str, content: bytes | None) -> None:
    path = folder / name
    path.unlink(missing_ok=True)
    if content is not None:
        path.write_bytes(content)


@pytest.mark.parametrize(
    ("name", "content", "code", "said"),
    [
        ("adapter_model.safetensors", None, 3, "adapter_model.safetensors is missing"),
        ("adapter_model.safetensors", b"", 3, "has 0 bytes"),
        ("adapter_model.safetensors", b"\x99\0\0\0\0\0\0\0{}", 3, "header is cut short"),
        ("adapter_model.safetensors", b"\x02\0\0\0\0\0\0\0{}", 3, "its length is not"),
        ("adapter_config.json", b"{}", 3, "names no base model"),
        ("adapter_config.json", b"nonsense", 3, "names no base model"),
        (
            "adapter_config.json",
            b'{"base_model_name_or_path": "/home/me/base"}',
            3,
            "is a folder of this machine",
        ),
        (
            "evaluation_results.json",
            None,
            3,
            "Measure it: odia-ocr evaluate SET --engine vlm:",
        ),
        ("evaluation_results.json", b'{"results": []}', 3, "holds no results"),
        ("evaluation_results.json", b"[1]", 3, "holds no results"),
        ("tokenizer.json", b'{"key": "hf_' + b"a" * 34 + b'"}', 3, "a hub token in line 1"),
        ("model.md", b"-----BEGIN RSA PRIVATE KEY-----", 3, "README.md: a private key"),
    ],
)
def test_what_is_broken_or_secret_stays_at_home(
    odia_ocr: Callable, adapter: Path, hub: ModelHub, name: str, content, code: int, said: str
) -> None:
    spoil(adapter, name, content)
    ended = odia_ocr("publish", adapter, "--repo", "me/odia")
    assert said in ended.err
    assert ended.code == code
    assert not hub.repos


def test_the_token_of_the_environment_is_found_and_not_repeated(
    odia_ocr: Callable, adapter: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ODIA_OCR_REMOTE_KEY", "open-sesame-42")
    (adapter / "tokenizer.json").write_text('{"a": 1,\n"url": "open-sesame-42"}')
    ended = odia_ocr("publish", adapter, "--repo", "me/odia", "--dry-run")
    assert ended.code == 3
    assert "tokenizer.json: the value of ODIA_OCR_REMOTE_KEY in line 2" in ended.err
    assert "open-sesame" not in ended.err


def test_folders_without_weights_say_what_is_wanted(odia_ocr: Callable, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    assert "There is no folder" in odia_ocr("publish", empty, "--repo", "a/b").err
    empty.mkdir()
    ended = odia_ocr("publish", empty, "--repo", "a/b")
    assert ended.code == 3
    assert "holds no weights (it is empty)" in ended.err
    (empty / "pytorch_model.bin").write_bytes(b"x")
    assert "files that can carry programs" in odia_ocr("publish", empty, "--repo", "a/b").err


def test_unknown_engines_and_missing_notes(odia_ocr: Callable, engine: Path) -> None:
    order = ["publish", engine, "--repo", "a/b", "--dry-run"]
    ended = odia_ocr(*order, "--engine", "tesseracd")
    assert ended.code == 2
    assert "Did you mean tesseract?" in ended.err
    ended = odia_ocr(*order, "--notes", engine / "nowhere.md")
    assert ended.code == 3
    assert "nowhere.md cannot be read" in ended.err


def test_without_the_library_it_says_what_to_install(
    odia_ocr: Callable, engine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    ended = odia_ocr("publish", engine, "--repo", "a/b")
    assert ended.code == 3
    assert "pip install 'odia-ocr[publish]'" in ended.err


def test_the_command_as_it_is_started_outside(engine: Path, tmp_path: Path) -> None:
    with serve_hub() as hub:
        env = os.environ | {
            "HF_ENDPOINT": hub.url,
            "HF_TOKEN": TOKEN,
            "HF_HOME": str(tmp_path / "home"),
            "HF_HUB_DISABLE_XET": "1",
            "HF_HUB_DISABLE_TELEMETRY": "1",
        }
        done = subprocess.run(
            [sys.executable, "-m", "odia_ocr", "publish", str(engine), "--repo", "odia"],
            env=env,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    assert "model.onnx" in hub.repos["models/me/odia"].files
