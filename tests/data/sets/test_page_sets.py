"""ALTO and PAGE XML of other programs, and Label Studio: what they write is read."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from set_samples import draw_pixels, problems_of, samples_of, save_picture

from odia_ocr.data.sets.formats import find_writer, open_set, tell_format
from odia_ocr.data.sets.label_studio import write_tasks
from odia_ocr.data.sets.sample import CutPicture, PagePicture, Place, Sample

PAGE = """<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<PcGts xmlns="http://schema.primaresearch.org/PAGE/gts/pagecontent/2013-07-15">
<Metadata><Creator>Transkribus</Creator></Metadata>
<Page imageFilename="scan 1.jpg" imageWidth="600" imageHeight="400">
<TextRegion id="r1"><Coords points="0,0 600,0 600,400 0,400"/>
<TextLine id="l1" custom="readingOrder {index:0;}">
<Coords points="20,90 20,50 220,50 220,90"/><Baseline points="20,80 220,80"/>
<TextEquiv index="1"><Unicode>ଭୁଲ</Unicode></TextEquiv>
<TextEquiv index="0" conf="0.75"><Unicode>ପ୍ରଥମ ଧାଡ଼ି</Unicode></TextEquiv></TextLine>
<TextLine id="l2"><Coords points="20,150 220,150 220,190 20,190"/>
<Word id="w1"><Coords points="1,1 2,1 2,2"/><TextEquiv><Unicode>ଦୁଇ</Unicode></TextEquiv></Word>
<Word id="w2"><TextEquiv><Unicode>ଶବ୍ଦ</Unicode></TextEquiv></Word></TextLine>
<TextLine id="l3"><Coords points="20,250 220,250 220,290 20,290"/></TextLine>
<TextLine id="l4"><TextEquiv><Unicode>ବିନା ରେଖା</Unicode></TextEquiv></TextLine>
</TextRegion></Page></PcGts>
"""
OLD_PAGE = """<PcGts xmlns="http://schema.primaresearch.org/PAGE/gts/pagecontent/2010-03-19">
<Page imageFilename="old.png" imageWidth="300" imageHeight="200">
<TextRegion id="r"><TextLine id="l">
<Coords><Point x="10" y="20"/><Point x="110" y="20"/><Point x="110" y="60"/><Point x="10" y="60"/>
</Coords><TextEquiv><Unicode>ପୁରୁଣା</Unicode></TextEquiv></TextLine></TextRegion></Page></PcGts>
"""
ALTO = """<?xml version="1.0"?><alto xmlns="http://www.loc.gov/standards/alto/ns-v4#">
<Description><MeasurementUnit>{unit}</MeasurementUnit><sourceImageInformation>
<fileName>C:\\scans\\old.png</fileName></sourceImageInformation></Description>
<Layout><Page PHYSICAL_IMG_NR="1" WIDTH="{width}" HEIGHT="{height}"><PrintSpace><TextBlock>
<TextLine ID="eSc_line_1" BASELINE="10 50 110 50" HPOS="10" VPOS="20" WIDTH="100" HEIGHT="40">
<Shape><Polygon POINTS="{points}"/></Shape>
<String CONTENT="ଏକ" WC="0.9"/><SP/><String CONTENT="ଦୁଇ" WC="0.5"/><HYP CONTENT="-"/></TextLine>
<TextLine ID="l2" HPOS="10" VPOS="100" WIDTH="200" HEIGHT="40"><String CONTENT="ତିନି"/>
<String CONTENT="ଚାରି"/></TextLine>
</TextBlock></PrintSpace></Page></Layout></alto>
"""


def test_transkribus_pages_beside_their_folder(tmp_path: Path) -> None:
    save_picture(tmp_path / "scan 1.jpg", draw_pixels(1, width=600, height=400))
    (tmp_path / "page").mkdir()
    (tmp_path / "page" / "scan 1.xml").write_text(PAGE, "utf-8")
    items = list(open_set(tmp_path))
    found = [item for item in items if isinstance(item, Sample)]
    assert [(s.id, s.text, s.source) for s in found] == [
        ("page/scan 1/l1", "ପ୍ରଥମ ଧାଡ଼ି", "page/scan 1"),
        ("page/scan 1/l2", "ଦୁଇ ଶବ୍ଦ", "page/scan 1"),
    ]
    assert dict(found[0].extras) == {"confidence": 0.75}
    assert [s.picture.load().shape for s in found] == [(40, 200), (40, 200)]
    assert problems_of(items) == ["text-empty", "outline-missing"]


def test_old_pages_have_points_as_elements(tmp_path: Path) -> None:
    # The picture was scaled to half since the page was outlined.
    save_picture(tmp_path / "old.png", draw_pixels(1, width=150, height=100))
    (tmp_path / "old.xml").write_text(OLD_PAGE, "utf-8")
    (sample,) = samples_of(open_set(tmp_path))
    assert sample.text == "ପୁରୁଣା"
    assert sample.picture.load().shape == (20, 50)


@pytest.mark.parametrize(
    ("unit", "scale", "points"),
    [
        ("pixel", 1.0, "10 20 110 20 110 60 10 60"),
        ("mm10", 2.0, "20,40 220,40 220,120 20,120"),
        ("pixel", 1.0, "10 60 10 25 60 20 110 22 110 60"),
    ],
)
def test_alto_of_other_programs(tmp_path: Path, unit: str, scale: float, points: str) -> None:
    save_picture(tmp_path / "old.png", draw_pixels(1, width=300, height=200))
    size = {"width": round(300 * scale), "height": round(200 * scale)}
    text = ALTO.format(unit=unit, points=points, **size)
    (tmp_path / "old.xml").write_text(text, "utf-8")
    first, second = samples_of(open_set(tmp_path))
    assert (first.text, second.text) == ("ଏକ ଦୁଇ-", "ତିନି ଚାରି")
    assert dict(first.extras) == {"confidence": 0.5}
    assert abs(first.picture.load().shape[0] - 40) <= 1
    assert abs(first.picture.load().shape[1] - 100) <= 1


def test_files_that_are_no_pages_are_told(tmp_path: Path) -> None:
    save_picture(tmp_path / "old.png", draw_pixels(1, width=300, height=200))
    (tmp_path / "a.xml").write_text(OLD_PAGE, "utf-8")
    (tmp_path / "b.xml").write_text(OLD_PAGE[:300], "utf-8")
    (tmp_path / "c.xml").write_text(OLD_PAGE.replace("old.png", "gone.png"), "utf-8")
    (tmp_path / "d.xml").write_text("<html/>", "utf-8")
    (tmp_path / "e.xml").write_text(OLD_PAGE.replace('x="10"', 'x="ten"', 1), "utf-8")
    items = list(open_set(tmp_path))
    assert [item.text for item in items if isinstance(item, Sample)] == ["ପୁରୁଣା"]
    assert problems_of(items) == [
        "xml-unreadable",
        "picture-missing",
        "xml-kind",
        "xml-unreadable",
    ]


def test_a_page_in_both_formats_is_read_once(tmp_path: Path) -> None:
    save_picture(tmp_path / "old.png", draw_pixels(1, width=300, height=200))
    (tmp_path / "old.page.xml").write_text(OLD_PAGE, "utf-8")
    text = ALTO.format(unit="pixel", points="", width=300, height=200)
    (tmp_path / "old.alto.xml").write_text(text, "utf-8")
    assert len(samples_of(open_set(tmp_path))) == 2
    assert len(samples_of(open_set(tmp_path, format="page"))) == 1


def test_pictures_may_lie_in_another_folder(tmp_path: Path) -> None:
    save_picture(tmp_path / "scans" / "old.tif", draw_pixels(1, width=300, height=200))
    (tmp_path / "xml").mkdir()
    (tmp_path / "xml" / "old.page.xml").write_text(OLD_PAGE, "utf-8")
    assert problems_of(open_set(tmp_path / "xml")) == ["picture-missing"]
    (sample,) = samples_of(open_set(tmp_path / "xml", pictures=tmp_path / "scans"))
    assert (sample.id, sample.source) == ("old/l", "old")


def task(*results: dict, **more: object) -> dict:
    annotation = {"result": list(results), "was_cancelled": False, **more}
    return {
        "id": 7,
        "data": {"ocr": "/data/upload/1/0a1b2c3d-page.png"},
        "annotations": [annotation],
    }


def region(name: str, kind: str, **value: object) -> dict:
    return {"id": name, "type": kind, "value": value}


def export(folder: Path, *tasks: object) -> Path:
    save_picture(folder / "page.png", draw_pixels(1, width=400, height=200))
    path = folder / "project.json"
    path.write_text(json.dumps(tasks, ensure_ascii=False), "utf-8")
    return path


def test_corrections_of_label_studio_are_read(tmp_path: Path) -> None:
    box = {"x": 10, "y": 10, "width": 50, "height": 20}
    corners = [[10, 50], [60, 52], [60, 72], [10, 70]]
    path = export(
        tmp_path,
        task(
            region("a", "rectangle", **box, rotation=0),
            region("a", "textarea", **box, text=["ପ୍ରଥମ"]),
            region("b", "polygonlabels", points=corners, polygonlabels=["Line"]),
            region("b", "textarea", points=corners, text=["ଦ୍ୱିତୀୟ"]),
            region("c", "rectangle", **box, rotation=90),
            region("c", "textarea", **box, rotation=90, text="ତୃତୀୟ"),
            region("d", "rectangle", **box),
        ),
    )
    items = list(open_set(path))
    found = [item for item in items if isinstance(item, Sample)]
    assert [(s.id, s.text, s.source) for s in found] == [
        ("a", "ପ୍ରଥମ", "page"),
        ("b", "ଦ୍ୱିତୀୟ", "page"),
        ("c", "ତୃତୀୟ", "page"),
    ]
    assert [s.picture.load().shape for s in found] == [(40, 200), (40, 200), (40, 200)]
    assert problems_of(items) == ["text-empty"]


def test_only_what_a_person_submitted_last_counts(tmp_path: Path) -> None:
    whole = region("x", "textarea", text=["ଶେଷ"])
    old = {"result": [region("x", "textarea", text=["ପୁରୁଣା"])], "updated_at": "2026-01-01"}
    done = task(whole, updated_at="2026-02-01")
    done["annotations"].append(old)
    skipped = task(whole, was_cancelled=True)
    predicted = {"data": {"ocr": "page.png"}, "predictions": [{"result": [whole]}]}
    items = list(open_set(export(tmp_path, done, skipped, predicted, {"data": 3}, "text")))
    (sample,) = [item for item in items if isinstance(item, Sample)]
    assert (sample.id, sample.text, sample.place) == ("task-7", "ଶେଷ", None)
    assert np.array_equal(sample.picture.load(), draw_pixels(1, width=400, height=200))
    assert problems_of(items) == [
        "transcription-missing",
        "transcription-missing",
        "transcription-missing",
        "task-malformed",
    ]


def test_readings_become_predictions_with_their_confidence(tmp_path: Path) -> None:
    save_picture(tmp_path / "page.png", draw_pixels(1, width=400, height=200))
    outline = ((40.0, 20.0), (240.0, 20.0), (240.0, 60.0), (40.0, 60.0))
    place = Place(PagePicture(tmp_path / "page.png"), outline)
    line = Sample("l1", CutPicture("l1", place), "ପଢ଼ା", place=place, extras=(("confidence", 0.5),))
    assert write_tasks([line], tmp_path / "out", readings="ctc-v2") == 1
    (found,) = json.loads((tmp_path / "out" / "tasks.json").read_text("utf-8"))
    assert "annotations" not in found
    (prediction,) = found["predictions"]
    assert (prediction["model_version"], prediction["score"]) == ("ctc-v2", 0.5)
    box, _, text = prediction["result"]
    assert box["value"] == {"x": 10, "y": 10, "width": 50, "height": 20, "rotation": 0}
    assert text["value"]["text"] == ["ପଢ଼ା"]
    assert (tmp_path / "out" / "images" / "page.png").is_file()


def test_an_empty_or_broken_export_is_refused_or_told(tmp_path: Path) -> None:
    path = export(tmp_path)
    assert list(open_set(path, format="label-studio")) == []
    find_writer("label-studio")([], tmp_path / "none")
    assert tell_format(str(export(tmp_path, task()))) == "label-studio"
