"""What a candidate changes, as whole files, and as the unified diff that people read."""

from __future__ import annotations

import difflib
import hashlib
import re
from dataclasses import dataclass

from optagent.core.advice import Advice

NO_NEWLINE = "\\ No newline at end of file\n"
UNSAFE = re.compile(r'[\x00-\x1f"\\\x7f]')


@dataclass(frozen=True)
class Change:
    """One file before and after. `old` is None for a new file, `new` is None for a deleted one.

    Text is kept as it stands on disk (line ends included), decoded as UTF-8 with surrogate escapes.
    """

    path: str
    old: str | None
    new: str | None


@dataclass(frozen=True)
class Patch:
    """An edit of a tree. Two patches with the same digest leave the same files behind."""

    changes: tuple[Change, ...]

    @property
    def digest(self) -> str:
        hasher = hashlib.sha256()
        for change in self.changes:
            hasher.update(repr((change.path, change.new)).encode("utf-8", "surrogateescape"))
        return hasher.hexdigest()

    @property
    def paths(self) -> tuple[str, ...]:
        return tuple(change.path for change in self.changes)

    @property
    def reverse(self) -> Patch:
        """The patch that takes this one back."""
        return Patch(tuple(Change(change.path, change.new, change.old) for change in self.changes))

    def diff(self) -> str:
        """The unified diff, as `git apply` takes it."""
        return "".join(unified(change) for change in self.changes)


EMPTY = Patch(())


@dataclass(frozen=True)
class Candidate:
    """A patch against the baseline, who proposed it, why, the digest of the candidate it grew from, and the advice it
    followed, if any."""

    patch: Patch
    author: str
    idea: str
    parent: str = ""
    advice: Advice | None = None

    @property
    def digest(self) -> str:
        return self.patch.digest


def unified(change: Change) -> str:
    r"""The diff of one file.

    >>> print(unified(Change("m.py", "a\nb\n", "a\nc\n")), end="")
    diff --git a/m.py b/m.py
    --- a/m.py
    +++ b/m.py
    @@ -1,2 +1,2 @@
     a
    -b
    +c
    """
    if change.old == change.new:
        return ""
    before, after = quoted(f"a/{change.path}"), quoted(f"b/{change.path}")
    head = [f"diff --git {before} {after}\n"]
    if change.old is None:
        head.append("new file mode 100644\n")
    if change.new is None:
        head.append("deleted file mode 100644\n")
    lines = difflib.unified_diff(
        lines_of(change.old),
        lines_of(change.new),
        "/dev/null" if change.old is None else before,
        "/dev/null" if change.new is None else after,
    )
    return "".join(head) + "".join(line if line.endswith("\n") else line + "\n" + NO_NEWLINE for line in lines)


def quoted(name: str) -> str:
    """A file name as git writes it: escaped, between quotes, when a character of it would end it."""
    if not UNSAFE.search(name):
        return name
    return '"' + UNSAFE.sub(lambda one: f"\\{ord(one[0]):03o}", name) + '"'


def lines_of(text: str | None) -> list[str]:
    """Lines with their ends, split at newlines only (a form feed or a lone CR ends no line of a diff)."""
    if not text:
        return []
    lines = text.split("\n")
    return [line + "\n" for line in lines[:-1]] + ([lines[-1]] if lines[-1] else [])
