"""Blocks of hand-made rows."""

from dataclasses import dataclass

from odia_ocr.pages.blocks import make_blocks


@dataclass(frozen=True)
class Row:
    left: float
    right: float
    top: float
    bottom: float

    @property
    def height(self):
        return self.bottom - self.top

    @property
    def middle(self):
        return (self.top + self.bottom) / 2

    @property
    def letters(self):
        return 10


def column(count, left=0.0, top=0.0, step=20.0, size=10.0, width=300.0):
    return [Row(left, left + width, top + i * step, top + i * step + size) for i in range(count)]


def shapes(rows):
    return [(block.kind, len(block.rows)) for block in make_blocks(rows, prefix="p0001")]


def test_no_rows_no_blocks():
    assert make_blocks([], prefix="p") == []


def test_evenly_spaced_rows_are_one_paragraph():
    assert shapes(column(6)) == [("paragraph", 6)]


def test_a_wider_space_begins_a_block():
    assert shapes(column(4) + column(3, top=110)) == [("paragraph", 4), ("paragraph", 3)]


def test_large_print_above_is_a_heading():
    head = [Row(50, 250, 0, 18)]
    assert shapes(head + column(5, top=40)) == [("heading", 1), ("paragraph", 5)]


def test_the_next_column_is_a_block_of_its_own():
    rows = column(4) + column(4, left=350)
    assert shapes(rows) == [("paragraph", 4), ("paragraph", 4)]


def test_an_indent_begins_a_paragraph_in_running_text_only():
    rows = column(8)
    rows[3] = Row(25, 300, rows[3].top, rows[3].bottom)
    assert shapes(rows) == [("paragraph", 3), ("paragraph", 5)]
    ragged = [Row(i * 17 % 60, 300, r.top, r.bottom) for i, r in enumerate(column(8))]
    assert len(shapes(ragged)) == 1


def test_ids_and_boxes():
    blocks = make_blocks(column(3) + column(2, top=110), prefix="p0002")
    assert [block.id for block in blocks] == ["p0002-r001", "p0002-r002"]

    def outline(row):
        return (row.left, row.top), (row.right, row.top), (row.right, row.bottom)

    region = blocks[1].region(outline)
    assert region.polygon == ((0, 110), (300, 110), (300, 140), (0, 140))
    assert region.kind == "paragraph"
