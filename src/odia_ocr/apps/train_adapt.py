"""`odia-ocr train ctc --from WEIGHTS --data SET`: adapts in minutes and tells what it gave."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from odia_ocr.apps.out_folder import refuse_file
from odia_ocr.apps.train_settings import put_given, read_settings
from odia_ocr.errors import ConfigError, DataError, InputError, name_extra

if TYPE_CHECKING:
    from rich.console import Console

    from odia_ocr.train.adapt import AdaptConfig, TrainingLine
    from odia_ocr.train.run import OnStep

CHECK_SHARE = 0.15  # of the labelled lines chooses the weights
FEWEST = 20  # labelled lines of which a share can be spared
_GENERAL = 60  # lines of each held-out family and set in the report


def adapt_in_command(
    out: Path,
    data: Sequence[Path] | None,
    start: str | None,
    config: Path | None,
    given: Mapping[str, object],
    *,
    resume: bool,
    console: Console,
) -> None:
    """What the command does with its options; raises as `adapt_to_sets`, and for wrong use."""
    from rich.progress import Progress

    _refuse_use(out, data, start, resume=resume)
    try:
        from odia_ocr.train.adapt import AdaptConfig, adapt_config_from
    except ImportError as error:
        raise name_extra(error, "train", doing="Training") from error

    settings = read_settings(config, None, asdict(AdaptConfig()))
    put_given(settings, given)
    with Progress(console=console, disable=not console.is_terminal) as progress:
        task = progress.add_task("Adapting")
        model = adapt_to_sets(
            data or [],
            out,
            config=adapt_config_from(settings),
            start=None if start == "shipped" else Path(start or ""),
            report=lambda said: console.print(said, highlight=False, soft_wrap=True, markup=False),
            on_step=lambda step, steps: progress.update(task, completed=step, total=steps),
        )
    console.print(f"Read with: odia-ocr read PICTURE --engine ctc:{model}", soft_wrap=True)


def _refuse_use(out: Path, data: Sequence[Path] | None, start: str | None, *, resume: bool) -> None:
    """Refuse what no adaptation can do, before anything is loaded."""
    if not data or not start:
        raise ConfigError(
            "An adaptation needs weights and labelled lines.",
            next_step="Name them: --from shipped --data SET.",
        )
    if resume:
        raise ConfigError(
            f"{out}: an adaptation is not resumed.",
            next_step="Leave --resume out to adapt anew, or use --no-adapt for a long run.",
        )
    refuse_file(out)


def adapt_to_sets(
    sets: Sequence[Path],
    out: Path,
    *,
    config: AdaptConfig,
    start: Path | None,
    report: Callable[[str], None],
    on_step: OnStep,
) -> Path:
    """Adapt weights to labelled sets and write the report; returns the .onnx file.

    Raises:
        ConfigError: If the folder holds a model, or a run under way.
        DataError: If a set cannot be used, or holds no usable line.
    """
    from odia_ocr.recognize.ctc import load
    from odia_ocr.train.adapt import adapt_ctc, part_check
    from odia_ocr.train.adapt_report import (
        GENERAL,
        measure_changes,
        open_before,
        render_general,
        write_changes,
    )
    from odia_ocr.train.curve import draw_curve

    lines = read_sets(sets, report)
    share = CHECK_SHARE if len(lines) >= FEWEST else 0.0
    own, check = part_check(lines, share, seed=config.seed)
    if not check:
        report(f"Fewer than {FEWEST} labelled lines: none is held out to check with.")
    made = adapt_ctc(
        own, out, config=config, start=start, check=check, report=report, on_step=on_step
    )
    draw_curve(out / "log.jsonl", out / "learning_curve.svg")
    measured = {"own, held out": check}
    measured |= {name: render_general(name, per_family=_GENERAL) for name in GENERAL}
    changes = measure_changes(measured, open_before(start), load(str(made.model)))
    report(write_changes(changes, out, title=f"Adapted to {len(own)} lines: {out.name}"))
    report(f"{made.steps} steps, {made.seconds:.0f} s. The report is in {out / 'report.md'}.")
    return made.model


def read_sets(sets: Sequence[Path], report: Callable[[str], None]) -> list[TrainingLine]:
    """The labelled lines of data sets; pictures that cannot be opened are counted and left out.

    Raises:
        DataError: If nothing is left of them.
    """
    from odia_ocr.data.lineset import load_labelled
    from odia_ocr.train.adapt import TrainingLine

    lines: list[TrainingLine] = []
    broken: list[str] = []
    for where in sets:
        found = load_labelled(where)
        report(f"{where}: {found}")
        for line in found.lines:
            try:
                lines.append(TrainingLine(line.read_grey(), line.text))
            except InputError as error:
                broken.append(error.message)
    if broken:
        report(f"{len(broken)} pictures that cannot be opened left out, the first: {broken[0]}")
    if not lines:
        raise DataError(
            "No picture of the labelled lines can be opened.",
            next_step="See what is wrong with them: odia-ocr data check.",
        )
    return lines
