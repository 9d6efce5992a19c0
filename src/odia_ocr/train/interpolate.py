"""How far weights may go from those before an adaptation to those after it.

The line between two sets of weights of which one went on from the other reads well all along, and
what was forgotten comes back before what was learned is lost.

Source: Wortsman et al. 2022, "Robust fine-tuning of zero-shot models" (arXiv 2109.01903).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

SHARES = tuple(share / 10 for share in range(10, 0, -1))  # of the weights after
Rates = Mapping[str, float]  # error rates by the name of their check set


def choose_share(measure: Callable[[float], Rates], before: Rates, *, allowed: float) -> float:
    """The largest share of the adapted weights with which no set loses more than is allowed.

    Args:
        measure: Error rates of the mix with a share of the adapted weights, 0..1.
        before: Error rates of the weights before; sets that it lacks have no say.
        allowed: What each set may lose, in CER.

    Returns:
        One of `SHARES`; 0 where all of them lose too much.
    """
    for share in SHARES:
        rates = measure(share)
        if all(rates[name] - rate <= allowed for name, rate in before.items()):
            return share
    return 0.0
