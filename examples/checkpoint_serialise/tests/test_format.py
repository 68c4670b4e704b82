import math
import random
import struct
import zlib

import pytest

from checkpoint import CorruptCheckpoint, parse, serialise

KINDS = ["ln_1.weight", "ln_1.bias", "attn.c_proj.bias", "ln_2.weight", "ln_2.bias", "mlp.c_proj.bias", "adam.v"]


def state_at(step, shards=14, width=768):
    """The vectors of two transformer blocks as they may look after `step` steps of training."""
    rng = random.Random(step)
    spread = 0.02 / math.sqrt(1 + step)
    names = [f"blocks.{i // len(KINDS)}.{KINDS[i % len(KINDS)]}" for i in range(shards)]
    return [(name, [rng.gauss(0.0, spread) for _ in range(width)]) for name in names]


@pytest.mark.parametrize("step", [0, 1, 10, 100, 250, 500, 1000, 2000])
def test_a_full_checkpoint_comes_back_as_it_was(step):
    shards = state_at(step)
    assert parse(serialise(shards)) == shards


@pytest.mark.parametrize(("shards", "width"), [(1, 768), (4, 96), (14, 16), (40, 3)])
def test_other_shapes_come_back_as_they_were(shards, width):
    state = state_at(step=7, shards=shards, width=width)
    assert parse(serialise(state)) == state


def test_shards_of_different_lengths_keep_their_order():
    rng = random.Random(5)
    shards = [(f"lora.{n}", [rng.uniform(-1, 1) for _ in range(n)]) for n in (64, 8, 0, 256, 1)]
    assert parse(serialise(shards)) == shards


def test_the_bytes_are_those_of_the_format():
    blob = serialise([("w", [1.0, -2.0])])
    assert blob[:-4] == (
        b"CKPT\x01\x00\x01\x00"  # magic, version, one shard
        b"\x01\x00w\x02\x00\x00\x00"  # name and number of values
        b"\x00\x00\x00\x00\x00\x00\xf0\x3f\x00\x00\x00\x00\x00\x00\x00\xc0"
    )
    assert blob[-4:] == zlib.crc32(blob[:-4]).to_bytes(4, "little")


def test_no_shards_is_a_checkpoint_too():
    assert parse(serialise([])) == []
    assert len(serialise([])) == 12


def test_empty_names_and_empty_shards_are_kept():
    shards = [("", []), ("", [0.5]), ("empty", [])]
    assert parse(serialise(shards)) == shards


def test_names_are_utf_8():
    shards = [("größe.β₁", [0.9]), ("重み", [1e-8])]
    assert parse(serialise(shards)) == shards


def test_values_at_the_edge_of_a_float_survive():
    values = [0.0, -0.0, 5e-324, 1.7976931348623157e308, math.inf, -math.inf]
    ((_, back),) = parse(serialise([("edge", values)]))
    assert [value.hex() for value in back] == [value.hex() for value in values]
    ((_, back),) = parse(serialise([("nan", [math.nan])]))
    assert math.isnan(back[0])


def test_whole_numbers_are_written_as_floats():
    assert serialise([("steps", [1, 2, 3])]) == serialise([("steps", [1.0, 2.0, 3.0])])


def test_the_shards_are_left_alone():
    shards = state_at(step=3, shards=2, width=32)
    serialise(shards)
    assert shards == state_at(step=3, shards=2, width=32)


def test_a_value_that_is_no_number_is_refused():
    with pytest.raises(struct.error):
        serialise([("w", [1.0, "2.0"])])


@pytest.mark.parametrize("damage", [lambda b: b[:-1], lambda b: b[:40] + b"\xff" + b[41:], lambda b: b + b"\x00"])
def test_damage_is_noticed(damage):
    with pytest.raises(CorruptCheckpoint, match="checksum"):
        parse(damage(serialise(state_at(step=9, shards=3, width=20))))


def test_something_else_is_no_checkpoint():
    with pytest.raises(CorruptCheckpoint, match="magic"):
        parse(b"PK\x03\x04 and more of a zip file")
