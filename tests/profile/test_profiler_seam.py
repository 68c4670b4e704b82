"""What every profiler owes the seam of profile/base.py: facts with units where it works, a note where it does not."""

import math
import re
from importlib.metadata import distributions

import pytest
from profile_samples import SOURCE, scene_of

from optagent.errors import BadSetting
from optagent.profile.base import Here
from optagent.profile.registry import PROFILERS, chosen, look

pytestmark = pytest.mark.slow

HERE = Here({one.metadata["Name"].lower(): one.version for one in distributions()})
each_profiler = pytest.mark.parametrize(
    "profiler",
    [pytest.param(one, id=one.name, marks=[pytest.mark.slow] if one.on_request else []) for one in PROFILERS],
)


def seen_by(profiler, scene, here=HERE):
    with scene:
        (found,) = look([profiler], scene, here, lambda stage: None)
    assert found.profiler is profiler
    return found.seen


@each_profiler
def test_it_gives_facts_with_units_or_a_note(profiler, make_repo, ours, sandbox):
    seen = seen_by(profiler, scene_of(make_repo, ours, sandbox))
    missing = profiler.missing(HERE)
    assert bool(seen.facts) == (missing is None)
    if missing is not None:
        assert seen.notes == (f"{profiler.name} is missing: {missing}",)
        assert missing.why
    for fact in seen.facts:
        assert fact.unit in profiler.units
        assert math.isfinite(fact.value)
        assert fact.value >= 0
        assert fact.count is None or fact.count > 0
        assert fact.name
        assert re.fullmatch(r"|[^\0]+:\d+|~:0", fact.place)
        assert "/optagent/" not in fact.place
    assert not seen.facts or max(fact.value for fact in seen.facts) > 0


@each_profiler
def test_its_facts_come_the_largest_of_a_unit_first(profiler, make_repo, ours, sandbox):
    facts = seen_by(profiler, scene_of(make_repo, ours, sandbox)).facts
    assert list(facts) == sorted(facts, key=lambda one: (one.unit, -one.value, one.place, one.name))


@each_profiler
def test_a_target_that_ends_its_worker_gives_a_note_and_spares_the_next(profiler, make_repo, ours, sandbox):
    dying = SOURCE.replace("    kept.sort()", "    import os\n    os._exit(3)")
    with scene_of(make_repo, ours, sandbox, dying) as scene:
        one, two = look([profiler, profiler], scene, HERE, lambda stage: None)
    for found in (one, two):
        assert not found.seen.facts
        assert len(found.seen.notes) == 1
        assert profiler.name in found.seen.notes[0]


@each_profiler
def test_a_target_that_raises_is_profiled_up_to_there(profiler, make_repo, ours, sandbox):
    raising = SOURCE.replace("    return kept", "    raise ValueError(len(kept))")
    seen = seen_by(profiler, scene_of(make_repo, ours, sandbox, raising))
    assert bool(seen.facts) == (profiler.missing(HERE) is None)


def test_without_names_all_that_need_not_be_asked_for_are_chosen_and_names_choose_any():
    assert chosen([]) == tuple(one for one in PROFILERS if not one.on_request)
    assert [chosen([one.name]) for one in PROFILERS] == [(one,) for one in PROFILERS]
    with pytest.raises(BadSetting, match="no profiler 'gdb'"):
        chosen(["cprofile", "gdb"])


def test_names_are_typed_once_and_say_what_they_are_and_in_which_unit():
    assert len({one.name for one in PROFILERS}) == len(PROFILERS)
    for one in PROFILERS:
        assert re.fullmatch(r"[a-z]+", one.name)
        assert one.units
        assert not one.says.endswith(".")
