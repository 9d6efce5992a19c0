"""`odia-ocr curate pseudo-label` and `distil`: learn from lines that nobody labelled."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from odia_ocr.apps.data_command import EXIT_FOUND
from odia_ocr.apps.data_told import TellFew, to_json
from odia_ocr.apps.messages import say, show_bar
from odia_ocr.apps.out_folder import check_folder

if TYPE_CHECKING:
    from odia_ocr.curate.pool import Pool
    from odia_ocr.curate.pseudo import PseudoReading, Rule
    from odia_ocr.curate.self_training import Guard, Plan
    from odia_ocr.data.sets.sample import Sample
    from odia_ocr.train.adapt import TrainingLine
    from odia_ocr.types import Problem

SETTINGS, PRECISION = "settings.json", "precision.json"
_GUARD = 128  # general lines of each of two sets

PoolName = Annotated[
    str,
    typer.Argument(
        metavar="POOL",
        help="Line pictures, pages, or a data set of any format; texts in it are not looked at.",
        show_default=False,
    ),
]
Steps = Annotated[int, typer.Option(min=1, help="Steps of each fine-tuning.")]
Threads = Annotated[int | None, typer.Option(min=1, help="Processor threads.", show_default=False)]


def pseudo_label(
    pool: PoolName,
    out: Annotated[Path, typer.Option("-o", "--out", help="Folder to write into, or to go on in.")],
    engine: Annotated[
        str,
        typer.Option(
            metavar="NAME[:MODEL]",
            help="Who reads: ctc (the shipped models together), ctc:FILE, vlm:MODEL ...",
        ),
    ] = "ctc",
    confidence: Annotated[
        float, typer.Option(min=0, max=1, help="Least mean P(a letter is right) of a line.")
    ] = 0.9,
    agreement: Annotated[
        float, typer.Option(min=0, max=1, help="Least share of letters that all models read so.")
    ] = 0.8,
    soft: Annotated[
        bool, typer.Option("--soft/--hard", help="Learn rivals of a reading, too.")
    ] = True,
    balance: Annotated[
        bool, typer.Option(help="Weight lines: lengths and letters as the pool has them.")
    ] = True,
    truth: Annotated[
        bool,
        typer.Option("--truth", help="Compare with the pool's own texts, and learn nothing."),
    ] = False,
    rounds: Annotated[
        int, typer.Option(min=0, help="Rounds of learning and reading again; 0 writes labels only.")
    ] = 0,
    labelled: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="SET", help="Truly labelled lines to learn beside.", show_default=False
        ),
    ] = None,
    check: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="SET", help="Labelled lines that roll back a bad round.", show_default=False
        ),
    ] = None,
    steps: Steps = 150,
    threads: Threads = None,
) -> None:
    """Take readings of unlabelled lines as labels where they are sure, and learn from them.

    The shipped models read each line together, or another --engine reads it. A reading becomes a
    label when its letters are sure enough by calibrated confidence and the models' own readings
    agree with it. Engines without scores are taken with --confidence 0 only.

    \b
    Without --rounds the folder gets:
      lines/                NAME.png + NAME.gt.txt of what was taken
      pseudo-labels.jsonl   every reading with its confidence, agreement and weight
      precision.json        with --truth: how many labels are right at each threshold
    With --rounds N it gets round-01/ .. with a model each. Every round learns anew from the shipped
    weights, and the next one reads with its model. A round is rolled back, and is the last, when
    lines of --check or general lines are read worse.

    Readings are kept as they are made: the same command goes on where it was stopped. With other
    settings it asks for another folder, and nothing is written over.

    \b
    Examples:
      odia-ocr curate pseudo-label scans/ -o pseudo/
      odia-ocr curate pseudo-label labelled/ -o trust/ --truth
      odia-ocr curate pseudo-label scans/ -o pseudo/ --engine vlm:Qwen/Qwen2.5-VL-3B-Instruct
      odia-ocr curate pseudo-label scans/ -o learned/ --rounds 2 --check labelled/
      odia-ocr read page.png --engine ctc:learned/round-02/model/model.onnx

    Exit status: 0 done; 1 some pictures were left out, or a round was rolled back; 2 wrong use;
    3 no line could be used.
    """
    from odia_ocr.curate.pseudo import Rule
    from odia_ocr.curate.self_training import Plan
    from odia_ocr.errors import UsageError

    if truth and rounds:
        raise UsageError("--truth measures labels, --rounds learns.", next_step="Leave one out.")
    if not rounds and (labelled or check):
        raise UsageError(
            "--labelled and --check are for learning.",
            next_step="Add --rounds 1, or leave them out.",
        )
    rule = Rule(confidence, agreement, soft, balance)
    told = {"labelled": labelled, "check": check, "steps": steps, "truth": truth}
    found = _open(pool, out, {"engine": engine, "rounds": rounds, **asdict(rule), **told}, threads)
    if rounds:
        plan = Plan(rounds, rule, engine)
        _learn(found, out, plan, labelled or [], check or [], steps, threads)
    else:
        _write_labels(found, out, engine, rule, truth=truth, threads=threads)


def distil(
    pool: PoolName,
    out: Annotated[Path, typer.Option("-o", "--out", help="Folder to write into, or to go on in.")],
    engine: Annotated[
        str,
        typer.Option(
            metavar="NAME[:MODEL]",
            help="Who teaches: ctc (the ensemble of --preset best), vlm:MODEL, remote:URL ...",
        ),
    ] = "ctc",
    agreement: Annotated[
        float, typer.Option(min=0, max=1, help="Least share of letters that all models read so.")
    ] = 0.0,
    steps: Steps = 150,
    threads: Threads = None,
) -> None:
    """Teach the compact model what an ensemble or a larger model reads of unlabelled lines.

    Every reading is learned, its rivals as often as the teacher's posterior says. The result reads
    as fast as the shipped model. A student that reads general lines worse is rolled back. The same
    command goes on where it was stopped.

    \b
    Examples:
      odia-ocr curate distil scans/ -o student/
      odia-ocr curate distil scans/ -o student/ --engine vlm:Qwen/Qwen2.5-VL-3B-Instruct
      odia-ocr read page.png --engine ctc:student/round-01/model/model.onnx

    Exit status: 0 done; 1 some pictures were left out, or the student reads general lines worse;
    2 wrong use; 3 no line could be used.
    """
    from odia_ocr.curate.self_training import DISTIL, Plan

    rule = replace(DISTIL, agreement=agreement)
    found = _open(pool, out, {"engine": engine, "distil": asdict(rule), "steps": steps}, threads)
    _learn(found, out, Plan(1, rule, engine), [], [], steps, threads)


def _open(pool: str, out: Path, settings: Mapping[str, object], threads: int | None) -> Pool:
    """The pool, when the folder is new or was begun so."""
    from odia_ocr.apps.curate_command import open_lines
    from odia_ocr.data.sets.out_files import write_whole
    from odia_ocr.errors import OutputError

    path = out / SETTINGS
    text = to_json(json.loads(json.dumps({"pool": pool, **settings}, default=str)))
    if path.exists():
        begun = any(file.name != SETTINGS for file in out.iterdir())
        if begun and path.read_text(encoding="utf-8") != text:
            raise OutputError(
                f"{out} was begun with another pool or other settings.",
                next_step=f"Use those in {path}, or another folder.",
            )
    else:
        check_folder(out, force=False)
    found = open_lines(pool, unit=None, out=out, threads=threads)
    write_whole(path, text.encode())
    return found


def _make_reader(
    pool: Pool, threads: int | None, tell: TellFew
) -> Callable[[str, Sequence[Sample], Path], list[PseudoReading | Problem]]:
    from odia_ocr.curate.pseudo import open_pseudo, read_unlabelled
    from odia_ocr.types import Problem

    def read(engine: str, lines: Sequence[Sample], path: Path) -> list[PseudoReading | Problem]:
        reader = open_pseudo(engine, threads=threads)
        with show_bar(len(lines), "lines") as progress:
            found = read_unlabelled(lines, reader.read, path, progress=progress)
        for item in found:
            if isinstance(item, Problem):
                tell(pool.name, item)
        return found

    return read


def _write_labels(
    pool: Pool, out: Path, engine: str, rule: Rule, *, truth: bool, threads: int | None
) -> None:
    from odia_ocr.curate.pseudo import PseudoReading, choose_labels, rate_precision
    from odia_ocr.curate.self_training import (
        LINES,
        MANIFEST,
        READINGS,
        write_lines,
        write_manifest,
    )
    from odia_ocr.data.sets.out_files import write_whole
    from odia_ocr.errors import DataError

    tell = TellFew()
    for problem in pool.problems:
        tell(pool.name, problem)
    found = _make_reader(pool, threads, tell)(engine, pool.lines, out / READINGS)
    tell.end()
    readings = [one for one in found if isinstance(one, PseudoReading)]
    labels = choose_labels(readings, rule)
    write_manifest(readings, labels, out / MANIFEST)
    if truth:
        texts = pool.reveal([one.id for one in readings])
        rows = rate_precision(readings, texts, rule)
        write_whole(out / PRECISION, to_json({"thresholds": [asdict(r) for r in rows]}).encode())
        for row in rows:
            cer = "" if row.cer is None else f", {row.cer.value:.2%} of characters wrong"
            typer.echo(
                f"confidence {row.threshold:.2f}: {row.lines} lines ({row.share:.0%}), "
                f"{row.exact:.0%} right{cer}"
            )
    if not labels:
        raise DataError(
            f"None of {len(readings)} readings is sure and agreed on.",
            next_step="Ask for less with --confidence and --agreement; see the manifest.",
        )
    if not (out / LINES).exists():
        write_lines(pool, labels, out / LINES)
    say(f"{len(labels)} of {len(pool.lines)} lines are labelled in {out / LINES}")
    if tell.count:
        raise typer.Exit(EXIT_FOUND)


def _learn(
    pool: Pool,
    out: Path,
    plan: Plan,
    labelled: Sequence[Path],
    check: Sequence[Path],
    steps: int,
    threads: int | None,
) -> None:
    from odia_ocr.errors import name_extra

    try:
        from odia_ocr.curate.self_training import Tools, make_learner, self_train
        from odia_ocr.train.adapt import AdaptConfig
    except ImportError as error:
        raise name_extra(error, "train", doing="Training") from error
    from odia_ocr.apps.train_adapt import read_sets

    tell = TellFew()
    for problem in pool.problems:
        tell(pool.name, problem)
    tools = Tools(
        learn=make_learner(AdaptConfig(steps=steps, fit_lines=300), say),
        read=_make_reader(pool, threads, tell),
        guard=make_guard(read_sets(check, say) if check else [], threads),
        say=say,
    )
    state = self_train(out, pool, plan, tools, read_sets(labelled, say) if labelled else ())
    tell.end()
    if state.best:
        say(f"Read with: odia-ocr read PICTURE --engine ctc:{out / state.best.model}")
    if tell.count or not all(one.kept for one in state.rounds):
        raise typer.Exit(EXIT_FOUND)


def make_guard(check: Sequence[TrainingLine], threads: int | None) -> Guard:
    """CER of an engine on labelled lines of one's own and on rendered general ones."""
    from odia_ocr.curate.self_training import OWN
    from odia_ocr.evaluate.scores import score_lines
    from odia_ocr.recognize import open_recognizer
    from odia_ocr.recognize.line_tensor import Geometry
    from odia_ocr.train.adapt import TrainingLine
    from odia_ocr.train.adapt_report import count_readings
    from odia_ocr.train.ctc import make_check_sets

    sets: dict[str, Sequence[TrainingLine]] = {OWN: check} if check else {}
    for one in make_check_sets(_GUARD, Geometry()):
        pairs = zip(one.pixels, one.texts, strict=True)
        sets[one.name] = [TrainingLine(pixels, text) for pixels, text in pairs]

    def guard(engine: str) -> dict[str, float]:
        recognizer = open_recognizer(engine, threads=threads)
        return {
            name: score_lines(count_readings(recognizer, lines)).cer.value
            for name, lines in sets.items()
        }

    return guard
