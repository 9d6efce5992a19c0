"""`odia-ocr curate pseudo-label` and `distil` as a user starts them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

pytest.importorskip("uharfbuzz")

from PIL import Image

from odia_ocr.campaign.sample import draw_sample


@pytest.fixture(scope="module")
def drawn():
    return draw_sample(6)


def read_rows(path: Path) -> list[dict[str, object]]:
    return [json.loads(row) for row in path.read_text("utf-8").splitlines()]


def test_sure_readings_become_labels(run, pool: Path, tmp_path: Path) -> None:
    (pool / "broken.png").write_bytes(b"no picture at all")
    args = ("pseudo-label", "pool", "-o", "out", "--confidence", 0.5, "--agreement", 0.5)
    code, out, said = run(*args, "--threads", 1)
    assert (code, out) == (1, "")
    assert "1 left out." in said
    rows = read_rows(tmp_path / "out" / "pseudo-labels.jsonl")
    assert len(rows) == 6
    taken = {row["id"]: row["text"] for row in rows if row["taken"]}
    assert 1 <= len(taken) <= 6
    assert f"{len(taken)} of 7 lines are labelled in" in said
    texts = {
        path.name.removesuffix(".gt.txt"): path.read_text("utf-8").strip()
        for path in (tmp_path / "out" / "lines").glob("*.gt.txt")
    }
    assert texts == taken

    before = (tmp_path / "out" / "readings.jsonl").read_bytes()
    assert run(*args, "--threads", 1).code == 1  # it goes on, with nothing left to do
    assert (tmp_path / "out" / "readings.jsonl").read_bytes() == before
    code, _, said = run("pseudo-label", "pool", "-o", "out", "--confidence", 0.6)
    assert (code, "other settings" in said) == (1, True)


def test_precision_where_the_truth_is_known(run, pool: Path, tmp_path: Path, drawn) -> None:
    for image, text in zip(drawn.lines, drawn.texts, strict=True):
        (pool / f"{image.id}.gt.txt").write_text(f"{text}\n", "utf-8")
    code, out, _ = run("pseudo-label", "pool", "-o", "out", "--confidence", 0, "--truth")
    assert code == 0
    assert "confidence 0.00: " in out
    record = json.loads((tmp_path / "out" / "precision.json").read_text("utf-8"))
    assert record["thresholds"][0]["lines"] >= record["thresholds"][-1]["lines"]
    (pool / f"{drawn.lines[0].id}.gt.txt").unlink()
    code, _, said = run("pseudo-label", "pool", "-o", "two", "--truth")
    assert (code, "does not know the text" in said) == (2, True)


@pytest.mark.parametrize(
    ("args", "code", "says"),
    [
        (["pseudo-label", "pool", "-o", "x", "--rounds", "1", "--truth"], 2, "Leave one out"),
        (["pseudo-label", "pool", "-o", "x", "--check", "pool"], 2, "Add --rounds 1"),
        (["pseudo-label", "pool", "-o", "x", "--engine", "nobody"], 2, "Unknown engine"),
        (["pseudo-label", "pool", "-o", "x", "--confidence", "2"], 2, "confidence"),
        (["pseudo-label", "nothing", "-o", "x"], 3, "nothing does not exist"),
        (["distil", "pool", "-o", "pool"], 1, "pool is not empty"),
    ],
)
def test_wrong_use(run, pool: Path, args: list[str], code: int, says: str) -> None:
    ended = run(*args)
    assert (ended.code, says in ended.err) == (code, True), ended.err


@pytest.mark.slow
def test_rounds_learn_and_go_on(
    run, pool: Path, tmp_path: Path, drawn, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is learned is a fake; pictures, readings, labelled lines and the guard are not."""
    pytest.importorskip("torch")
    from odia_ocr.apps import curate_pseudo_command
    from odia_ocr.curate import self_training
    from odia_ocr.train.adapt import TrainingLine

    learned: list[Sequence[TrainingLine]] = []

    def make_learner(config, say):
        def learn(lines: Sequence[TrainingLine], folder: Path) -> Path:
            learned.append(lines)
            folder.mkdir(parents=True)
            shipped = Path(self_training.__file__).parents[1] / "weights" / "ctc.onnx"
            (folder / "model.onnx").write_bytes(shipped.read_bytes())
            return folder / "model.onnx"

        return learn

    monkeypatch.setattr(self_training, "make_learner", make_learner)
    monkeypatch.setattr(curate_pseudo_command, "_GUARD", 2)
    mine = tmp_path / "mine"
    mine.mkdir()
    Image.fromarray(drawn.lines[0].pixels).save(mine / "a.png")
    (mine / "a.gt.txt").write_text(f"{drawn.texts[0]}\n", "utf-8")
    args = ["pseudo-label", "pool", "-o", "out", "--confidence", "0.3", "--agreement", "0.3"]
    args += ["--rounds", "2", "--labelled", "mine", "--check", "mine"]
    code, _, said = run(*args)
    assert code == 0
    assert "Round 2 is kept. own " in said
    assert "--engine ctc:out/round-02/model/model.onnx" in said
    assert len(learned) == 2
    assert learned[0][-1].text == drawn.texts[0]
    assert run(*args).code == 0
    assert len(learned) == 2

    code, _, said = run("distil", "pool", "-o", "student")
    assert code == 0
    assert len(learned[-1]) == 6
    assert "--engine ctc:student/round-01/model/model.onnx" in said
