"""The frame format spoken between referee and worker.

A frame is `!II` (length of the header, number of blobs), one `!Q` length per blob, the header as JSON, the
blobs. This file is copied beside the worker and runs in the target's interpreter too: standard library only,
nothing of optagent. Version history: 1 first.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Callable, Sequence
from typing import Any

VERSION = 1
MAX_HEADER = 16 << 20
MAX_BLOBS = 1 << 20
MAX_BYTES = 256 << 20
MAX_DIGITS = 40
"""Of a whole number with its sign: far more than anybody counts to, and any float can hold it."""

INFINITE = float("inf")


class Malformed(ValueError):
    """Bytes that are no frame, or one larger than anybody may send."""


def _whole(text: str) -> int:
    if len(text) > MAX_DIGITS:
        raise Malformed(f"a number of {len(text)} digits")
    return int(text)


def _finite(text: str) -> float:
    """The number of that text; `1e999` is infinite as `Infinity` is, and neither is JSON."""
    number = float(text)
    if not -INFINITE < number < INFINITE:
        raise Malformed(f"a number that is {number}")
    return number


_header = json.JSONDecoder(parse_int=_whole, parse_float=_finite, parse_constant=_finite)


def pack(header: dict[str, Any], blobs: Sequence[bytes] = ()) -> bytes:
    """One frame as bytes."""
    text = json.dumps(header).encode()
    sizes = b"".join(struct.pack("!Q", len(blob)) for blob in blobs)
    return b"".join([struct.pack("!II", len(text), len(blobs)), sizes, text, *blobs])


def read(take: Callable[[int], bytes]) -> tuple[dict[str, Any], list[bytes]]:
    """The next frame, read through `take(n)`, which returns exactly n bytes or raises. Every number in it is finite.

    Raises Malformed before anything large is read when the sizes are out of bounds.

    >>> import io
    >>> read(io.BytesIO(pack({"a": 1}, [b"xy"])).read)
    ({'a': 1}, [b'xy'])
    """
    length, count = struct.unpack("!II", take(8))
    if length > MAX_HEADER or count > MAX_BLOBS:
        raise Malformed(f"frame with a header of {length} bytes and {count} blobs")
    sizes = struct.unpack(f"!{count}Q", take(8 * count)) if count else ()
    if sum(sizes) > MAX_BYTES:
        raise Malformed(f"frame with {sum(sizes)} bytes of blobs")
    try:
        header = _header.decode(take(length).decode())
    except (ValueError, RecursionError) as fault:
        raise Malformed(f"frame header is no JSON: {fault}") from None
    if not isinstance(header, dict):
        raise Malformed("frame header is no object")
    return header, [take(size) for size in sizes]


def read_bytes(data: bytes) -> tuple[dict[str, Any], list[bytes]]:
    """The one frame that `data` is. Raises Malformed when it is cut short, no frame, or more than one."""
    position = 0

    def take(size: int) -> bytes:
        nonlocal position
        position += size
        if position > len(data):
            raise Malformed(f"frame cut short after {len(data)} bytes")
        return data[position - size : position]

    frame = read(take)
    if position != len(data):
        raise Malformed(f"{len(data) - position} bytes after the frame")
    return frame
