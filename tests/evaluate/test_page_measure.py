"""Scores of pages, worked out by hand, and what becomes of pages that fail."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from page_sets import PAGES, FakePages, bar, write_pages

from odia_ocr.errors import DataError, EngineMissingError, PictureError
from odia_ocr.evaluate.page_measure import PageEngine, PageEvaluation, measure_pages
from odia_ocr.evaluate.page_scores import (
    PAGE_METRICS,
    PageCounts,
    ReadLine,
    compare_pages,
    count_page,
    score_pages,
)
from odia_ocr.evaluate.page_set import PrintedLine, read_page_set
from odia_ocr.evaluate.scores import Bootstrap
from odia_ocr.types import Problem

QUICK = Bootstrap(resamples=1000)


def count(printed: list[str], read: list[str], *, strict: bool = False) -> PageCounts:
    return count_page(
        [PrintedLine(text) for text in printed],
        [ReadLine(text, bar(i)) for i, text in enumerate(read)],
        strict=strict,
    )


def measure(folder: Path, truth: bool = False, **engines: FakePages) -> PageEvaluation:
    page_set = read_page_set(write_pages(folder, truth=truth))
    readers = {name: PageEngine(f"{name}-model", reader) for name, reader in engines.items()}
    return measure_pages(page_set, readers, bootstrap=QUICK)


def test_one_page_by_hand() -> None:
    # "abcd efgh ij" against "abcd ij efxh": in order 12 characters, 3 words.
    counts = count(["abcd", "efgh", "ij"], ["abcd", "ij", "efxh"])
    assert counts.text.chars.length == 12
    assert counts.text.chars.edits == 7  # "efgh" to "ij", "ij" to "efxh", as found by hand
    assert (counts.text.words.edits, counts.text.words.length) == (2, 3)
    assert (counts.order_free.edits, counts.order_free.length) == (1, 12)
    assert (counts.order.inversions, counts.order.pairs) == (1, 3)
    assert (counts.detection.recall, counts.detection.by) == (1, "text")
    assert not counts.text.exact


def test_breaks_of_lines_do_not_count() -> None:
    counts = count(["ଧର୍ମ ଓ କର୍ମ", "ସତ୍ୟ"], ["ଧର୍ମ ଓ", "", "କର୍ମ ସତ୍ୟ"])
    assert counts.text.exact
    assert counts.order_free.edits == 0


def test_folding_is_that_of_lines() -> None:
    printed, read = ["ସତ୍ୟ ।", "“କ”"], ["ସତ୍ଯ।", '"କ"']
    assert count(printed, read).text.exact
    assert count(printed, read).order_free.edits == 0
    assert count(printed, read, strict=True).order_free.edits > 0


def test_a_page_that_was_not_read_is_wrong_as_a_whole() -> None:
    for read in ([], ["  "]):
        counts = count(["abcd", "ef"], read)
        assert counts.cer == counts.order_free.rate == 1
        assert (counts.detection.recall, counts.order.pairs) == (0, 0)


def test_all_rates_of_a_set_by_hand() -> None:
    pages = [
        count(["abcd", "efgh"], ["abcd", "efgh"]),  # 9 characters, right
        count(["abcd", "efgh"], ["efgh", "abcd"]),  # in the wrong order
        count(["abcde"], []),  # not read
        count(["abcdefghij"], ["abcdefghix"]),  # 1 of 10
    ]
    swapped = pages[1].text.chars.edits
    assert swapped == 8
    scores = score_pages(pages, QUICK)
    length = 9 + 9 + 5 + 10
    expected = {
        "cer": (swapped + 5 + 1) / length,
        "wer": (2 + 1 + 1) / 6,
        "cluster_error": (swapped + 5 + 1) / length,
        "exact": 1 / 4,
        "order_free": (5 + 1) / length,
        "line_recall": 5 / 6,
        "line_precision": 5 / 5,
        "order_error": 1 / 2,  # of the two pages with two lines
        "over_half": 2 / 4,
        "median_cer": (1 / 10 + 8 / 9) / 2,  # of 0, 0.1, 0.89, 1
    }
    assert scores.n == 4
    for metric in PAGE_METRICS:
        score = getattr(scores, metric)
        assert score.value == pytest.approx(expected[metric]), metric
        assert score.low <= score.value <= score.high


def test_the_median_and_its_interval_are_those_of_resampled_pages() -> None:
    pages = [count(["a" * 10], ["b" * i + "a" * (10 - i)]) for i in (1, 2, 3, 5, 9)]
    assert score_pages(pages, QUICK).median_cer.value == pytest.approx(0.3)
    rng = np.random.default_rng(0)
    drawn = rng.integers(0, 5, size=(1000, 5))
    medians = np.median(np.array([0.1, 0.2, 0.3, 0.5, 0.9])[drawn], axis=1)
    low, high = np.percentile(medians, [2.5, 97.5])
    score = score_pages(pages, QUICK).median_cer
    assert (score.low, score.high) == pytest.approx((low, high))


def test_differences_are_paired() -> None:
    good = [count(["abcdefghij"], ["abcdefghix"]) for _ in range(8)]
    bad = [count(["abcdefghij"], ["abcdefghxx"]) for _ in range(8)]
    gap = compare_pages(good, bad, QUICK)
    assert gap.cer.value == gap.cer.low == gap.cer.high == pytest.approx(-0.1)
    assert gap.cer.p < 0.01
    assert gap.line_recall.value == 0
    with pytest.raises(ValueError, match="same pages: 8, 7"):
        compare_pages(good, bad[:7], QUICK)
    with pytest.raises(ValueError):
        score_pages([])


lines = st.lists(st.text("କଖ ।a", max_size=6), min_size=1, max_size=5)


@given(lines, lines)
def test_without_order_never_more_edits_than_in_order(printed, read) -> None:
    counts = count(printed, read)
    assert counts.order_free.edits <= counts.text.chars.edits
    assert counts.order_free.length == counts.text.chars.length


@given(lines)
def test_what_is_read_right_has_no_errors(printed) -> None:
    counts = count(printed, printed)
    assert counts.cer == counts.order_free.rate == counts.order.rate == 0


@given(st.permutations(["ଧର୍ମ ଓ କର୍ମ", "ସତ୍ୟ ବା ଜ୍ଞାନ", "ଭାରତ ଦେଶ", "ନୂଆ ଖବର"]))
def test_right_lines_in_any_order_score_full(order) -> None:
    counts = count(["ଧର୍ମ ଓ କର୍ମ", "ସତ୍ୟ ବା ଜ୍ଞାନ", "ଭାରତ ଦେଶ", "ନୂଆ ଖବର"], order)
    assert counts.order_free.edits == 0
    assert counts.detection.recall == 1


def test_engines_read_the_same_pixels_and_are_compared(tmp_path: Path) -> None:
    right, poor = FakePages(PAGES), FakePages({**PAGES, "b_1": ("ଗୋଟିଏ ଧାଡ଼",)})
    seen: list[int] = []
    evaluation = measure_pages(
        read_page_set(write_pages(tmp_path)),
        {"ctc": PageEngine("m", right), "tesseract": PageEngine("t", poor)},
        bootstrap=QUICK,
        progress=seen.append,
    )
    assert sum(seen) == 6
    assert [a is b for a, b in zip(right.seen, poor.seen, strict=True)] == [True] * 3
    first, second = evaluation.results
    assert (first.engine, first.model, first.scores.exact.value) == ("ctc", "m", 1)
    assert second.scores.exact.value == pytest.approx(2 / 3)
    assert "unit:page|n:3" in first.signature
    (pair,) = evaluation.paired
    assert pair.differences.exact.value == pytest.approx(1 / 3)
    assert second.confusions[0].reference == "ଡ଼ି"
    assert second.confusions[0].example == "b_1"
    assert first.pages_per_second > 0


def test_pages_that_fail_count_as_wrong_and_are_told(tmp_path: Path) -> None:
    reader = FakePages(
        PAGES, fails={"a_1": PictureError("too odd", next_step="Look."), "a_2": KeyError("bug")}
    )
    (result,) = measure(tmp_path, ctc=reader).results
    assert [page.counts.cer for page in result.pages] == [1, 1, 0]
    assert result.scores.over_half.value == pytest.approx(2 / 3)
    assert [problem.message for problem in result.problems] == [
        "too odd",
        "ctc-model failed: 'bug'",
    ]
    assert [problem.line_id for problem in result.problems] == ["a_1", "a_2"]


def test_a_missing_program_ends_the_run(tmp_path: Path) -> None:
    reader = FakePages(PAGES, fails={"a_2": EngineMissingError("gone")})
    with pytest.raises(EngineMissingError):
        measure(tmp_path, ctc=reader)


def test_remarks_are_kept(tmp_path: Path) -> None:
    remark = Problem("doubtful", "hm")
    (result,) = measure(tmp_path, ctc=FakePages(PAGES, problems=(remark,))).results
    assert result.pages[0].remarks == (remark,)
    assert result.problems == ()


def test_with_outlines_lines_are_told_by_place(tmp_path: Path) -> None:
    # All text right, yet the outlines of b_1 lie elsewhere; and a_2 is two lines in one.
    both = ((20.0, 10.0), (180.0, 10.0), (180.0, 60.0), (20.0, 60.0))
    reader = FakePages(
        {
            **PAGES,
            "a_2": [(" ".join(PAGES["a_2"]), both)],
            "b_1": [(PAGES["b_1"][0], bar(4))],
        }
    )
    evaluation = measure(tmp_path, truth=True, ctc=reader)
    (result,) = evaluation.results
    assert result.scores.cer.value == 0
    assert result.scores.line_recall.value == pytest.approx((3 + 1.6 + 0) / 6)
    assert result.scores.line_precision.value == pytest.approx((3 + 0.8 + 0) / 5)
    assert {(group.by, group.group) for group in result.groups} == {
        ("layout", "book"),
        ("layout", "news"),
    }


def test_broken_pictures_are_left_out(tmp_path: Path) -> None:
    folder = write_pages(tmp_path)
    (folder / "a_1.png").write_bytes(b"")
    engines = {"ctc": PageEngine("m", FakePages(PAGES))}
    evaluation = measure_pages(read_page_set(folder), engines, bootstrap=QUICK)
    assert evaluation.results[0].scores.n == 2
    assert "left out" in evaluation.problems[0].message
    for name in PAGES:
        (folder / f"{name}.png").write_bytes(b"")
    with pytest.raises(DataError, match="No picture"):
        measure_pages(read_page_set(folder), engines, bootstrap=QUICK)


def test_without_an_engine(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="No engine"):
        measure_pages(read_page_set(write_pages(tmp_path)), {})
