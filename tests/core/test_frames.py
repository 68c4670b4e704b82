"""The frame format: what goes in comes out, and nothing else does."""

from __future__ import annotations

import io
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from optagent.core import frames

json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**38), 10**38) | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip
headers = st.dictionaries(st.text(max_size=5), json_values, max_size=4)
blobs = st.lists(st.binary(max_size=30), max_size=5)


@given(headers, blobs)
def test_a_frame_comes_out_as_it_went_in(header, parts):
    packed = frames.pack(header, parts)
    assert frames.read_bytes(packed) == (header, parts)
    assert frames.read(io.BytesIO(packed).read) == (header, parts)


@given(headers, blobs, st.data())
def test_a_frame_cut_short_anywhere_is_malformed(header, parts, data):
    packed = frames.pack(header, parts)
    cut = data.draw(st.integers(0, len(packed) - 1))
    with pytest.raises(frames.Malformed):
        frames.read_bytes(packed[:cut])


@given(headers, blobs, st.binary(min_size=1, max_size=5))
def test_bytes_after_the_frame_are_malformed(header, parts, more):
    """Whoever writes a second report after the first gets neither."""
    with pytest.raises(frames.Malformed):
        frames.read_bytes(frames.pack(header, parts) + more)


@given(st.binary(max_size=60))
def test_garbage_is_a_frame_or_malformed_and_nothing_else(data):
    try:
        header, _ = frames.read_bytes(data)
    except frames.Malformed:
        return
    assert isinstance(header, dict)


def test_sizes_out_of_bounds_are_refused_before_anything_is_read():
    asked: list[int] = []

    def take(data: bytes):
        stream = io.BytesIO(data)

        def read(size: int) -> bytes:
            asked.append(size)
            return stream.read(size)

        return read

    for data in (
        struct.pack("!II", frames.MAX_HEADER + 1, 0),
        struct.pack("!II", 2, frames.MAX_BLOBS + 1),
        struct.pack("!IIQ", 2, 1, frames.MAX_BYTES + 1),
        struct.pack("!IIQQ", 2, 2, 1 << 63, 1 << 63),
    ):
        with pytest.raises(frames.Malformed):
            frames.read(take(data))
    assert max(asked) <= 16


@pytest.mark.parametrize("text", [b"", b"[]", b"1", b"{", b"\xff", b"[" * 100_000, b'{"a": ' + b"9" * 5000 + b"}"])
def test_a_header_that_is_no_json_object_is_malformed(text):
    with pytest.raises(frames.Malformed):
        frames.read_bytes(struct.pack("!II", len(text), 0) + text)


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999", "-1e999", "9" * 41, "-" + "9" * 4000])
def test_a_header_with_a_number_that_nobody_can_count_with_is_malformed(number):
    text = f'{{"a": [{number}]}}'.encode()
    with pytest.raises(frames.Malformed, match="a number"):
        frames.read_bytes(struct.pack("!II", len(text), 0) + text)
