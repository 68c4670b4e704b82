"""Reads what stands packed in a canonical encoding (languages/python/toolbox/optagent_encode.py): plain values as
Python's `marshal` writes them, version 2.

What it reads came out of a sandbox and may be anything, so it is not given to `marshal`, which trusts its input.
"""

from __future__ import annotations

import struct
from typing import Any

MOST_PARTS = 3_000_000
"""As the worker's own most (MAX_PARTS there). Whoever sends more would fill our memory: two bytes stand for a dict."""

EXACT_INT = 1 << 53
CONSTANTS = {b"N": None, b"T": True, b"F": False}
DIGIT_BITS = 15


def unpacked(data: bytes) -> list[Any]:
    """Values one after the other, as tagged trees. Raises ValueError, or RecursionError, for what cannot be read, and
    ValueError for what nobody would write: more parts than MOST_PARTS.

    >>> import marshal
    >>> some = [1, -(2**70), 0.5, ("a", None), {"k": True}], b"ab"
    >>> for one in unpacked(b"".join(marshal.dumps(one, 2) for one in some)):
    ...     print(one)
    ['l', 1, ['i', '-400000000000000000'], ['f', '0x1.0000000000000p-1'], ['t', 'a', None], ['d', ['k', True]]]
    ['b', '6162']
    """
    reader, found = _Reader(data), []
    try:
        while reader.at < len(data):
            reader.counted(1)
            found.append(reader.value())
    except (struct.error, UnicodeDecodeError) as error:
        raise ValueError(f"no packed value: {error}") from error
    return found


class _Reader:
    def __init__(self, data: bytes) -> None:
        self.data, self.at, self.parts = data, 0, 0

    def take(self, size: int) -> bytes:
        if size > len(self.data) - self.at:
            raise ValueError(f"{size} bytes wanted at {self.at} of {len(self.data)}")
        self.at += size
        return self.data[self.at - size : self.at]

    def number(self, form: str) -> Any:
        (found,) = struct.unpack(form, self.take(struct.calcsize(form)))
        return found

    def size(self) -> int:
        found: int = self.number("<i")
        if found < 0:
            raise ValueError(f"a size of {found} at {self.at}")
        return found

    def counted(self, parts: int) -> int:
        """So many parts more, before any of them is made."""
        self.parts += parts
        if self.parts > MOST_PARTS:
            raise ValueError(f"more than {MOST_PARTS} parts")
        return parts

    def value(self) -> Any:
        return self.of(self.take(1))

    def of(self, kind: bytes) -> Any:
        if kind in CONSTANTS:
            return CONSTANTS[kind]
        if kind == b"i":
            return self.number("<i")
        if kind == b"l":
            return self.integer()
        if kind == b"g":
            return ["f", self.number("<d").hex()]
        if kind == b"u":
            return self.take(self.size()).decode("utf-8", "surrogatepass")
        if kind == b"s":
            return ["b", self.take(self.size()).hex()]
        if kind in (b"[", b"("):
            return ["l" if kind == b"[" else "t", *[self.value() for _ in range(self.counted(self.size()))]]
        if kind == b"{":
            return ["d", *self.pairs()]
        raise ValueError(f"no kind of plain value: {kind!r}")

    def integer(self) -> Any:
        size: int = self.number("<i")
        digits = struct.unpack(f"<{self.counted(abs(size))}H", self.take(2 * abs(size)))
        value = int("".join(f"{digit:0{DIGIT_BITS}b}" for digit in reversed(digits)) or "0", 2)
        value = -value if size < 0 else value
        return value if -EXACT_INT < value < EXACT_INT else ["i", f"{value:x}"]

    def pairs(self) -> list[Any]:
        found = []
        while (kind := self.take(1)) != b"0":
            self.counted(1)
            found.append([self.of(kind), self.value()])
        return found
