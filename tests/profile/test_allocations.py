"""tracemalloc on a target whose memory is known."""

import pytest
from profile_samples import scene_of

from optagent.profile.allocations import HELD, PEAK, TraceMalloc
from optagent.profile.base import Here

MIB = 1 << 20
SOURCE = """
def work(n):
    scratch = bytearray(8 << 20)
    kept = bytearray(len(scratch) // 8)
    return kept
"""


@pytest.fixture
def facts(make_repo, ours, sandbox):
    with scene_of(make_repo, ours, sandbox, SOURCE) as scene:
        return TraceMalloc().profile(scene, Here({})).facts


def test_the_peak_is_that_of_one_call_not_of_all(facts):
    (peak,) = (one for one in facts if one.name == PEAK)
    assert 9 * MIB <= peak.value < 9.1 * MIB
    assert (peak.place, peak.unit, peak.count) == ("", "bytes", None)


def test_what_the_results_hold_is_told_by_line_and_scratch_is_not(facts):
    held = {one.place: one for one in facts if one.name == HELD}
    assert 2 * MIB <= held["m.py:4"].value < 2.1 * MIB
    assert held["m.py:4"].count >= 2
    assert "m.py:3" not in held
