"""The command as a user starts it."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from odia_ocr.apps import cli


class Ended(NamedTuple):
    """Exit status, standard output and standard error."""

    code: int
    out: str
    err: str


@pytest.fixture
def odia_ocr(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> Callable[..., Ended]:
    """Run `odia-ocr` in an empty folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("ODIA_OCR_DEBUG", raising=False)

    def call(*args: object) -> Ended:
        monkeypatch.setattr(sys, "argv", ["odia-ocr", *map(str, args)])
        with pytest.raises(SystemExit) as caught:
            cli.main()
        code = caught.value.code
        shown = capsys.readouterr()
        return Ended(code if isinstance(code, int) else 0, shown.out, shown.err)

    return call
