"""The routes that read: documents at once, documents as jobs, and what there is to read with."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends, File, Query, Request, UploadFile
from fastapi.responses import StreamingResponse
from starlette.concurrency import run_in_threadpool

from odia_ocr.apps.presets import DEFAULT_PRESET, PRESETS, measured_rates
from odia_ocr.apps.serve.failures import ClientGoneError, QueueFullError
from odia_ocr.apps.serve.records import (
    FailureRecord,
    JobList,
    JobRecord,
    ModelList,
    PresetRecord,
)
from odia_ocr.apps.serve.results import Answer, ReadDocument, write_answer
from odia_ocr.apps.serve.service import ReadingWish, Service, Taken, clean_name
from odia_ocr.errors import OdiaOcrError, name_choices
from odia_ocr.export.document_json import name_generator
from odia_ocr.export.formats import FORMATS, find_format
from odia_ocr.types import Problem

_LOOK_EVERY = 0.5  # seconds, whether somebody still waits for an answer
_MOST_LISTED = 100

Format = Annotated[
    str, Query(description=f"One of {', '.join(FORMATS)}.", examples=["json", "txt"])
]
Preset = Annotated[
    str, Query(description=f"One of {', '.join(PRESETS)}.", examples=[DEFAULT_PRESET])
]
Pages = Annotated[
    str | None, Query(description="Only these pages of each document.", examples=["1-3,7"])
]
Upload = Annotated[UploadFile, File(description="A picture or a PDF.")]
Uploads = Annotated[
    list[UploadFile], File(description="Pictures and PDFs; the field may be repeated.")
]


def tell_failures(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """What a route may answer besides success."""
    says = {
        400: "The request is wrong.",
        401: "The API key is missing or wrong.",
        404: "There is no such job, page or line.",
        409: "It is not in a state that allows this.",
        413: "Too many bytes, pixels or pages.",
        415: "Not a picture or PDF.",
        422: "The document cannot be read.",
        429: "Too much waits; the header Retry-After says for how many seconds.",
    }
    return {status: {"model": FailureRecord, "description": says[status]} for status in statuses}


def refuse_unknown(request: Request) -> None:
    """Refuse a misspelt parameter, which would be ignored in silence.

    Raises:
        UsageError: With the parameters that the route knows.
    """
    known = [field.alias for field in request.scope["route"].dependant.query_params]
    for name in request.query_params:
        if name not in known:
            raise name_choices(name, known, kind="parameter")


_STRICT = [Depends(refuse_unknown)]


def send(answer: Answer, *, failed_pages: int = 0) -> StreamingResponse:
    """An answer that is a file."""
    headers = {"Content-Disposition": f'attachment; filename="{answer.file_name}"'}
    if failed_pages:
        headers["X-Failed-Pages"] = str(failed_pages)
    return StreamingResponse(answer.chunks(), media_type=answer.media_type, headers=headers)


_FILES: dict[str, Any] = {
    "application/json": {"example": {"schema_version": 1, "source": "page.png", "pages": []}},
    **{form.media_type: {} for form in FORMATS.values() if form.name != "json"},
    "application/zip": {},
}


def make_reading_routes(service: Service) -> APIRouter:
    """The routes, on a service."""
    router = APIRouter(prefix="/v1")
    keep_seconds = service.settings.keep_seconds

    @router.post(
        "/read",
        dependencies=_STRICT,
        tags=["read"],
        summary="Read documents and wait for their text",
        response_class=StreamingResponse,
        responses={
            200: {"content": _FILES, "description": "The text, in the wanted format."},
            **tell_failures(400, 401, 413, 415, 422, 429),
        },
    )
    async def read(
        request: Request,
        file: Uploads,
        format: Format = "json",
        preset: Preset = DEFAULT_PRESET,
        pages: Pages = None,
    ) -> StreamingResponse:
        """Several files in one request give one answer: text joined by form feeds, JSON as
        `{"documents": [...]}`, other formats as a zip. A file or page that cannot be read leaves
        the others alone; the header `X-Failed-Pages` counts them.

            curl -F file=@page.png 'http://127.0.0.1:8000/v1/read?format=txt'
        """
        form = find_format(format)
        wish = ReadingWish.of(preset, pages)
        reading = _Reading(service, request)
        try:
            documents = await reading.read([*file], wish)
            answer = await run_in_threadpool(write_answer, documents, form)
        finally:
            await asyncio.shield(run_in_threadpool(reading.forget))
        return send(answer, failed_pages=sum(len(document.problems) for document in documents))

    @router.post(
        "/jobs",
        dependencies=_STRICT,
        tags=["jobs"],
        status_code=202,
        summary="Have a long document read",
        responses=tell_failures(400, 401, 413, 415, 422, 429),
    )
    def begin_job(file: Upload, preset: Preset = DEFAULT_PRESET, pages: Pages = None) -> JobRecord:
        """Answers at once; ask for the job until its state is done. It survives a restart.

        curl -F file=@book.pdf http://127.0.0.1:8000/v1/jobs
        """
        wish = ReadingWish.of(preset, pages)
        taken = service.take_in(file.filename, file.file, wish, passing=False)
        return JobRecord.of(taken.job, keep_seconds=keep_seconds)

    @router.get(
        "/jobs",
        dependencies=_STRICT,
        tags=["jobs"],
        summary="List jobs",
        responses=tell_failures(401),
    )
    def list_jobs(
        limit: Annotated[int, Query(ge=1, le=_MOST_LISTED)] = 50,
    ) -> JobList:
        """The newest first."""
        jobs = service.jobs.list_newest(limit)
        return JobList(jobs=[JobRecord.of(job, keep_seconds=keep_seconds) for job in jobs])

    @router.get(
        "/jobs/{job_id}", tags=["jobs"], summary="See a job", responses=tell_failures(401, 404)
    )
    def show_job(job_id: str) -> JobRecord:
        """Its state and progress."""
        return JobRecord.of(service.find_job(job_id), keep_seconds=keep_seconds)

    @router.delete(
        "/jobs/{job_id}",
        tags=["jobs"],
        summary="Cancel or remove a job",
        responses=tell_failures(401, 404),
    )
    def cancel_job(job_id: str) -> JobRecord:
        """One that has not ended is cancelled, and its document removed; one that had ended is
        removed with its text and corrections. Answers how it was left.
        """
        return JobRecord.of(service.cancel(job_id), keep_seconds=keep_seconds)

    @router.get(
        "/jobs/{job_id}/result",
        dependencies=_STRICT,
        tags=["jobs"],
        summary="Get what was read",
        response_class=StreamingResponse,
        responses={
            200: {"content": _FILES, "description": "The text, in the wanted format."},
            **tell_failures(400, 401, 404, 409, 413, 415, 422),
        },
    )
    def show_result(
        job_id: str,
        format: Format = "json",
        corrected: Annotated[
            bool, Query(description="As people corrected it; else as it was read.")
        ] = True,
    ) -> StreamingResponse:
        """In any format, as often as you like, until the job expires.

        curl 'http://127.0.0.1:8000/v1/jobs/ID/result?format=pdf' -o book.pdf
        """
        form = find_format(format)
        document = service.read_document(service.find_job(job_id), corrected=corrected)
        return send(write_answer([document], form), failed_pages=len(document.problems))

    @router.get("/models", tags=["server"], summary="List presets", responses=tell_failures(401))
    def list_models() -> ModelList:
        """What the server reads with, and what was measured of it."""
        rates = measured_rates()
        loaded = service.workers.warm_presets
        presets = [
            PresetRecord(
                name=name,
                default=name == DEFAULT_PRESET,
                loaded=name in loaded,
                measured=rates.get(name, {}),
            )
            for name in PRESETS
        ]
        return ModelList(version=name_generator(), presets=presets)

    return router


@dataclass(slots=True)
class _Arrival:
    """A document of a request: taken in, or why not."""

    name: str
    taken: Taken | None = None
    problem: Problem | None = None


class _Reading:
    """One request that waits for its documents."""

    def __init__(self, service: Service, request: Request) -> None:
        self._service = service
        self._request = request
        self._arrivals: list[_Arrival] = []

    async def read(self, uploads: Sequence[UploadFile], wish: ReadingWish) -> list[ReadDocument]:
        """Read all documents; of several, some may fail.

        Raises:
            OdiaOcrError: If none could be read, or there is no room.
        """
        failures: list[OdiaOcrError] = []
        for upload in uploads:
            arrival = _Arrival(clean_name(upload.filename))
            self._arrivals.append(arrival)
            try:
                arrival.taken = await run_in_threadpool(
                    self._service.take_in, upload.filename, upload.file, wish, passing=True
                )
            except QueueFullError:
                raise
            except OdiaOcrError as error:
                failures.append(error)
                arrival.problem = Problem(error.code, error.message, error.next_step)
        await self._wait()
        documents = []
        for arrival in self._arrivals:
            try:
                documents.append(await run_in_threadpool(self._give, arrival))
            except OdiaOcrError as error:
                failures.append(error)
                problem = Problem(error.code, error.message, error.next_step)
                documents.append(ReadDocument(arrival.name, problems=(problem,)))
        if len(failures) == len(self._arrivals):
            raise failures[0]
        return documents

    def _give(self, arrival: _Arrival) -> ReadDocument:
        if arrival.taken is None:
            assert arrival.problem is not None
            return ReadDocument(arrival.name, problems=(arrival.problem,))
        return self._service.read_document(self._service.find_job(arrival.taken.job.id))

    async def _wait(self) -> None:
        """Until all have ended.

        Raises:
            ClientGoneError: If who asked has gone meanwhile.
        """
        waiting = {
            asyncio.wrap_future(arrival.taken.ended)
            for arrival in self._arrivals
            if arrival.taken is not None
        }
        while waiting:
            _, waiting = await asyncio.wait(waiting, timeout=_LOOK_EVERY)
            if waiting and await self._request.is_disconnected():
                raise ClientGoneError("Nobody waits for the answer any more.")

    def forget(self) -> None:
        """Remove what was taken in for this request."""
        for arrival in self._arrivals:
            if arrival.taken is not None:
                self._service.forget(arrival.taken.job.id)
