"""Phase 2A's ensembles: checkpoints of one run, diverse models, Tesseract beside our own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from odia_ocr.campaign.config import Grid
from odia_ocr.campaign.sample import example
from odia_ocr.campaign.stack import Stack
from odia_ocr.campaign.techniques import Claim, Means, Settings, Technique

_ENSEMBLE = Claim(42, 32, 36)
_NBEST = 8


def _need_ladder(means: Means) -> str:
    if len(means.ladder) > 1:
        return ""
    return "It needs checkpoints of one run: --ladder 'RUN/checkpoint-*'."


def _need_averaged(means: Means) -> str:
    if means.averaged:
        return ""
    return _need_ladder(means) or "The checkpoints' weights could not be averaged."


def _need_members(means: Means) -> str:
    if len(means.members) > 1:
        return ""
    return "It needs at least three diverse engines: name two or more as members."


def _need_tesseract(means: Means) -> str:
    return "" if means.tesseract else "Tesseract takes no part in this campaign."


def _start_tesseract(means: Means) -> Stack:
    return Stack((means.single, "tesseract"))


def _vote(stack: Stack, settings: Settings) -> Stack:
    return replace(stack, combine=settings["by"])


def _take_least_risk(stack: Stack, settings: Settings) -> Stack:
    risk = replace(stack, combine="mbr", decode="beam", nbest=_NBEST)
    return replace(risk, risk_heat=settings["risk_heat"])


def _average(stack: Stack, settings: Settings) -> Stack:
    return replace(stack, average=settings["average"])


def _join(stack: Stack, settings: Settings) -> Stack:
    joined = replace(stack, average="", combine="joint", decode="beam")
    return replace(joined, nbest=settings["nbest"])


def _take_averaged(stack: Stack, _: Settings, means: Means) -> Stack:
    return replace(stack, engines=(means.averaged,))


def _ask_tesseract(stack: Stack, settings: Settings, _: Means) -> Stack:
    return _vote(replace(stack, engines=(*stack.engines, "tesseract")), settings)


@dataclass(frozen=True, slots=True)
class _Way:
    """A way to make one reading of those of several engines.

    Attributes:
        key: Ends the technique's key.
        name: For people.
        what: Ends what is said about the technique.
        put: Adds it to a stack that has the engines.
        grid: Its settings.
        frames: Whether it needs emissions, frame by frame.
    """

    key: str
    name: str
    what: str
    put: Callable[[Stack, Settings], Stack]
    grid: Grid
    frames: bool = False

    def of(self, engines: Callable[[Means], tuple[str, ...]]) -> dict[str, Any]:
        """The arguments of a technique that reads with these engines."""

        def change(stack: Stack, settings: Settings, means: Means) -> Stack:
            return self.put(replace(stack, engines=engines(means)), settings)

        return {
            "key": self.key,
            "name": self.name,
            "what": self.what,
            "change": change,
            "grid": self.grid,
            "frames": self.frames,
        }


_WAYS = (
    _Way(
        "vote",
        "majority and confidence vote",
        "their grapheme clusters are aligned and each place is voted on (ROVER).",
        _vote,
        {"by": ("majority", "confidence")},
    ),
    _Way(
        "mbr",
        "minimum risk",
        "of all their candidates the one with the least expected distance is taken.",
        _take_least_risk,
        {"risk_heat": (1.0, 2.0)},
    ),
    _Way(
        "emissions",
        "mean of emissions",
        "their probabilities, frame by frame or token by token, are averaged and read once.",
        _average,
        {"average": ("probability", "log")},
    ),
    _Way(
        "joint",
        "joint reading",
        "the best readings of each are judged by all of them, over all their paths; a line that "
        "the first is sure of is left to it.",
        _join,
        {"nbest": (4,)},
        frames=True,
    ),
)


def _ladder_technique(key: str, name: str, what: str, **rest: Any) -> Technique:
    return Technique(
        key=f"2A-2/ladder-{key}",
        id="2A-2",
        phase="2A",
        name=f"Checkpoint ensemble: {name}",
        effort="3-4 hours, and a run that keeps checkpoints",
        claim=_ENSEMBLE,
        what=f"The last checkpoints of one training run read every line; {what}",
        when="Checkpoints of one run make nearly the same errors, so little is known to come of "
        "it; the last one alone costs a fraction. Kept because ladders are at hand.",
        example=example(
            "from odia_ocr.fuse.vote import Vote",
            "from odia_ocr.recognize import open_recognizer",
            "names = ['ctc', 'ctc', 'ctc']  # 'ctc:RUN/checkpoint-100.onnx', ...",
            "readings = [open_recognizer(name).read(lines) for name in names]",
            "print(Vote(by='majority')([read[0] for read in readings]).best.text)",
        ),
        start=lambda means: Stack(means.ladder),
        beside="best engine",
        joins=False,
        need=rest.pop("need", _need_ladder),
        **rest,
    )


def _member_technique(key: str, name: str, what: str, **rest: Any) -> Technique:
    return Technique(
        key=f"2A-2/diverse-{key}",
        id="2A-2",
        phase="2A",
        name=f"Diverse ensemble: {name}",
        effort="training two more models; reading takes three times as long",
        claim=_ENSEMBLE,
        what=f"Models that differ in initialisation, data, height or architecture read every line; "
        f"{what}",
        when="Where accuracy counts more than time. Diversity makes an ensemble: votes over models "
        "of other folds and initialisations took away half of the errors (arXiv 1802.10038).",
        example=example(
            "from odia_ocr.recognize.augment import View",
            "from odia_ocr.recognize.ctc import load",
            "from odia_ocr.recognize.joint import JointRecognizer",
            "views = (View(load()), View(load()))  # View(load('other.onnx'))",
            "ensemble = JointRecognizer('joint', views, views[0].model.decoder)",
            "print(ensemble.read(lines)[0].best.text)",
        ),
        start=lambda means: Stack(means.diverse),
        beside="best engine",
        need=_need_members,
        **rest,
    )


LADDER = (
    *(_ladder_technique(**way.of(lambda means: means.ladder)) for way in _WAYS),
    _ladder_technique(
        "weights",
        "mean of weights",
        "or rather a single model does whose weights are the mean of theirs, at the price of one.",
        change=_take_averaged,
        need=_need_averaged,
    ),
)

DIVERSE = (
    *(
        replace(
            _member_technique(**way.of(lambda means: means.diverse)),
            frames=way.key in ("emissions", "joint"),
        )
        for way in _WAYS
    ),
    replace(
        _member_technique(**_WAYS[-1].of(lambda means: means.diverse)),
        key="2A-2/diverse-joint-fused",
        name="Diverse ensemble: joint reading with the language model",
        start=lambda means: Stack(means.diverse, decode="beam", lm=True),
        joins=False,
    ),
)

TESSERACT = Technique(
    key="2A-2/tesseract",
    id="2A-2",
    phase="2A",
    name="Vote with Tesseract",
    effort="installing Tesseract; reading takes several times as long",
    claim=_ENSEMBLE,
    what="Tesseract reads the line as well, and each grapheme cluster is voted on by confidence.",
    when="As a third opinion beside two engines of equal strength. Beside a much better engine its "
    "errors weigh more than its help.",
    example=example(
        "import shutil",
        "from odia_ocr.fuse.vote import Vote",
        "from odia_ocr.recognize import open_recognizer",
        "names = ['ctc', 'tesseract'] if shutil.which('tesseract') else ['ctc']",
        "readings = [open_recognizer(name).read(lines) for name in names]",
        "print(Vote(by='confidence')([read[0] for read in readings]).best.text)",
    ),
    change=_ask_tesseract,
    grid={"by": ("confidence",)},
    start=_start_tesseract,
    beside="best engine",
    need=_need_tesseract,
    joins=False,
)

TECHNIQUES = (*LADDER, *DIVERSE, TESSERACT)
