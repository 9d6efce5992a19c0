"""`odia-ocr curate rounds`: choose, label, learn, measure, choose again, in one folder."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from odia_ocr.apps.curate_pseudo_command import PoolName, Steps, Threads, make_guard
from odia_ocr.apps.data_command import EXIT_FOUND
from odia_ocr.apps.messages import say
from odia_ocr.apps.out_folder import check_folder

if TYPE_CHECKING:
    from odia_ocr.data.sets.sample import Sample
    from odia_ocr.train.adapt import AdaptConfig, TrainingLine


def rounds(
    pool: PoolName,
    out: Annotated[Path, typer.Option("-o", "--out", help="Folder to begin, or to go on in.")],
    budget: Annotated[int, typer.Option(min=1, help="Lines of each round.")] = 50,
    strategy: Annotated[
        str,
        typer.Option(
            metavar="combined|uncertainty|disagreement|diverse|random",
            help="See `curate select --help`.",
        ),
    ] = "combined",
    check: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="SET", help="Labelled lines that each round is measured on.", show_default=False
        ),
    ] = None,
    some: Annotated[
        bool,
        typer.Option(
            "--partial", help="Learn from the labels there are; give the drafts back to the pool."
        ),
    ] = False,
    seed: Annotated[int, typer.Option(min=0, help="Same seed, same choice.")] = 0,
    steps: Steps = 150,
    threads: Threads = None,
) -> None:
    """Label the lines of a pool in rounds: each chooses with what was learned of those before.

    The command writes the batch of a round and ends. Correct its texts (see `curate select --help`)
    and give the same command again: it learns from all labels so far, measures, and writes the next
    batch. It can be killed at any time and goes on where it stood; labels are never written over.

    \b
    The folder holds:
      round-01/          the batch to label
      round-01-model/    what was learned, from the shipped weights on
      rounds.json        what was chosen, learned and measured

    \b
    Examples:
      odia-ocr curate rounds scans/ -o run/ --budget 50 --check kept_back/
      odia-ocr curate status run/round-01
      odia-ocr curate rounds scans/ -o run/ --budget 50 --check kept_back/
      odia-ocr read page.png --engine ctc:run/round-01-model/model.onnx

    Exit status: 0 a batch is ready, or all lines are labelled; 1 the batch is not labelled yet, or
    pictures were left out; 2 wrong use; 3 no usable pool, or no usable label.
    """
    from odia_ocr.curate.rounds import Plan, Tools, go_on, look_at, name_round, read_state
    from odia_ocr.curate.strategies import STRATEGIES
    from odia_ocr.errors import name_choices, name_extra

    if strategy not in STRATEGIES:
        raise name_choices(strategy, list(STRATEGIES), kind="strategy")
    try:
        from odia_ocr.train.adapt import AdaptConfig
    except ImportError as error:
        raise name_extra(error, "train", doing="Training") from error
    from odia_ocr.apps.curate_command import open_lines
    from odia_ocr.apps.train_adapt import read_sets

    before = read_state(out)
    if before is None:
        check_folder(out, force=False)
    lines = read_sets(check, say) if check else []
    guard = make_guard(lines, threads)
    tools = Tools(
        learn=make_learner(AdaptConfig(steps=steps, fit_lines=300, seed=seed), lines),
        measure=lambda model: guard(f"ctc:{model}"),
        look=partial(look_at, threads=threads),
        say=say,
        partial=some,
    )
    found = open_lines(pool, unit=None, out=out, threads=threads)
    state = go_on(out, found, Plan((budget,), strategy, seed), tools)
    if any(one.done for one in state.rounds) and state != before:
        say(f"shipped: {_describe(guard('ctc'))}")
    for one in state.rounds:
        if one.done:
            labels = sum(len(each.labelled) for each in state.rounds[: one.number])
            say(f"round {one.number}, {labels} labels: {_describe(one.figures)}")
    waits = state == before and not state.rounds[-1].done
    if waits or found.problems:
        raise typer.Exit(EXIT_FOUND)
    if not state.rounds[-1].done:
        say(f"Label {out / name_round(len(state.rounds))}, then give this command again.")


def make_learner(
    config: AdaptConfig, check: Sequence[TrainingLine]
) -> Callable[[Sequence[Sample], Path], Path]:
    """Fine-tuning from the shipped weights on; what a killed one left is thrown away.

    Args:
        config: Of the fine-tuning.
        check: Labelled lines that choose the weights and end the run.
    """
    from odia_ocr.language import normalise
    from odia_ocr.train.adapt import TrainingLine, adapt_ctc

    def learn(samples: Sequence[Sample], folder: Path) -> Path:
        shutil.rmtree(folder, ignore_errors=True)
        lines = [TrainingLine(one.picture.load(), normalise(one.text)) for one in samples]
        return adapt_ctc(lines, folder, config=config, check=check, report=say).model

    return learn


def _describe(rates: Mapping[str, float]) -> str:
    return ", ".join(f"CER {name} {rate:.2%}" for name, rate in rates.items())
