"""Whole campaigns on a few lines: failures stay where they are, and a stopped one goes on."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from line_folders import open_some, write_folder

from odia_ocr.campaign.config import Campaign, SetOrder
from odia_ocr.campaign.engines import Engines
from odia_ocr.campaign.outcome import Outcome
from odia_ocr.campaign.reader import StackReader
from odia_ocr.campaign.report import (
    find_unbacked,
    record_outcome,
    record_strategies,
    write_records,
)
from odia_ocr.campaign.report_pages import make_html, make_markdown
from odia_ocr.campaign.run import _Order, _work_ahead, run_campaign
from odia_ocr.campaign.sources import SourceReader
from odia_ocr.errors import DataError, UsageError
from odia_ocr.recognize.ctc import CtcRecognizer
from odia_ocr.runtime import find_weights

TWIN = f"ctc:{find_weights('ctc')}"
FEW: dict[str, Any] = {
    "2A-1": {"width": (5,)},
    "2A-3/alone": {"heat": (0.7,)},
    "2B-3/fusion": {"alpha": (0.75,), "beta": (1.2,)},
}


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    root = tmp_path_factory.mktemp("sets")
    return write_folder(root / "fit", 0, 4), write_folder(root / "report", 4, 9)


def order(folders: tuple[Path, Path], **changes: Any) -> Campaign:
    fit, report = (SetOrder(folder=str(folder)) for folder in folders)
    return Campaign(
        **{"name": "few", "fit": fit, "report": report, "techniques": FEW, "resamples": 1000}
        | changes
    )


def run(campaign: Campaign, cache: Path, said: list[str] | None = None, **rest: Any) -> Outcome:
    say = (said if said is not None else []).append
    return run_campaign(campaign, cache, engines=Engines(1, open_some), say=say, **rest)


def whys(outcome: Outcome) -> dict[str, str]:
    return {row.technique.key: row.why for row in outcome.rows}


def test_a_campaign_measures_what_it_was_asked_to(folders, tmp_path: Path) -> None:
    steps: list[tuple[str, int, int]] = []
    outcome = run(
        order(folders),
        tmp_path,
        progress=lambda what, done, total: steps.append((what, done, total)),
    )
    measured = {row.technique.key for row in outcome.rows if row.comparison is not None}
    assert measured == set(FEW)
    assert outcome.problems == ()
    assert outcome.single.scores.n == 5
    assert steps[-1][1] == steps[-1][2]
    record, rows = record_outcome(outcome), record_strategies(outcome)
    assert find_unbacked(rows, record) == []
    assert {row["id"] for row in rows} >= {"2A-1", "2A-2", "2C-1", "3-2", "+"}
    html, markdown = make_html(outcome), make_markdown(outcome)
    assert "Every technique alone" in markdown
    assert html.count("<svg") >= 2
    assert "http" not in html.replace("http-equiv", "")


def test_a_second_process_works_ahead_and_changes_no_figure(
    folders, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def strip(outcome: Outcome) -> list[Any]:
        rows = [(row.technique.key, row.comparison) for row in outcome.rows]
        return [(key, found and (found.before.scores, found.after.scores)) for key, found in rows]

    alone = run_campaign(order(folders), tmp_path / "alone", say=pytest.fail)
    ordered = _Order(order(folders), tmp_path / "ahead", "full", (), "")
    _work_ahead(ordered, 0, 1)
    done = len(list((tmp_path / "ahead").rglob("*.npz")))
    assert done > len(FEW)
    together = run_campaign(order(folders), tmp_path / "both", processes=2, say=pytest.fail)
    assert strip(together) == strip(alone)
    monkeypatch.setattr(SourceReader, "_make_line_reader", None)  # no technique decodes again
    kept = run_campaign(order(folders), tmp_path / "ahead", say=pytest.fail)  # nor does building
    assert strip(kept) == strip(alone)
    assert kept.built is not None


def test_what_needs_an_idle_machine_is_measured_before_others_help(
    folders, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    happened: list[str] = []

    def lend(ordered: _Order, count: int) -> contextlib.nullcontext[None]:
        happened.append("others help")
        return contextlib.nullcontext()

    monkeypatch.setattr("odia_ocr.campaign.run._lend_hands", lend)
    monkeypatch.setattr("odia_ocr.campaign.phase_plus.count_threads", lambda asked: 2)
    campaign = order(folders, techniques={"+/threads": {}, "2A-1": {"width": (5,)}})
    outcome = run(campaign, tmp_path, progress=lambda what, *_: happened.append(what))
    measured = {row.technique.key for row in outcome.rows if row.comparison is not None}
    assert measured == {"+/threads", "2A-1"}
    threads, beam = map(happened.index, ("Lines on several threads", "Beam search"))
    assert threads < happened.index("others help") < beam


def test_a_helping_process_does_not_outlive_a_killed_campaign(tmp_path: Path) -> None:
    program = tmp_path / "main.py"
    program.write_text(
        """
import multiprocessing, time
from odia_ocr.campaign.run import _end_with_parent

def help_out():
    _end_with_parent()
    print("helping", flush=True)
    time.sleep(60)

if __name__ == "__main__":
    multiprocessing.get_context("spawn").Process(target=help_out, daemon=True).start()
    time.sleep(60)
""",
        encoding="utf-8",
    )
    first = subprocess.Popen([sys.executable, str(program)], stdout=subprocess.PIPE, text=True)
    assert first.stdout is not None
    assert first.stdout.readline() == "helping\n"
    first.kill()
    first.communicate(timeout=20)  # ends when no process holds the pipe any more


def test_ctrl_c_reaches_helping_processes_without_a_word(tmp_path: Path) -> None:
    program = tmp_path / "main.py"
    program.write_text(
        """
import os, signal, sys, time
from odia_ocr.campaign import run

def wait(*_):
    os.kill(os.getpid(), signal.SIGINT)
    time.sleep(0.1)
    print("still there", flush=True)
    sys.exit()

if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored where tests run behind
    run._open_run = wait
    run._end_with_parent = lambda: None
    class Order:
        class campaign:
            threads = 1
    run._help_out(Order, 0, 1)
""",
        encoding="utf-8",
    )
    ended = subprocess.run(
        [sys.executable, str(program)], capture_output=True, text=True, timeout=60
    )
    assert (ended.stdout, ended.stderr) == ("still there\n", "")


def test_a_technique_that_throws_leaves_the_others(
    folders, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def throw(self: StackReader, stack: Any, bench: Any) -> Any:
        if stack.decode == "sample":
            raise ZeroDivisionError("no chance")
        return read(self, stack, bench)

    read = StackReader.read
    monkeypatch.setattr(StackReader, "read", throw)
    said: list[str] = []
    outcome = run(order(folders), tmp_path, said)
    assert "ZeroDivisionError: no chance" in whys(outcome)["2A-3/alone"]
    assert whys(outcome)["2A-1"] == whys(outcome)["2B-3/fusion"] == ""
    assert outcome.built is not None
    assert any("2A-3/alone" in message for message in said)
    row = next(r for r in record_strategies(outcome) if r["name"].startswith("Temperature and"))
    assert row["measured"] is None
    assert row["verdict"] is None
    assert "no chance" in row["why"]


@pytest.mark.parametrize(("engine", "said"), [("raises", "no paper"), ("short", "3 results for 4")])
def test_engines_that_misbehave_make_no_figures(
    folders, tmp_path: Path, engine: str, said: str
) -> None:
    techniques = {"2A-1": {"width": (5,)}, "2A-2/diverse-vote": {"by": ("majority",)}}
    campaign = order(folders, members=(TWIN, engine), techniques=techniques)
    outcome = run(campaign, tmp_path)
    assert said in whys(outcome)["2A-2/diverse-vote"]
    assert whys(outcome)["2A-1"] == ""


def test_a_stopped_campaign_goes_on_where_it_was(
    folders, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    emitted: list[int] = []

    def emit(self: CtcRecognizer, lines: Any) -> Any:
        emitted.append(len(lines))
        if len(emitted) == 2:
            raise KeyboardInterrupt
        return real(self, lines)

    real = CtcRecognizer.emit
    monkeypatch.setattr(CtcRecognizer, "emit", emit)
    with pytest.raises(KeyboardInterrupt):
        run(order(folders), tmp_path)
    stopped = run(order(folders), tmp_path)
    assert emitted == [5, 4, 4], "what was computed before is not computed again"
    again = run(order(folders), tmp_path)
    assert len(emitted) == 3
    assert record_outcome(again) == record_outcome(stopped), "seconds included"


def test_levels_and_budget_leave_techniques_out_and_say_so(folders, tmp_path: Path) -> None:
    quick = run(order(folders), tmp_path, level="quick")
    assert "not part of the level" in whys(quick)["2B-3/fusion"]
    assert list(quick.ladders) == ["quick"]
    late = run(order(folders, minutes=1e-9), tmp_path)
    assert all("budget" in whys(late)[key] for key in FEW)
    assert late.built is not None
    assert late.built.steps == ()


def test_checkpoints_make_a_ladder(folders, tmp_path: Path) -> None:
    techniques = {"2A-2/ladder-vote": {"by": ("majority",)}}
    outcome = run(order(folders, techniques=techniques), tmp_path, ladder=("ctc", TWIN))
    assert [found.engine for found in outcome.checkpoints] == ["ctc", TWIN]
    row = next(row for row in outcome.rows if row.comparison is not None)
    assert row.technique.key == "2A-2/ladder-vote"
    assert row.comparison.wins == row.comparison.losses == 0, "a vote of twins changes nothing"
    unavailable = whys(outcome)["2A-2/ladder-weights"]
    assert "leaves it out" in unavailable


def test_a_learned_model_is_measured_as_its_technique(folders, tmp_path: Path) -> None:
    only = {"3-2": {}, "+/adaptation": {}}
    outcome = run(order(folders, techniques=only, learned={"3-2": TWIN}), tmp_path)
    rows = {row.technique.key: row for row in outcome.rows}
    assert rows["3-2"].comparison is not None
    assert rows["3-2"].comparison.after.stack.engines == (TWIN,)
    assert "--learned +/adaptation=ctc:FILE" in rows["+/adaptation"].why
    assert find_unbacked(record_strategies(outcome), record_outcome(outcome)) == []


def test_what_another_campaign_measured_is_taken_over_with_its_results(
    folders, tmp_path: Path
) -> None:
    learned = {"3-2": TWIN, "2A-1": TWIN}
    other = run(
        order(folders, name="archive", techniques={"3-2": {}, "2A-1": {}}, learned=learned),
        tmp_path / "cache",
    )
    write_records(other, tmp_path / "archive")
    apart = (str(tmp_path / "archive"),)
    outcome = run(order(folders, techniques={"2A-1": {"width": (5,)}}, apart=apart), tmp_path / "c")
    theirs, ours = (
        {row["name"]: row for row in record_strategies(one)} for one in (other, outcome)
    )
    taken = ours["Semi-supervised learning"]
    assert taken == theirs["Semi-supervised learning"]
    assert taken["measured"]["n"] == 5
    assert ours["Beam search"]["settings"] == {"width": 5}, "what is measured here is not taken"
    record = record_outcome(outcome)
    assert find_unbacked(list(ours.values()), record) == []
    cut = {**record, "apart": {"results": [], "paired": []}}
    (complaint,) = find_unbacked(list(ours.values()), cut)
    assert "Semi-supervised learning" in complaint
    markdown = make_markdown(outcome)
    assert "Measured apart" in markdown
    assert "| archive |" in markdown
    assert "| Semi-supervised learning |" not in markdown.partition("## Not measured here")[2]


def test_a_record_of_something_else_is_no_campaign(folders, tmp_path: Path) -> None:
    for name in ("evaluation_results.json", "performance_improvement_strategies.json"):
        (tmp_path / name).write_text('{"results": []}' if name[0] == "e" else "[]")
    with pytest.raises(DataError, match="no campaign's record"):
        run(order(folders, apart=(str(tmp_path),)), tmp_path / "cache")


def test_single_reader_equals_the_recognizer_itself(folders, tmp_path: Path) -> None:
    from dataclasses import replace

    from odia_ocr.evaluate.lineset import read_line_set
    from odia_ocr.recognize.decode.greedy import GreedyDecoder

    outcome = run(order(folders), tmp_path)
    recognizer = open_some("ctc", 1)
    lines = [sample.load() for sample in read_line_set(folders[1]).samples]
    greedy = replace(recognizer, decoder=GreedyDecoder()).read(lines)
    fused = next(row for row in outcome.rows if row.technique.key == "2B-3/fusion")
    assert list(outcome.single.readings.texts) == [cands.best.text for cands in greedy]
    assert list(fused.comparison.after.readings.texts) == [
        cands.best.text for cands in recognizer.read(lines)
    ]


def test_a_picture_without_transcription_is_told(folders, tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "set", 0, 3)
    (folder / "001.gt.txt").unlink()
    said: list[str] = []
    outcome = run(order((folder, folders[1])), tmp_path / "cache", said)
    assert any("001" in message for message in said)
    assert any("001" in problem.message for problem in outcome.problems)
    assert len(outcome.fit.bench.samples) == 2


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty"),
        (b" \n", "is empty"),
        ("କ".encode("utf-16"), "UTF-8"),
        (b"a\nb", "2 lines"),
    ],
)
def test_unusable_transcriptions_are_named_and_left_out(
    folders, tmp_path: Path, content: bytes, said: str
) -> None:
    folder = write_folder(tmp_path / "set", 0, 3)
    (folder / "001.gt.txt").write_bytes(content)
    told: list[str] = []
    outcome = run(order((folder, folders[1])), tmp_path / "cache", told)
    (problem,) = outcome.problems
    assert problem.line_id == "001"
    assert "001.gt.txt" in problem.message
    assert said in problem.message
    assert any(problem.message in each for each in told)
    assert [sample.name for sample in outcome.fit.bench.samples] == ["000", "002"]
    assert whys(outcome)["2A-1"] == ""


def test_a_set_without_a_usable_transcription_is_refused(folders, tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "set", 0, 2)
    for path in folder.glob("*.gt.txt"):
        path.write_bytes(b"")
    with pytest.raises(DataError, match=r"usable transcription .*000\.gt\.txt is empty"):
        run(order((folder, folders[1])), tmp_path / "cache")


def test_one_line_is_too_few(folders, tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "one", 0, 1)
    with pytest.raises(DataError, match="1 usable line"):
        run(order((folders[0], folder)), tmp_path / "cache")


def test_unknown_techniques_are_refused(folders, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="2A-1"):
        run(order(folders, techniques={"2A-l": {}}), tmp_path)
