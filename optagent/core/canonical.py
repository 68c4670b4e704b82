"""Reads canonical encodings (languages/python/toolbox/optagent_encode.py) to say where two of them part.

Equality is equality of bytes; this module only explains an inequality to people. What it reads came out of a
sandbox: it may be anything.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Any

from optagent.core.packed import MOST_PARTS, unpacked
from optagent.core.verdict import Difference

SHOWN = 120
MOST_WHERE = 320
LEVELS_SHOWN = 8
MOST_LOOKED_AT = 30_000_000
"""Parts of both trees, times the levels that are gone down: some seconds."""

NAMES = {
    "l": "list", "t": "tuple", "d": "dict", "s": "set", "z": "frozenset", "i": "int", "f": "float", "c": "complex",
    "b": "bytes", "y": "bytearray", "e": "Ellipsis", "r": "an alias of container", "g": "range", "x": "exception",
    "o": "object", "I": "iterator", "T": "class", "M": "module", "F": "function", "m": "method", "v": "view",
    "N": "array",
}  # fmt: skip
NESTED = ("l", "t", "d", "I", "o")
MOST_COLUMNS = 10_000
PACKED = {"p": "", "S": "s", "Z": "z", "Y": "y", "SZ": "s", "ZZ": "z"}
STATE = b'["l","state",'
RAN_PARTS = ("ending", "standard output", "output file")
STATE_NAMES = {
    "environment": "the environment", "folder": "the working folder", "files": "the files it writes",
    "random": "what it draws from the random generator", "errors": "what it prints to stderr or warns of",
    "shared": "what others can change of its results",
}  # fmt: skip
PARTS = ("", "", "positional arguments after the call", "keyword arguments after the call", "printed text and warnings")


def first_difference(old: bytes, new: bytes) -> Difference:
    """Where two encodings of a call first differ, told in words; from the first byte that does when they are no
    encodings, or too large ones."""
    try:
        found = _first_part(read(old), read(new))
    except (ValueError, TypeError, LookupError, RecursionError):
        found = None
    if found is None:
        same = _same_bytes(old, new)
        found = Difference("the encoding", repr(old[same : same + SHOWN]), repr(new[same : same + SHOWN]))
    return Difference(_short(found.where, MOST_WHERE), _short(found.old), _short(found.new))


def _same_bytes(old: bytes, new: bytes) -> int:
    """How many bytes they have in common before they part."""
    same, most = 0, min(len(old), len(new))
    while same < most:
        middle = (same + most + 1) // 2
        if old[same:middle] == new[same:middle]:
            same = middle
        else:
            most = middle - 1
    return same


def read(encoding: bytes) -> Any:
    """The whole tree of an encoding, with what stands packed after its first line put in its place. Raises ValueError
    and the like for what is none, and for one so large that it would fill our memory."""
    line, _, packed = encoding.partition(b"\n")
    if sum(map(line.count, b"[{,")) > MOST_PARTS:
        raise ValueError("more parts than are looked at")
    return _filled(json.loads(line), dict(enumerate(unpacked(packed))))


def _filled(tree: Any, packed: dict[int, Any]) -> Any:
    if not isinstance(tree, list):
        return tree
    if len(tree) == 6 and tree[0] == "C":
        columns = packed.pop(tree[5])
        return _with_rows([*tree[:2], [_filled(one, packed) for one in tree[2]], *tree[3:]], columns)
    if len(tree) != 3 or tree[0] not in PACKED:
        return [_filled(one, packed) for one in tree]
    value = packed.pop(tree[2])  # one that stood in many places would fill our memory
    if tree[0] == "p":
        return value
    if not isinstance(value, list):
        raise ValueError("no container")
    if tree[0] in ("SZ", "ZZ"):
        if any(not isinstance(one, list) or one[:1] != ["t"] for one in value[1:]):
            raise ValueError("no sets")
        return [PACKED[tree[0]], *[["z", *one[1:]] for one in value[1:]]]
    return [PACKED[tree[0]], *value[1:]]


def _with_rows(table: list[Any], columns: Any) -> Any:
    """A list or tuple of rows from their columns, which are a tuple of tuples. Raises ValueError for what would not be
    written so, since a few bytes might stand for much."""
    _, tag, row, names, *_ = table
    kind = row[0] if len(row) == (2 if row[:1] == ["o"] else 1) else None
    are_texts = all(isinstance(name, str) for name in [*names, *row])
    are_columns = all(isinstance(one, list) and one[:1] == ["t"] for one in [columns, *columns[1:]])
    if tag not in ("l", "t") or not are_columns or len(columns) > MOST_COLUMNS:
        raise ValueError("no columns")
    if row[:1] == ["e"]:
        return [tag, *_members(row[1:], columns[1][1:])]
    if kind not in ("t", "d", "o") or not are_texts:
        raise ValueError("no rows")
    rows = list(zip(*[column[1:] for column in columns[1:]], strict=True))
    if kind == "t":
        return [tag, *[["t", *row] for row in rows]]
    head = ["o", row[1], None] if kind == "o" else ["d"]
    return [tag, *[[*head, *map(list, zip(names, row, strict=True))] for row in rows]]


def _members(known: list[Any], numbers: list[Any]) -> list[Any]:
    """Those of these numbers, by their names: whole, a few bytes might stand for much."""
    named = [(tree[1], dict(tree[3:]).get("_name_")) for tree in known]
    if not all(isinstance(text, str | None) for one in named for text in one):
        raise ValueError("no members")
    members = [["o", kind, None, ["_name_", name]] for kind, name in named]
    return [members[number] for number in numbers]


def is_state(encoding: bytes) -> bool:
    """Whether it tells what all calls together changed, and no single one left."""
    return encoding.startswith(STATE)


def complains(call: bytes) -> bool:
    """Whether the encoding of a call says that it printed to stderr or warned.

    >>> complains(b'["l","returned",1,["t"],["d"],["l","","x",["l"]]]'), complains(b'["l","ran",1,["l"]]')
    (True, False)
    """
    try:
        _, kind, *_, printed = json.loads(call.partition(b"\n")[0])
        return kind != "ran" and len(printed) == 4 and (printed[2] != "" or printed[3] != ["l"])
    except (ValueError, TypeError, LookupError, RecursionError):
        return False


def names_of(state: bytes) -> dict[str, Any]:
    """The names of such an encoding, each with its encoded value; none when it is not one.

    >>> names_of(b'["l","state",["d",["m:count",3]]]'), names_of(b"[")
    ({'m:count': 3}, {})
    """
    try:
        return {str(name): value for name, value in _bounded(state)[2][1:]}
    except (ValueError, TypeError, LookupError, RecursionError):
        return {}


def _bounded(state: bytes) -> Any:
    """Its tree. Raises ValueError where that would fill our memory, and for what is none."""
    if sum(map(state.count, b"[{,")) > MOST_PARTS:
        raise ValueError("more parts than are looked at")
    return json.loads(state)


def without_names(state: bytes, names: Collection[str]) -> bytes:
    """The same without these names; untouched when it is no such encoding.

    >>> without_names(b'["l","state",["d",["m:count",3],["m:seen",4]]]', ["m:seen"])
    b'["l","state",["d",["m:count",3]]]'
    """
    try:
        kind, word, (mark, *rows) = _bounded(state)
        kept = [row for row in rows if str(row[0]) not in names]
        return json.dumps([kind, word, [mark, *kept]], separators=(",", ":")).encode()
    except (ValueError, TypeError, LookupError, RecursionError):
        return state


def is_raised(call: bytes) -> bool:
    """Whether the encoding of a call says that it raised.

    >>> is_raised(b'["l", "raised", ["x"]]'), is_raised(b'["l", "returned", ["i", 3]]'), is_raised(b"3")
    (True, False, False)
    """
    return raised(call) is not None


def raised(call: bytes) -> str | None:
    """The type of what the encoding of a call says that it raised, by name; None when it says no such thing.

    >>> raised(b'["l", "raised", ["x", "builtins.KeyError"]]'), raised(b'["l", "returned", ["i", 3]]')
    ('builtins.KeyError', None)
    """
    try:
        found = json.loads(call.partition(b"\n")[0])
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, list) or found[1:2] != ["raised"]:
        return None
    error = found[2] if len(found) > 2 else None
    return str(error[1]) if isinstance(error, list) and len(error) > 1 else ""


def _first_part(left: Any, right: Any) -> Difference | None:
    """A call is encoded as the list [kind, value, args, kwargs, printed]; the tag "l" stands first. Of the kind "ran",
    which is a command's, the value is a dict: its ending, and line by line what it wrote."""
    if left[1] == right[1] == "ran":
        return _first_line(left[2], right[2])
    if left[1] == right[1] == "state":
        return _first_name(dict(left[2][1:]), dict(right[2][1:]))
    for k, (a, b) in enumerate(zip(left[1:], right[1:], strict=False)):
        if not _same(a, b):
            return _part(k, left, right, a, b)
    return None


def _first_line(left: Any, right: Any) -> Difference | None:
    for (name, a), (_, b) in zip(left[1:], right[1:], strict=False):
        if _same(a, b):
            continue
        if name not in RAN_PARTS:
            return None
        if not isinstance(a, list) or not isinstance(b, list):
            return Difference(f"the {name}", _tell(a), _tell(b))
        shared = range(1, min(len(a), len(b)))
        k = next((k for k in shared if not _same(a[k], b[k])), shared.stop)
        old, new = (_tell(one[k]) if k < len(one) else "no line" for one in (a, b))
        return Difference(f"line {k} of the {name}", old, new)
    return None


def _first_name(left: dict[str, Any], right: dict[str, Any]) -> Difference | None:
    """Of state: the first name that was changed by one side only, or to something else."""
    for name in sorted({*left, *right}):
        place = STATE_NAMES.get(name, f"`{name}`")
        if name not in left or name not in right:
            old, new = (_tell(one[name]) if name in one else "unchanged" for one in (left, right))
            return Difference(place, old, new)
        if not _same(left[name], right[name]):
            return _descend(place, left[name], right[name])
    return None


def _same(a: Any, b: Any) -> bool:
    """Equal as encodings: 1 and True are not, though they are equal as Python values."""
    return a == b and repr(a) == repr(b)


def _part(k: int, left: Any, right: Any, a: Any, b: Any) -> Difference:
    if k == 0:
        return Difference("the outcome", f"{_word(a)} {_tell(left[2])}", f"{_word(b)} {_tell(right[2])}")
    if k == 1:
        return _descend("the exception" if left[1] == "raised" else "the result", a, b)
    return _descend(PARTS[k], a, b)


def _descend(path: str, a: Any, b: Any) -> Difference:
    """The first part of two trees that differs; the part that holds it where it would take too long to go on."""
    levels = MOST_LOOKED_AT // (_parts(a) + _parts(b))
    while (
        (levels := levels - 1) > 0
        and isinstance(a, list)
        and isinstance(b, list)
        and a
        and b
        and a[0] == b[0]
        and a[0] in NESTED
    ):
        if a[0] == "o" and a[1] == b[1]:
            name, a, b = _attribute(a, b)
            path += name
            continue
        if len(a) != len(b) or a[0] == "o":
            return Difference(path, f"{_tell(a)}", f"{_tell(b)}")
        k = next((k for k in range(1, len(a)) if not _same(a[k], b[k])), None)
        if k is None:
            break
        if a[0] == "d":
            same_key = _same(a[k][0], b[k][0])
            path += f"[{_tell(a[k][0])}]" if same_key else f" (key {k})"
            a, b = (a[k][1], b[k][1]) if same_key else (a[k][0], b[k][0])
        else:
            shift = 3 if a[0] == "I" else 1  # its kind and how it ended come before its items
            path += f"[{k - shift}]" if k >= shift else " (how it ended)"
            a, b = a[k], b[k]
    return Difference(path, _tell(a), _tell(b))


def _attribute(a: list[Any], b: list[Any]) -> tuple[str, Any, Any]:
    """The first attribute in which two objects of one class differ: its name as a path, and both values."""
    left, right = dict(a[3:]), dict(b[3:])
    for name in sorted({*left, *right}):
        if name not in left or name not in right or not _same(left[name], right[name]):
            return f".{name}", left.get(name, "(no such attribute)"), right.get(name, "(no such attribute)")
    return " (what it holds)", a[2], b[2]


def _parts(tree: Any) -> int:
    """How many values a tree has in all."""
    parts, open_ends = 0, [tree]
    while open_ends:
        one = open_ends.pop()
        parts += 1
        if isinstance(one, list):
            open_ends += one
    return parts


def _tell(value: Any, levels: int = LEVELS_SHOWN) -> str:
    """One line for one encoded value, of which only the first parts and levels are looked at."""
    if isinstance(value, str):
        return _short(repr(value[: SHOWN + 1]))
    if not isinstance(value, list) or not value:
        return _word(value)
    if not levels:
        return "..."
    tag, rest = value[0], value[1:7]
    if tag == "f":
        return f"float {_float(rest[0])}"
    if tag == "x":
        return _short(f"{_word(rest[0])}: {_word(rest[2])}")
    told = [_tell(one, levels - 1) for one in rest]
    if tag in ("l", "t", "d", "s", "z"):
        more = ", ..." if len(value) > 5 else ""
        return _short(f"{NAMES[tag]} of {len(value) - 1}: [{', '.join(told[:4])}{more}]")
    if tag == "I":
        return _short(f"{_word(rest[0])} of {len(value) - 3}: [{', '.join(told[2:6])}, ...]")
    if tag == "o":
        return _short(f"{_word(rest[0])} object {told[1] if rest[1] is not None else ''}")
    if isinstance(tag, str) and tag in NAMES:
        name = (told if rest and isinstance(rest[0], list) else list(map(_word, rest)))[:1]
        return _short(" ".join([NAMES[tag], *name]))
    return _short(": ".join([_tell(tag, levels - 1), *told]))


def _word(value: Any) -> str:
    """A name or number as it stands, without quotes; a container by its brackets."""
    if isinstance(value, list | dict):
        return "[...]" if value else "[]"
    return str(value)[: SHOWN + 1]


def _float(text: Any) -> str:
    try:
        return repr(float.fromhex(text))
    except (TypeError, ValueError, OverflowError):
        return _word(text)


def _short(text: str, most: int = SHOWN) -> str:
    return text if len(text) <= most else text[: most - 3] + "..."
