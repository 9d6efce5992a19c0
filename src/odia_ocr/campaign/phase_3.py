"""Phase 3: learning from data. Each technique ends in weights that lead a stack.

The weights are trained before a campaign and named in its configuration; the campaign measures
them on its own lines, as everything else.
"""

from __future__ import annotations

from dataclasses import replace

from odia_ocr.campaign.stack import Stack
from odia_ocr.campaign.techniques import (
    Change,
    Claim,
    Means,
    Need,
    Settings,
    Technique,
    from_fused,
)


def _take(key: str) -> Change:
    """The trained engine leads instead of the single reader."""

    def change(stack: Stack, _: Settings, means: Means) -> Stack:
        return replace(stack, engines=(means.learned[key], *stack.engines[1:]))

    return change


def _need(key: str) -> Need:
    def need(means: Means) -> str:
        if key in means.learned:
            return ""
        return f"It needs a model that was trained so: --learned {key}=ctc:FILE."

    return need


def _learned(
    key: str,
    name: str,
    *,
    effort: str,
    claim: Claim | None = None,
    what: str,
    when: str,
    commands: tuple[str, ...],
) -> Technique:
    return Technique(
        key=key,
        id=key.partition("/")[0],
        phase="3",
        name=name,
        effort=effort,
        claim=claim,
        what=what,
        when=when,
        example="# On the command line:\n" + "\n".join(f"# {command}" for command in commands),
        change=_take(key),
        start=from_fused,
        need=_need(key),
        joins=False,
    )


ACTIVE_LEARNING = _learned(
    "3-1",
    "Active learning",
    effort="4-8 weeks, with somebody who transcribes; minutes of computing a round",
    claim=Claim(42, 30, 35),
    what="Lines on which models disagree, of which the model is unsure and which are unlike those "
    "chosen before are transcribed first and learned.",
    when="When there is more unlabelled print than time to transcribe it: choosing by disagreement "
    "was worth a further 16 % of the errors (arXiv 1802.10038).",
    commands=(
        "odia-ocr curate select scans/ -o batch/ --budget 100",
        "odia-ocr curate collect batch/ -o labelled/",
        "odia-ocr train ctc -o runs/mine --from shipped --data labelled/",
    ),
)

SELF_TRAINING = _learned(
    "3-2",
    "Semi-supervised learning",
    effort="an evening of computing",
    claim=Claim(42, 25, 35),
    what="Readings that are sure and agreed on become training lines, in rounds, with a guard that "
    "rolls back when the error rate of held-out lines rises. No line is transcribed.",
    when="When there is much unlabelled print of one kind and no transcriptions.",
    commands=("odia-ocr curate pseudo-label scans/ -o learned/ --rounds 1",),
)

SELF_TRAINING_LABELLED = _learned(
    "3-2/labelled",
    "Semi-supervised learning beside 100 labels",
    effort="an evening of computing; 100 transcriptions",
    claim=Claim(42, 25, 35),
    what="A model that was adapted to the transcribed lines reads the others; what is sure and "
    "agreed on is learned beside the transcriptions.",
    when="When there is much unlabelled print of one kind and few transcriptions.",
    commands=("odia-ocr curate pseudo-label scans/ -o learned/ --rounds 1 --labelled labelled/",),
)

ADAPTATION = _learned(
    "+/adaptation",
    "Adaptation to one kind of print, 200 labels",
    effort="minutes of computing; 200 transcriptions",
    what="The shipped weights are trained on with lines of the print to read, rendered lines are "
    "replayed against forgetting, and the weights are mixed with those before.",
    when="Whenever much is to be read of one publisher, one archive, one scanner.",
    commands=("odia-ocr train ctc -o runs/mine --from shipped --data labelled/",),
)

DISTILLATION = _learned(
    "+/distillation",
    "Distillation",
    effort="minutes of computing",
    what="The single model learns what the ensemble reads of unlabelled lines, with the rivals of "
    "each reading as soft labels.",
    when="When an ensemble is much better than its members and too slow for what is to be read.",
    commands=("odia-ocr curate distil scans/ -o student/",),
)

MINING = _learned(
    "+/mining",
    "Hard-example mining",
    effort="minutes of computing; transcribed lines",
    what="The transcribed lines that are read worst are learned from; what they are misread for "
    "can be rendered more often, too (mined/train.json).",
    when="When there are more transcribed lines than one wants to train on.",
    commands=(
        "odia-ocr evaluate labelled/ --json before.json",
        "odia-ocr curate mine before.json -o mined/",
        "odia-ocr train ctc -o runs/mine --from shipped --data mined/hard.jsonl",
    ),
)

TECHNIQUES = (
    ACTIVE_LEARNING,
    SELF_TRAINING,
    SELF_TRAINING_LABELLED,
    ADAPTATION,
    DISTILLATION,
    MINING,
)
