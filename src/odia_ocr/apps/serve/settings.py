"""What a server is started with. Knows no HTTP."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

from odia_ocr.errors import ConfigError
from odia_ocr.pages.images import PageLimits

_LEAST_KEY = 16  # characters


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What is accepted, and how much of it at a time.

    Attributes:
        request_bytes: Of one request's body.
        pages: Wanted pages of one document.
        seconds: From the first page of a document to the begin of its last one.
        waiting: Documents that wait or are being read, over all requests.
        page: Largest page and PDF resolution.
    """

    request_bytes: int = 100_000_000
    pages: int = 2_000
    seconds: float = 3_600.0
    waiting: int = 64
    page: PageLimits = field(default_factory=PageLimits)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What a server is started with.

    Attributes:
        folder: Its private folder: documents, readings and corrections.
        workers: Pages read at once; None takes one for each core, four at most.
        keep_days: How long a document stays after it was last worked on.
        api_key: What requests must bring; None lets everybody in.
        hosts: Names under which the server may be called; empty means any. A server on this
            machine alone is given its own names, so that no web page can reach it by another.
        limits: What is accepted.
    """

    folder: Path
    workers: int | None = None
    keep_days: float = 7.0
    api_key: str | None = field(default=None, repr=False)
    hosts: frozenset[str] = frozenset()
    limits: Limits = field(default_factory=Limits)

    @property
    def keep_seconds(self) -> float:
        """`keep_days` in seconds."""
        return self.keep_days * 86_400.0


def default_folder() -> Path:
    """Where a server keeps what it is given: `$XDG_STATE_HOME/odia-ocr/serve`."""
    state = os.environ.get("XDG_STATE_HOME", "")
    home = Path(state) if state.startswith("/") else Path.home() / ".local" / "state"
    return home / "odia-ocr" / "serve"


def find_api_key(path: Path | None) -> str | None:
    """The key from a file, else from ODIA_OCR_API_KEY; None without either.

    Raises:
        ConfigError: If the file cannot be read or the key is short or holds spaces.
    """
    if path is None:
        key, place = os.environ.get("ODIA_OCR_API_KEY", "").strip(), "ODIA_OCR_API_KEY"
        if not key:
            return None
    else:
        place = str(path)
        try:
            key = path.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            why = getattr(error, "strerror", None) or error
            raise ConfigError(
                f"{path}: the API key cannot be read: {why}.", next_step="Check --api-key-file."
            ) from None
    if len(key) < _LEAST_KEY or not key.isascii() or not key.isprintable() or " " in key:
        raise ConfigError(
            f"{place}: an API key is {_LEAST_KEY} or more visible ASCII characters on one line.",
            next_step="Make one with: openssl rand -hex 24",
        )
    return key
