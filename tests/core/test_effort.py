"""How hard is looked: what each effort can show, computed exactly."""

from __future__ import annotations

from statistics import NormalDist

import pytest

from optagent.core.effort import EFFORTS
from optagent.core.statistics import ALPHA, MARGIN, passing


@pytest.mark.parametrize("name", EFFORTS)
@pytest.mark.parametrize("claims_before", range(3))
def test_every_effort_keeps_the_error_of_a_claim(name, claims_before):
    assert passing(EFFORTS[name].claim_looks(claims_before), 0.5) <= ALPHA / 2**claims_before
    assert passing(EFFORTS[name].compare_looks(), 0.5) <= ALPHA


@pytest.mark.parametrize(
    ("name", "gain", "least"), [("normal", 0.05, 0.999), ("thorough", 0.02, 0.93), ("thorough", 0.03, 0.999)]
)
def test_the_gain_an_effort_is_for_is_confirmed_with_launches_of_nine_permille(name, gain, least):
    chance = NormalDist().cdf((gain - MARGIN) / 0.009)
    assert passing(EFFORTS[name].claim_looks(0), chance) >= least


def test_thorough_shows_what_normal_cannot():
    chance = NormalDist().cdf((0.02 - MARGIN) / 0.009)
    assert passing(EFFORTS["normal"].claim_looks(0), chance) < 0.7
