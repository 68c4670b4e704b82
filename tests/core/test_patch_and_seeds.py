"""Diffs of unusual files, digests of patches, and seeds."""

from __future__ import annotations

import subprocess

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from optagent.core.canonical import first_difference
from optagent.core.patch import EMPTY, Change, Patch
from optagent.core.seeds import derive
from optagent.core.target import is_inside
from optagent.core.workload import HELD_OUT_SETS, Input, Workload, distinct, split


def applied(folder, changes: tuple[Change, ...]) -> dict[str, str | None]:
    """The files after `git apply` of the diff, in a folder that held the old ones."""
    for change in changes:
        file = folder / change.path
        file.parent.mkdir(parents=True, exist_ok=True)
        if change.old is not None:
            file.write_bytes(change.old.encode("utf-8", "surrogateescape"))
    diff = Patch(changes).diff().encode("utf-8", "surrogateescape")
    done = subprocess.run(["git", "apply", "--whitespace=nowarn", "-"], cwd=folder, input=diff, capture_output=True)
    assert done.returncode == 0, done.stderr.decode() + diff.decode("utf-8", "replace")
    files = {change.path: folder / change.path for change in changes}
    return {
        path: file.read_bytes().decode("utf-8", "surrogateescape") if file.exists() else None
        for path, file in files.items()
    }


texts = st.text(st.sampled_from("ab \t\n\r\f\x0b\x1c\x85\u2028é\udce9\\-+@"), max_size=24)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.filter_too_much])
@given(texts, texts)
def test_git_gives_the_new_text_whatever_ends_its_lines(tmp_path_factory, old, new):
    """Form feeds, lone carriage returns and Unicode's line ends are no line ends for git, nor bytes that are no UTF-8."""
    if old != new:
        assert applied(tmp_path_factory.mktemp("d"), (Change("m.py", old, new),)) == {"m.py": new}


@pytest.mark.parametrize(
    ("old", "new"),
    [(None, ""), ("", None), (None, "a"), ("a", None), ("", "a\n"), ("a\n", ""), ("a", "a\n"), ("a\n", "a")],
)
def test_empty_new_and_deleted_files_are_diffs_too(tmp_path, old, new):
    assert applied(tmp_path, (Change("m.py", old, new),)) == {"m.py": new}


@pytest.mark.parametrize(
    "path", ["a b.py", "src/ü/é.py", "a\tb.py", 'quo"te.py', "back\\slash.py", "new\nline.py", "-rf.py"]
)
def test_any_name_of_a_file_survives_its_diff(tmp_path, path):
    assert applied(tmp_path, (Change(path, "a\n", "b\n"),)) == {path: "b\n"}
    assert applied(tmp_path / "new", (Change(path, None, "b\n"),)) == {path: "b\n"}


def test_several_files_make_one_diff(tmp_path):
    changes = (Change("a.py", "1\n", "2\n"), Change("d/b.py", None, "x"), Change("c.py", "gone\n", None))
    assert applied(tmp_path, changes) == {"a.py": "2\n", "d/b.py": "x", "c.py": None}


def test_no_change_is_no_diff():
    assert EMPTY.diff() == ""
    assert Patch((Change("m.py", "a\n", "a\n"),)).diff() == ""


@given(st.tuples(texts, texts, texts))
def test_a_digest_is_what_the_files_are_afterwards(three):
    old, other, new = three
    assert Patch((Change("m.py", old, new),)).digest == Patch((Change("m.py", other, new),)).digest
    assert Patch((Change("m.py", old, new),)).digest != Patch((Change("n.py", old, new),)).digest
    assert Patch((Change("m.py", old, new),)).digest != Patch((Change("m.py", old, new + "x"),)).digest
    assert Patch((Change("m.py", old, ""),)).digest != Patch((Change("m.py", old, None),)).digest


@given(st.integers(), st.lists(st.integers(0, 20) | st.sampled_from(["trial", "launch", "held-out"]), max_size=4))
def test_a_seed_depends_on_its_purpose_only_and_fits_everywhere(run_seed, purpose):
    seed = derive(run_seed, *purpose)
    assert seed == derive(run_seed, *purpose)
    assert 0 <= seed < 1 << 63
    assert seed != derive(run_seed + 1, *purpose)
    assert seed != derive(run_seed, *purpose, "more")


def test_seeds_of_neighbouring_trials_have_nothing_in_common():
    seeds = {derive(1, "trial", trial, "launch", launch) for trial in range(100) for launch in range(20)}
    assert len(seeds) == 2000
    assert 900 < sum(seed & 1 for seed in seeds) < 1100


@pytest.mark.parametrize("path", ["", ".", "..", "/a", "a/../../b", "../a"])
def test_a_path_that_leaves_its_folder_is_not_inside(path):
    assert not is_inside(path)


def test_an_input_is_known_by_its_bytes_and_codec_not_by_its_source():
    one, same, other = Input(b"x", "tests"), Input(b"x", "file"), Input(b"x", "tests", codec="pickle")
    assert one.digest == same.digest != other.digest
    assert distinct([one, same, other]) == [one, other]


def test_a_workload_knows_itself_by_content():
    workload = split([Input(bytes([k]), "tests" if k % 2 else "file") for k in range(20)])
    assert len(workload.held_out) == HELD_OUT_SETS
    assert workload.digest == Workload(workload.search, workload.held_out).digest
    assert workload.digest != Workload(workload.search[1:], workload.held_out).digest
    assert workload.digest != Workload(workload.search, workload.held_out, varied=(Input(b"x", "varied"),)).digest


@pytest.mark.parametrize(
    ("old", "new", "where"),
    [
        (b'["l","returned",1,["t"],["d"]]', b'["l","returned",true,["t"],["d"]]', "the result"),
        (b'["l","returned",["l",0],["t"],["d"]]', b'["l","returned",["l",false],["t"],["d"]]', "the result[0]"),
        (b'["l","returned",1,["t"],["d"]]', b'["l","raised",["x","E",["t"],"oh"],["t"],["d"]]', "the outcome"),
        (b'["l","returned",["d",["a",1]],["t"],["d"]]', b'["l","returned",["d",["b",1]],["t"],["d"]]', "the result (key 1)"),
        (b'["l","returned",["d",[1,1]],["t"],["d"]]', b'["l","returned",["d",[true,1]],["t"],["d"]]', "the result (key 1)"),
    ],
)  # fmt: skip
def test_what_python_calls_equal_is_told_apart_in_words(old, new, where):
    found = first_difference(old, new)
    assert found.where == where
    assert found.old != found.new


@given(st.integers(1, 3000), st.sampled_from([b"l", b"t", b"d", b"x", b"s"]))
@settings(deadline=None, max_examples=25)
def test_a_deep_result_is_told_in_one_short_line(depth, tag):
    def nested(leaf: bytes) -> bytes:
        return b'["l","returned",' + b'["' + tag + b'",' * 1 + (b'["' + tag + b'",') * depth + leaf + b"]" * (depth + 2)

    found = first_difference(nested(b"1"), nested(b"2"))
    assert len(found.old) <= 400
    assert "\n" not in found.old
