"""The packed form: the first value in the high half of the first byte, the second in its low half, and so on.

An odd number of values leaves the low half of the last byte zero.  The count is not stored, the caller keeps it.
"""

from collections.abc import Sequence

BITS = 4
LARGEST = 2**BITS - 1


class TruncatedData(ValueError):
    """There are fewer packed values than asked for."""


def packed_size(count: int) -> int:
    """Bytes that `count` values take."""
    return (count * BITS + 7) // 8


def pack(values: Sequence[int]) -> bytes:
    """Pack values from 0 to 15, two to a byte.

    Raises ValueError for a value that needs more than four bits, and says which.
    """
    bits = ""
    for index, value in enumerate(values):
        if value < 0 or value > LARGEST:
            raise ValueError(f"value {index} is {value}, not within 0 and {LARGEST}")
        bits += format(value, "04b")
    if len(bits) % 8 != 0:
        bits += "0" * BITS
    packed = bytearray()
    for start in range(0, len(bits), 8):
        packed.append(int(bits[start : start + 8], 2))
    return bytes(packed)


def unpack(packed: bytes, count: int) -> list[int]:
    """The first `count` values of what `pack` made.

    Raises TruncatedData if there are not as many.
    """
    if packed_size(count) > len(packed):
        raise TruncatedData(f"{count} values need {packed_size(count)} bytes, there are {len(packed)}")
    bits = "".join(format(byte, "08b") for byte in packed)
    return [int(bits[start : start + BITS], 2) for start in range(0, count * BITS, BITS)]
