"""From what was found to a verdict: wrong comes first, then work moved out of sight, then the numbers."""

from __future__ import annotations

from dataclasses import replace

import pytest

from optagent.core.strain import Strain
from optagent.core.verdict import Difference, Evidence, Faster, Inconclusive, Incorrect, Rejected, Slower, Speedup
from optagent.languages.contestant import REFERENCE, Misconduct, Uncomparable
from optagent.measure.judge import Ruling, judge, judge_near, verdict
from optagent.measure.speed import Found, Near

SPEEDUP = Speedup(2.0, 1.9, 2.1, 0.99, 30, 8, 0.01, "cpu", 2.0, 1.0, 2.0)
SEEN = Evidence(tests=4, inputs=9, held_out=3)
FOUND = Found((), SPEEDUP, is_faster=True, is_slower=False)
WRONG = Difference("the result[0]", "1", "2")


@pytest.mark.parametrize(
    ("found", "kind"),
    [
        (FOUND, Faster),
        (replace(FOUND, is_faster=False), Inconclusive),
        (replace(FOUND, is_faster=False, is_slower=True), Slower),
        (replace(FOUND, moved="import"), Rejected),
        (replace(FOUND, difference=WRONG), Incorrect),
        (replace(FOUND, difference=WRONG, moved="import"), Incorrect),
        (replace(FOUND, is_faster=False, is_slower=True, moved="import"), Rejected),
    ],
)
def test_every_finding_has_one_verdict(found, kind):
    assert type(verdict(found, SEEN)) is kind


def test_a_gain_that_only_the_stopped_garbage_collector_gives_is_none():
    assert verdict(replace(FOUND, collecting=1.9), SEEN).kind == "faster"
    assert verdict(replace(FOUND, collecting=1.005), SEEN).kind == "inconclusive"
    lost = verdict(replace(FOUND, collecting=0.97), SEEN)
    assert lost.kind == "inconclusive"
    assert "2.000x with the garbage collector off" in lost.reason
    assert "0.970x with it on" in lost.reason


def test_a_wrong_timed_call_is_shown_with_the_evidence():
    said = verdict(replace(FOUND, difference=WRONG), SEEN)
    assert said.evidence == Evidence(4, 9, 3, WRONG)
    assert said.reason == "the result[0] differs in timed calls: 1 before, 2 after"


def test_a_gain_within_the_noise_is_called_noise_and_another_no_gain_in_each_launch():
    noisy = replace(FOUND, is_faster=False, speedup=replace(SPEEDUP, ratio=1.05, noise=0.08))
    assert "noise of this machine" in verdict(noisy, SEEN).reason
    mixed = replace(FOUND, is_faster=False, speedup=replace(SPEEDUP, ratio=1.05, noise=0.0))
    assert verdict(mixed, SEEN).reason == "1.050x in the middle of 8 launches, and too few of them beyond 1.0%"


def test_a_gain_on_one_clock_only_is_told_as_one():
    burns_less = replace(SPEEDUP, ratio=23.7, low=23.0, high=24.0, clock="cpu", other_ratio=0.2)
    said = verdict(replace(FOUND, is_faster=False, speedup=burns_less, strain=Strain(3.0, load=2.0, delay=0.34)), SEEN)
    assert said.reason == "23.700x on the CPU clock, and 0.200x on the wall clock"
    drowned = replace(SPEEDUP, ratio=1.05, low=1.04, high=1.06, clock="cpu", other_ratio=1.0)
    said = verdict(replace(FOUND, is_faster=False, speedup=drowned, strain=Strain(3.0, load=2.0, delay=0.34)), SEEN)
    assert said.reason.startswith("1.050x on the CPU clock, and 1.000x on the wall clock; the likeliest cause: ")


def test_what_the_system_did_meanwhile_is_named_as_the_likeliest_cause():
    busy = replace(FOUND, is_faster=False, strain=Strain(3.0, load=2.0, delay=0.34))
    assert verdict(busy, SEEN).reason.endswith(
        "; the likeliest cause: what was measured waited 34% of its time for the core, on which something else ran"
    )
    assert "cause" not in verdict(replace(busy, strain=Strain(3.0, load=0.5, delay=0.01)), SEEN).reason


def test_a_busy_machine_is_not_blamed_where_there_is_no_gain():
    none = replace(SPEEDUP, ratio=0.997, low=0.98, high=1.005, noise=0.004)
    busy = replace(FOUND, is_faster=False, speedup=none, strain=Strain(3.0, load=2.0, delay=0.34))
    assert "cause" not in verdict(busy, SEEN).reason


@pytest.mark.parametrize(
    ("failure", "kind"),
    [
        (Misconduct("call", "the process ended"), Incorrect),
        (Misconduct("call", "no fork", refused=True), Rejected),
        (Misconduct("call", "the process ended", name=REFERENCE), Inconclusive),
        (Misconduct("call", "no fork", refused=True, name=REFERENCE), Inconclusive),
        (Uncomparable("builtins.object"), Inconclusive),
    ],
)
def test_a_side_that_fails_while_measured_is_a_verdict(failure, kind):
    def measure() -> Found:
        raise failure

    assert type(judge(measure, SEEN).verdict) is kind


def near(ratio: float, own: float | None = None, work: float = 1.0) -> Near:
    def seen(ratio: float) -> Found:
        return replace(FOUND, speedup=replace(SPEEDUP, ratio=ratio))

    return Near(seen(ratio), None if own is None else seen(own), work)


CLAIMED = Ruling(Faster(replace(SPEEDUP, ratio=30.0), SEEN), FOUND)


@pytest.mark.parametrize(
    ("seen", "whole", "kind"),
    [
        (near(20.0), True, Faster),
        (near(1.0, own=30.0, work=0.9), True, Inconclusive),
        (near(1.0, own=30.0, work=0.9), False, Inconclusive),
        (near(1.0, own=1.02, work=0.9), False, Faster),  # the gain grows with size, and these are small
        (near(1.0, own=1.02, work=0.9), True, Inconclusive),
        (near(1.0, own=30.0, work=0.3), True, Faster),  # refused, or ended early
        (replace(near(1.0), there=replace(FOUND, difference=WRONG)), True, Incorrect),
        (replace(near(20.0), there=replace(FOUND, moved="import")), True, Rejected),
    ],
)
def test_a_gain_has_to_be_there_on_calls_that_differ_a_little(seen, whole, kind):
    assert type(judge_near(CLAIMED, whole, lambda _: seen).verdict) is kind


def test_a_gain_that_could_not_be_looked_for_elsewhere_is_none():
    for failed, kind in ((Misconduct("call", "the process ended", name=REFERENCE), Inconclusive),
                         (Misconduct("call", "the process ended"), Incorrect),
                         (Uncomparable("builtins.object"), Inconclusive)):  # fmt: skip

        def measure(gain: float, failed: Exception = failed) -> Near:
            raise failed

        assert type(judge_near(CLAIMED, True, measure).verdict) is kind


def test_what_is_no_gain_is_not_looked_for_elsewhere():
    slower = Ruling(Slower(SPEEDUP, SEEN), FOUND)
    assert judge_near(slower, True, lambda gain: pytest.fail("it was")) is slower
