"""Which share of adapted weights stays."""

from __future__ import annotations

from itertools import product

import pytest

from odia_ocr.train.interpolate import SHARES, choose_share

LESS, TOO_MUCH = 0.001, 0.003


class Measured:
    """Rates of mixes that lose too much at some shares; remembers what was measured."""

    def __init__(self, fits: dict[float, bool]) -> None:
        self.fits, self.asked = fits, []

    def __call__(self, share: float) -> dict[str, float]:
        self.asked.append(share)
        return {"a": 0.02, "b": 0.03 + (LESS if self.fits[share] else TOO_MUCH)}

    def choose(self) -> float:
        return choose_share(self, {"a": 0.02, "b": 0.03}, allowed=0.002)

    @property
    def largest(self) -> float:
        return max(share for share, fits in self.fits.items() if fits)


def test_the_largest_share_that_loses_little_is_chosen() -> None:
    before = {"a": 0.02, "b": 0.03}

    def lose(rate: float):
        return lambda share: {"a": 0.02, "b": 0.03 + rate * share}

    assert choose_share(lose(0.0), before, allowed=0.0) == 1.0
    assert choose_share(lose(-0.01), before, allowed=0.0) == 1.0
    assert choose_share(lose(0.01), before, allowed=0.0055) == 0.5
    assert choose_share(lose(1.0), before, allowed=0.002) == 0.0


def test_sets_that_were_not_measured_before_have_no_say() -> None:
    assert choose_share(lambda share: {"a": 0.02, "own": share}, {"a": 0.02}, allowed=0.0) == 1.0


@pytest.mark.parametrize("limit", SHARES)
def test_where_loss_grows_with_the_share_four_measurements_find_the_largest(limit: float) -> None:
    measured = Measured({share: share <= limit for share in SHARES})
    assert measured.choose() == limit
    assert len(measured.asked) <= (2 if limit == 1.0 else 4)
    assert len(set(measured.asked)) == len(measured.asked)


def test_wherever_loss_does_not_grow_with_the_share_no_forbidden_one_is_chosen() -> None:
    for some in product((False, True), repeat=len(SHARES) - 1):
        measured = Measured(dict(zip(SHARES, (True, *some), strict=True)))
        share = measured.choose()
        assert measured.fits[share]
        assert share == 0.0 or share in measured.asked
        assert share <= measured.largest
        assert len(measured.asked) <= 4
