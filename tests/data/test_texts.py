"""The held-out rule for text: nothing held out, and nothing near it, is drawn for training."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from odia_ocr.data import reporting
from odia_ocr.data.texts import (
    SHIPPED,
    NearCopies,
    is_heldout,
    load_pool,
    read_text_lines,
    split_lines,
)
from odia_ocr.errors import DataError

LONG = "ସତ୍ୟ ବା ଜ୍ଞାନର ସାର୍ଥକତା ସେବାରେ ଏବଂ ଏହା ସମସ୍ତେ ଜାଣନ୍ତି"


def test_the_rule_is_the_hash_of_the_line() -> None:
    lines = [f"ଧାଡ଼ି {i}" for i in range(400)]
    held = [line for line in lines if is_heldout(line)]
    assert 5 < len(held) < 40
    for line in lines:
        decomposed = line.replace("ଡ଼", "\u0b5c")
        digest = int(hashlib.sha1(line.encode()).hexdigest(), 16)
        assert is_heldout(decomposed) == (digest % 20 == 1)


@pytest.mark.parametrize(
    "copy",
    [
        LONG,
        LONG + " ।",
        f"“{LONG}”, ସେ କହିଲେ",
        LONG.replace("ବା ", "ବା, "),
        LONG.replace("ସେବାରେ", "ଜୀବନରେ"),
        " ".join(LONG.split()[2:7]),
        "ପୂର୍ବରୁ କିଛି " + " ".join(LONG.split()[:7]) + " ପରେ ଅନ୍ୟ କିଛି",
    ],
)
def test_near_copies_are_found(copy: str) -> None:
    assert copy in NearCopies([LONG])


@pytest.mark.parametrize("other", ["ସତ୍ୟ ବା ଜ୍ଞାନର", "ଅନ୍ୟ ଏକ ଧାଡ଼ି ଯାହା ସମ୍ପୂର୍ଣ୍ଣ ଭିନ୍ନ ଅଟେ ବୋଲି କହିବା"])
def test_other_lines_are_not(other: str) -> None:
    assert other not in NearCopies([LONG])


def test_short_heldout_lines_count_only_whole() -> None:
    copies = NearCopies(["ଭଲ ଦିନ"])
    assert "ଭଲ ଦିନ!" in copies
    assert "ଆଜି ଭଲ ଦିନ ଅଟେ" not in copies


def test_the_shipped_files_keep_to_the_rule() -> None:
    held = read_text_lines(SHIPPED / "heldout.txt")
    train = read_text_lines(SHIPPED / "train.txt")
    assert all(is_heldout(line) for line in held)
    assert not any(is_heldout(line) for line in train)
    copies = NearCopies(held)
    assert not [line for line in train if line in copies]
    assert (SHIPPED / "heldout.txt").stat().st_size <= 300_000


def test_the_heldout_lines_fall_into_two_halves() -> None:
    check, report, both = (set(load_pool(s).lines) for s in ("check", "report", "heldout"))
    assert check | report == both
    assert not check & report
    assert min(len(check), len(report)) > 0.4 * len(both)
    renderers = reporting.make_reporting_renderers("clean")
    assert {line for r in renderers for line in r.pool.lines} == report
    (first, *_) = renderers
    assert not set(first.pool.latin) & set(load_pool("train").latin)


def test_the_pools_of_the_two_splits_share_no_latin_word() -> None:
    assert not set(load_pool("train").latin) & set(load_pool("heldout").latin)


def test_a_data_folder_is_split_the_same_way(tmp_path: Path) -> None:
    (tmp_path / "text").mkdir()
    lines = [f"ଏହା ଧାଡ଼ି ସଂଖ୍ୟା {i} ଅଟେ" for i in range(300)]
    (tmp_path / "text" / "own.txt").write_text("\n".join(lines), encoding="utf-8")
    train, held = load_pool("train", tmp_path), load_pool("heldout", tmp_path)
    assert set(train.lines).isdisjoint(held.lines)
    assert set(held.lines) == {line for line in lines if is_heldout(line)}
    assert split_lines(lines, "train") == [line for line in lines if not is_heldout(line)]


def test_missing_and_wrongly_encoded_text(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="No text"):
        load_pool("train", tmp_path)
    bad = tmp_path / "bad.txt"
    bad.write_bytes("ଓଡ଼ିଆ".encode("utf-16"))
    with pytest.raises(DataError, match="UTF-8"):
        read_text_lines(bad)
