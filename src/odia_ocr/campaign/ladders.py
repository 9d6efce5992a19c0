"""The plan's own ladders: its techniques in its order, each on top of those before it.

What the plan promised stands beside what was measured. A rung that cannot be climbed here says why,
and the ladder goes on without it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from odia_ocr.campaign.catalogue import TECHNIQUES
from odia_ocr.campaign.config import Level
from odia_ocr.campaign.fitting import Fitted
from odia_ocr.campaign.measure import Measured, Scorer
from odia_ocr.campaign.stack import Stack
from odia_ocr.campaign.techniques import Claim, Means

START = 42.0  # the plan's CER before anything, in percent; assumed, never measured
# The plan's guess for its checkpoints at steps 50, 100, 150, 200, 250, in percent CER.
CHECKPOINT_CLAIMS = (50.0, 48.0, 45.0, 43.0, 42.0)


@dataclass(frozen=True, slots=True)
class _Plan:
    """A rung as planned: of `keys` the one that left the fewest errors when fitted is taken."""

    name: str
    keys: tuple[str, ...]
    claim: Claim | None = None


_ENSEMBLES = tuple(key for key in TECHNIQUES if key.startswith(("2A-2/diverse", "2A-2/ladder")))
_QUICK = (
    _Plan("beam search", ("2A-1",), Claim(START, 35, 38)),
    _Plan("+ temperature", ("2A-3/mbr",), Claim(START, 33, 35)),
    _Plan("+ ensemble", _ENSEMBLES, Claim(START, 28, 32)),
)
_MID = (
    *_QUICK,
    _Plan("+ correction dictionary", ("2B-1/fusion", "2B-1/path")),
    _Plan("+ confidence scoring", ("2B-2",)),
    _Plan("+ language model", ("2B-3/fusion",), Claim(START, 24, 24)),
)
_FULL = (
    *_MID,
    _Plan("+ LoRA rank 64", ("2C-1",)),
    _Plan("+ adapter merge", ("2C-2",)),
    _Plan("+ multi-scale", ("2C-3/mean", "2C-3/vote", "2C-3/joint"), Claim(START, 20, 20)),
    _Plan("+ hard examples", ("+/mining", "3-1"), Claim(START, 18, 18)),
)
LADDERS: Mapping[Level, tuple[_Plan, ...]] = {"quick": _QUICK, "mid": _MID, "full": _FULL}


@dataclass(frozen=True, slots=True)
class Rung:
    """One rung of a ladder.

    Attributes:
        name: What is added.
        key: The technique that was taken, or "".
        claim: The plan's promise for the ladder up to here, or None.
        measured: The ladder up to here; None where the rung could not be climbed.
        why: Why not.
    """

    name: str
    key: str
    claim: Claim | None
    measured: Measured | None
    why: str = ""


def climb_ladder(
    level: Level,
    fitted: Mapping[str, Fitted],
    whys: Mapping[str, str],
    scorer: Scorer,
    means: Means,
) -> tuple[Rung, ...]:
    """Measure a ladder on the reporting lines, rung by rung.

    Args:
        level: Which ladder.
        fitted: Techniques with their settings, by key.
        whys: Why the others were not fitted.
        scorer: Of the reporting set.
        means: What stacks are built of.
    """
    stack = Stack((means.single,))
    rungs = [Rung("single reader", "", Claim(START, START, START), scorer.measure(stack))]
    for plan in LADDERS[level]:
        ready = [key for key in plan.keys if key in fitted]
        if not ready:
            rungs.append(Rung(plan.name, "", plan.claim, None, _tell_why(plan.keys, whys)))
            continue
        key = min(ready, key=lambda name: fitted[name].edits)
        stack = fitted[key].add(stack, means)
        rungs.append(Rung(plan.name, key, plan.claim, scorer.measure(stack)))
    return tuple(rungs)


def _tell_why(keys: Sequence[str], whys: Mapping[str, str]) -> str:
    found = [whys[key] for key in keys if key in whys]
    return found[0] if found else "It took no part in this campaign."


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """One checkpoint of a run, read by its best path.

    Attributes:
        engine: Its name.
        claim: The plan's guess, in percent CER, where it has one for this number of checkpoints.
        measured: On the reporting lines.
    """

    engine: str
    claim: float | None
    measured: Measured


def follow_checkpoints(scorer: Scorer, means: Means) -> tuple[Checkpoint, ...]:
    """The trajectory along a run's checkpoints."""
    planned = len(means.ladder) == len(CHECKPOINT_CLAIMS)
    return tuple(
        Checkpoint(
            engine,
            CHECKPOINT_CLAIMS[i] if planned else None,
            scorer.measure(Stack((engine,))),
        )
        for i, engine in enumerate(means.ladder)
    )
