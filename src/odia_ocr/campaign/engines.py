"""The recognizers of a campaign: opened when they are first asked for, named by their weights."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from odia_ocr.campaign.cache import digest_file
from odia_ocr.campaign.stack import Stack, label_engines
from odia_ocr.correct.lexicon import LEXICON_NAME, LEXICON_SUFFIX
from odia_ocr.recognize import open_recognizer
from odia_ocr.recognize.ctc import CtcRecognizer
from odia_ocr.recognize.vlm.naming import KIND, VlmName, find_base
from odia_ocr.recognize.vlm.settings import FILE_NAME as SETTINGS
from odia_ocr.runtime import find_weights
from odia_ocr.types import Recognizer

LM_NAME, LM_SUFFIX = "lm-odia", ".ngram"
Open = Callable[[str, int], Recognizer]


def open_engine(name: str, threads: int) -> Recognizer:
    """Open a recognizer by its name; errors as `odia_ocr.recognize.open_recognizer`."""
    return open_recognizer(name, threads=threads)


@dataclass(frozen=True, slots=True)
class Engines:
    """Recognizers by name and number of threads.

    Attributes:
        threads: Threads to compute with where nothing else is said.
        open: Opens one; tests hand in their own.
    """

    threads: int = 1
    open: Open = open_engine
    _opened: dict[tuple[str, int], Recognizer] = field(default_factory=dict, repr=False)

    def find(self, name: str, threads: int = 0) -> Recognizer:
        """A recognizer, opened at most once.

        Raises:
            UsageError: Unknown name.
            ResourceMissingError: Its model or program is missing.
        """
        key = (name, threads or self.threads)
        if key not in self._opened:
            self._opened[key] = self.open(*key)
        return self._opened[key]

    def find_ctc(self, name: str, threads: int = 0) -> CtcRecognizer | None:
        """The recognizer where it gives emissions, else None."""
        recognizer = self.find(name, threads)
        return recognizer if isinstance(recognizer, CtcRecognizer) else None

    def describe(self, name: str, threads: int = 0) -> dict[str, Any]:
        """What decides how it reads: its label, its own name, the digest of its weights."""
        recognizer = self.find(name, threads)
        facts: dict[str, Any] = {"engine": label_engines([name])[0], "model": recognizer.name}
        weights = [digest_file(path) for path in _find_files(name)]
        if weights:
            facts["weights"] = weights[0] if len(weights) == 1 else weights
        program = getattr(recognizer, "program", None)
        if program is not None:
            facts["program"] = str(program)
        if threads:
            facts["threads"] = threads
        return facts

    def describe_all(self, stack: Stack) -> list[dict[str, Any]]:
        """`describe` of all engines of a stack."""
        return [self.describe(name, stack.threads) for name in stack.engines]


def digest_language_model() -> str:
    """Names the shipped language model."""
    return digest_file(find_weights(LM_NAME, LM_SUFFIX))


def digest_lexicon() -> str:
    """Names the shipped lexicon."""
    return digest_file(find_weights(LEXICON_NAME, LEXICON_SUFFIX))


def _find_files(name: str) -> list[Path]:
    """The files of an engine's weights; none of one that lies elsewhere."""
    kind, _, model = name.partition(":")
    if kind == KIND:
        named = VlmName.parse(model)
        folders = [find_base(named.base), *map(Path, named.adapters)]
        kinds = ("*.safetensors", SETTINGS)
        found = [path for folder in folders for k in kinds for path in sorted(folder.glob(k))]
        return [path for path in found if path.is_file()]
    if not kind.startswith("ctc"):
        return []
    return [Path(model) if model else find_weights("ctc")]
