"""pyinstrument, where it is installed: a hot function is found with the time that is its own."""

from importlib.util import find_spec

import pytest
from profile_samples import scene_of

from optagent.profile.base import Here
from optagent.profile.sampling import PyInstrument

SOURCE = """
import time

def slow(seconds):
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        pass

def work(n):
    slow(0.15)
    slow(0.15)
    return n
"""


def test_an_environment_without_it_is_told_what_to_type():
    missing = PyInstrument().missing(Here({}))
    assert missing is not None
    assert "pip install pyinstrument" in missing.remedy
    assert PyInstrument().missing(Here({"pyinstrument": "5.1.3"})) is None


@pytest.mark.skipif(find_spec("pyinstrument") is None, reason="pyinstrument is not installed: an extra, `sampling`")
def test_the_function_that_takes_the_time_comes_first(make_repo, ours, sandbox):
    with scene_of(make_repo, ours, sandbox, SOURCE) as scene:
        facts = {one.name: one for one in PyInstrument().profile(scene, Here({})).facts}
    whole = sum(one.value for one in facts.values())
    own = sum(one.value for name, one in facts.items() if "perf_counter" in name or name == "slow")
    assert own > 0.9 * whole
    assert facts["slow"].place == "m.py:4"
    assert facts["slow"].count > 10
    assert "run_block" not in facts
