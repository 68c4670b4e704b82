"""The loop, its policy and its claims, with a shop of plain functions."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import contextmanager
from pathlib import Path

from optagent.core.goal import Budget, Spent
from optagent.core.patch import Candidate, Change, Patch
from optagent.core.statistics import launches_needed
from optagent.core.target import Tree
from optagent.core.trial import Trial
from optagent.core.verdict import Evidence, Faster, Inconclusive, Incorrect, Rejected, Speedup, Verdict
from optagent.search.confirm import Claim, confirm
from optagent.search.loop import Past, search
from optagent.search.policy import BASELINE, Greedy
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
        yield Tree(Path("/nowhere"))

    def claim(self, number: int, tree: Tree, held_out: int, launches: int) -> Verdict:
        self.claims.append((number, held_out, launches))
        return self.claim_verdicts.pop(0)

    def shop(self) -> Shop:
        return Shop(
            propose=self.propose,
            normal_form=lambda one: (one.patch.changes[0].new or "").strip(),
            screen=self.screen,
            checkout=self.checkout,
            test=lambda number, tree: Evidence(1),
            compare=lambda number, tree, evidence: evidence,
            measure=lambda number, tree, evidence: self.verdicts[self.text],
            claim=self.claim,
            asked=lambda number, one: self.asked.append(number),
            elapsed_s=lambda: self.now,
        )


def budget(trials: int = 100, seconds: float = 1e9) -> Budget:
    return Budget(Spent(seconds, trials, 1.0, 1))


def ideas(trials: Sequence[Trial]) -> list[str]:
    return [trial.candidate.idea for trial in trials]


def test_a_win_is_built_upon_and_a_loss_is_not():
    bench = Bench(
        {"a": faster(2), "b": NOT, "ab": faster(3), "abc": NOT, "bx": faster(9)},
        {"": ["a", "b"], "a": ["ab"], "ab": ["abc"], "b": ["bx"]},
    )
    trials = list(search(Greedy(bench.propose), bench.shop(), budget(), Past()))
    assert ideas(trials) == ["idea a", "idea b", "idea ab", "idea abc"]
    assert bench.asked == bench.judged == [1, 2, 3, 4]


def test_a_candidate_that_differs_in_layout_only_is_not_tried_twice():
    bench = Bench({"a": NOT, " a": NOT, "b": NOT}, {"": ["a", " a", "b"]})
    assert ideas(list(search(Greedy(bench.propose), bench.shop(), budget(), Past()))) == ["idea a", "idea b"]


def test_the_number_of_trials_is_a_ceiling():
    bench = Bench(dict.fromkeys("abcdef", NOT), {"": "abcdef"})
    assert len(list(search(Greedy(bench.propose), bench.shop(), budget(trials=3), Past()))) == 3


def test_time_spent_stops_the_asking():
    bench = Bench(dict.fromkeys("abcdef", NOT), {"": "abcdef"})
    assert len(list(search(Greedy(bench.propose), bench.shop(), budget(seconds=2.0), Past()))) == 3


def test_several_trials_can_be_in_flight_and_the_budget_counts_them():
    bench = Bench(dict.fromkeys("abcdef", NOT), {"": "abcdef"})
    loop = search(Greedy(bench.propose), bench.shop(), budget(trials=4), Past(), width=3)
    next(loop)
    assert bench.asked == [1, 2, 3]
    assert bench.judged == [1]
    assert len(list(loop)) == 3
    assert bench.asked == [1, 2, 3, 4]


def test_a_resumed_search_judges_what_was_pending_and_repeats_nothing():
    bench = Bench({"a": faster(2), "b": NOT, "ab": NOT}, {"": ["a", "b"], "a": ["ab"]})
    done = Trial(1, Candidate(candidate("a").patch, "test", "idea a", BASELINE.digest), faster(2), Spent(1, 1))
    past = Past([done], [(2, candidate("b", BASELINE.digest))])
    trials = list(search(Greedy(bench.propose), bench.shop(), budget(), past))
    assert [(trial.number, trial.candidate.idea) for trial in trials] == [(2, "idea b"), (3, "idea ab")]
    assert bench.asked == [3]


def test_a_rejected_candidate_is_checked_out_never():
    bench = Bench({"a": Rejected("out of scope")}, {"": ["a"]})
    (trial,) = search(Greedy(bench.propose), bench.shop(), budget(), Past())
    assert trial.verdict == Rejected("out of scope")
    assert bench.text == ""


def winners(*ratios: float) -> list[Trial]:
    return [Trial(k + 1, candidate(str(k)), faster(ratio), Spent()) for k, ratio in enumerate(ratios)]


def claims(verdicts: list[Verdict], trials: Sequence[Trial], sets: int, past: Sequence[Claim] = ()):
    bench = Bench({}, {})
    bench.claim_verdicts = verdicts
    return bench, list(confirm(trials, bench.shop(), sets, past))


def test_the_best_estimate_is_claimed_first_and_a_confirmed_one_ends_it():
    bench, made = claims([faster(4)], winners(2, 5, 3), 2)
    assert bench.claims == [(2, 0, launches_needed(0))]
    assert [claim.trial.number for claim in made] == [2]


def test_every_further_claim_needs_more_launches():
    bench, _ = claims([NOT, NOT, NOT], winners(2, 5, 3, 4), 2)
    assert [launches for _, _, launches in bench.claims] == [8, 9, 10]


def test_a_held_out_set_that_showed_a_difference_is_never_used_again():
    wrong = Incorrect(Evidence(), "differs")
    bench, _ = claims([wrong, wrong], winners(2, 5, 3, 4), 2)
    assert [held_out for _, held_out, _ in bench.claims] == [0, 1]


def test_claims_of_an_earlier_session_count():
    trials = winners(2, 5)
    bench, _ = claims([NOT], trials, 2, [Claim(trials[1], 0, NOT)])
    assert bench.claims == [(1, 0, launches_needed(1))]
