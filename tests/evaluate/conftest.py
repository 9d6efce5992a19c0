"""Sets for the tests of measuring."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from fake_engines import TEXTS
from PIL import Image


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
