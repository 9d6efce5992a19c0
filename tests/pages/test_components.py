import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from odia_ocr.pages.components import find_components


def flood(mask):
    """Boxes and areas by plain flood fill."""
    left_over = {(int(y), int(x)) for y, x in zip(*np.nonzero(mask), strict=True)}
    found = []
    while left_over:
        todo = [left_over.pop()]
        cells = list(todo)
        while todo:
            y, x = todo.pop()
            for cell in [(y + i, x + j) for i in (-1, 0, 1) for j in (-1, 0, 1)]:
                if cell in left_over:
                    left_over.remove(cell)
                    todo.append(cell)
                    cells.append(cell)
        ys, xs = zip(*cells, strict=True)
        found.append((min(xs), min(ys), max(xs) + 1, max(ys) + 1, len(cells)))
    return sorted(found)


@settings(max_examples=60, deadline=None)
@given(npst.arrays(bool, st.tuples(st.integers(1, 12), st.integers(1, 12))))
def test_equals_flood_fill(mask):
    c = find_components(mask, mask.astype(np.float32))
    boxes = np.stack([c.left, c.top, c.right, c.bottom, c.area], axis=1).astype(int)
    assert sorted(map(tuple, boxes.tolist())) == flood(mask)
    np.testing.assert_allclose(c.contrast, 1.0)


def test_a_spiral_is_one_piece():
    mask = np.zeros((9, 9), bool)
    mask[0, :] = mask[:, 8] = mask[8, :] = True
    mask[2:, 0] = mask[2, :7] = mask[2:7, 6] = True
    assert len(find_components(mask, mask.astype(np.float32))) == 1
