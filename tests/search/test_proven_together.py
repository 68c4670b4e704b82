"""Several candidates proven at once, and measured while nothing else goes on."""

from __future__ import annotations

import os
import signal
import threading
import time
from dataclasses import replace
from functools import partial
from threading import Barrier, Lock, active_count, get_ident

import pytest
from test_search_loop import NOT, Bench, Scripted, candidate, faster, ideas

from optagent.core.goal import Spent
from optagent.core.verdict import Difference, Evidence, Incorrect, Rejected
from optagent.errors import EnvironmentFault
from optagent.search.loop import Past, search
from optagent.search.policy import Greedy, InTurn, Proposal
from optagent.search.purse import Purse
from optagent.search.together import _Part, each, together

WAIT_S = 10.0


def searched(bench, policy=None, width=2, **parts):
    purse = Purse(Spent(1e9, 100, 1.0, 1), Spent(), lambda: bench.now)
    return list(search(policy or Greedy(bench.propose), replace(bench.shop(), **parts), purse, Past(), width))


def test_what_does_not_wait_for_each_other_is_tested_at_once_and_decided_in_order():
    both = Barrier(2, timeout=WAIT_S)
    bench = Bench({"a": NOT, "b": faster(2), "c": NOT, "d": NOT}, {"": ["a", "b", "c", "d"]})
    trials = searched(bench, test=lambda number, tree: both.wait() >= 0 and Evidence(1))
    assert [(one.number, one.candidate.idea) for one in trials] == [*enumerate(map("idea {}".format, "abcd"), 1)]
    assert [one.verdict for one in trials] == [NOT, faster(2), NOT, NOT]


def test_nothing_else_goes_on_while_one_is_measured():
    lock, testing, beside = Lock(), [], []

    def test(number, tree):
        with lock:
            testing.append(number)
        time.sleep(0.01 * number)
        testing.remove(number)
        return Evidence(1)

    def measure(number, tree, evidence):
        beside.append(list(testing))
        return NOT

    searched(Bench({}, {"": ["a", "b", "c"]}), width=3, screen=lambda number, one: None, test=test, measure=measure)
    assert beside == [[], [], []]


def test_whoever_fails_beside_others_is_judged_again_alone():
    asked = []

    def test(number, tree):
        asked.append(number)
        return Incorrect(Evidence(), "too slow") if asked.count(number) == 1 else Evidence(1)

    bench = Bench({"a": NOT, "b": faster(2)}, {"": ["a", "b"]})
    assert [one.verdict for one in searched(bench, test=test)] == [NOT, faster(2)]
    assert sorted(asked) == [1, 1, 2, 2]
    alone = searched(Bench({"a": NOT}, {"": ["a"]}), test=lambda number, tree: Incorrect(Evidence(), "slow"))
    assert [one.verdict for one in alone] == [Incorrect(Evidence(), "slow")]


def test_whoever_is_seen_to_do_something_else_gets_no_second_chance():
    asked, wrong = [], Incorrect(Evidence(first_difference=Difference("the result", "1", "2")), "differs")

    def compare(number, tree, evidence):
        asked.append(number)
        return wrong if number == 1 and asked.count(1) == 1 else evidence

    bench = Bench({"a": faster(3), "b": faster(2)}, {"": ["a", "b"]})
    assert [one.verdict for one in searched(bench, compare=compare)] == [wrong, faster(2)]
    assert sorted(asked) == [1, 2]


def test_where_there_is_no_room_for_several_they_are_proven_one_by_one():
    lock = Lock()

    def test(number, tree):
        if not lock.acquire(blocking=False):
            raise EnvironmentFault("the disk is full", "Make room.")
        try:
            time.sleep(0.05)
            return Evidence(1)
        finally:
            lock.release()

    bench = Bench({"a": NOT, "b": faster(2)}, {"": ["a", "b"]})
    assert [one.verdict for one in searched(bench, test=test)] == [NOT, faster(2)]


def test_what_all_have_in_common_is_seen_to_before_any_is_tested():
    said: list[str] = []
    ready = partial(said.append, "ready")
    bench = Bench({"a": NOT, "b": NOT}, {"": ["a", "b"]})
    searched(bench, ready=ready, test=lambda number, tree: said.append("test") or Evidence(1))
    assert said == ["ready", "test", "test"]


def test_what_is_not_asked_for_ahead_is_not_refused():
    bench = Bench({"a": NOT, "b": NOT}, {"": ["a", "b"]})
    purse = Purse(Spent(1e9, 2, 1.0, 1), Spent(), lambda: bench.now)
    trials = search(Greedy(bench.propose), bench.shop(), purse, Past(), 4)
    assert (next(trials).number, purse.refusal) == (1, "")
    assert [one.number for one in trials] == [2]


def test_when_the_time_is_over_the_rest_of_those_in_flight_is_not_measured():
    bench = Bench(dict.fromkeys("abc", NOT), {"": ["a", "b", "c"]})
    purse = Purse(Spent(30.0, 100, 1.0, 1), Spent(), lambda: bench.now)

    def measure(number, tree, evidence):
        bench.now += 20.0
        return NOT

    shop = replace(bench.shop(), measure=measure)
    assert [one.number for one in search(Greedy(bench.propose), shop, purse, Past(), 3)] == [1, 2]
    assert "minutes are over" in purse.refusal


def test_trials_that_another_session_left_are_proven_together_too():
    bench = Bench({"a": NOT, "b": faster(2)}, {})
    both = Barrier(2, timeout=WAIT_S)
    pending = [(number, Proposal(candidate(text))) for number, text in ((4, "a"), (5, "b"))]
    purse = Purse(Spent(1e9, 100, 1.0, 1), Spent(), lambda: bench.now, Spent(trials=2))
    shop = replace(bench.shop(), test=lambda number, tree: both.wait() >= 0 and Evidence(1))
    found = list(search(Scripted(), shop, purse, Past((), pending), 2))
    assert [(one.number, one.verdict) for one in found] == [(4, NOT), (5, faster(2))]


def test_what_an_earlier_session_has_begun_is_decided_also_when_the_time_is_over():
    bench = Bench(dict.fromkeys("abcde", NOT), {})
    bench.now = 60.0
    pending = [(number, Proposal(candidate(text))) for number, text in enumerate("abcde", 1)]
    purse = Purse(Spent(30.0, 100, 1.0, 1), Spent(seconds=60.0), lambda: bench.now, Spent(trials=5))
    assert not purse.has(Spent())
    found = search(Scripted(), bench.shop(), purse, Past((), pending), 2)
    assert [one.number for one in found] == [1, 2, 3, 4, 5]


def test_what_is_out_of_scope_is_so_beside_others_too():
    bench = Bench({"a": Rejected("out of scope"), "b": NOT}, {"": ["a", "b"]})
    assert [one.verdict for one in searched(bench)] == [Rejected("out of scope"), NOT]
    assert sorted(bench.judged) == [1, 2]


def test_nobody_is_paid_for_an_answer_that_may_not_be_wanted():
    """Rules are asked for more while a trial is in flight; a model is asked when all before it are judged."""
    bench = Bench(dict.fromkeys("abcd", NOT), {"": ["a", "b"]})
    model = Scripted(Proposal(candidate("c")), Proposal(candidate("d")))
    asked = []

    def ask(number):
        asked.append((number, ideas(model.told)))
        return Scripted.ask(model, number)

    model.ask = ask
    searched(bench, InTurn(Greedy(bench.propose), model), width=4)
    assert asked == [
        (3, ["idea a", "idea b"]),
        (4, ["idea a", "idea b", "idea c"]),
        (5, ["idea a", "idea b", "idea c", "idea d"]),
    ]


def test_the_time_of_all_is_shared_out():
    bench = Bench(dict.fromkeys("ab", NOT), {"": ["a", "b"]})  # a screening takes a second
    assert [one.cost.seconds for one in searched(bench)] == [1.0, 1.0]


def endless():
    while True:
        time.sleep(0.01)


def test_an_error_of_one_ends_the_others_and_is_the_error_of_all():
    before = active_count()
    with pytest.raises(ZeroDivisionError):
        together([endless, lambda: 1 // 0, endless])
    assert active_count() == before


@pytest.fixture
def interrupt():
    """As Ctrl-C does, which may be switched off where the tests run in the background."""
    kept = signal.signal(signal.SIGUSR1, signal.default_int_handler)
    yield lambda: os.kill(os.getpid(), signal.SIGUSR1)
    signal.signal(signal.SIGUSR1, kept)


def test_an_interruption_is_one_for_all_of_them(interrupt):
    before, let_go = active_count(), []

    def held():
        try:
            endless()
        finally:
            let_go.append("held")

    def interrupted():
        time.sleep(0.1)
        interrupt()
        endless()

    with pytest.raises(KeyboardInterrupt):
        together([held, interrupted, held])
    assert (active_count(), let_go) == (before, ["held", "held"])


def test_results_are_in_the_order_of_the_tasks():
    assert together([lambda n=n: time.sleep(0.02 * (3 - n)) or n for n in range(3)]) == [0, 1, 2]


def test_a_thread_that_ends_without_a_word_is_want_of_memory_and_nobody_waits_for_it(monkeypatch):
    """As where there is no memory left to keep its error in."""

    def without_memory(*_):
        raise MemoryError

    before = active_count()
    monkeypatch.setattr(_Part, "__exit__", without_memory)
    monkeypatch.setattr(threading, "excepthook", lambda _: None)
    with pytest.raises(MemoryError):
        together([lambda: 1, lambda: 1 // 0])
    assert active_count() == before


def test_each_takes_so_many_at_a_time_and_keeps_their_order():
    three, threads = Barrier(3), set()

    def work(item):
        three.wait(WAIT_S)
        threads.add(get_ident())
        return item * item

    assert each(work, range(18), 3) == [item * item for item in range(18)]
    assert len(threads) == 3
    assert each(work, [], 3) == []


def test_an_error_at_one_of_them_ends_all():
    with pytest.raises(ZeroDivisionError):
        each(lambda item: 1 // item, [1, 1, 0, 1], 2)
