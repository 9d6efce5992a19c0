from __future__ import annotations

from xml.etree import ElementTree

from hypothesis import given
from hypothesis import strategies as st

from odia_ocr.campaign.plots import (
    Mark,
    draw_ladder,
    draw_reliability,
    draw_trade,
    draw_waterfall,
    find_front,
)

MARKS = st.lists(
    st.builds(Mark, st.floats(0.01, 1e3), st.floats(0, 100), st.text("aନ<&\"'", max_size=4)),
    min_size=1,
    max_size=12,
)


@given(MARKS)
def test_no_mark_beats_one_of_the_front(marks: list[Mark]) -> None:
    front = find_front(marks)
    for mark in front:
        assert not any(m.x <= mark.x and m.y < mark.y for m in marks)
    for mark in marks:
        assert any(m.x <= mark.x and m.y <= mark.y for m in front), "and the front beats the rest"


@given(MARKS)
def test_pictures_are_well_formed(marks: list[Mark]) -> None:
    names = [mark.label for mark in marks]
    values = [mark.y for mark in marks]
    gaps = [None, *values][: len(values)]
    for picture in (
        draw_trade(marks),
        draw_waterfall(names, values),
        draw_ladder(names, values, gaps),
        draw_reliability([Mark(mark.y / 100, mark.y / 100) for mark in marks]),
    ):
        root = ElementTree.fromstring(picture)
        for shape in root.iter("rect"):
            assert float(shape.attrib["height"]) > 0


def test_a_waterfall_shows_gains_and_losses() -> None:
    root = ElementTree.fromstring(draw_waterfall(["a", "b", "c", "d"], [6.0, 3.0, 4.0, 4.0]))
    assert [shape.attrib["class"] for shape in root.iter("rect")] == [
        "claim",
        "gain",
        "loss",
        "claim",
    ]
    texts = [text.text for text in root.iter("text")]
    assert {"6.00", "-3.00", "+1.00", "4.00"} <= set(texts)
