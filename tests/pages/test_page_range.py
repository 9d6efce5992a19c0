import pytest

from odia_ocr.errors import UsageError
from odia_ocr.pages.page_range import ALL_PAGES, parse_pages


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("2", [2]),
        ("1-3", [1, 2, 3]),
        ("-2", [1, 2]),
        ("4-", [4, 5]),
        ("1, 3-4", [1, 3, 4]),
        ("9", []),
        ("3-4,1-3,2", [1, 2, 3, 4]),
        ("4-,1,1", [1, 4, 5]),
    ],
)
def test_select(text, numbers):
    assert parse_pages(text).select(5) == numbers


def test_all():
    assert ALL_PAGES.select(2) == [1, 2]


@pytest.mark.parametrize("text", ["", "a", "0", "3-1", "1-2-3", "1;2", "-", ",", "1" * 5000])
def test_nonsense_is_refused(text):
    with pytest.raises(UsageError):
        parse_pages(text)
