"""Copies are found as comparing all with all would find them; splits share none of them."""

from __future__ import annotations

import itertools
import random
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rapidfuzz.distance import Levenshtein
from set_samples import TEXTS, make_sample, samples_of

from odia_ocr.data.sets.copies import LEAST_CLUSTERS, NEAR_TEXT, find_text_copies
from odia_ocr.data.sets.formats import open_set
from odia_ocr.data.sets.picture_folder import write_pairs
from odia_ocr.data.sets.split import (
    SplitLine,
    divide,
    find_group,
    group_by_text,
    group_copies,
    parse_shares,
)
from odia_ocr.data.sets.split_list import ListedLine, list_line, write_list
from odia_ocr.data.texts import SHIPPED, find_letter_words, read_text_lines
from odia_ocr.errors import DataError, UsageError
from odia_ocr.language import split_clusters
from odia_ocr.types import Problem

SHARES = {"train": 0.8, "check": 0.1, "test": 0.1}


def test_near_texts_are_those_that_comparing_all_finds() -> None:
    rng = random.Random(4)
    lines = [line for line in read_text_lines(SHIPPED / "train.txt") if len(line) > 30][:150]
    for line in lines[:50]:
        clusters = split_clusters(line)
        clusters[rng.randrange(len(clusters))] = "କ"
        lines.append("".join(clusters))
    words = [find_letter_words(line) for line in lines]
    texts = [split_clusters("".join(line)) for line in words]
    expected = {
        (i, j)
        for i, j in itertools.combinations(range(len(texts)), 2)
        if min(len(words[i]), len(words[j])) >= 3
        and min(len(texts[i]), len(texts[j])) >= LEAST_CLUSTERS
        and Levenshtein.normalized_similarity(texts[i], texts[j]) >= NEAR_TEXT
    }
    found = {(copy.first, copy.second) for copy in find_text_copies(words)}
    assert len(expected) >= 40
    assert found <= expected
    assert len(found) >= 0.97 * len(expected)


def make_lines(numbers: list[tuple[int, int]]) -> list[SplitLine]:
    return [SplitLine(f"s{source}", tuple(TEXTS[text].split())) for source, text in numbers]


@given(st.lists(st.tuples(st.integers(0, 7), st.integers(0, 5)), min_size=30, max_size=60))
def test_no_text_and_no_source_is_in_two_splits(numbers: list[tuple[int, int]]) -> None:
    lines = make_lines([*((i, i % 6) for i in range(8)), *numbers])
    division = divide(lines, SHARES, seed=1)
    placed = [(line, name) for line, name in zip(lines, division.splits, strict=True) if name]
    for key in (lambda line: line.group, lambda line: line.words):
        seen = {(key(line), name) for line, name in placed}
        assert len(seen) == len({value for value, _ in seen})
    lost = division.splits.count("")
    assert lost == sum(division.left_out.values())
    assert division == divide(lines, SHARES, seed=1)


def test_shares_are_met_and_seeds_matter() -> None:
    lines = [SplitLine(f"s{i % 50}", (f"w{i}",)) for i in range(1000)]
    division = divide(lines, SHARES, seed=1)
    assert Counter(division.splits) == {"train": 800, "check": 100, "test": 100}
    assert divide(lines, SHARES, seed=2).groups != division.groups


def test_few_sources_are_refused_and_fill_each_split_when_enough() -> None:
    lines = make_lines([(0, 0)] * 50 + [(1, 1)])
    with pytest.raises(DataError, match=r"51 lines of 2 sources .* make no 3 splits"):
        divide(lines, SHARES, seed=0)
    three = divide([*lines, *make_lines([(2, 2)])], SHARES, seed=0)
    assert set(three.splits) == {"train", "check", "test"}


def test_the_smaller_split_keeps_a_shared_text() -> None:
    lines = [SplitLine(f"s{i}", (f"w{i}",)) for i in range(20)]
    lines += [SplitLine(f"s{i}", (f"v{i}",)) for i in range(2, 20)]
    lines += [SplitLine(f"s{i}", tuple(TEXTS[0].split())) for i in range(2)]
    for seed in range(20):
        division = divide(lines, {"train": 0.7, "test": 0.3}, seed=seed)
        if division.groups["s0"] != division.groups["s1"]:
            kept = [name for name in division.splits[-2:] if name]
            assert kept == ["test"]
            assert division.left_out == {"train": 1}
            return
    pytest.fail("no seed parted the two sources")


def test_families_of_copies_go_over_several_steps() -> None:
    base = [f"{word}" for word in TEXTS[0].split()] + TEXTS[1].split()
    one, two = [*base[:-1], "ହେଲେ"], [*base[:-2], "ବର୍ଷଣ", "ହେଲେ"]
    assert group_copies([base, one, two, TEXTS[3].split()]) == [(0, 1, 2)]
    groups = group_by_text([base, one, two, TEXTS[3].split()])
    assert groups[0] == groups[1] == groups[2] != groups[3]


@pytest.mark.parametrize(
    "said",
    ["train=0.8", "train=0.8,test=0.3", "train=a,test=b", "train=0.5,train=0.5", "a b=1,c=0"],
)
def test_shares_that_make_no_sense(said: str) -> None:
    with pytest.raises(UsageError, match=r"train=0.8,check=0.1,test=0.1"):
        parse_shares(said)


def test_shares_are_read() -> None:
    assert parse_shares("train=0.8, test=0.2") == {"train": 0.8, "test": 0.2}


def test_fields_to_divide_by_are_looked_up() -> None:
    sample = make_sample(0, source="book", extras=(("face", "Lohit"),))
    assert [find_group(sample, by) for by in ("source", "text", "face")] == [
        "book",
        "book",
        "Lohit",
    ]
    with pytest.raises(UsageError, match="one of: source, text, face"):
        find_group(sample, "pen")


def test_lists_point_at_lines_and_tell_lost_ones(tmp_path: Path) -> None:
    write_pairs([make_sample(i) for i in range(4)], tmp_path / "set")
    opened = open_set(tmp_path / "set")
    chosen = [s for s in samples_of(opened) if s.id in ("line1", "line3")]
    (tmp_path / "splits").mkdir()
    rows = [list_line(opened, sample, tmp_path / "splits") for sample in chosen]
    rows.append(replace(rows[0], id="gone"))
    assert write_list(rows, tmp_path / "splits" / "test.jsonl") == 3
    assert rows[0] == ListedLine("../set", "folder", "line1", "", TEXTS[1], "set")
    *found, lost = open_set(tmp_path / "splits" / "test.jsonl")
    assert [(s.id, s.split) for s in found] == [("line1", "test"), ("line3", "test")]
    assert isinstance(lost, Problem)
    assert (lost.code, lost.line_id) == ("line-missing", "gone")


def test_lists_that_are_none_are_refused(tmp_path: Path) -> None:
    (tmp_path / "split.json").write_text("{}", "utf-8")
    with pytest.raises(DataError, match="not what `data split` writes"):
        list(open_set(tmp_path / "split.json"))
    (tmp_path / "a.jsonl").write_text('{"set": "x", "format": "folder", "id": "1"}\n', "utf-8")
    with pytest.raises(DataError, match="line 1: no row of a list"):
        list(open_set(tmp_path / "a.jsonl"))
