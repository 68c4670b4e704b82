"""What can be done to a candidate, as functions for the search; each leaves its event in the ledger."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from threading import Thread

from optagent.cli.run.bench import reference_run
from optagent.cli.run.evidence import Compared, or_why_not, take_beyond, take_strength, take_unexecuted, weakness
from optagent.cli.run.nearby import Nearby, nearby
from optagent.cli.run.testing import Tester, ask_for_inputs
from optagent.cli.run.weighing import weigh
from optagent.cli.run.workshop import Workshop
from optagent.core import canonical
from optagent.core.effort import Effort
from optagent.core.fault import Strength
from optagent.core.goal import Spent
from optagent.core.patch import Candidate, Change, Patch
from optagent.core.seeds import derive
from optagent.core.target import Tree
from optagent.core.verdict import Evidence, Faster, Inconclusive, Incorrect, Rejected, Speedup, Verdict
from optagent.core.workload import Input
from optagent.errors import OptagentError
from optagent.languages.contestant import Misconduct
from optagent.languages.python.targets.locate import line_of
from optagent.ledger import events
from optagent.measure import pyperf_file, speed
from optagent.measure.judge import Ruling, judge, judge_near
from optagent.measure.launch import Race, warm_up
from optagent.search.baseline import Problem
from optagent.search.policy import Proposal
from optagent.search.shop import Objection, Shop
from optagent.verify import checks, differential
from optagent.verify.reference import Answers, ask_reference, reference_at_work
from optagent.verify.suite import TestsBroken, broken_test
from optagent.verify.vary import MORE, vary
from optagent.workspace.checkouts import Checkouts
from optagent.workspace.text import read_source

Propose = Callable[[Candidate], Sequence[Candidate]]
Coder = Callable[["Counter"], Propose]
Tested = Evidence | Incorrect | Inconclusive
"""What tests say of a tree."""


@dataclass
class Counter:
    """The referee at work for one run."""

    workshop: Workshop
    problem: Problem
    stage: Callable[[str], None]
    looked_for: tuple[str, ...] = ()
    claims_elsewhere: int = 0
    """Claims that this run made on other machines: each has had its share of the error."""
    timed: dict[int, tuple[Input, ...]] = field(default_factory=dict)
    """Those of the held-out sets that are timed, as far as they are known."""
    nearby: dict[int, Nearby | None] = field(default_factory=dict)
    """What is near these, likewise."""
    tester: Tester | None = None
    """Who writes inputs where the checks notice too little."""
    warming: Thread | None = None
    """What is being started for launches."""

    @property
    def effort(self) -> Effort:
        return self.workshop.effort

    @cached_property
    def reference(self) -> differential.Run:
        """How the reference is asked: with the patience of its admission."""
        return replace(reference_run(self.workshop), watched=self.problem.workload.state.compared, warm=True)

    @cached_property
    def run(self) -> differential.Run:
        """How candidates are: with the patience that follows from what the reference took."""
        return replace(self.reference, patience_s=self.answers.patience_s)

    @cached_property
    def answers(self) -> Answers:
        """What the reference gives on the search inputs; kept here, never shown to a contestant."""
        return ask_reference(self.reference, self.workshop.base, self.problem.workload.search)

    @cached_property
    def expected_varied(self) -> list[bytes] | None:
        """The same on inputs near those."""
        return checks.expected_varied(self.run, self.workshop.base, self.problem.workload.varied)

    @cached_property
    def left(self) -> tuple[str, ...]:
        """Names of state that the reference changes on them, and whether it prints to stderr or warns: to be the same
        wherever a timed call is checked. None where the reference against itself is not the same there."""
        *calls, last = [*self.answers.outputs, *([] if self.run.watched else [b""])]
        names = (*canonical.names_of(last), *(["errors"] if any(map(canonical.complains, calls)) else []))
        if not names:
            return ()
        race = self._race(self.workshop.base, self.problem.timed, names)
        return names if speed.keeps(race, derive(self.workshop.settings.seed, "left")) else ()

    @cached_property
    def checkouts(self) -> Checkouts:
        return Checkouts(self.workshop.base, self.workshop.trees)

    def record(self, number: int, event: events.Stage) -> None:
        self.workshop.ledger.record(self.workshop.run, event, number)

    def asked(self, number: int, proposal: Proposal) -> None:
        self.stage(f"trial {number}: {proposal.candidate.idea}")
        self.record(number, events.Asked(proposal.candidate, proposal.fault))

    def screen(self, number: int, candidate: Candidate) -> Rejected | None:
        fault = self.workshop.project.scope_fault(candidate.patch)
        rejected = Rejected("out of scope", fault) if fault else None
        if fault and fault.startswith("does not parse"):
            rejected = Rejected("does not parse", fault)
        self.record(number, events.Screened(rejected))
        return rejected

    def ready(self) -> None:
        """The reference is asked while nothing else goes on; what is made once is there."""
        self.answers, self.expected_varied, self.checkouts  # noqa: B018 - all are kept

    def warm_up(self) -> None:
        """What launches fork is being started. Who measures waits for it; the reference has been asked before."""
        if self.warming is not None:
            return
        race = self._on_the_base(self.problem.timed)

        def warm() -> None:
            with suppress(OptagentError, OSError):  # a launch will say it
                warm_up(race)

        self.warming = Thread(target=warm, name="optagent-warming", daemon=True)
        self.warming.start()

    @contextmanager
    def checkout(self, candidate: Candidate) -> Iterator[Tree]:
        with self.checkouts.lend(candidate.patch, candidate.digest[:16]) as tree:
            yield tree

    def test(self, number: int, tree: Tree) -> Evidence | Objection:
        suite = self.problem.suite
        broken = self.broken(tree, suite.reaching)
        lost = broken.lost if broken else ()
        self.record(number, events.Tested(len(suite.reaching) - len(lost), lost))
        return checks.tests_say(broken, suite.reaching)

    def compare(self, number: int, tree: Tree, evidence: Evidence) -> Evidence | Objection:
        inputs = self.problem.workload.search
        base = self.workshop.base
        said = checks.check_outputs(self.run, tree, inputs, self.answers.outputs, evidence, base=base)
        if isinstance(said, Evidence):
            varied = self.problem.workload.varied
            said = checks.check_varied(self.run, tree, varied, self.expected_varied, said, len(inputs))
        if isinstance(said, Evidence):
            self.record(number, events.Compared(said))
        return said

    def measure(self, number: int, tree: Tree, evidence: Evidence) -> Verdict:
        seed = derive(self.workshop.settings.seed, "trial", number)
        race = self._race(tree, self.problem.timed, self.left)
        ruling = judge(lambda: speed.estimate(race, self.problem.noise, seed, self.effort), evidence)
        if ruling.found is not None:
            self.record(number, events.Measured(ruling.found.speedup, _launches(ruling.found)))
        return ruling.verdict

    def claim(self, number: int, tree: Tree, held_out: int, claims_before: int) -> Verdict:
        """Every test, every search input and the held-out ones, then fresh launches on the held-out ones alone."""
        self.stage(f"confirming trial {number} on inputs nobody saw")
        began = time.monotonic()
        noise, effort, before = self.problem.noise, self.effort, self.claims_elsewhere + claims_before
        ruling = self._decided(
            number, tree, held_out, lambda race, seed: speed.claim(race, noise, seed, effort, before)
        )
        if isinstance(ruling.verdict, Faster):
            ruling = self._weighed(number, tree, held_out, ruling)
        self.record(number, _claimed(ruling, held_out, Spent(seconds=time.monotonic() - began)))
        return ruling.verdict

    def verify(self, number: int, tree: Tree, tested: Tested | None = None) -> Verdict:
        """The same for a patch that nobody chose among others: all launches are seen through, whatever they show.
        `tested` is what the tests said of the tree, if they have been run."""
        self.stage("measuring")
        ruling = self._decided(
            number, tree, 0, lambda race, seed: speed.compare(race, self.problem.noise, seed, self.effort), tested
        )
        ruling = self._weighed(number, tree, 0, ruling)
        self._reproduce(number, tree, ruling.verdict)
        self.record(number, _claimed(ruling, 0, Spent()))
        return ruling.verdict

    def _gated(self, ruling: Ruling, weighed: events.Weighed) -> Ruling:
        """Nothing is faster on evidence that is weaker than what was asked for, or not the same on calls like none of
        the tests'."""
        verdict = ruling.verdict
        if not isinstance(verdict, Faster):
            return ruling
        weak = weakness(weighed, self.workshop.settings.min_oracle)
        return replace(ruling, verdict=Inconclusive(weak, verdict.evidence, verdict.speedup)) if weak else ruling

    def _reproduce(self, number: int, tree: Tree, verdict: Verdict) -> None:
        """The input on which what was judged is wrong, as a test to paste, on record."""
        found = verdict.evidence.first_difference if isinstance(verdict, Incorrect) else None
        if found is None or not found.input:
            return
        shop = self.workshop
        given = self._compared(0).all[found.input - 1]
        test = or_why_not(lambda: shop.project.failing_test(shop.base, tree, given))
        self.record(number, events.Reproduced(test))

    def _weighed(self, number: int, tree: Tree, index: int, ruling: Ruling) -> Ruling:
        """What a verdict with a number means beside it, on record; and the verdict that this leaves."""
        verdict = ruling.verdict
        speedup: Speedup | None = getattr(verdict, "speedup", None)
        if speedup is None:
            return ruling
        self.stage("looking at memory, growth and the whole")
        shop, run = self.workshop, self.run
        seed = derive(shop.settings.seed, "weigh", number)
        race = self._race(tree, self._timed_inputs(index))
        weighed = weigh(shop, self.problem, race, verdict, speedup, seed)
        self.stage("planting faults to see what the checks notice")
        compared = self._compared(index)
        suite = self.problem.suite
        oracle = or_why_not(lambda: take_strength(shop, suite, self.checkouts, run, compared))
        asked = ask_for_inputs(shop, run, number, oracle, self.tester)
        if asked.inputs:
            self.stage("planting faults again, with the inputs that the model wrote")
            compared = compared.plus(asked.inputs)
            again = or_why_not(lambda: take_strength(shop, suite, self.checkouts, run, compared))
            oracle = again if isinstance(again, Strength) else oracle
        unexecuted = or_why_not(lambda: take_unexecuted(shop, tree, compared.all, run.patience_s))
        beyond = or_why_not(lambda: take_beyond(shop, tree, run, self.problem.workload, compared.all, asked.inputs))
        weighed = replace(weighed, oracle=oracle, unexecuted=unexecuted, beyond=beyond, asked=asked.note)
        self.record(number, weighed)
        return self._gated(ruling, weighed)

    def _compared(self, index: int) -> Compared:
        """All inputs on which a candidate is compared for that claim."""
        workload = self.problem.workload
        return Compared((*workload.search, *workload.held_out[index]), (workload.varied, self.more))

    @cached_property
    def more(self) -> tuple[Input, ...]:
        """Further inputs near those of the tests, for what may win; none where the user says which there are."""
        shop, workload = self.workshop, self.problem.workload
        if shop.workload is not None:
            return ()
        known, seed = (*workload.varied, *workload.held), derive(shop.settings.seed, "more")
        return tuple(vary(reference_run(shop), shop.base, workload.search, known, seed, MORE))

    def broken(self, tree: Tree, names: tuple[str, ...]) -> TestsBroken | None:
        """Those of the named tests, which passed before, that no longer pass on this tree."""
        return broken_test(self.workshop.project, tree, self.problem.suite, names)

    def test_all(self, tree: Tree) -> Evidence | Incorrect:
        """Every test that passed before, on this tree."""
        suite = self.problem.suite
        return checks.check_tests(self.workshop.project, tree, suite, suite.passing)

    def _decided(
        self,
        number: int,
        tree: Tree,
        index: int,
        measure: Callable[[Race, int], speed.Found],
        tested: Tested | None = None,
    ) -> Ruling:
        shop, problem = self.workshop, self.problem
        tested = tested or self.test_all(tree)
        if not isinstance(tested, Evidence):
            return Ruling(tested)
        held = problem.workload.held_out[index]
        seed = derive(shop.settings.seed, "claim", number)
        run = replace(self.reference, seed=seed, warm=False)  # a program for this seed would be started for it alone
        inputs = (*problem.workload.search, *held)
        answers = ask_reference(run, shop.base, inputs)
        run = replace(run, patience_s=answers.patience_s)
        compared = checks.check_outputs(run, tree, inputs, answers.outputs, tested, base=shop.base)
        if not isinstance(compared, Evidence):
            return Ruling(compared)
        evidence = replace(compared, inputs=len(inputs), held_out=len(held))
        before = len(inputs)
        for near in self._compared(index).near:
            wanted = checks.expected_varied(run, shop.base, near)
            said = checks.check_varied(run, tree, near, wanted, evidence, before)
            if not isinstance(said, Evidence):
                return Ruling(said)
            evidence, before = said, before + len(near)
        if weak := self._told_by_tests_alone(tree):
            return Ruling(Inconclusive(weak, evidence))
        race = self._race(tree, self._timed_inputs(index), self.left)
        ruling = judge(lambda: measure(race, seed), evidence)
        return self._near(ruling, tree, index, seed)

    def _told_by_tests_alone(self, tree: Tree) -> str | None:
        """Why that the tests pass proves nothing of calls that could not be compared, or None."""
        found = self.workshop.project.reaching(self.workshop.base, tree) if self.problem.lost else None
        if found is None:
            return None
        (why, _), *_ = self.problem.lost
        return (
            f"calls that could not be compared ({why}) were seen by the tests alone, and {found} has hold of what runs "
            "the tests, which could make them pass"
        )

    def _near(self, ruling: Ruling, tree: Tree, index: int, seed: int) -> Ruling:
        """The ruling, after the gain was looked for on inputs that no test has."""
        if not isinstance(ruling.verdict, Faster):
            return ruling
        noise, effort = self.problem.noise, self.effort
        try:
            nearby = self._nearby(index)
        except Misconduct as failed:
            return replace(ruling, verdict=failed.verdict(ruling.verdict.evidence))
        if nearby is None:
            return ruling
        there, here = self._race(tree, nearby.near), self._race(tree, nearby.own)
        return judge_near(ruling, nearby.is_whole, lambda gain: speed.near(there, here, gain, noise, seed, effort))

    def _nearby(self, index: int) -> Nearby | None:
        if index not in self.nearby:
            known = self.problem.workload.by_tests
            self.nearby[index] = nearby(self.workshop, self._timed_inputs(index), known, self._on_the_base)
        return self.nearby[index]

    def _timed_inputs(self, index: int) -> tuple[Input, ...]:
        """Those of a held-out set that are timed: a matter of the reference alone, so it is found out once."""
        if index not in self.timed:
            race = self._on_the_base(self.problem.workload.held_out[index])
            with reference_at_work():
                self.timed[index] = speed.affordable(race, derive(self.workshop.settings.seed, "timed", index))
        return self.timed[index]

    def _on_the_base(self, inputs: Sequence[Input]) -> Race:
        return self._race(self.workshop.base, tuple(inputs))

    def _race(self, tree: Tree, inputs: tuple[Input, ...], state: tuple[str, ...] = ()) -> Race:
        if self.warming is not None:
            self.warming.join()
        shop = self.workshop
        # encoding long lazy results takes many times what their calls took
        patience_s, noise = 4 * self.run.patience_s, self.problem.noise
        return Race(
            shop.project, shop.base, tree, inputs, shop.core,
            patience_s=patience_s, state=state, step=noise.step, drains=noise.drains, salt=shop.salt,
        )  # fmt: skip

    def source_of(self, candidate: Candidate) -> str:
        """The target's file as the candidate leaves it."""
        for change in candidate.patch.changes:
            if change.path == self.workshop.target.path:
                return change.new or ""
        return self.original

    @cached_property
    def original(self) -> str:
        return read_source(self.workshop.base.root / self.workshop.target.path)

    def patch_to(self, source: str) -> Patch:
        """The patch that turns the baseline's file into this text."""
        return Patch((Change(self.workshop.target.path, self.original, source),))

    def shop(self, paid: Callable[[int], Spent]) -> Shop:
        return Shop(
            normal_form=self.workshop.project.normal_form,
            paid=paid,
            screen=self.screen,
            ready=self.ready,
            checkout=self.checkout,
            test=self.test,
            compare=self.compare,
            measure=self.measure,
            claim=self.claim,
            asked=self.asked,
            elapsed_s=time.monotonic,
        )


def _claimed(ruling: Ruling, held_out: int, cost: Spent) -> events.Claimed:
    """The event, with the launches and what there is to say of the machine meanwhile, where it was measured."""
    found = ruling.found
    if found is None:
        return events.Claimed(ruling.verdict, held_out, cost)
    system = asdict(found.strain) if found.strain else {}
    return events.Claimed(ruling.verdict, held_out, cost, system, _launches(found), pyperf_file.metadata())


def _launches(found: speed.Found) -> tuple[events.LaunchTimes, ...]:
    return tuple(
        events.LaunchTimes(one.cpu.old_ns, one.cpu.new_ns, one.wall.old_ns, one.wall.new_ns) for one in found.launches
    )


def rules_coder(counter: Counter) -> Propose:
    """Proposals of the built-in rules on top of a candidate; they know Python only."""
    if not counter.workshop.target.path.endswith(".py"):
        return lambda parent: []
    from optagent.rules.base import Site  # libcst loads when the first rule is asked
    from optagent.rules.registry import ALL, proposals

    types = {name: frozenset(kinds) for name, kinds in counter.problem.workload.observed_types}
    target = counter.workshop.target
    counter.looked_for = tuple(rule.title for rule in ALL)

    def propose(parent: Candidate) -> list[Candidate]:
        source = counter.source_of(parent)
        site = Site(source, target.qualname, types, line_of(source, target))
        return [
            Candidate(counter.patch_to(one.source), f"rules/{one.rule}", one.idea, parent.digest)
            for one in proposals(site)
        ]

    return propose
