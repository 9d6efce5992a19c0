"""Documents for the tests of this folder."""

from __future__ import annotations

from odia_ocr.types import (
    Document,
    Edit,
    Hypothesis,
    Line,
    Page,
    Problem,
    Reading,
    Region,
    Symbol,
    Word,
)


def box(left, top, right, bottom):
    return ((left, top), (right, top), (right, bottom), (left, bottom))


def make_document() -> Document:
    hyp = Hypothesis(
        (
            Symbol("ଧ", -0.125, (0.0, 8.5), (("ଘ", -2.25),)),
            Symbol("ର୍ମ", -0.5),
        ),
        -0.625,
        lm_logp=-3.5,
        posterior=0.75,
        source="ctc-v1/greedy",
    )
    read = Line(
        "p0001-l001",
        box(10.0, 20.0, 110.0, 50.0),
        baseline=((10.0, 44.0), (110.0, 44.5)),
        region="r1",
        reading=Reading("ଧର୍ମ", 0.9, (0.95, 0.875), (Edit(1, 2, "ର", "ର୍ମ", "lexicon"),), hyp),
        words=(Word("ଧର୍ମ", box(10.0, 20.0, 60.0, 50.0), 0.875),),
    )
    plain = Line(
        "p0001-l002", box(10.0, 60.0, 110.0, 90.0), region="r2", reading=Reading("ଦୁଇ", None)
    )
    failed = Line("p0001-l003", box(10.0, 90.0, 110.0, 120.0), region="r2")
    page = Page(
        "book.tif",
        1,
        (120, 150),
        dpi=300.0,
        regions=(
            Region("r1", box(10, 20, 110, 50), "heading"),
            Region("r2", box(10, 60, 110, 120)),
        ),
        lines=(read, plain, failed),
        problems=(Problem("recognition", "it failed", "try again", 1, "p0001-l003"),),
        steps=("lines: profile", "text: ctc"),
    )
    blank = Page("book.tif", 2, (120, 150), problems=(Problem("blank-page", "nothing", page=2),))
    problem = Problem("picture-unreadable", "page 3 is broken", "scan it again", page=3)
    return Document("book.tif", (page, blank), (problem,))
