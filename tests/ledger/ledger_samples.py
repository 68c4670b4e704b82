"""One of everything that a run writes, and strategies for the rest."""

from __future__ import annotations

from hypothesis import strategies as st

from optagent.core.advice import Advice
from optagent.core.goal import Spent
from optagent.core.outcome import Outcome
from optagent.core.patch import Candidate, Change, Patch
from optagent.core.target import Target
from optagent.core.verdict import (
    CannotCompare,
    Difference,
    Evidence,
    Faster,
    Inconclusive,
    Incorrect,
    Rejected,
    Slower,
    Speedup,
)
from optagent.ledger.events import (
    Applied,
    Asked,
    BaselineTaken,
    Called,
    CallFailed,
    Claimed,
    Compared,
    Decided,
    LaunchTimes,
    Measured,
    Replied,
    Resumed,
    RunEnded,
    RunStarted,
    Screened,
    Stage,
    StoredInput,
    Tested,
    Undone,
)

SPEEDUP = Speedup(2.0, 1.9, 2.1, 0.95, 40, 5, 0.01, "cpu", 0.2, 0.1, 1.98)
EVIDENCE = Evidence(3, 20, 6, Difference("call 2", "[1]", "[2]"))
FASTER = Faster(SPEEDUP, EVIDENCE)
CANDIDATE = Candidate(
    Patch((Change("pkg/m.py", "a\r\n\udcff", "\ufeffb"), Change("n.py", None, "\U0001f600"))), "rules", "x"
)
STARTED = RunStarted(
    "run",
    "/repo",
    "f",
    Target("pkg/m.py", "C.f", "pkg.m", ".", 3, "classmethod", is_async=True, is_generator=True),
    7,
    "0.1.0",
    "ab" * 32,
    {"speedup": None},
    {"cpu": "x"},
)
BASELINE = BaselineTaken(
    ("t.py::a",),
    ("t.py::b",),
    (StoredInput("ab" * 32, "captured", "plain"),),
    ((StoredInput("cd" * 32, "workload file", "pickle"),), ()),
    0.004,
    (("x", ("int", "str")),),
    {"hot": [["m.py", 3, 0.5]]},
    Spent(2.0),
    {"anything": [1, None, {"a": 0.5}]},
)
STAGES: list[Stage] = [
    STARTED,
    BASELINE,
    Asked(CANDIDATE),
    Asked(CANDIDATE, Rejected("unusable answer", "prose")),
    Asked(Candidate(Patch(()), "model/gpt", "x", "ab" * 32, Advice("scan", "use a set", 2.5, "repair"))),
    Called("judge", 0, "gpt", (("user", "why?"),), "0a1b", Spent(0.0, 0, 0.5, 900)),
    CallFailed("hung up", Spent(0.0, 0, 0.5, 900)),
    Replied("as it came", "gpt", Spent(1.0, 0, 0.5, 100)),
    Replied("as it came", "gpt", Spent(1.0, 0, 0.0, 100), "judge", 1, 70, 30, 5, "length", False),
    Screened(),
    Screened(Rejected("scope", "edits a test")),
    Tested(3, ("t.py::a",)),
    Compared(EVIDENCE),
    Measured(SPEEDUP),
    Decided(FASTER, Spent(3.0, 1)),
    Measured(SPEEDUP, (LaunchTimes(2.0, 1.0, 2.5, 1.25),)),
    Claimed(FASTER, 0, Spent(1.0)),
    Claimed(FASTER, 0, Spent(1.0), {"seconds": 2.0, "steal": None}, (LaunchTimes(2.0, 1.0, 2.5, 1.25),), {"aslr": "x"}),
    RunEnded(Outcome.FASTER, 1, {"seconds": 3}),
    Resumed("0.1.0", {"cpu": "y"}, {"max_usd": 2.0}),
    Applied(("pkg/m.py", "n.py")),
    Applied(("pkg/m.py",), "fast", "ab" * 20),
    Undone(("pkg/m.py", "n.py")),
]

TEXT = st.text(st.characters(exclude_categories=()), max_size=20)  # halves of surrogate pairs too
COUNT = st.integers(0, 2**53)
FLOAT = st.floats(allow_nan=False)
SPEEDUPS = st.builds(
    Speedup,
    FLOAT,
    FLOAT,
    FLOAT,
    FLOAT,
    COUNT,
    COUNT,
    FLOAT,
    st.sampled_from(["cpu", "wall"]),
    FLOAT,
    FLOAT,
    FLOAT,
    st.booleans(),
)
EVIDENCES = st.builds(Evidence, COUNT, COUNT, COUNT, st.none() | st.builds(Difference, TEXT, TEXT, TEXT))
VERDICTS = st.one_of(
    st.builds(Rejected, TEXT, TEXT),
    st.builds(Incorrect, EVIDENCES, TEXT),
    st.builds(CannotCompare, TEXT),
    st.builds(Slower, SPEEDUPS, EVIDENCES),
    st.builds(Inconclusive, TEXT, EVIDENCES, st.none() | SPEEDUPS),
    st.builds(Faster, SPEEDUPS, EVIDENCES),
)
CHANGES = st.builds(Change, TEXT, st.none() | TEXT, st.none() | TEXT)
CANDIDATES = st.builds(Candidate, st.builds(Patch, st.lists(CHANGES, max_size=3).map(tuple)), TEXT, TEXT, TEXT)
SPENT = st.builds(Spent, FLOAT, COUNT, FLOAT, COUNT)
