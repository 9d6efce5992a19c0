"""`odia-ocr batch`: large collections, read by several processes, resumable."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from odia_ocr.apps.engine_options import Adapters, Device, Dtype, LoadIn
from odia_ocr.apps.messages import tell_stop
from odia_ocr.apps.presets import DEFAULT_PRESET, choose_engine
from odia_ocr.apps.read_command import split_names
from odia_ocr.errors import UsageError, name_choices

if TYPE_CHECKING:
    from odia_ocr.apps.batch.plan import RayPlan

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
    runner: Annotated[
        str,
        typer.Option(metavar="process|ray", help="Where pages are read: here, or on Ray."),
    ] = "process",
    workers: Annotated[
        str | None,
        typer.Option(
            metavar="N|MIN-MAX",
            help="Processes, each with its own models; with --runner ray a range lets their number "
            "follow the work. [default: one a core]",
            show_default=False,
        ),
    ] = None,
    address: Annotated[
        str | None,
        typer.Option(
            metavar="auto|HOST:PORT",
            help="Ray cluster to work with. [default: one on this machine, for this run]",
            show_default=False,
        ),
    ] = None,
    gpus: Annotated[
        float | None,
        typer.Option(
            min=0.0,
            help="GPUs of one Ray worker; 0.25 shares one. [default: 0]",
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
      odia-ocr batch /shared/scans -o /shared/out --runner ray --address auto --workers 8-200

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

    ray = _choose_ray(runner, address, gpus, workers)
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
        workers=_parse_workers(workers)[1],
        page_seconds=page_seconds,
        tries=tries,
        retry=retry,
        ray=ray,
    )
    with tell_stop("The same command goes on with it."):
        code = run_batch(plan)
    raise typer.Exit(code)


def _choose_ray(
    runner: str, address: str | None, gpus: float | None, workers: str | None
) -> RayPlan | None:
    from odia_ocr.apps.batch.plan import RayPlan

    fewest, most = _parse_workers(workers)
    if runner == "ray":
        if address is not None and workers is None:
            raise UsageError(
                "How many workers the cluster is to have is not said.",
                next_step="Add --workers N, or --workers MIN-MAX where the cluster scales.",
            )
        return RayPlan(address, fewest, gpus or 0.0)
    if runner != "process":
        raise name_choices(runner, ["process", "ray"], kind="runner")
    for option, given in (
        ("--address", address is not None),
        ("--gpus", gpus is not None),
        ("--workers MIN-MAX", fewest != most),
    ):
        if given:
            raise UsageError(f"{option} is of --runner ray.", next_step="Add --runner ray.")
    return None


def _parse_workers(told: str | None) -> tuple[int, int]:
    """The fewest and the most."""
    from odia_ocr.runtime import count_threads

    if told is None:
        return count_threads(None), count_threads(None)
    match = re.fullmatch(r"([0-9]+)(?:-([0-9]+))?", told)
    fewest, most = (int(match[1]), int(match[2] or match[1])) if match else (0, 0)
    if not 1 <= fewest <= most:
        raise UsageError(
            f"--workers {told}: it is neither a number from 1 nor a range of them.",
            next_step="Give it as 8, or as 2-16.",
        )
    return fewest, most
