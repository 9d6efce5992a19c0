"""Rounds of self-training: read unlabelled lines, learn from what was read, read again.

    RUN/self-training.json    the plan, and what each round took, made and measured
    RUN/round-01/             readings.jsonl, pseudo-labels.jsonl, and model/ that learned from them

Each round reads the pool with the best model so far and learns anew from the shipped weights on, so
that labels that were wrong once are not learned for ever. A round after which held-out labelled
lines are read worse is rolled back and is the last. Each step is put on record when it is done.
Texts of the pool are never asked for; the lines handed in as labelled bring theirs.

Sources: Lee 2013, "Pseudo-label"; Xie et al. 2020, "Self-training with Noisy Student"
(arXiv 1911.04252: learn anew, with noise, from labels of the last model).
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from odia_ocr.curate.pool import Pool
from odia_ocr.curate.pseudo import (
    PseudoLabel,
    PseudoReading,
    Rule,
    choose_labels,
    open_pseudo,
    read_unlabelled,
)
from odia_ocr.curate.run_record import read_record, write_record
from odia_ocr.data.sets import picture_folder
from odia_ocr.data.sets.out_files import FileNames, told_as_output, write_whole
from odia_ocr.data.sets.sample import Sample
from odia_ocr.errors import ConfigError, DataError
from odia_ocr.types import Problem

if TYPE_CHECKING:
    from odia_ocr.train.adapt import AdaptConfig, TrainingLine

STATE, READINGS, MANIFEST, LINES = (
    "self-training.json",
    "readings.jsonl",
    "pseudo-labels.jsonl",
    "lines",
)
OWN = "own"  # the held-out lines of the pool's kind, in a guard's rates
# A student of several models learns all that they read, and what else they thought of.
DISTIL = Rule(confidence=0.0, agreement=0.0, soft=True, balance=False)

Read = Callable[[str, Sequence[Sample], Path], Sequence[PseudoReading | Problem]]
Learn = Callable[[Sequence["TrainingLine"], Path], Path]
Guard = Callable[[str], Mapping[str, float]]
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Plan:
    """How a run goes; it stays what it was when the run began.

    Attributes:
        rounds: How many at most.
        rule: Which readings become labels.
        engine: Who reads in the first round.
        labelled_share: Of what is learned from own lines, the share of truly labelled ones, 0..1.
        forget: What a general guard set may lose against `start`, in CER.
    """

    rounds: int = 1
    rule: Rule = field(default_factory=Rule)
    engine: str = "ctc"
    labelled_share: float = 0.5
    forget: float = 0.005

    def __post_init__(self) -> None:
        if self.rounds < 1 or not 0 < self.labelled_share < 1:
            raise ConfigError(
                "Self-training needs 1 round or more and a share of labelled lines in 0..1, got "
                f"{self.rounds}, {self.labelled_share}."
            )

    @property
    def start(self) -> str:
        """The engine that rounds must not fall behind: who reads first, or whom it teaches."""
        return self.engine if self.engine.partition(":")[0] in ("ctc", "ctc-best") else "ctc"


@dataclass(frozen=True, slots=True)
class Round:
    """One round that ended.

    Attributes:
        number: From 1.
        engine: Who read.
        lines: Lines read.
        taken: Readings that became labels.
        model: File of what was learned, within the run.
        rates: CER of the guard's sets, by name.
        kept: Whether the guard let it pass.
    """

    number: int
    engine: str
    lines: int
    taken: int
    model: str
    rates: Mapping[str, float]
    kept: bool


@dataclass(frozen=True, slots=True)
class State:
    """Where a run stands.

    Attributes:
        plan: How it goes.
        pool: Name of its pool.
        before: CER of the guard's sets with `Plan.start`.
        rounds: Those that ended, in order.
    """

    plan: Plan
    pool: str
    before: Mapping[str, float]
    rounds: tuple[Round, ...] = ()

    @property
    def best(self) -> Round | None:
        """The last round that was kept."""
        return next((one for one in reversed(self.rounds) if one.kept), None)

    @property
    def ended(self) -> bool:
        """Whether no round is left, or one was rolled back."""
        return len(self.rounds) >= self.plan.rounds or any(not one.kept for one in self.rounds)


@dataclass(frozen=True, slots=True)
class Tools:
    """What a run works with.

    Attributes:
        learn: Learns from lines into a folder; gives the .onnx file.
        read: Reads the pool with an engine, keeping the readings in a file.
        guard: CER of an engine on held-out labelled sets: "own" of the pool's kind, and others.
        say: Told what goes on, a line at a time.
    """

    learn: Learn
    read: Read = field(default_factory=lambda: read_with)
    guard: Guard = lambda engine: {}
    say: Say = print


def read_with(
    engine: str, lines: Sequence[Sample], path: Path, *, threads: int | None = None
) -> list[PseudoReading | Problem]:
    """Read lines with an engine's models together."""
    return read_unlabelled(lines, open_pseudo(engine, threads=threads).read, path)


def self_train(
    run: Path, pool: Pool, plan: Plan, tools: Tools, labelled: Sequence[TrainingLine] = ()
) -> State:
    """Take a run to its end; one that was killed goes on where it stood.

    Args:
        run: Its folder; a new one begins.
        pool: Lines whose texts are not asked for.
        plan: How to go.
        tools: What to work with.
        labelled: Lines with their true texts, learned beside the others in each round.

    Raises:
        ConfigError: If the run was begun on another pool or plan.
        DataError: If no reading can be taken, or the record is malformed.
    """
    state = read_state(run)
    if state is None:
        state = State(plan, pool.name, dict(tools.guard(plan.start)))
        write_record(run / STATE, state)
    if (state.plan, state.pool) != (plan, pool.name):
        raise ConfigError(
            f"{run} was begun with another pool or other settings.",
            next_step="Use the same, or begin in another folder.",
        )
    while not state.ended:
        state = replace(state, rounds=(*state.rounds, _go_round(run, pool, state, tools, labelled)))
        write_record(run / STATE, state)
    return state


def _go_round(
    run: Path, pool: Pool, state: State, tools: Tools, labelled: Sequence[TrainingLine]
) -> Round:
    number, best = len(state.rounds) + 1, state.best
    folder = run / f"round-{number:02d}"
    engine = f"ctc:{run / best.model}" if best else state.plan.engine
    found = tools.read(engine, pool.lines, folder / READINGS)
    readings = [one for one in found if isinstance(one, PseudoReading)]
    labels = choose_labels(readings, state.plan.rule)
    if not labels:
        raise DataError(
            f"None of {len(readings)} readings is sure and agreed on.",
            next_step="Ask for less confidence or agreement, or label some lines first.",
        )
    write_manifest(readings, labels, folder / MANIFEST)
    tools.say(f"Round {number}: {len(labels)} of {len(readings)} readings by {engine} are taken.")
    shutil.rmtree(folder / "model", ignore_errors=True)  # of a round that was killed
    lines = mix_lines(pool, labels, labelled, share=state.plan.labelled_share)
    model = tools.learn(lines, folder / "model")
    rates = dict(tools.guard(f"ctc:{model}"))
    kept = passes(rates, state)
    told = ", ".join(f"{name} {rate:.2%}" for name, rate in rates.items())
    tools.say(f"Round {number} is {'kept' if kept else 'rolled back'}. {told}".rstrip())
    return Round(
        number,
        engine,
        len(readings),
        len(labels),
        model.relative_to(run).as_posix(),
        rates,
        kept,
    )


def passes(rates: Mapping[str, float], state: State) -> bool:
    """Whether own lines are read no worse than in the last kept round, and little is forgotten."""
    last = state.best.rates if state.best else state.before
    if rates.get(OWN, 0.0) > last.get(OWN, 1.0):
        return False
    return all(
        rate - state.before[name] <= state.plan.forget
        for name, rate in rates.items()
        if name != OWN
    )


def mix_lines(
    pool: Pool,
    labels: Sequence[PseudoLabel],
    labelled: Sequence[TrainingLine],
    *,
    share: float,
) -> list[TrainingLine]:
    """Pseudo-labelled lines beside truly labelled ones, which get `share` of the weight."""
    from odia_ocr.train.adapt import TrainingLine

    part = 1 - share if labelled else 1.0
    samples = pool.find(label.reading.id for label in labels)
    lines = [
        TrainingLine(
            sample.picture.load(),
            label.reading.text,
            part * label.weight / len(labels),
            label.rivals,
        )
        for sample, label in zip(samples, labels, strict=True)
    ]
    return [*lines, *(replace(line, weight=share / len(labelled)) for line in labelled)]


def make_learner(config: AdaptConfig, say: Say = print) -> Learn:
    """Fine-tuning from the shipped weights on."""
    from odia_ocr.train.adapt import adapt_ctc

    def learn(lines: Sequence[TrainingLine], folder: Path) -> Path:
        return adapt_ctc(lines, folder, config=config, report=say).model

    return learn


def write_manifest(
    readings: Iterable[PseudoReading], labels: Sequence[PseudoLabel], path: Path
) -> None:
    """Write a row for each reading: what was read, how sure it is, whether it was taken.

    Raises:
        OutputError: If it cannot be written.
    """
    weights = {label.reading.id: label.weight for label in labels}
    rows = [
        {**asdict(one), "taken": one.id in weights, "weight": weights.get(one.id, 0.0)}
        for one in readings
    ]
    text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    write_whole(path, text.encode())


def write_lines(pool: Pool, labels: Sequence[PseudoLabel], out: Path) -> None:
    """Write folder pairs of what was taken; the folder appears whole or not at all.

    Raises:
        OutputError: If it cannot be written.
    """
    names = FileNames()
    samples = [
        replace(sample, id=names.make(sample), text=label.reading.text)
        for sample, label in zip(
            pool.find(label.reading.id for label in labels), labels, strict=True
        )
    ]
    part = out.with_name(f".{out.name}.part")
    with told_as_output(out):
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(parents=True)
    picture_folder.write_pairs(samples, part)
    with told_as_output(out):
        part.rename(out)


def read_state(run: Path) -> State | None:
    """Where a run stands; None where none was begun.

    Raises:
        DataError: If the record is malformed.
    """
    return read_record(run / STATE, _make_state)


def _make_state(record: Mapping[str, Any]) -> State:
    values = dict(record["plan"])
    plan = Plan(**{**values, "rule": Rule(**values["rule"])})
    rounds = tuple(Round(**one) for one in record["rounds"])
    return State(plan, str(record["pool"]), dict(record["before"]), rounds)
