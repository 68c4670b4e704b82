import random

import pytest

from nibbles import TruncatedData, pack, packed_size, unpack


def codes(seed, count):
    rng = random.Random(seed)
    return [rng.randrange(16) for _ in range(count)]


@pytest.mark.parametrize("count", [1, 2, 3, 16, 31, 255, 1024, 2047, 3000, 4097])
def test_what_was_packed_comes_back(count):
    values = codes(count, count)
    packed = pack(values)
    assert len(packed) == packed_size(count)
    assert unpack(packed, count) == values


def test_the_first_value_is_in_the_high_half():
    assert pack([1, 2, 3, 4]) == b"\x12\x34"
    assert pack([0, 15, 15, 0]) == b"\x0f\xf0"


def test_an_odd_value_leaves_the_low_half_of_the_last_byte_zero():
    assert pack([10]) == b"\xa0"
    assert pack([10, 11, 12]) == b"\xab\xc0"


def test_zeros_in_front_are_kept():
    assert pack([0, 0, 0, 1]) == b"\x00\x01"
    assert unpack(b"\x00\x01", 4) == [0, 0, 0, 1]


def test_all_values_of_a_byte_survive():
    every_pair = [half for byte in range(256) for half in divmod(byte, 16)]
    assert pack(every_pair) == bytes(range(256))
    assert unpack(bytes(range(256)), 512) == every_pair


def test_nothing_packs_into_nothing():
    assert pack([]) == b""
    assert unpack(b"", 0) == []


def test_any_sequence_can_be_packed():
    values = codes(3, 33)
    assert pack(tuple(values)) == pack(bytes(values)) == pack(values)
    assert pack(range(16)) == b"\x01\x23\x45\x67\x89\xab\xcd\xef"


@pytest.mark.parametrize(("values", "index", "value"), [([3, 16], 1, 16), ([-1], 0, -1), ([0] * 40 + [300, -2], 40, 300)])
def test_the_first_value_that_does_not_fit_is_named(values, index, value):
    with pytest.raises(ValueError, match=f"^value {index} is {value}, not within 0 and 15$"):
        pack(values)


def test_fewer_values_than_there_are_can_be_unpacked():
    packed = pack(codes(8, 20))
    assert unpack(packed, 7) == codes(8, 20)[:7]
    assert unpack(packed, 0) == []


def test_more_values_than_there_are_cannot():
    with pytest.raises(TruncatedData, match="21 values need 11 bytes, there are 10"):
        unpack(pack(codes(8, 20)), 21)
