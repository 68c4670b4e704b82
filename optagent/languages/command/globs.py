"""Patterns for files: `*` and `?` stay in one folder, `**/` is any depth, a pattern that ends in `/` is all below."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache


def matches(path: str, patterns: Iterable[str]) -> bool:
    """Whether one of the patterns means this path; both relative to the same folder, in posix form.

    >>> matches("src/a/b.c", ["src/**/*.c"]), matches("src/b.c", ["src/**/*.c"]), matches("src/b.c", ["*.c"])
    (True, True, False)
    >>> matches("tests/data/x.txt", ["tests/"]), matches("mytests/x", ["tests/"])
    (True, False)
    """
    return any(_compiled(pattern).fullmatch(path) for pattern in patterns)


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    words = re.findall(r"\*\*/|\*\*|\*|\?|[^*?]+", pattern + ("**" if pattern.endswith("/") else ""))
    meant = {"**/": "(?:[^/]+/)*", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    return re.compile("".join(meant.get(word) or re.escape(word) for word in words), re.DOTALL)
