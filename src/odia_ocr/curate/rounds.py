"""Rounds of active learning: choose, label, learn, measure, choose again.

    RUN/rounds.json       what was chosen, learned and measured so far
    RUN/round-01/         the batch that is labelled, see `odia_ocr.curate.labelling`
    RUN/round-01-model/   what was learned of all labels so far

A round goes on as far as its labels allow and is then left; each step is put on record when it is
done, whole or not at all, so a killed round is taken up at the step it stood at. Who labels, learns
and measures is handed in: people and fine-tuning, or an experiment that knows the truth. Texts of
lines that were not chosen are never asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from odia_ocr.curate.coverage import rate_coverage
from odia_ocr.curate.features import LineFeatures, open_features, read_features
from odia_ocr.curate.labelling import Batch, Labels, read_batch, read_labels, write_batch
from odia_ocr.curate.pool import Pool
from odia_ocr.curate.run_record import read_record, write_record
from odia_ocr.curate.strategies import choose_lines
from odia_ocr.data.sets.sample import Sample
from odia_ocr.errors import ConfigError, DataError
from odia_ocr.types import Problem

STATE = "rounds.json"
FIRST_ENGINE = "ctc"

Look = Callable[[str, Sequence[Sample]], Sequence[LineFeatures | Problem]]
Learn = Callable[[Sequence[Sample], Path], Path]
Measure = Callable[[Path], Mapping[str, Any]]
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Plan:
    """How a run chooses; it stays what it was when the run began.

    Attributes:
        budgets: Lines of each round; the last number counts for all later ones.
        strategy: One of `odia_ocr.curate.strategies.STRATEGIES`.
        seed: Of what is left to chance.
    """

    budgets: tuple[int, ...] = (50,)
    strategy: str = "combined"
    seed: int = 0

    def __post_init__(self) -> None:
        if not self.budgets or min(self.budgets) < 1:
            raise ConfigError(f"A round needs a budget of 1 or more, got {self.budgets}.")

    def budget_of(self, number: int) -> int:
        """Lines of round `number`, from 1."""
        return self.budgets[min(number, len(self.budgets)) - 1]


@dataclass(frozen=True, slots=True)
class Round:
    """One round.

    Attributes:
        number: From 1.
        chosen: Ids in the pool, by rank.
        labelled: Ids whose labels were learned from; empty until then.
        skipped: Ids whose labels cannot be used: empty, in another script ...
        model: File of what was learned, within the run; empty until then.
        figures: What was measured of it; empty until then.
        done: Whether all steps are made.
    """

    number: int
    chosen: tuple[str, ...]
    labelled: tuple[str, ...] = ()
    skipped: tuple[str, ...] = ()
    model: str = ""
    figures: Mapping[str, Any] = field(default_factory=dict)
    done: bool = False


@dataclass(frozen=True, slots=True)
class State:
    """Where a run stands.

    Attributes:
        plan: How it chooses.
        pool: Name of its pool.
        rounds: Those begun, in order.
    """

    plan: Plan
    pool: str
    rounds: tuple[Round, ...] = ()

    @property
    def labelled(self) -> tuple[str, ...]:
        """Ids of all lines learned from."""
        return tuple(key for one in self.rounds for key in one.labelled)


@dataclass(frozen=True, slots=True)
class Tools:
    """What a round works with.

    Attributes:
        learn: Learns from samples with their labels into a folder; gives the .onnx file.
        measure: Figures of a model, as plain values.
        label: What became of a batch.
        look: Features of lines as an engine sees them.
        say: Told what goes on, a line at a time.
        partial: Learn from the labels there are, and give unlabelled lines back to the pool.
    """

    learn: Learn
    measure: Measure = lambda model: {}
    label: Callable[[Batch], Labels] = read_labels
    look: Look = field(default_factory=lambda: look_at)
    say: Say = print
    partial: bool = False


def look_at(
    engine: str, lines: Sequence[Sample], *, threads: int | None = None
) -> list[LineFeatures | Problem]:
    """Features of lines as an engine sees them, in order."""
    return list(read_features(lines, open_features(engine, threads=threads)))


def label_truly(pool: Pool) -> Callable[[Batch], Labels]:
    """A labeller that knows the truth, for experiments: it asks the pool about a batch's lines."""

    def label(batch: Batch) -> Labels:
        texts = pool.reveal([line.choice.id for line in batch.lines])
        wrong = sum(texts[line.choice.id] != line.draft for line in batch.lines)
        return Labels(texts, wrong, (), ())

    return label


def read_state(run: Path) -> State | None:
    """Where a run stands; None where none was begun.

    Raises:
        DataError: If the record is malformed.
    """
    return read_record(run / STATE, _make_state)


def _make_state(record: Mapping[str, Any]) -> State:
    plan = record["plan"]
    return State(
        Plan(tuple(map(int, plan["budgets"])), str(plan["strategy"]), int(plan["seed"])),
        str(record["pool"]),
        tuple(_make_round(values) for values in record["rounds"]),
    )


def _make_round(values: Mapping[str, Any]) -> Round:
    ids = {name: tuple(map(str, values[name])) for name in ("chosen", "labelled", "skipped")}
    return Round(
        int(values["number"]),
        **ids,
        model=str(values["model"]),
        figures=dict(values["figures"]),
        done=bool(values["done"]),
    )


def go_on(run: Path, pool: Pool, plan: Plan, tools: Tools, *, rounds: int | None = None) -> State:
    """Take a run as far as its labels allow.

    Args:
        run: Its folder; a new one begins.
        pool: The lines to choose from.
        plan: How to choose; a run that was begun keeps its own.
        tools: What to work with.
        rounds: End when so many are done; None goes on while there are labels.

    Returns:
        Where it stands: its last round waits for labels, or all is done.

    Raises:
        ConfigError: If the run was begun on another pool or plan.
        DataError: If no picture can be read, no line of a batch has a usable label, or the records
            are malformed.
        OdiaOcrError: As the tools raise.
    """
    state = read_state(run)
    if state is None:  # on record before anything is written, so that a killed first round goes on
        state = State(plan, pool.name)
        write_record(run / STATE, state)
    if (state.pool, state.plan) != (pool.name, plan):
        raise ConfigError(
            f"{run} was begun with {state.pool} and {_tell_plan(state.plan)}.",
            next_step="Use the same, or begin in another folder.",
        )
    for problem in pool.problems:
        tools.say(f"{problem.message} {problem.next_step}".rstrip())
    while True:
        if not state.rounds or state.rounds[-1].done:
            if rounds is not None and len(state.rounds) >= rounds:
                return state
            begun = _choose(run, pool, state, tools)
            if begun is None:
                tools.say(f"All lines of {pool.name} are labelled.")
                return state
            state = _put(run, state, begun)
        ended = _learn_round(run, pool, state, tools)
        if ended is None:
            return state
        state = ended


def _put(run: Path, state: State, one: Round) -> State:
    """The state with a round added or in the place of its earlier form, on record."""
    others = tuple(known for known in state.rounds if known.number != one.number)
    state = replace(state, rounds=(*others, one))
    write_record(run / STATE, state)
    return state


def _choose(run: Path, pool: Pool, state: State, tools: Tools) -> Round | None:
    """Write the next batch; None where no line is left."""
    number = len(state.rounds) + 1
    gone = {key for one in state.rounds for key in (*one.labelled, *one.skipped)}
    engine = find_engine(run, state)
    seen: list[LineFeatures] = []
    broken = 0
    for item in tools.look(engine, pool.lines):
        if isinstance(item, LineFeatures):
            seen.append(item)
        else:
            broken += 1
            tools.say(f"{item.message} {item.next_step}".rstrip())
    if broken:
        tools.say(f"{broken} pictures of {pool.name} cannot be read and are skipped.")
    if not seen:
        raise DataError(
            f"No picture of {pool.name} can be read.", next_step="Copy or scan them again."
        )
    free = [line for line in seen if line.id not in gone]
    if not free:
        return None
    labelled = set(state.labelled)
    known = [line for line in seen if line.id in labelled]
    budget = state.plan.budget_of(number)
    if len(free) < budget:
        tools.say(f"{pool.name} has {len(free)} lines left, fewer than the budget of {budget}.")
    seed = 1000 * state.plan.seed + number
    chosen = choose_lines(free, budget, strategy=state.plan.strategy, seed=seed, known=known)
    wanted = {choice.id for choice in chosen}
    places = [at for at, line in enumerate(seen) if line.id in wanted | labelled]
    write_batch(
        run / name_round(number),
        chosen,
        {sample.id: sample for sample in pool.find(wanted)},
        {line.id: line.text for line in free if line.id in wanted},
        engine=engine,
        covered=rate_coverage(seen, places),
        facts={"pool": pool.name, "round": number, **asdict(state.plan), "broken": broken},
    )
    tools.say(f"Round {number}: {len(chosen)} lines chosen, {run / name_round(number)}.")
    return Round(number, tuple(choice.id for choice in chosen))


def _learn_round(run: Path, pool: Pool, state: State, tools: Tools) -> State | None:
    """The last round learned and measured; None while it waits for labels."""
    one = state.rounds[-1]
    if not one.model:
        labels = tools.label(read_batch(run / name_round(one.number)))
        for problem in labels.problems:
            tools.say(f"{problem.message} {problem.next_step}".rstrip())
        if labels.waiting and not (tools.partial and labels.texts):
            tools.say(
                f"Round {one.number} waits for labels: {len(labels.texts)} of {len(one.chosen)} "
                f"are there, {len(labels.problems)} cannot be used."
            )
            return None
        if not labels.texts:
            raise DataError(
                f"No label of round {one.number} can be used.",
                next_step=f"Correct the texts in {run / name_round(one.number)}.",
            )
        usable = set(one.chosen)
        skipped = {p.line_id for p in labels.problems if p.line_id in usable}
        one = replace(one, labelled=tuple(labels.texts), skipped=tuple(sorted(map(str, skipped))))
        samples = _gather(run, pool, replace(state, rounds=(*state.rounds[:-1], one)), tools)
        tools.say(f"Round {one.number}: learning from {len(samples)} lines.")
        model = tools.learn(samples, run / f"{name_round(one.number)}-model")
        one = replace(one, model=model.relative_to(run).as_posix())
        state = _put(run, state, one)
    figures = dict(tools.measure(run / one.model))
    return _put(run, state, replace(one, figures=figures, done=True))


def _gather(run: Path, pool: Pool, state: State, tools: Tools) -> list[Sample]:
    """The labelled lines of all rounds; labels are read again, for they may have been corrected."""
    samples: list[Sample] = []
    for one in state.rounds:
        texts = tools.label(read_batch(run / name_round(one.number))).texts
        ids = [key for key in one.labelled if key in texts]
        samples += [replace(sample, text=texts[sample.id]) for sample in pool.find(ids)]
    return samples


def find_engine(run: Path, state: State) -> str:
    """Who reads now: what the last round that learned made, else the shipped model."""
    models = [one.model for one in state.rounds if one.model]
    return f"{FIRST_ENGINE}:{run / models[-1]}" if models else FIRST_ENGINE


def name_round(number: int) -> str:
    """The folder of a round's batch, within the run."""
    return f"round-{number:02d}"


def _tell_plan(plan: Plan) -> str:
    return f"{plan.strategy}, budgets {', '.join(map(str, plan.budgets))}, seed {plan.seed}"
