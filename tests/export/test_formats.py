import io
import json
from dataclasses import replace
from importlib.resources import files

import jsonschema
import pytest
from documents import make_document

from odia_ocr.errors import DataError, UsageError
from odia_ocr.export.document_json import JsonWriter, document_from_json, document_to_json
from odia_ocr.export.formats import FORMATS, find_format
from odia_ocr.export.origin import Origin
from odia_ocr.types import Document

SCHEMA = json.loads(
    (files("odia_ocr.export") / "schema" / "document.schema.json").read_text(encoding="utf-8")
)


def write(writer, document):
    stream = io.BytesIO()
    writer(((page, None) for page in document.pages), stream)
    return stream.getvalue().decode("utf-8")


def without_hypotheses(document):
    pages = []
    for page in document.pages:
        lines = tuple(
            replace(line, reading=replace(line.reading, hypothesis=None)) if line.reading else line
            for line in page.lines
        )
        pages.append(replace(page, lines=lines))
    return replace(document, pages=tuple(pages))


def test_text():
    document = make_document()
    assert write(find_format("txt").open(Origin("book.tif")), document) == "ଧର୍ମ\n\nଦୁଇ\n\f"


def test_the_schema_is_a_schema():
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("hypotheses", [False, True])
def test_json_follows_the_schema_and_round_trips(hypotheses):
    document = make_document()
    record = json.loads(write(JsonWriter("book.tif", document.problems, hypotheses), document))
    jsonschema.validate(record, SCHEMA)
    assert record == document_to_json(document, hypotheses=hypotheses)
    expected = document if hypotheses else without_hypotheses(document)
    assert document_from_json(record) == expected


def test_json_tells_readings_without_scores():
    document = make_document()
    page = document.pages[0]
    line = page.lines[0]
    hyp = replace(line.reading.hypothesis, scored=False)
    line = replace(line, reading=replace(line.reading, hypothesis=hyp))
    document = replace(document, pages=(replace(page, lines=(line, *page.lines[1:])),))
    record = document_to_json(document, hypotheses=True)
    assert document_from_json(record) == document
    record["pages"][0]["lines"][0]["reading"]["hypothesis"].pop("scored")  # an older file
    again = document_from_json(record).pages[0].lines[0].reading
    assert again.hypothesis == replace(hyp, scored=True)


def test_json_of_nothing():
    record = json.loads(write(JsonWriter("none.png"), Document("none.png")))
    jsonschema.validate(record, SCHEMA)
    assert document_from_json(record) == Document("none.png")


def test_json_keeps_odia_readable_and_a_line_a_row():
    document = make_document()
    text = write(find_format("json").open(Origin("book.tif", problems=document.problems)), document)
    rows = [row for row in text.splitlines() if row.startswith('{"id"')]
    assert len(rows) == 3
    assert "ଧର୍ମ" in rows[0]


def test_problems_may_come_while_pages_are_written():
    document = make_document()
    problems = []
    writer = find_format("json").open(Origin("book.tif", problems=problems))
    stream = io.BytesIO()

    def pages():
        yield document.pages[0], None
        problems.append(document.problems[0])

    writer(pages(), stream)
    assert json.loads(stream.getvalue())["problems"][0]["page"] == 3


@pytest.mark.parametrize("record", [{}, {"schema_version": 2}, {"schema_version": 1, "pages": []}])
def test_foreign_json_is_refused(record):
    with pytest.raises(DataError):
        document_from_json(record)


@pytest.mark.parametrize(
    "damage", [{"size": {"width": 0, "height": 3}}, {"number": 0}, {"lines": [{}]}]
)
def test_damaged_json_is_refused(damage):
    record = document_to_json(make_document())
    record["pages"][0].update(damage)
    with pytest.raises(DataError, match="does not follow the schema"):
        document_from_json(record)


def test_unknown_formats_list_the_known():
    with pytest.raises(UsageError, match="Did you mean json"):
        find_format("jsn")
    assert {name: form.suffix for name, form in FORMATS.items()} == {
        "txt": ".txt",
        "json": ".json",
        "md": ".md",
        "hocr": ".hocr",
        "alto": ".alto.xml",
        "page": ".page.xml",
        "pdf": ".pdf",
    }


def test_names_that_are_no_unicode_do_not_stop_the_writing():
    name = "b\udcff.png"  # a file name of bytes that are no UTF-8
    page = replace(make_document().pages[0], source=name)
    for form in FORMATS.values():
        if form.name != "pdf":
            form.open(Origin(name))(iter([(page, None)]), io.BytesIO())
