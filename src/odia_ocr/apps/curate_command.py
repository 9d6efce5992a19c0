"""`odia-ocr curate`: select, status, collect, and what other modules add to the group."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from odia_ocr.apps.curate_mine_command import mine
from odia_ocr.apps.curate_pseudo_command import distil, pseudo_label
from odia_ocr.apps.curate_rounds_command import rounds
from odia_ocr.apps.data_command import EXIT_FOUND, ColumnsOption, Force, From, Pictures
from odia_ocr.apps.data_told import TellFew
from odia_ocr.apps.messages import say, show_bar
from odia_ocr.apps.out_folder import check_folder
from odia_ocr.errors import name_choices

if TYPE_CHECKING:
    from odia_ocr.curate.features import LineFeatures
    from odia_ocr.curate.pool import Pool

UNITS = ["line", "page"]

app = typer.Typer(
    help="Learn from your own pages: choose what to label, take the labels back, or do without.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

Unit = Annotated[
    str | None,
    typer.Option(
        metavar="line|page",
        help="What the pool's pictures show. [default: told by their shape]",
        show_default=False,
    ),
]
Threads = Annotated[int | None, typer.Option(min=1, help="Processor threads.", show_default=False)]
Strategy = Annotated[
    str, typer.Option(metavar="combined|uncertainty|disagreement|diverse|random", help="See above.")
]
Seed = Annotated[int, typer.Option(min=0, help="Same seed, same choice.")]
Export = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="What Label Studio exported of the batch as JSON."),
]


@app.command("select")
def select(
    pool: Annotated[
        str,
        typer.Argument(
            metavar="POOL",
            help="Line pictures, pages, or a data set of any format; labelled or not.",
            show_default=False,
        ),
    ],
    out: Annotated[Path, typer.Option("-o", "--out", help="Folder of the batch.")],
    budget: Annotated[int, typer.Option(min=1, help="How many lines are to be labelled.")],
    strategy: Strategy = "combined",
    engine: Annotated[
        str,
        typer.Option(
            metavar="NAME[:MODEL]",
            help="Who will learn from the labels: ctc, ctc:FILE, vlm:MODEL[::ADAPTER] ...",
        ),
    ] = "ctc",
    known: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="BATCH",
            help="Batch chosen before: its lines are left alone.",
            show_default=False,
        ),
    ] = None,
    unit: Unit = None,
    seed: Seed = 0,
    form: From = None,
    columns: ColumnsOption = None,
    pictures: Pictures = None,
    threads: Threads = None,
    force: Force = False,
) -> None:
    """Choose the lines of a pool that are most worth labelling, and write them as a batch.

    \b
    Strategies:
      combined      the errors of the whole pool that labels promise to correct, for their work
      uncertainty   lines whose letters are likeliest to be wrong, by calibrated confidence
      disagreement  lines that several models read differently
      diverse       lines unlike each other
      random        any lines, to compare with

    The batch holds lines/ (NAME.png and NAME.gt.txt with what was read as a draft), label-studio/
    (the same as tasks), batch.html to look at, and chosen.json: which lines and why. Drafts begin
    with a pencil (U+270E), which no training takes: correct the text and take the pencil away.

    \b
    Examples:
      odia-ocr curate select scans/ -o batch/ --budget 100
      odia-ocr curate select lines/ -o batch-2/ --budget 100 --known batch/ --engine ctc:mine.onnx
      odia-ocr curate status batch/
      odia-ocr curate collect batch/ -o labelled/
      odia-ocr train ctc -o runs/mine --from shipped --data labelled/

    \b
    For a vision-language model:
      odia-ocr curate select scans/ -o batch/ --budget 100 --engine vlm:BASE
      odia-ocr train lora -o runs/lora --base BASE --data labelled/

    Exit status: 0 done; 1 something was left out, or the pool is smaller than the budget; 2 wrong
    use; 3 no usable pool.
    """
    from odia_ocr.curate.coverage import rate_coverage
    from odia_ocr.curate.labelling import read_batch, write_batch
    from odia_ocr.curate.strategies import STRATEGIES, choose_lines

    if strategy not in STRATEGIES:
        raise name_choices(strategy, list(STRATEGIES), kind="strategy")
    check_folder(out, force=force)
    gone = {line.choice.id for folder in known or [] for line in read_batch(folder).lines}
    found = open_lines(
        pool, unit=unit, out=out, form=form, columns=columns, pictures=pictures, threads=threads
    )
    tell = TellFew()
    for problem in found.problems:
        tell(found.name, problem)
    seen = _look(found, engine, threads, tell)
    tell.end()
    free = [line for line in seen if line.id not in gone]
    chosen = choose_lines(
        free, budget, strategy=strategy, seed=seed, known=[x for x in seen if x.id in gone]
    )
    wanted = {choice.id for choice in chosen}
    covered = rate_coverage(seen, [at for at, x in enumerate(seen) if x.id in wanted | gone])
    write_batch(
        out,
        chosen,
        {sample.id: sample for sample in found.find(wanted)},
        {line.id: line.text for line in free},
        engine=engine,
        covered=covered,
        facts={"pool": pool, "strategy": strategy, "seed": seed, "budget": budget},
    )
    say(f"{len(chosen)} of {len(free)} lines in {out}")
    say(
        f"They have {covered.clusters:.0%} of the pool's letters and conjuncts, and speak for "
        f"{covered.errors:.0%} of its expected errors."
    )
    if len(chosen) < budget:
        say(f"{pool} has {len(free)} lines left, fewer than the budget of {budget}.")
    if tell.count or len(chosen) < budget:
        raise typer.Exit(EXIT_FOUND)


def open_lines(
    where: str,
    *,
    unit: str | None,
    out: Path,
    form: str | None = None,
    columns: str | None = None,
    pictures: Path | None = None,
    threads: int | None = None,
) -> Pool:
    """The pool of a command: a set of lines, or the lines of pages."""
    from odia_ocr.apps.inputs import expand_inputs
    from odia_ocr.curate.page_lines import find_lines, look_like_pages
    from odia_ocr.curate.pool import Pool, may_be_pages, open_pool
    from odia_ocr.data.sets.columns import parse_columns
    from odia_ocr.errors import OdiaOcrError
    from odia_ocr.pipeline import open_reader
    from odia_ocr.types import Problem

    if unit is not None and unit not in UNITS:
        raise name_choices(unit, UNITS, kind="unit")
    inputs = []
    if unit == "page" or (unit is None and form is None and may_be_pages(where)):
        inputs = expand_inputs([where], output=out)
    files = [item.path for item in inputs if not isinstance(item, OdiaOcrError) and item.path]
    if unit == "page" or (files and unit is None and look_like_pages(files)):
        refused = [
            Problem(item.code, item.message, item.next_step)
            for item in inputs
            if isinstance(item, OdiaOcrError)
        ]
        # How lines are found does not depend on the language model.
        reader = open_reader("ctc-fast", threads=threads)
        with show_bar(None, "pages") as progress:
            return Pool([*refused, *find_lines(files, reader, progress=progress)], name=where)
    chosen = parse_columns(columns) if columns else None
    return open_pool(where, format=form, columns=chosen, pictures=pictures)


def _look(pool: Pool, engine: str, threads: int | None, tell: TellFew) -> list[LineFeatures]:
    from odia_ocr.curate.features import LineFeatures, open_features, read_features

    reader = open_features(engine, threads=threads)
    seen: list[LineFeatures] = []
    with show_bar(len(pool.lines), "lines") as progress:
        for item in read_features(pool.lines, reader, progress=progress):
            if isinstance(item, LineFeatures):
                seen.append(item)
            else:
                tell(pool.name, item)
    return seen


@app.command("status")
def status(
    batch: Annotated[Path, typer.Argument(help="Folder of a batch.", show_default=False)],
    export: Export = None,
) -> None:
    """Show how far a batch is labelled: looked at, drafts still, and labels that cannot be used.

    A line counts as looked at when its text no longer begins with the draft's pencil, or when
    Label Studio's export has a submitted annotation of it.

    \b
    Examples:
      odia-ocr curate status batch/
      odia-ocr curate status batch/ --export project-1.json

    Exit status: 0 every line has a usable label; 1 some has none yet; 3 it is no batch.
    """
    from odia_ocr.curate.labelling import read_batch, read_labels

    found = read_batch(batch)
    labels = read_labels(found, export)
    tell = TellFew()
    for problem in labels.problems:
        tell(str(batch), problem)
    typer.echo(
        f"{len(found.lines)} lines: {len(labels.texts)} looked at ({labels.corrected} corrected), "
        f"{len(labels.waiting)} drafts still, {len(labels.problems)} cannot be used"
    )
    if labels.waiting or labels.problems:
        raise typer.Exit(EXIT_FOUND)


@app.command("collect")
def collect(
    batches: Annotated[
        list[Path], typer.Argument(metavar="BATCH...", help="Batches.", show_default=False)
    ],
    out: Annotated[Path, typer.Option("-o", "--out", help="Folder to write into.")],
    to: Annotated[str, typer.Option("--to", metavar="FORMAT", help="Format to write.")] = "folder",
    export: Export = None,
    force: Force = False,
) -> None:
    """Take the labelled lines of batches as one data set; drafts and unusable labels stay behind.

    \b
    Examples:
      odia-ocr curate collect batch/ batch-2/ -o labelled/
      odia-ocr curate collect batch/ -o labelled/ --export project-1.json

    Exit status: 0 all lines were taken; 1 some were left out; 2 wrong use; 3 none was usable.
    """
    from odia_ocr.curate.labelling import read_batch, read_labels, take_labelled
    from odia_ocr.data.sets.formats import find_writer
    from odia_ocr.errors import DataError, UsageError

    if export is not None and len(batches) > 1:
        raise UsageError("An export is of one batch.", next_step="Collect the batches one by one.")
    write = find_writer(to)
    check_folder(out, force=force)
    tell = TellFew()
    samples = []
    drafts = 0
    for folder in batches:
        batch = read_batch(folder)
        labels = read_labels(batch, export)
        for problem in labels.problems:
            tell(str(folder), problem)
        drafts += len(labels.waiting)
        samples += list(take_labelled(batch, labels))
    tell.end()
    if not samples:
        raise DataError(
            f"No line of {', '.join(map(str, batches))} is labelled ({drafts} are drafts still).",
            next_step="Correct lines/NAME.gt.txt and take the pencil at the beginning away.",
        )
    say(f"{write(samples, out)} lines in {out}, {drafts} drafts left behind")
    if tell.count or drafts:
        raise typer.Exit(EXIT_FOUND)


app.command("rounds")(rounds)
app.command("mine")(mine)
app.command("pseudo-label")(pseudo_label)
app.command("distil")(distil)
