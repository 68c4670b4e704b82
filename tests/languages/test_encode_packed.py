"""Large plain values stand packed in the canonical encoding: the same is told apart as without, and read back as it."""

from __future__ import annotations

import json
import marshal
import struct
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest
import toolbox_path  # noqa: F401
from hypothesis import example, given
from hypothesis import strategies as st
from test_encode import rebuilt, scalars, values

import optagent.core.packed
from optagent.core.canonical import first_difference, read
from optagent.core.packed import unpacked

# isort: split
import optagent_encode
import optagent_objects  # noqa: F401 - teaches the encoder objects
import optagent_plain
from optagent_encode import CannotEncode, Encoder, encode

pytestmark = pytest.mark.slow

plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=4) | st.lists(inner, max_size=4).map(tuple)
    | st.dictionaries(st.text(max_size=2) | st.integers() | st.booleans(), inner, max_size=4),
    max_leaves=20,
)  # fmt: skip


@dataclass
class Point:
    x: object
    y: object


@dataclass(frozen=True)
class Fixed:
    x: object
    y: object


class Slotted:
    __slots__ = ("x", "y")

    def __init__(self, x, y):
        self.x, self.y = x, y


def points(rows):
    return [Point(k, one) for k, one in enumerate(rows)]


def as_dict(x, y):
    return {"x": x, "y": y}


def as_tuple(x, y):
    return x, y


def tables(inner):
    """Rows of one kind, and some of which a part is of another."""
    some = [st.lists(st.builds(kind, inner, inner), max_size=4) for kind in (Point, Fixed, Slotted, as_dict, as_tuple)]
    return st.one_of(*some, st.tuples(*some).map(lambda lists: [one for each in lists for one in each]))


rows = (
    tables(plain | values)
    | tables(st.integers())
    | st.recursive(st.floats() | st.text(max_size=2), tables, max_leaves=12)
)
aliased = st.tuples(plain | values, plain | values).map(lambda pair: [pair[0], {"again": pair[0]}, pair[1], pair])
anything = (
    plain
    | values
    | aliased
    | rows
    | st.tuples(rows, rows)
    | st.frozensets(st.integers())
    | st.sets(st.text(max_size=2))
    | st.sets(scalars)
)


@contextmanager
def packed_from(many: int) -> Iterator[None]:
    """Containers, texts and bytes of this length are packed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(optagent_encode, "MANY", many)
        patch.setattr(optagent_encode, "LONG", many)
        yield


def unordered(tree: object) -> object:
    """A tree whose sets stand in one order, whoever has sorted them."""
    if not isinstance(tree, list):
        return tree
    parts = [unordered(one) for one in tree]
    return [tree[0], *sorted(parts[1:], key=json.dumps)] if tree[:1] in (["s"], ["z"]) else parts


@given(anything)
@example([[1] * 3, [2] * 3])
@example([10**15, 10**16, -(10**40), -0.0, float("nan"), "\ud800", True])
def test_what_is_packed_reads_as_if_it_were_not(value):
    slow = json.loads(encode_with(10**9, value))
    if '"r"' not in json.dumps(slow):  # numbers of containers met go by level where they are packed
        assert repr(unordered(read(encode_with(1, value)))) == repr(unordered(slow))


@given(anything, anything)
@example([as_dict(1, 2)], [{"y": 2, "x": 1}])
@example([{1: 0}], [{True: 0}])
@example([Point(1, 2)], [Point(1, 2.0)])
@example([Point(1, 2)], [Fixed(1, 2)])
@example([Point(1, 2)], (Point(1, 2),))
def test_what_is_told_apart_is_told_apart_packed(one, other):
    assert (encode_with(1, one) == encode_with(1, other)) == (encode_with(10**9, one) == encode_with(10**9, other))


@given(anything)
def test_the_same_value_built_twice_is_packed_alike(value):
    with packed_from(1):
        assert Encoder().tree(rebuilt([value]), 0) == Encoder().tree(rebuilt([value]), 0)


def encode_with(many: int, value: object) -> bytes:
    with packed_from(many):
        return bytes(encode(value))


def test_nan_is_nan_however_many_there_are():
    nan, other = struct.unpack("<dd", bytes.fromhex("000000000000f87f010000000000f8ff"))
    for many in (15, 16, 40):
        assert encode([nan] * many) == encode([other] * many) != encode([1.0] * many)
    assert encode([1.5] * 16 + [nan]) == encode([1.5] * 16 + [other])
    assert encode([(1.5, "a", other)] * 20) == encode([(1.5, "a", nan)] * 20)
    assert encode({nan: 1, **dict.fromkeys(range(20))}) == encode({other: 1, **dict.fromkeys(range(20))})


ROWS = [[k, 0.5] for k in range(20)]


def test_a_large_plain_container_is_packed_and_one_with_an_object_is_not():
    assert encode(ROWS).startswith(b'["p",60,0]\n[')
    assert encode([*ROWS, object()]).startswith(b'["l",["l",0,["f",')
    assert encode([(k, "a") for k in range(20)]).startswith(b'["C","l",["t"],[],60,0]\n(')
    assert encode([{"a": k, "b": [k]} for k in range(20)]).startswith(b'["C","l",["d"],["a","b"],80,0]\n(')
    point = f"{__name__}.Point"
    assert encode([Point(k, 0.5) for k in range(20)]).startswith(
        f'["C","l",["o","{point}"],["x","y"],60,0]\n('.encode()
    )
    assert encode([*[Point(k, 0.5) for k in range(20)], Point(1, object())]).startswith(b'["l",["o",')
    assert encode({*range(20)}).startswith(b'["S",20,0]\n[')
    assert encode([bytearray(300), "a" * 300, b"b" * 300, "a" * 9]).startswith(
        b'["l",["Y",1,0],["p",1,1],["p",1,2],"aaaaaaaaa"]\n'
    )


@pytest.mark.parametrize(
    "twice",
    [
        lambda row, rows: ([*rows, row, row], [*rows, row, list(row)]),
        lambda row, rows: ([[*rows, row], row], [[*rows, row], list(row)]),
        lambda row, rows: ([row, [*rows, row]], [list(row), [*rows, row]]),
        lambda row, rows: ([{str(k): k for k in range(20)} | {"row": row}, row], [{str(k): k for k in range(20)} | {"row": row}, [*row]]),
        lambda row, rows: ([(*rows, (row, 1)), row], [(*rows, (row, 1)), list(row)]),
        lambda row, rows: ([points([*rows, row]), row], [points([*rows, row]), [*row]]),
        lambda row, rows: ([points([row] * 20), row], [points([[*row] for _ in range(20)]), row]),
        lambda row, rows: ([[(one, 1) for one in [*rows, row]], row], [[(one, 1) for one in [*rows, row]], [*row]]),
        lambda row, rows: ([row, [{"a": one} for one in [*rows, row]]], [row, [{"a": one} for one in [*rows, [*row]]]]),
    ],
)  # fmt: skip
def test_an_alias_in_a_packed_container_is_no_copy(twice):
    one, other = twice([1, 2], ROWS)
    assert one == other
    assert encode(one) != encode(other)


def test_an_object_in_a_table_is_known_again():
    points, others = ([Point(k, 0.5) for k in range(20)] for _ in range(2))
    assert encode([points, points[3]]) != encode([points, Point(3, 0.5)])
    assert encode([points, points[3]]) == encode([others, others[3]]) != encode([others, others[4]])
    assert encode([points, [*points]]) != encode([points, others])
    fixed = [Fixed(k, 0.5) for k in range(20)]  # as good as any equal one
    assert encode([fixed, fixed[3]]) == encode([fixed, Fixed(3, 0.5)])
    assert encode([*fixed, fixed[3]]) == encode([*fixed, Fixed(3, 0.5)])


def test_attributes_of_rows_have_no_order_and_keys_have():
    points, others = ([Point(k, 0.5) for k in range(20)] for _ in range(2))
    for one in others[:9]:
        x = one.__dict__.pop("x")
        one.x = x
    assert encode(points) == encode(others)
    del others[3].y
    assert encode(points) != encode(others)
    dicts = [as_dict(k, 0.5) for k in range(20)]
    assert encode(dicts) != encode([{"y": 0.5, "x": k} for k in range(20)])


def test_a_large_container_that_holds_itself_ends():
    knot: list[object] = list(range(20))
    knot.append(knot)
    assert b'["r",0]' in encode(knot)
    nest: object = ()
    for _ in range(60):
        nest = (nest, nest)
    with pytest.raises(CannotEncode, match="parts"):
        encode([nest] * 16)


def test_room_is_taken_for_no_more_parts_than_are_looked_at():
    thousand = (0,) * 1000
    tracemalloc.start()
    assert optagent_plain.spread(((thousand,) * 300,) * 300, 3_000_000) == (0, [])
    assert tracemalloc.get_traced_memory()[1] < 5_000_000
    tracemalloc.stop()


def test_one_packed_value_stands_in_one_place():
    """Else some kilobytes would fill the memory of the referee that reads them."""
    hostile = b'["l","returned",["l",["p",1,0],["p",1,0]],["t"],["d"],["l"]]\n' + marshal.dumps("a" * 300, 2)
    assert first_difference(hostile, encode(["returned", 1, (), {}, []])).where == "the encoding"


class Unhashable(type):
    def __eq__(cls, other):
        return cls is other


class Odd(metaclass=Unhashable):
    pass


def test_a_class_that_cannot_be_hashed_is_told_in_large_containers_as_in_small_ones():
    for many in (3, 16):
        assert b"Odd" in encode([Odd() for _ in range(many)])


class Liar(type):
    """Classes that claim to be int."""

    def __eq__(cls, other):
        return other is int or type.__eq__(cls, other)

    def __hash__(cls):
        return hash(int)


class Claims(metaclass=Liar):
    def __lt__(self, other):
        return True


def test_a_class_that_claims_to_be_int_is_not_packed_as_one():
    for make in (list, tuple, set):
        encoded = encode(make([*range(20), Claims()]))
        assert encoded[:4] not in (b'["p"', b'["S"')
        assert b"Claims" in encoded
    assert encode([Claims() for _ in range(20)])[:4] == b'["l"'


def test_the_place_of_a_difference_is_told_from_packed_values():
    old = [{"name": str(k), "at": (k, k / 2)} for k in range(20)]
    new = json.loads(json.dumps(old))
    for one in new:
        one["at"] = tuple(one["at"])
    new[7]["at"] = (7, 3.25)
    found = first_difference(encode(["returned", old, [], {}, []]), encode(["returned", new, [], {}, []]))
    assert (found.where, found.old, found.new) == ("the result[7]['at'][1]", "float 3.5", "float 3.25")


def test_the_place_of_a_difference_is_told_from_rows():
    old, new = ([Point(k, {"a": (k, k / 2)}) for k in range(20)] for _ in range(2))
    new[7].y["a"] = (7, 3.25)
    found = first_difference(encode(["returned", old, [], {}, []]), encode(["returned", new, [], {}, []]))
    assert (found.where, found.old, found.new) == ("the result[7].y['a'][1]", "float 3.5", "float 3.25")


@pytest.mark.parametrize(
    "table", ['["C","l",["o"],["x"],9,0]', '["C",{},["t"],[],9,0]', '["C","l",[],["x"],9,0]', '["C","l",["d"],[],9,0]']
)
def test_a_table_that_is_none_is_no_encoding(table):
    for columns in (((1, 2), (3,)), (1, 2), ["a"], {}, "text"):
        hostile = f'["l","returned",{table}]\n'.encode() + marshal.dumps(columns, 2)
        assert first_difference(hostile, encode(["returned", 1, (), {}, []])).where in ("the encoding", "the result")


ONE = encode(["returned", 1, (), {}, []])


@pytest.mark.parametrize("row", ['["e",["o",%s,null]]', '["e",["o","C",null,["_name_",%s]]]', '["o",%s]'])
def test_rows_of_rows_of_rows_say_no_more_than_they_hold(row):
    """Less than 3 kB would stand for four members of four members, forty times over."""
    tree, packed = "0", b""
    for k in range(40):
        tree = f'["C","l",{row % tree},["n"],1,{k}]'
        packed += marshal.dumps(((0,) * 4,), 2)
    hostile = f'["l","returned",{tree},["t"],["d"],["l"]]\n'.encode() + packed
    assert first_difference(hostile, ONE).where == "the encoding"


MANY = 3_000_001
FILLING = {
    "a list of dicts": b'["l","returned",["p",1,0]]\n[' + struct.pack("<I", MANY) + b"{0" * MANY,
    "dicts inside of a list": b'["l","returned",["p",1,0]]\n[\x01\0\0\0(' + struct.pack("<I", MANY) + b"{0" * MANY,
    "digits": b'["l","returned",["p",1,0]]\nl' + struct.pack("<i", -MANY) + b"\1\0" * MANY,
    "lists in the line": b'["l","returned",[' + b",".join([b"[]"] * MANY) + b"]]",
    "text as a column": b'["l","returned",["C","l",["t"],[],1,0]]\n(\1\0\0\0' + marshal.dumps("\u0109" * MANY, 2),
    "text as a set": b'["l","returned",["S",1,0]]\n' + marshal.dumps("\u0109" * MANY, 2),
}


@pytest.mark.parametrize("what", FILLING)
def test_an_encoding_of_more_parts_than_anybody_writes_does_not_fill_the_memory_of_who_reads_it(what):
    tracemalloc.start()
    try:
        assert first_difference(FILLING[what], ONE).where == "the encoding"
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < 40_000_000


@pytest.mark.parametrize(
    "data", [b"{" + b"NN" * 1001 + b"0", b"{0" * 1001, b"[" + struct.pack("<I", 1000) + b"{0" * 1000]
)
def test_parts_are_counted_whatever_they_stand_in(data, monkeypatch):
    monkeypatch.setattr(optagent.core.packed, "MOST_PARTS", 1000)
    with pytest.raises(ValueError, match="parts"):
        unpacked(data)


def test_encodings_that_are_too_large_to_be_looked_at_are_told_from_where_they_part():
    many = b'["l","returned",["p",1,0]]\n[' + struct.pack("<I", MANY) + b"i\2\0\0\0" * (MANY - 1)
    found = first_difference(many + b"i\7\0\0\0", many + b"i\x09\0\0\0")
    assert (found.where, found.old, found.new) == ("the encoding", r"b'\x07\x00\x00\x00'", r"b'\t\x00\x00\x00'")


def test_a_difference_far_down_in_a_large_result_is_told_as_far_as_there_is_time():
    def nested(leaf):
        value = [*range(500_000), leaf]
        for _ in range(60):
            value = [value]
        return encode(["returned", value, (), {}, []])

    found = first_difference(nested(1), nested(2))
    assert 5 < found.where.count("[0]") < 60
    assert found.old.startswith("list of 1: [list of 1: [")


def test_what_is_no_name_of_an_outcome_is_told_in_a_word():
    deep = b"[" * 300 + b"]" * 300
    found = first_difference(ONE, b'["l",' + deep + b',["l",' + deep + b'],["t"],["d"],["l"]]')
    assert (found.where, found.old, found.new) == ("the outcome", "returned 1", "[...] list of 1: [...]")


def test_dicts_whose_keys_are_tuples_are_told_in_words():
    one, other = (encode(["returned", [{(1, 2): k}, 5][: 3 - k], (), {}, []]) for k in (1, 2))
    found = first_difference(one, other)
    assert found.where == "the result"
    assert found.new == "list of 1: [dict of 1: [tuple of 2: [1, 2]: 2]]"


@given(st.binary(max_size=40) | st.binary(max_size=8).map(lambda data: b"[\x02\x00\x00\x00" + data))
@example(b"[\xff\xff\xff\x7f")
@example(b"u\xff\xff\xff\xff")
@example(b"c")
@example(b"")
def test_bytes_that_are_no_packed_value_are_refused(data):
    try:
        unpacked(data)
    except ValueError:
        return


def test_a_packed_value_that_nests_without_end_is_refused():
    with pytest.raises(RecursionError):
        unpacked(b"[\x01\x00\x00\x00" * 100_000)
    said = first_difference(b'["l","returned",["p",1,0]]\n' + b"[\x01\x00\x00\x00" * 50_000, b'["l","returned",3]')
    assert said.where == "the encoding"


def test_a_very_large_number_is_read_in_linear_time():
    number = -(3**1_000_000)
    assert unpacked(marshal.dumps(number, 2)) == [["i", f"{number:x}"]]


def test_a_table_says_no_more_than_it_holds():
    """Else a megabyte would stand for more than the memory of the referee that reads it."""
    labels = ",".join(map(str, range(100_000)))
    hostile = f'["l","returned",["C","l",["o",{labels}],["x"],9,0],["t"],["d"],["l"]]\n'.encode()
    columns = marshal.dumps(((None,) * 100_000,), 2)
    tracemalloc.start()
    assert first_difference(hostile + columns, encode(["returned", 1, (), {}, []])).where == "the encoding"
    assert tracemalloc.get_traced_memory()[1] < 100_000_000
    tracemalloc.stop()


def test_rows_of_too_many_parts_are_refused_before_any_column_is_made():
    tracemalloc.start()
    with pytest.raises(CannotEncode, match="parts"):
        encode(((0,) * 100_000,) * 300)
    shared = {str(k): k for k in range(100)}
    assert b'["r",1]' in encode([shared] * 100_000)
    assert tracemalloc.get_traced_memory()[1] < 100_000_000
    tracemalloc.stop()
