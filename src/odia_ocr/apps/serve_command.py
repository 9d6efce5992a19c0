"""`odia-ocr serve`: the API and the review page on one port."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from odia_ocr.errors import ResourceMissingError

_LIBRARIES = ("fastapi", "uvicorn", "python_multipart", "prometheus_client")


def serve(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes a free one.")] = 8000,
    folder: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Private folder for documents, jobs and corrections. "
            "[default: ~/.local/state/odia-ocr/serve]",
        ),
    ] = None,
    api_key_file: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Requests must bring this key; or set ODIA_OCR_API_KEY."),
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option(min=1, help="Pages read at once.", show_default="the cores, 4 at most"),
    ] = None,
    queue: Annotated[
        int, typer.Option(min=1, help="Documents that may wait; more are told to come again.")
    ] = 64,
    max_megabytes: Annotated[float, typer.Option(min=0.001, help="Of one request.")] = 100.0,
    max_megapixels: Annotated[float, typer.Option(min=0.001, help="Of one page.")] = 120.0,
    max_pages: Annotated[int, typer.Option(min=1, help="Wanted pages of one document.")] = 2000,
    max_seconds: Annotated[
        float, typer.Option(min=0.001, help="For reading one document.")
    ] = 3600.0,
    keep_days: Annotated[
        float,
        typer.Option(min=0.0, help="Jobs are forgotten so long after they were last worked on."),
    ] = 7.0,
) -> None:
    """Serve the API and the review page.

    \b
    Examples:
      odia-ocr serve
      curl -F file=@page.png 'http://127.0.0.1:8000/v1/read?format=txt'
      ODIA_OCR_API_KEY=... odia-ocr serve --host 0.0.0.0 --port 80

    The review page is at /, the description of the API at /docs.
    """
    _check_libraries()
    from odia_ocr.apps.messages import say
    from odia_ocr.apps.serve.listening import listen, own_names, serve_forever
    from odia_ocr.apps.serve.settings import Limits, Settings, default_folder, find_api_key
    from odia_ocr.pages.images import PageLimits

    hosts = own_names(host)
    settings = Settings(
        folder=folder or default_folder(),
        workers=workers,
        keep_days=keep_days,
        api_key=find_api_key(api_key_file),
        hosts=hosts,
        limits=Limits(
            request_bytes=int(max_megabytes * 1e6),
            pages=max_pages,
            seconds=max_seconds,
            waiting=queue,
            page=PageLimits(max_pixels=int(max_megapixels * 1e6)),
        ),
    )
    if settings.api_key is None and not hosts:
        say("Anybody who reaches this address can read all documents; set ODIA_OCR_API_KEY.")
    serve_forever(settings, listen(host, port))


def _check_libraries() -> None:
    """Raise unless what the extra brings is there."""
    missing = [name for name in _LIBRARIES if find_spec(name) is None]
    if missing:
        raise ResourceMissingError(
            f"serve needs {', '.join(missing)}.",
            next_step="Install them with: pip install 'odia-ocr[serve]'",
        )
