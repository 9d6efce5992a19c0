"""Phase 2A's ensembles: checkpoints of one run, diverse models, Tesseract beside our own."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

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


def _start_ladder(means: Means) -> Stack:
    return Stack(means.ladder)


def _start_members(means: Means) -> Stack:
    return Stack(means.diverse)


def _start_tesseract(means: Means) -> Stack:
    return Stack((means.single, "tesseract"))


def _vote_ladder(stack: Stack, settings: Settings, means: Means) -> Stack:
    return replace(stack, engines=means.ladder, combine=settings["by"])


def _average_ladder(stack: Stack, settings: Settings, means: Means) -> Stack:
    return replace(stack, engines=means.ladder, average=settings["average"])


def _risk_ladder(stack: Stack, settings: Settings, means: Means) -> Stack:
    changed = replace(stack, engines=means.ladder, combine="mbr", decode="beam", nbest=_NBEST)
    return replace(changed, risk_heat=settings["risk_heat"])


def _join_ladder(stack: Stack, settings: Settings, means: Means) -> Stack:
    joined = replace(stack, engines=means.ladder, average="", combine="joint", decode="beam")
    return replace(joined, nbest=settings["nbest"])


def _join_members(stack: Stack, settings: Settings, means: Means) -> Stack:
    joined = replace(stack, engines=means.diverse, average="", combine="joint", decode="beam")
    return replace(joined, nbest=settings["nbest"])


def _take_averaged(stack: Stack, _: Settings, means: Means) -> Stack:
    return replace(stack, engines=(means.averaged,))


def _vote_members(stack: Stack, settings: Settings, means: Means) -> Stack:
    return replace(stack, engines=means.diverse, combine=settings["by"])


def _risk_members(stack: Stack, settings: Settings, means: Means) -> Stack:
    changed = replace(stack, engines=means.diverse, combine="mbr", decode="beam", nbest=_NBEST)
    return replace(changed, risk_heat=settings["risk_heat"])


def _average_members(stack: Stack, settings: Settings, means: Means) -> Stack:
    return replace(stack, engines=means.diverse, average=settings["average"])


def _ask_tesseract(stack: Stack, settings: Settings, _: Means) -> Stack:
    return replace(stack, engines=(*stack.engines, "tesseract"), combine=settings["by"])


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
        start=_start_ladder,
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
        start=_start_members,
        beside="best engine",
        need=_need_members,
        **rest,
    )


LADDER = (
    _ladder_technique(
        "vote",
        "majority and confidence vote",
        "their grapheme clusters are aligned and each place is voted on (ROVER).",
        change=_vote_ladder,
        grid={"by": ("majority", "confidence")},
    ),
    _ladder_technique(
        "mbr",
        "minimum risk",
        "of all their candidates the one with the least expected distance is taken.",
        change=_risk_ladder,
        grid={"risk_heat": (1.0, 2.0)},
    ),
    _ladder_technique(
        "emissions",
        "mean of emissions",
        "their frame-by-frame probabilities are averaged and read once.",
        change=_average_ladder,
        grid={"average": ("probability", "log")},
    ),
    _ladder_technique(
        "joint",
        "joint reading",
        "the best readings of each are judged by all of them, over all their paths.",
        change=_join_ladder,
        grid={"nbest": (4,)},
    ),
    _ladder_technique(
        "weights",
        "mean of weights",
        "or rather a single model does whose weights are the mean of theirs, at the price of one.",
        change=_take_averaged,
        need=_need_averaged,
    ),
)

DIVERSE = (
    _member_technique(
        "vote",
        "majority and confidence vote",
        "their grapheme clusters are aligned and each place is voted on (ROVER).",
        change=_vote_members,
        grid={"by": ("majority", "confidence")},
    ),
    _member_technique(
        "mbr",
        "minimum risk",
        "of all their candidates the one with the least expected distance is taken.",
        change=_risk_members,
        grid={"risk_heat": (1.0, 2.0)},
    ),
    _member_technique(
        "emissions",
        "mean of emissions",
        "their frame-by-frame probabilities are averaged and read once.",
        change=_average_members,
        grid={"average": ("probability", "log")},
    ),
    _member_technique(
        "joint",
        "joint reading",
        "the best readings of each are judged by all of them, over all their paths.",
        change=_join_members,
        grid={"nbest": (4,)},
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
