"""The share of a test run that is spent in one function, sampled in a real run of real tests."""

from __future__ import annotations

import pytest
from pythons import home_of, targets_of

from optagent.languages.python.testing.share import sample_tests

MODULE = """
def burn(seconds):
    import time
    until = time.process_time() + seconds
    while time.process_time() < until:
        pass


def part():
    burn(0.6)


def rest():
    burn(0.2)
"""
TESTS = "from m import part, rest\n\n\ndef test_part():\n    part()\n\n\ndef test_rest():\n    rest()\n"


@pytest.fixture
def sample(tmp_path, ours):
    home, tree = home_of(tmp_path, {"m.py": MODULE, "test_m.py": TESTS}, ours)

    def sampled(name: str, *tests: str):
        names = tuple(f"test_m.py::{one}" for one in tests)
        return sample_tests(home, tree, targets_of(tree, [name])[0], names, 60.0)

    return sampled


@pytest.mark.slow
def test_a_function_with_what_it_calls_has_the_share_of_the_cpu_that_it_burns(sample):
    seen = sample("part", "test_part", "test_rest")
    assert seen.cpu_s * seen.inside / seen.samples == pytest.approx(0.6, abs=0.1)
    assert seen.cpu_s > 0.75


@pytest.mark.slow
def test_a_function_that_the_tests_do_not_call_has_none(sample):
    assert sample("rest", "test_part").inside == 0


@pytest.mark.slow
def test_tests_that_do_not_exist_give_no_share(sample):
    assert sample("part", "test_nothing") is None
