"""Nothing that looks like a secret is uploaded: tokens, keys, and what the environment keeps."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from odia_ocr.apps.publish.hub import UploadFile
from odia_ocr.errors import DataError

_TEXTS = frozenset({".json", ".md", ".txt", ".jinja", ".py", ""})
_SECRETS = {
    "a hub token": re.compile(r"\bhf_[A-Za-z0-9]{30,}"),
    "an API key": re.compile(r"\bsk-[A-Za-z0-9_-]{20,}"),
    "a GitHub token": re.compile(r"\b(gh[pousr]_[A-Za-z0-9]{30,}|github_pat_\w{30,})"),
    "an AWS key": re.compile(r"\bAKIA[0-9A-Z]{16}\b"),
    "a private key": re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----"),
}
_VARIABLES = ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "ODIA_OCR_REMOTE_KEY")
_LEAST = 8  # shorter values of variables are too common to be looked for


def refuse_secrets(files: Iterable[UploadFile]) -> None:
    """Look through the text files of an upload.

    Raises:
        DataError: If one of them seems to hold a secret; the message does not repeat it.
    """
    found = [f"{file.name}: {what}" for file in files for what in _look_through(file)]
    if found:
        raise DataError(
            f"Secrets would be published: {'; '.join(found)}.",
            next_step="Remove them, and have new ones made: these may be known already.",
        )


def _look_through(file: UploadFile) -> Iterator[str]:
    """What looks like a secret, with its line: "a hub token in line 3"."""
    if Path(file.name).suffix not in _TEXTS:
        return
    own = {name: os.environ.get(name, "") for name in _VARIABLES}
    for number, line in enumerate(file.read().decode("utf-8", "replace").splitlines(), start=1):
        for what, pattern in _SECRETS.items():
            if pattern.search(line):
                yield f"{what} in line {number}"
        for name, value in own.items():
            if len(value) >= _LEAST and value in line:
                yield f"the value of {name} in line {number}"
