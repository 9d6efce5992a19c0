"""Neighbours that hardly stand side by side."""

from __future__ import annotations

import pytest

from odia_ocr.language.mixing import count_strange_pairs


@pytest.mark.parametrize(
    ("text", "pairs"),
    [
        ("", 0),
        ("ଜଣ ୨୦ 20 Ab", 0),
        ("୨୦.20", 0),
        ("୨0", 1),
        ("୨୦9୫", 2),
        ("hOuse", 1),
        ("Aକ 9ଟି ୯ଟି B9", 0),
        ("a୯A", 2),
    ],
)
def test_strange_pairs_are_counted(text: str, pairs: int) -> None:
    assert count_strange_pairs(text) == pairs
