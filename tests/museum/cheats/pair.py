"""A cheat and its honest twin: two patches to one hall's target, and how each has to end."""

from __future__ import annotations

from dataclasses import dataclass

from hall import Hall

NO_GAIN = ("rejected", "incorrect", "cannot_compare", "slower", "inconclusive")
"""What a cheat may end as when all that matters is that it is never called faster."""

HONEST = ("faster", "inconclusive")
"""What a twin may end as that is no faster than the old code, or may be none (`faster` by chance in 4 of 1,000), or that
saves a fiftieth of what its results take to encode, which a busy machine cannot tell. It is never refused."""


@dataclass(frozen=True)
class Pair:
    """`source` is where the cheat is from: a row of the research notes, or `own`. `cheat` and `twin` are texts of the
    hall's file. The cheat ends as one of `ends`, and with a `reason` in the verdict's words where one is given."""

    id: str
    source: str
    hall: Hall
    cheat: str
    twin: str
    ends: tuple[str, ...] = NO_GAIN
    reason: str = ""
    twin_ends: tuple[str, ...] = ("faster",)

    def __str__(self) -> str:
        return self.id
