"""The verb `profile` on an example: facts with units, as text and as one document; nothing is kept."""

import json
import os
import shutil
from pathlib import Path

import pytest
from typed import typed

EXAMPLE = Path(__file__).parents[2] / "examples" / "topk_router"


@pytest.fixture
def profiled(tmp_path):
    copy = shutil.copytree(EXAMPLE, tmp_path / "topk_router")

    def run(*words):
        options = ["--target", "route_tokens", "--state", str(tmp_path / "state"), *words]
        return typed(["profile", str(copy), *options], os.environ)

    return run


@pytest.mark.slow
def test_an_example_is_profiled_with_everything_quick_and_leaves_nothing(profiled, tmp_path):
    done = profiled("--json", "--workload", str(EXAMPLE / "workload.py"))
    assert (done.returncode, done.stderr) == (0, "")
    found = json.loads(done.stdout)
    assert (found["verb"], found["target"]) == ("profile", "router.gating:route_tokens")
    by_name = {one["name"]: one for one in found["profilers"]}
    assert {one["name"] for one in by_name["cprofile"]["facts"]} >= {"route_tokens", "gate_weights"}
    assert all(one["unit"] == "s" and one["count"] > 0 for one in by_name["lines"]["facts"])
    assert all(one["facts"] or one["notes"] for one in found["profilers"])
    assert not list((tmp_path / "state").glob("**/runs/*"))


@pytest.mark.slow
def test_for_people_it_is_one_line_a_fact(profiled):
    done = profiled("--profiler", "lines")
    assert done.returncode == 0
    assert "lines: seconds in each line of the target" in done.stdout
    assert "cprofile" not in done.stdout
    assert "router/gating.py:53" in done.stdout


def test_a_profiler_that_nobody_knows_is_refused_with_the_list(profiled):
    done = profiled("--profiler", "gdb")
    assert done.returncode == 2
    assert "cprofile, lines" in done.stderr
