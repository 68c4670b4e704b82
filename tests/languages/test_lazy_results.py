"""Results that are not there yet: iterators, generators and coroutines are run to their end and compared by what they
gave, in order, of which kind, and how they ended."""

from __future__ import annotations

import asyncio
import collections
import itertools

import pytest
import toolbox_path  # noqa: F401

from optagent.core.canonical import read
from optagent.core.iterators import places_of_iterators

# isort: split
import optagent_iterate
import optagent_objects  # noqa: F401 - puts the objects into the encoding
from optagent_encode import CannotEncode, Known, encode
from optagent_target import run_block, run_checked
from optagent_within import to_its_end


def left_by(function, *args):
    """What a call leaves: outcome and result, and its arguments, as one encoding."""
    outcome = run_checked(function, (args, {}))
    return encode([*outcome, list(args)])


def generator(items, end=None):
    yield from items
    return end


def fails_after(items, error):
    yield from items
    raise error


class Own:
    """An iterator of the project: an object, known by its state."""

    def __init__(self, left):
        self.left = left

    def __iter__(self):
        return self

    def __next__(self):
        if not self.left:
            raise StopIteration
        self.left -= 1
        return self.left


async def later(value):
    await asyncio.sleep(0)
    return value


async def steps(items):
    for one in items:
        yield one


async def steps_and_fails(items):
    for one in items:
        yield one
    raise KeyError(items)


DIFFERENT = {
    "values": (lambda: iter([1, 2]), lambda: iter([1, 3])),
    "types of values": (lambda: iter([1]), lambda: iter([True])),
    "order": (lambda: iter([1, 2]), lambda: iter([2, 1])),
    "length": (lambda: iter([1, 1]), lambda: iter([1])),
    "a generator and an iterator": (lambda: generator([1]), lambda: iter([1])),
    "an iterator and a list": (lambda: iter([1]), lambda: [1]),
    "what a generator returns": (lambda: generator([1], 2), lambda: generator([1], 3)),
    "an exception at the end": (lambda: fails_after([1], KeyError(1)), lambda: generator([1])),
    "its type": (lambda: fails_after([1], KeyError(1)), lambda: fails_after([1], ValueError(1))),
    "when it comes": (lambda: fails_after([1], KeyError(1)), lambda: fails_after([1, 2], KeyError(1))),
    "an exception at once and in the generator": (lambda: [][0], lambda: fails_after([], IndexError("list index out of range"))),
    "one without end and one of the same first items": (lambda: itertools.count(), lambda: iter(range(9_999))),
    "two without end": (lambda: itertools.count(), lambda: itertools.count(1)),
    "what coroutines return": (lambda: later(1), lambda: later(2)),
    "a coroutine's iterator": (lambda: later(iter([1])), lambda: later(iter([2]))),
    "asynchronous items": (lambda: steps([1]), lambda: steps([2])),
    "how an asynchronous generator ends": (lambda: steps([1]), lambda: steps_and_fails([1])),
    "a generator and an asynchronous one": (lambda: steps([1]), lambda: generator([1])),
    "iterators inside": (lambda: [1, iter([2])], lambda: [1, iter([3])]),
    "iterators inside a dict": (lambda: {"a": generator([2])}, lambda: {"a": iter([2])}),
    "one iterator twice and two": (lambda: [iter([1])] * 2, lambda: [iter([1]), iter([1])]),
    "iterators of the project": (lambda: Own(1), lambda: Own(2)),
}  # fmt: skip


@pytest.mark.parametrize("what", DIFFERENT)
def test_results_that_differ_when_they_are_read_differ(what):
    one, other = DIFFERENT[what]
    assert left_by(one) == left_by(one)
    assert left_by(one) != left_by(other)


ALIKE = {
    "whatever made a plain iterator": (lambda: map(abs, [-1, 2]), lambda: iter((1, 2))),
    "a chain and a dict's": (lambda: itertools.chain("a", "b"), lambda: iter({"a": 1, "b": 2})),
    "a generator function and an expression": (lambda: generator([1, 2]), lambda: (k for k in (1, 2))),
    "a coroutine and what it returns": (lambda: later([1]), lambda: [1]),
}  # fmt: skip


@pytest.mark.parametrize("what", ALIKE)
def test_how_the_same_items_are_made_is_no_difference(what):
    one, other = ALIKE[what]
    assert left_by(one) == left_by(other)


def grows():
    handed = []
    for k in range(3):
        handed.append(k)
        yield handed


def grown():
    handed = [0, 1, 2]
    yield handed
    yield handed
    yield handed


def test_a_generator_that_changes_what_it_has_handed_out_is_seen_to():
    """Read to its end first and looked at then, both would be the same list three times."""
    assert left_by(grows) != left_by(grown)
    _, value = run_checked(grows, ((), {}))
    assert value.seen == ['["l",0]', '["l",0,1]', '["l",0,1,2]']


def test_what_a_call_took_from_an_iterator_it_was_given_belongs_to_the_result():
    def two(source):
        return [next(source), next(source)]

    def three(source):
        return [next(source), next(source), next(source)][:2]

    assert left_by(two, iter([1, 2, 3, 4])) != left_by(three, iter([1, 2, 3, 4]))
    assert left_by(two, generator([1, 2, 3])) == left_by(two, generator([1, 2, 3]))


def test_a_lazy_result_that_reads_its_argument_reads_it_to_the_end():
    def doubled(source):
        return (2 * one for one in source)

    outcome = read(left_by(doubled, iter([1, 2])))
    assert outcome[2][3:] == [2, 4]
    assert outcome[3][1] == ["I", "iterator", ["ended", None]]  # nothing is left


def test_reading_stops_at_the_bound_and_says_so():
    (_, value) = run_checked(itertools.count, ((), {}))
    assert (len(value.items), value.ending) == (optagent_iterate.MOST_ITEMS, "endless")


def test_what_a_generator_cleans_up_at_its_end_is_cleaned_up():
    closed = []

    def opened():
        try:
            yield 1
        finally:
            closed.append(True)

    run_checked(opened, ((), {}))
    assert closed == [True]


def test_a_timed_block_reads_lazy_results_to_their_end_too():
    read = []

    def source(n):
        for k in range(n):
            read.append(k)
            yield k

    async def waits(n):
        read.append(n)
        return n

    kinds = [((source(3),), {}), ((3,), {})]
    results = run_block(lambda one: (k for k in one), [kinds[0]])
    assert read == [0, 1, 2]
    assert results[0][1].items == [0, 1, 2]
    assert run_block(waits, [kinds[1]]) == [("returned", 3)]
    assert read[-1] == 3


def test_an_exception_before_the_first_item_is_in_the_iterator_and_one_before_the_iterator_is_the_calls():
    def eager():
        raise KeyError(1)

    def lazy():
        raise KeyError(1)
        yield

    assert run_checked(eager, ((), {}))[0] == "raised"
    kind, value = run_checked(lazy, ((), {}))
    assert (kind, value.ending, type(value.value)) == ("returned", "raised", KeyError)


class Holder:
    def __init__(self, held):
        self.held = held


class Slotted:
    __slots__ = ("held",)

    def __init__(self, held):
        self.held = held


class OwnList(list):
    """A list with a class of its own, of which the content has to be looked at past its methods."""

    def __iter__(self):
        return iter([])


HOLDERS = [
    lambda lazy: (1, lazy),
    lambda lazy: [[lazy], 2],
    lambda lazy: {"a": {"b": lazy}},
    lambda lazy: {lazy},
    Holder,
    Slotted,
    lambda lazy: OwnList([lazy]),
    lambda lazy: collections.deque([lazy]),
    lambda lazy: iter([lazy]),
    lambda lazy: (one for one in [0, [lazy]]),
    lambda lazy: collections.OrderedDict(a=lazy),
]


@pytest.mark.parametrize("held_in", HOLDERS)
def test_what_an_iterator_inside_a_result_puts_off_is_done_in_the_call_and_encoded_as_it_was(held_in):
    done = []

    def late(value):
        done.append(value)
        return value * value

    def function(values):
        return held_in(map(late, values))

    (plain,) = run_block(function, [(([1, 2, 3],), {})])
    put_off = encode([*plain])
    done.clear()
    known = Known()
    (outcome,) = run_block(to_its_end(function, places_of_iterators([put_off]), known), [(([1, 2, 3],), {})])
    assert done == [1, 2, 3]
    at_once = encode([*outcome], known=known)
    assert done == [1, 2, 3]
    assert at_once == put_off


def test_an_iterator_that_stands_where_the_untouched_code_left_none_is_left_alone():
    known = Known()
    (outcome,) = run_block(to_its_end(lambda: (iter([1]), 2, iter([3])), [["2"], ["7"], ["1", "*"]], known), [((), {})])
    (gave,) = [one for _, one, _ in known.drains.values()]
    assert gave.items == [3]
    assert next(outcome[1][0]) == 1


def test_an_error_on_the_way_is_what_the_iterator_gave():
    known = Known()
    places = [["*"]]
    (outcome,) = run_block(to_its_end(lambda: [fails_after([1], KeyError("k"))], places, known), [((), {})])
    (gave,) = [one for _, one, _ in known.drains.values()]
    assert outcome[0] == "returned"
    assert (gave.items, gave.ending) == ([1], "raised")


def test_a_class_with_a_dict_of_its_own_kind_ends_the_looking_and_not_the_call():
    class Hides:
        @property
        def __dict__(self):
            return 3

    (outcome,) = run_block(to_its_end(Hides, [[".held"]], Known()), [((), {})])
    assert outcome[0] == "returned"


def test_an_iterator_that_several_calls_return_is_empty_for_all_but_the_first_of_them():
    shared = (1, map(str, [1, 2]))
    known = Known()
    results = run_block(to_its_end(lambda: shared, [["1"]], known), [((), {})] * 2)
    told = []
    for known.call, outcome in enumerate(results):
        told.append(encode([*outcome], known=known))
    assert told == [encode(["returned", (1, iter(items))]) for items in (["1", "2"], [])]


def test_what_somebody_else_drained_is_no_value():
    forged = optagent_iterate.Drained("iterator", [])
    forged.items, forged.ending = (one for one in [1]), "ended"
    with pytest.raises(CannotEncode, match="somebody else"):
        encode((1, forged))


def test_a_counter_and_the_like_puts_nothing_off():
    left = encode(["returned", (1, itertools.count(), iter([1]))])
    assert places_of_iterators([left]) == (("2",),)
