"""A server that speaks the OpenAI chat API as a recognizer: vLLM, llama-server, transformers serve.

Each line goes out as a picture with a prompt; several are under way at once. A line that the server
fails on is a `Problem` and leaves the others alone. Knows addresses and prompts; refuses to know
HTTP (`remote_chat.py`) and what answers look like inside (`remote_answer.py`).
"""

from __future__ import annotations

import base64
import io
import os
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from multiprocessing.pool import ThreadPool
from threading import Event
from typing import Any
from urllib.parse import parse_qsl, urlsplit, urlunsplit

from PIL import Image

from odia_ocr.errors import (
    EngineMissingError,
    RecognitionError,
    ResourceMissingError,
    UsageError,
    name_choices,
)
from odia_ocr.recognize.remote_answer import Answer, make_hypothesis, read_answers
from odia_ocr.recognize.remote_chat import ChatServer, UnreachableError
from odia_ocr.recognize.vlm.line_picture import fit_line
from odia_ocr.recognize.vlm.settings import VlmSettings
from odia_ocr.types import Candidates, Hypothesis, LineImage, Problem

KEY_VARIABLE = "ODIA_OCR_REMOTE_KEY"
SAMPLING_HEAT = 0.7  # temperature of the readings after the first
_TUNED = VlmSettings()
_EXAMPLE = "For example: --engine remote:http://127.0.0.1:8000#MODEL."


@dataclass(frozen=True, slots=True)
class RemoteOptions:
    """What can be set behind the `?` of an address.

    Prompt and height are those that the trainer of this package uses; a model that was tuned
    elsewhere wants what it was tuned with.

    Attributes:
        prompt: What is asked of each picture.
        height: In pixels, that line pictures are scaled to; 0 leaves them as they are.
        readings: How many are asked of each line; the first without chance, the others sampled.
        tokens: Most tokens of an answer.
        concurrent: Requests under way at once.
        timeout: Of one request, in seconds.
    """

    prompt: str = _TUNED.prompt
    height: int = _TUNED.line_height
    readings: int = 1
    tokens: int = 512
    concurrent: int = 8
    timeout: float = 120.0

    def __post_init__(self) -> None:
        VlmSettings(line_height=self.height)  # checks it
        for name, least, most in (
            ("height", 0, 2_048),
            ("readings", 1, 64),
            ("tokens", 1, 16_384),
            ("concurrent", 1, 256),
        ):
            value = getattr(self, name)
            if not least <= value <= most:
                raise UsageError(f"remote: {name} must lie in {least}..{most}, got {value!r}.")
        if not 0.0 < self.timeout <= 86_400.0:
            raise UsageError(f"remote: timeout must be above 0 seconds, got {self.timeout!r}.")


@dataclass(frozen=True, slots=True)
class RemoteAddress:
    """Where the server is and what is wanted of it.

    Attributes:
        url: Without /v1, query and model.
        model: As the server names it, or None for the first one it has.
        options: How lines are read.
    """

    url: str
    model: str | None = None
    options: RemoteOptions = RemoteOptions()


@dataclass(frozen=True, slots=True, eq=False)
class RemoteLines:
    """Reads line pictures by asking a server.

    Attributes:
        name: "remote:MODEL".
        server: Who is asked.
        model: Which of its models.
        options: How.
        pool: Threads that wait for answers; all calls share them, so that no more requests than
            `options.concurrent` are under way. The program may end before they do.
    """

    name: str
    server: ChatServer
    model: str
    options: RemoteOptions
    pool: ThreadPool

    def read(self, lines: Sequence[LineImage]) -> list[Candidates | Problem]:
        """Read all lines.

        Raises:
            EngineMissingError: If the server is gone: none of the lines reached it; or if it does
                not take the key or has no such model.
        """
        given_up = Event()
        pending = [self.pool.apply_async(self._read_line, (line, given_up)) for line in lines]
        try:
            outcomes = [waiting.get() for waiting in pending]
        finally:
            given_up.set()
        problems = [out for out in outcomes if isinstance(out, Problem)]
        lost = [problem for problem in problems if problem.code == UnreachableError.code]
        if lost and len(lost) == sum(not line.is_even for line in lines):
            raise EngineMissingError(lost[0].message, next_step="Start it again, and read again.")
        return outcomes

    def _read_line(self, line: LineImage, given_up: Event) -> Candidates | Problem:
        if given_up.is_set():
            return Problem("given-up", "Another line ended the reading.", line_id=line.id)
        if line.is_even:  # a model that is asked about an empty strip makes up a text
            return Candidates(line.id, (Hypothesis((), 0.0, source=self.name),))
        try:
            return Candidates(line.id, self._ask(line))
        except EngineMissingError:  # it holds for every line
            given_up.set()
            raise
        except RecognitionError as error:
            step = error.next_step or "Read it again, or with another engine (--engine ctc)."
            return Problem(error.code, error.message, step, line_id=line.id)

    def _ask(self, line: LineImage) -> tuple[Hypothesis, ...]:
        """The distinct readings of a line, the most frequent first.

        Raises:
            RecognitionError: If the answer without chance cannot be had or used.
        """
        request = self._make_request(line)
        extras = {"repetition_penalty": 1.0, "logprobs": True}
        answers = read_answers(self.server.ask(request, extras))
        found = [make_hypothesis(answers[0], line, source=self.name)]
        wanted = self.options.readings - 1
        for answer in self._sample(request, extras, wanted):
            try:
                found.append(make_hypothesis(answer, line, source=f"{self.name}/sample"))
            except RecognitionError:  # chance went astray; the others stand
                continue
        return _count_readings(found) if wanted else tuple(found)

    def _sample(self, request: dict[str, Any], extras: dict[str, Any], count: int) -> list[Answer]:
        """Answers drawn by chance, the same each time where the server takes a seed."""
        answers: list[Answer] = []
        while len(answers) < count:
            more = {"n": count - len(answers), "seed": len(answers)}
            body = {**request, "temperature": SAMPLING_HEAT}
            try:  # servers that give one at a time answer with fewer than n
                answers += read_answers(self.server.ask(body, {**extras, **more}))
            except RecognitionError:  # the reading without chance stands
                break
        return answers[:count]

    def _make_request(self, line: LineImage) -> dict[str, Any]:
        content = [
            {"type": "image_url", "image_url": {"url": self._encode_picture(line)}},
            {"type": "text", "text": self.options.prompt},
        ]
        return {
            "model": self.model,
            "messages": [{"role": "user", "content": content}],
            "temperature": 0,
            "max_tokens": self.options.tokens,
            "stream": False,
        }

    def _encode_picture(self, line: LineImage) -> str:
        """The line as a data URL."""
        file = io.BytesIO()
        picture = fit_line(
            Image.fromarray(line.pixels), VlmSettings(line_height=self.options.height)
        )
        picture.save(file, "PNG", compress_level=1)
        return f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode('ascii')}"


def load(model: str | None = None, *, threads: int | None = None) -> RemoteLines:
    """Open a server as a recognizer; its key is taken from ODIA_OCR_REMOTE_KEY.

    Args:
        model: The address, "URL", "URL#MODEL" or "URL?readings=4#MODEL"; see `RemoteOptions`.
        threads: Unused: the work is done elsewhere.

    Raises:
        UsageError: If the address is none, or neither it nor the server names a model.
        EngineMissingError: If no server answers there, or it does not take the key.
        ResourceMissingError: If httpx is not installed.
    """
    address = parse_address(model or "")
    options = address.options
    try:
        server = ChatServer(
            address.url, key=os.environ.get(KEY_VARIABLE, ""), timeout=options.timeout
        )
    except ImportError as error:
        raise ResourceMissingError(
            f"The engine remote needs a library that is not installed: {error.name}.",
            next_step="Install it with: pip install 'odia-ocr[remote]'.",
        ) from error
    models = server.list_models() or []
    # A name that is not in the list may be good all the same: some servers load models when asked.
    chosen = address.model or next(iter(models), "")
    if not chosen:
        raise UsageError(f"{address.url} does not say which models it has.", next_step=_EXAMPLE)
    pool = ThreadPool(options.concurrent)
    return RemoteLines(f"remote:{chosen}", server, chosen, options, pool)


def parse_address(text: str) -> RemoteAddress:
    """Take "URL?OPTIONS#MODEL" apart.

    Raises:
        UsageError: If it is no address of a server, or an option is unknown or out of range.
    """
    try:
        parts = urlsplit(text)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        said = f"{text!r} is no address" if text else "it has no address"
        raise UsageError(f"The engine remote needs a server; {said}.", next_step=_EXAMPLE)
    if "@" in parts.netloc:  # it would be told in messages and results
        raise UsageError(
            "The address of a server must not hold a name or password.",
            next_step=f"Put the server's key into {KEY_VARIABLE}.",
        )
    path = parts.path.rstrip("/").removesuffix("/v1")
    url = urlunsplit((parts.scheme, parts.netloc, path, "", ""))
    return RemoteAddress(url, parts.fragment or None, _parse_options(parts.query))


def _parse_options(query: str) -> RemoteOptions:
    options = RemoteOptions()
    kinds = {field.name: type(getattr(options, field.name)) for field in fields(options)}
    for name, value in parse_qsl(query, keep_blank_values=True):
        if name not in kinds:
            raise name_choices(name, list(kinds), kind="option of remote")
        try:
            options = replace(options, **{name: kinds[name](value)})
        except ValueError:
            raise UsageError(f"remote: {name} must be a number, got {value!r}.") from None
    return options


def _count_readings(found: Sequence[Hypothesis]) -> tuple[Hypothesis, ...]:
    """Distinct readings with their shares as posteriors, the most frequent first."""
    first: dict[str, Hypothesis] = {}
    counts: dict[str, int] = {}
    for hyp in found:
        first.setdefault(hyp.text, hyp)
        counts[hyp.text] = counts.get(hyp.text, 0) + 1
    hyps = [replace(hyp, posterior=counts[text] / len(found)) for text, hyp in first.items()]
    return tuple(sorted(hyps, key=lambda hyp: -(hyp.posterior or 0.0)))
