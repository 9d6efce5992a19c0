"""Sets for the tests of measuring."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from fake_engines import TEXTS
from PIL import Image

SCRIPTS = Path(__file__).parents[2] / "scripts"


@pytest.fixture
def make_set(tmp_path: Path) -> Callable[..., Path]:
    def write(texts: dict[str, str] | None = None, *, ending: str = ".png") -> Path:
        folder = tmp_path / "set"
        folder.mkdir(exist_ok=True)
        for i, (name, text) in enumerate((TEXTS if texts is None else texts).items()):
            pixels = np.full((40, 120 + i), 255, np.uint8)
            pixels[10:30, 20:90] = 0
            Image.fromarray(pixels).save(folder / f"{name}{ending}")
            (folder / f"{name}.gt.txt").write_text(text + "\n", encoding="utf-8")
        return folder

    return write


@pytest.fixture(scope="session")
def script() -> Iterator[ModuleType]:
    """`scripts/report.py` as a module."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(SCRIPTS)
        yield importlib.import_module("report")


@pytest.fixture(scope="session")
def measuring(script: ModuleType) -> ModuleType:
    """`scripts/report_measure.py` as a module."""
    return sys.modules["report_measure"]
