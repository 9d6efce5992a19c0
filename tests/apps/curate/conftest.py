"""The `curate` commands, and a pool for them to choose from."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PIL import Image

if TYPE_CHECKING:
    from odia_ocr.campaign.sample import Sample


@pytest.fixture
def run(odia_ocr) -> Callable:
    """Run `odia-ocr curate` in an empty folder."""
    return partial(odia_ocr, "curate")


@pytest.fixture
def pool(tmp_path: Path, drawn: Sample) -> Path:
    """The pictures of the lines that the test module has drawn, without texts."""
    folder = tmp_path / "pool"
    folder.mkdir()
    for image in drawn.lines:
        Image.fromarray(image.pixels).save(folder / f"{image.id}.png")
    return folder
