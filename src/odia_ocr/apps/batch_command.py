"""`odia-ocr batch`: large collections, read by several processes, resumable."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from odia_ocr.apps.engine_options import Adapters, Device, Dtype, LoadIn
from odia_ocr.apps.presets import DEFAULT_PRESET, choose_engine
from odia_ocr.apps.read_command import split_names
from odia_ocr.errors import UsageError, name_choices

_DEFAULT_FORMATS = ["txt", "json"]


def batch(
    inputs: Annotated[
        list[str],
        typer.Argument(
            metavar="INPUT ...",
            help="Pictures, PDFs, folders, globs, @LIST (a file with a path a line), or addresses "
            "such as s3://bucket/scans/.",
            show_default=False,
        ),
    ],
    output: Annotated[
        Path,
        typer.Option(
            "-o", "--output", metavar="OUT", help="Where to; the same again goes on with it."
        ),
    ],
    runner: Annotated[str, typer.Option(metavar="process", help="Where pages are read.")] = (
        "process"
    ),
    workers: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Processes, each with its own models. [default: one a core]",
            show_default=False,
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
        str, typer.Option(metavar="fast|balanced|best", help="As for odia-ocr read.")
    ] = DEFAULT_PRESET,
    pages: Annotated[
        str | None, typer.Option(metavar="1-3,7", help="Only these pages of each document.")
    ] = None,
    text_layer: Annotated[
        bool,
        typer.Option(
            "--text-layer",
            help="Take the text of PDF pages where it says what they show; read the others.",
        ),
    ] = False,
    split_spreads: Annotated[
        bool, typer.Option("--split-spreads", help="Read two-page spreads side by side.")
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
        str, typer.Option(metavar="keep|odia|ascii", help="Write all digits in one script.")
    ] = "keep",
    max_megapixels: Annotated[float, typer.Option(min=0.001, help="Refuse larger pages.")] = 120.0,
    page_seconds: Annotated[
        float, typer.Option(min=0.1, help="A page that takes longer is given up.")
    ] = 300.0,
    tries: Annotated[
        int, typer.Option(min=1, help="How often a page is tried before it is set aside.")
    ] = 3,
    retry: Annotated[
        bool, typer.Option("--retry", help="Try what was set aside in earlier runs once more.")
    ] = False,
) -> None:
    """Read a large collection; broken off at any moment, the same command goes on with it.

    OUT gets documents/ with the files of each document, lines.parquet with every line,
    summary.json and report.html; manifest.sqlite knows what is done. Pages that crash, hang or
    cannot be read are set aside with their error, and the rest goes on.

    \b
    Examples:
      odia-ocr batch scans/ -o out
      odia-ocr batch 'archive/**/*.pdf' -o out --format alto --format pdf --workers 8
      odia-ocr batch @paths.txt s3://bucket/scans/ -o out
      odia-ocr batch scans/ -o out --retry --page-seconds 900

    \b
    Exit status: 0 all read; 1 some page or document failed, the rest is written;
    2 wrong use; 3 nothing could be read.
    """
    from odia_ocr.apps.batch.plan import BatchPlan, run_batch
    from odia_ocr.apps.batch.reading import ReadingSettings
    from odia_ocr.export.digits import check_style
    from odia_ocr.export.formats import find_format
    from odia_ocr.pages.images import PageLimits
    from odia_ocr.pages.page_range import ALL_PAGES, parse_pages
    from odia_ocr.pipeline import PageOptions
    from odia_ocr.recognize.vlm.naming import compose_engine
    from odia_ocr.runtime import count_threads

    _check_runner(runner)
    check_style(digits)
    if output.exists() and not output.is_dir():
        raise UsageError(f"{output} is not a folder.", next_step="Give -o a folder.")
    reading = ReadingSettings(
        engine=compose_engine(
            choose_engine(engine, preset),
            adapters=tuple(adapter or ()),
            device=device,
            dtype=dtype,
            load_in=load_in,
        ),
        detector=str(detector) if detector else None,
        pages=parse_pages(pages) if pages else ALL_PAGES,
        limits=PageLimits(max_pixels=int(max_megapixels * 1e6), pdf_dpi=dpi),
        options=PageOptions(text_layer=text_layer, split_spreads=split_spreads),
        digits=digits,
    )
    plan = BatchPlan(
        inputs=tuple(inputs),
        folder=output,
        reading=reading,
        formats=tuple(find_format(name) for name in split_names(formats) or _DEFAULT_FORMATS),
        paragraphs=paragraphs,
        workers=count_threads(workers),
        page_seconds=page_seconds,
        tries=tries,
        retry=retry,
    )
    raise typer.Exit(run_batch(plan))


def _check_runner(name: str) -> None:
    if name == "ray":
        raise UsageError(
            "The runner ray is not part of this version.",
            next_step="Use --runner process, on each machine with its own share and -o.",
        )
    if name != "process":
        raise name_choices(name, ["process"], kind="runner")
