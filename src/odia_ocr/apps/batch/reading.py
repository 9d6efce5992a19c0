"""What a worker does with a task: counts the pages of a document, or reads one of them."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING

from odia_ocr.apps.batch.kept_page import pack_page
from odia_ocr.apps.batch.runner import Counted, Made, PageRead, Task
from odia_ocr.pages.images import PageFile, PageLimits, open_pages, select_pages
from odia_ocr.pages.page_range import ALL_PAGES, PageRange
from odia_ocr.pipeline import DEFAULT_OPTIONS, PageOptions

if TYPE_CHECKING:
    from odia_ocr.pipeline import Reader


@dataclass(frozen=True, slots=True)
class ReadingSettings:
    """How pages are read; called in a worker, it opens the models.

    Attributes:
        engine: Name of the recognizer.
        detector: File of another line detector.
        pages: Of each document.
        limits: Largest page and PDF resolution.
        options: How pages are to be taken.
        digits: In which script digits are written.
    """

    engine: str = "ctc"
    detector: str | None = None
    pages: PageRange = ALL_PAGES
    limits: PageLimits = field(default_factory=PageLimits)
    options: PageOptions = DEFAULT_OPTIONS
    digits: str = "keep"

    def __call__(self) -> PageWork:
        """Open the models, on one thread: pages are read side by side, not lines.

        Raises:
            UsageError: If there is no such engine.
            ResourceMissingError: If it lacks something it needs.
        """
        from odia_ocr.pipeline import open_reader

        return PageWork(self, open_reader(self.engine, threads=1, detector=self.detector))

    def describe(self) -> dict[str, str]:
        """Each setting in words: results of different ones must not be mixed."""
        return {entry.name: str(getattr(self, entry.name)) for entry in fields(self)}


@dataclass(slots=True)
class PageWork:
    """Does tasks with open models; the file of the last task stays open for its next page."""

    settings: ReadingSettings
    reader: Reader
    _open: tuple[int, PageFile] | None = None

    def __call__(self, task: Task) -> Made:
        """Do a task.

        Raises:
            OdiaOcrError: If the document cannot be opened or the page cannot be read.
        """
        from odia_ocr.export.digits import write_page_digits

        file = self._file(task)
        if task.number is None:
            return Counted(tuple(select_pages(file, self.settings.pages)), tuple(file.problems))
        outcome = self.reader.read_one(file, self.settings.options, task.number)
        if outcome.error is not None:
            raise outcome.error
        assert outcome.page is not None
        return PageRead(pack_page(write_page_digits(outcome.page, self.settings.digits)))

    def _file(self, task: Task) -> PageFile:
        if self._open is not None:
            document, file = self._open
            if document == task.document and task.number is not None:
                return file
            file.close()
            self._open = None
        file = open_pages(task.path, name=task.name, limits=self.settings.limits)
        self._open = (task.document, file)
        return file
