"""The one table of exit codes, claims, the account of a life, inputs, and how differences are named."""

from __future__ import annotations

import json
from dataclasses import fields
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from optagent.core.accounting import ACCOUNTS, Life, moved_work
from optagent.core.canonical import first_difference
from optagent.core.goal import Goal
from optagent.core.outcome import Outcome, referee_exit_code, referee_outcome, run_exit_code, worst
from optagent.core.patch import lines_of
from optagent.core.statistics import interval, looks_of
from optagent.core.verdict import Difference, Evidence, Inconclusive, Speedup
from optagent.core.workload import Input, distinct, split

CODES = {
    Outcome.FASTER: (0, 1, 0),
    Outcome.EQUIVALENT: (1, 1, 0),
    Outcome.SLOWER: (1, 1, 6),
    Outcome.INCORRECT: (1, 1, 6),
    Outcome.REJECTED: (1, 1, 6),
    Outcome.INCONCLUSIVE: (1, 1, 7),
    Outcome.CANNOT_COMPARE: (1, 1, 7),
    Outcome.NOTHING_FOUND: (1, 1, 7),
    Outcome.BASELINE_BROKEN: (3, 3, 3),
    Outcome.BUDGET_EXHAUSTED: (1, 1, 7),
    Outcome.INTERRUPTED: (130, 130, 130),
    Outcome.FAILED: (70, 70, 70),
}


@pytest.mark.parametrize("outcome", Outcome)
def test_every_outcome_has_its_exit_codes(outcome):
    got = run_exit_code(outcome, True), run_exit_code(outcome, False), referee_exit_code(outcome)
    assert got == CODES[outcome]


@pytest.mark.parametrize(
    ("wanted", "ratio", "met"), [(None, 1.0, True), (None, 0.9, False), (2.0, 1.9, False), (2.0, 2.0, True)]
)
def test_a_goal_is_met_by_what_was_asked_or_by_any_gain(wanted, ratio, met):
    assert Goal(wanted).met_by(ratio) is met


# claims


def test_every_further_claim_of_a_run_needs_a_launch_more_to_be_unanimous():
    needed = [looks_of(k)[0][0] for k in range(12)]
    assert all(later == earlier + 1 for earlier, later in pairwise(needed))


@given(st.lists(st.floats(-2, 2), min_size=1, max_size=12), st.randoms())
def test_the_order_of_launches_moves_no_interval(values, rng):
    mixed = list(values)
    rng.shuffle(mixed)
    assert interval(mixed) == interval(values)


# accounts


def test_every_phase_has_an_account_of_its_own_and_only_idling_is_a_turn():
    accounts = {one.name for one in fields(Life)} - {"turns"}
    assert set(ACCOUNTS.values()) == accounts
    for phase, name in ACCOUNTS.items():
        grown = Life().plus(phase, 7).plus(phase, 5)
        assert getattr(grown, name) == 12
        assert sum(getattr(grown, one) for one in accounts) == 12
        assert grown.turns == (2 if phase == "idle" else 0)


def test_without_launches_nothing_was_moved():
    assert moved_work([]) is None


@given(st.text(alphabet="ab\r\n\f\u2028", max_size=20))
def test_lines_put_together_are_the_text(text):
    assert "".join(lines_of(text)) == text
    assert all(line.endswith("\n") for line in lines_of(text)[:-1])


# inputs


@settings(max_examples=50)
@given(st.lists(st.binary(max_size=3), max_size=20))
def test_repeats_go_and_the_first_of_each_stays(datas):
    inputs = [Input(data, str(k)) for k, data in enumerate(datas)]
    kept = distinct(inputs)
    assert [one.data for one in kept] == list(dict.fromkeys(datas))
    assert all(one.source == str(datas.index(one.data)) for one in kept)


def test_held_out_sets_share_nothing_and_are_about_as_large():
    workload = split([Input(bytes([k]) * (k + 1), "ab"[k % 2]) for k in range(40)])
    first, second = ({one.digest for one in held} for held in workload.held_out)
    assert not first & second
    assert abs(len(first) - len(second)) <= 1


# differences in words


def call(value: object, *, kind: str = "returned", args: object = ("t",), out: str = "") -> bytes:
    return json.dumps(["l", kind, value, list(args), ["d"], ["l", out, "", ["l"]]]).encode()


@pytest.mark.parametrize(
    ("old", "new", "where"),
    [
        (call(1), call(["f", "0x1p+0"]), "the result"),
        (call(["t", ["l", 1, 2], ["l", 3]]), call(["t", ["l", 1, 9], ["l", 3]]), "the result[0][1]"),
        (call(["d", ["a", ["d", ["b", 1]]]]), call(["d", ["a", ["d", ["b", 2]]]]), "the result['a']['b']"),
        (call(["l", 1]), call(["l", 1, 2]), "the result"),
        (call(1), call(["x", "builtins.ValueError", ["t"], "no"], kind="raised"), "the outcome"),
        (call(1, args=("t", ["l", 1])), call(1, args=("t", ["l"])), "positional arguments after the call[0]"),
        (call(1, out="a"), call(1, out="b"), "printed text and warnings[0]"),
    ],
)
def test_a_difference_says_where_it_is(old, new, where):
    found = first_difference(old, new)
    assert found.where == where
    assert found.old != found.new


@given(st.binary(max_size=40) | st.sampled_from([call(1), call(["l", [], {}, [[]]]), b"[" * 9_000, b"9" * 9_000]))
def test_whatever_a_sandbox_sends_is_told_in_short_words(data):
    for old, new in ((call(["l", ["f", "0x1p+0"]]), data), (data, call(["x", "a", ["t"], "b"]))):
        found = first_difference(old, new)
        assert all(len(part) < 400 for part in (found.where, found.old, found.new))


broken_trees = st.recursive(
    st.none()
    | st.integers()
    | st.floats()
    | st.sampled_from(["l", "t", "d", "f", "x", "r", "i", "returned", "raised"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=2), inner, max_size=2),
    max_leaves=12,
)


@given(broken_trees, broken_trees)
def test_trees_that_only_look_like_encodings_never_raise(one, other):
    for old, new in ((one, other), (["l", "returned", one], ["l", "returned", other])):
        first_difference(json.dumps(old).encode(), json.dumps(new).encode())


def test_evidence_adds_up_to_the_most_seen_and_the_first_difference():
    first, second = Difference("a", "1", "2"), Difference("b", "1", "2")
    both = Evidence(5, 1, 0) + Evidence(2, 7, 3, first) + Evidence(0, 0, 0, second)
    assert both == Evidence(5, 7, 3, first)


# how much slower is no regression


@pytest.mark.parametrize(
    ("low", "high", "most", "outcome"),
    [
        (0.96, 1.02, 1.05, Outcome.EQUIVALENT),
        (0.94, 1.02, 1.05, Outcome.INCONCLUSIVE),
        (0.96, 0.97, 1.05, Outcome.SLOWER),
        (0.92, 0.97, 1.10, Outcome.EQUIVALENT),
        (0.85, 0.95, 1.10, Outcome.INCONCLUSIVE),
        (0.85, 0.90, 1.10, Outcome.SLOWER),
        (0.982, 0.988, 1.01, Outcome.SLOWER),
        (0.992, 0.998, 1.01, Outcome.EQUIVALENT),
        (0.5, 0.6, 1.05, Outcome.SLOWER),
    ],
)
def test_what_is_tolerated_decides_what_is_a_regression(low, high, most, outcome):
    shown = Speedup(low, low, high, 0.99, 30, 8, 0.01, "cpu", 1, 1, 1)
    assert referee_outcome(Inconclusive("no gain", Evidence(), shown), most) is outcome


def test_a_regression_is_told_before_what_could_not_be_judged():
    assert worst([Outcome.BASELINE_BROKEN, Outcome.SLOWER]) is Outcome.SLOWER
    assert worst([Outcome.SLOWER, Outcome.INCORRECT, Outcome.FASTER]) is Outcome.INCORRECT
    assert worst([Outcome.EQUIVALENT, Outcome.CANNOT_COMPARE]) is Outcome.CANNOT_COMPARE
