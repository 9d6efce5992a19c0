"""What ships stays small."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from odia_ocr.runtime import find_weights

ROOT = Path(__file__).parents[1]


def test_the_recognizer_has_at_most_10_megabytes() -> None:
    assert find_weights("ctc").stat().st_size <= 10_000_000


def test_the_detector_has_at_most_3_megabytes() -> None:
    assert find_weights("detector").stat().st_size <= 3_000_000


def test_the_language_model_has_at_most_8_megabytes() -> None:
    assert find_weights("lm-odia", ".ngram").stat().st_size <= 8_000_000


def test_the_lexicon_has_at_most_4_megabytes() -> None:
    assert find_weights("lexicon-odia", ".trie").stat().st_size <= 4_000_000


def test_the_small_vision_language_model_has_at_most_15_megabytes() -> None:
    folder = find_weights("vlm-tiny/model", ".safetensors").parent
    assert sum(path.stat().st_size for path in folder.iterdir()) <= 15_000_000


def test_adapters_of_its_ladder_have_at_most_half_a_megabyte() -> None:
    folders = sorted((ROOT / "campaigns" / "vlm-ladder").glob("checkpoint-*"))
    assert len(folders) >= 5
    for folder in folders:
        assert sum(path.stat().st_size for path in folder.iterdir()) <= 500_000


def test_tracked_files_have_at_most_45_megabytes() -> None:
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if listed.returncode:
        pytest.fail("git ls-files failed: run the tests in a clone")
    sizes = [(ROOT / name).stat().st_size for name in listed.stdout.split("\0") if name]
    assert sum(sizes) <= 45_000_000
