"""One real launch: a fresh pair of workers in the sandbox, and what it says of a candidate.

Time bounds are wide on purpose: a busy machine is no fault of the code under test.
"""

from __future__ import annotations

import itertools
import os
import pickle
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import psutil
import pytest

from optagent.core.effort import EFFORTS
from optagent.core.statistics import looks_of
from optagent.core.strain import likeliest
from optagent.core.target import Tree
from optagent.core.verdict import Evidence, Incorrect, Rejected
from optagent.core.workload import Input
from optagent.errors import SandboxBroken
from optagent.languages.contestant import REFERENCE, Contestant, Misconduct, Uncomparable
from optagent.languages.python import toolbox_folder
from optagent.languages.python.environment import interpreter
from optagent.languages.python.environment.home import PythonHome
from optagent.languages.python.project import PythonProject
from optagent.languages.python.targets.locate import locate
from optagent.measure.cores import beside, pinned
from optagent.measure.judge import judge
from optagent.measure.launch import Race, Screen, launch, warm_up
from optagent.measure.speed import (
    Noise,
    affordable,
    claim,
    compare,
    costs,
    encoding_share,
    estimate,
    keeps,
    measure_noise,
)
from optagent.sandbox.bwrap import Bwrap
from optagent.sandbox.nursery import Nurseries

pytestmark = pytest.mark.slow

OLD = """
def work(xs):
    total = 0
    for _ in range(20):
        for x in xs:
            total += x * x
    xs.append(total)
    return total
"""
FAST = """
def work(xs):
    total = 0
    for x in xs:
        total += x * x
    total *= 20
    xs.append(total)
    return total
"""
REMEMBERS = OLD.replace("def work", "def slow") + (
    "\nseen = {}\n"
    "def work(xs):\n"
    "    key = tuple(xs)\n"
    "    if key not in seen:\n"
    "        seen[key] = slow(xs)\n"
    "    else:\n"
    "        xs.append(seen[key])\n"
    "    return seen[key]\n"
)
CALLS = [list(range(n, 2 * n)) for n in (500, 700)]


CLOCKS = ("cpu", "wall")


def inputs(calls: list[list[int]]) -> tuple[Input, ...]:
    return tuple(Input(pickle.dumps(((call,), {}), 5), "test") for call in calls)


@pytest.fixture
def make_race(make_repo, ours, sandbox):
    def make(new: str, old: str = OLD, calls: list[list[int]] = CALLS, **settings: float) -> Race:
        root = make_repo({"old/m.py": old, "new/m.py": new})
        trees = Tree(root / "old"), Tree(root / "new")
        for tree in trees:
            tree.root.chmod(0o755)
        toolbox = toolbox_folder.install(root / "toolbox")
        found = interpreter.probe(ours, "test", sandbox)
        project = PythonProject(PythonHome(sandbox, found, toolbox), locate(trees[0], "work"))
        core = max(os.sched_getaffinity(0))
        return Race(project, *trees, inputs(calls), core, **{"seconds": 0.05, "patience_s": 20.0, **settings})

    return make


def test_identical_code_shows_no_difference_and_about_the_same_time(make_race):
    found = launch(make_race(OLD), seed=1)
    assert found.difference is None
    assert abs(found.cpu.log_ratio) < 0.5
    assert not found.first_call
    assert found.pairs >= 3
    assert min(found.old_memory, found.new_memory) > 1 << 20
    assert min(found.account.old.timed, found.account.new.timed) > 0


def test_a_candidate_that_is_twenty_times_faster_is_seen_to_be(make_race):
    found = launch(make_race(FAST), seed=2)
    assert found.difference is None
    assert found.cpu.log_ratio > 1
    assert found.wall.log_ratio > 1
    assert not found.first_call


def test_a_launch_for_choosing_ends_once_four_sweeps_say_that_there_is_no_gain(make_race):
    race = make_race(OLD, seconds=5.0)
    found = launch(replace(race, screen=Screen("cpu", 0.5, 9.9)), seed=1)
    groups = len(race.inputs)
    assert 4 <= found.pairs <= 12 * groups  # of hundreds that the time would be enough for


def test_the_sides_swapped_turn_the_ratio_round(make_race):
    assert launch(make_race(OLD, old=FAST), seed=2).cpu.log_ratio < -1


def test_what_was_warmed_up_is_all_that_launches_fork(make_race, monkeypatch):
    race = make_race(FAST)
    home = race.project.home
    if not isinstance(home.sandbox, Bwrap):
        pytest.skip("only bwrap forks")
    race = replace(race, project=replace(race.project, home=replace(home, ground=race.old.root.parent)))
    warm_up(race)
    started: list[object] = []
    monkeypatch.setattr(Nurseries, "_starts", lambda *given: started.append(given))  # none: it is started afresh
    for seed in range(6):
        launch(race, seed)
    assert not started or home.sandbox.nurseries.refusal


def test_both_sides_go_through_the_same_protocol(make_race, monkeypatch):
    """Blocks without calls, run by the old side alone, made calls of less than a microsecond look 2 % faster on the new."""
    asked, prepare = [], Contestant.prepare

    def recorded(self: Contestant, numbers: Sequence[int], times: int) -> None:
        asked.append((self.name, (len(numbers), times)))
        prepare(self, numbers, times)

    monkeypatch.setattr(Contestant, "prepare", recorded)
    launch(make_race(OLD), 3)
    of_old = Counter(rest for who, rest in asked if who == REFERENCE)
    of_new = Counter(rest for who, rest in asked if who != REFERENCE)
    assert of_old == of_new
    assert (0, 0) in of_old


def test_a_candidate_that_remembers_earlier_calls_is_judged_by_its_first_ones(make_race):
    found = launch(make_race(REMEMBERS), seed=3)
    assert found.first_call
    assert found.difference is None
    assert abs(found.cpu.log_ratio) < 1


WRONG = {
    "a result that is wrong from the third call on": (
        "    n = globals().setdefault('n', []); n.append(1)\n",
        "    return total if len(n) < 3 else -1\n",
    ),
    "an argument that is not changed any more": ("", "    xs.pop()\n    return total\n"),
    "text that is printed from the third call on": (
        "    n = globals().setdefault('n', []); n.append(1)\n",
        "    if len(n) >= 3: print('x')\n    return total\n",
    ),
    "a result that is wrong in every first call": (
        "    n = globals().setdefault('n', set()); key = len(xs)\n",
        "    was = key in n; n.add(key)\n    return total if was else -1\n",
    ),
    "an exception": ("", "    raise ValueError(total)\n"),
}


@pytest.mark.parametrize("step", [1, 16])
@pytest.mark.parametrize("name", WRONG)
def test_what_goes_wrong_in_timed_calls_only_is_a_difference(make_race, name, step):
    head, end = WRONG[name]
    new = OLD.replace("    total = 0\n", head + "    total = 0\n").replace("    return total\n", end)
    assert launch(replace(make_race(new), step=step), seed=4).difference is not None


MAKES = "def work(xs):\n    return [f'item {x}' for x in xs]\n"
SLOW_MAKES, SLOWER_MAKES = (MAKES.replace("f'", f"sum(range({n})) and f'") for n in (90, 180))


def test_one_wrong_item_of_a_long_result_is_found_by_one_launch_or_another(make_race):
    """Wrong while timed, in the last of 400 items, where a check looks at one item in eight."""
    last = (
        "import gc\n"
        + MAKES.replace("return", "found =")
        + ("    if not gc.isenabled():\n        found[-1] = ''\n    return found\n")
    )
    race = replace(make_race(last, old=MAKES, calls=[list(range(400))]), step=8)
    found = [one for one in (launch(race, seed).difference for seed in range(12)) if one is not None]
    assert found
    assert {one.new for one in found} == {"''"}
    assert launch(replace(race, new=race.old), 1).difference is None


MEMBERS = """
class Member:
    pass

KNOWN = [Member() for _ in range(100)]

def work(xs):
    return {(KNOWN[x], x) for x in xs}
"""


def test_a_set_whose_members_are_hashed_by_where_they_are_is_the_same_however_little_is_looked_at(make_race):
    race = replace(make_race(MEMBERS, old=MEMBERS, calls=[list(range(100))]), step=61)
    assert launch(race, 1).difference is None
    wrong = make_race(MEMBERS.replace("for x in xs", "for x in xs if x != 7"), old=MEMBERS, calls=[list(range(100))])
    assert launch(replace(wrong, step=61), 1).difference.new.startswith("set of 99: ")


EAGER = """
def cost(x):
    return sum(range(x % 7 + 40))

def work(xs):
    return len(xs), iter(list(map(cost, xs)))
"""
NOISE = Noise(0.01, "cpu", 0.1)
STEPS = [1, 29, *(pytest.param(step, marks=pytest.mark.sweep) for step in (7, 61))]
LATE = EAGER.replace("iter(list(map(cost, xs)))", "map(cost, xs)")


@pytest.mark.parametrize("n", [40, 3000], ids=["many calls in a block", "one call in a block"])
@pytest.mark.parametrize("step", STEPS)
def test_work_that_is_done_when_results_are_looked_at_is_found_however_seldom_all_of_them_are(make_race, step, n):
    race = make_race(LATE, old=EAGER, calls=[list(range(n))] * 3)
    found = claim(replace(race, step=step), NOISE, 1, EFFORTS["normal"])
    assert (found.moved, found.moved_clearly, found.difference) == ("encoding of results", True, None)


def test_work_that_is_put_off_into_an_iterator_inside_a_result_is_part_of_the_call(make_race):
    race = make_race(LATE, old=EAGER, calls=[list(range(3000))] * 3)
    noise = measure_noise(race, seed=1)
    assert noise.drains == (("1",),)
    found = claim(replace(race, drains=noise.drains), noise, 1, EFFORTS["normal"])
    assert (found.moved, found.difference, found.is_faster) == (None, None, False)
    assert 0.8 < found.speedup.ratio < 1.2


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("n", [40, 3000])
def test_work_that_is_left_undone_is_a_gain_however_seldom_all_results_are_looked_at(make_race, step, n):
    slow = EAGER.replace("return", "sum(range(20))\n    return", 1)
    race = make_race(EAGER, old=slow, calls=[list(range(n))] * 3)
    found = claim(replace(race, step=step), NOISE, 1, EFFORTS["normal"])
    assert (found.moved, found.difference, found.is_faster) == (None, None, True)


@pytest.mark.parametrize("seed", range(3))
def test_a_block_is_encoded_whole_also_where_one_round_fills_the_launch(make_race, seed):
    race = replace(make_race(EAGER, old=EAGER, calls=[list(range(3000))]), step=7, seconds=0.001)
    found = launch(race, seed)
    assert (found.pairs, found.account.looked_at) == (1, "a block whole")


def test_checks_that_look_at_a_part_cost_a_part(make_race):
    """The least of three launches each: load adds to what a check costs (0.14 and 0.03 of the calls where it is quiet)
    and takes nothing away."""
    race = replace(make_race(MAKES, old=MAKES, calls=[list(range(4000))]), is_whole_due=False)
    whole, part = (
        min(encoding_share([launch(replace(race, step=step), seed)]) for seed in range(3)) for step in (1, 61)
    )
    assert 0 < part < whole / 2


def fills(made):
    return f"def work(xs):\n    return {{{made} for x in xs}}\n"


@pytest.mark.parametrize("whole", [True, False])
def test_what_hashes_find_in_a_set_is_looked_at_again_and_told(make_race, whole):
    """Here where blocks are encoded whole at the first moment, and where none is."""
    not_numbers = fills("float('nan') if x % 2 else (x, 'x')")
    calls = [list(range(300))] * 2
    race = replace(make_race(not_numbers, old=not_numbers, calls=calls), step=61, is_whole_due=whole)
    assert launch(race, 1).difference is None  # two of them hash differently, and are the same all the same
    wrong = "import gc\n" + fills("(x, 'x' if gc.isenabled() else 'y')")
    race = replace(make_race(wrong, old=fills("(x, 'x')"), calls=calls), step=61, is_whole_due=whole)
    found = launch(race, 1).difference
    assert (found.where, "'x'" in found.old, "'y'" in found.new) == ("the result", True, True)


@pytest.mark.parametrize("candidate", [SLOWER_MAKES, MAKES], ids=["a loss", "a gain"])
def test_blocks_are_encoded_whole_for_as_long_as_there_seems_to_be_a_gain(make_race, monkeypatch, candidate):
    due = []

    def noted(race, seed):
        due.append(race.is_whole_due)
        return launch(race, seed)

    monkeypatch.setattr("optagent.measure.speed.launch", noted)
    race = make_race(candidate, old=SLOW_MAKES, calls=[list(range(300))])
    compare(replace(race, step=7), NOISE, 1, replace(EFFORTS["normal"], compared=6))
    if candidate == SLOWER_MAKES:
        assert due[:6] == [True] + 5 * [False]
    else:  # every second one; more where it did not come to it
        assert all(map(any, itertools.pairwise(due[:6])))


HOLDS_UP = (
    OLD
    + """
import sys, time
worker = sys.modules["__main__"].Worker
prepare = worker.do_prepare
worker.do_prepare = lambda self, header, blobs: (time.sleep(0.3), prepare(self, header, blobs))
"""
)


def test_who_takes_long_for_everything_that_is_not_timed_is_rejected(make_race, monkeypatch):
    monkeypatch.setattr("optagent.measure.launch.HELD_UP_S", 1.0)
    monkeypatch.setattr("optagent.measure.launch.HELD_UP_TIMES", 2.0)
    with pytest.raises(Misconduct, match="opening arguments and telling results took") as raised:
        launch(make_race(HOLDS_UP), 1)
    assert raised.value.verdict(Evidence()).reason == "holds up the referee"


NOTES = "notes = []\n" + OLD.replace("    total = 0\n", "    notes.append(len(xs))\n    total = 0\n")


def test_state_that_is_not_kept_in_timed_calls_is_a_difference(make_race):
    race = replace(make_race(OLD, old=NOTES), state=("m:notes",))
    (found,) = {launch(race, seed).difference for seed in (1, 2)}
    assert (found.where, found.old[:4]) == ("`m:notes`", "list")
    assert launch(replace(race, state=()), seed=1).difference is None
    assert launch(replace(make_race(NOTES, old=NOTES), state=("m:notes", "random")), seed=1).difference is None


WARNS = "import warnings\nwarnings.simplefilter('always')\n" + OLD.replace(
    "    total = 0\n", "    warnings.warn('w')\n    total = 0\n"
)
COMPLAINS = "import sys\n" + OLD.replace("    total = 0\n", "    print(len(xs), file=sys.stderr)\n    total = 0\n")


@pytest.mark.parametrize("loud", [WARNS, COMPLAINS], ids=["warns", "prints"])
def test_what_goes_to_stderr_has_to_go_there_in_timed_calls_too_wherever_it_is_written(make_race, loud):
    race = replace(make_race(loud.replace("def work", "\n\ndef work"), old=loud), state=("errors",))
    assert launch(race, seed=1).difference is None
    found = launch(replace(make_race(OLD, old=loud), state=("errors",)), seed=1).difference
    assert found.where.startswith("what it prints to stderr or warns of")


def test_state_that_the_reference_itself_does_not_keep_is_not_compared(make_race):
    drifts = "import os\nnotes = []\n" + OLD.replace(
        "    total = 0\n", "    notes[:] = [os.urandom(4)]\n    total = 0\n"
    )
    assert not keeps(replace(make_race(OLD, old=drifts), state=("m:notes",)), 1)
    assert keeps(replace(make_race(OLD, old=NOTES), state=("m:notes", "random")), 1)


def test_inputs_too_slow_for_a_second_pass_are_judged_by_their_first_calls(make_race, monkeypatch):
    monkeypatch.setattr("optagent.measure.launch.SLOW_SWEEP_NS", 1)
    found = launch(make_race(FAST), seed=5)
    assert found.pairs == len(CALLS)
    assert found.cpu.log_ratio > 1


def test_the_only_call_of_a_slow_input_is_checked(make_race, monkeypatch):
    monkeypatch.setattr("optagent.measure.launch.SLOW_SWEEP_NS", 1)
    found = launch(make_race("import gc\n" + OLD.replace("return total", "return total * gc.isenabled()")), seed=5)
    assert found.difference is not None
    assert launch(make_race(FAST), seed=5).difference is None


def test_where_there_is_one_round_only_half_of_them_are_checked_and_nobody_knows_which(make_race):
    """Whoever is wrong for a few inputs, in whatever order they come, is found out by one launch or another."""
    wrong = "import gc\nn = []\n" + OLD.replace("    total = 0\n", "    n.append(1)\n    total = 0\n").replace(
        "return total", "return total * (len(n) < 18)"
    )
    calls = [list(range(n, 2 * n)) for n in range(3000, 4000, 100)]
    race = make_race(wrong, calls=calls, seconds=0.001)
    found = [launch(race, seed) for seed in range(4)]
    assert {one.pairs for one in found} == {len(calls)}
    assert any(one.difference is not None for one in found)


def test_a_side_that_dies_is_named(make_race):
    dead = "import os\ndef work(xs):\n    os._exit(3)\n"
    with pytest.raises(Misconduct) as caught:
        launch(make_race(dead), seed=6)
    assert isinstance(caught.value.verdict(Evidence()), Incorrect)
    with pytest.raises(Misconduct) as caught:
        launch(make_race(OLD, old=dead), seed=6)
    assert caught.value.name == REFERENCE


def test_a_side_that_hangs_is_misconduct(make_race):
    with pytest.raises(Misconduct, match="no answer"):
        launch(make_race("def work(xs):\n    while True: pass\n", patience_s=0.5), seed=7)


def test_a_process_that_a_candidate_starts_is_refused(make_race):
    new = OLD.replace("    total = 0\n", "    import os\n    os.fork()\n    total = 0\n")
    race = make_race(new)
    assert launch(race, seed=8).difference is not None
    with race.project.contestant(race.new, 1, 20) as worker:
        race.project.load(worker, race.new, 1)
        worker.keep([one.data for one in race.inputs])
        with pytest.raises(Misconduct) as caught:
            worker.call([0])
    assert isinstance(caught.value.verdict(Evidence()), Rejected)


def test_a_result_without_a_form_cannot_be_compared(make_race):
    new = OLD.replace("return total", "import threading\n    return threading.Lock()")
    with pytest.raises(Uncomparable, match=r"_thread\.lock"):
        launch(make_race(new), seed=9)


def test_we_are_back_on_all_our_cores_whatever_happened():
    before = os.sched_getaffinity(0)
    with pytest.raises(KeyError), pinned(max(before)):
        assert os.sched_getaffinity(0) == {max(before)}
        raise KeyError
    assert os.sched_getaffinity(0) == before


def test_sides_start_only_on_cores_with_the_same_memory_that_we_may_use():
    allowed = os.sched_getaffinity(0)
    core = max(allowed)
    assert {core} <= set(beside(core)) <= allowed
    with pinned(core):
        assert beside(core) == (core,)


def test_both_sides_are_on_the_races_core_when_the_first_of_them_imports(make_race):
    """They start anywhere; a side that imports elsewhere would be timed with another core's memory and caches."""
    look = "import os\nassert len(os.sched_getaffinity(0)) == 1, os.sched_getaffinity(0)\n"
    assert launch(make_race(look + OLD, old=look + OLD), seed=12).difference is None


def test_a_side_that_cannot_start_leaves_nothing_of_the_other(make_race):
    race = make_race(OLD)
    before = {one.pid for one in psutil.Process().children(recursive=True)}
    for broken in (replace(race, new=Tree(race.new.root / "gone")), replace(race, old=Tree(race.new.root / "gone"))):
        for seed in (1, 2, 3):  # whichever is started first
            with pytest.raises(SandboxBroken):
                launch(broken, seed)
    assert {one.pid for one in psutil.Process().children(recursive=True)} == before


# series of launches


def test_the_reference_against_itself_gives_a_clock_and_a_floor(make_race):
    noise = measure_noise(make_race(FAST), seed=1, launches=2)
    assert 0 <= noise.floor < 1
    assert noise.clock in ("cpu", "wall")
    assert 0 < noise.seconds < 1


def test_a_target_that_waits_is_timed_on_the_wall(make_race):
    waits = "import time\ndef work(xs):\n    time.sleep(0.01)\n    return 1\n"
    assert measure_noise(make_race(waits, old=waits), seed=1, launches=1).clock == "wall"


def test_the_clock_that_was_asked_for_decides_whatever_the_target_does(make_race):
    assert measure_noise(make_race(OLD), seed=1, asked="wall", launches=1).clock == "wall"
    waits = "import time\ndef work(xs):\n    time.sleep(0.01)\n    return 1\n"
    assert measure_noise(make_race(waits, old=waits), seed=1, asked="cpu", launches=1).clock == "cpu"


def test_a_claim_ends_as_soon_as_more_launches_deny_it_than_may(make_race):
    looks = looks_of(0)
    found = claim(make_race(OLD, old=FAST), Noise(0.01, "cpu", 0.1), 1, EFFORTS["normal"])
    assert len(found.launches) == looks[-1][1] + 1
    assert not found.is_faster


@pytest.mark.slow
def test_a_claim_is_made_when_every_launch_agrees(make_race):
    needed = looks_of(0)[0][0]
    found = claim(make_race(FAST), Noise(0.01, "cpu", 0.1), 1, EFFORTS["normal"])
    assert (found.is_faster, len(found.launches), found.speedup.launches) == (True, needed, needed)
    assert found.moved is None
    assert found.speedup.low <= found.speedup.ratio <= found.speedup.high


def test_an_estimate_of_a_loss_says_slower(make_race):
    found = estimate(make_race(OLD, old=FAST), Noise(0.01, "cpu", 0.1), 1, EFFORTS["normal"])
    assert found.is_slower
    assert judge(lambda: found, Evidence()).verdict.kind == "slower"


@pytest.mark.parametrize(("new", "old", "ends"), [(FAST, OLD, "faster"), (OLD, FAST, "slower")])
def test_what_is_plain_is_chosen_by_one_launch_on_the_cpu_clock_and_by_more_on_the_wall(make_race, new, old, ends):
    found = {
        clock: estimate(make_race(new, old=old), Noise(0.01, clock, 0.1), 1, EFFORTS["normal"]) for clock in CLOCKS
    }
    assert {judge(lambda said=said: said, Evidence()).verdict.kind for said in found.values()} == {ends}
    assert len(found["cpu"].launches) == 1
    assert len(found["wall"].launches) >= 3


def test_a_gain_that_is_plain_but_for_the_noise_takes_more_launches(make_race):
    assert len(estimate(make_race(FAST), Noise(9.0, "cpu", 0.1), 1, EFFORTS["normal"]).launches) > 1


def test_a_program_that_spins_on_the_core_is_seen_in_what_the_sides_waited(make_race):
    race = make_race(OLD)
    with pinned(race.core):
        spinning = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        noise = measure_noise(race, 1)
    finally:
        spinning.kill()
        spinning.wait()
    assert noise.strain is not None
    assert noise.strain.seconds > 0
    assert noise.strain.delay is not None
    assert noise.strain.delay > 0.05
    assert likeliest(noise.strain) is not None


def test_inputs_are_taken_in_their_order_until_a_pass_is_long_enough(make_race):
    race = make_race(OLD)
    assert affordable(race, 1) == race.inputs
    assert len(costs(race, 1, 0.0)) == 1
    assert len(costs(race, 1, 5.0)) == len(race.inputs)


def test_what_an_iterator_inside_a_result_puts_off_is_part_of_what_an_input_costs(make_race):
    race = make_race(LATE, old=LATE, calls=[list(range(9000))] * 2)
    (drained, at_once) = (sum(costs(replace(race, drains=drains), 1, 5.0)) for drains in ((("1",),), ()))
    assert drained > 3 * at_once


def test_no_worker_outlives_its_launch(make_race):
    race = make_race(OLD)
    with race.project.contestant(race.new, 1, 20) as worker:
        race.project.load(worker, race.new, 1)
        assert workers() > 0
    launch(race, seed=1)
    with pytest.raises(Misconduct):
        launch(replace(race, patience_s=0.0), seed=1)
    assert workers() == 0


def workers() -> int:
    """Worker processes that we started and that still run."""
    ours = psutil.Process().children(recursive=True)
    return sum(one.is_running() and one.status() != psutil.STATUS_ZOMBIE for one in ours)
