"""Broken label files give lines, Problems or an error of ours, and no file is touched."""

from __future__ import annotations

import random
import shutil
from pathlib import Path

import pytest

from mutation import CORPUS, mutate
from odia_ocr.data.sets.convert import find_unusable
from odia_ocr.data.sets.formats import FORMATS, open_set
from odia_ocr.data.sets.sample import Sample
from odia_ocr.errors import OdiaOcrError
from odia_ocr.types import Problem

pytestmark = pytest.mark.filterwarnings("ignore")  # Pillow tells of broken tags

KINDS = ("folder", "jsonl", "alto", "page", "label-studio")
MARKS = ("*.xml", "*.json", "*.jsonl", "*.txt")
MOST = 50  # lines


def read_set(folder: Path, kind: str | None) -> int:
    """Lines that a set gives."""
    good = 0
    try:
        for item, _ in zip(open_set(folder, format=kind), range(MOST), strict=False):
            assert isinstance(item, Sample | Problem)
            if isinstance(item, Problem):
                assert item.code
                assert item.message
            else:
                problem = find_unusable(item)
                good += problem is None
    except OdiaOcrError as error:
        if not error.message:
            raise
    return good


def break_sets(kind: str, place: Path, seeds: range) -> None:
    labels = [path for mark in MARKS for path in sorted((CORPUS / kind).rglob(mark))]
    assert labels
    for seed in seeds:
        dice = random.Random(f"{kind}-{seed}")
        shutil.copytree(CORPUS / kind, place)
        chosen = place / dice.choice(labels).relative_to(CORPUS / kind)
        chosen.write_bytes(mutate(chosen.read_bytes(), dice))
        before = {path: path.read_bytes() for path in place.rglob("*") if path.is_file()}
        read_set(place, dice.choice((None, kind)))
        assert {p: p.read_bytes() for p in place.rglob("*") if p.is_file()} == before
        shutil.rmtree(place)


@pytest.mark.parametrize("kind", KINDS)
def test_the_corpus_reads(kind: str) -> None:
    assert kind in FORMATS
    assert read_set(CORPUS / kind, kind) == 2
    assert read_set(CORPUS / kind, None) == 2


@pytest.mark.parametrize("kind", KINDS)
def test_broken_labels_give_lines_or_problems(kind: str, tmp_path: Path) -> None:
    break_sets(kind, tmp_path / "set", range(40))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_broken_labels_at_length(kind: str, tmp_path: Path) -> None:
    break_sets(kind, tmp_path / "set", range(1000, 4000))
    assert list(tmp_path.iterdir()) == []
