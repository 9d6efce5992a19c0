"""The command `odia-ocr`: its sub-commands, and how errors end it.

Every error the package raises on purpose ends in one clear line, the next step and its exit
status. `--debug` or ODIA_OCR_DEBUG=1 shows the traceback instead.
"""

from __future__ import annotations

import io
import os
import sys
import warnings
from typing import Annotated

import typer

from odia_ocr.apps.adapters_command import app as adapters
from odia_ocr.apps.batch_command import batch
from odia_ocr.apps.campaign_command import app as campaign
from odia_ocr.apps.curate_command import app as curate
from odia_ocr.apps.data_command import app as data
from odia_ocr.apps.evaluate_command import evaluate
from odia_ocr.apps.publish_command import publish
from odia_ocr.apps.read_command import read
from odia_ocr.apps.render_command import app as render
from odia_ocr.apps.serve_command import serve
from odia_ocr.apps.techniques_command import techniques
from odia_ocr.apps.train_command import app as train
from odia_ocr.errors import OdiaOcrError

_HELP = """Odia pages in, right Unicode text out, offline.

\b
  odia-ocr read page.jpg                 text on standard output
  odia-ocr read scans/ -o text/          one .txt and .json for each file
  odia-ocr COMMAND --help                options and examples of a command
"""

app = typer.Typer(
    name="odia-ocr",
    help=_HELP,
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _show_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"odia-ocr {version('odia-ocr')}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version."),
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks of errors.")] = False,
) -> None:
    if debug:
        os.environ["ODIA_OCR_DEBUG"] = "1"


# Their modules import nothing heavy until they run.
app.command()(read)
app.command()(evaluate)
app.command()(batch)
app.add_typer(render, name="render")
app.add_typer(train, name="train")
app.add_typer(data, name="data")
app.add_typer(curate, name="curate")
app.add_typer(campaign, name="campaign")
app.command()(techniques)
app.command()(publish)
app.add_typer(adapters, name="adapters")
app.command()(serve)


def main() -> None:
    """Run the command and exit."""
    _use_utf8()
    # Pillow tells of odd tags in files that it reads all the same; what it cannot read is told.
    warnings.filterwarnings("ignore", module=r"PIL\.")
    try:
        app()
    except OdiaOcrError as error:
        if os.environ.get("ODIA_OCR_DEBUG"):
            raise
        typer.echo(f"odia-ocr: {error}", err=True)
        sys.exit(error.exit_code)


def _use_utf8() -> None:
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")
