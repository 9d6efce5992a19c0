"""What does not exist, named to each command: nothing could be read, which is status 3."""

import pytest


@pytest.mark.parametrize(
    "arguments",
    [
        "read gone",
        "read gone -o out",
        "batch gone -o out",
        "batch @gone -o out",
        "evaluate gone",
        "evaluate gone --unit page",
        "render lines -o out --text gone",
        "render pages -o out --text gone",
        "render lines -o out --fonts gone",
        "curate select gone -o out --budget 3",
        "curate status gone",
        "curate mine gone -o out",
        "campaign diff gone gone",
        "data stats gone",
        "train status gone",
        "train ctc -o out --from gone",
        "adapters inspect gone",
        "publish gone --repo a/b --dry-run",
    ],
)
def test_what_is_not_there_ends_with_3(odia_ocr, arguments):
    code, out, err = odia_ocr(*arguments.split())
    assert (code, out) == (3, "")
    assert "gone" in err
    assert err.rstrip().endswith(".")
