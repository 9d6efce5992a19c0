"""Causes of errors in reports whose causes are known, and the mix that is made of them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from odia_ocr.curate.mine import mine_report, tell_conjunct, tell_language
from odia_ocr.curate.report_lines import read_report
from odia_ocr.errors import DataError, UsageError

WORDS = ("ନଦୀ କୂଳ", "ପୁରୁଣା ଘର", "ଗଛ ପତର", "ଆଜି ସକାଳ")


def make_lines(count: int = 40) -> list[dict]:
    """Every fourth line is blurred and reads a conjunct wrongly; every fifth has a number."""
    rows = []
    for i in range(count):
        blurred = i % 4 == 0
        text = f"{WORDS[i % 4]} ଲକ୍ଷ୍ମୀ" + (" ୧୨୩" if i % 5 == 0 else "")
        read = text.replace("କ୍ଷ୍ମୀ", "କ୍ଷୀ") if blurred else text
        rows.append(
            {
                "engine": "ctc",
                "name": f"{i:03d}",
                "groups": {"face": f"Face {i % 2}", "family": f"Family {i % 2}"},
                "reference": text,
                "hypothesis": read,
                "cer": 0.0,
                "edits": 2 if blurred else 0,
                "length": len(text),
                "exact": not blurred,
                "problem": None,
            }
        )
    return rows


def write_report(path: Path, rows: list[dict], **more) -> Path:
    result = {"engine": "ctc", "set": str(path.with_name("set")), "unit": "line", "signature": "s"}
    record = {"schema": 1, "results": [result | more.pop("result", {})], "lines": rows, **more}
    path.write_text(json.dumps(record), "utf-8")
    return path


def write_set(folder: Path, rows: list[dict]) -> None:
    folder.mkdir()
    metadata = []
    for i, row in enumerate(rows):
        pixels = np.random.default_rng(i).integers(0, 255, (24, 90)).astype(np.uint8)
        Image.fromarray(pixels).save(folder / f"{row['name']}.png")
        (folder / f"{row['name']}.gt.txt").write_text(row["reference"] + "\n", "utf-8")
        steps = ["blur"] * (i % 4 == 0) + ["noise"] * (i % 3 == 0)
        metadata.append({"file": f"{row['name']}.png", "family": "Own", "degradation": steps})
    text = "\n".join(map(json.dumps, metadata))
    (folder / "metadata.jsonl").write_text(text, "utf-8")


def find(mined, kind: str, name: str):
    return next(cause for cause in mined.causes if (cause.kind, cause.name) == (kind, name))


def test_letters_are_blamed_for_what_was_misread(tmp_path: Path) -> None:
    mined = mine_report(read_report(write_report(tmp_path / "report.json", make_lines())))
    assert (mined.lines, mined.errors) == (40, 20)
    conjunct = find(mined, "conjunct", "କ୍ଷ୍ମ")
    assert (conjunct.lines, conjunct.errors, conjunct.units) == (40, 10, 40)
    assert conjunct.share == 1.0
    assert conjunct.rate == 0.25
    assert find(mined, "language", "digits").errors == 0
    assert find(mined, "language", "digits").units == 24
    assert find(mined, "language", "odia").lift > 1
    assert find(mined, "font", "Family 0").lift > find(mined, "font", "Family 1").lift
    assert not any(cause.kind == "face" for cause in mined.causes), "one name of a font is enough"


def test_pictures_are_blamed_when_the_set_is_at_hand(tmp_path: Path) -> None:
    rows = make_lines()
    write_set(tmp_path / "set", rows)
    report = read_report(write_report(tmp_path / "report.json", rows))
    mined = mine_report(report, worst=4)
    blur = find(mined, "degradation", "blur")
    assert (blur.lines, blur.errors, blur.share) == (10, 20, 1.0)
    assert blur.lift > find(mined, "degradation", "noise").lift
    assert find(mined, "degradation", "none").errors == 0
    assert len(mined.hard) == 4
    assert {one.kind for one in mined.hard} <= {"degradation", "conjunct"}
    assert all(int(one.line.name) % 4 == 0 and one.line.sample for one in mined.hard)
    elsewhere = write_report(tmp_path / "moved.json", rows, result={"set": "gone"})
    assert read_report(elsewhere).found is None
    assert read_report(elsewhere, data=str(tmp_path / "set")).found is not None


def test_pages_are_blamed_by_their_layout(tmp_path: Path) -> None:
    rows = [
        {**row, "name": f"p{i % 2}", "groups": {}, "printed": [1], "read": [1]}
        for i, row in enumerate(make_lines())
    ]
    for row in rows:
        del row["length"], row["groups"]
    pages = [{"name": f"p{i}", "groups": {"layout": f"layout {i}"}} for i in range(2)]
    path = write_report(tmp_path / "pages.json", rows, pages=pages, result={"unit": "page"})
    mined = mine_report(read_report(path))
    assert find(mined, "layout", "layout 0").share == 1.0
    assert find(mined, "layout", "layout 1").errors == 0


def test_a_campaign_is_read_with_its_set(tmp_path: Path) -> None:
    rows = make_lines()
    write_set(tmp_path / "set", rows)
    edits = " ".join(str(row["edits"]) for row in rows)
    campaign = tmp_path / "campaign"
    campaign.mkdir()
    results = [
        {"engine": "ctc", "set": "rendered", "signature": "one", "edits": "1 " * 40},
        {"engine": "ctc", "set": "rendered", "signature": "two", "edits": edits, "name": "whole"},
    ]
    record = {"results": results, "campaign": {}, "stack": {"signature": "two"}}
    (campaign / "evaluation_results.json").write_text(json.dumps(record), "utf-8")
    with pytest.raises(DataError, match="40 lines of 'rendered', 0 lines are at hand"):
        read_report(campaign)
    mined = mine_report(read_report(campaign, data=str(tmp_path / "set")))
    assert mined.errors == 20
    assert find(mined, "degradation", "blur").share == 1.0
    assert find(mined, "content", "conjuncts").lines == 40
    assert find(mined, "content", "digits").lines == 8
    first = read_report(campaign, engine="ctc", data=str(tmp_path / "set"))
    assert sum(line.edits for line in first.lines) == 40
    (tmp_path / "set" / "empty.png").write_bytes(
        next((tmp_path / "set").glob("*.png")).read_bytes()
    )
    (tmp_path / "set" / "empty.gt.txt").write_text("\n", "utf-8")
    again = read_report(campaign, data=str(tmp_path / "set"))
    assert len(again.lines) == 40, "a campaign leaves lines without text out"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"results": []}',
        '{"results": [{"x": 1}]}',
        '{"results": [{"engine": "ctc"}], "lines": [{"engine": "ctc"}]}',
        '{"results": "none"}',
    ],
)
def test_what_is_no_report_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "r.json").write_text(text, "utf-8")
    with pytest.raises(DataError, match="is no report of an evaluation"):
        read_report(tmp_path / "r.json")


def test_reports_without_the_engine_or_texts(tmp_path: Path) -> None:
    path = write_report(tmp_path / "report.json", make_lines())
    with pytest.raises(UsageError, match="Unknown engine 'vlm'"):
        read_report(path, engine="vlm")
    with pytest.raises(DataError, match="written without texts"):
        read_report(write_report(tmp_path / "bare.json", []))


def test_clusters_are_told_apart() -> None:
    known = {"କା": "odia", "୧": "digits", "7": "digits", "k": "latin", "।": "punctuation"}
    assert {cluster: tell_language(cluster) for cluster in known} == known
    assert tell_language(" ") == "spaces"
    assert [tell_conjunct(c) for c in ("କ୍ଷ୍ମୀ", "ତ୍ର", "କ୍", "କି", "k")] == ["କ୍ଷ୍ମ", "ତ୍ର", "", "", ""]


def test_the_mix_renders_more_of_what_is_misread(tmp_path: Path) -> None:
    pytest.importorskip("cv2")
    from odia_ocr.curate.training_mix import make_mix
    from odia_ocr.data.compose import Mix
    from odia_ocr.data.recipe import TRAINING

    rows = make_lines(400)
    write_set(tmp_path / "set", rows)
    mined = mine_report(read_report(write_report(tmp_path / "report.json", rows)))
    stream = make_mix(mined.causes, lines=Path("mined/hard.jsonl"))["stream"]
    assert stream["folders"] == ["mined/hard.jsonl"]
    assert TRAINING.blur < stream["recipe"]["blur"] <= 0.9
    assert "noise" not in stream["recipe"]
    assert stream["mix"]["rare"] > Mix().rare
    assert "numbers" not in stream["mix"]
    assert make_mix(()) == {"stream": {}}


def test_training_takes_the_mix(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    from odia_ocr.data.recipe import TRAINING
    from odia_ocr.errors import ConfigError
    from odia_ocr.train.ctc_config import config_from

    stream = config_from({"stream": {"mix": {"rare": 0.4}, "recipe": {"blur": 0.8}}}).stream
    assert (stream.mix.rare, stream.mix.running) == (0.4, 0.6)
    assert (stream.recipe.blur, stream.recipe.noise) == (0.8, TRAINING.noise)
    assert config_from({}).stream.recipe == TRAINING
    with pytest.raises(ConfigError, match="Unknown mix keys"):
        config_from({"stream": {"mix": {"latina": 1.0}}})
