"""Arguments as bytes and back: what comes out of a worker's hands is what the test had in its own."""

from __future__ import annotations

import collections
import dataclasses
import enum
import functools
import io
import itertools
import random
import re
import threading

import pytest
import toolbox_path  # noqa: F401
from hypothesis import given
from hypothesis import strategies as st

# isort: split
from optagent_codec import CannotCarry, drained, pack, unpack
from optagent_encode import encode

FACTOR = 3


def of_a_test(module):
    """Nothing of this file can be imported by a worker."""
    return module == __name__


def of_the_project(module):
    return False


def carried(*args, by_value=of_the_project, **kwargs):
    args, kwargs = unpack(pack(args, kwargs, by_value)[1])
    return (*args, *kwargs.values()) if len(args) + len(kwargs) > 1 else args[0]


# functions


def helper(x):
    return other_helper(x) * FACTOR


def other_helper(x):
    return x + 1 if x > 0 else helper(1)


def counters():
    count = 0

    def up():
        nonlocal count
        count += 1

    return up, lambda: count


def recursive():
    def down(n, seen=(1,), *, last="end"):
        return last if n == 0 else down(n - 1)

    return down


def test_a_lambda_comes_with_the_globals_it_uses():
    assert carried(lambda x: x * FACTOR, by_value=of_a_test)(2) == 6


def test_a_helper_of_a_test_file_comes_with_the_helpers_it_calls():
    assert carried(helper, by_value=of_a_test)(2) == 9
    assert carried(helper, by_value=of_a_test)(-1) == 18


def test_a_function_of_the_project_comes_by_its_name():
    assert carried(helper) is helper
    assert carried(functools.reduce) is functools.reduce


def test_a_closure_that_calls_itself_keeps_its_defaults_and_attributes():
    function = recursive()
    function.note = [1]
    again = carried(function)
    assert again(5) == "end"
    assert (again.__defaults__, again.__kwdefaults__, again.note) == (((1,),), {"last": "end"}, [1])
    assert (again.__name__, again.__qualname__) == (function.__name__, function.__qualname__)


def test_functions_that_share_a_variable_go_on_sharing_it():
    up, count = carried(*counters())
    up()
    up()
    assert count() == 2


def test_a_variable_that_has_no_value_yet_has_none_afterwards():
    def early():
        return late

    again = carried(early)
    with pytest.raises(NameError):
        again()
    late = 1
    assert early() == 1


def test_a_function_in_a_partial_a_dict_and_a_default_dict():
    partial, table, default = carried(
        functools.partial(lambda a, b: a - b, 5), {"k": lambda: 7}, collections.defaultdict(lambda: 8)
    )
    assert (partial(2), table["k"](), default["x"]) == (3, 7, 8)


def test_a_cached_function_comes_by_its_name_and_one_made_by_a_call_does_not_come():
    assert carried(cached) is cached
    with pytest.raises(CannotCarry):
        carried(functools.lru_cache(recursive()))


@functools.lru_cache
def cached(n):
    return n


# objects


class Plain:
    def __init__(self, value):
        self.value = value


class Slotted:
    __slots__ = ("__dict__", "__hidden", "shown")

    def __init__(self):
        self.shown, self.__hidden, self.free = 1, 2, 3


class Listed(list):
    pass


class Texted(str):
    __slots__ = ("mark",)


class Reduced:
    def __init__(self, a, b):
        self.sum = a + b

    def __reduce__(self):
        return Reduced, (self.sum, 0)


class Stated(Plain):
    def __getstate__(self):
        return {"value": self.value}

    def __setstate__(self, state):
        self.value = state["value"]


class NeedsBoth:
    """Says what it holds, once `__init__` has come to its end."""

    def __init__(self):
        self.first = self.second = None

    def __getstate__(self):
        return (self.first, self.second)

    def __setstate__(self, state):
        self.first, self.second = state


class Never(enum.Enum):
    ONE = 1


class Marks(enum.Enum):
    value = object()
    PAIR = (object(), 1)


class Bits(enum.Flag):
    A = enum.auto()
    B = enum.auto()


@pytest.mark.parametrize("member", [*Marks, Never.ONE, Bits.A | Bits.B])
def test_a_member_of_an_enum_comes_back_as_the_same_one_whatever_its_value(member):
    assert carried(member) is member


@dataclasses.dataclass(frozen=True, slots=True)
class Frozen:
    x: object


def marked(text, mark):
    made = Texted(text)
    made.mark = mark
    return made


def listed(*items, **attributes):
    made = Listed(items)
    vars(made).update(attributes)
    return made


def fresh_objects():
    return {
        "attributes": Plain([1, Plain(2)]), "slots, a private one, and a dict": Slotted(), "a list's class": listed(1, a=2),
        "a text's class with a slot": marked("a", [1]), "reduced": Reduced(1, 2), "stated": Stated({"a": 1}),
        "a member": Never.ONE, "a frozen data class": Frozen([1]), "a stream": io.StringIO("abc"),
        "a pattern": re.compile("a", re.IGNORECASE), "random": random.Random(3), "a deque": collections.deque([1], 3),
        "a counter": collections.Counter("aab"), "a class": Plain, "a module": io, "a bound method": Plain(1).__init__,
        "half built": Plain.__new__(Plain), "half built, with slots": Slotted.__new__(Slotted),
        "half built, and cannot say so": NeedsBoth.__new__(NeedsBoth),
    }  # fmt: skip


@pytest.mark.parametrize("what", fresh_objects())
def test_an_object_comes_back_as_it_was(what):
    before = fresh_objects()[what]
    again = carried(before)
    assert type(again) is type(before)
    assert encode(again) == encode(before)


def test_self_in_the_middle_of_its_init_comes_with_the_attributes_it_has_so_far():
    one = NeedsBoth.__new__(NeedsBoth)
    one.first = [1]
    assert vars(carried(one)) == {"first": [1]}


def test_the_attributes_that_an_object_drops_when_it_is_saved_are_dropped():
    class_says = carried(Stated(3))
    assert vars(class_says) == {"value": 3}


def test_two_names_for_one_argument_stay_two_names_for_one():
    one, box, named = carried([1], a=None, b=None)[0], [2], {}
    assert one == [1]
    first, second, third = carried(box, [box], named=(box, named))
    assert first is second[0] is third[0]


def test_plain_values_are_told_from_objects_by_their_codec():
    assert pack(([1, (2.5, "a")],), {"k": {b"x": None}}, of_the_project)[0] == "plain"
    for value in (Plain(1), helper, Plain, lambda: 1, iter([1])):
        assert pack((value,), {}, of_the_project)[0] == "objects"


UNFIT = {
    "a lock": (threading.Lock, "lock"),
    "a file": (lambda: io.TextIOWrapper(io.BytesIO()), "TextIOWrapper"),
    "four megabytes and more": (lambda: bytes(5 << 20), "more than 4 MiB"),
    "many small parts": (lambda: [str(k) for k in range(1 << 20)], "more than 4 MiB"),
    "an object of a class made by a call": (lambda: type("Made", (), {})(), "Made"),
    "a generator in a dict": (lambda: {"a": (k for k in ())}, "generator"),
    "a lock in a closure": (lambda: (lambda lock: lambda: lock)(threading.Lock()), "lock"),
}


@pytest.mark.parametrize("what", UNFIT)
def test_what_cannot_be_carried_says_why_in_words_that_hold_no_addresses(what):
    make, said = UNFIT[what]
    with pytest.raises(CannotCarry, match=said) as caught:
        pack((make(),), {}, of_the_project)
    assert "0x" not in str(caught.value)
    assert len(str(caught.value)) <= 90


# iterators


def generator(*items, end=None):
    yield from items
    return end


def rest_of(iterator):
    return list(itertools.islice(iterator, 10))


ITERATORS = {
    "a list's": lambda: iter([1, 2]), "a map": lambda: map(abs, [-1, -2]), "a zip": lambda: zip([1], [2], strict=True),
    "a dict's": lambda: iter({1: 2}), "a chain": lambda: itertools.chain([1], [2]), "one begun": lambda: begun([0, 1]),
    "a generator": lambda: generator(1, 2), "an empty one": lambda: iter(()),
}  # fmt: skip


def begun(items):
    iterator = iter(items)
    next(iterator)
    return iterator


@pytest.mark.parametrize("what", ITERATORS)
@pytest.mark.parametrize(
    "wrap", [lambda one: one, lambda one: [one, 7], lambda one: (7, one)], ids=["", "list", "tuple"]
)
def test_an_iterator_is_kept_and_the_call_gets_all_it_would_have_had(what, wrap):
    make = ITERATORS[what]
    kept, _, given, _ = drained((wrap(make()),), {})
    (again,), _ = unpack(pack(kept, {}, of_the_project)[1])
    is_generator = what == "a generator"
    for one in (again, given[0]):
        inner = one if wrap(1) == 1 else next(part for part in one if part != 7)
        assert (type(inner).__name__ == "generator") is is_generator
        assert rest_of(inner) == rest_of(make())


def test_a_generator_among_keywords_keeps_what_it_returns():
    _, kept, _, given = drained((), {"source": generator(1, end="over")})
    _, again = unpack(pack((), kept, of_the_project)[1])
    for one in (again["source"], given["source"]):
        assert next(one) == 1
        with pytest.raises(StopIteration) as caught:
            next(one)
        assert caught.value.value == "over"


def test_one_iterator_given_twice_is_still_one():
    source = iter([1, 2, 3])
    kept, _, given, _ = drained((source, [source], source), {})
    again, _ = unpack(pack(kept, {}, of_the_project)[1])
    for first, (second,), third in (again, given):
        assert first is second is third


def test_a_list_that_holds_itself_beside_an_iterator_is_kept():
    knot: list[object] = [iter([1])]
    knot.append(knot)
    kept, _, given, _ = drained((knot,), {})
    (again,), _ = unpack(pack(kept, {}, of_the_project)[1])
    assert given[0] is knot
    assert again[1] is again
    assert (rest_of(again[0]), rest_of(knot[0])) == ([1], [1])


def test_a_list_in_which_the_caller_looks_for_what_is_left_stays_its_list():
    given = [iter([1, 2, 3])]
    _, _, (same,), _ = drained((given,), {})
    assert same is given
    next(same[0])
    assert rest_of(given[0]) == [2, 3]


def endless():
    while True:
        yield 1


@pytest.mark.parametrize("make", [endless, lambda: (k for k in range(10_001)), lambda: iter(int, 1)])
def test_an_endless_iterator_is_refused_and_the_call_gets_it_whole(make):
    kept, _, (given,), _ = drained((make(),), {})
    with pytest.raises(CannotCarry, match="more than 10000 items"):
        pack(kept, {}, of_the_project)
    assert rest_of(given) == rest_of(make())
    assert sum(1 for _ in itertools.islice(given, 9_991)) == 9_991


def test_an_iterator_that_raises_is_refused_and_the_call_meets_the_same_exception():
    def fails():
        yield 1
        raise KeyError("gone")

    kept, _, (given,), _ = drained((fails(),), {})
    with pytest.raises(CannotCarry, match="raises"):
        pack(kept, {}, of_the_project)
    assert next(given) == 1
    with pytest.raises(KeyError, match="gone"):
        next(given)


def test_an_iterator_known_to_be_endless_is_carried_without_being_drained():
    source = itertools.count(5)
    kept, _, (given,), _ = drained((source,), {})
    assert given is source
    assert rest_of(unpack(pack(kept, {}, of_the_project)[1])[0][0]) == list(range(5, 15))


# everything

scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4) | st.binary(max_size=4)
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(st.text(max_size=3) | st.integers(), inner, max_size=3)
        | st.frozensets(st.integers() | st.text(max_size=2), max_size=3)
        | st.builds(Plain, inner)
        | st.builds(Stated, inner)
        | st.builds(Frozen, inner)
        | st.builds(lambda one: listed(one, a=one), inner)
        | st.builds(lambda one: [one, one], inner)
        | st.builds(lambda one: collections.OrderedDict(a=one), inner)
    ),
    max_leaves=15,
)


@given(values, values)
def test_what_is_carried_is_the_same_to_the_bit_and_to_the_alias(one, other):
    args, kwargs = (one, [one], other), {"named": other}
    assert encode(list(unpack(pack(args, kwargs, of_the_project)[1]))) == encode([args, kwargs])
