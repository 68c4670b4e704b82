"""Workers and test runs that lie, or talk nonsense: a verdict on whoever does it, never a crash of the referee."""

from __future__ import annotations

import time
from contextlib import suppress
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rungs import make_sandbox

from optagent.core import frames
from optagent.core.target import Target, Tree
from optagent.core.verdict import Evidence, Inconclusive, Incorrect, Rejected
from optagent.languages.contestant import COLUMNS, REFERENCE, Contestant, Load, Misconduct, Seen, Uncomparable
from optagent.languages.python.environment.home import PythonHome
from optagent.languages.python.project import PythonProject
from optagent.languages.python.testing import pytest_run as reports
from optagent.sandbox.base import Command, ExecResult, Exited, Limits, Stopped

pytestmark = pytest.mark.slow

PYTHON = "/usr/bin/python3"
HEAD = """
import json, os, socket, struct, sys, threading, time
inf, nan = float('inf'), float('nan')
channel = socket.socket(fileno=int(os.environ['OPTAGENT_FD']))
def take(n):
    data = b''
    while len(data) < n:
        more = channel.recv(n - len(data))
        if not more: os._exit(0)
        data += more
    return data
def heard():
    length, count = struct.unpack('!II', take(8))
    sizes = struct.unpack('!%dQ' % count, take(8 * count))
    header = json.loads(take(length))
    return header, [take(size) for size in sizes]
def tell(value, blobs=()):
    text = json.dumps(value).encode()
    sizes = b''.join(struct.pack('!Q', len(blob)) for blob in blobs)
    channel.sendall(struct.pack('!II', len(text), len(blobs)) + sizes + text + b''.join(blobs))
tell({})
"""


def worker(script: str, seconds: float = 5.0, name: str = "candidate") -> Contestant:
    command = Command((PYTHON, "-c", HEAD + script), "/tmp", (), {"PATH": "/usr/bin:/bin"})
    return Contestant(make_sandbox("none"), command, Limits(seconds=seconds), name)


NONSENSE = [
    {}, {"types": 3}, {"types": {"a": "b"}}, {"types": {"a": [1]}}, {"rows": 1},
    {"rows": [[1]]}, {"rows": [[1, 2, 3, 4, 5, 6]]}, {"faults": 7},
    {"faults": {"a": 1}}, {"faults": [None]}, {"fault": None}, {"fault": {"x": []}, "refused": "maybe"},
    {"file": 3, "callable": []}, {"codecs": 3}, {"codecs": [[]]}, {"refused": []}, {"faults": "x"},
]  # fmt: skip
QUESTIONS = {
    "load": lambda one: one.load(Load("m", "f", False, (), 1)),
    "make": lambda one: one.make("w.py", 1, 1),
    "admit": lambda one: one.admit(0),
    "describe": lambda one: one.describe(),
    "profile": lambda one: one.profile("functions"),
    "call": lambda one: one.call([0]),
    "collect": lambda one: one.collect(),
    "keep": lambda one: one.keep([b"x"]),
    "sources": lambda one: one.sources(),
    "make a call": lambda one: one.make_call("w.py", 1, 1, 1),
    "vary": lambda one: one.vary(1, 1, 1, "near", 1),
    "call watched": lambda one: one.call_watched([0], None),
    "weigh": lambda one: one.weigh(),
    **{kind: partial(lambda kind, one: one.profile(kind), kind) for kind in COLUMNS},
}


@pytest.mark.parametrize("question", QUESTIONS)
def test_an_answer_of_any_shape_is_data_or_misconduct(question):
    script = f"for value in {NONSENSE!r}:\n    for blobs in ((), (b'x',)):\n        heard(); tell(value, blobs)\n"
    with worker(script) as one:
        for _ in range(2 * len(NONSENSE)):
            with suppress(Misconduct, Uncomparable):
                QUESTIONS[question](one)


ODD = [
    10**4000, 10**39, 1 << 64, -1, True, float("inf"), float("nan"), "x" * 70_000, "\ud800", [[[]]], {"a": {}}, None, 0.5,
]  # fmt: skip
FIELDS = {
    "weigh": [{"held": odd, "printed": 0, "threads": 0} for odd in ODD],
    "make a call": [{"size": odd, "codecs": ["plain"]} for odd in ODD],
    "functions": [{"rows": [["m.py", odd, "f", 1, 0.5, 1.0]]} for odd in ODD],
    "describe": [{"types": {"a": [odd]}} for odd in ODD],
    "sources": [{"sources": [odd]} for odd in ODD],
    "load": [{"file": odd} for odd in ODD],
    "call watched": [{"known": [odd], "unknown": {}} for odd in ODD]
    + [{"known": [], "unknown": {"a": odd}} for odd in ODD],
}


def sensible(value) -> bool:
    """Whether anybody can count with it and show it."""
    if isinstance(value, dict | Seen):
        value = [*value, *value.values()] if isinstance(value, dict) else [*vars(value).values()]
    if isinstance(value, list | tuple):
        return all(map(sensible, value))
    if isinstance(value, int | float):
        return not isinstance(value, bool) and 0 <= value <= 1 << 63
    return value is None or len(value) < 70_000


@pytest.mark.parametrize("question", FIELDS)
def test_what_an_answer_holds_can_be_counted_with_and_shown(question):
    for answer in FIELDS[question]:
        blobs = (b"x", b"y") if question == "call watched" else (b"x",)
        with worker(f"heard(); tell({answer!r}, {blobs!r})\nheard()") as one, suppress(Misconduct):
            assert sensible(QUESTIONS[question](one))


PARROT = """
said = [b'{}']
while True:
    order, blobs = heard()
    if order['do'] == 'keep': said = blobs; tell({}); continue
    sizes = b''.join(struct.pack('!Q', len(blob)) for blob in said[1:])
    channel.sendall(struct.pack('!II', len(said[0]), len(said) - 1) + sizes + b''.join(said))
"""
NAMES = [
    "fault", "faults", "refused", "file", "sources", "size", "codecs", "types", "rows", "held", "printed", "threads",
    "known", "unknown",
]  # fmt: skip
texts = st.recursive(
    st.sampled_from(
        [
            "null",
            "true",
            "0",
            "-1",
            "1e999",
            "-0.0",
            "NaN",
            "Infinity",
            "9" * 19,
            "9" * 4001,
            '"x"',
            '"\\ud800"',
            "[]",
            "{}",
        ]
    ),
    lambda inner: (
        st.lists(inner, max_size=6).map(lambda some: f"[{','.join(some)}]")
        | st.lists(inner, max_size=2).map(lambda some: "{" + ",".join(f'"a":{one}' for one in some) + "}")
        | inner.map(lambda one: "[" * 900 + one + "]" * 900)
    ),
    max_leaves=8,
)
some = st.lists(st.tuples(st.sampled_from(NAMES), texts), max_size=5)
same = texts.map(lambda text: [(name, text) for name in NAMES[3:]])
answers = (some | same).map(lambda pairs: "{" + ",".join(f'"{name}":{text}' for name, text in pairs) + "}")


def test_any_json_in_any_field_is_an_answer_or_misconduct():
    with worker(PARROT) as one:

        @given(answers, st.integers(0, 2), st.sampled_from(sorted({*QUESTIONS} - {"keep"})))
        @settings(deadline=None, max_examples=300)
        def asked(answer, blobs, question):
            one.keep([answer.encode(), *[b""] * blobs])
            with suppress(Misconduct, Uncomparable):
                assert sensible(QUESTIONS[question](one))

        asked()


@pytest.mark.parametrize("key", ["fault", "faults"])
def test_of_a_long_story_that_a_worker_tells_only_the_beginning_is_kept(key):
    story = "'x' * 10_000_000"
    script = f"heard(); tell({{{key!r}: {story if key == 'fault' else f'[{story}]'}}})\nheard()"
    with worker(script) as one, pytest.raises((Misconduct, Uncomparable)) as told:
        one.admit(0) if key == "fault" else one.call([0])
    assert len(str(told.value)) < 2_000


def test_a_profile_of_the_right_shape_comes_through():
    rows = [["m.py", 1, "f", 2, 0.5, 1.0]]
    with worker(f"heard(); tell({{'rows': {rows!r}}})\nheard()") as one:
        assert one.profile("functions") == rows


def test_a_wrong_byte_after_a_block_is_misconduct():
    with worker("heard(); tell({}); take(1); channel.sendall(b'x'); take(1)") as one:
        one.prepare([0], 1)
        with pytest.raises(Misconduct, match="does not know"):
            one.lap()


def test_an_early_answer_makes_the_next_one_nonsense():
    """A worker whose thread says "done" before the work is done says it twice."""
    script = "heard(); tell({}); take(1); channel.sendall(b'd'); channel.sendall(b'd'); heard(); tell({'faults': []})"
    with worker(script) as one:
        one.prepare([0], 1)
        one.lap()
        with pytest.raises(Misconduct):
            one.collect()


@pytest.mark.parametrize("moment", ["halt", "proceed", "pin", "peak_memory_bytes", "lap"])
def test_a_worker_that_leaves_between_questions_misbehaves(moment):
    with worker("heard(); tell({}); os._exit(0)") as one:
        one.prepare([0], 1)
        if moment == "proceed":
            one._halted = True
        one.live.process.wait(10)
        with pytest.raises(Misconduct):
            one.pin(0) if moment == "pin" else getattr(one, moment)()


def test_silence_is_misconduct_after_the_patience_given():
    with worker("time.sleep(60)", seconds=0.3) as one, pytest.raises(Misconduct, match="no answer after"):
        one.describe()


def test_last_words_are_told_with_the_death():
    with worker("heard(); sys.exit('out of luck')") as one, pytest.raises(Misconduct, match="out of luck"):
        one.describe()


def test_what_is_burnt_while_halted_is_booked_as_idle_and_what_is_burnt_after_an_answer_as_settled():
    script = """
def burn():
    while True: sum(range(1000))
heard(); threading.Thread(target=burn, daemon=True).start(); time.sleep(.01); tell({'types': {}})
heard()
"""
    with worker(script) as one:
        one.describe()
        started, deadline = one.live.cpu_ns(), time.monotonic() + 20
        while one.live.cpu_ns() < started + 50_000_000 and time.monotonic() < deadline:
            time.sleep(0.01)  # a busy machine may give the thread little
        one.halt()
        time.sleep(0.2)
        one.proceed()
    assert one.life.settled > 30_000_000
    assert one.life.idle < 5_000_000
    assert one.life.turns == 1


def test_misconduct_is_held_against_the_candidate_only():
    evidence = Evidence(tests=1)
    assert isinstance(Misconduct("call", "it ended").verdict(evidence), Incorrect)
    assert isinstance(Misconduct("call", "fork", refused=True).verdict(evidence), Rejected)
    assert isinstance(Misconduct("call", "it ended", name=REFERENCE).verdict(evidence), Inconclusive)


# the report of a test run


def told(report: bytes, limit: str = ""):
    ending = Stopped(limit) if limit else Exited(0)
    return reports._read_report(ExecResult(ending, b"1 passed", b"", report, 1.0), 1)


TEST = {"outcome": "passed", "reached": [0], "seconds": 0.1}
GOOD = {"tests": {"t": TEST}, "targets": [[4, {"a lock": 2}, ["plain"]]], "folders": ["src"], "exit": 0}


def test_a_report_is_read_when_it_is_one():
    report = told(frames.pack(GOOD, [b"data"]))
    (captured,) = report.captured
    assert (report.broken, report.names("passed"), report.folders) == ("", {"t"}, ("src",))
    assert report.tests[0].reached == {0}
    assert (captured.calls, captured.lost) == (4, {"a lock": 2})
    assert [(one.data, one.codec) for one in captured.inputs] == [(b"data", "plain")]


def with_test(**changed: object) -> bytes:
    return frames.pack({**GOOD, "tests": {"t": {**TEST, **changed}}}, [b"x"])


def without(name: str) -> bytes:
    return frames.pack({key: value for key, value in GOOD.items() if key != name}, [b"x"])


BAD_REPORTS = {
    "nothing": b"",
    "two reports": frames.pack(GOOD, [b"x"]) * 2,
    "half a report": frames.pack(GOOD, [b"x"])[:-3],
    "fewer inputs than codecs": frames.pack(GOOD),
    "more inputs than codecs": frames.pack(GOOD, [b"x", b"y"]),
    "no tests": frames.pack({**GOOD, "tests": [1]}, [b"x"]),
    "a test without an outcome": frames.pack({**GOOD, "tests": {"t": {}}}, [b"x"]),
    "a test that is none": frames.pack({**GOOD, "tests": {"t": 3}}, [b"x"]),
    "seconds that are none": with_test(seconds="x"),
    "reached that is no list": with_test(reached=True),
    "reached by names": with_test(reached=["f"]),
    "reached by infinity": with_test(reached=[float("inf")]),
    "reached by what is less than nothing": with_test(reached=[-1]),
    "reached by truth": with_test(reached=[True]),
    "seconds without end": with_test(seconds=float("inf")),
    "seconds without end, as text": with_test(seconds="inf"),
    "seconds that are no number": with_test(seconds=float("nan")),
    "seconds of more than a float holds": with_test(seconds=10**400),
    "an outcome that is none": with_test(outcome=["passed"]),
    "a codec that is none": frames.pack({**GOOD, "targets": [[4, {}, [["plain"]]]]}, [b"x"]),
    "calls without end": frames.pack({**GOOD, "targets": [[float("inf"), {}, ["plain"]]]}, [b"x"]),
    "no exit": without("exit"),
    "a row too few": frames.pack({**GOOD, "targets": []}),
    "a row too many": frames.pack({**GOOD, "targets": [*GOOD["targets"], [0, {}, []]]}, [b"x"]),
    "no targets": without("targets"),
    "no folders": without("folders"),
    "folders that are none": frames.pack({**GOOD, "folders": 3}, [b"x"]),
    "an exit of its own": frames.pack({**GOOD, "exit": 3}, [b"x"]),
    "lost that is none": frames.pack({**GOOD, "targets": [[4, 3, ["plain"]]]}, [b"x"]),
    "lost by names": frames.pack({**GOOD, "targets": [[4, {"a": "b"}, ["plain"]]]}, [b"x"]),
    "calls that are none": frames.pack({**GOOD, "targets": [[None, {}, ["plain"]]]}, [b"x"]),
    "a target that is none": frames.pack({**GOOD, "targets": [7]}, [b"x"]),
    "codecs that are none": frames.pack({**GOOD, "targets": [[4, {}, 3]]}, [b"x"]),
    "an exit that is a list": frames.pack({**GOOD, "exit": []}, [b"x"]),
}


@pytest.mark.parametrize("name", BAD_REPORTS)
def test_a_report_that_is_none_means_that_nothing_passed(name):
    assert told(BAD_REPORTS[name]).broken  # and whoever reads it looks at that first


def test_a_line_without_end_that_a_test_run_prints_is_told_by_its_beginning():
    output = b"E " + b"x" * 4_000_000
    report = reports._read_report(ExecResult(Exited(1), output, b"", frames.pack({**GOOD, "exit": 4}, [b"x"]), 1.0), 1)
    assert 0 < len(report.broken) <= 1_000
    assert len(report.said) <= 1_000


def test_a_good_report_of_a_run_that_was_stopped_does_not_count():
    report = told(frames.pack(GOOD, [b"x"]), "seconds")
    assert (report.names("passed"), "seconds" in report.broken) == (set(), True)


def test_a_target_that_came_from_elsewhere_is_misconduct(tmp_path):
    """The worker's word on the file is compared with the tree; its absence is no excuse."""
    target = Target("m.py", "f", "m", ".", 1)
    judge = PythonProject(PythonHome(make_sandbox("none"), None, tmp_path), target)  # type: ignore[arg-type]
    for answer in ({}, {"file": "/elsewhere/m.py"}, {"file": f"{tmp_path}/m.pyc"}, {"file": None}):
        with worker(f"heard(); tell({answer!r})\nheard()") as one, pytest.raises(Misconduct):
            judge.load(one, Tree(tmp_path), 1)
