"""The loop, its policy and its claims, with a shop of plain functions."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import contextmanager
from pathlib import Path

from optagent.core.goal import BudgetSpent, Spent
from optagent.core.patch import Candidate, Change, Patch
from optagent.core.target import Tree
from optagent.core.trial import Trial
from optagent.core.verdict import Evidence, Faster, Inconclusive, Incorrect, Rejected, Speedup, Verdict
from optagent.search.confirm import Claim, confirm
from optagent.search.loop import Past, search
from optagent.search.policy import BASELINE, Greedy, InTurn, Policy, Proposal
from optagent.search.purse import Purse
from optagent.search.shop import Shop


def speedup(ratio: float) -> Speedup:
    return Speedup(ratio, ratio, ratio, 0.75, 10, 3, 0.01, "cpu", ratio, 1.0, ratio)


def faster(ratio: float) -> Faster:
    return Faster(speedup(ratio), Evidence(1, 1))


NOT = Inconclusive("no gain", Evidence(1, 1))


def candidate(text: str, parent: str = "") -> Candidate:
    return Candidate(Patch((Change("m.py", "", text),)), "test", f"idea {text}", parent)


class Bench:
    """A shop whose verdicts are looked up by the candidate's text; remembers what it was asked."""

    def __init__(self, verdicts: dict[str, Verdict], children: dict[str, Sequence[str]]) -> None:
        self.verdicts, self.children = verdicts, children
        self.asked: list[int] = []
        self.judged: list[int] = []
        self.now = 0.0
        self.claims: list[tuple[int, int, int]] = []
        self.claim_verdicts: list[Verdict] = []
        self.text = ""
        self.paid: dict[int, Spent] = {}

    def propose(self, parent: Candidate) -> list[Candidate]:
        text = parent.patch.changes[0].new if parent.patch.changes else ""
        return [candidate(child, parent.digest) for child in self.children.get(text or "", ())]

    def screen(self, number: int, one: Candidate) -> Rejected | None:
        self.judged.append(number)
        self.now += 1.0
        verdict = self.verdicts[one.patch.changes[0].new or ""]
        return verdict if isinstance(verdict, Rejected) else None

    @contextmanager
    def checkout(self, one: Candidate):
        self.text = one.patch.changes[0].new or ""
        yield Tree(Path("/nowhere", self.text))

    def claim(self, number: int, tree: Tree, held_out: int, launches: int) -> Verdict:
        self.claims.append((number, held_out, launches))
        return self.claim_verdicts.pop(0)

    def shop(self) -> Shop:
        return Shop(
            normal_form=lambda patch: (patch.changes[0].new or "").strip() if patch.changes else "",
            paid=lambda number: self.paid.get(number, Spent()),
            screen=self.screen,
            ready=lambda: None,
            checkout=self.checkout,
            test=lambda number, tree: Evidence(1),
            compare=lambda number, tree, evidence: evidence,
            measure=lambda number, tree, evidence: self.verdicts[tree.root.name],
            claim=self.claim,
            asked=lambda number, proposal: self.asked.append(number),
            elapsed_s=lambda: self.now,
        )


def run(bench: Bench, past: Past | None = None, trials: int = 100, seconds: float = 1e9, width: int = 1):
    """The search with the built-in policy over what the bench proposes."""
    past = past or Past()
    spent, reserved = Spent(trials=len(past.trials)), Spent(trials=len(past.pending))
    purse = Purse(Spent(seconds, trials, 1.0, 1), spent, lambda: bench.now, reserved)
    return search(Greedy(bench.propose), bench.shop(), purse, past, width)


def ideas(trials: Sequence[Trial]) -> list[str]:
    return [trial.candidate.idea for trial in trials]


def test_a_win_is_built_upon_and_a_loss_is_not():
    bench = Bench(
        {"a": faster(2), "b": NOT, "ab": faster(3), "abc": NOT, "bx": faster(9)},
        {"": ["a", "b"], "a": ["ab"], "ab": ["abc"], "b": ["bx"]},
    )
    trials = list(run(bench))
    assert ideas(trials) == ["idea a", "idea b", "idea ab", "idea abc"]
    assert bench.asked == bench.judged == [1, 2, 3, 4]


def test_a_candidate_that_differs_in_layout_only_is_not_tried_twice():
    bench = Bench({"a": NOT, " a": NOT, "b": NOT}, {"": ["a", " a", "b"]})
    assert ideas(list(run(bench))) == ["idea a", "idea b"]


def test_the_number_of_trials_is_a_ceiling():
    bench = Bench(dict.fromkeys("abcdef", NOT), {"": "abcdef"})
    assert len(list(run(bench, trials=3))) == 3


def test_time_spent_stops_the_asking():
    bench = Bench(dict.fromkeys("abcdef", NOT), {"": "abcdef"})
    assert len(list(run(bench, seconds=2.0))) == 3


def test_several_trials_can_be_in_flight_and_the_budget_counts_them():
    bench = Bench(dict.fromkeys("abcdef", NOT), {"": "abcdef"})
    loop = run(bench, trials=4, width=3)
    next(loop)
    assert bench.asked == [1, 2, 3]
    assert sorted(bench.judged) == [1, 2, 3]
    assert len(list(loop)) == 3
    assert bench.asked == [1, 2, 3, 4]


def test_a_resumed_search_judges_what_was_pending_and_repeats_nothing():
    bench = Bench({"a": faster(2), "b": NOT, "ab": NOT}, {"": ["a", "b"], "a": ["ab"]})
    done = Trial(1, Candidate(candidate("a").patch, "test", "idea a", BASELINE.digest), faster(2), Spent(1, 1))
    past = Past([done], [(2, Proposal(candidate("b", BASELINE.digest)))])
    trials = list(run(bench, past))
    assert [(trial.number, trial.candidate.idea) for trial in trials] == [(2, "idea b"), (3, "idea ab")]
    assert bench.asked == [3]


def test_a_rejected_candidate_is_checked_out_never():
    bench = Bench({"a": Rejected("out of scope")}, {"": ["a"]})
    (trial,) = run(bench)
    assert trial.verdict == Rejected("out of scope")
    assert bench.text == ""


class Scripted:
    """A policy that proposes what it is given, one after the other."""

    def __init__(self, *proposals: Proposal) -> None:
        self.left = list(proposals)
        self.told: list[Trial] = []

    def ask(self, number: int) -> Proposal | None:
        return self.left.pop(0) if self.left else None

    def ahead(self) -> None:
        """Whoever is asked is paid."""

    def tell(self, trial: Trial) -> None:
        self.told.append(trial)


def searched(bench: Bench, policy: Policy) -> list[Trial]:
    purse = Purse(Spent(1e9, 100, 1.0, 1), Spent(), lambda: bench.now)
    return list(search(policy, bench.shop(), purse, Past()))


def test_a_proposal_with_a_fault_is_a_trial_that_nobody_judges():
    bench, fault = Bench({}, {}), Rejected("unusable answer", "prose")
    nothing = Candidate(BASELINE.patch, "model/x", "nothing")
    (trial,) = searched(bench, Scripted(Proposal(nothing, fault)))
    assert (trial.verdict, bench.judged, bench.asked) == (fault, [], [1])


def test_an_answer_that_was_paid_for_and_tried_before_is_a_trial_answered_from_memory():
    bench = Bench({"a": NOT}, {})
    bench.paid = {2: Spent(1.0, 0, 0.25, 100)}
    _, again = searched(bench, Scripted(Proposal(candidate("a")), Proposal(candidate(" a"), is_answer=True)))
    assert again.verdict == Rejected("tried before", "it is the same as trial 1")
    assert again.cost == Spent(1.0, 1, 0.25, 100)
    assert bench.judged == [1]


def test_an_answer_that_changes_nothing_is_told_so():
    bench = Bench({}, {})
    (trial,) = searched(bench, Scripted(Proposal(candidate(" "), is_answer=True)))
    assert trial.verdict == Rejected("tried before", "it is the same as the code it started from")


def test_the_first_policy_that_has_something_is_asked_and_all_are_told():
    bench = Bench({"a": NOT, "b": NOT}, {})
    cheap, dear = Scripted(Proposal(candidate("a"))), Scripted(Proposal(candidate("b")))
    assert ideas(searched(bench, InTurn(cheap, dear))) == ["idea a", "idea b"]
    assert ideas(cheap.told) == ideas(dear.told) == ["idea a", "idea b"]


class Penniless:
    """A policy that cannot afford its question."""

    def ask(self, number: int) -> Proposal | None:
        raise BudgetSpent("the next call could cost $2")

    def ahead(self) -> None:
        """Nor that one."""

    def tell(self, trial: Trial) -> None:
        raise AssertionError("nothing was tried")


def test_a_question_that_cannot_be_afforded_ends_the_search_and_costs_no_trial():
    bench = Bench({}, {})
    purse = Purse(Spent(10, 5, 1.0, 1), Spent(), lambda: bench.now)
    assert list(search(Penniless(), bench.shop(), purse, Past())) == []
    assert purse.left().trials == 5


def winners(*ratios: float) -> list[Trial]:
    return [Trial(k + 1, candidate(str(k)), faster(ratio), Spent()) for k, ratio in enumerate(ratios)]


def claims(verdicts: list[Verdict], trials: Sequence[Trial], sets: int, past: Sequence[Claim] = ()):
    bench = Bench({}, {})
    bench.claim_verdicts = verdicts
    return bench, list(confirm(trials, bench.shop(), sets, past))


def test_the_best_estimate_is_claimed_first_and_a_confirmed_one_ends_it():
    bench, made = claims([faster(4)], winners(2, 5, 3), 2)
    assert bench.claims == [(2, 0, 0)]
    assert [claim.trial.number for claim in made] == [2]


def test_every_further_claim_knows_how_many_there_were_before():
    bench, _ = claims([NOT, NOT, NOT], winners(2, 5, 3, 4), 2)
    assert [before for _, _, before in bench.claims] == [0, 1, 2]


def test_a_held_out_set_that_showed_a_difference_is_never_used_again():
    wrong = Incorrect(Evidence(), "differs")
    bench, _ = claims([wrong, wrong], winners(2, 5, 3, 4), 2)
    assert [held_out for _, held_out, _ in bench.claims] == [0, 1]


def test_claims_of_an_earlier_session_count():
    trials = winners(2, 5)
    bench, _ = claims([NOT], trials, 2, [Claim(trials[1], 0, NOT)])
    assert bench.claims == [(1, 0, 1)]
