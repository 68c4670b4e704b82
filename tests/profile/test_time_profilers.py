"""cProfile and line timings, and what a run takes of them for its Judge."""

import hashlib

import pytest
from profile_samples import SOURCE, WORK, scene_of

from optagent.languages.python.project import PythonProject
from optagent.profile import facts
from optagent.profile.base import Here
from optagent.profile.cprofile import CProfile
from optagent.profile.lines import Lines


@pytest.fixture
def scene(make_repo, ours, sandbox):
    with scene_of(make_repo, ours, sandbox) as made:
        yield made


def test_functions_come_with_calls_and_the_time_of_what_they_call(scene):
    by_name = {one.name: one for one in CProfile().profile(scene, Here({})).facts}
    assert by_name["square"].count == 5000
    assert by_name["work"].place == f"m.py:{WORK}"
    assert by_name["work"].with_callees >= by_name["square"].value + by_name["work"].value
    assert all(one.unit == "s" for one in by_name.values())


def test_functions_of_ours_are_not_among_them(scene):
    names = {one.name for one in CProfile().profile(scene, Here({})).facts}
    assert not names & {"run_block", "rows", "unpack", "finish"}


def test_lines_come_with_visits(scene):
    by_place = {one.place: one for one in Lines().profile(scene, Here({})).facts}
    assert by_place[f"m.py:{WORK + 2}"].count == 2
    assert set(by_place) == {f"m.py:{WORK + k}" for k in (1, 2, 3)}


def test_a_target_that_is_not_in_python_has_no_lines_and_a_note_says_so(make_repo, ours, sandbox):
    with scene_of(make_repo, ours, sandbox, "def work(n):\n    return n\nfrom math import sqrt as work\n") as scene:
        seen = Lines().profile(scene, Here({}))
    assert not seen.facts
    assert "no lines of Python" in seen.notes[0]


def test_a_target_whose_environment_is_not_known_has_neither():
    assert CProfile().missing(Here(None))
    assert Lines().missing(Here(None))


def test_what_a_run_takes_is_of_this_source_and_costs_one_worker(scene, monkeypatch):
    starts = []
    real = PythonProject.contestant
    monkeypatch.setattr(PythonProject, "contestant", lambda *args: starts.append(1) or real(*args))
    profile = facts.take(scene.project, scene.tree, scene.inputs, 20)
    assert len(starts) == 1
    assert profile.source == hashlib.sha256(SOURCE.encode()).hexdigest()
    assert profile.note == ""
    assert {"work", "square"} <= {one.name for one in profile.functions}
    assert sum(one.share for one in profile.lines) == pytest.approx(1)
