"""The referee of a run at work on trees that somebody spoils: what the reference owes is not laid to a candidate."""

from __future__ import annotations

import pickle
import time
from contextlib import contextmanager
from dataclasses import replace

import pytest
from small_project import FAST, small_project

from optagent.cli.run.evidence import Compared, take_strength
from optagent.cli.run.progress import Progress
from optagent.cli.run.session import Broken, prepared
from optagent.cli.run.shop import Counter
from optagent.cli.settings.run_settings import RunSettings
from optagent.core.fault import Strength
from optagent.core.patch import Candidate
from optagent.core.verdict import Evidence, Incorrect
from optagent.errors import BaselineBroken
from optagent.ledger import events

pytestmark = [pytest.mark.slow]
DIES = "import os\n\n\ndef score(values, limit):\n    os._exit(3)\n"


WRONG = FAST.replace("in values if value < limit}", "in values}")
STEPS = """def score(values, limit):
    n = 0
    while n < len(values):
        n += limit - 1
    return len(values)
"""
STEPPED = """from scores import score


def test_steps():
    assert [score([k] * k, limit) for limit in (2, 9) for k in range(1, 6)] == [1, 2, 3, 4, 5] * 2
"""


@contextmanager
def counter_of(folder, *files):
    settings = RunSettings(str(small_project(folder / "repo", *files)), "score")
    with Progress(10, quiet=True) as progress:
        (found,) = prepared([settings], folder / "state", progress)
        assert not isinstance(found, Broken), found
        found.store()
        with found.workshop.ledger:
            yield Counter(found.workshop, found.problem, progress.stage)
        found.workshop.clear()


@pytest.fixture
def counter(tmp_path):
    with counter_of(tmp_path) as made:
        yield made


def told(counter) -> events.Json:
    """What is on record of the tests."""
    (event,) = counter.workshop.ledger.events(counter.workshop.run, "tested")
    return event.data


def test_a_reference_that_dies_after_its_baseline_is_a_fault_of_the_environment(counter):
    file = counter.workshop.base.root / "scores.py"
    file.chmod(0o644)
    file.write_text(DIES)
    with pytest.raises(BaselineBroken, match="the untouched target fails"):
        counter.ready()
    with pytest.raises(BaselineBroken, match="the untouched target fails"):
        counter.verify(1, counter.workshop.base, Evidence(tests=1))


def test_which_tests_failed_is_on_record_by_name(counter):
    with counter.checkout(Candidate(counter.patch_to(WRONG), "script", "forgets the limit")) as tree:
        assert isinstance(counter.test(1, tree), Incorrect)
    reaching = len(counter.problem.suite.reaching)
    assert told(counter)["passed"] == reaching - 1
    assert told(counter)["failed"] == ["tests/test_scores.py::test_small_cases"]


def test_where_no_test_reaches_the_target_none_has_failed(counter):
    counter.problem = replace(counter.problem, suite=replace(counter.problem.suite, reaching=()))
    assert counter.test(1, counter.workshop.base) == Evidence(tests=0)
    assert (told(counter)["passed"], list(told(counter)["failed"])) == (0, [])


def test_a_planted_fault_that_loops_in_the_tests_alone_does_not_take_their_whole_patience(tmp_path):
    with counter_of(tmp_path, STEPS, STEPPED) as counter:
        workload = counter.problem.workload
        wide = [one for one in workload.by_tests if pickle.loads(one.data)[0][1] == 9]
        suite = replace(counter.problem.suite, patience_s=60.0)
        began = time.monotonic()
        found = take_strength(counter.workshop, suite, counter.checkouts, counter.run, Compared(tuple(wide)))
        assert isinstance(found, Strength), found
        assert found.untried == 1, found
        assert time.monotonic() - began < 45.0
