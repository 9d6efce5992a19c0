"""Data sets: what is written can be read back, a line at a time; what is broken is told."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import numpy as np
import pytest
from set_samples import (
    TEXTS,
    draw_pixels,
    endless_samples,
    make_sample,
    problems_of,
    samples_of,
    save_picture,
)

from odia_ocr.data.sets.columns import PRESETS, Columns, parse_columns
from odia_ocr.data.sets.convert import convert_sets, keep_usable
from odia_ocr.data.sets.formats import FORMATS, WRITABLE, find_writer, open_set, tell_format
from odia_ocr.data.sets.sample import FilePicture, PagePicture, Place, Sample
from odia_ocr.errors import DataError, FileMissingError, UsageError

NEEDS_ARROW = {"parquet", "arrow"}
PAGES = {"alto", "page", "label-studio"}


def write(name: str, samples: list[Sample], out: Path) -> None:
    if name in NEEDS_ARROW:
        pytest.importorskip("pyarrow")
    assert find_writer(name)(iter(samples), out) == len(samples)


@pytest.mark.parametrize("name", WRITABLE)
def test_round_trips_keep_pictures_and_texts(name: str, tmp_path: Path) -> None:
    samples = [make_sample(i, source="book", extras=(("face", "Lohit"),)) for i in range(4)]
    write(name, samples, tmp_path / "set")
    back = samples_of(open_set(tmp_path / "set"))
    assert tell_format(str(tmp_path / "set")) == name
    assert [sample.text for sample in back] == [sample.text for sample in samples]
    for one, other in zip(samples, back, strict=True):
        assert np.array_equal(one.picture.load(), other.picture.load())
    if name not in ("alto", "page"):  # which name a page's lines by the page, and hold no extras
        assert [(s.id, s.source, s.extras) for s in back] == [
            (s.id, s.source, s.extras) for s in samples
        ]


@pytest.mark.parametrize("name", [name for name in WRITABLE if name not in PAGES])
def test_round_trips_keep_splits(name: str, tmp_path: Path) -> None:
    samples = [make_sample(0, split="train"), make_sample(1, split="test", id="line0")]
    write(name, samples, tmp_path / "set")
    back = {sample.split: sample.text for sample in samples_of(open_set(tmp_path / "set"))}
    assert back == {"train": TEXTS[0], "test": TEXTS[1]}


@pytest.mark.parametrize("name", sorted(PAGES))
def test_round_trips_keep_outlines(name: str, tmp_path: Path) -> None:
    save_picture(tmp_path / "page.png", draw_pixels(3, width=300, height=200))
    page = PagePicture(tmp_path / "page.png")
    tilted = ((20.0, 30.0), (200.0, 40.0), (198.0, 76.0), (18.0, 66.0))
    box = ((10.0, 100.0), (250.0, 100.0), (250.0, 140.0), (10.0, 140.0))
    samples = [
        Sample(f"l{i}", FilePicture(page.path), TEXTS[i], "page", place=Place(page, outline))
        for i, outline in enumerate((tilted, box))
    ]
    write(name, samples, tmp_path / "set")
    back = samples_of(open_set(tmp_path / "set"))
    outlines = [sample.place.polygon for sample in back if sample.place]
    assert np.allclose(outlines, [tilted, box])
    assert [sample.picture.load().shape for sample in back] == [(36, 180), (40, 240)]


@pytest.mark.parametrize("name", [name for name in WRITABLE if name != "label-studio"])
def test_writers_take_one_line_at_a_time(name: str, tmp_path: Path) -> None:
    drawn: list[int] = []
    stream = itertools.islice(endless_samples(drawn), 300)

    class Stop(Exception):
        pass

    def cut():
        yield from itertools.islice(stream, 290)
        written = sum(path.stat().st_size for path in (tmp_path / "set").rglob("*"))
        assert written > 10_000  # what came before is on the disk already
        raise Stop

    if name in NEEDS_ARROW:
        pytest.importorskip("pyarrow")
    with pytest.raises(Stop):
        find_writer(name)(cut(), tmp_path / "set")
    assert len(drawn) == 290


def test_readers_and_converting_stop_where_asked(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    find_writer("parquet")(itertools.islice(endless_samples([]), 400), tmp_path / "set")
    stored = (tmp_path / "set" / "lines-00000-of-00001.parquet").read_bytes()
    (tmp_path / "set" / "lines-00001-of-00002.parquet").write_bytes(stored[:100])
    stream = keep_usable([open_set(tmp_path / "set")], tell=lambda name, problem: None)
    assert [sample.id for sample in itertools.islice(stream, 2)] == ["line00000", "line00001"]
    with pytest.raises(DataError, match=r"lines-00001-of-00002.parquet cannot be read as parquet"):
        list(stream)


def test_pairs_that_do_not_match_are_told(tmp_path: Path) -> None:
    save_picture(tmp_path / "a.png", draw_pixels(0))
    (tmp_path / "a.gt.txt").write_text("\ufeffଭଲ \n", "utf-8")
    save_picture(tmp_path / "b.png", draw_pixels(1))
    (tmp_path / "c.gt.txt").write_text("ଭଲ", "utf-8")
    save_picture(tmp_path / "d.png", draw_pixels(2))
    (tmp_path / "d.gt.txt").write_bytes("ଭଲ".encode("utf-16"))
    save_picture(tmp_path / "e.bin.png", draw_pixels(3))
    (tmp_path / "e.gt.txt").write_text("ଏକ", "utf-8")
    items = list(open_set(tmp_path))
    assert [(s.id, s.text) for s in items if isinstance(s, Sample)] == [
        ("a", "ଭଲ"),
        ("e.bin", "ଏକ"),
    ]
    assert problems_of(items) == [
        "transcription-missing",
        "transcription-unreadable",
        "picture-missing",
    ]


def test_sources_and_splits_are_told_by_names(tmp_path: Path) -> None:
    for name in ("train/book1_001", "train/book2_001", "test/x"):
        save_picture(tmp_path / f"{name}.png", draw_pixels(len(name)))
        (tmp_path / f"{name}.gt.txt").write_text("ଭଲ", "utf-8")
    found = {s.id: (s.source, s.split) for s in samples_of(open_set(tmp_path))}
    assert found == {
        "train/book1_001": ("book1", "train"),
        "train/book2_001": ("book2", "train"),
        "test/x": (tmp_path.name, "test"),
    }


def test_rows_of_metadata_that_are_none_are_told(tmp_path: Path) -> None:
    save_picture(tmp_path / "a.png", draw_pixels(0))
    rows = ['{"file_name": "a.png", "text": "ଭଲ", "book": 3}', "no json", '{"text": "ଭଲ"}']
    rows += ['{"file_name": "a.png"}', '{"file_name": "gone.png", "text": "ଭଲ"}', "[1]"]
    (tmp_path / "metadata.jsonl").write_text("\n".join(rows), "utf-8")
    items = list(open_set(tmp_path))
    assert [(s.text, s.extras) for s in items if isinstance(s, Sample)] == [("ଭଲ", (("book", 3),))]
    assert problems_of(items) == [
        "metadata-row",
        "metadata-row",
        "transcription-missing",
        "picture-missing",
        "metadata-row",
    ]


def test_pictures_that_are_none_are_left_out_by_name(tmp_path: Path) -> None:
    find_writer("folder")([make_sample(i) for i in range(3)], tmp_path / "set")
    good = (tmp_path / "set" / "line1.png").read_bytes()
    (tmp_path / "set" / "line1.png").write_bytes(good[: len(good) // 2])
    (tmp_path / "set" / "line2.gt.txt").write_text("\n", "utf-8")
    told = []
    done = convert_sets(
        [open_set(tmp_path / "set")],
        tmp_path / "out",
        find_writer("jsonl"),
        tell=lambda name, problem: told.append((problem.line_id, problem.code)),
    )
    assert done.written == 1
    assert told == [("line1", "picture-unreadable"), ("line2", "text-empty")]
    assert dict(done.left_out) == {"picture-unreadable": 1, "text-empty": 1}


@pytest.mark.parametrize("name", WRITABLE)
def test_names_that_lead_elsewhere_stay_inside(name: str, tmp_path: Path) -> None:
    samples = [make_sample(0, id="../../up"), make_sample(1, id="a/b"), make_sample(2, id="a_b")]
    samples.append(make_sample(3, split="../../../out"))
    write(name, samples, tmp_path / "deep" / "er" / "set")
    assert [path.name for path in tmp_path.iterdir()] == ["deep"]
    assert [path.name for path in (tmp_path / "deep" / "er").iterdir()] == ["set"]
    assert len(samples_of(open_set(tmp_path / "deep" / "er" / "set"))) == 4


def test_columns_are_found_named_and_missed() -> None:
    assert Columns().find_in(["id", "image", "label"], where="x").text == "label"
    assert parse_columns("image=img, text=words") == Columns(image="img", text="words")
    assert parse_columns("OdiaGenAIOCR/synthetic_data").text == "extracted_text"
    with pytest.raises(DataError, match="no column for the text; its columns are: image, page"):
        Columns().find_in(["image", "page"], where="x")
    with pytest.raises(DataError, match="no column 'words'"):
        Columns(text="words").find_in(["image", "text"], where="x")
    with pytest.raises(UsageError, match="Write image=COLUMN"):
        parse_columns("picture=img")


def test_tables_of_others_are_read(tmp_path: Path) -> None:
    arrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    sample = make_sample(0)
    data = sample.picture.store().data
    save_picture(tmp_path / "here.png", draw_pixels(0))
    columns = {
        "img": [{"bytes": data, "path": None}, {"bytes": None, "path": "here.png"}, None],
        "extracted_text": ["ଏକ", "ଦୁଇ", "ତିନି"],
        "page": [1, 2, 3],
    }
    parquet.write_table(arrow.table(columns), tmp_path / "x.parquet")
    items = list(open_set(tmp_path / "x.parquet"))
    found = [item for item in items if isinstance(item, Sample)]
    assert [(s.text, s.extras) for s in found] == [("ଏକ", (("page", 1),)), ("ଦୁଇ", (("page", 2),))]
    assert all(np.array_equal(s.picture.load(), draw_pixels(0)) for s in found)
    assert problems_of(items) == ["picture-missing"]


def test_the_datasets_library_opens_what_we_write(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    datasets = pytest.importorskip("datasets")
    find_writer("parquet")([make_sample(0), make_sample(1)], tmp_path / "set")
    files = str(tmp_path / "set" / "*.parquet")
    rows = datasets.load_dataset("parquet", data_files=files, split="train", streaming=True)
    row = next(iter(rows))
    assert row["text"] == TEXTS[0]
    assert row["image"].size == (160, 32)


def test_sets_that_the_datasets_library_holds_are_read(tmp_path: Path, monkeypatch) -> None:
    pytest.importorskip("pyarrow")
    datasets = pytest.importorskip("datasets")
    find_writer("parquet")([make_sample(0), make_sample(1)], tmp_path / "set")
    files = str(tmp_path / "set" / "*.parquet")
    load = datasets.load_dataset

    def load_local(name, *, split, streaming):
        return load("parquet", data_files={"test": files}, streaming=streaming)

    monkeypatch.setattr(datasets, "load_dataset", load_local)
    streamed = samples_of(open_set("owner/name"))
    kept = datasets.Dataset.from_generator(
        lambda: iter(load("parquet", data_files=files, split="train", streaming=True)),
        cache_dir=str(tmp_path / "cache"),
    )
    datasets.DatasetDict({"train": kept}).save_to_disk(str(tmp_path / "kept"))
    saved = samples_of(open_set(tmp_path / "kept"))
    assert [s.split for s in (*streamed, *saved)] == ["test", "test", "train", "train"]
    for found in (streamed, saved):
        assert [s.text for s in found] == list(TEXTS[:2])
        assert np.array_equal(found[0].picture.load(), draw_pixels(0))


class Rows:
    """A streamed data set without an end."""

    features = None
    column_names = ("image", "extracted_text")

    def __iter__(self):
        data = make_sample(0).picture.store().data
        return (
            {"image": {"bytes": data, "path": None}, "extracted_text": t}
            for t in itertools.cycle(TEXTS)
        )


def test_hub_sets_are_streamed_with_their_columns(monkeypatch) -> None:
    datasets = pytest.importorskip("datasets")
    asked = []

    def load(name, *, split, streaming):
        asked.append((name, split, streaming))
        return Rows() if split else {"train": Rows()}

    monkeypatch.setattr(datasets, "load_dataset", load)
    name = "OdiaGenAIOCR/synthetic_data"
    assert PRESETS[name].text == "extracted_text"
    found = list(itertools.islice(open_set(name), 8))
    assert [s.split for s in found] == ["train"] * 8
    assert found[7].text == TEXTS[1]
    assert next(iter(open_set(f"{name}:test"))).split == "test"
    assert asked == [(name, None, True), (name, "test", True)]


def test_a_hub_set_that_cannot_be_reached_says_what_to_check(monkeypatch) -> None:
    datasets = pytest.importorskip("datasets")

    def load(*args, **options):
        raise ConnectionError("no network")

    monkeypatch.setattr(datasets, "load_dataset", load)
    with pytest.raises(DataError, match=r"owner/name is no file or folder here.*no network"):
        list(open_set("owner/name"))


def test_what_is_no_set_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileMissingError, match="gone does not exist"):
        open_set(tmp_path / "gone")
    with pytest.raises(DataError, match="no data set of a known format"):
        open_set(tmp_path)
    save_picture(tmp_path / "a.png", draw_pixels(0))
    with pytest.raises(DataError, match="pictures without transcriptions"):
        open_set(tmp_path)
    with pytest.raises(UsageError, match="Did you mean parquet"):
        open_set(tmp_path, format="parket")
    with pytest.raises(UsageError, match="only read"):
        find_writer("hub")
    assert set(WRITABLE) < set(FORMATS)


def test_a_json_of_something_else_is_no_set(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text(json.dumps({"a": 1}), "utf-8")
    with pytest.raises(DataError, match="no data set"):
        open_set(tmp_path / "x.json")
