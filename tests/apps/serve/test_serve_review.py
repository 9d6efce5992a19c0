"""Pages for review: doubt, rivals, corrections, and what can be learned from them."""

from __future__ import annotations

import io
import zipfile
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image
from servers import Server, open_shipped, page_of

from odia_ocr.apps.serve.corrections import Correction, LineState
from odia_ocr.apps.serve.nbest import OtherReading, find_others, widen
from odia_ocr.apps.serve.review import Doubt, correct_page, list_rivals, list_truths, rate_doubt
from odia_ocr.curate.labelling import read_batch
from odia_ocr.data.lineset import load_labelled
from odia_ocr.types import Hypothesis, LineImage, Reading, Symbol


def reading_of(*symbols: Symbol, **values: Any) -> Reading:
    hyp = Hypothesis(symbols, -1.0)
    return Reading(hyp.text, **{"confidence": None, **values}, hypothesis=hyp)


@pytest.mark.parametrize(
    ("confidence", "clusters", "threshold", "doubt"),
    [
        (0.97, (0.99,), 0.95, Doubt.SURE),
        (0.94, (0.99,), 0.95, Doubt.CHECK),
        (0.49, (0.99,), 0.95, Doubt.DOUBTFUL),
        (0.97, (0.5,), 0.95, Doubt.DOUBTFUL),
        (0.97, (0.99,), None, Doubt.CHECK),
        (None, (), 0.95, Doubt.CHECK),
    ],
)
def test_doubt(confidence: Any, clusters: Any, threshold: Any, doubt: Doubt) -> None:
    reading = Reading("କ", confidence, cluster_confidence=clusters)
    assert rate_doubt(reading, threshold) is doubt


def test_a_line_without_a_reading_is_doubtful() -> None:
    assert rate_doubt(None, 0.9) is Doubt.DOUBTFUL


def test_rivals_change_one_place_and_show_whole_clusters() -> None:
    reading = reading_of(
        Symbol("କ", -0.1, alternatives=(("ଖ", -0.5), ("ଗ", -9.0))),
        Symbol("ି", -0.2, alternatives=(("ୀ", -0.1), ("", -3.0))),
        Symbol(" ", -0.1),
        Symbol("ମ", -0.1),
    )
    rivals = list_rivals(reading)
    assert [(rival.text, rival.before, rival.after) for rival in rivals] == [
        ("କୀ ମ", "କି", "କୀ"),  # the picture alone speaks for it
        ("ଖି ମ", "କି", "ଖି"),
        ("କ ମ", "କି", "କ"),
    ]
    assert rivals[0].share > 1 > rivals[1].share


def test_a_rival_that_goes_or_comes_is_shown_beside_its_neighbour() -> None:
    gone = reading_of(Symbol("କ", -0.1), Symbol("ମ", -0.5, alternatives=(("", -0.6),)))
    (rival,) = list_rivals(gone)
    assert (rival.text, rival.before, rival.after) == ("କ", "କମ", "କ")


def test_the_n_best_come_before_single_places() -> None:
    reading = reading_of(Symbol("କ", -0.1, alternatives=(("ଖ", -0.5),)), Symbol("ମଳ", -0.1))
    others = (
        OtherReading("ଖମଲ", 0.5),
        OtherReading("କମଳ", 0.4),  # what was read is no rival
        OtherReading("ଖମଳ", 0.3),  # also a single place: shown once
        OtherReading("ଗମଳ", 0.001),
    )
    rivals = list_rivals(reading, others)
    assert [(rival.text, rival.before, rival.after, rival.start) for rival in rivals] == [
        ("ଖମଲ", "କମଳ", "ଖମଲ", 0),
        ("ଖମଳ", "କ", "ଖ", 0),
    ]
    assert rivals[1].share == 0.3


def test_single_places_keep_some_keys() -> None:
    letters = "କଖଗଘଚଛଜଝଟଠ"
    reading = reading_of(
        *(Symbol(letter, -0.1, alternatives=(("ହ", -0.3),)) for letter in letters[:5])
    )
    others = [OtherReading(letter, 0.9) for letter in letters]
    texts = [rival.text for rival in list_rivals(reading, others)]
    assert texts[:6] == list(letters[:6])
    assert len(texts) == 9
    assert len(list_rivals(replace(reading, hypothesis=None), others)) == 9


def test_a_line_is_read_once_more_for_its_n_best(start: Any, line_png: bytes) -> None:
    server = start()
    begun = server.client.post("/v1/jobs", files={"file": ("page.png", line_png)}).json()
    server.wait(begun["id"])
    page = f"/v1/jobs/{begun['id']}/pages/1"
    (line,) = server.client.get(page).json()["lines"]
    rivals = server.client.get(f"{page}/lines/{line['id']}/rivals").json()["rivals"]
    assert rivals
    assert line["read"] not in [rival["text"] for rival in rivals]
    for rival in rivals:
        end = rival["start"] + len(rival["before"])
        assert line["read"][rival["start"] : end] == rival["before"]
        changed = line["read"][: rival["start"]] + rival["after"] + line["read"][end:]
        assert changed == rival["text"]
    whole = server.service.find_others(
        server.service.find_job(begun["id"]),
        1,
        server.service.jobs.find_page(begun["id"], 1).page.lines[0],
    )
    assert len(whole) >= 3
    assert whole[0].text == rivals[0]["text"]
    assert sum(other.share for other in whole) < 1


@pytest.mark.parametrize("engine", ["ctc", "ctc-fast", "ctc-best"])
def test_every_preset_has_several_readings(engine: str, line_png: bytes) -> None:
    recognizer = open_shipped(engine, threads=1).recognizer
    wide = widen(recognizer)
    assert wide is not None
    image = np.asarray(Image.open(io.BytesIO(line_png)).convert("L"))
    line = LineImage("l", image)
    (read,) = recognizer.read([line])
    others = find_others(wide, line, read.best.text)
    assert others
    assert read.best.text not in {other.text for other in others}
    assert [other.share for other in others] == sorted((o.share for o in others), reverse=True)


def test_other_recognizers_have_none() -> None:
    assert widen(SimpleNamespace(name="stub")) is None  # type: ignore[arg-type]


def test_rivals_need_symbols_that_are_the_text() -> None:
    reading = reading_of(Symbol("କ", -0.1, alternatives=(("ଖ", -0.2),)))
    assert list_rivals(replace(reading, text="ଗ")) == ()
    assert list_rivals(replace(reading, hypothesis=None)) == ()
    assert list_rivals(None) == ()


def test_corrections_are_laid_over_the_page() -> None:
    page = page_of("a.png", 1)
    corrected = correct_page(page, {"l1": Correction(LineState.EDITED, "ନୂଆ ପାଠ", 1, 0.0)})
    (line,) = corrected.lines
    assert line.text == "ନୂଆ ପାଠ"
    assert line.reading is not None
    assert line.reading.confidence is None
    assert [edit.reason for edit in line.reading.edits] == ["review"]
    assert [word.text for word in line.words] == ["ନୂଆ", "ପାଠ"]
    accepted = {"l1": Correction(LineState.ACCEPTED, page.lines[0].text, 1, 0.0)}
    assert correct_page(page, accepted) == page
    assert correct_page(page, {"l1": Correction(LineState.EDITED, "", 1, 0.0)}).lines == ()
    assert correct_page(page, {"other": accepted["l1"]}) == page


def test_only_accepted_lines_are_truths() -> None:
    page = page_of("a.png", 1)
    for state, text, count in (
        (LineState.EDITED, "ପାଠ", 0),
        (LineState.UNSEEN, "ପାଠ", 0),
        (LineState.ACCEPTED, "", 0),
        (LineState.ACCEPTED, "ପାଠ", 1),
    ):
        truths = list_truths(page, {"l1": Correction(state, text, 1, 0.0)})
        assert [(read.text, line.text) for read, line in truths] == [("ପୃଷ୍ଠା 1", text)] * count


@pytest.fixture
def job(stub_server: Server, line_png: bytes) -> str:
    """A page that was read, 1000 pixels wide; the stub's line is in its corner."""
    begun = stub_server.client.post("/v1/jobs", files={"file": ("page.png", line_png)}).json()
    stub_server.wait(begun["id"])
    return f"/v1/jobs/{begun['id']}"


def put(server: Server, job: str, **change: Any) -> Any:
    return server.client.put(f"{job}/pages/1/lines/l1", json=change)


def test_a_page_and_its_pictures(stub_server: Server, job: str) -> None:
    page = stub_server.client.get(f"{job}/pages/1").json()
    (line,) = page["lines"]
    assert line["read"] == line["text"] == "ପୃଷ୍ଠା 1"
    assert (line["doubt"], line["state"], line["revision"]) == ("doubtful", "unseen", 0)
    assert [rival["text"] for rival in line["rivals"]] == ["ଫୃଷ୍ଠା 1"]
    picture = stub_server.client.get(f"{job}/pages/1/picture")
    assert Image.open(io.BytesIO(picture.content)).size == (1000, 130)
    assert "private" in picture.headers["cache-control"]
    rivals = stub_server.client.get(f"{job}/pages/1/lines/l1/rivals").json()["rivals"]
    assert rivals == line["rivals"]  # the stand-in has no others
    crop = stub_server.client.get(f"{job}/pages/1/lines/l1/picture")
    assert Image.open(io.BytesIO(crop.content)).size == (58, 18)


def test_changes_are_kept_with_their_history(stub_server: Server, job: str) -> None:
    kept = put(stub_server, job, text="  ନୂଆ |", revision=0)
    assert kept.status_code == 200
    assert (kept.json()["text"], kept.json()["revision"]) == ("ନୂଆ ।", 1)
    assert put(stub_server, job, text="ନୂଆ ।", state="accepted", revision=1).status_code == 200
    line = stub_server.client.get(f"{job}/pages/1").json()["lines"][0]
    assert (line["text"], line["read"], line["state"]) == ("ନୂଆ ।", "ପୃଷ୍ଠା 1", "accepted")
    history = stub_server.client.get(f"{job}/pages/1/lines/l1/history").json()
    assert [change["state"] for change in history["changes"]] == ["edited", "accepted"]
    result = f"{job}/result?format=txt"
    assert stub_server.client.get(result).text == "ନୂଆ ।\n"
    assert stub_server.client.get(f"{result}&corrected=false").text == "ପୃଷ୍ଠା 1\n"


def test_changes_survive_a_restart(start: Any, stub_server: Server, job: str) -> None:
    put(stub_server, job, text="ନୂଆ", revision=0)
    stub_server.service.stop()
    again = start()
    assert again.client.get(f"{job}/result?format=txt").text == "ନୂଆ\n"


def test_of_two_people_the_second_is_told(stub_server: Server, job: str) -> None:
    assert put(stub_server, job, text="ଏକ", revision=0).status_code == 200
    late = put(stub_server, job, text="ଦୁଇ", revision=0)
    assert (late.status_code, late.json()["code"]) == (409, "conflict")
    assert stub_server.client.get(f"{job}/pages/1").json()["lines"][0]["text"] == "ଏକ"


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"text": "କ"},
        {"text": "କ" * 2_001, "revision": 0},
        {"text": "କ", "revision": -1},
        {"text": "କ", "revision": 0, "state": "perfect"},
        {"text": "କ", "revision": 0, "more": 1},
        {"text": 5, "revision": 0},
    ],
)
def test_wrong_changes_are_400(stub_server: Server, job: str, change: Any) -> None:
    answer = put(stub_server, job, **change)
    assert (answer.status_code, answer.json()["code"]) == (400, "wrong-request")


@pytest.mark.parametrize(
    "path",
    ["pages/2", "pages/1/lines/l2/picture", "pages/1/lines/l2/rivals", "pages/9/picture"],
)
def test_what_is_not_there_is_404(stub_server: Server, job: str, path: str) -> None:
    assert stub_server.client.get(f"{job}/{path}").status_code == 404
    assert stub_server.client.get(f"/v1/jobs/{'0' * 32}/{path}").status_code == 404
    assert stub_server.client.get(f"{job}/pages/0").status_code == 400


def test_training_lines_are_what_was_accepted(
    stub_server: Server, job: str, tmp_path: Path, odia_ocr: Any
) -> None:
    none = stub_server.client.get(f"{job}/training-lines")
    assert (none.status_code, none.json()["code"]) == (409, "conflict")
    put(stub_server, job, text="ପାଠ", state="accepted", revision=0)
    answer = stub_server.client.get(f"{job}/training-lines")
    archive = zipfile.ZipFile(io.BytesIO(answer.content))
    chosen, picture, text = sorted(archive.namelist(), key=len)
    assert chosen == "chosen.json"
    assert text == picture.replace(".png", ".gt.txt")
    assert archive.read(text).decode() == "ପାଠ\n"
    assert Image.open(io.BytesIO(archive.read(picture))).size == (58, 18)
    archive.extractall(tmp_path / "review")
    (line,) = load_labelled(tmp_path / "review").lines  # as `train ctc --data` takes it
    assert line.text == "ପାଠ"
    assert odia_ocr("curate", "collect", "review", "-o", "labelled").code == 0
    (line,) = load_labelled(tmp_path / "labelled").lines
    assert line.text == "ପାଠ"
    (row,) = read_batch(tmp_path / "review").lines
    assert (row.draft, row.choice.score) == ("ପୃଷ୍ଠା 1", 0.6)
    status = odia_ocr("curate", "status", "review")
    assert "1 lines: 1 looked at (1 corrected)" in status.out
