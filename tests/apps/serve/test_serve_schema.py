"""The API is what its OpenAPI description says, whatever is sent to it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import (
    content_type_conformance,
    not_a_server_error,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from servers import Server, StubReader

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
OPERATIONS = 17


def describe(server: Server) -> Iterator[Any]:
    """The operations that the server describes."""

    async def started(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "lifespan":
            await server.client.app(scope, receive, send)
            return
        for _ in range(2):  # it is up already, and others end it
            message = await receive()
            await send({"type": f"{message['type']}.complete"})

    schema = schemathesis.openapi.from_asgi("/openapi.json", started)
    for found in schema.get_all_operations():
        yield found.ok()


def try_operations(server: Server, document: bytes, examples: int) -> None:
    """Send what fits the description and what does not, to live jobs and to none.

    Raises:
        FailureGroup: If an answer is not as it is described.
    """
    posted = server.client.post("/v1/jobs", files={"file": ("a.tif", document)}).json()
    done = server.wait(posted["id"])
    assert done["state"] == "done"
    operations = list(describe(server))
    assert len(operations) == OPERATIONS
    for operation in sorted(operations, key=lambda each: each.method == "delete"):
        cases = [
            operation.as_strategy(generation_mode=mode)
            for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
        ]
        check_operation(cases, done["id"], document, examples)


def check_operation(
    cases: list[st.SearchStrategy[Any]], job: str, document: bytes, examples: int
) -> None:
    @settings(
        max_examples=examples,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=st.one_of(cases), live=st.booleans(), whole=st.booleans(), line=st.booleans())
    def check(case: Any, live: bool, whole: bool, line: bool) -> None:
        if live and "job_id" in case.path_parameters:
            case.path_parameters["job_id"] = job
            if line and "line_id" in case.path_parameters:
                case.path_parameters |= {"number": 1, "line_id": "l1"}
        if whole and isinstance(case.body, dict) and "file" in case.body:
            case.body["file"] = [document] if isinstance(case.body["file"], list) else document
        case.call_and_validate(checks=CHECKS)

    check()


def test_answers_are_as_described(stub_server: Server, blank_tiff: Any, settings: Any) -> None:
    try_operations(stub_server, blank_tiff(2), 5)
    assert_nothing_left(stub_server, settings.folder)


@pytest.mark.slow
def test_answers_are_as_described_at_length(
    stub_server: Server, blank_tiff: Any, settings: Any
) -> None:
    try_operations(stub_server, blank_tiff(2), 150)
    assert_nothing_left(stub_server, settings.folder)


def test_a_locked_server_describes_itself_and_nothing_else(start: Any, stub: StubReader) -> None:
    locked = start(stub.open, api_key="a-key-of-thirty-two-characters-x")
    for operation in describe(locked):
        answer = locked.client.request(operation.method.upper(), operation.path)
        described = operation.definition.raw["responses"]
        assert str(answer.status_code) in described
        assert (answer.status_code == 401) == ("401" in described)


def assert_nothing_left(server: Server, folder: Path) -> None:
    """Files are there for jobs that are known, and for nothing else."""
    known = server.service.jobs.list_ids()
    assert not server.service.jobs.list_passing()
    assert {path.name for path in (folder / "jobs").iterdir()} <= known
