"""The application: routes, guard, errors, and what runs beside them while it is up."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections.abc import AsyncIterator
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, JSONResponse, Response
from fastapi.staticfiles import StaticFiles
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from odia_ocr.apps.presets import DEFAULT_PRESET
from odia_ocr.apps.serve.description import describe_failures
from odia_ocr.apps.serve.failures import (
    NotFoundError,
    OutOfOrderError,
    RefusalError,
    status_of,
    tell_failure,
)
from odia_ocr.apps.serve.guard import Guard, too_large
from odia_ocr.apps.serve.reading_routes import make_reading_routes, tell_failures
from odia_ocr.apps.serve.records import FailureRecord, HealthRecord
from odia_ocr.apps.serve.review_routes import make_review_routes
from odia_ocr.apps.serve.service import Service
from odia_ocr.errors import OdiaOcrError

_SWEEP_EVERY = 60.0  # seconds
_PACKAGE = Path(str(files("odia_ocr")))
_STATIC = _PACKAGE / "apps" / "serve" / "static"
_FACES = frozenset({"NotoSansOriya-Regular.ttf", "NotoSansOriya-Bold.ttf"})
_ABOUT = """Odia pages in, right Unicode text out.

Errors are JSON with `code`, `message` and `next_step`. Where the server was started with an API
key, send it as `Authorization: Bearer KEY`. Each answer carries `X-Request-ID`.
"""


def make_application(service: Service) -> FastAPI:
    """The whole application on a service; it starts and stops the service's work."""

    @contextlib.asynccontextmanager
    async def live(_: FastAPI) -> AsyncIterator[None]:
        await run_in_threadpool(service.start)
        beside = [asyncio.create_task(_warm(service)), asyncio.create_task(_sweep(service))]
        yield
        for task in beside:
            task.cancel()
        await run_in_threadpool(service.stop)

    application = FastAPI(
        title="odia-ocr",
        version=version("odia-ocr"),
        description=_ABOUT,
        docs_url=None,  # its pages load their scripts from other hosts
        redoc_url=None,
        lifespan=live,
    )
    application.add_middleware(Guard, settings=service.settings, telling=service.telling)
    application.include_router(make_reading_routes(service))
    application.include_router(make_review_routes(service))
    _add_server_routes(application, service)
    _add_pages(application)
    _add_failures(application, service)
    describe_failures(application)
    return application


async def _warm(service: Service) -> None:
    """Open the usual models, so that the first request need not wait for them."""
    try:
        name = await run_in_threadpool(service.workers.warm, DEFAULT_PRESET)
    except Exception as error:  # told by /readyz
        service.telling.log_error("models-missing", error, {})
    else:
        service.telling.log("ready", {"recognizer": name})


async def _sweep(service: Service) -> None:
    """Forget what has expired, once in a while."""
    while True:
        try:
            await run_in_threadpool(service.forget_expired)
        except Exception as error:  # the next time may do
            service.telling.log_error("sweep-failed", error, {})
        await asyncio.sleep(_SWEEP_EVERY)


def _add_server_routes(application: FastAPI, service: Service) -> None:
    @application.get("/healthz", tags=["server"], summary="Is the process alive?")
    def tell_health() -> HealthRecord:
        return HealthRecord(status="ok")

    @application.get(
        "/readyz",
        tags=["server"],
        summary="Are the models open?",
        responses={503: {"model": FailureRecord, "description": "Not yet, or not at all."}},
    )
    def tell_readiness() -> HealthRecord:
        if DEFAULT_PRESET not in service.workers.warm_presets:
            raise OutOfOrderError(
                "The models are not open.", next_step="Wait; the log says when they are missing."
            )
        return HealthRecord(status="ready")

    @application.get(
        "/metrics",
        tags=["server"],
        summary="Figures for Prometheus",
        response_class=Response,
        responses={
            200: {"content": {"text/plain": {}}, "description": "In the text format."},
            **tell_failures(401),
        },
    )
    def show_figures() -> Response:
        load = service.workers.load()
        service.telling.documents.set(load.documents)
        service.telling.pages_waiting.set(load.waiting)
        service.telling.pages_busy.set(load.busy)
        return Response(service.telling.show_figures(), media_type="text/plain; version=0.0.4")


def _add_pages(application: FastAPI) -> None:
    """The review page, the page of the API, and what they are made of."""

    @application.get("/", include_in_schema=False)
    def show_review() -> FileResponse:
        return FileResponse(_STATIC / "index.html")

    @application.get("/docs", include_in_schema=False)
    def show_docs() -> FileResponse:
        return FileResponse(_STATIC / "docs.html")

    @application.get("/fonts/{name}", include_in_schema=False)
    def show_face(name: str) -> FileResponse:
        if name not in _FACES:
            raise NotFoundError("There is no such face.")
        return FileResponse(_PACKAGE / "data" / "fonts" / name, media_type="font/ttf")

    application.mount("/static", StaticFiles(directory=_STATIC), name="static")


def _add_failures(application: FastAPI, service: Service) -> None:
    """Every error is told in one form."""

    @application.exception_handler(OdiaOcrError)
    def tell_error(request: Request, error: OdiaOcrError) -> JSONResponse:
        status = status_of(error.code)
        if status >= 500:
            request_id = getattr(request.state, "request_id", None)
            service.telling.log_error("request-failed", error, {"request_id": request_id})
        headers = {}
        if isinstance(error, RefusalError) and error.retry_after is not None:
            headers["Retry-After"] = str(error.retry_after)
        body = tell_failure(error.code, error.message, error.next_step)
        return JSONResponse(body, status, headers)

    @application.exception_handler(RequestValidationError)
    def tell_wrong_request(_: Request, error: RequestValidationError) -> JSONResponse:
        wrong = "; ".join(
            f"{'.'.join(str(part) for part in item['loc'])}: {item['msg']}"
            for item in error.errors()[:5]
        )
        step = "See /docs for what is expected."
        if any(tuple(item["loc"]) == ("body", "file") for item in error.errors()):
            step = "Send it as multipart field 'file': curl -F file=@page.png URL"
        body = tell_failure("wrong-request", f"{wrong}.", step)
        return JSONResponse(body, 400)

    @application.exception_handler(HTTPException)
    def tell_http_error(_: Request, error: HTTPException) -> JSONResponse:
        if error.status_code == 413:  # found while the body came in
            refusal = too_large(service.settings)
            body = tell_failure(refusal.code, refusal.message, refusal.next_step)
            return JSONResponse(body, 413)
        code = {404: "not-found", 405: "wrong-method"}.get(error.status_code, "wrong-request")
        body = tell_failure(code, f"{error.detail.rstrip('.')}.", "See /docs for what there is.")
        return JSONResponse(body, error.status_code, error.headers)

    @application.exception_handler(sqlite3.Error)
    def tell_storage_error(request: Request, error: sqlite3.Error) -> JSONResponse:
        request_id = getattr(request.state, "request_id", None)
        service.telling.log_error("storage-failed", error, {"request_id": request_id})
        body = tell_failure(
            "storage", "The server's database cannot be used.", "Check free space where it is kept."
        )
        return JSONResponse(body, 500)
