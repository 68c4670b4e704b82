"""What a rule is asked, what it answers, and what a rule is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class Site:
    """Where to look: one function of one file, and what was seen of its arguments.

    `source` is the text of the whole file, line ends as they are. `types` maps a parameter's name to
    the type names observed at run time and may be empty. `line` is the line of the `def`, 0 when
    unknown; it decides between definitions of the same name.
    """

    source: str
    qualname: str
    types: Mapping[str, frozenset[str]]
    line: int = 0


@dataclass(frozen=True)
class Proposal:
    """One edit of the file: the rule's slug, one plain sentence, the whole new text, how many places it touches."""

    rule: str
    idea: str
    source: str
    places: int = 1


class Rule(Protocol):
    """A known rewrite. It proposes only: whether the result is the same and faster is the referee's to say."""

    slug: str
    title: str

    def propose(self, site: Site) -> Iterator[Proposal]:
        """Each place alone, then, if there are several, all of them together."""
        ...
