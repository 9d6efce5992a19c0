"""Lists are told by their markers."""

import pytest

from odia_ocr.pages.kinds import tell_kinds
from odia_ocr.types import Line, Page, Reading, Region

BOX = ((0, 0), (10, 0), (10, 5), (0, 5))


def page_of(*blocks, kind="paragraph"):
    lines, regions = [], []
    for b, texts in enumerate(blocks):
        regions.append(Region(f"r{b}", BOX, kind))
        for i, text in enumerate(texts):
            lines.append(Line(f"l{b}-{i}", BOX, region=f"r{b}", reading=Reading(text, None)))
    return Page("x", 1, (10, 10), regions=tuple(regions), lines=tuple(lines))


def kinds(*blocks, kind="paragraph"):
    return [region.kind for region in tell_kinds(page_of(*blocks, kind=kind)).regions]


@pytest.mark.parametrize(
    "marks", [("1. ", "2. "), ("୧) ", "୨) "), ("(କ) ", "(ଖ) "), ("• ", "• "), ("- ", "- ")]
)
def test_marked_lines_are_a_list(marks):
    assert kinds([mark + "ପାଣି ଦିଅ" for mark in marks]) == ["list"]


def test_items_of_several_lines_are_a_list():
    assert kinds(["୧. ଏହି ଧାଡ଼ି", "ଆଗକୁ ଚାଲେ", "୨. ଦ୍ୱିତୀୟ", "ଧାଡ଼ି"]) == ["list"]


def test_a_run_of_single_items_is_a_list():
    assert kinds(["1. ଏକ"], ["2. ଦୁଇ"], ["ଶେଷ ଧାଡ଼ି"], kind="text") == ["list", "list", "text"]


def test_running_text_and_headings_stay():
    assert kinds(["ଏକ ଧାଡ଼ି", "1990 ମସିହାରେ", "ଆଉ ଏକ"]) == ["paragraph"]
    assert kinds(["୧. ଅଧ୍ୟାୟ", "୨. ଅଧ୍ୟାୟ"], kind="heading") == ["heading"]
    assert kinds(["1. ଏକା"]) == ["paragraph"]
