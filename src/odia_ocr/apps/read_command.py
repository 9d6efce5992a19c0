"""`odia-ocr read`: files to text on standard output, or to files in a folder.

Standard output holds the text and nothing else. One bad file or page never stops the others.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from odia_ocr.apps.inputs import Input, expand_inputs
from odia_ocr.apps.messages import report, say, show_progress
from odia_ocr.apps.sinks import FolderSink, Sink, TextSink
from odia_ocr.errors import OdiaOcrError, ResourceMissingError, UsageError

if TYPE_CHECKING:
    from odia_ocr.pages.images import PageFile, PageLimits
    from odia_ocr.pages.page_range import PageRange
    from odia_ocr.pipeline import PageOutcome, Reader

EXIT_SOME_FAILED = 1
EXIT_NOTHING_READ = 3
_DEFAULT_FORMATS = ["txt", "json"]
# Said to the reader, yet no failure: the page was read as far as it goes.
_REMARKS = frozenset({"blank-page", "doubtful"})


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
            "--format", metavar="NAME", help="txt or json; may be repeated. [default: both]"
        ),
    ] = None,
    engine: Annotated[
        str, typer.Option(metavar="NAME[:MODEL]", help="Which recognizer reads.")
    ] = "ctc",
    pages: Annotated[
        str | None, typer.Option(metavar="1-3,7", help="Only these pages of each file.")
    ] = None,
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
      curl -s https://example.org/page.png | odia-ocr read -

    \b
    Exit status: 0 all read; 1 some page or file failed, the rest is written;
    2 wrong use; 3 nothing could be read.
    """
    from odia_ocr.export.formats import find_format
    from odia_ocr.pages.images import PageLimits
    from odia_ocr.pages.page_range import ALL_PAGES, parse_pages

    wanted = [find_format(name) for name in _split_names(formats) or _DEFAULT_FORMATS]
    if output is None and (overlay or (formats and [f.name for f in wanted] != ["txt"])):
        raise UsageError(
            f"{'--overlay' if overlay else '--format'} needs a folder for its files.",
            next_step="Add -o DIR.",
        )
    if output is not None and output.exists() and not output.is_dir():
        raise UsageError(f"{output} is not a folder.", next_step="Give -o a folder.")
    job = ReadJob(
        engine=engine,
        threads=threads,
        pages=parse_pages(pages) if pages else ALL_PAGES,
        limits=PageLimits(max_pixels=int(max_megapixels * 1e6)),
    )
    sink: Sink = TextSink() if output is None else FolderSink(output, wanted, overlay, force)
    for item in expand_inputs(inputs, output=output):
        if isinstance(item, OdiaOcrError):
            job.fail(item)
        else:
            job.read(item, sink)
    raise typer.Exit(job.exit_code())


def _split_names(formats: list[str] | None) -> list[str]:
    names = [name.strip() for entry in formats or [] for name in entry.split(",")]
    return list(dict.fromkeys(name for name in names if name))


@dataclass(slots=True)
class ReadJob:
    """One call of the command: what to read with, and what became of it so far."""

    engine: str
    threads: int | None
    pages: PageRange
    limits: PageLimits
    done: int = 0
    failures: int = 0
    _reader: Reader | None = None

    def read(self, item: Input, sink: Sink) -> None:
        """Read one document into the sink; its failure is reported and counted."""
        from odia_ocr.pages.images import open_pages

        if sink.keeps(item):
            say(f"{item.name}: kept {sink.describe(item)}, use --force to replace.")
            self.done += 1
            return
        try:
            file = open_pages(item.content(), name=item.name, limits=self.limits)
            with contextlib.closing(file), sink.open(item) as take_page:
                for outcome in self._outcomes(file):
                    self._count(item, outcome)
                    take_page(outcome)
        except ResourceMissingError:
            raise
        except OdiaOcrError as error:
            self.fail(error)

    def _outcomes(self, file: PageFile) -> Iterator[PageOutcome]:
        from odia_ocr.pipeline import open_reader

        if self._reader is None:
            self._reader = open_reader(self.engine, threads=self.threads)
        with show_progress(file.source, len(self.pages.select(file.count))) as advance:
            for outcome in self._reader.read_each(file, self.pages):
                yield outcome
                advance()

    def _count(self, item: Input, outcome: PageOutcome) -> None:
        if outcome.problem is not None:
            self.failures += 1
            report(item.name, outcome.problem)
        if outcome.page is not None:
            self.done += 1
            for problem in outcome.page.problems:
                self.failures += problem.code not in _REMARKS
                report(item.name, problem)

    def fail(self, error: OdiaOcrError) -> None:
        """Report a document that could not be read."""
        self.failures += 1
        say(str(error))

    def exit_code(self) -> int:
        """Exit status of the whole call."""
        if not self.failures:
            return 0
        return EXIT_SOME_FAILED if self.done else EXIT_NOTHING_READ
