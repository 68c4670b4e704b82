"""What calls leave outside of their arguments: seen by name, without being changed by the look."""

from __future__ import annotations

import collections
import copy
import decimal
import functools
import importlib
import itertools
import json
import os
import random
import signal
import sys
from dataclasses import dataclass
from types import MappingProxyType

import pytest
import toolbox_path  # noqa: F401

# isort: split
import optagent_encode
import optagent_handed
import optagent_target
from optagent_state import MOST_PARTS, Watch, standing

MODULE = """
import functools
import itertools
import random
import contextvars
import select
import threading

total = 0
table = {"a": [1]}
numbers = itertools.count(5)
rest = iter([1, 2, 3])
waiting = select.poll()
context = contextvars.ContextVar("context")
local = threading.local()
local.turns = 0
large = list(range(LARGE))
strict = functools.partial(zip, strict=True)
_hidden = set()
__private = []
__version__ = "1"


class Guarded:
    def __init__(self):
        self.lock, self.again = threading.Lock(), threading.RLock()
        self.turns = 0


guarded = Guarded()


class Box:
    made = 0
    kinds = ["plain"]

    class Lid:
        turns = 0

    def open(self):
        return self

    @staticmethod
    def close(seen=[]):
        return seen


def act():
    return act


def _counter():
    count, notes = 0, []

    def counted():
        nonlocal count
        count += 1
        notes.append(count)

    return counted


counted = _counter()
""".replace("LARGE", str(MOST_PARTS + 10))


@pytest.fixture
def module(tmp_path, monkeypatch):
    """A fresh module below a folder of its own."""
    (tmp_path / "kept_state.py").write_text(MODULE)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "kept_state", raising=False)
    importlib.invalidate_caches()
    yield importlib.import_module("kept_state")
    sys.modules.pop("kept_state", None)


@pytest.fixture
def changes(module, tmp_path):
    """What a watch says of something that is done."""

    def told(act, names=None, scratch=""):
        watch = Watch(str(tmp_path), scratch, names)
        optagent_target.seed()
        act(module)
        watch.called(optagent_encode.Known())
        known, told.lost, encoded = watch.changes()
        told.known, told.unknown = known, watch.unknown
        return dict(json.loads(encoded)[2][1:])

    return told


def put(name, value):
    return lambda module: setattr(module, name, value)


def test_nothing_done_is_nothing_changed(changes):
    assert changes(lambda module: None) == {}


@pytest.mark.parametrize(
    ("act", "name", "value"),
    [
        (put("total", 3), "total", 3),
        (lambda module: module.table["a"].append(2), "table", ["d", ["a", ["l", 1, 2]]]),
        (lambda module: next(module.numbers), "numbers", ["v", "count", "count(6)"]),
        (lambda module: module._hidden.add(1), "_hidden", ["s", 1]),
        (lambda module: setattr(module.Box, "made", 1), "Box.made", 1),
        (lambda module: module.Box.kinds.append("x"), "Box.kinds", ["l", "plain", "x"]),
        (lambda module: setattr(module.act, "calls", 1), "act()", ["d", ["calls", 1]]),
        (lambda module: module.large.append(1), "large", ["length", MOST_PARTS + 11]),
        (lambda module: getattr(module, "__private").append(1), "__private", ["l", 1]),
        (lambda module: setattr(module.Box.Lid, "turns", 1), "Box.Lid.turns", 1),
        (lambda module: setattr(module.Box.open, "calls", 1), "Box()", ["d", ["open", ["d", ["calls", 1]]]]),
        (lambda module: module.Box.close().append(1), "Box.close() defaults", ["l", ["l", 1]]),
        (lambda module: setattr(module.Box, "open", module.act), "Box()", ["d", ["open", ["d", ["", "act"]]]]),
        (lambda module: setattr(module, "act", module.Box.open), "act()", ["d", ["", "Box.open"]]),
        (put("new", "made by a call"), "new", "made by a call"),
        (lambda module: module.context.set(1), "context", ["v", "ContextVar", 1]),
        (lambda module: setattr(module.local, "turns", 1), "local", ["v", "local", ["d", ["turns", 1]]]),
    ],
)
def test_a_change_is_told_by_name_and_value(changes, act, name, value):
    assert changes(act) == {f"kept_state:{name}": value}


def test_what_a_function_keeps_of_the_one_around_it_is_state(changes):
    assert changes(lambda module: module.counted()) == {
        "kept_state:counted() count": 1,
        "kept_state:counted() notes": ["l", 1],
    }


def test_the_environment_the_folder_and_files_are_state_too(changes, tmp_path, monkeypatch):
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setenv("OPTAGENT_TEST_STATE", "0")
    assert list(changes(lambda _: os.environ.update(OPTAGENT_TEST_STATE="1"))) == ["environment"]
    monkeypatch.chdir(tmp_path)
    assert changes(lambda _: os.chdir(scratch)) == {"folder": str(scratch)}
    said = changes(lambda _: (scratch / "note").write_text("x"), scratch=str(scratch))
    assert said["files"][1][0] == "note"
    assert list(changes(lambda _: (scratch / "note").chmod(0o600), scratch=str(scratch))) == ["files"]
    assert changes(lambda _: (scratch / "in").mkdir(0o700), scratch=str(scratch))["files"][1] == ["in/", 0o700]
    before = changes(lambda _: None, scratch=str(scratch))
    assert before == {}
    assert list(changes(lambda _: (scratch / "note").write_text("y"), scratch=str(scratch))) == ["files"]


def test_settings_of_the_interpreter_and_the_process_are_state(changes):
    kept = sys.getrecursionlimit(), decimal.getcontext().prec, os.umask(0o22), signal.getsignal(signal.SIGUSR2)

    def act(_):
        sys.setrecursionlimit(54_321)
        decimal.getcontext().prec = 51
        os.umask(0o7)
        signal.signal(signal.SIGUSR2, signal.SIG_IGN)

    try:
        assert changes(act) == {
            "settings:recursion limit": "54321",
            "settings:decimal prec": "51",
            "settings:umask": "7",
            f"settings:signal {int(signal.SIGUSR2)}": "SIG_IGN",
        }
    finally:
        sys.setrecursionlimit(kept[0])
        decimal.getcontext().prec = kept[1]
        os.umask(kept[2])
        signal.signal(signal.SIGUSR2, kept[3])


def test_how_far_a_call_draws_is_state_and_no_draw_is_none(changes):
    once = changes(lambda _: random.random())
    twice = changes(lambda _: (random.random(), random.random()))
    assert list(once) == list(twice) == ["random"]
    assert once != twice
    assert changes(lambda _: random.random()) == once, "the generator starts anew"


def test_looking_drains_nothing(changes, module):
    changes(lambda _: None)
    assert list(module.rest) == [1, 2, 3]
    assert next(module.numbers) == 5
    assert isinstance(module.numbers, itertools.count)


def test_what_cannot_be_told_is_named_and_no_change(changes):
    assert changes(lambda module: next(module.rest)) == {}
    assert {"kept_state:rest", "kept_state:waiting"} <= set(changes.unknown)
    assert "kept_state:waiting" not in changes.known
    assert not any("__version__" in name or "numbers()" in name for name in changes.known)


def test_of_names_that_are_asked_for_no_other_is_told_and_what_becomes_unknown_is_a_change(changes):
    names = ["kept_state:total", "kept_state:gone"]
    assert changes(put("table", 1), names) == {}
    assert changes(put("total", iter([])), names) == {"kept_state:total": ["unknown", "an iterator"]}


def test_what_calls_make_unreadable_is_lost_and_what_never_could_be_read_is_not(changes):
    changes(put("total", iter([])))
    assert changes.lost == {"kept_state:total": "an iterator"}


def test_a_module_that_calls_bring_in_is_no_state_and_a_generator_that_they_bring_in_was_not_drawn_from(
    changes, tmp_path, monkeypatch
):
    (tmp_path / "late_state.py").write_text("TABLE = [1]\n")
    assert changes(lambda _: importlib.import_module("late_state")) == {}
    sys.modules.pop("late_state")
    monkeypatch.delitem(sys.modules, "random")
    assert changes(lambda _: importlib.import_module("random")) == {}


def test_what_stands_beside_a_lock_is_looked_at_and_who_holds_the_lock_is_not(changes):
    assert changes(lambda module: module.guarded.lock.acquire()) == {}
    said = changes(lambda module: setattr(module.guarded, "turns", 1))
    assert ["turns", 1] in said["kept_state:guarded"]


def test_what_later_calls_leave_in_a_module_that_an_earlier_one_brought_in_is_state(module, tmp_path):
    (tmp_path / "late_state.py").write_text("TABLE = [1]\n")
    watch = Watch(str(tmp_path), "", None)
    late = importlib.import_module("late_state")
    watch.called(optagent_encode.Known())
    late.TABLE.append(2)
    watch.called(optagent_encode.Known())
    encoded = watch.changes()[2]
    sys.modules.pop("late_state")
    assert json.loads(encoded)[2][1:] == [["late_state:TABLE", ["l", 1, 2]]]


def shared(module, tmp_path, *results):
    """What a watch says of calls that left these and nothing else."""
    watch = Watch(str(tmp_path), "", None)
    for one in results:
        known = optagent_encode.Known()
        optagent_encode.encode(one, None, known)
        watch.called(known)
    return dict(json.loads(watch.changes()[2])[2][1:]).get("shared")


class Part:
    def __init__(self):
        self.size = 1


@dataclass(frozen=True)
class Fixed:
    size: int = 1


@pytest.mark.parametrize(
    "one", [[1], {}, {1}, bytearray(b"1"), collections.deque(), Part(), ValueError("no"), object()]
)
def test_what_two_calls_hand_out_is_told_where_it_can_be_changed(module, tmp_path, one):
    assert shared(module, tmp_path, ["a", one], ["b"], ("c", [one])) == ["l", ["l", 3, 1]]
    assert shared(module, tmp_path, [one], [copy.deepcopy(one)]) is None


def test_of_very_much_the_first_calls_are_kept_and_no_more(module, tmp_path, monkeypatch):
    monkeypatch.setattr(optagent_handed, "MOST_BYTES", 4_000)
    one = [1]
    assert shared(module, tmp_path, [one], [one], [0] * 60, [one]) == ["l", ["l", 2, 1]]
    assert shared(module, tmp_path, [one], [one], bytearray(4_000), [one]) == ["l", ["l", 2, 1]]


@pytest.mark.parametrize("one", ["text", (1, "a"), frozenset([1]), Fixed(), Part, len])
def test_what_nobody_can_change_may_be_in_several_results(module, tmp_path, one):
    assert shared(module, tmp_path, [one], [one]) is None
    assert not optagent_handed.can_change(one)


def test_what_a_module_keeps_of_a_call_is_told_however_deep_it_lies(module, tmp_path):
    for keep in (
        lambda one: setattr(module, "kept", {"a": (one,)}),
        lambda one: setattr(module.act, "kept", [one]),
        lambda one: setattr(module.Box, "kept", one),
        lambda one: setattr(module, "kept", functools.lru_cache(lambda: one)) or module.kept(),
        lambda one: setattr(module, "kept", lambda: one),
    ):
        one = [1]
        keep(one)
        assert shared(module, tmp_path, ["a"], [one]) == ["l", ["l", 2, "kept by a module"]]
    module.kept = None
    assert shared(module, tmp_path, [one]) is None


def test_what_is_written_below_python_or_to_a_stream_that_was_kept_is_state(changes, tmp_path):
    kept = os.dup(2)
    with open(tmp_path / "errors", "wb") as file:
        os.dup2(file.fileno(), 2)
    try:
        assert changes(lambda _: os.write(2, b"text")) == {"settings:bytes written to standard error": "4"}
    finally:
        os.dup2(kept, 2)
        os.close(kept)


def test_a_view_of_what_a_call_was_given_is_told_and_one_of_a_copy_is_not(module, tmp_path):
    for given, view, copied in (
        ({"a": 1}, dict.keys, dict),
        ({"a": 1}, MappingProxyType, dict),
        (bytearray(b"12"), memoryview, bytearray),
        ([1, 2], iter, list),
    ):
        told = shared(module, tmp_path, [view(given), given], [view(copied(given)), given])
        assert told == ["l", ["l", 2, 1], ["l", 1, "a view of what is there, too"]]
        module.kept = given
        assert shared(module, tmp_path, view(given)) == ["l", ["l", 1, "kept by a module"]]
        module.kept = None


def test_a_large_value_costs_no_more_than_its_checksum(changes):
    text = "x" * (1 << 20)
    said = changes(put("total", text))
    assert said["kept_state:total"][:3] == ["checksum", "str", 1 << 20]
    assert changes(put("total", "y" + text[1:])) != said


def test_what_stands_under_names_is_told_without_a_look_before(module, tmp_path):
    def told(*names, seeded=("random",), errors=()):
        return json.loads(standing(str(tmp_path), "", list(names), list(seeded), list(errors)))[2][1:]

    module.total = 3
    assert told("errors", errors=["text", "UserWarning: w"]) == [["errors", ["l", "text", "UserWarning: w"]]]
    assert told("kept_state:total", "kept_state:gone") == [["kept_state:gone", ["absent"]], ["kept_state:total", 3]]
    assert told("kept_state:waiting")[0][1][0] == "unknown"
    optagent_target.seed()
    assert told("random") == [["random", ["l"]]]
    random.random()
    ((_, said),) = told("random")
    assert said[1][1] == "random"
    random.random()
    assert told("random", seeded=()) == [["random", ["l"]]]  # loaded since: it was at no known start


def test_of_what_is_too_long_the_end_is_told(module, tmp_path):
    def told(name):
        return standing(str(tmp_path), "", [f"kept_state:{name}"], [], [])

    before = told("large")
    module.large[-1] = "another"
    assert told("large") != before
    module.queue = collections.deque(range(MOST_PARTS + 10))
    before = told("queue")
    module.queue[-1] = -1
    assert told("queue") != before
    module.table = {k: [k] for k in range(MOST_PARTS + 10)}
    before = told("table")
    module.table[MOST_PARTS + 9] = [0]
    assert told("table") != before
