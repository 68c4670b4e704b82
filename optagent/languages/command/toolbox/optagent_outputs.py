"""One run of a command and what it left, and the canonical form of that.

Runs in optagent's interpreter inside the sandbox: standard library only. The form is what
languages/python/toolbox/optagent_encode.py would make of a call, of the kind "ran": the value is a dict of how the
command ended and, line by line, of what it printed and wrote.
"""

from __future__ import annotations

import json
import os

import optagent_scratch

MOST_OUTPUT = 64 << 20
NOTHING = b'["l","returned",null,["t"],["d"],["l",""]]'
in_json = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False).encode


class Unfit(Exception):
    """What a command wrote cannot be compared; the message says why."""


class Call:
    """One command, before and after: its input and what it wrote (open files, without a name), and how it ended."""

    def __init__(self, name: str, content: bytes | None) -> None:
        self.name = name
        self.input, self.stdout, self.stderr = (optagent_scratch.nameless() for _ in range(3))
        self.is_empty = content is None
        if content:
            self.input.write(content)
            self.input.seek(0)
        self.ending = ""
        self.output: int | str | None = None

    def last_words(self) -> str:
        size = self.stderr.seek(0, os.SEEK_END)
        self.stderr.seek(max(0, size - 2000))
        lines = self.stderr.read(2000).decode("utf-8", "replace").strip().splitlines()
        return lines[-1][:300] if lines else ""

    def close(self) -> None:
        for file in (self.input, self.stdout, self.stderr):
            file.close()
        if isinstance(self.output, int):
            os.close(self.output)


def encoding(call: Call, compare: str) -> bytes:
    """The canonical form of what a command left: how it ended, and by line what it printed and wrote."""
    printed = lines(content(call.stdout.fileno()), compare)
    wrote = lines(content(call.output), compare) if isinstance(call.output, int) else call.output
    left = ["d", ["ending", call.ending], ["standard output", printed], ["output file", wrote]]
    tree = ["l", "ran", left, ["t"], ["d"], ["l"]]
    return in_json(tree).encode("utf-8", "surrogatepass")


def content(descriptor: int) -> bytes:
    size = os.fstat(descriptor).st_size
    if size > MOST_OUTPUT:
        raise Unfit(f"an output of more than {MOST_OUTPUT >> 20} MiB")
    chunks = bytearray()
    while len(chunks) < size:
        chunk = os.pread(descriptor, size - len(chunks), len(chunks))
        if not chunk:
            break
        chunks += chunk
    return bytes(chunks)


def lines(data: bytes, compare: str) -> list[str]:
    """As bytes that are no UTF-8 stand for themselves, different bytes are different text."""
    if compare == "whitespace":
        data = b"\n".join(b" ".join(line.split()) for line in data.split(b"\n") if line.strip())
    return ["l", *data.decode("utf-8", "surrogateescape").split("\n")]
