"""The stack to ship, built step by step on the fitting lines and measured on the reporting lines.

At each step the technique that takes away most errors joins, as long as the paired interval of its
gain excludes zero; one that takes none away, alone or on top of a step, is not tried again. Then
each one is taken away again: what the others make superfluous goes. What a technique is worth
inside the stack is told beside what it is worth alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from odia_ocr.campaign.fitting import Fitted
from odia_ocr.campaign.measure import Comparison, Scorer
from odia_ocr.campaign.stack import Stack
from odia_ocr.campaign.techniques import Means

Tick = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Step:
    """One technique that joined.

    Attributes:
        fitted: The technique.
        chosen: Before and after on the fitting lines, which decided.
        measured: The same on the reporting lines.
        inside: The whole stack without it and with it, on the reporting lines.
        alone: Added to its own start, on the reporting lines.
    """

    fitted: Fitted
    chosen: Comparison
    measured: Comparison
    inside: Comparison
    alone: Comparison

    @property
    def interaction(self) -> float:
        """Difference of CER inside the stack minus that alone; above zero: others do its work."""
        return self.inside.differences.cer.value - self.alone.differences.cer.value


@dataclass(frozen=True, slots=True)
class Built:
    """The stack that was built.

    Attributes:
        stack: Its settings.
        steps: In the order they joined.
        dropped: Joined, and taken away again because the others made them superfluous.
        whole: Single reader and stack on the reporting lines.
    """

    stack: Stack
    steps: tuple[Step, ...]
    dropped: tuple[Fitted, ...]
    whole: Comparison


@dataclass(frozen=True, slots=True)
class _Choice:
    """A technique that joined and what decided."""

    fitted: Fitted
    comparison: Comparison


def build_stack(
    techniques: Sequence[Fitted],
    fit: Scorer,
    report: Scorer,
    means: Means,
    *,
    tick: Tick,
    backwards: bool = False,
) -> Built:
    """Build a stack.

    Args:
        techniques: Those that may join, with their settings.
        fit: Decides.
        report: Measures what was decided.
        means: What stacks are built of.
        tick: Told about each step.
        backwards: Of stacks that are measured one after another, begin with the last; what comes
            out is the same. Two processes with one cache share the work so.
    """
    single = Stack((means.single,))
    chosen = _add_greedily(techniques, fit, single, means, tick, backwards=backwards)
    # Asked for before they are needed one by one, so that a process can begin with the last.
    fit.measure_all(_leave_out_each(chosen, single, means), backwards=backwards)
    kept, dropped = _drop_superfluous(chosen, fit, single, means)
    stack = _join(kept, single, means)
    stages = [_join(kept[:count], single, means) for count in range(len(kept) + 1)]
    without = _leave_out_each(kept, single, means)
    report.measure_all([*stages, *without], backwards=backwards)
    steps = [
        Step(
            choice.fitted,
            choice.comparison,
            measured=report.compare(before, after),
            inside=report.compare(less, stack),
            alone=report.compare(choice.fitted.before, choice.fitted.after),
        )
        for choice, before, after, less in zip(kept, stages, stages[1:], without, strict=False)
    ]
    return Built(stack, tuple(steps), tuple(dropped), report.compare(single, stack))


def _add_greedily(
    techniques: Sequence[Fitted],
    fit: Scorer,
    single: Stack,
    means: Means,
    tick: Tick,
    *,
    backwards: bool,
) -> list[_Choice]:
    chosen: list[_Choice] = []
    left = [fitted for fitted in techniques if fitted.edits < fit.measure(fitted.before).edits]
    stack = single
    while left:
        now = fit.measure(stack).edits
        grown = [fitted.add(stack, means) for fitted in left]
        measured = fit.measure_all(grown, backwards=backwards)
        edits = {id(fitted): one.edits for fitted, one in zip(left, measured, strict=True)}
        left = [fitted for fitted in left if edits[id(fitted)] < now]
        left.sort(key=lambda fitted: edits[id(fitted)])
        if not left:
            break
        fitted = left.pop(0)
        comparison = fit.compare(stack, fitted.add(stack, means))
        if not comparison.better:
            break
        tick(f"{fitted.technique.name} joins the stack")
        chosen.append(_Choice(fitted, comparison))
        stack = fitted.add(stack, means)
    return chosen


def _drop_superfluous(
    chosen: list[_Choice], fit: Scorer, single: Stack, means: Means
) -> tuple[list[_Choice], list[Fitted]]:
    """Take away, one at a time, what the fitting lines do not miss."""
    kept, dropped = list(chosen), []
    for choice in chosen:
        others = [other for other in kept if other is not choice]
        comparison = fit.compare(_join(others, single, means), _join(kept, single, means))
        if not comparison.better:
            kept = others
            dropped.append(choice.fitted)
    return kept, dropped


def _leave_out_each(choices: Sequence[_Choice], single: Stack, means: Means) -> list[Stack]:
    """For each choice the stack of all others."""
    return [
        _join([other for other in choices if other is not choice], single, means)
        for choice in choices
    ]


def _join(choices: Sequence[_Choice], single: Stack, means: Means) -> Stack:
    stack = single
    for choice in choices:
        stack = choice.fitted.add(stack, means)
    return stack
