"""`odia-ocr curate` as a user starts it, with bad input too."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("uharfbuzz")

from PIL import Image

from odia_ocr.campaign.sample import draw_sample

SAMPLE = Path(__file__).parents[3] / "samples" / "page.png"


@pytest.fixture(scope="module")
def drawn():
    return draw_sample(8)


def test_choosing_labelling_and_collecting(run, pool: Path, tmp_path: Path, drawn) -> None:
    code, out, said = run("select", "pool", "-o", "batch", "--budget", 3, "--threads", 1)
    assert (code, out) == (0, "")
    assert "3 of 8 lines in batch" in said
    assert "of the pool's letters and conjuncts" in said
    texts = sorted((tmp_path / "batch" / "lines").glob("*.gt.txt"))
    assert all(path.read_text("utf-8").startswith("✎ ") for path in texts)

    code, out, _ = run("status", "batch")
    assert code == 1
    assert out == "3 lines: 0 looked at (0 corrected), 3 drafts still, 0 cannot be used\n"
    assert run("collect", "batch", "-o", "labelled").code == 3

    texts[0].write_text("ଘର\n", "utf-8")
    texts[1].write_text("यह हिन्दी\n", "utf-8")
    code, out, said = run("status", "batch")
    assert "1 looked at (1 corrected), 1 drafts still, 1 cannot be used" in out
    assert "Its text is Devanagari, not Odia." in said
    code, _, said = run("collect", "batch", "-o", "labelled")
    assert code == 1
    assert said.endswith("1 lines in labelled, 1 drafts left behind\n")
    assert len(list((tmp_path / "labelled").glob("*.png"))) == 1


def test_a_second_batch_leaves_the_first_alone(run, pool: Path, tmp_path: Path) -> None:
    assert run("select", "pool", "-o", "one", "--budget", 5, "--strategy", "random").code == 0
    code, _, said = run("select", "pool", "-o", "two", "--budget", 5, "--known", "one")
    assert code == 1
    assert "pool has 3 lines left, fewer than the budget of 5." in said
    chosen = [
        {line["id"] for line in json.loads((tmp_path / name / "chosen.json").read_text())["lines"]}
        for name in ("one", "two")
    ]
    assert not chosen[0] & chosen[1]
    assert len(chosen[0] | chosen[1]) == 8


def test_lines_of_pages_are_chosen(run, tmp_path: Path) -> None:
    (tmp_path / "scans").mkdir()
    (tmp_path / "scans" / "page.png").write_bytes(SAMPLE.read_bytes())
    (tmp_path / "scans" / "broken.pdf").write_bytes(b"%PDF-1.7 broken")
    code, _, said = run("select", "scans", "-o", "batch", "--budget", 2)
    assert code == 1
    assert "broken.pdf" in said
    assert "1 left out." in said
    assert "2 of 8 lines in batch" in said
    names = [path.stem for path in (tmp_path / "batch" / "lines").glob("*.png")]
    assert all(name.startswith("page_p0001-l") for name in names)
    assert [path.name for path in (tmp_path / "batch" / "label-studio" / "images").iterdir()] == [
        "page.png"
    ]


def test_broken_pictures_are_named_and_skipped(run, pool: Path) -> None:
    (pool / "sample-0.png").write_bytes(b"")
    (pool / "sample-1.png").write_bytes(b"no picture at all")
    (pool / "lone.gt.txt").write_text("ଘର\n", "utf-8")
    code, _, said = run("select", "pool", "-o", "batch", "--budget", 2)
    assert code == 1
    assert "sample-0.png: the file is empty" in said
    assert "sample-1" in said
    assert "lone.gt.txt has no picture" in said
    assert "3 left out." in said
    assert "2 of 6 lines in batch" in said


def test_nothing_is_written_over(run, pool: Path, tmp_path: Path) -> None:
    assert run("select", "pool", "-o", "batch", "--budget", 2).code == 0
    code, _, said = run("select", "pool", "-o", "batch", "--budget", 2)
    assert (code, "batch is not empty" in said) == (1, True)
    text = next((tmp_path / "batch" / "lines").glob("*.gt.txt"))
    text.write_text("ଘର\n", "utf-8")
    code, _, said = run("select", "pool", "-o", "batch", "--budget", 3, "--force")
    assert (code, "holds 1 labels" in said) == (1, True)
    assert text.read_text("utf-8") == "ଘର\n"


@pytest.mark.parametrize(
    ("args", "code", "says"),
    [
        (["select", "pool", "-o", "x", "--budget", "2", "--strategy", "rnd"], 2, "Did you mean"),
        (["select", "pool", "-o", "x", "--budget", "0"], 2, ""),
        (["select", "gone", "-o", "x", "--budget", "2"], 3, "gone does not exist"),
        (["select", "empty", "-o", "x", "--budget", "2"], 3, "no data set of a known format"),
        (["select", "pool", "-o", "x", "--budget", "2", "--unit", "word"], 2, "Unknown unit"),
        (["select", "pool", "-o", "x", "--budget", "2", "--engine", "nobody"], 2, "Unknown engine"),
        (["select", "pool", "-o", "x", "--budget", "2", "--engine", "ctc:no.onnx"], 3, "no.onnx"),
        (["select", "pool", "-o", "x", "--budget", "2", "--known", "pool"], 3, "no batch"),
        (["status", "pool"], 3, "is no batch"),
        (["rounds", "pool", "-o", "x", "--strategy", "rnd"], 2, "Did you mean"),
        (["rounds", "gone", "-o", "x"], 3, "gone does not exist"),
        (["rounds", "pool", "-o", "pool"], 1, "pool is not empty"),
        (["collect", "pool", "-o", "x"], 3, "is no batch"),
        (["collect", "a", "b", "-o", "x", "--export", "e.json"], 2, "one by one"),
        (["mine", "gone.json"], 3, "no report of an evaluation"),
    ],
)
def test_wrong_use(run, pool: Path, tmp_path: Path, args: list[str], code: int, says: str) -> None:
    (tmp_path / "empty").mkdir()
    ended = run(*args)
    assert ended.code == code, ended.err
    assert says in ended.err
    assert not (tmp_path / "x").exists()


def test_mining_a_report(odia_ocr, run, pool: Path, tmp_path: Path, drawn) -> None:
    rows = []
    for image, text in zip(drawn.lines, drawn.texts, strict=True):
        (pool / f"{image.id}.gt.txt").write_text(f"{text}\n", "utf-8")
        rows.append({"file": f"{image.id}.png", "face": "Own", "degradation": ["blur"]})
    (pool / "metadata.jsonl").write_text("\n".join(map(json.dumps, rows)), "utf-8")
    assert odia_ocr("evaluate", "pool", "--json", "report.json").code == 0
    code, out, _ = run("mine", "report.json", "-o", "mined", "--worst", 3)
    assert code == 0
    assert "conjunct" in out
    assert "blur" in out
    record = json.loads((tmp_path / "mined" / "mined.json").read_text("utf-8"))
    assert len(record["hard"]) <= 3
    assert {cause["kind"] for cause in record["causes"]} >= {"language", "font", "degradation"}
    config = json.loads((tmp_path / "mined" / "train.json").read_text("utf-8"))
    assert "stream" in config
    assert (tmp_path / "mined" / "hard.jsonl").exists()
    code, _, said = run("mine", "report.json", "-o", "mined")
    assert (code, "mined is not empty" in said) == (1, True)


def test_a_wide_page_is_no_line(run, tmp_path: Path) -> None:
    folder = tmp_path / "blank"
    folder.mkdir()
    Image.fromarray(np.full((900, 1400), 255, np.uint8)).save(folder / "p.png")
    code, _, said = run("select", "blank", "-o", "batch", "--budget", 2)
    assert code == 3
    assert "blank holds no line to choose from" in said


@pytest.mark.slow
def test_a_vision_language_model_chooses_and_teaches(run, pool: Path, tmp_path: Path) -> None:
    pytest.importorskip("transformers")
    args = ["select", "pool", "-o", "batch", "--budget", "2", "--engine", "vlm:tiny"]
    code, _, said = run(*args)
    assert code == 0, said
    record = json.loads((tmp_path / "batch" / "chosen.json").read_text("utf-8"))
    assert record["engine"] == "vlm:tiny"
    assert len(record["lines"]) == 2
    args = ["pseudo-label", "pool", "-o", "out", "--engine", "vlm:tiny"]
    code, _, said = run(*args, "--confidence", 0.5, "--agreement", 0.5)
    assert code == 0, said
    rows = (tmp_path / "out" / "readings.jsonl").read_text("utf-8").splitlines()
    assert [list(json.loads(row)) for row in rows] == [["reading"]] * 8


def test_rounds_wait_for_labels_learn_and_go_on(
    run, pool: Path, tmp_path: Path, drawn, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is learned is a fake; choosing, labels and the record are not."""
    pytest.importorskip("torch")
    from odia_ocr.apps import curate_rounds_command
    from odia_ocr.curate import rounds as rounds_module

    learned: list[dict[str, str]] = []

    def make_learner(config, check):
        def learn(samples, folder: Path) -> Path:
            learned.append({sample.id: sample.text for sample in samples})
            folder.mkdir(parents=True)
            shipped = Path(rounds_module.__file__).parents[1] / "weights" / "ctc.onnx"
            (folder / "model.onnx").write_bytes(shipped.read_bytes())
            return folder / "model.onnx"

        return learn

    monkeypatch.setattr(curate_rounds_command, "make_learner", make_learner)
    monkeypatch.setattr(curate_rounds_command, "make_guard", lambda lines, threads: _rate)
    args = ["rounds", "pool", "-o", "run", "--budget", "3", "--threads", "1"]
    with monkeypatch.context() as patch:
        patch.setattr(rounds_module, "write_batch", _kill)
        assert run(*args).code not in (0, 1)
    code, _, said = run(*args)
    assert code == 0, said
    assert said.endswith("Label run/round-01, then give this command again.\n")
    code, _, said = run(*args)
    assert (code, "Round 1 waits for labels: 0 of 3 are there" in said) == (1, True)

    truth = {line.id: text for line, text in zip(drawn.lines, drawn.texts, strict=True)}
    for path in (tmp_path / "run" / "round-01" / "lines").glob("*.gt.txt"):
        path.write_text(f"{truth[path.name.removesuffix('.gt.txt')]}\n", "utf-8")
    code, _, said = run(*args)
    assert code == 0, said
    assert "shipped: CER own 20.00%" in said
    assert "round 1, 3 labels: CER own 10.00%" in said
    assert "Label run/round-02" in said
    assert len(learned) == 1
    assert learned[0].items() <= truth.items()
    code, _, said = run(*args, "--partial")
    assert code == 1
    assert "round 1, 3 labels" in said
    assert len(learned) == 1
    assert run(*args, "--seed", 1).code == 2, "another plan"


def _rate(engine: str) -> dict[str, float]:
    return {"own": 0.2 if engine == "ctc" else 0.1}


def _kill(*args: object, **more: object) -> None:
    raise KeyboardInterrupt


def test_rounds_on_pictures_that_nobody_can_open(run, pool: Path) -> None:
    pytest.importorskip("torch")
    for path in pool.glob("*.png"):
        path.write_bytes(b"no picture")
    code, _, said = run("rounds", "pool", "-o", "run")
    assert (code, "No picture of pool can be read" in said) == (3, True), said
