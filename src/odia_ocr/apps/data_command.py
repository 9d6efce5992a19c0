"""`odia-ocr data`: convert, stats, check, split."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from odia_ocr.apps.data_splits import list_lines, write_splits
from odia_ocr.apps.data_told import TellFew, describe_check, print_check, print_stats, to_json
from odia_ocr.apps.messages import report, say, show_bar
from odia_ocr.apps.out_folder import check_folder

if TYPE_CHECKING:
    from odia_ocr.data.sets.formats import SampleSet
    from odia_ocr.data.sets.sample import Sample
    from odia_ocr.line_reading import LineReader

EXIT_FOUND = 1

_FORMATS = """\b
Formats, told from what is there:
  folder        NAME.png (jpg, tif ...) beside NAME.gt.txt
  jsonl         pictures and metadata.jsonl with file_name and text
  parquet       Parquet files with a column of pictures and one of texts
  arrow         Arrow files, also what `datasets` saved to disk
  hub           owner/name[:split] on the Hugging Face hub, streamed (only read)
  alto, page    ALTO or PAGE XML beside the pictures of its pages
  label-studio  tasks exported as JSON, beside their pictures
  split         NAME.jsonl or split.json of `data split` (only read)
"""

app = typer.Typer(
    help=f"Labelled lines: convert, count, check and split data sets.\n\n{_FORMATS}",
    no_args_is_help=True,
    rich_markup_mode=None,
)

Sets = Annotated[
    list[str],
    typer.Argument(metavar="SET...", help="Folders, files or hub names.", show_default=False),
]
From = Annotated[
    str | None, typer.Option("--from", metavar="FORMAT", help="Read the sets as this format.")
]
ColumnsOption = Annotated[
    str | None,
    typer.Option(
        metavar="image=COLUMN,text=COLUMN",
        help="Columns of tables (also source=, id=), or the hub name of a known set.",
    ),
]
Pictures = Annotated[
    Path | None,
    typer.Option(help="Folder with the pictures that XML and JSON files speak of."),
]
JsonFile = Annotated[
    Path | None, typer.Option("--json", metavar="FILE", help="Write the full record.")
]
HtmlFile = Annotated[Path | None, typer.Option("--html", metavar="FILE", help="Write a report.")]
Force = Annotated[bool, typer.Option("--force", help="Write into what is there already.")]
Out = Annotated[Path, typer.Option("-o", "--out", help="Folder to write into.")]


@app.command("convert", epilog=_FORMATS)
def convert(
    sets: Sets,
    out: Out,
    to: Annotated[str, typer.Option("--to", metavar="FORMAT", help="Format to write.")],
    form: From = None,
    columns: ColumnsOption = None,
    pictures: Pictures = None,
    engine: Annotated[
        str | None,
        typer.Option(
            metavar="NAME[:MODEL]",
            help="With --to label-studio: read every line with this engine, and write its readings"
            " as predictions to be corrected, instead of the set's texts.",
        ),
    ] = None,
    readings: Annotated[
        bool,
        typer.Option(
            "--readings",
            help="With --to label-studio: the texts were read by a machine; write them as"
            " predictions to be corrected, not as annotations.",
        ),
    ] = False,
    force: Force = False,
) -> None:
    """Write sets as one set of another format.

    Lines go through one at a time, so a set may be of any size. Lines without text, and pictures
    that cannot be read whole, are told and left out. Splits get a folder or file of their own.

    \b
    Examples:
      odia-ocr data convert lines/ -o lines.parquet/ --to parquet
      odia-ocr data convert shantipriya/odia-ocr-merged:train -o merged/ --to folder
      odia-ocr data convert transkribus/ -o lines/ --to folder
      odia-ocr read scans/ -o read/ --format page
      odia-ocr data convert read/ --pictures scans/ -o tasks/ --to label-studio --readings
      odia-ocr data convert project.json --pictures scans/ -o corrected/ --to folder

    Exit status: 0 all was written; 1 something was left out; 2 wrong use; 3 no usable set.
    """
    from odia_ocr.data.sets.convert import convert_sets
    from odia_ocr.data.sets.formats import find_writer

    _check_predictions(to, engine, readings)
    write = find_writer(to)
    opened = _open_sets(sets, form, columns, pictures)
    _refuse_inside(out, sets)
    check_folder(out, force=force)
    if engine or readings:
        write = _write_predictions(engine)
    tell = TellFew()
    done = convert_sets(opened, out, write, tell=tell)
    tell.end()
    say(f"{done.written} lines in {out}")
    if not done.written:
        raise _nothing(sets)
    if done.left_out:
        raise typer.Exit(EXIT_FOUND)


def _check_predictions(to: str, engine: str | None, readings: bool) -> None:
    from odia_ocr.errors import UsageError

    if engine and readings:
        raise UsageError(
            "--engine reads the lines anew, --readings keeps their texts.",
            next_step="Use one of them.",
        )
    if (engine or readings) and to != "label-studio":
        raise UsageError(
            f"--to {to} holds no predictions.", next_step="Use --to label-studio, or leave it out."
        )


def _write_predictions(engine: str | None) -> Callable[[Iterable[Sample], Path], int]:
    """A writer of Label Studio tasks whose texts are predictions."""
    from odia_ocr.data.sets.label_studio import write_tasks

    if engine is None:
        return lambda samples, out: write_tasks(samples, out, readings="readings")
    from odia_ocr.data.sets.readings import read_samples

    reader = _open_reader(engine)
    return lambda samples, out: write_tasks(
        read_samples(samples, reader, tell=report), out, readings=reader.recognizer.name
    )


@app.command("stats", epilog=_FORMATS)
def stats(
    sets: Sets,
    json_file: JsonFile = None,
    html_file: HtmlFile = None,
    sheet: Annotated[
        Path | None,
        typer.Option(metavar="FILE.png", help="Write a contact sheet of some lines."),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Which lines are shown.")] = 0,
    form: From = None,
    columns: ColumnsOption = None,
    pictures: Pictures = None,
) -> None:
    """Count what sets are made of: lines, sources, characters, clusters, lengths, picture sizes.

    \b
    Examples:
      odia-ocr data stats lines/
      odia-ocr data stats lines/ --html lines.html --sheet lines.png --json lines.json

    Exit status: 0 all was counted; 1 some line cannot be used; 2 wrong use; 3 no usable set.
    """
    from odia_ocr.data.sets.stats import draw_sheet, gather_stats
    from odia_ocr.evaluate.report import write_report

    opened = _open_sets(sets, form, columns, pictures)
    tell = TellFew()
    with show_bar(None, "lines") as progress:
        found = gather_stats(opened, seed=seed, tell=tell, progress=progress)
    tell.end()
    if not found.lines:
        raise _nothing(sets)
    if json_file is not None:
        write_report(json_file, to_json(found.to_json()))
    if html_file is not None:
        try:
            from odia_ocr.apps.data_html import make_stats_html

            write_report(html_file, make_stats_html(found))
        except ImportError as error:
            raise _name_library(error) from error
    if sheet is not None:
        import numpy as np

        from odia_ocr.data.sets.out_files import write_bytes
        from odia_ocr.data.sets.sample import encode_png

        write_bytes(sheet, encode_png(np.asarray(draw_sheet(found.shown))).data)
    print_stats(found)
    if found.problems:
        raise typer.Exit(EXIT_FOUND)


@app.command("check", epilog=_FORMATS)
def check(
    sets: Sets,
    engine: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME[:MODEL]",
            help="Also doubt labels that this recognizer disagrees with, counting its confidence;"
            " of several, all must disagree.",
            show_default=False,
        ),
    ] = None,
    json_file: JsonFile = None,
    html_file: HtmlFile = None,
    form: From = None,
    columns: ColumnsOption = None,
    pictures: Pictures = None,
    threads: Annotated[
        int | None,
        typer.Option(min=1, help="Processor threads of the recognizer.", show_default=False),
    ] = None,
) -> None:
    """Find lines that harm training, and copies that make a measurement untrue.

    Several sets count as the splits of one (train/ test/), as do the splits within a set: a text
    or a picture that stands in two of them is a leak. Found are broken and empty pictures, empty
    texts, other scripts, characters outside the alphabet, texts far too long or short for their
    picture, copies and near-copies; with --engine also labels that do not fit their picture.

    \b
    Examples:
      odia-ocr data check lines/
      odia-ocr data check train/ test/ --engine ctc --json found.json
      odia-ocr data check splits/split.json --engine ctc --engine tesseract

    Exit status: 0 nothing was found; 1 something was; 2 wrong use; 3 no usable set.
    """
    from odia_ocr.data.sets.check import check_sets
    from odia_ocr.data.sets.doubts import Judge
    from odia_ocr.evaluate.report import write_report

    opened = _open_sets(sets, form, columns, pictures)
    judges = {name: Judge(_open_reader(name, threads)) for name in dict.fromkeys(engine or [])}
    with show_bar(None, "lines") as progress:
        found = check_sets(opened, judges=judges, progress=progress)
    if not found.lines and not found.findings:
        raise _nothing(sets)
    if json_file is not None:
        write_report(json_file, to_json(describe_check(found)))
    if html_file is not None:
        from odia_ocr.apps.data_html import make_check_html

        write_report(html_file, make_check_html(found))
    print_check(found)
    if found.faults:
        raise typer.Exit(EXIT_FOUND)


@app.command("split", epilog=_FORMATS)
def split(
    sets: Sets,
    out: Out,
    shares: Annotated[
        str, typer.Option(help="Names and shares of the splits; together they make 1.")
    ] = "train=0.8,check=0.1,test=0.1",
    by: Annotated[
        str,
        typer.Option(
            metavar="source|text|FIELD",
            help="What stays together: a source (book, page), a text, or a field of the set.",
        ),
    ] = "source",
    seed: Annotated[int, typer.Option(min=0, help="Same seed, same splits.")] = 0,
    copy: Annotated[
        str | None,
        typer.Option(metavar="FORMAT", help="Also write each split as a set of this format."),
    ] = None,
    form: From = None,
    columns: ColumnsOption = None,
    pictures: Pictures = None,
    force: Force = False,
) -> None:
    """Divide sets into splits that know nothing of each other.

    Whole sources go into a split, because lines of one book or page share their type, paper and
    words: with some of them in training the others would test nothing. A text, or nearly that text,
    never stands in two splits: it stays in the smallest, so that tests keep what they test, and is
    left out of the others. Larger sources are dealt out first; shares are met as well as whole
    sources allow.

    Nothing is copied: the folder gets NAME.jsonl for each split, which lists lines by set and id,
    and split.json, which says how it was done. Lists can be read like any set, so a picture exists
    once and a corrected text is corrected in its split too. --copy FORMAT also writes the splits
    out, for programs that want files.

    \b
    Examples:
      odia-ocr data split lines/ -o splits/
      odia-ocr data split a/ b/ -o splits/ --shares train=0.9,test=0.1 --by family --seed 7
      odia-ocr data check splits/split.json
      odia-ocr train ctc -o runs/mine --data splits/train.jsonl

    Exit status: 0 done; 1 some line cannot be used and is in no split; 2 wrong use; 3 no usable
    set, or too few sources.
    """
    from odia_ocr.data.sets.formats import find_writer
    from odia_ocr.data.sets.split import divide, parse_shares

    wanted = parse_shares(shares)
    write = find_writer(copy) if copy else None
    opened = _open_sets(sets, form, columns, pictures)
    _refuse_inside(out, sets)
    check_folder(out, force=force)
    tell = TellFew()
    listed, lines = list_lines(opened, out, by, tell)
    tell.end()
    division = divide(lines, wanted, seed=seed)
    write_splits(out, opened, listed, division, {"shares": wanted, "by": by, "seed": seed})
    if write is not None:
        from odia_ocr.data.sets.convert import convert_sets
        from odia_ocr.data.sets.formats import open_set

        manifest = open_set(
            out / "split.json", columns=opened[0].address.columns, pictures=pictures
        )
        convert_sets([manifest], out, write, tell=tell)
    if tell.count:
        raise typer.Exit(EXIT_FOUND)


def _open_sets(
    names: list[str], form: str | None, columns: str | None, pictures: Path | None
) -> list[SampleSet]:
    from odia_ocr.data.sets.columns import parse_columns
    from odia_ocr.data.sets.formats import open_set

    chosen = parse_columns(columns) if columns else None
    return [open_set(name, format=form, columns=chosen, pictures=pictures) for name in names]


def _refuse_inside(out: Path, sets: list[str]) -> None:
    """An output within a set would be read as a part of it."""
    from odia_ocr.errors import OutputError

    for name in sets:
        if Path(name).is_dir() and out.resolve().is_relative_to(Path(name).resolve()):
            raise OutputError(
                f"{out} lies within {name}, which is read.", next_step="Give -o a folder beside it."
            )


def _open_reader(engine: str, threads: int | None = None) -> LineReader:
    from odia_ocr.correct.calibrate import load_for
    from odia_ocr.line_reading import LineReader
    from odia_ocr.recognize import open_recognizer

    recognizer = open_recognizer(engine, threads=threads)
    return LineReader(recognizer, load_for(recognizer))


def _nothing(sets: list[str]) -> Exception:
    from odia_ocr.errors import DataError

    return DataError(
        f"No usable line in {', '.join(sets)}.", next_step="See `odia-ocr data --help` for formats."
    )


def _name_library(error: ImportError) -> Exception:
    from odia_ocr.errors import ResourceMissingError

    return ResourceMissingError(
        f"This needs a library that is not installed: {error.name}.",
        next_step="Install it with: pip install 'odia-ocr[data]'.",
    )
