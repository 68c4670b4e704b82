"""Source text without loss: what is read and written again is the same bytes."""

from __future__ import annotations

from pathlib import Path


def encode(text: str) -> bytes:
    """The bytes of a text that `read_source` gave or that somebody wrote.

    UnicodeEncodeError for half of a surrogate pair, which is no character and came from no file.
    """
    return text.encode("utf-8", "surrogateescape")


def decode(data: bytes) -> str:
    r"""UTF-8 with line ends and byte order mark kept; a byte that is not UTF-8 becomes a surrogate escape.

    >>> decode(b"\xef\xbb\xbfa\r\n\xff") == "\ufeffa\r\n\udcff"
    True
    """
    return data.decode("utf-8", "surrogateescape")


def read_source(path: Path) -> str:
    return decode(path.read_bytes())


def write_source(path: Path, text: str) -> None:
    path.write_bytes(encode(text))
