"""One tiny model and its adapters for all tests of `odia-ocr adapters`; copies to change."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("peft")

import tiny_adapters  # noqa: E402

KINDS = {
    "plain": {},
    "other": {"seed": 2, "r": 2, "use_rslora": True},
    "rslora": {"seed": 3, "use_rslora": True, "lora_alpha": 6},
    "dora": {"use_dora": True},
    "patterns": {
        "rank_pattern": {"layers.1.self_attn.q_proj": 2},
        "alpha_pattern": {"v_proj": 3},
    },
    "old": {"target_modules": ["q_proj", "qkv", "down_proj"]},
    "whole": {"modules_to_save": ["norm"]},
    "embedding": {"target_modules": ["embed_tokens", "q_proj"]},
}


@pytest.fixture(scope="session", autouse=True)
def _one_thread():
    """Small products lose time on a second thread."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="session")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model, float32."""
    return tiny_adapters.save_model(tmp_path_factory.mktemp("models") / "model")


@pytest.fixture(scope="session")
def _made(base: Path) -> dict[str, Path]:
    return {}


@pytest.fixture
def adapter(base: Path, _made: dict[str, Path], tmp_path: Path) -> Callable[[str], Path]:
    """A fresh copy, in the present folder, of the adapter of a kind."""

    def copy(kind: str, name: str = "") -> Path:
        if kind not in _made:
            made = tiny_adapters.save_adapter(base, base.parent / kind, **KINDS[kind])
            _made[kind] = tiny_adapters.name_as_before(made) if kind == "old" else made
        return Path(shutil.copytree(_made[kind], tmp_path / (name or kind)))

    return copy


@pytest.fixture
def run(odia_ocr):
    """`odia-ocr adapters`."""
    return partial(odia_ocr, "adapters")
