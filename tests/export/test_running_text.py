"""Paragraphs, Markdown and digits."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
from documents import box, make_line, make_rich_document
from hypothesis import given
from hypothesis import strategies as st

from odia_ocr.errors import UsageError
from odia_ocr.export.digits import write_digits, write_page_digits
from odia_ocr.export.formats import find_format
from odia_ocr.export.markdown import page_markdown
from odia_ocr.export.origin import Origin
from odia_ocr.export.paragraphs import (
    join_lines,
    page_paragraphs,
    split_blocks,
    split_items,
    starts_item,
)
from odia_ocr.export.text import page_text
from odia_ocr.types import Line, Page, Region


@pytest.mark.parametrize(
    ("texts", "joined"),
    [
        ([], ""),
        (["ଏକ", "ଦୁଇ"], "ଏକ ଦୁଇ"),
        (["infor-", "mation ଏକ"], "information ଏକ"),
        (["infor\u00ad", "mation"], "information"),
        (["ଓଡ଼ି\u00ad", "ଆ"], "ଓଡ଼ିଆ"),
        (["Anglo-", "Indian"], "Anglo-Indian"),
        (["COVID-", "19"], "COVID-19"),
        (["ଧୀରେ-", "ଧୀରେ"], "ଧୀରେ-ଧୀରେ"),  # a compound keeps its hyphen
        (["ମା-", "ବାପା"], "ମା-ବାପା"),
        (["୧୯୪୭-", "୪୮"], "୧୯୪୭-୪୮"),
        (["ଏକ -", "ଦୁଇ"], "ଏକ - ଦୁଇ"),  # a dash is no hyphen
        (["-", "ଦୁଇ"], "- ଦୁଇ"),
        (["ଏକ –", "ଦୁଇ"], "ଏକ – ଦୁଇ"),
        (["ଏକ", "", "ଦୁଇ"], "ଏକ ଦୁଇ"),
    ],
)
def test_lines_are_joined(texts, joined):
    assert join_lines(texts) == joined


@pytest.mark.parametrize(
    ("text", "starts"),
    [
        ("୧. କ", True),
        ("(୨) କ", True),
        ("(କ) ଖ", True),
        ("କ) ଖ", True),
        ("iv) x", True),
        ("12) x", True),
        ("• କ", True),
        ("- କ", True),
        ("୧୯୪୭ ମସିହା", False),
        ("କ ଖ", False),
        ("1.5 x", False),
        ("-୫", False),
    ],
)
def test_items_begin_with_a_marker(text, starts):
    assert starts_item(text) is starts


def test_items_of_a_list():
    assert split_items(["୧. କ", "ଖ", "୨. ଗ"]) == [["୧. କ", "ଖ"], ["୨. ଗ"]]
    assert split_items(["କ", "୧. ଖ"]) == [["କ"], ["୧. ଖ"]]
    assert split_items(["କ", "ଖ"]) == [["କ"], ["ଖ"]]


def test_text_with_paragraphs():
    page = make_rich_document(awkward=False).pages[0]
    assert page_text(page, paragraphs=True) == (
        "ଛାପା ପୃଷ୍ଠାରୁ ଲେଖା\n\n"
        "ଓଡ଼ିଆ ଭାରତର ଏକ ପ୍ରାଚୀନ ଭାଷା । ଉଜ୍ଜ୍ୱଳ ସ୍ତ୍ରୀ, ଲକ୍ଷ୍ମୀ A4 ୧୨୩ 250\n\n"
        "୧. କ ଖ\n2) ଗ ଘ ଙ ଚ\n• ଛ\n\n"
        "ଚିତ୍ର ୧\n\n"
        "# ଟିପ୍ପଣୀ *ନୁହେଁ*\n"
    )
    assert page_text(page) == page.text + "\n"
    stream = io.BytesIO()
    pages = [(page, None), (Page("a", 2, (5, 5)), None)]
    find_format("txt").open(Origin("a", paragraphs=True))(pages, stream)
    assert stream.getvalue().decode() == page_text(page, paragraphs=True) + "\f"


def test_lines_without_a_region_are_joined_only_among_themselves():
    lines = (
        make_line("a", "ଏକ", 0, 0),
        make_line("b", "ଦୁଇ", 0, 40),
        make_line("c", "ତିନି", 0, 80, region="t"),
        make_line("d", "ଚାରି", 0, 120, region="t"),
        Line("e", box(0, 160, 9, 190), region="u"),
        make_line("f", "ପାଞ୍ଚ", 0, 200, region="t"),
    )
    page = Page(
        "a", 1, (300, 300), regions=(Region("t", box(0, 80, 99, 230), "table"),), lines=lines
    )
    assert page_paragraphs(page) == "ଏକ ଦୁଇ\n\nତିନି\nଚାରି\n\nପାଞ୍ଚ"
    names = [block.id for block in split_blocks(page)]
    assert len(set(names)) == len(names) == 4
    assert "t" in names


def test_markdown():
    document = make_rich_document(awkward=False)
    stream = io.BytesIO()
    find_format("md").open(Origin("a"))(((page, None) for page in document.pages), stream)
    assert stream.getvalue().decode() == (
        "## ଛାପା ପୃଷ୍ଠାରୁ ଲେଖା\n\n"
        "ଓଡ଼ିଆ ଭାରତର ଏକ ପ୍ରାଚୀନ ଭାଷା ।\nଉଜ୍ଜ୍ୱଳ ସ୍ତ୍ରୀ, ଲକ୍ଷ୍ମୀ A4 ୧୨୩ 250\n\n"
        "- ୧. କ ଖ\n2) ଗ ଘ\n   ଙ ଚ\n- ଛ\n\n"
        "*ଚିତ୍ର ୧*\n\n"
        "\\# ଟିପ୍ପଣୀ \\*ନୁହେଁ\\*\n"
        "\n<!-- page 2 -->\n"
        "\n<!-- page 4 -->\n\nଶେଷ ପୃଷ୍ଠା\n"
    )
    joined = page_markdown(document.pages[0], paragraphs=True)
    assert "ଭାଷା । ଉଜ୍ଜ୍ୱଳ" in joined
    assert "2) ଗ ଘ ଙ ଚ\n" in joined


def test_a_line_that_leads_to_a_list_is_no_item_of_it():
    lines = tuple(
        make_line(f"l{i}", text, 0, 40 * i, region="r")
        for i, text in enumerate(["ଏକ କଥା", "ଏହି ପରି :", "୧. ଦୁଇ", "୨. ତିନି"])
    )
    page = Page("a", 1, (300, 300), regions=(Region("r", box(0, 0, 99, 150), "list"),), lines=lines)
    assert page_markdown(page) == "ଏକ କଥା\nଏହି ପରି :\n\n- ୧. ଦୁଇ\n- ୨. ତିନି\n"
    assert page_markdown(page, paragraphs=True).startswith("ଏକ କଥା ଏହି ପରି :\n\n- ୧.")
    bare = replace(page, lines=lines[:2])
    assert page_markdown(bare) == "- ଏକ କଥା\n- ଏହି ପରି :\n"


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("# a", "\\# a"),
        ("#a", "#a"),
        ("- a", "\\- a"),
        ("+ a", "\\+ a"),
        ("---", "\\---"),
        ("===", "\\==="),
        ("1. a", "1\\. a"),
        ("12) a", "12\\) a"),
        ("1.5", "1.5"),
        ("> a", "\\> a"),
        (
            "a_b_ [x](y) `c` <d> & ~e~ | \\",
            "a\\_b\\_ \\[x\\](y) \\`c\\` \\<d\\> \\& \\~e\\~ \\| \\\\",
        ),
    ],
)
def test_markdown_escapes(text, escaped):
    page = Page("a", 1, (900, 100), lines=(make_line("a", text, 0, 0),))
    assert page_markdown(page) == escaped + "\n"


@pytest.mark.parametrize(
    ("text", "odia", "ascii_"),
    [
        ("2024 ମସିହା ୧୨୩", "୨୦୨୪ ମସିହା ୧୨୩", "2024 ମସିହା 123"),
        ("A4 କାଗଜ 4", "A4 କାଗଜ ୪", "A4 କାଗଜ 4"),
        ("me2@x1.in, 5", "me2@x1.in, ୫", "me2@x1.in, 5"),
        ("https://x.in/2024?a=1 ୨", "https://x.in/2024?a=1 ୨", "https://x.in/2024?a=1 2"),
        ("(B12)ରେ 12ରେ", "(B12)ରେ ୧୨ରେ", "(B12)ରେ 12ରେ"),
        ("250/-, 10:30, 1,00,000।5", "୨୫୦/-, ୧୦:୩୦, ୧,୦୦,୦୦୦।୫", "250/-, 10:30, 1,00,000।5"),
        ("", "", ""),
    ],
)
def test_digits(text, odia, ascii_):
    assert write_digits(text, "odia") == odia
    assert write_digits(text, "ascii") == ascii_
    assert write_digits(text, "keep") == text


@given(st.text(alphabet="0123456789୦୧୯ Aକ.,।@", max_size=20), st.sampled_from(["odia", "ascii"]))
def test_digits_keep_places_and_settle(text, style):
    written = write_digits(text, style)
    assert len(written) == len(text)
    assert write_digits(written, style) == written


def test_digits_of_a_page_leave_geometry_and_hypotheses():
    page = make_rich_document(awkward=False).pages[0]
    written = write_page_digits(page, "odia")
    assert "A4 ୧୨୩ ୨୫୦" in written.text
    assert [w.text for w in written.lines[3].words][-1] == "୨୫୦"
    for before, after in zip(page.lines, written.lines, strict=True):
        bare = [replace(word, text="") for word in after.words]
        assert bare == [replace(word, text="") for word in before.words]
        assert replace(after, reading=None, words=()) == replace(before, reading=None, words=())
    assert write_page_digits(page, "keep") is page
    with pytest.raises(UsageError, match="Did you mean ascii"):
        write_page_digits(page, "asci")
