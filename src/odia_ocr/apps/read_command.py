"""`odia-ocr read`: files to text on standard output, or to files in a folder.

Standard output holds the text and nothing else. One bad file or page never stops the others.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from odia_ocr.apps.engine_options import Adapters, Device, Dtype, LoadIn
from odia_ocr.apps.inputs import expand_inputs
from odia_ocr.apps.messages import show_progress
from odia_ocr.apps.presets import DEFAULT_PRESET, choose_engine, describe_presets
from odia_ocr.apps.read_job import ReadJob
from odia_ocr.apps.sinks import FolderSink, Sink, TextSink
from odia_ocr.errors import UsageError

_DEFAULT_FORMATS = ["txt", "json"]


def read(
    inputs: Annotated[
        list[str],
        typer.Argument(
            metavar="FILE|FOLDER|- ...",
            help="Pictures, TIFFs, PDFs, folders of them, or - for standard input.",
            show_default=False,
        ),
    ],
    output: Annotated[
        Path | None,
        typer.Option(
            "-o", "--output", metavar="DIR", help="Write files there instead of standard output."
        ),
    ] = None,
    formats: Annotated[
        list[str] | None,
        typer.Option(
            "--format",
            metavar="NAME",
            help="txt, json, md, hocr, alto, page or pdf; may be repeated. [default: txt, json]",
        ),
    ] = None,
    engine: Annotated[
        str, typer.Option(metavar="NAME[:MODEL]", help="Which recognizer reads.")
    ] = "ctc",
    adapter: Adapters = None,
    device: Device = None,
    dtype: Dtype = None,
    load_in: LoadIn = None,
    detector: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Line detector made by train detector."),
    ] = None,
    preset: Annotated[
        str,
        typer.Option(
            metavar="fast|balanced|best",
            help="fast reads without the language model; best shows doubtful lines to further "
            f"models.{describe_presets()}",
        ),
    ] = DEFAULT_PRESET,
    pages: Annotated[
        str | None, typer.Option(metavar="1-3,7", help="Only these pages of each file.")
    ] = None,
    text_layer: Annotated[
        bool,
        typer.Option(
            "--text-layer",
            help="Take the text of PDF pages where it says what they show; read the others.",
        ),
    ] = False,
    split_spreads: Annotated[
        bool,
        typer.Option("--split-spreads", help="Read two-page spreads side by side."),
    ] = False,
    dpi: Annotated[
        float,
        typer.Option(min=72, max=1200, help="Resolution of drawn PDF pages; scans keep their own."),
    ] = 300.0,
    paragraphs: Annotated[
        bool,
        typer.Option("--paragraphs", help="Join the printed lines of a paragraph (txt and md)."),
    ] = False,
    digits: Annotated[
        str,
        typer.Option(metavar="keep|odia|ascii", help="Write all digits in one script."),
    ] = "keep",
    overlay: Annotated[
        bool, typer.Option("--overlay", help="Also draw each page with its lines (needs -o).")
    ] = False,
    threads: Annotated[
        int | None,
        typer.Option(min=1, help="Processor threads of the recognizer.", show_default=False),
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Replace output files that exist.")
    ] = False,
    max_megapixels: Annotated[float, typer.Option(min=0.001, help="Refuse larger pages.")] = 120.0,
) -> None:
    """Read pictures of Odia pages and give their text.

    Without -o the text goes to standard output, one printed line a line, a blank line between
    blocks, a form feed between pages; everything else goes to standard error.

    \b
    Examples:
      odia-ocr read page.jpg
      odia-ocr read scans/ -o text/
      odia-ocr read book.tif --pages 3-5 -o text/ --format txt --overlay
      odia-ocr read report.pdf --text-layer -o text/
      odia-ocr read page.png --engine vlm:BASE --adapter runs/mine/checkpoint-250
      odia-ocr read scan.pdf -o text/ --format pdf --format md --paragraphs
      curl -s https://example.org/page.png | odia-ocr read -

    \b
    Exit status: 0 all read; 1 some page or file failed, the rest is written;
    2 wrong use; 3 nothing could be read.
    """
    from odia_ocr.export.digits import check_style
    from odia_ocr.export.formats import find_format
    from odia_ocr.pages.images import PageLimits
    from odia_ocr.pages.page_range import ALL_PAGES, parse_pages
    from odia_ocr.pipeline import PageOptions
    from odia_ocr.recognize.vlm.naming import compose_engine

    engine = choose_engine(engine, preset)
    check_style(digits)
    wanted = [find_format(name) for name in split_names(formats) or _DEFAULT_FORMATS]
    if output is None and (overlay or (formats and [f.name for f in wanted] != ["txt"])):
        raise UsageError(
            f"{'--overlay' if overlay else '--format'} needs a folder for its files.",
            next_step="Add -o DIR.",
        )
    if output is not None and output.exists() and not output.is_dir():
        raise UsageError(f"{output} is not a folder.", next_step="Give -o a folder.")
    engine = compose_engine(
        engine, adapters=tuple(adapter or ()), device=device, dtype=dtype, load_in=load_in
    )
    job = ReadJob(
        engine=engine,
        detector=str(detector) if detector else None,
        threads=threads,
        pages=parse_pages(pages) if pages else ALL_PAGES,
        limits=PageLimits(max_pixels=int(max_megapixels * 1e6), pdf_dpi=dpi),
        options=PageOptions(text_layer=text_layer, split_spreads=split_spreads),
        digits=digits,
    )
    sink: Sink
    if output is None:
        sink = TextSink(paragraphs)
    else:
        sink = FolderSink(output, wanted, overlay, force, paragraphs)
    items = expand_inputs(inputs, output=output)
    # Text that appears on the terminal shows how far it is; a bar would be drawn into it.
    quiet = output is None and sys.stdout.isatty()
    with show_progress(len(items), quiet=quiet) as progress:
        job.read(items, sink, progress)
    raise typer.Exit(job.exit_code())


def split_names(formats: list[str] | None) -> list[str]:
    """The names of a repeatable option whose values may also be lists with commas."""
    names = [name.strip() for entry in formats or [] for name in entry.split(",")]
    return list(dict.fromkeys(name for name in names if name))
