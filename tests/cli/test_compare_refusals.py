"""What `compare` cannot compare is told in one sentence before anything is run, and nothing is left behind."""

from __future__ import annotations

import json
import tempfile

import pytest
from repositories import commit, everything, git, write

from optagent.cli.compare import Wanted, compare
from optagent.cli.run.judging import factor_of
from optagent.errors import (
    BadRevision,
    BadSetting,
    BadSource,
    BadWorkload,
    BaselineBroken,
    SignatureChanged,
    UsageError,
)
from optagent.errors import TargetNotFound as NotFound

pytestmark = pytest.mark.slow

ONE = "LIMIT = 3\n\n\ndef f(a):\n    return a\n\n\ndef g(a):\n    return a\n"
TESTS = "from m import f\n\n\ndef test_f():\n    assert f(1) == 1\n"


@pytest.fixture
def scratch(tmp_path, monkeypatch):
    """Where comparisons keep their trees while they last."""
    folder = tmp_path / "scratch"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    monkeypatch.setenv("OPTAGENT_STATE", str(tmp_path / "state"))
    return folder


@pytest.fixture
def repo(tmp_path, scratch):
    return commit(tmp_path / "repo", {"m.py": ONE, "tests/test_m.py": TESTS})


def second(repo, **changes):
    write(repo, {f"{name}.py": text for name, text in changes.items()})
    git(repo, "add", "-A")
    git(repo, "commit", "-q", "-m", "second")


def judge(first, *targets, new=None, base="HEAD~1", head="HEAD", slowdown="5%", as_json=False, **given):
    wanted = Wanted(new, base if new is None else None, head if new is None else None, slowdown)
    return compare(first, {"target": list(targets) or None, **given}, wanted, as_json)


def refused(fault, said, tmp_path, *words, **named):
    before = everything(tmp_path)
    with pytest.raises(fault, match=said) as raised:
        judge(*words, **named)
    after = everything(tmp_path)
    assert {name: row[3] for name, row in after.items()} == {name: row[3] for name, row in before.items()}
    assert "\n" not in raised.value.message
    return raised.value


@pytest.mark.parametrize(
    ("head", "targets", "fault", "said"),
    [
        (ONE, ["h"], NotFound, "there is no function 'h' in repo/"),
        (ONE + "\n\ndef h():\n    pass\n", ["h"], NotFound, "m:h is only in the head"),
        (ONE.replace("def f", "def h"), ["f"], NotFound, "m:f is only in the base"),
        (ONE.replace("f(a)", "f(a, b)"), ["f"], SignatureChanged, r"from \(a\) to \(a, b\)"),
        (ONE + "def bad(:\n", ["f"], BadSource, r"in the head \(.*\), m.py:10 is not valid Python"),
        (ONE + "\n\ndef h():\n    pass\n", [], NotFound, "no function that both sides have changed: not judged, new: m:h"),
        (ONE.replace("3", "4"), [], NotFound, "code outside of functions changed.*: m$"),
        (ONE.replace("f(a)", "f(a, b)"), [], NotFound, r"its signature changed from \(a\) to \(a, b\): m:f"),
    ],
)  # fmt: skip
def test_a_target_that_is_not_the_same_function_on_both_sides(repo, tmp_path, head, targets, fault, said):
    second(repo, m=head, other="x = 1\n")
    assert refused(fault, said, tmp_path, repo, *targets).exit_code == 2


@pytest.mark.parametrize(("base", "head"), [("nowhere", "HEAD"), ("HEAD", "nowhere"), ("HEAD", ""), ("HEAD~1", "HEAD")])
def test_revisions_that_are_none(repo, tmp_path, base, head):
    assert refused(BadRevision, "is no revision of", tmp_path, repo, "f", base=base, head=head).exit_code == 2


def test_a_folder_without_git(tmp_path, scratch):
    folder = tmp_path / "plain"
    write(folder, {"m.py": ONE})
    refused(BadRevision, "not in a git repository", tmp_path, folder, "f")


def test_a_folder_that_one_side_lacks(repo, tmp_path):
    second(repo, **{"sub/n": "x = 1\n"})
    refused(BadRevision, "there is no folder sub in HEAD~1", tmp_path, repo / "sub")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({"base": None}, "there have to be two revisions"),
        ({"head": None}, "there have to be two revisions"),
        ({"slowdown": "5"}, "--max-slowdown 5 means nothing"),
        ({"slowdown": "-5%"}, "--max-slowdown -5% means nothing"),
        ({"top": 3}, r"top is 3 \(--top\)"),
        ({"sandbox": "nonsense"}, "nonsense"),
    ],
)
def test_a_command_line_that_means_nothing(repo, tmp_path, words, said):
    assert refused(BadSetting, said, tmp_path, repo, **words).exit_code == 2


def test_a_workload_is_for_one_function(repo, tmp_path):
    write(tmp_path, {"w.py": "def make_inputs(size, rng):\n    return [(1,)]\n"})
    second(repo, m=ONE.replace("return a", "return +a"))
    named = {"workload": str(tmp_path / "w.py")}
    refused(BadSetting, "a workload is for one function, and 2 changed: m:f, m:g", tmp_path, repo, **named)
    refused(BadSetting, "a workload is for one function, and there are 2", tmp_path, repo, "f", "g", **named)


def test_two_files_that_cannot_be_compared(tmp_path, scratch):
    write(tmp_path, {"old.py": ONE, "new.py": ONE.replace("return a", "return +a"), "h.py": "def h():\n    pass\n"})
    write(tmp_path, {"wide.py": ONE.replace("f(a)", "f(a, b)")})
    old, new = tmp_path / "old.py", tmp_path / "new.py"
    refused(BadSetting, "there is no target", tmp_path, old, new=new)
    refused(UsageError, "there is no file", tmp_path, old, "f", new=tmp_path / "nowhere.py")
    refused(NotFound, "old:f is only in the base", tmp_path, old, "f", new=tmp_path / "h.py")
    refused(NotFound, "old:h is only in the head", tmp_path, old, "h", new=tmp_path / "h.py")
    refused(SignatureChanged, r"from \(a\) to \(a, b\)", tmp_path, old, "f", new=tmp_path / "wide.py")
    refused(BadSetting, "has nothing to be compared with", tmp_path, old, "f")
    refused(UsageError, "there is no file", tmp_path, old, "f", new=tmp_path)
    refused(NotFound, "there is no function 'nowhere'", tmp_path, old, "nowhere", new=new)
    with pytest.raises(BadSetting, match="two files have no --base and no --head"):
        compare(old, {"target": ["f"]}, Wanted(new, "HEAD", None, "5%"), False)
    assert refused(BaselineBroken, "have to come from you", tmp_path, old, "f", new=new).exit_code == 3


@pytest.mark.parametrize("broken", ["def f(a:\n", "# coding: no-such-code\n"])
def test_a_file_that_is_not_python_is_told_with_its_side(tmp_path, scratch, broken):
    write(tmp_path, {"old.py": ONE, "new.py": broken})
    old, new = tmp_path / "old.py", tmp_path / "new.py"
    refused(BadSource, r"in the head \(old.py to new.py\), old.py", tmp_path, old, "f", new=new)
    refused(BadSource, r"in the base \(new.py to old.py\), new.py", tmp_path, new, "f", new=old)


@pytest.mark.parametrize(
    ("workload", "said"),
    [
        (None, "there is no workload file"),
        ("x = 1\n", "defines no make_inputs"),
        ("x = (\n", "the workload file cannot be used"),
    ],
)
def test_two_files_with_a_workload_that_is_none(tmp_path, scratch, workload, said):
    write(tmp_path, {"old.py": ONE, "new.py": ONE.replace("return a", "return +a")})
    if workload is not None:
        write(tmp_path, {"w.py": workload})
    named = {"new": tmp_path / "new.py", "workload": str(tmp_path / "w.py")}
    assert refused(BadWorkload, said, tmp_path, tmp_path / "old.py", "f", **named).exit_code == 2


@pytest.mark.parametrize("head", [ONE, ONE.replace("return a", "return (a)  # the same")])
def test_the_same_code_is_equivalent_at_once_and_uncommitted_changes_are_told(repo, head, capsys):
    second(repo, m=head, **{"tests/test_more": ""})
    write(repo, {"m.py": "broken("})
    assert judge(repo) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("equivalent: the code is the same on both sides")
    assert "note: 1 uncommitted change is part of neither side (first: m.py)" in shown


def test_the_same_code_gives_a_document_too(repo, capsys):
    assert judge(repo, "f", base="HEAD", as_json=True) == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["verb"], said["outcome"], said["target"], said["error"]) == ("compare", "equivalent", "f", None)
    assert said["speedup"]["kind"] == "unmeasured"


def test_a_fault_gives_a_document_too(repo, capsys):
    assert judge(repo, "f", base="nowhere", as_json=True) == 2
    said = json.loads(capsys.readouterr().out)
    assert (said["verb"], said["outcome"], said["error"]["slug"]) == ("compare", "failed", "bad-revision")


def test_a_slowdown_is_a_percentage():
    assert factor_of("12.5%") == 1.125
    assert factor_of("0%") == 1.0
