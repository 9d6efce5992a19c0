"""`odia-ocr data`: convert, stats, check and split as a user starts them, with bad input too."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

TEXTS = (
    "ଓଡ଼ିଶା ରାଜ୍ୟର ରାଜଧାନୀ ଭୁବନେଶ୍ୱର ଅଟେ",
    "ଆଜି ସକାଳେ ବହୁତ ବର୍ଷା ହେଲା",
    "ପିଲାମାନେ ବିଦ୍ୟାଳୟକୁ ଯାଉଛନ୍ତି",
    "ନଦୀ କୂଳରେ ଏକ ପୁରୁଣା ମନ୍ଦିର",
    "ଚାଷୀ ଧାନ କାଟି ଘରକୁ ଫେରିଲା",
    "ସେ ଗୋଟିଏ ସୁନ୍ଦର ଗୀତ ଗାଇଲା",
)


@pytest.fixture
def run(odia_ocr):
    return partial(odia_ocr, "data")


def write_line(folder: Path, name: str, text: str, seed: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    picture = Image.new("L", (160, 32), 255)
    draw = ImageDraw.Draw(picture)
    for x in range(6, 150, 9):
        draw.line([(x, int(rng.integers(2, 14))), (x + 2, int(rng.integers(18, 30)))], 0, 3)
    picture.save(folder / f"{name}.png")
    (folder / f"{name}.gt.txt").write_text(f"{text}\n", "utf-8")


@pytest.fixture
def lines(tmp_path: Path) -> Path:
    for i, text in enumerate(TEXTS):
        write_line(tmp_path / "lines", f"book{i % 3}_{i}", text, i)
    return tmp_path / "lines"


def test_converting_there_and_back(run, lines: Path, tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    code, out, said = run("convert", "lines", "-o", "table", "--to", "parquet")
    assert (code, out, said) == (0, "", "odia-ocr: 6 lines in table\n")
    assert run("convert", "table", "-o", "back", "--to", "folder").code == 0
    for path in lines.iterdir():
        assert (tmp_path / "back" / path.name).read_bytes() == path.read_bytes()


def test_what_is_left_out_is_named_and_ends_in_1(run, lines: Path) -> None:
    (lines / "book0_0.png").write_bytes(b"")
    (lines / "book1_1.gt.txt").unlink()
    code, _, said = run("convert", "lines", "-o", "out", "--to", "jsonl")
    assert code == 1
    assert "book0_0: " in said
    assert "the file is empty (0 bytes)" in said
    assert "book1_1.png has no transcription" in said
    assert "2 left out." in said
    assert said.endswith("4 lines in out\n")


def test_long_lists_of_problems_are_cut(run, lines: Path) -> None:
    for i in range(30):
        (lines / f"lone{i}.gt.txt").write_text("ଭଲ", "utf-8")
    said = run("convert", "lines", "-o", "out", "--to", "folder").err
    assert said.count("has no picture") == 20
    assert "... and 10 more; 30 lines in all were left out." in said


def test_nothing_is_written_over_unasked(run, lines: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("mine", "utf-8")
    for command in (["convert", "--to", "folder"], ["split"]):
        code, _, said = run(command[0], "lines", "-o", "out", *command[1:])
        assert code == 1
        assert "out is not empty. Choose another folder or use --force." in said
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["mine.txt"]
    assert run("convert", "lines", "-o", "out", "--to", "folder", "--force").code == 0


@pytest.mark.parametrize(
    ("args", "code", "says"),
    [
        (["convert", "lines", "-o", "x", "--to", "parket"], 2, "Did you mean parquet"),
        (["convert", "lines", "-o", "x", "--to", "hub"], 2, "only read"),
        (["convert", "gone", "-o", "x", "--to", "folder"], 3, "gone does not exist"),
        (["convert", "lines", "-o", "x", "--to", "folder", "--readings"], 2, "no predictions"),
        (
            [
                "convert",
                "lines",
                "-o",
                "x",
                "--to",
                "label-studio",
                "--readings",
                "--engine",
                "ctc",
            ],
            2,
            "Use one of them",
        ),
        (["stats", "lines", "--columns", "picture=x"], 2, "Write image=COLUMN"),
        (["check", "lines", "--from", "nothing"], 2, "Unknown format"),
        (["check", "lines", "--engine", "nothing"], 2, "Unknown engine"),
        (["split", "lines", "-o", "x", "--shares", "a=1"], 2, "train=0.8"),
        (["split", "lines", "-o", "x", "--by", "pen"], 2, "one of: source, text"),
        (
            ["split", "lines", "-o", "x", "--shares", "a=.3,b=.3,c=.3,d=.1"],
            3,
            "6 lines of 3 sources",
        ),
        (["stats", "empty"], 3, "no data set of a known format"),
    ],
)
def test_wrong_use(run, lines: Path, tmp_path: Path, args: list[str], code: int, says: str) -> None:
    (tmp_path / "empty").mkdir()
    ended = run(*args)
    assert ended.code == code
    assert says in ended.err
    assert not (tmp_path / "x").exists()


def test_a_set_is_not_written_into_itself(run, lines: Path) -> None:
    before = sorted(lines.iterdir())
    for command in (["convert", "--to", "folder"], ["split"]):
        for out in ("lines", "lines/new"):
            code, _, said = run(command[0], "lines", "-o", out, "--force", *command[1:])
            assert code == 1
            assert "lies within lines, which is read" in said
    assert sorted(lines.iterdir()) == before


def test_the_help_names_every_format(run) -> None:
    from odia_ocr.data.sets.formats import FORMATS

    _, _, shown = run("convert", "--help").out.partition("Formats, told from what is there:")
    assert set(FORMATS) <= set(shown.replace(",", " ").split())


def test_a_set_without_a_usable_line_ends_in_3(run, tmp_path: Path) -> None:
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "a.gt.txt").write_text("ଭଲ", "utf-8")
    for command in (["stats"], ["convert", "-o", "x", "--to", "folder"], ["split", "-o", "y"]):
        code, _, said = run(command[0], "set", *command[1:])
        assert (code, "a.gt.txt has no picture" in said) == (3, True)


def test_a_hub_name_without_the_hub(run, monkeypatch) -> None:
    datasets = pytest.importorskip("datasets")

    def load(*args, **options):
        raise ConnectionError("offline")

    monkeypatch.setattr(datasets, "load_dataset", load)
    code, _, said = run("stats", "owner/name")
    assert code == 3
    assert "owner/name is no file or folder here" in said
    assert "Check the path, or the set's name, the network" in said


def test_stats_for_people_and_as_records(run, lines: Path, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    options = ("--json", "s.json", "--html", "s.html", "--sheet", "s.png")
    code, out, said = run("stats", "lines", *options)
    assert (code, said) == (0, "")
    assert out.startswith("6 lines, 6 different texts, ")
    record = json.loads((tmp_path / "s.json").read_text("utf-8"))
    assert record["sources"] == {"book0": 2, "book1": 2, "book2": 2}
    html = (tmp_path / "s.html").read_text("utf-8")
    assert html.count("<svg") == 3
    assert all(text in html for text in TEXTS)
    with Image.open(tmp_path / "s.png") as sheet:
        assert sheet.width > 1000


def test_check_ends_in_1_when_something_is_found(run, lines: Path, tmp_path: Path) -> None:
    assert run("check", "lines") == (0, "", "odia-ocr: 6 lines, 0 findings\n")
    write_line(tmp_path / "test", "leak", TEXTS[2], 2)
    write_line(tmp_path / "test", "hindi", "भारत माता", 9)
    code, out, said = run("check", "lines", "test", "--json", "f.json", "--html", "f.html")
    assert code == 1
    assert "test: hindi: wrong-script: Its text is Devanagari, not Odia. Transcribe it" in out
    assert "test: leak: leak-picture: The same picture as lines: book2_2" in out
    assert said.endswith("8 lines, 2 findings: 1 wrong-script, 1 leak-picture\n")
    record = json.loads((tmp_path / "f.json").read_text("utf-8"))
    assert record["counts"] == {"wrong-script": 1, "leak-picture": 1}
    assert record["lines"] == {"lines": 6, "test": 2}
    assert {finding["id"] for finding in record["findings"]} == {"leak", "hindi"}
    assert "leak-picture" in (tmp_path / "f.html").read_text("utf-8")


def test_remarks_are_no_faults(run, lines: Path) -> None:
    write_line(lines, "book9_9", TEXTS[0], 77)
    code, out, said = run("check", "lines")
    assert (code, out) == (0, "")
    assert "good to know: 1 same-text" in said


def test_splits_are_lists_that_can_be_read(run, lines: Path, tmp_path: Path) -> None:
    write_line(lines, "book2_again", TEXTS[0], 50)
    code, _, said = run("split", "lines", "-o", "parts", "--seed", 4)
    assert code == 0
    record = json.loads((tmp_path / "parts" / "split.json").read_text("utf-8"))
    assert record["shares"] == {"train": 0.8, "check": 0.1, "test": 0.1}
    assert sorted(record["groups"]) == ["book0", "book1", "book2"]
    assert sum(part["lines"] for part in record["splits"].values()) == 6
    assert "1 lines are in no split" in said
    assert run("check", "parts/split.json").code == 0
    assert "2 lines" in run("stats", "parts/test.jsonl").out
    assert not list((tmp_path / "parts").glob("**/*.png"))


def test_splits_are_copied_when_asked(run, lines: Path, tmp_path: Path) -> None:
    shares = "train=0.5,test=0.5"
    options = ("--by", "text", "--shares", shares, "--copy", "folder")
    assert run("split", "lines", "-o", "parts", *options).code == 0
    assert len(list((tmp_path / "parts" / "train").glob("*.gt.txt"))) == 3
    assert run("check", "parts/train", "parts/test").code == 0


def test_readings_go_to_label_studio(run, lines: Path, tmp_path: Path) -> None:
    code, _, said = run("convert", "lines", "-o", "t", "--to", "label-studio", "--engine", "ctc")
    assert code == 0, said
    tasks = json.loads((tmp_path / "t" / "tasks.json").read_text("utf-8"))
    assert [task["predictions"][0]["model_version"][:3] for task in tasks] == ["ctc"] * 6
    assert run("convert", "lines", "-o", "u", "--to", "label-studio").code == 0
    assert run("stats", "u").out.startswith("6 lines")


def test_an_engine_doubts_a_wrong_label(run, tmp_path: Path) -> None:
    pytest.importorskip("uharfbuzz")
    from odia_ocr.data.lines import make_renderer, render_lines
    from odia_ocr.data.render_folder import write_rendered

    write_rendered(render_lines(make_renderer(clean=True, seed=3), 6), tmp_path / "set")
    assert run("check", "set", "--engine", "ctc").code == 0
    label = tmp_path / "set" / "000004.gt.txt"
    right = label.read_text("utf-8").strip()
    label.write_text((tmp_path / "set" / "000001.gt.txt").read_text("utf-8"), "utf-8")
    code, out, _ = run("check", "set", "--engine", "ctc", "--threads", 1)
    assert code == 1
    assert "set: 000004: label-doubted: ctc-" in out
    assert f"{right!r}" in out
