"""The routes of the review: pages, their pictures, changes of lines, and lines to learn from."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path
from fastapi.responses import FileResponse, Response, StreamingResponse

from odia_ocr.apps.presets import PRESETS
from odia_ocr.apps.serve.failures import NotFoundError
from odia_ocr.apps.serve.reading_routes import send, tell_failures
from odia_ocr.apps.serve.records import (
    ChangeRecord,
    LineChange,
    LineHistory,
    PageRecord,
    RivalList,
    RivalRecord,
)
from odia_ocr.apps.serve.results import TruthLine, write_training_lines
from odia_ocr.apps.serve.review import list_rivals, list_truths
from odia_ocr.apps.serve.service import Service
from odia_ocr.language import normalise
from odia_ocr.types import Line, Page

# A picture never changes while its job lives, and only its reader may keep it.
_KEEP = {"Cache-Control": "private, max-age=86400, immutable"}

_MOST_PAGES = 10_000_000  # of any document; the database takes no number of any size
PageNumber = Annotated[int, Path(ge=1, le=_MOST_PAGES, description="From 1.")]


def make_review_routes(service: Service) -> APIRouter:
    """The routes, on a service."""
    router = APIRouter(prefix="/v1/jobs/{job_id}", tags=["review"])

    def find_page(job_id: str, number: int) -> Page:
        service.find_job(job_id)
        kept = service.jobs.find_page(job_id, number)
        if kept is None or kept.page is None:
            raise NotFoundError(
                f"Page {number} of this job has not been read.",
                next_step="See the job for its pages and its state.",
            )
        return kept.page

    def find_line(job_id: str, number: int, line_id: str) -> Line:
        for line in find_page(job_id, number).lines:
            if line.id == line_id:
                return line
        raise NotFoundError(
            f"Page {number} has no line {line_id[:40]!r}.", next_step="Load the page again."
        )

    @router.get(
        "/pages/{number}", summary="See a page with its lines", responses=tell_failures(401, 404)
    )
    def show_page(job_id: str, number: PageNumber) -> PageRecord:
        """Lines in reading order, with confidence, what people made of them, and rivals."""
        page = find_page(job_id, number)
        changes = service.corrections.of_page(job_id, number)
        return PageRecord.of(page, changes, service.find_job(job_id).review)

    @router.get(
        "/pages/{number}/picture",
        summary="See a page's picture",
        response_class=FileResponse,
        responses=tell_failures(401, 404, 422),
    )
    def show_picture(job_id: str, number: PageNumber) -> FileResponse:
        """WebP, as large as a screen can show; the page's own pixels are in its polygons."""
        find_page(job_id, number)
        return FileResponse(
            service.pictures.page(job_id, number), media_type="image/webp", headers=_KEEP
        )

    @router.get(
        "/pages/{number}/lines/{line_id}/picture",
        summary="See a line's picture",
        response_class=Response,
        responses=tell_failures(401, 404, 422),
    )
    def show_line_picture(job_id: str, number: PageNumber, line_id: str) -> Response:
        """PNG of the line as the recognizer saw it: straightened and in even light."""
        line = find_line(job_id, number, line_id)
        return Response(
            service.pictures.line(job_id, number, line), media_type="image/png", headers=_KEEP
        )

    @router.get(
        "/pages/{number}/lines/{line_id}/rivals",
        summary="See other readings of a line",
        responses=tell_failures(401, 404, 422),
    )
    def show_rivals(job_id: str, number: PageNumber, line_id: str) -> RivalList:
        """First the N best readings of the whole line, which is read once more for it, then what
        was read with one place changed; the likeliest first, nine at most.
        """
        line = find_line(job_id, number, line_id)
        others = service.find_others(service.find_job(job_id), number, line)
        return RivalList(
            rivals=[RivalRecord.of(rival) for rival in list_rivals(line.reading, others)]
        )

    @router.put(
        "/pages/{number}/lines/{line_id}",
        summary="Change a line",
        responses=tell_failures(400, 401, 404, 409),
    )
    def change_line(
        job_id: str, number: PageNumber, line_id: str, change: LineChange
    ) -> ChangeRecord:
        """Its text, written in the usual spelling, and what is said of it. `accepted` says that
        the text is what the picture shows.
        """
        find_line(job_id, number, line_id)
        text = normalise(change.text)
        kept = service.corrections.add(
            job_id, number, line_id, change.state, text, seen=change.revision
        )
        return ChangeRecord.of(kept)

    @router.get(
        "/pages/{number}/lines/{line_id}/history",
        summary="See how a line was changed",
        responses=tell_failures(401, 404),
    )
    def show_history(job_id: str, number: PageNumber, line_id: str) -> LineHistory:
        """Nothing is ever overwritten."""
        line = find_line(job_id, number, line_id)
        changes = service.corrections.history(job_id, number, line_id)
        return LineHistory(read=line.text, changes=[ChangeRecord.of(change) for change in changes])

    @router.get(
        "/training-lines",
        summary="Get accepted lines for training",
        response_class=StreamingResponse,
        responses={
            200: {
                "content": {"application/zip": {}},
                "description": "lines/NAME.png, lines/NAME.gt.txt, chosen.json",
            },
            **tell_failures(401, 404, 409),
        },
    )
    def show_training_lines(job_id: str) -> StreamingResponse:
        """A zip of line pictures and transcriptions, only those that somebody accepted. Unpacked,
        `odia-ocr train ctc --data` and `odia-ocr curate collect` take the folder.
        """
        job = service.find_job(job_id)
        truths = (
            TruthLine(
                f"{job_id[:8]}-{line.id}",
                service.pictures.line(job_id, page.number, line),
                line.text,
                read=read.text,
                confidence=read.reading.confidence if read.reading is not None else None,
            )
            for kept in service.jobs.load_pages(job)
            if (page := kept.page) is not None
            for read, line in list_truths(page, service.corrections.of_page(job_id, page.number))
        )
        return send(write_training_lines(job.name, PRESETS[job.preset], truths))

    return router
