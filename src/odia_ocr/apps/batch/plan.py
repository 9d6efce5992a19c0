"""A batch from its plan to its exit status: manifest, runner and job are put together here."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from odia_ocr.apps.batch.catalogue import list_sources
from odia_ocr.apps.batch.job import DOCUMENTS, BatchJob
from odia_ocr.apps.batch.lines_table import check_library
from odia_ocr.apps.batch.manifest import Manifest
from odia_ocr.apps.batch.process_runner import ProcessRunner
from odia_ocr.apps.batch.progress import BatchProgress
from odia_ocr.apps.batch.ray_runner import RayRunner
from odia_ocr.apps.batch.reading import ReadingSettings
from odia_ocr.apps.batch.report import REPORT
from odia_ocr.apps.batch.runner import OpenWork, Runner
from odia_ocr.apps.batch.summary import Summary
from odia_ocr.apps.messages import say
from odia_ocr.apps.read_job import EXIT_NOTHING_READ, EXIT_SOME_FAILED
from odia_ocr.apps.sinks import FolderSink
from odia_ocr.errors import OdiaOcrError
from odia_ocr.export.document_json import name_generator
from odia_ocr.export.formats import Format


@dataclass(frozen=True, slots=True)
class RayPlan:
    """How a batch uses a Ray cluster.

    Attributes:
        address: Of the cluster; None makes one on this machine for this run.
        fewest: Workers that are kept while there is work.
        gpus: Of one worker.
    """

    address: str | None = None
    fewest: int = 1
    gpus: float = 0.0


@dataclass(frozen=True, slots=True)
class BatchPlan:
    """What to read, how, and where to.

    Attributes:
        inputs: As typed.
        folder: Where everything goes.
        reading: How pages are read.
        formats: What to write of each document.
        paragraphs: Join the printed lines of a paragraph where the format is running text.
        workers: Processes, or actors, at most.
        page_seconds: A page that takes longer is given up.
        tries: How often a page is tried before it is set aside.
        retry: Try what was set aside in earlier runs once more.
        ray: Read on a Ray cluster; None reads in processes of this machine.
    """

    inputs: tuple[str, ...]
    folder: Path
    reading: ReadingSettings
    formats: tuple[Format, ...]
    paragraphs: bool = False
    workers: int = 1
    page_seconds: float = 300.0
    tries: int = 3
    retry: bool = False
    ray: RayPlan | None = None

    def describe(self) -> dict[str, str]:
        """What results depend on; a batch is gone on with by the same only.

        Not the formats: the files of another one are made of what was read.
        """
        return {
            "version": name_generator(),
            **self.reading.describe(),
            "paragraphs": str(self.paragraphs),
        }


def run_batch(plan: BatchPlan, *, open_work: OpenWork | None = None) -> int:
    """Run a batch, or go on with it.

    Args:
        plan: What to do.
        open_work: Opens what does the tasks; default the reader that the plan describes.

    Returns:
        The exit status of the command.

    Raises:
        UsageError: If the output folder is no batch's, or another's; the engine is unknown.
        ResourceMissingError: If a library, a model or a program is missing.
        OutputError: If the manifest, the table or the report cannot be written.
    """
    check_library()
    runner = _choose_runner(plan, open_work or plan.reading)
    with Manifest(plan.folder, plan.describe()) as manifest:
        lost = _add_sources(plan, manifest)
        if plan.retry:
            manifest.try_again()
        before = manifest.count().ended
        run = manifest.begin_run(plan.workers)
        begun = time.monotonic()
        sink = FolderSink(
            plan.folder / DOCUMENTS,
            list(plan.formats),
            overlay=False,
            force=False,
            paragraphs=plan.paragraphs,
            dated=False,
        )
        with runner:
            job = BatchJob(plan.folder, manifest, runner, sink, plan.tries, BatchProgress())
            summary = job.run()
        seconds = time.monotonic() - begun
        pages = manifest.count().ended - before
        manifest.end_run(run, pages, pages / seconds)
    _tell(plan, summary, pages, seconds)
    return _exit_code(summary, lost + job.unwritten)


def _choose_runner(plan: BatchPlan, open_work: OpenWork) -> Runner:
    if plan.ray is None:
        return ProcessRunner(open_work, workers=plan.workers, page_seconds=plan.page_seconds)
    return RayRunner(
        open_work,
        fewest=plan.ray.fewest,
        most=plan.workers,
        page_seconds=plan.page_seconds,
        address=plan.ray.address,
        gpus=plan.ray.gpus,
    )


def _add_sources(plan: BatchPlan, manifest: Manifest) -> int:
    """Take the documents on; gives how many inputs could not be found."""
    lost = 0
    sources = []
    for source in list_sources(plan.inputs, output=plan.folder):
        if isinstance(source, OdiaOcrError):
            say(str(source))
            lost += 1
        else:
            sources.append(source)
    manifest.add(sources)
    return lost


def _tell(plan: BatchPlan, summary: Summary, pages: int, seconds: float) -> None:
    read = summary.pages - summary.quarantined_pages
    documents = _count(summary.documents, "document")
    speed = f", {pages / seconds:.2f} a second" if pages else ""
    say(
        f"{documents}: {_count(read, 'page')} read, {summary.quarantined_pages} set aside; "
        f"{_count(summary.failed_documents, 'document')} failed. "
        f"This run: {_count(pages, 'page')}{speed}. See {plan.folder / REPORT}."
    )


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}{'' if number == 1 else 's'}"


def _exit_code(summary: Summary, failures: int) -> int:
    failures += summary.failed_documents + summary.quarantined_pages + summary.unread_lines
    if not failures:
        return 0
    return EXIT_SOME_FAILED if summary.pages > summary.quarantined_pages else EXIT_NOTHING_READ
