"""A stack: one way to read a line, from pixels to text, as plain settings.

Every technique is a change of some of them, so techniques can be added, taken away and measured in
any order, and a reading is named by the settings it was made with.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import PurePath
from typing import Any, Literal, get_args

from odia_ocr.recognize.augment import VERSIONS

Average = Literal["", "probability", "log"]
Decode = Literal["path", "beam", "sample"]
Combine = Literal["", "majority", "confidence", "mbr", "joint"]


@dataclass(frozen=True, slots=True)
class Rerank:
    """Weights of the language model over an N-best list, see `odia_ocr.fuse.rerank`."""

    optical: float
    alpha: float
    beta: float


@dataclass(frozen=True, slots=True)
class Stack:
    """One way to read a line. The defaults are the single reader: best path, nothing else.

    Attributes:
        engines: Who reads; the first one leads.
        versions: Pictures of the line that the leader reads, see `odia_ocr.recognize.augment`;
            the others read the line as it is.
        average: Emissions of all engines and versions become their mean; "" keeps them apart.
        temperature: Divides log-probabilities of the emission.
        decode: Best path, prefix beam or sampled paths.
        lm: The language model takes part in the beam.
        alpha: Its weight; None takes the shipped one.
        beta: Bonus of each symbol it speaks about; None takes the shipped one.
        width: Prefixes of the beam.
        nbest: Candidates of the beam.
        draws: Paths sampled.
        heat: Temperature of sampling.
        top_p: Share of each frame's probability that is sampled from.
        top_k: Classes of each frame that are sampled from.
        combine: How candidates of several sources, or of one list, become one reading; "" takes the
            first, "joint" judges the beam's readings of every view under all views where the first
            view is not sure of its own, see `odia_ocr.recognize.joint`.
        risk_heat: Temperature of the posteriors in "mbr".
        rerank: Weights to order candidates anew with the language model, or None.
        correct: The correction dictionary edits the reading, as it was fitted to the decoding.
        route: Lines that the single reader is at least so sure of keep its best path; None reads
            all lines with the whole stack.
        threads: Threads the engines compute with; 0 takes the campaign's.
        cached: All lines were read before and are found by the content of their pictures.
    """

    engines: tuple[str, ...]
    versions: tuple[str, ...] = ("as-is",)
    average: Average = ""
    temperature: float = 1.0
    decode: Decode = "path"
    lm: bool = False
    alpha: float | None = None
    beta: float | None = None
    width: int = 8
    nbest: int = 1
    draws: int = 1
    heat: float = 1.0
    top_p: float = 1.0
    top_k: int = 50
    combine: Combine = ""
    risk_heat: float = 1.0
    rerank: Rerank | None = None
    correct: bool = False
    route: float | None = None
    threads: int = 0
    cached: bool = False

    def __post_init__(self) -> None:
        if not self.engines or not self.versions:
            raise ValueError("a stack needs an engine and a version of the line")
        unknown = [version for version in self.versions if version not in VERSIONS]
        if unknown:
            raise ValueError(f"unknown versions of the line: {unknown}")
        for name, kind in (("average", Average), ("decode", Decode), ("combine", Combine)):
            if getattr(self, name) not in get_args(kind):
                raise ValueError(f"{name} must be one of {get_args(kind)}, not {self!r}")
        if self.temperature <= 0 or self.heat <= 0 or self.risk_heat <= 0:
            raise ValueError("temperatures must be above 0")

    @property
    def single(self) -> Stack:
        """The single reader that this stack starts from."""
        return Stack(self.engines[:1], threads=self.threads)


def record_stack(stack: Stack) -> dict[str, Any]:
    """What differs from the single reader, as plain values; `engines` is always there.

    Engines are named without the folder their file lies in.
    """
    values = {**asdict(stack), "engines": label_engines(stack.engines)}
    plain = asdict(stack.single)
    return {
        key: list(value) if isinstance(value, tuple) else value
        for key, value in values.items()
        if key == "engines" or value != plain[key]
    }


def name_engine(engine: str) -> str:
    """An engine in a word: of "ctc:RUN/checkpoint-100-0123456789ab.onnx" the name and its number.

    The digest that an exported checkpoint's file carries is left out.
    """
    kind, _, model = engine.partition(":")
    return re.sub(r"-[0-9a-f]{12}$", "", PurePath(model).stem) if model else kind


def label_engines(engines: Sequence[str]) -> list[str]:
    """Engines without the folders of their files, e.g. "ctc:member-1"."""
    return [
        f"{engine.partition(':')[0]}:{name_engine(engine)}" if ":" in engine else engine
        for engine in engines
    ]


def describe_stack(stack: Stack) -> str:
    """A stack in a few words, e.g. "ctc, beam, lm, mbr, nbest 8"."""
    names = [name_engine(engine) for engine in stack.engines]
    parts = ["+".join(names) if len(names) < 4 else f"{len(names)} engines"]
    for key, value in record_stack(stack).items():
        if key == "engines":
            continue
        if key == "rerank":
            parts.append("reranked")
        elif key in ("decode", "combine"):
            parts.append(str(value))
        elif isinstance(value, bool):
            parts.append(key)
        elif isinstance(value, list):
            parts.append("+".join(value))
        else:
            parts.append(f"{key} {value}")
    return ", ".join(parts)
