"""How far weights may go from those before an adaptation to those after it.

The line between two sets of weights of which one went on from the other reads well all along, and
what was forgotten comes back before what was learned is lost.

Source: Wortsman et al. 2022, "Robust fine-tuning of zero-shot models" (arXiv 2109.01903).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

SHARES = tuple(share / 10 for share in range(11))  # of the weights after
Rates = Mapping[str, float]  # error rates by the name of their check set

_ALL = len(SHARES) - 1
_FIRST = 6  # with it, 1.0 takes two measurements and no share more than four


def choose_share(measure: Callable[[float], Rates], before: Rates, *, allowed: float) -> float:
    """The largest share of the adapted weights with which no set loses more than is allowed.

    Halves the shares that are left, so that it measures at most four of them, and two where all of
    the adapted weights can stay. What is lost is taken to grow with the share. Where it does not,
    a larger share than the one returned may be allowed, too: it errs towards the weights before,
    and never returns a share that loses too much.

    Args:
        measure: Error rates of the mix with a share of the adapted weights, 0..1.
        before: Error rates of the weights before; sets that it lacks have no say.
        allowed: What each set may lose, in CER, 0 or more.

    Returns:
        One of `SHARES`, measured and found to be allowed; or 0.0, the weights before, where no
        share that was measured is.
    """

    def fits(at: int) -> bool:
        rates = measure(SHARES[at])
        return all(rates[name] - rate <= allowed for name, rate in before.items())

    if not fits(_FIRST):
        low, high = 0, _FIRST - 1
    elif fits(_ALL):
        return SHARES[_ALL]
    else:
        low, high = _FIRST, _ALL - 1
    while low < high:  # `low` fits, nothing above `high` is taken to
        middle = (low + high + 1) // 2
        if fits(middle):
            low = middle
        else:
            high = middle - 1
    return SHARES[low]
