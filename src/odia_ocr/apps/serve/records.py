"""What the API says and hears, as its documentation describes it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from odia_ocr.apps.serve.corrections import Correction, LineState
from odia_ocr.apps.serve.failures import tell_failure
from odia_ocr.apps.serve.jobs import Job, JobState
from odia_ocr.apps.serve.review import Doubt, Rival, list_rivals, rate_doubt
from odia_ocr.apps.serve.telling import iso_time
from odia_ocr.types import Line, Page, Problem

_JOB_ID = "0f3d2c9a6b1e4f7089ab12cd34ef5678"
_LONGEST_TEXT = 2_000  # characters of a line


class FailureRecord(BaseModel):
    """Every answer that is no success."""

    code: str = Field(examples=["picture-unreadable"])
    message: str = Field(examples=["page.png: the picture is truncated or corrupt."])
    next_step: str = Field(examples=["Copy, download or scan it again."])

    @classmethod
    def of(cls, problem: Problem) -> FailureRecord:
        """From a problem."""
        return cls(**tell_failure(problem.code, problem.message, problem.next_step))


class PageCounts(BaseModel):
    """Pages of a job."""

    wanted: int = Field(examples=[12])
    read: int = Field(examples=[5])
    failed: int = Field(examples=[0])


class JobRecord(BaseModel):
    """A document that waits, is being read or was."""

    id: str = Field(examples=[_JOB_ID])
    name: str = Field(description="What the sender calls it.", examples=["book.pdf"])
    preset: str = Field(examples=["balanced"])
    state: JobState = Field(examples=["running"])
    progress: float = Field(description="Share of its pages, 0..1.", examples=[0.4167])
    pages: PageCounts
    page_numbers: list[int] = Field(examples=[[1, 2, 3]])
    error: FailureRecord | None = Field(description="Why it failed.")
    created: str = Field(examples=["2026-01-31T09:30:00.123Z"])
    started: str | None
    finished: str | None
    expires: str = Field(description="When it is forgotten unless it is worked on.")

    @classmethod
    def of(cls, job: Job, *, keep_seconds: float) -> JobRecord:
        """From a job that is forgotten so long after it was last worked on."""
        return cls(
            id=job.id,
            name=job.name,
            preset=job.preset,
            state=job.state,
            progress=round((job.read + job.failed) / max(1, len(job.numbers)), 4),
            pages=PageCounts(wanted=len(job.numbers), read=job.read, failed=job.failed),
            page_numbers=list(job.numbers),
            error=None if job.error is None else FailureRecord.of(job.error),
            created=iso_time(job.created),
            started=None if job.started is None else iso_time(job.started),
            finished=None if job.finished is None else iso_time(job.finished),
            expires=iso_time(job.touched + keep_seconds),
        )


class JobList(BaseModel):
    """Jobs, the newest first."""

    jobs: list[JobRecord]


class PresetRecord(BaseModel):
    """A way to read."""

    name: str = Field(examples=["balanced"])
    default: bool
    loaded: bool = Field(description="Its models are open; others open when first asked for.")
    measured: dict[str, Any] = Field(
        description="On rendered pages, one thread: rates 0..1, seconds a page.",
        examples=[{"cer": 0.0217, "seconds": 0.19}],
    )


class ModelList(BaseModel):
    """What the server reads with."""

    version: str = Field(examples=["odia-ocr 0.1.0"])
    presets: list[PresetRecord]


class HealthRecord(BaseModel):
    """How the server is."""

    status: str = Field(examples=["ok"])


class RivalRecord(BaseModel):
    """Another reading of a line: one of the N best, or what was read with one place changed."""

    text: str = Field(description="The whole line.")
    before: str = Field(description="What changes.")
    after: str = Field(description="What it becomes.")
    start: int = Field(description="Where `before` begins in `read`, in code points.")
    share: float = Field(
        description="Its probability as a share of that of what was read: of a whole reading by "
        "picture and language, of one changed place by the picture alone."
    )

    @classmethod
    def of(cls, rival: Rival) -> RivalRecord:
        """From a rival."""
        return cls(
            text=rival.text,
            before=rival.before,
            after=rival.after,
            start=rival.start,
            share=rival.share,
        )


class RivalList(BaseModel):
    """Other readings of a line, first the N best of the whole line."""

    rivals: list[RivalRecord]


class LineRecord(BaseModel):
    """A line of a page for review."""

    id: str = Field(examples=["p0001-l003"])
    region: str | None
    polygon: list[tuple[float, float]] = Field(description="In pixels of the page.")
    read: str = Field(description="As it was read.")
    text: str = Field(description="As it stands now.")
    confidence: float | None = Field(description="Probability that `read` is right, 0..1.")
    doubt: Doubt
    state: LineState
    revision: int = Field(description="How often it was changed; send it back with a change.")
    rivals: list[RivalRecord] = Field(
        description="With one place changed; `.../rivals` also has the N best of the whole line."
    )

    @classmethod
    def of(cls, line: Line, correction: Correction | None, review: float | None) -> LineRecord:
        """From a line as it was read, and what was made of it."""
        confidence = line.reading.confidence if line.reading is not None else None
        return cls(
            id=line.id,
            region=line.region,
            polygon=list(line.polygon),
            read=line.text,
            text=line.text if correction is None else correction.text,
            confidence=None if confidence is None else round(confidence, 4),
            doubt=rate_doubt(line.reading, review),
            state=LineState.UNSEEN if correction is None else correction.state,
            revision=0 if correction is None else correction.revision,
            rivals=[RivalRecord.of(rival) for rival in list_rivals(line.reading)],
        )


class PageRecord(BaseModel):
    """A page for review."""

    number: int
    width: int = Field(description="Pixels; polygons are in these.")
    height: int
    lines: list[LineRecord]
    problems: list[FailureRecord]

    @classmethod
    def of(
        cls, page: Page, corrections: Mapping[str, Correction], review: float | None
    ) -> PageRecord:
        """From a page as it was read, and what was made of its lines."""
        return cls(
            number=page.number,
            width=page.size[0],
            height=page.size[1],
            lines=[LineRecord.of(line, corrections.get(line.id), review) for line in page.lines],
            problems=[FailureRecord.of(problem) for problem in page.problems],
        )


class LineChange(BaseModel):
    """A change of a line."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"text": "ଓଡ଼ିଆ ଭାଷା", "state": "accepted", "revision": 0}]},
    )

    text: str = Field(max_length=_LONGEST_TEXT)
    state: LineState = LineState.EDITED
    revision: int = Field(ge=0, description="How often it had been changed, as you saw it.")


class ChangeRecord(BaseModel):
    """A change that was kept."""

    text: str = Field(description="In the usual spelling.")
    state: LineState
    revision: int
    made: str

    @classmethod
    def of(cls, correction: Correction) -> ChangeRecord:
        """From a change."""
        return cls(
            text=correction.text,
            state=correction.state,
            revision=correction.revision,
            made=iso_time(correction.made),
        )


class LineHistory(BaseModel):
    """All changes of a line, oldest first."""

    read: str
    changes: list[ChangeRecord]
