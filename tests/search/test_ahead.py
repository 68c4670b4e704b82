"""Answers asked for ahead of their turn, and what is kept in order all the same."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from optagent.core.goal import BudgetSpent
from optagent.search.ahead import Ahead


@pytest.fixture
def gate():
    """Opened at the end, whatever happened: no thread waits for ever."""
    event = threading.Event()
    yield event
    event.set()


def keeping(make: Callable[[int], str]) -> tuple[list[int], Callable[[int], str]]:
    made: list[int] = []

    def kept(number: int) -> str:
        made.append(number)
        return make(number)

    return made, kept


def test_answers_come_in_their_order_and_each_is_made_once():
    made, make = keeping(lambda number: f"answer {number}")
    ahead = Ahead(make, 3)
    assert [ahead.get(number, 10 - number) for number in range(1, 11)] == [f"answer {k}" for k in range(1, 11)]
    assert sorted(made) == [*range(1, 11)]


def test_so_many_are_under_way_at_once_and_no_more(gate):
    made, make = keeping(lambda number: gate.wait(60) and str(number))
    ahead = Ahead(make, 2)
    waiting = threading.Thread(target=ahead.get, args=(1, 9))
    waiting.start()
    while len(made) < 3:
        assert waiting.is_alive()
    gate.set()
    waiting.join()
    ahead.settle()
    assert sorted(made) == [1, 2, 3]


def test_none_is_asked_for_beyond_those_that_may_still_be():
    made, make = keeping(str)
    ahead = Ahead(make, 3)
    assert [ahead.get(number, 2 - number) for number in (1, 2)] == ["1", "2"]
    ahead.settle()
    assert sorted(made) == [1, 2]


def test_where_nothing_further_may_be_asked_there_is_no_thread():
    ahead = Ahead(lambda number: threading.current_thread(), 3)
    assert ahead.get(1, 0) is threading.current_thread()


def test_what_goes_wrong_is_raised_in_its_turn_and_not_before():
    def make(number: int) -> str:
        if number == 2:
            raise ValueError("no answer")
        return str(number)

    ahead = Ahead(make, 3)
    assert ahead.get(1, 5) == "1"
    ahead.settle()
    with pytest.raises(ValueError, match="no answer"):
        ahead.get(2, 4)
    assert ahead.get(3, 3) == "3"


def test_what_could_not_be_afforded_beside_others_is_tried_again_in_its_turn():
    made: list[int] = []

    def make(number: int) -> str:
        made.append(number)
        if number == 2 and made.count(2) == 1:
            raise BudgetSpent("the others are under way")
        return str(number)

    ahead = Ahead(make, 1)
    assert ahead.get(1, 1) == "1"
    assert ahead.get(2, 0) == "2"
