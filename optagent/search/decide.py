"""From a candidate to a verdict: the cheapest gate first, and the first gate that closes names the verdict."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from optagent.core.patch import Candidate
from optagent.core.target import Tree
from optagent.core.verdict import Evidence, Inconclusive, Incorrect, Verdict
from optagent.search.shop import Objection, Shop


@dataclass(frozen=True)
class Proven:
    """A candidate that does the same as far as anybody knows, in its tree: only the stopwatch is left."""

    tree: Tree
    evidence: Evidence


Proof = Proven | Objection


def decide(number: int, candidate: Candidate, shop: Shop) -> Verdict:
    """Screen, tests that reach the target, old against new on the search inputs, then the stopwatch."""
    if fault := shop.screen(number, candidate):
        return fault
    with proof(number, candidate, shop) as said:
        return measured(number, said, shop)


@contextmanager
def proof(number: int, candidate: Candidate, shop: Shop) -> Iterator[Proof]:
    """What tests and comparison say, which need no quiet machine; the tree is there for as long as this is open."""
    with shop.checkout(candidate) as tree:
        said = shop.test(number, tree)
        if isinstance(said, Evidence):
            said = shop.compare(number, tree, said)
        yield Proven(tree, said) if isinstance(said, Evidence) else said


def may_be_load(said: Proof) -> bool:
    """Whether it may have failed for want of a core, and not on its own account."""
    return isinstance(said, Incorrect | Inconclusive) and said.evidence.first_difference is None


def measured(number: int, said: Proof, shop: Shop) -> Verdict:
    """The verdict: the stopwatch's where no other gate has closed."""
    return shop.measure(number, said.tree, said.evidence) if isinstance(said, Proven) else said
