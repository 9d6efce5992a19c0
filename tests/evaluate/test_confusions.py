from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from odia_ocr.evaluate.confusions import ComparedText, Confusion, count_confusions
from odia_ocr.language import count_edits, fold, split_clusters

TEXTS = [
    ComparedText("l1", "ଧର୍ମ ଭଲ", "ଧମ ଭଲ"),
    ComparedText("l2", "ନର୍ମ", "ନମ"),
    ComparedText("l3", "କଖ", "କଖଗ"),
    ComparedText("l4", "ଠିକ", "ଠିକ"),
]


def test_clusters_most_frequent_first_with_an_example() -> None:
    assert count_confusions(TEXTS) == (
        Confusion("ର୍ମ", "ମ", 2, "l1"),
        Confusion("", "ଗ", 1, "l3"),
    )


def test_code_points() -> None:
    found = count_confusions(TEXTS, unit="char")
    assert {(c.reference, c.hypothesis, c.count) for c in found} == {
        ("ର", "", 2),
        ("୍", "", 2),
        ("", "ଗ", 1),
    }


def test_folding_and_strict() -> None:
    texts = [ComparedText("x", "ସତ୍ୟ", "ସତ୍ଯ")]
    assert count_confusions(texts) == ()
    assert count_confusions(texts, strict=True) == (Confusion("ତ୍ୟ", "ତ୍ଯ", 1, "x"),)


def test_most_cuts() -> None:
    assert len(count_confusions(TEXTS, most=1)) == 1


@given(st.lists(st.tuples(st.text("କର୍ମ ", max_size=8), st.text("କର୍ମ ", max_size=8)), max_size=5))
def test_confusions_add_up_to_the_edits(pairs) -> None:
    texts = [ComparedText(str(i), one, other) for i, (one, other) in enumerate(pairs)]
    edits = sum(
        count_edits(split_clusters(fold(one)), split_clusters(fold(other))).edits
        for one, other in pairs
    )
    assert sum(c.count for c in count_confusions(texts)) == edits
