"""A vision-language model of random weights that is opened as any other, and adapters for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from odia_ocr.types import LineImage

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")
peft = pytest.importorskip("peft")

from odia_ocr.recognize.vlm.opening import OpenVlm, open_vlm  # noqa: E402
from odia_ocr.recognize.vlm.writing import Writer  # noqa: E402
from odia_ocr.train.vlm_tiny import (  # noqa: E402
    TINY_SETTINGS,
    TinyShape,
    make_image_processor,
    make_model,
    make_tokenizer,
)

SHAPE = TinyShape(
    width=32,
    layers=2,
    heads=2,
    key_heads=1,
    inner=64,
    sight=32,
    sight_layers=2,
    sight_heads=2,
    sight_inner=64,
)


def make_random_model(seed: int = 5) -> Any:
    """Decided about what it writes, and likely to end a text: the end of a turn weighs more."""
    torch.manual_seed(seed)
    tokenizer = make_tokenizer()
    model = make_model(tokenizer, SHAPE)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.dim() > 1:
                parameter.mul_(8)
        model.get_input_embeddings().weight[tokenizer.eos_token_id] *= 3
    return model.eval()


def save_random_base(folder: Path) -> Path:
    make_random_model().save_pretrained(folder)
    make_tokenizer().save_pretrained(folder)
    make_image_processor(TINY_SETTINGS).save_pretrained(folder)
    TINY_SETTINGS.save(folder)
    return folder


@pytest.fixture(scope="module", autouse=True)
def _one_thread() -> Iterator[None]:
    """Models this small wait for their threads more than they compute."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="session")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a model with random weights."""
    return save_random_base(tmp_path_factory.mktemp("vlm") / "base")


@pytest.fixture(scope="session")
def save_adapter(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Saves an adapter of random weights: save_adapter(seed, **LoraConfig)."""

    def save(seed: int, **config: Any) -> Path:
        config = {"target_modules": r".*language_model.*\.(q_proj|v_proj)", "r": 4, **config}
        torch.manual_seed(seed)
        model = peft.get_peft_model(make_random_model(), peft.LoraConfig(**config))
        with torch.no_grad():
            for name, parameter in model.named_parameters():
                if "lora_B" in name:
                    parameter.normal_(std=0.5)
        folder = tmp_path_factory.mktemp("adapters") / f"checkpoint-{seed}"
        model.save_pretrained(folder)
        return folder

    return save


@pytest.fixture(scope="session")
def adapters(save_adapter: Callable[..., Path]) -> tuple[str, ...]:
    return tuple(str(save_adapter(seed)) for seed in (1, 2, 3))


@pytest.fixture(scope="session")
def vlm(base: Path) -> OpenVlm:
    return open_vlm(str(base))


@pytest.fixture(scope="session")
def vlm_of_three(base: Path, adapters: tuple[str, ...]) -> OpenVlm:
    return open_vlm(str(base), adapters)


@pytest.fixture(scope="session")
def writer(vlm: OpenVlm) -> Writer:
    return Writer(vlm)


@pytest.fixture(scope="session")
def lines() -> list[LineImage]:
    """Pictures of random grey, of all sorts of widths."""
    rng = np.random.default_rng(5)
    sizes = ((40, 200), (30, 70), (64, 250), (20, 20), (45, 90), (40, 330))
    return [
        LineImage(f"l{i}", rng.integers(0, 256, size, dtype=np.uint8))
        for i, size in enumerate(sizes)
    ]
