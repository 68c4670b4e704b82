"""callgrind: its files as they are written, and counts of a target that come again."""

from pathlib import Path

import pytest
from profile_samples import scene_of

from optagent.profile.base import Here
from optagent.profile.callgrind import PASS, Callgrind
from optagent.profile.registry import look

TOOLBOX = Path(__file__).parents[2] / "optagent" / "languages" / "python" / "toolbox"
RECORDED = """# callgrind format
version: 1
creator: callgrind-3.19.0
pid: 13241
part: 2

desc: Trigger: --dump-before=getloadavg

positions: line
events: Ir
summary: 1850

ob=(3) /usr/bin/python3.11
fl=(30) ceval.c
fn=(100) _PyEval_EvalFrameDefault
0 700
+3 100
cfi=(31) longobject.c
cfn=(101) long_add
calls=5 0
+1 600
* 50

fl=(31)
fn=(101)
0 600

fn=(102) _PyEval_EvalFrameDefault
-4 400

totals: 1850
"""


def test_a_file_of_callgrinds_is_read_without_counting_calls_twice(monkeypatch):
    monkeypatch.syspath_prepend(TOOLBOX)
    import optagent_instructions

    total, own = optagent_instructions.read(RECORDED.splitlines(keepends=True))
    assert total == 1850
    assert own == [("_PyEval_EvalFrameDefault", 1250), ("long_add", 600)]
    assert sum(count for _, count in own) == total


def test_without_valgrind_it_says_what_to_type(monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    missing = Callgrind().missing(Here({}))
    assert missing is not None
    assert "apt-get install valgrind" in missing.remedy


def test_a_valgrind_that_no_sandbox_shows_is_no_valgrind(tmp_path, monkeypatch):
    (tmp_path / "valgrind").write_text("#!/bin/sh\n")
    (tmp_path / "valgrind").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    missing = Callgrind().missing(Here({}))
    assert missing is not None
    assert str(tmp_path) in missing.why


@pytest.mark.slow
def test_the_same_pass_takes_the_same_instructions_and_twice_the_work_takes_more(make_repo, ours, sandbox):
    if missing := Callgrind().missing(Here({})):
        pytest.skip(str(missing))

    def count(times: int) -> float:
        source = f"def work(n):\n    return sum(range({times} * n))\n"
        with scene_of(make_repo, ours, sandbox, source) as scene:
            (found,) = look([Callgrind()], scene, Here({}), lambda stage: None)
        (whole,) = (one for one in found.seen.facts if one.name == PASS)
        assert whole == found.seen.facts[0]
        return whole.value

    once, again, more = count(20), count(20), count(40)
    assert abs(once - again) < 0.01 * once
    assert 1.5 < more / once < 2.5
