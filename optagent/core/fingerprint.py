"""Whether two results come from the same machine, and what differs when they do not."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any

SEAL = "fingerprint"
MOST_DIFFERENCES = 3


def sealed(parts: Mapping[str, Any]) -> dict[str, Any]:
    """The parts (plain JSON) and their digest: results of one digest may be compared.

    >>> sealed({"cores": 2})["fingerprint"] == sealed({"cores": 2})["fingerprint"]
    True
    """
    text = json.dumps(dict(parts), sort_keys=True, ensure_ascii=True)
    return {**parts, SEAL: hashlib.sha256(text.encode("ascii")).hexdigest()[:16]}


def is_same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether both are known to be the same machine; one without a digest (of a version that made none) is not.

    >>> is_same(sealed({"cores": 2}), sealed({"cores": 2})), is_same({}, {})
    (True, False)
    """
    return bool(one.get(SEAL)) and one.get(SEAL) == other.get(SEAL)


def differences(then: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    """What differs, in a few words.

    >>> differences({"kernel": "6.1", "cores": 2}, {"kernel": "6.8", "cores": 2})
    'kernel was 6.1, is 6.8'
    """
    before, after = dict(_flat(then)), dict(_flat(now))
    names = [name for name in (before | after) if before.get(name) != after.get(name)]
    said = [f"{name} was {before.get(name, 'not noted')}, is {after.get(name, 'not noted')}" for name in names]
    more = len(said) - MOST_DIFFERENCES
    return "; ".join(said[:MOST_DIFFERENCES]) + (f"; and {more} more" if more > 0 else "")


def _flat(parts: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in parts.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{before}{name} ")
        elif name != SEAL:
            yield f"{before}{name}", value
