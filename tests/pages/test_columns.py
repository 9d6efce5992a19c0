"""Reading order of hand-made rows; letters are 10 high, rows 20 apart."""

from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from odia_ocr.pages.columns import order_rows
from odia_ocr.pages.gutters import find_gutters
from odia_ocr.pages.rules import Rule


@dataclass(frozen=True)
class Row:
    name: str
    left: float
    right: float
    top: float
    size: float = 10.0

    @property
    def bottom(self):
        return self.top + self.size

    @property
    def height(self):
        return self.size

    @property
    def middle(self):
        return self.top + self.size / 2

    @property
    def letters(self):
        return max(1, round((self.right - self.left) / (0.9 * self.size)))


def column(name, count, left, top=0.0, width=200.0, step=20.0):
    return [Row(f"{name}{i}", left, left + width, top + i * step) for i in range(count)]


def read(rows, rules=()):
    """Names in reading order, from rows given in another one."""
    shuffled = sorted(rows, key=lambda row: hash((row.left * 7919 + row.top * 104729) % 1013))
    return [row.name for row in order_rows(shuffled, rules)]


def names(*groups):
    return [row.name for group in groups for row in group]


def test_no_rows_and_one_column():
    assert order_rows([]) == []
    one = column("a", 6, 0)
    assert read(one) == names(one)


def test_two_and_three_columns():
    a, b, c = (column(name, 6, left) for name, left in (("a", 0), ("b", 215), ("c", 430)))
    assert read([*a, *b]) == names(a, b)
    assert read([*a, *b, *c]) == names(a, b, c)


def test_rows_of_columns_need_not_be_level():
    a, b = column("a", 8, 0), column("b", 8, 215, top=9)
    assert read([*a, *b]) == names(a, b)


def test_a_longer_column_is_read_to_its_end():
    a, b = column("a", 10, 0), column("b", 5, 215)
    assert read([*a, *b]) == names(a, b)


def test_a_page_number_over_or_under_one_column_stands_outside_them():
    a, b = column("a", 6, 0), column("b", 6, 215)
    foot = Row("12", 0, 20, 140)
    assert read([*a, *b, foot]) == [*names(a, b), "12"]
    head = Row("13", 395, 415, -35)
    assert read([head, *a, *b]) == ["13", *names(a, b)]
    last = Row("end", 0, 20, 120)
    assert read([*a, last, *b]) == [*names(a), "end", *names(b)]


def test_a_short_heading_or_last_line_of_one_column_stays_in_it():
    a, b = column("a", 6, 0, top=60), column("b", 8, 215, top=20)
    heading = Row("head", 215, 265, -5)
    assert read([*a, heading, *b]) == [*names(a), "head", *names(b)]
    a, b = column("a", 8, 0), column("b", 5, 215)
    last = Row("end", 150, 195, 168)
    assert read([*a, last, *b]) == [*names(a), "end", *names(b)]


def test_a_headline_across_ends_the_columns():
    above = [column("a", 5, 0), column("b", 5, 215)]
    head = [Row("head", 0, 400, 120, 18)]
    below = [column("c", 5, 0, top=160), column("d", 5, 215, top=160)]
    rows = [row for group in (*above, head, *below) for row in group]
    assert read(rows) == names(*above, head, *below)


def test_a_headline_over_two_of_three_columns():
    a = column("a", 8, 0)
    head = [Row("head", 215, 620, 0, 18)]
    b, c = column("b", 6, 215, top=40), column("c", 6, 430, top=40)
    assert read([*a, *head, *b, *c]) == names(a, head, b, c)


def test_a_section_heading_in_the_left_column_ends_the_section():
    first = [column("a", 6, 0), column("b", 6, 215)]
    head = [Row("head", 0, 90, 145, 16)]
    second = [column("c", 6, 0, top=190), column("d", 6, 215, top=190)]
    rows = [row for group in (*first, head, *second) for row in group]
    assert read(rows) == names(*first, head, *second)


def test_a_table_is_read_row_by_row():
    rows = [
        Row(f"{line}{cell}", left, left + width, 20.0 * line)
        for line in range(6)
        for cell, left, width in (
            ("a", 0, 40 + 9 * line),
            ("b", 160, 60 - 5 * line),
            ("c", 300, 50),
        )
    ]
    assert read(rows) == [row.name for row in rows]


def test_a_running_head_stays_above():
    head = [Row("title", 0, 90, -60), Row("number", 390, 410, -60)]
    a, b = column("a", 6, 0), column("b", 6, 215)
    assert read([*head, *a, *b]) == names(head, a, b)


def test_loose_words_are_no_columns():
    rows = [
        Row(f"{line}{word}", left, left + 60, 20.0 * line)
        for line in range(5)
        for word, left in enumerate((0, 70 + 13 * (line % 3), 150 + 17 * (line % 2)))
    ]
    assert find_gutters(rows).gutters == ()
    assert read(rows) == [row.name for row in rows]


def broken(name, count, top, gap=(100.0, 115.0)):
    """Rows of a column that a detector has broken at word spaces, one below another."""
    return [
        row
        for i in range(count)
        for row in (
            Row(f"{name}{i}a", 0, gap[0] - i % 2, top + 20 * i),
            Row(f"{name}{i}b", gap[1] + i % 3, 300, top + 20 * i),
        )
    ]


@pytest.mark.parametrize("count", [3, 5, 8])
@pytest.mark.parametrize("whole", ["above", "below"])
def test_word_spaces_within_a_paragraph_are_no_gutter(count, whole):
    before = column("a", 3, 0, width=300) if whole == "above" else []
    parts = broken("b", count, 20 * len(before))
    after = column("c", 3, 0, top=20 * count, width=300) if whole == "below" else []
    assert read([*before, *parts, *after]) == names(before, parts, after)


@pytest.mark.parametrize(
    ("count", "space"), [(9, 0.0), (5, 10.0)], ids=["a long column", "a space before it"]
)
def test_columns_below_a_row_across_stay_columns(count, space):
    first = column("a", 1, 0, width=300)
    parts = broken("b", count, 20 + space)
    left, right = parts[::2], parts[1::2]
    assert read([*first, *parts]) == names(first, left, right)


def test_small_blocks_side_by_side_are_read_one_after_the_other() -> None:
    """A band, beside it two short blocks whose rows are level with nothing."""
    head = [Row("head", 0, 400, 0, 20)]
    band = [Row("band", 0, 180, 66, 12)]
    two = [Row("b0", 210, 270, 58), Row("b1", 210, 280, 80)]
    three = [Row("c0", 310, 400, 52), Row("c1", 305, 400, 70)]
    assert read([*head, *band, *two, *three]) == names(head, band, two, three)


def test_labels_and_values_stay_in_their_rows() -> None:
    rows = [
        Row(f"{i}{part}", left, right, 30.0 * i)
        for i in range(4)
        for part, left, right in (("label", 0, 60 + 7 * i), ("value", 120, 160 + 11 * i))
    ]
    assert read(rows) == [row.name for row in rows]


def across(level, left, right):
    return Rule((left, level), (right, level), across=True)


def down(x, top, bottom):
    return Rule((x, top), (x, bottom), across=False)


def test_a_rule_across_ends_the_columns() -> None:
    first = [column("a", 5, 0), column("b", 5, 215)]
    second = [column("c", 5, 0, top=100), column("d", 5, 215, top=100)]
    rows = [row for group in (*first, *second) for row in group]
    assert read(rows) == names(first[0], second[0], first[1], second[1])
    assert read(rows, [across(95, 0, 415)]) == names(*first, *second)


def test_a_rule_in_one_column_ends_nothing() -> None:
    left, right = column("a", 9, 0), column("b", 9, 215)
    assert read([*left, *right], [across(95, 0, 200)]) == names(left, right)


def test_a_rule_down_leads_a_column_beside_a_picture() -> None:
    """Two columns under a picture; the third one begins with a heading beside it."""
    one, two = column("a", 5, 0, top=150), column("b", 5, 215, top=150)
    head = [Row("head0", 440, 620, 0, 20), Row("head1", 440, 610, 40, 20)]
    three = column("c", 7, 430, top=110)
    rows = [*one, *two, *head, *three]
    assert read(rows, [down(422, 0, 250)]) == names(one, two, head, three)


def test_two_rules_below_one_another_are_two_sections() -> None:
    first = [column("a", 8, 0), column("b", 8, 215)]
    second = [column("c", 8, 0, top=175), column("d", 8, 215, top=175)]
    rows = [row for group in (*first, *second) for row in group]
    rules = [down(207, 0, 150), down(207, 175, 325)]
    assert read(rows, rules) == names(*first, *second)


def test_a_line_that_ends_too_far_out_does_not_end_its_column() -> None:
    a, b = column("a", 9, 0), column("b", 9, 215)
    a[4] = Row("a4", 0, 214, 80)
    b[4] = Row("b4", 214, 415, 80)
    assert read([*a, *b]) == names(a, b)


def test_a_gutter_bends_with_the_page() -> None:
    """Both columns drift to the right, faster and faster, by more than the gutter is wide."""
    drift = [0.04 * i * i for i in range(24)]
    a = [Row(f"a{i}", x, 200 + x, 20.0 * i) for i, x in enumerate(drift)]
    b = [Row(f"b{i}", 215 + x, 415 + x, 20.0 * i) for i, x in enumerate(drift)]
    assert read([*a, *b]) == names(a, b)


def test_a_byline_at_the_right_comes_before_all_columns() -> None:
    head, by = [Row("head", 0, 180, -60, 18)], [Row("by", 350, 414, -20, 9)]
    a, b = column("a", 6, 0), column("b", 6, 215)
    assert read([*head, *by, *a, *b]) == names(head, by, a, b)


def test_a_quotation_in_a_column_does_not_end_it() -> None:
    """Large print between rules in the left column; the right one goes on beside it."""
    a0, a1 = column("a", 4, 0), column("x", 4, 0, top=160)
    quote = [Row("q0", 20, 180, 92, 14), Row("q1", 30, 170, 118, 14)]
    b = column("b", 12, 215)
    rules = [across(82, 0, 200), across(146, 0, 200)]
    assert read([*a0, *quote, *a1, *b], rules) == names(a0, quote, a1, b)


def test_fields_far_below_one_another_are_read_row_by_row() -> None:
    rows = [
        Row(f"{i}{part}", left, left + 130, 45.0 * i)
        for i in range(5)
        for part, left in (("a", 0), ("b", 180))
    ]
    assert read(rows) == [row.name for row in rows]


places = st.floats(0, 600, allow_nan=False)
boxes = st.tuples(places, st.floats(8, 320), places, st.sampled_from([10.0, 10.0, 11.0, 20.0]))


@given(st.lists(boxes, max_size=24), st.lists(st.tuples(places, places, places, st.booleans())))
@settings(max_examples=150, deadline=None)
def test_every_row_is_read_once_whatever_the_page(found, lines) -> None:
    rows = [
        Row(str(i), left, left + wide, top, size) for i, (left, wide, top, size) in enumerate(found)
    ]
    rules = [
        across(level, *sorted(ends)) if flat else down(level, *sorted(ends))
        for level, *ends, flat in lines
    ]
    assert sorted(read(rows, rules), key=int) == [row.name for row in rows]
