"""Every rule there is, and what they propose together."""

from __future__ import annotations

from optagent.rules.argmin_heap import ArgminHeap
from optagent.rules.attribute_pieces import AttributePieces
from optagent.rules.base import Proposal, Rule, Site
from optagent.rules.deque_queue import DequeQueue
from optagent.rules.early_exit import EarlyExit
from optagent.rules.extend_copy import ExtendCopy
from optagent.rules.hoist_invariant import HoistInvariant
from optagent.rules.join_index import JoinIndex
from optagent.rules.join_pieces import JoinPieces
from optagent.rules.membership_set import MembershipSet
from optagent.rules.prefix_table import PrefixTable
from optagent.rules.spelling import readable, written

ALL: tuple[Rule, ...] = (
    MembershipSet(),
    JoinPieces(),
    HoistInvariant(),
    JoinIndex(),
    ArgminHeap(),
    DequeQueue(),
    ExtendCopy(),
    EarlyExit(),
    PrefixTable(),
    AttributePieces(),
)


def proposals(site: Site) -> list[Proposal]:
    """What the rules propose for a site: edits of a single place first, then all places of a rule together.

    No two give the same text, and none gives the text that was there.
    """
    clear = readable(site)
    found = [written(proposal, site) for rule in ALL for proposal in _proposed(rule, clear)]
    found.sort(key=lambda proposal: proposal.places > 1)
    texts = {site.source}
    distinct = []
    for proposal in found:
        if proposal.source not in texts:
            texts.add(proposal.source)
            distinct.append(proposal)
    return distinct


def _proposed(rule: Rule, site: Site) -> list[Proposal]:
    try:
        return list(rule.propose(site))
    except RecursionError:  # a sum of some hundred terms is a tree too deep for libcst
        return []
