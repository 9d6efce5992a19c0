"""A technique: what it promises, when it helps, and the change of a stack that it is.

The entries stand in `phase_2a`, `phase_2b`, `phase_2c`, `phase_3` and `phase_plus`; all that is
said about a technique, on the command line and in the documentation, is made of them and of what
was measured.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from odia_ocr.campaign.config import Grid
from odia_ocr.campaign.reader import StackReader
from odia_ocr.campaign.sets import Bench
from odia_ocr.campaign.stack import Stack

Settings = Mapping[str, Any]
Phase = Literal["2A", "2B", "2C", "3", "+"]


@dataclass(frozen=True, slots=True)
class Means:
    """What a campaign has to build stacks of.

    Attributes:
        single: Engine of the single reader.
        members: Further engines of the diverse ensemble.
        ladder: Checkpoints of one run as engines, oldest first.
        averaged: The engine whose weights are the mean of the ladder's, or "".
        floating: The engine whose weights are not quantised, or "".
        halved: The engine with the same weights as 16-bit floats, or "".
        tesseract: Whether Tesseract joins in.
        learned: Engines that were trained by a technique of learning, by its key.
    """

    single: str = "ctc"
    members: tuple[str, ...] = ()
    ladder: tuple[str, ...] = ()
    averaged: str = ""
    floating: str = ""
    halved: str = ""
    tesseract: bool = False
    learned: Mapping[str, str] = field(default_factory=dict)

    @property
    def emits(self) -> bool:
        """Whether the single reader gives emissions, frame by frame; others give candidates."""
        return self.single.partition(":")[0].startswith("ctc")

    @property
    def diverse(self) -> tuple[str, ...]:
        """All engines of the diverse ensemble, the single reader first."""
        return (self.single, *self.members)


Change = Callable[[Stack, Settings, Means], Stack]
Need = Callable[[Means], str]
Fit = Callable[[StackReader, Bench, Stack], Settings]


@dataclass(frozen=True, slots=True)
class Claim:
    """What the plan promised, in percent CER; never measured by it.

    Attributes:
        start: Before.
        low: Best value promised.
        high: Worst value promised.
    """

    start: float
    low: float
    high: float


def need_nothing(_: Means) -> str:
    """Always possible."""
    return ""


def from_single(means: Means) -> Stack:
    """The single reader: best path, nothing else."""
    return Stack((means.single,))


def from_fused(means: Means) -> Stack:
    """The single reader with beam search, and the language model where it can join that."""
    if not means.emits:
        return Stack((means.single,), decode="beam", width=5)
    return Stack((means.single,), decode="beam", lm=True)


@dataclass(frozen=True, slots=True)
class Technique:
    """One technique, or one way to do it.

    Attributes:
        key: Unique, e.g. "2A-2/vote"; begins with `id`.
        id: The plan's number, e.g. "2A-2", or "+".
        phase: The plan's phase.
        name: For people.
        effort: What it takes to use it.
        claim: The plan's promise, or None.
        what: What it does.
        when: When it helps, and what is known of it.
        example: Python that runs as it stands.
        change: Adds it to a stack; None where it is not measured here.
        grid: Settings tried on the fitting lines; the first of each is the default.
        fit: Chooses settings in another way than by the grid.
        start: The stack it is added to when it is measured alone.
        beside: What it is compared with: that stack, or the best of its engines alone.
        need: Why it cannot be run with these means; "" when it can.
        frames: Whether it needs emissions, frame by frame.
        idle: Whether its time can only be told on an idle machine: it is measured before other
            processes help.
        joins: Whether it may become part of the stack to ship.
        why: Why it is not measured here, where `change` is None.
    """

    key: str
    id: str
    phase: Phase
    name: str
    effort: str
    claim: Claim | None
    what: str
    when: str
    example: str
    change: Change | None = None
    grid: Grid = field(default_factory=dict)
    fit: Fit | None = None
    start: Callable[[Means], Stack] = from_single
    beside: Literal["start", "best engine"] = "start"
    need: Need = need_nothing
    frames: bool = False
    idle: bool = False
    joins: bool = True
    why: str = ""

    def __post_init__(self) -> None:
        if self.key.partition("/")[0] != self.id:
            raise ValueError(f"the key {self.key!r} must begin with the id {self.id!r}")
        if (self.change is None) != bool(self.why):
            raise ValueError(f"{self.key}: either a change or a reason why there is none")

    @property
    def defaults(self) -> Settings:
        """The first setting of each list of the grid."""
        return {name: choices[0] for name, choices in self.grid.items()}
