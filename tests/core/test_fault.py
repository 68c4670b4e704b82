"""Which planted faults are tried, and what their fate says of the checks."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

from hypothesis import given
from hypothesis import strategies as st

from optagent.core.fault import FLOOR, Fault, Strength, Survivor, fault_of, sample
from optagent.core.verdict import Unmeasured
from optagent.verify.oracle import MOST_FAULTS, UNREACHED, UNTOLD, strength


def fault(line: int, kind: str = "operator") -> Fault:
    return Fault("m.py", line, line, line, kind, f"words of {line}", 0, 0, "")


def test_no_kind_crowds_out_the_others():
    many = [fault(k) for k in range(100)] + [fault(200, "tie"), fault(201, "branch")]
    chosen = sample(many, 10, seed=1)
    assert len(chosen) == 10
    assert {"tie", "branch"} <= {one.kind for one in chosen}


@given(st.lists(st.tuples(st.integers(1, 50), st.sampled_from("abc")), unique=True), st.integers(0, 60), st.integers())
def test_a_sample_is_part_of_the_whole_and_the_same_for_a_seed(given_ones, most, seed):
    whole = [fault(line, kind) for line, kind in given_ones]
    chosen = sample(whole, most, seed)
    assert len(chosen) == min(most, len(whole))
    assert set(chosen) <= set(whole)
    assert chosen == sample(whole, most, seed)


def test_what_is_accepted_survives_and_what_cannot_be_told_counts_for_nothing():
    said = {0: True, 1: False, 2: None, 3: False, 4: True}
    faults = [fault(k) for k in range(5)]
    survivors = (Survivor(0, "operator", "words of 0"), Survivor(4, "operator", "words of 4"))
    with ThreadPoolExecutor(2) as pool:
        for each in (map, pool.map):
            found = strength(faults, None, lambda one: said[one.line], 60.0, 1, each)
            assert found == Strength(4, 2, survivors, untried=1)


def test_faults_that_no_input_reaches_are_not_planted():
    found = strength([fault(1), fault(2), fault(3)], {2}, lambda patch: False, 60.0, 1)
    assert found == Strength(1, 1, (), unreached=2)
    assert strength([fault(1)], set(), lambda patch: False, 60.0, 1) == UNREACHED


def test_nothing_is_said_where_nothing_was_told():
    assert strength([fault(1)], None, lambda patch: None, 60.0, 1) == UNTOLD
    assert isinstance(strength([], None, lambda patch: False, 60.0, 1), Unmeasured)


def test_planting_ends_with_its_time_and_with_its_number():
    many = [fault(k) for k in range(2 * MOST_FAULTS)]
    assert strength(many, None, lambda patch: False, 0.0, 1) == UNTOLD
    assert strength(many, None, lambda patch: False, 60.0, 1) == Strength(MOST_FAULTS, MOST_FAULTS, ())


def test_what_there_was_time_for_is_a_sample_of_all_kinds():
    """The first lines of a function are guards, which are noticed easily."""
    many = [fault(k, "logic") for k in range(20)] + [fault(k, "tie") for k in range(20, 40)]

    def slow(one: Fault) -> bool:
        time.sleep(0.02)
        return one.kind == "tie"

    found = strength(many, None, slow, 0.1, 1)
    assert isinstance(found, Strength)
    assert found.untried
    assert 0 < found.found < found.planted < MOST_FAULTS


def test_a_few_faults_of_many_are_not_enough_for_a_gate():
    assert (
        fault_of(Strength(2, 2, (), untried=28), 90) == "only 2 planted faults could be judged, and 90 % are asked for"
    )
    assert fault_of(Strength(2, 2, ()), 90) is None
    assert fault_of(Strength(25, 25, (), untried=5), 90) is None


def test_evidence_is_weak_below_the_floor():
    assert Strength(10, 7, ()).is_weak
    assert not Strength(10, int(10 * FLOOR), ()).is_weak
