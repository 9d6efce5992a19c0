"""How much each of several models counts in their mean."""

from __future__ import annotations

from collections.abc import Sequence

from odia_ocr.errors import UsageError


def find_shares(count: int, weights: Sequence[float] | None, *, what: str) -> list[float]:
    """Weights with the sum one; None counts all alike.

    Args:
        count: How many models there are.
        weights: As they were given.
        what: What is averaged, for messages, e.g. "checkpoints".

    Raises:
        UsageError: Without models, or with weights that make no mean.
    """
    if not count:
        raise UsageError(f"No {what} to average.", next_step="Name at least one.")
    given = [1.0] * count if weights is None else list(weights)
    if len(given) != count:
        raise UsageError(f"{len(given)} weights for {count} {what}.")
    # Written so that a weight that is no number is refused too.
    if not (min(given) >= 0.0 and 0.0 < sum(given) < float("inf")):
        raise UsageError(f"Weights must not be negative and not all 0, got {given}.")
    return [weight / sum(given) for weight in given]
