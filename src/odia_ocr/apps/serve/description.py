"""The OpenAPI description, with what every request may be answered by the guard and the framework.

The framework describes a request that does not fit as 422 in a form of its own; this server answers
400, in the form of all its errors.
"""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from odia_ocr.apps.serve.records import FailureRecord

_OWN_FORM = "#/components/schemas/HTTPValidationError"
_SAYS = {
    "400": "The request is wrong.",
    "403": "Another web site, or another name of this server, speaks.",
    "413": "Too many bytes, pixels or pages.",
}


def describe_failures(application: FastAPI) -> None:
    """Let an application describe what its guard and its handlers answer."""

    def describe() -> dict[str, Any]:
        if application.openapi_schema is None:
            described = get_openapi(
                title=application.title,
                version=application.version,
                description=application.description,
                routes=application.routes,
            )
            for path in described["paths"].values():
                for operation in path.values():
                    _add_failures(operation)
            for name in ("HTTPValidationError", "ValidationError"):
                described["components"]["schemas"].pop(name, None)
            application.openapi_schema = described
        return application.openapi_schema

    application.openapi = describe  # type: ignore[method-assign]


def _add_failures(operation: dict[str, Any]) -> None:
    answers = operation["responses"]
    if _OWN_FORM in str(answers.get("422")):
        del answers["422"]
    statuses = ["403"]
    if "parameters" in operation or "requestBody" in operation:
        statuses.append("400")
    if "requestBody" in operation:
        statuses.append("413")
    form = {"schema": {"$ref": f"#/components/schemas/{FailureRecord.__name__}"}}
    for status in statuses:
        answer = {"description": _SAYS[status], "content": {"application/json": form}}
        answers.setdefault(status, answer)
    operation["responses"] = dict(sorted(answers.items()))
