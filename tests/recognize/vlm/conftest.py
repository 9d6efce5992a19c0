"""A vision-language model of random weights that is opened as any other, and adapters for it."""

from __future__ import annotations

import warnings
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
from random_vlm import make_random_model, save_random_base  # noqa: E402


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
        config = {
            "target_modules": r".*language_model.*\.(v_proj|o_proj|down_proj)",
            "r": 4,
            **config,
        }
        base = make_random_model()
        torch.manual_seed(seed)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # peft asks for an old name
            model = peft.get_peft_model(base, peft.LoraConfig(**config))
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
