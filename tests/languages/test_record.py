"""What a recorder takes of the tests' time, and what it says when that was not enough."""

from __future__ import annotations

import time

import toolbox_path  # noqa: F401
from optagent_record import FIRST, OUT_OF_TIME, SHARES, Purse, Recorder


class Slow:
    """Takes a tenth of a second to write down."""

    def __init__(self, number: int) -> None:
        self.number = number

    def __reduce__(self):
        until = time.thread_time() + 0.1
        while time.thread_time() < until:
            pass
        return Slow, (self.number,)


def offer(recorder: Recorder, *args: object) -> bool:
    """One call, as the watch tells a recorder of it; whether it was looked at."""
    recorder.calls += 1
    if recorder.calls < recorder.next_look or not recorder.has_time() or not recorder.wants(args, {}):
        return False
    recorder.record(args, {})
    return True


def test_a_function_that_is_slow_to_write_down_keeps_its_first_calls_and_says_what_it_lost():
    purse = Purse()
    purse.spent = 0.6  # by others
    recorder = Recorder(purse, lambda module: False)
    looks = [offer(recorder, Slow(k)) for k in range(200)]
    assert looks[: SHARES[0][0]] == [True] * SHARES[0][0]
    assert FIRST > sum(looks) >= 3
    assert purse.spent < SHARES[0][1] + 0.2
    assert recorder.lost.keys() == {OUT_OF_TIME}
    assert 0 < recorder.lost[OUT_OF_TIME] <= len(looks) - sum(looks)


def test_others_still_get_their_first_calls_when_one_has_used_up_its_part():
    purse = Purse()
    purse.spent = 0.5
    slow, quick = (Recorder(purse, lambda module: False) for _ in range(2))
    for k in range(50):
        offer(slow, Slow(k))
    assert all(offer(quick, k) for k in range(3))
    assert len(quick.inputs) == 3


def test_calls_that_are_all_alike_are_looked_at_less_and_less_and_a_new_one_is_still_found():
    recorder = Recorder(Purse(), lambda module: False)
    recorder.purse.began -= 1000  # tests that have run for a while
    looks = sum(offer(recorder, "same") for _ in range(20_000))
    assert looks < 1_500
    assert any(offer(recorder, "s" * 100) for _ in range(200))
    assert len(recorder.inputs) == 2


def test_functions_that_come_late_find_room_although_earlier_ones_had_filled_it(monkeypatch):
    monkeypatch.setattr("optagent_record.MOST_BYTES", 1 << 20)
    purse = Purse()
    recorders = [Recorder(purse, lambda module: False) for _ in range(40)]
    for number, recorder in enumerate(recorders):
        for k in range(300):
            recorder.calls += 1
            recorder.record((f"{number}-{k}-" + "x" * 9_000,), {})
    assert [len(one.inputs) >= 2 for one in recorders] == [True] * 40
    assert purse.bytes <= 1 << 20
    assert purse.bytes == sum(len(data) for one in recorders for _, data in one.inputs)
    assert all(one.bytes == sum(len(data) for _, data in one.inputs) for one in recorders)


def test_one_call_larger_than_all_that_others_keep_is_not_kept_at_their_cost(monkeypatch):
    monkeypatch.setattr("optagent_record.MOST_BYTES", 1 << 20)
    purse = Purse()
    small, large = (Recorder(purse, lambda module: False) for _ in range(2))
    for k in range(60):
        small.record((f"{k}" + "x" * 17_000,), {})
    kept = len(small.inputs)
    large.record(("x" * 1_000_000,), {})
    assert large.lost == {"more arguments than there is room for": 1}
    assert len(small.inputs) == kept
