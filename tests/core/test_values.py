"""Patches, workloads, budgets, accounts and encodings as values."""

from __future__ import annotations

import json
import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from optagent.core.accounting import ENCODING, Account, Life, is_clear, moved_work
from optagent.core.canonical import first_difference
from optagent.core.goal import Budget, BudgetSpent, Spent
from optagent.core.outcome import Outcome, referee_exit_code, run_exit_code
from optagent.core.patch import Change, Patch
from optagent.core.workload import Input, split

lines = st.lists(st.sampled_from(["a\n", "b\n", "c\r\n", "\n", "é\n", "--- x\n", "last"]), max_size=8).map("".join)


@settings(max_examples=30, deadline=None)
@given(lines, lines, st.sampled_from(["change", "create", "delete"]))
def test_git_applies_the_diff_and_gets_the_new_text(tmp_path_factory, old, new, kind):
    folder = tmp_path_factory.mktemp("diff")
    before, after = (None if kind == "create" else old), (None if kind == "delete" else new)
    if before == after or not (before or after):
        return
    file = folder / "m.py"
    if before is not None:
        file.write_bytes(before.encode())
    diff = Patch((Change("m.py", before, after),)).diff()
    subprocess.run(["git", "apply", "--whitespace=nowarn", "-"], cwd=folder, input=diff.encode(), check=True)
    assert (file.read_bytes().decode() if file.exists() else None) == after


@given(st.lists(st.binary(max_size=40), min_size=2, max_size=60, unique=True), st.randoms())
def test_a_split_shares_nothing_loses_nothing_and_does_not_depend_on_order(datas, rng):
    inputs = [Input(data, "test") for data in datas]
    workload = split(inputs)
    held = [one for part in workload.held_out for one in part]
    assert sorted(one.data for one in [*workload.search, *held]) == sorted(datas)
    assert held
    assert workload.search
    assert len(held) <= max(1, round(0.3 * len(datas)))
    shuffled = list(inputs)
    rng.shuffle(shuffled)
    assert split(shuffled) == workload


def test_what_is_held_out_spans_the_sizes():
    workload = split([Input(bytes(size), "test") for size in range(100)])
    sizes = [len(one.data) for one in workload.held_out[0]]
    assert max(sizes) >= 95
    assert min(sizes) <= 10


def test_fewer_than_two_inputs_cannot_be_split():
    with pytest.raises(ValueError, match="1 distinct"):
        split([Input(b"x", "test"), Input(b"x", "elsewhere")])


costs = st.builds(Spent, st.floats(0, 50), st.integers(0, 5), st.floats(0, 1), st.integers(0, 100))


@given(st.lists(st.tuples(costs, costs)))
def test_no_sequence_of_reservations_passes_a_ceiling(steps):
    limit = Spent(100, 10, 2, 200)
    budget = Budget(limit)
    for worst, actual in steps:
        if not budget.allows(worst):
            with pytest.raises(BudgetSpent, match=r"left|made|over"):
                budget.reserve(worst)
            continue
        before = budget.remaining()
        budget = budget.reserve(worst)
        assert budget.remaining().usd <= before.usd
        within = Spent(*(min(a, b) for a, b in zip(vars(worst).values(), vars(actual).values(), strict=True)))
        budget = budget.settle(worst, within)
    left = budget.remaining()
    assert budget.spent.usd <= limit.usd + 1e-9
    assert min(vars(left).values()) >= 0


def test_a_bill_beyond_the_ceiling_stops_what_costs_money_and_nothing_else():
    spent = Budget(Spent(600.0, 30, 1.0, 1000)).settle(Spent(), Spent(usd=7.0, tokens=9000))
    assert spent.reserve(Spent(trials=1)).reserved.trials == 1
    with pytest.raises(BudgetSpent, match=r"\$0\.0000 of \$1\.00 is left"):
        spent.reserve(Spent(usd=0.01))
    with pytest.raises(BudgetSpent, match="0 of 1000 are left"):
        spent.reserve(Spent(tokens=1))


MS = 1_000_000


def account(**grown: int) -> Account:
    """A launch that saved 50 ms in all, 10 ms of it in checked blocks, with these accounts grown."""
    old = Life(timed=100 * MS, prepared=10 * MS, encoded=10 * MS, imported=5 * MS, turns=20)
    new = {"timed": 50 * MS, "prepared": 10 * MS, "encoded": 10 * MS, "imported": 5 * MS, "turns": 20}
    return Account(old, Life(**{**new, **{name: new.get(name, 0) + more for name, more in grown.items()}}), 10 * MS)


@pytest.mark.parametrize(
    ("grown", "where"),
    [
        ({}, None),
        ({"encoded": 1 * MS}, None),
        ({"encoded": 9 * MS}, "encoding"),
        ({"prepared": 9 * MS}, None),
        ({"prepared": 40 * MS}, "arguments"),
        ({"settled": 40 * MS}, "after an answer"),
        ({"idle": 1 * MS}, None),
        ({"idle": 5 * MS}, "other side"),
        ({"imported": 20 * MS}, None),
        ({"imported": 90 * MS}, "import"),
    ],
)
def test_work_that_reappears_is_found_where_it_went(grown, where):
    found = moved_work([account(**grown)] * 3)
    assert (found is None) if where is None else where in found


def test_work_that_was_moved_twice_is_told_where_one_place_is_left_out():
    accounts = [account(encoded=30 * MS, prepared=30 * MS)] * 3
    assert moved_work(accounts) == ENCODING
    assert moved_work(accounts, but=ENCODING) == "opening of arguments"


@pytest.mark.parametrize(
    ("grown", "guilty"),
    [({}, False), ({"prepared": 6 * MS}, True), ({"settled": 6 * MS}, True), ({"idle": 6 * MS}, True), ({"encoded": 6 * MS}, True),
     ({"prepared": MS // 3}, False), ({"prepared": MS}, False), ({"imported": 6 * MS}, False)],
)  # fmt: skip
def test_one_pass_that_was_done_beside_the_first_calls_is_found_however_much_later_calls_save(grown, guilty):
    met_old = Life(timed=7 * MS, prepared=2 * MS)
    met_new = Life(**{"timed": MS, "prepared": 2 * MS, **{name: 2 * MS + more for name, more in grown.items()}})
    old, new = Life(timed=400 * MS, prepared=20 * MS), Life(timed=2 * MS, prepared=20 * MS + sum(grown.values()))
    found = moved_work([Account(old, new, 10 * MS, met_old, met_new)] * 3)
    assert found == ("opening of arguments" if guilty else None)


def test_one_guilty_launch_of_three_is_noise():
    assert moved_work([account(), account(), account(encoded=9 * MS)]) is None
    assert moved_work([account(), account(encoded=9 * MS), account(encoded=9 * MS)]) is not None


@pytest.mark.parametrize(("grown_ns", "clear"), [(30 * MS, False), (200 * MS, True)])
def test_growth_within_what_a_phase_differs_by_anyway_is_not_clear(grown_ns, clear):
    """A second of encoding differs by thirty milliseconds of itself; that a cheat hides there cannot be told either."""
    one = Account(Life(timed=9 * MS, encoded=1000 * MS), Life(timed=MS, encoded=1000 * MS + grown_ns), 8 * MS)
    assert moved_work([one] * 3) == "encoding of results"
    assert is_clear([one] * 6, "encoding of results") is clear


@pytest.mark.parametrize("phase", ["encoded", "prepared", "settled"])
def test_a_few_launches_do_not_tell_that_work_was_moved(phase):
    """Two of three said so of honest code, on a busy machine."""
    one = account(**{phase: 30 * MS})
    where = moved_work([one] * 3)
    assert where is not None
    assert [is_clear([one] * number, where) for number in (3, 5, 6)] == [False, False, True]


def call(value: object, args: object = ("t",)) -> bytes:
    return json.dumps(["l", "returned", value, list(args), ["d"], ["l", "", "", ["l"]]]).encode()


def test_a_difference_is_named_by_its_path():
    found = first_difference(
        call(["l", 1, ["d", ["k", ["f", "0x1.0p+0"]]]]), call(["l", 1, ["d", ["k", ["f", "0x1.8p+0"]]]])
    )
    assert (found.where, found.old, found.new) == ("the result[1]['k']", "float 1.0", "float 1.5")
    found = first_difference(call(1, ("t", ["l", 1])), call(1, ("t", ["l", 2])))
    assert found.where.startswith("positional arguments after the call")


@given(st.binary(max_size=60), st.binary(max_size=60))
def test_garbage_from_a_sandbox_never_raises(old, new):
    first_difference(old, new)


@given(st.recursive(st.none() | st.text(max_size=3) | st.integers(), lambda inner: st.lists(inner, max_size=4)))
def test_any_json_from_a_sandbox_never_raises(value):
    first_difference(call(1), json.dumps(value).encode())
    first_difference(json.dumps(value).encode(), json.dumps([value]).encode())


def test_undecided_is_never_success():
    undecided = (Outcome.INCONCLUSIVE, Outcome.CANNOT_COMPARE, Outcome.NOTHING_FOUND, Outcome.BUDGET_EXHAUSTED)
    assert {referee_exit_code(one) for one in undecided} == {7}
    assert {run_exit_code(one, goal_met=True) for one in undecided} == {1}
    assert run_exit_code(Outcome.INTERRUPTED, goal_met=False) == 130
