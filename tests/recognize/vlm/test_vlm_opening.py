"""Models and adapters from folders: what fits is opened, what does not says so."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from odia_ocr.errors import ConfigError, ModelMissingError, ResourceMissingError
from odia_ocr.recognize import open_recognizer
from odia_ocr.recognize.vlm import adapters as adapter_files
from odia_ocr.recognize.vlm.adapters import add_adapter, find_file, list_layers
from odia_ocr.recognize.vlm.naming import PUBLISHED_TINY, VlmName, find_base
from odia_ocr.recognize.vlm.opening import OpenVlm, Placement, open_vlm
from odia_ocr.recognize.vlm.settings import VlmSettings, change_settings, read_vlm_settings

WEIGHTS, CONFIG = "adapter_model.safetensors", "adapter_config.json"


def copy_folder(source: str | Path, target: Path, *, without: tuple[str, ...] = ()) -> Path:
    shutil.copytree(source, target, ignore=shutil.ignore_patterns(*without))
    return target


def change_json(path: Path, **values: Any) -> None:
    held = json.loads(path.read_text("utf-8"))
    path.write_text(json.dumps({**held, **values}), "utf-8")


def rename_keys(folder: Path, rename: Callable[[str], str]) -> None:
    tensors = load_file(folder / WEIGHTS)
    save_file({rename(key): value for key, value in tensors.items()}, folder / WEIGHTS)


def read_lora(vlm: OpenVlm, name: str) -> list[torch.Tensor]:
    return [module.lora_B[name].weight for _, module in list_layers(vlm.model, name)]


def test_a_folder_is_opened_with_its_settings(
    base: Path, adapters: tuple[str, ...], tmp_path: Path
) -> None:
    vlm = open_vlm(str(base), adapters[:2])
    assert vlm.name == "vlm-base+checkpoint-1+checkpoint-2"
    assert vlm.adapters == ("a0", "a1")
    assert vlm.encoder.settings == read_vlm_settings(base)
    assert vlm.base.dtype == torch.float32
    assert not vlm.model.training
    own = copy_folder(adapters[0], tmp_path / "own")
    VlmSettings(prompt="Mine", line_height=28).save(own)  # those of an adapter come first
    assert open_vlm(str(base), (str(own),)).encoder.settings.prompt == "Mine"


def test_the_shipped_model_has_a_second_name_for_what_is_published() -> None:
    name = VlmName.parse(f"{PUBLISHED_TINY}::my/adapter")
    assert (name.base, name.adapters) == (PUBLISHED_TINY, ("my/adapter",))
    assert find_base(PUBLISHED_TINY) == find_base("tiny")
    assert not adapter_files.is_somewhere(PUBLISHED_TINY)  # it can be nobody's on a hub


def test_half_precision_is_a_choice(base: Path) -> None:
    assert open_vlm(str(base), placement=Placement(dtype="bfloat16")).base.dtype == torch.bfloat16


def test_ways_of_writing_that_a_model_brings_are_not_taken(base: Path, tmp_path: Path) -> None:
    """The hub's Qwen2.5-VL draws, and fines repetition."""
    folder = copy_folder(base, tmp_path / "hub")
    change_json(
        folder / "generation_config.json",
        do_sample=True,
        temperature=1e-6,
        repetition_penalty=1.05,
        top_p=0.001,
        prompt_lookup_num_tokens=3,  # would copy the picture's tokens into the text
    )
    config = open_vlm(str(folder)).model.generation_config
    assert not config.do_sample
    assert config.temperature is None or config.temperature == 1.0
    assert config.repetition_penalty is None or config.repetition_penalty == 1.0
    assert config.prompt_lookup_num_tokens is None


def test_no_progress_bars_are_printed(
    base: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    from transformers.utils import logging

    logging.enable_progress_bar()
    model = open_vlm(str(base)).model
    assert not logging.is_progress_bar_enabled()
    model.save_pretrained(tmp_path)
    assert capfd.readouterr() == ("", "")


# What does not fit.


def drop(*names: str) -> Callable[[Path], None]:
    return lambda folder: [(folder / name).unlink() for name in names]  # type: ignore[return-value]


def write(name: str, text: str) -> Callable[[Path], None]:
    return lambda folder: (folder / name).write_text(text, "utf-8")  # type: ignore[return-value]


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (drop("config.json"), "No usable model in the folder"),
        (drop("model.safetensors"), "No usable model in the folder"),
        (write("model.safetensors", "no weights"), "No usable model in the folder"),
        (write("config.json", "{"), "No usable model in the folder"),
        (write("config.json", '{"model_type": "bert"}'), r"is a bert model, no Qwen2\.5-VL or Q"),
        (write("config.json", '{"model_type": "qwen3_vl"}'), "is a qwen3_vl model, no Qwen2"),
        (write("config.json", '{"model_type": "odd"}'), "No usable model in the folder"),
        (drop("tokenizer.json", "tokenizer_config.json"), "No usable tokenizer in the folder"),
        (drop("preprocessor_config.json"), "No usable image processor in the folder"),
        (drop("chat_template.jinja"), "has no chat template"),
    ],
    ids=[
        "no config",
        "no weights",
        "damaged weights",
        "damaged config",
        "another model",
        "a later one",
        "unknown model",
        "no tokenizer",
        "no processor",
        "no chat template",
    ],
)
def test_a_damaged_folder_says_what_is_missing(
    base: Path, tmp_path: Path, damage: Callable[[Path], None], says: str
) -> None:
    folder = copy_folder(base, tmp_path / "odd")
    damage(folder)
    with pytest.raises(ModelMissingError, match=says) as error:
        open_vlm(str(folder))
    assert error.value.next_step


@pytest.mark.parametrize("name", ["/nowhere/model", "not a name", "nowhere", "../nowhere"])
def test_a_missing_model_says_so(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def ask(*_: Any, **__: Any) -> None:
        pytest.fail("a hub was asked for what cannot be there")

    monkeypatch.setattr("transformers.utils.cached_file", ask)
    monkeypatch.setattr("transformers.AutoConfig.from_pretrained", ask)
    with pytest.raises(ModelMissingError, match=f"No usable model under the name {name}"):
        open_vlm(name)
    with pytest.raises(ModelMissingError, match=f"No {CONFIG} and no {WEIGHTS} in {name}"):
        adapter_files.find_files(name)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{", "Cannot read"),
        ("[1, 2]", "Cannot read"),
        ('{"line_hight": 56}', "line_hight are unknown"),
        ('{"line_height": "56"}', "line_height are unknown or of the wrong kind"),
        ('{"line_height": 50}', "multiple of 28"),
        ('{"min_pixels": 0}', "make no range"),
    ],
)
def test_damaged_settings_say_so(base: Path, tmp_path: Path, text: str, says: str) -> None:
    folder = copy_folder(base, tmp_path / "odd")
    (folder / "odia_ocr.json").write_text(text, "utf-8")
    with pytest.raises(ConfigError, match=says):
        open_vlm(str(folder))


def test_a_missing_library_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    def find_nothing(name: str) -> None:
        raise ModuleNotFoundError(f"No module named 'torch' for {name}", name="torch")

    monkeypatch.setattr("odia_ocr.recognize.import_module", find_nothing)
    with pytest.raises(ResourceMissingError, match=r"needs torch.*'odia-ocr\[vlm\]'"):
        open_recognizer("vlm:/any/folder")


def test_settings_are_saved_and_changed(tmp_path: Path) -> None:
    mine = change_settings(VlmSettings(), {"prompt": "ପଢ଼", "max_tokens": 99}, what="test")
    mine.save(tmp_path)
    assert read_vlm_settings(tmp_path) == mine
    assert read_vlm_settings(tmp_path / "nothing") is None


@pytest.mark.parametrize(
    ("options", "kind", "says"),
    [
        ({"device": "gpu"}, ConfigError, "Unknown device 'gpu'"),
        ({"device": "cuda:99"}, ResourceMissingError, "no device cuda:99"),
        ({"dtype": "float8"}, ConfigError, "dtype must be one of"),
        ({"load_in": "3bit"}, ConfigError, "4bit or 8bit"),
    ],
)
def test_places_that_are_not_there_are_refused(
    base: Path, options: dict[str, Any], kind: type[Exception], says: str
) -> None:
    with pytest.raises(kind, match=says):
        open_vlm(str(base), placement=Placement(**options))


def test_a_model_that_memory_does_not_hold_says_what_to_change(
    base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise torch.OutOfMemoryError("no memory")

    folder = copy_folder(base, tmp_path / "large")
    monkeypatch.setattr("transformers.AutoModelForImageTextToText.from_pretrained", fail)
    with pytest.raises(ResourceMissingError, match="No memory left on cpu") as error:
        open_vlm(str(folder))
    assert "--load-in 4bit" in error.value.next_step


def test_quantising_names_the_library_it_needs(base: Path, monkeypatch: Any) -> None:
    import importlib.util

    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "bitsandbytes" else find(name)
    )
    with pytest.raises(ResourceMissingError, match="pip install bitsandbytes"):
        open_vlm(str(base), placement=Placement(load_in="4bit"))


# Adapters.


def test_adapters_saved_by_old_libraries_are_translated(
    base: Path, adapters: tuple[str, ...], tmp_path: Path
) -> None:
    """Before transformers 4.52 the language model's layers were `model.layers`."""
    old = copy_folder(adapters[0], tmp_path / "old")
    rename_keys(old, lambda key: key.replace("model.language_model.layers", "model.layers"))
    assert not any("language_model" in key for key in load_file(old / WEIGHTS))
    vlm = open_vlm(str(base), (adapters[0], str(old)))
    first, second = (read_lora(vlm, name) for name in vlm.adapters)
    for now, then in zip(first, second, strict=True):
        assert torch.equal(now, then)
        assert now.any()


def test_a_trainable_adapter_learns(vlm: OpenVlm, adapters: tuple[str, ...], base: Path) -> None:
    model = add_adapter(
        open_vlm(str(base), shared=False).model, adapters[0], "mine", trainable=True
    )
    learned = [name for name, p in model.named_parameters() if p.requires_grad]
    assert learned
    assert all("lora_" in name for name in learned)


def test_the_tensors_of_an_adapter_are_read_once(
    base: Path, adapters: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only the library that puts them onto the model reads them; all else stands in the header."""
    import safetensors
    from peft.utils import save_and_load

    open_file, load = safetensors.safe_open, save_and_load.safe_load_file
    read: list[str] = []

    class Watched:
        def __init__(self, path: Path, **options: Any) -> None:
            self._file = open_file(path, **options)

        def __enter__(self) -> Watched:
            return self

        def __exit__(self, *_: object) -> None: ...

        def keys(self) -> list[str]:
            return list(self._file.keys())

        def get_tensor(self, key: str) -> torch.Tensor:
            read.append(key)
            return self._file.get_tensor(key)

    def load_watched(path: str, **options: Any) -> dict[str, torch.Tensor]:
        read.append(Path(path).name)
        return load(path, **options)

    own = copy_folder(base, tmp_path / "base")
    monkeypatch.setattr(safetensors, "safe_open", Watched)
    monkeypatch.setattr(save_and_load, "safe_load_file", load_watched)
    assert len(open_vlm(str(own), adapters[:2]).adapters) == 2
    assert read == [WEIGHTS] * 2


def misname_all(folder: Path) -> None:
    rename_keys(folder, lambda key: key.replace("layers", "blocks"))


def misname_one(folder: Path) -> None:
    rename_keys(folder, lambda key: key.replace("layers.1.mlp.down", "layers.1.mlp.dawn"))


def add_layers(folder: Path) -> None:
    tensors = load_file(folder / WEIGHTS)
    more = {key.replace("layers.1", "layers.7"): value.clone() for key, value in tensors.items()}
    save_file({**tensors, **more}, folder / WEIGHTS)


def widen(folder: Path) -> None:
    tensors = load_file(folder / WEIGHTS)
    save_file({k: torch.cat([v, v], -1) for k, v in tensors.items()}, folder / WEIGHTS)


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (misname_all, "does not fit this model: 0 of its 6 layers"),
        (misname_one, "does not fit this model: 5 of its 6 layers"),
        (add_layers, "does not fit this model: 6 of its 9 layers"),
        (widen, r"does not fit this model: .*lora_\S* is \[.*\], here it would be \["),
        (drop(WEIGHTS), f"No {WEIGHTS} in"),
        (drop(WEIGHTS, CONFIG), f"No {CONFIG} and no {WEIGHTS} in"),
        (write(WEIGHTS, "no weights"), "is damaged"),
        (write(CONFIG, "{"), "cannot be loaded"),
    ],
    ids=["no key", "one key", "too many", "wider", "no file", "nothing", "damaged", "bad config"],
)
def test_an_adapter_that_does_not_fit_is_refused(
    base: Path,
    adapters: tuple[str, ...],
    tmp_path: Path,
    damage: Callable[[Path], None],
    says: str,
) -> None:
    folder = copy_folder(adapters[0], tmp_path / "odd")
    damage(folder)
    with pytest.raises(ModelMissingError, match=says) as error:
        open_vlm(str(base), (str(folder),))
    assert error.value.next_step


def test_an_adapter_that_is_nowhere_is_refused(vlm: OpenVlm) -> None:
    with pytest.raises(ModelMissingError, match="in /nowhere/checkpoint-1"):
        add_adapter(vlm.model, "/nowhere/checkpoint-1", "a0")


# From a hub: what it holds was downloaded before, so no network is asked.


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[Path, str], str]:
    """Puts a folder into the cache of the hub: hub(folder, "me/model")."""
    from huggingface_hub import constants

    cache = tmp_path / "hub"
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(cache))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)

    def put(folder: Path, name: str) -> str:
        place = cache / f"models--{name.replace('/', '--')}"
        shutil.copytree(folder, place / "snapshots" / "0123abcd")
        (place / "refs").mkdir()
        (place / "refs" / "main").write_text("0123abcd", "utf-8")
        return name

    return put


def test_settings_and_old_adapters_come_from_a_hub_too(
    base: Path, adapters: tuple[str, ...], tmp_path: Path, hub: Callable[[Path, str], str]
) -> None:
    old = copy_folder(adapters[0], tmp_path / "old")
    rename_keys(old, lambda key: key.replace("model.language_model.layers", "model.layers"))
    VlmSettings(prompt="From the hub", line_height=28).save(old)
    name = hub(old, "me/odia-adapter")
    vlm = open_vlm(str(base), (name,))
    assert vlm.encoder.settings.prompt == "From the hub"
    assert all(weight.any() for weight in read_lora(vlm, "a0"))


def test_a_file_that_a_hub_lacks_is_none(
    adapters: tuple[str, ...], hub: Callable[[Path, str], str]
) -> None:
    name = hub(Path(adapters[0]), "me/odia-adapter")
    assert find_file(name, WEIGHTS) is not None
    assert find_file(name, "odia_ocr.json") is None
    assert find_file("me/nothing", WEIGHTS) is None
    assert adapter_files.tell_first_line(ValueError()) == "ValueError"


def test_engines_of_one_base_share_its_weights(
    base: Path, adapters: tuple[str, ...], save_adapter: Callable[..., Path]
) -> None:
    bare, first, second = (
        open_vlm(str(base), chosen) for chosen in ((), (adapters[0],), (adapters[1],))
    )
    assert bare.weights is first.weights is second.weights
    assert first.adapters != second.adapters
    apart = str(save_adapter(9, use_dora=True))
    assert open_vlm(str(base), (apart,)).weights is not first.weights


@pytest.mark.parametrize("first", [True, False], ids=["on the bare model", "beside another"])
def test_a_refused_adapter_leaves_shared_weights_as_they_were(
    base: Path, adapters: tuple[str, ...], tmp_path: Path, first: bool
) -> None:
    bad = copy_folder(adapters[0], tmp_path / "bad")
    misname_all(bad)
    own = tmp_path / "base"
    shutil.copytree(base, own)  # weights of its own, shared by this test alone
    held = open_vlm(str(own), () if first else (adapters[1],))
    with pytest.raises(ModelMissingError):
        open_vlm(str(own), (str(bad),))
    names = [key for key, module in held.model.named_modules() if hasattr(module, "lora_A")]
    assert bool(names) != first
    after = open_vlm(str(own), (adapters[2],))
    assert after.weights is held.weights
    alone = open_vlm(str(base), (adapters[2],), shared=False)
    for one, other in zip(
        read_lora(after, *after.adapters), read_lora(alone, *alone.adapters), strict=True
    ):
        assert torch.equal(one, other)
    scale = {
        module.scaling[after.adapters[0]]
        for _, module in list_layers(after.model, after.adapters[0])
    }
    assert scale == {
        module.scaling[alone.adapters[0]]
        for _, module in list_layers(alone.model, alone.adapters[0])
    }


def test_weights_are_held_as_the_settings_say(base: Path, tmp_path: Path) -> None:
    own = tmp_path / "base"
    shutil.copytree(base, own)
    settings = read_vlm_settings(base)
    assert settings is not None
    replace(settings, dtype="bfloat16").save(own)
    assert open_vlm(str(own)).base.dtype == torch.bfloat16
    assert open_vlm(str(own), placement=Placement(dtype="float32")).base.dtype == torch.float32
    with pytest.raises(ConfigError, match="dtype must be one of"):
        replace(settings, dtype="int3")
