"""Batches: drafts out, labels back, and nothing of a person's work lost or made up."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from made_features import make_features, make_sample

from odia_ocr.curate.labelling import (
    DRAFT,
    Batch,
    read_batch,
    read_labels,
    take_labelled,
    write_batch,
)
from odia_ocr.curate.strategies import Choice, explain
from odia_ocr.data.lineset import load_labelled
from odia_ocr.data.sets.formats import open_set
from odia_ocr.data.sets.sample import Sample
from odia_ocr.errors import DataError, OutputError

DRAFTS = {"book/a": "ଘର", "b": "ନଦୀ", "c": "ଫୁଲ", "d": "ଗଛ"}
NAMES = ("book_a", "b", "c", "d")


def write(out: Path) -> Batch:
    chosen = [
        Choice(name, rank, 0.5, explain(make_features(name, text)))
        for rank, (name, text) in enumerate(DRAFTS.items(), 1)
    ]
    lines = {name: make_sample(name, seed=i) for i, name in enumerate(DRAFTS)}
    return write_batch(out, chosen, lines, DRAFTS, engine="ctc-v2", facts={"strategy": "random"})


def set_text(batch: Batch, name: str, text: str | bytes) -> None:
    data = text if isinstance(text, bytes) else f"{text}\n".encode()
    (batch.folder / "lines" / f"{name}.gt.txt").write_bytes(data)


def test_a_batch_is_there_whole_and_comes_back_as_it_was(tmp_path: Path) -> None:
    batch = write(tmp_path / "batch")
    assert {path.name for path in batch.folder.iterdir()} == {
        "lines",
        "label-studio",
        "batch.html",
        "chosen.json",
    }
    assert read_batch(batch.folder) == batch
    record = json.loads((batch.folder / "chosen.json").read_text("utf-8"))
    assert (record["strategy"], record["engine"]) == ("random", "ctc-v2")
    assert record["lines"][0]["why"]["doubt"] == 0.1
    page = (batch.folder / "batch.html").read_text("utf-8")
    assert page.count("<img") == 4
    assert [path.name for path in tmp_path.iterdir()] == ["batch"], "no part is left"


def test_drafts_are_nobodys_labels(tmp_path: Path) -> None:
    batch = write(tmp_path / "batch")
    labels = read_labels(batch)
    assert dict(labels.texts) == {}
    assert labels.waiting == tuple(DRAFTS)
    assert list(take_labelled(batch, labels)) == []
    with pytest.raises(DataError, match="4 pictures with characters outside the alphabet"):
        load_labelled(batch.folder / "lines")


def test_labels_are_what_somebody_looked_at(tmp_path: Path) -> None:
    batch = write(tmp_path / "batch")
    set_text(batch, "book_a", "ଘର")  # the pencil was taken away, the draft was right
    set_text(batch, "b", "ନଦୀରେ")
    set_text(batch, "c", f"{DRAFT} ଫୁଲରେ")  # corrected and not finished
    labels = read_labels(batch)
    assert dict(labels.texts) == {"book/a": "ଘର", "b": "ନଦୀରେ"}
    assert (labels.corrected, labels.waiting) == (1, ("c", "d"))
    taken = list(take_labelled(batch, labels))
    assert [(one.id, one.text) for one in taken] == [("book_a", "ଘର"), ("b", "ନଦୀରେ")]
    assert len(load_labelled(batch.folder / "lines").lines) == 2


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "text-empty"),
        ("यह हिन्दी है", "wrong-script"),
        ("ଘର\nନଦୀ", "text-several-lines"),
        ("ଘର 漢", "outside-alphabet"),
        (b"\xff\xfe", "transcription-unreadable"),
    ],
)
def test_labels_that_cannot_be_used_are_named(tmp_path: Path, text: str, code: str) -> None:
    batch = write(tmp_path / "batch")
    set_text(batch, "b", text)
    labels = read_labels(batch)
    assert [(problem.code, problem.line_id) for problem in labels.problems] == [(code, "b")]
    assert "b" not in labels.texts


def test_a_label_that_is_gone_is_named(tmp_path: Path) -> None:
    batch = write(tmp_path / "batch")
    (batch.folder / "lines" / "d.gt.txt").unlink()
    assert [problem.code for problem in read_labels(batch).problems] == ["transcription-missing"]


def test_what_label_studio_submitted_counts_and_predictions_do_not(tmp_path: Path) -> None:
    batch = write(tmp_path / "batch")
    tasks = json.loads((batch.folder / "label-studio" / "tasks.json").read_text("utf-8"))
    assert all(task["predictions"] and "annotations" not in task for task in tasks)
    for number, task in enumerate(tasks[:2]):
        (said,) = task.pop("predictions")
        if number:
            said["result"][2]["value"]["text"] = ["ନଦୀରେ"]
        task["annotations"] = [{"result": said["result"]}]
    export = tmp_path / "project.json"
    export.write_text(json.dumps(tasks), "utf-8")
    labels = read_labels(batch, export)
    assert dict(labels.texts) == {"book/a": "ଘର", "b": "ନଦୀରେ"}
    assert (labels.corrected, labels.waiting, labels.problems) == (1, ("c", "d"), ())


def test_an_export_of_another_batch_is_told(tmp_path: Path) -> None:
    batch = write(tmp_path / "batch")
    path = batch.folder / "label-studio" / "tasks.json"
    (task, *_) = json.loads(path.read_text("utf-8"))
    task["annotations"] = task.pop("predictions")
    task["data"]["line"] = "stranger"
    for part in task["annotations"][0]["result"]:
        part["meta"]["line"] = "stranger"
    export = tmp_path / "project.json"
    export.write_text(json.dumps([task]), "utf-8")
    assert [one.code for one in read_labels(batch, export).problems] == ["line-unknown"]


def test_labels_are_not_written_over(tmp_path: Path) -> None:
    batch = write(tmp_path / "batch")
    assert write(tmp_path / "batch") == batch, "drafts may be written again"
    set_text(batch, "b", "ନଦୀରେ")
    with pytest.raises(OutputError, match="holds 1 labels that somebody looked at"):
        write(tmp_path / "batch")
    assert dict(read_labels(batch).texts) == {"b": "ନଦୀରେ"}


def test_other_files_are_not_taken_away(tmp_path: Path) -> None:
    (tmp_path / "batch").mkdir()
    (tmp_path / "batch" / "mine.txt").write_text("mine", "utf-8")
    with pytest.raises(OutputError, match="not empty"):
        write(tmp_path / "batch")
    assert (tmp_path / "batch" / "mine.txt").exists()


def test_lines_of_a_batch_are_a_set(tmp_path: Path) -> None:
    batch = write(tmp_path / "batch")
    found = [item for item in open_set(batch.folder / "lines") if isinstance(item, Sample)]
    assert {item.id for item in found} == set(NAMES)
    assert all(item.text.startswith(DRAFT) for item in found)


@pytest.mark.parametrize("content", ["", "[]", '{"lines": [{"id": 1}]}'])
def test_what_is_no_batch_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "chosen.json").write_text(content, "utf-8")
    with pytest.raises(DataError, match=r"is no batch of `curate select`"):
        read_batch(tmp_path)
