"""A command in its sandbox: what it sees, what counts of what it did, and what it cannot get away with."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import time
from dataclasses import replace

import pytest
from command_samples import INPUTS, answers, maker, need_compiler, project_in, written
from suites import suite_of

from optagent.core.canonical import first_difference
from optagent.core.patch import Change, Patch
from optagent.core.target import Tree
from optagent.core.verdict import Evidence, Inconclusive, Incorrect, Rejected
from optagent.errors import BadSetting, BadWorkload, BaselineBroken
from optagent.languages.command.cost import empty_command_s
from optagent.languages.command.files import UnfitName, lay
from optagent.languages.command.inputs import read_inputs, workload
from optagent.languages.command.project import command_target
from optagent.languages.contestant import REFERENCE, Misconduct, Uncomparable
from optagent.measure.launch import Race, launch
from optagent.measure.speed import measure_noise
from optagent.profile import facts
from optagent.verify.suite import broken_test

pytestmark = pytest.mark.slow

CORE = max(os.sched_getaffinity(0))
C_TOOL = """
#include <stdio.h>
int main(void) { long sum = 0, one; while (scanf("%ld", &one) == 1) sum += one; printf("%ld\\n", sum); return 0; }
"""
C_TOML = 'build = "cc -O1 -o tool tool.c"\n'


@pytest.fixture
def make(make_repo):
    return maker(make_repo)


# what it is given and what counts of what it did


def test_standard_input_is_the_input_and_standard_output_the_result(make):
    assert [written(one) for one in answers(*make("sort -n"))] == ["1\n3\n", "2\n5\n9\n"]


def test_a_file_to_read_has_its_own_name_and_a_file_to_write_is_compared(make):
    project, tree = make('sort -n "$1" > "$2"; basename "$1"; wc -c')
    project = replace(project, settings=replace(project.settings, run=("sh", "run.sh", "{input}", "{output}")))
    got = answers(project, tree)
    assert [written(one, "output file") for one in got] == ["1\n3\n", "2\n5\n9\n"]
    assert [written(one) for one in got] == ["a.txt\n0\n", "b.txt\n0\n"]


def test_how_it_ends_is_data(make):
    got = answers(*make("read x; case $x in 3) exit 7;; *) kill -SEGV $$;; esac"))
    assert [written(one, "ending") for one in got] == ["exit 7", "signal 11 (SIGSEGV)"]


def test_standard_error_does_not_count_and_a_missing_output_file_is_none(make):
    project, tree = make('echo "$$" >&2; echo same')
    project = replace(project, settings=replace(project.settings, run=("sh", "run.sh", "{output}")))
    first, second = (answers(project, tree)[0] for _ in range(2))
    assert first == second
    assert written(first, "output file") is None


@pytest.mark.parametrize("what", ["mkdir", "mkfifo", "ln -s /etc/passwd"])
def test_an_output_that_is_no_regular_file_is_said_to_be_none(make, what):
    project, tree = make(f'{what} "$1"')
    project = replace(project, settings=replace(project.settings, run=("sh", "run.sh", "{output}")))
    assert written(answers(project, tree)[0], "output file").startswith("no ")


def test_whitespace_can_be_told_apart_or_not(make):
    exact, tree = make("printf 'a  b \\n\\nc\\n'")
    other, other_tree = make("printf 'a b\\nc'")
    assert answers(exact, tree)[0] != answers(other, other_tree)[0]
    loose = [replace(one, settings=replace(one.settings, compare="whitespace")) for one in (exact, other)]
    assert answers(loose[0], tree)[0] == answers(loose[1], other_tree)[0]
    third, third_tree = make("printf 'a b c'")
    third = replace(third, settings=replace(third.settings, compare="whitespace"))
    assert answers(third, third_tree)[0] != answers(loose[0], tree)[0]


def test_bytes_that_are_no_text_are_compared_as_bytes(make):
    one, two = (answers(*make(f"printf '{text}'"))[0] for text in ("\\\\377", "\\\\376"))
    assert one != two
    assert first_difference(one, two).where == "line 1 of the standard output"


@pytest.mark.parametrize(
    ("old", "new", "where", "shown"),
    [
        ("printf '1\\n2\\n3\\n'", "printf '1\\n4\\n3\\n'", "line 2 of the standard output", ("'2'", "'4'")),
        ("printf '1\\n2'", "printf '1'", "line 2 of the standard output", ("'2'", "no line")),
        ("exit 1", "exit 2", "the ending", ("'exit 1'", "'exit 2'")),
        ("echo x > $1", "true", "the output file", ("list of 2: ['x', '']", "None")),
    ],
)
def test_a_difference_is_told_by_line(make, old, new, where, shown):
    words = ("sh", "run.sh", "{output}")
    both = [(replace(one, settings=replace(one.settings, run=words)), tree) for one, tree in (make(old), make(new))]
    found = first_difference(*(answers(*one)[0] for one in both))
    assert (found.where, (found.old, found.new)) == (where, shown)


def test_more_output_than_can_be_compared_is_named_not_equal(make):
    with pytest.raises(Uncomparable, match="more than 64 MiB"):
        answers(*make("head -c 70000000 /dev/zero"))


# what it can see and leave


def test_neither_inputs_nor_hidden_files_are_there_for_the_command_or_the_build(make):
    look = "find . -type f | sort > seen"
    project, tree = make("cat seen; find . -type f | sort", {"tests/golden/a.txt": "1", "build.sh": look},
                         'build = "sh build.sh"\n')  # fmt: skip
    seen = written(answers(project, tree)[0]).split()
    assert seen.count("./run.sh") == 2  # the build saw it, and so did the command
    assert not [name for name in seen if "golden" in name or name.startswith("./in/")]


def test_more_sources_than_a_word_of_a_command_line_holds_are_built(make):
    many = {f"{'x' * 200}{k}.c": "true\n" for k in range(800)}
    project, tree = make("cat seen", {**many, "build.sh": "ls x*.c | wc -l > seen"}, 'build = "sh build.sh"\n')
    assert written(answers(project, tree)[0]).split() == ["800"]


def test_an_answer_that_lies_beside_the_program_cannot_be_read(make):
    cheat = 'cat "tests/golden/$(basename "$1")" 2>/dev/null || sort -n "$1"'
    project, tree = make(cheat, {"tests/golden/a.txt": "cheated\n"}, 'tests = "cat tests/golden/a.txt"\n')
    project = replace(project, settings=replace(project.settings, run=("sh", "run.sh", "{input}")))
    assert written(answers(project, tree)[0]) == "1\n3\n"
    assert project.run_tests(tree, None).names("passed")  # the tests do see it


NOTES = {
    "in the folder for temporary files": "f=$TMPDIR/note",
    "in shared memory": "f=/dev/shm/note",
    "beside its output": 'f="$1".note',
    "in its home, in a folder that nobody may enter": "d=~/dark; mkdir -p $d; f=$d/note; trap 'chmod 0 $d' EXIT",
}


@pytest.mark.parametrize("place", NOTES)
def test_what_one_call_writes_down_no_later_call_finds(make, place):
    project, tree = make(f'{NOTES[place]}; cat "$f" 2>/dev/null || echo nothing; echo something > "$f"')
    project = replace(project, settings=replace(project.settings, run=("sh", "run.sh", "{output}")))
    given = read_inputs(tree, project.settings)
    with project.contestant(tree, 1, 20) as one:
        project.load(one, tree, 1)
        one.keep([each.data for each in given])
        for _ in range(2):
            one.prepare([0, 1], 2)
            one.lap()
            assert {written(each) for each in one.collect()[:-1]} == {"nothing\n"}


def test_marks_on_folders_keep_no_note(make):
    note = (
        "import os\n"
        "for folder in ('/tmp', '/dev/shm', '/tmp/tree', '/proc/1'):\n"
        "    print(os.listxattr(folder), oct(os.stat(folder).st_mode), os.stat(folder).st_atime_ns == 77)\n"
        "    for leave in (lambda: os.setxattr(folder, 'user.note', b'x'), lambda: os.chmod(folder, 0o1771),\n"
        "                  lambda: os.utime(folder, ns=(77, 77))):\n"
        "        try: leave()\n"
        "        except OSError: pass\n"
    )
    first, second = answers(*make(f'{sys.executable} -S -c "{note}"'))
    assert first == second
    assert written(first).count("[]") == 4


def test_first_calls_are_special_only_where_a_note_could_be_left(make):
    for rung in ("bwrap", "none"):
        project, tree = make("cat", rung=rung)
        with project.contestant(tree, 1, 20) as one:
            project.load(one, tree, 1)
            assert one.forgets == (rung == "bwrap" and os.geteuid() == 0)


def test_the_tree_is_read_only_and_the_same_for_both_sides(make):
    project, tree = make("echo x >> run.sh || echo refused; pwd; env | sort")
    one, two = (answers(project, tree) for _ in range(2))
    assert "refused" in written(one[0])
    assert one == two
    assert "OPTAGENT" not in written(one[0])


def test_a_shell_with_children_and_pipes_works(make):
    got = answers(*make("sort -n | tee /tmp/copy | (cat; wc -l) ; wait; (sleep 0.05; echo late) & echo early"))
    assert written(got[0]) == "1\n3\n0\nearly\nlate\n"


DAEMONS = {
    "in the background": "sleep 30 & echo done",
    "in a session of its own": "setsid sleep 30 & echo done",
    "orphaned twice": "(setsid sh -c 'sleep 30 & exit 0' &) ; echo done",
    "stopped": "sleep 30 & kill -STOP $!; echo done",
}


QUICK = "orphaned twice"  # the one that is hardest to see; the others run with the slow tests


@pytest.mark.parametrize(
    "way", [QUICK, *(pytest.param(one, marks=pytest.mark.slow) for one in DAEMONS if one != QUICK)]
)
def test_a_process_left_behind_is_rejected(make, way):
    project, tree = make(DAEMONS[way])
    with pytest.raises(Misconduct, match="still running") as caught:
        answers(project, tree)
    assert isinstance(caught.value.verdict(Evidence()), Rejected)
    race = Race(project, tree, tree, tuple(read_inputs(tree, project.settings)), CORE, 0.01, 20)
    with pytest.raises(Misconduct, match="still running") as caught:
        launch(race, 1)
    assert caught.value.name in (REFERENCE, "candidate")


def test_the_process_that_starts_it_is_out_of_its_reach(make):
    look = 'for f in environ mem maps fd/0 fd/3 fd/4; do cat /proc/$PPID/$f >/dev/null 2>&1 && echo "$f is open"; done;'
    assert written(answers(*make(look + "echo end"))[0]) == "end\n"


def test_killing_the_process_that_starts_it_is_its_own_loss(make):
    with pytest.raises(Misconduct, match="the process ended") as caught:
        answers(*make("kill -9 $PPID; sleep 5"))
    assert isinstance(caught.value.verdict(Evidence()), Incorrect)


@pytest.mark.skipif(shutil.which("prlimit") is None, reason="no prlimit")
def test_a_note_left_in_the_limits_of_who_starts_it_is_rejected(make):
    with pytest.raises(Misconduct, match="changed the limits") as caught:
        answers(*make("prlimit --pid $PPID --core=0:0 --stack=7777777:"))
    assert isinstance(caught.value.verdict(Evidence()), Rejected)


def test_it_stays_on_its_core_at_its_priority_and_has_no_network(make):
    got = answers(
        *make("taskset -c 0 true || echo no core; nice -n -5 true 2>&1 | head -1; renice 5 $$ || echo no nice")
    )
    said = written(got[0])
    assert "no core" in said
    assert "no nice" in said


def test_a_hang_is_misconduct_and_closing_leaves_nothing(make):
    project, tree = make("sleep 60")
    given = read_inputs(tree, project.settings)
    with project.contestant(tree, 1, 0.5) as one:
        project.load(one, tree, 1)
        one.keep([each.data for each in given])
        with pytest.raises(Misconduct, match="no answer"):
            one.call([0])


def test_a_program_that_is_not_there_is_told(make):
    project, tree = make("")
    project = replace(project, settings=replace(project.settings, run=("./nothing",)))
    with pytest.raises(Misconduct, match=r"there is no program \./nothing") as caught:
        answers(project, tree)
    assert "does not start" in caught.value.verdict(Evidence()).reason


def test_a_file_that_is_no_program_is_told_as_its_ending(make):
    project, tree = make("")
    project = replace(project, settings=replace(project.settings, run=("./run.sh",)))
    assert written(answers(project, tree)[0], "ending").startswith("no start: Permission denied")


# building


def c_project(make, source: str = C_TOOL, **more):
    need_compiler()
    project, tree = make("./tool", {"tool.c": source, **more.pop("files", {})}, more.pop("toml", C_TOML))
    return project, tree


def test_a_program_is_built_from_the_tree_and_the_tree_is_not_touched(make):
    project, tree = c_project(make)
    assert [written(one) for one in answers(project, tree)] == ["4\n", "16\n"]
    assert not (tree.root / "tool").exists()


def test_a_stale_program_in_the_tree_is_built_anew(make):
    project, tree = c_project(make, files={"tool": "#!/bin/sh\necho stale\n", "Makefile": "tool: tool.c\n\tcc -o $@ $<\n"},
                              toml='build = "make"\n')  # fmt: skip
    os.chmod(tree.root / "tool", 0o755)
    assert written(answers(project, tree)[0]) == "4\n"


def test_the_same_content_is_built_once_and_other_content_again(make, monkeypatch):
    project, tree = c_project(make)
    answers(project, tree)
    (first,) = project.builds.iterdir()
    stamp = first.stat().st_ctime_ns
    answers(project, tree)
    assert [one.stat().st_ctime_ns for one in project.builds.iterdir()] == [stamp]
    (tree.root / "tool.c").write_text(C_TOOL.replace("sum += one", "sum -= one"))
    assert written(answers(project, tree)[0]) == "-4\n"
    assert len(list(project.builds.iterdir())) == 2


def test_what_does_not_build_is_told_with_the_compilers_line(make):
    project, tree = c_project(make, C_TOOL.replace("return 0", "retrun 0"))
    with pytest.raises(Misconduct, match=r"tool\.c:3:\d+: error:") as caught:
        project.contestant(tree, 1, 20)
    verdict = caught.value.verdict(Evidence())
    assert isinstance(verdict, Incorrect)
    assert verdict.reason.startswith("does not build: tool.c:3")
    with pytest.raises(Misconduct) as caught:
        project.contestant(tree, 1, 20, REFERENCE)
    assert isinstance(caught.value.verdict(Evidence()), Inconclusive)
    assert not list(project.builds.iterdir())


def test_tests_of_what_does_not_build_are_broken(make):
    project, tree = c_project(make, "nonsense", toml=C_TOML + 'tests = "true"\n')
    report = project.run_tests(tree, None)
    assert report.broken.startswith("does not build: tool.c:1")
    with pytest.raises(BaselineBroken, match="does not build"):
        suite_of(project, tree)


def test_a_build_that_hangs_is_stopped(make):
    project, tree = c_project(make, toml='build = "sleep 60"\ntimeout = 0.5\n')
    with pytest.raises(Misconduct, match="stopped at its limit of seconds"):
        project.contestant(tree, 1, 20)


def test_an_answer_cannot_be_compiled_in(make):
    cheat = '#include <stdio.h>\nconst char *answer =\n#include "tests/answer.h"\n;int main(void){puts(answer);}\n'
    project, tree = c_project(make, cheat, files={"tests/answer.h": '"4"\n'})
    with pytest.raises(Misconduct, match=r"tests/answer\.h: No such file"):
        project.contestant(tree, 1, 20)


def test_what_a_build_writes_through_a_link_of_the_tree_stays_inside(make, tmp_path):
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside").chmod(0o777)
    project, tree = make(
        "cat out/x", {"build.sh": "echo new > out/x; ln -s run.sh other; true"}, 'build = "sh build.sh"\n'
    )
    (tree.root / "out").symlink_to(tmp_path / "outside")
    answers(project, tree)
    assert list((tmp_path / "outside").iterdir()) == []
    built = project._built(tree, "candidate")
    assert (built.root / "other").read_text() == (tree.root / "run.sh").read_text()
    assert not (built.root / "other").is_symlink()


@pytest.mark.parametrize("name", ["../x", "/tmp/x", "a/../../x", "link/x", "file/x", "folder", "nul\0", ""])
def test_a_report_that_names_what_it_should_not_is_refused(tmp_path, name):
    root, outside = tmp_path / "root", tmp_path / "outside"
    for folder in (root / "folder", outside):
        folder.mkdir(parents=True)
    (root / "file").write_text("")
    (root / "link").symlink_to(outside)
    with pytest.raises(UnfitName):
        lay(root, {name: (b"bad", False)})
    assert list(outside.iterdir()) == []
    assert sorted(one.name for one in tmp_path.iterdir()) == ["outside", "root"]


def test_a_link_in_the_place_of_a_built_file_is_replaced_not_followed(tmp_path):
    (tmp_path / "secret").write_text("secret")
    (tmp_path / "root").mkdir()
    (tmp_path / "root" / "tool").symlink_to(tmp_path / "secret")
    lay(tmp_path / "root", {"tool": (b"new", True)})
    assert (tmp_path / "secret").read_text() == "secret"
    assert (tmp_path / "root" / "tool").read_text() == "new"


# the project's own tests


def test_the_test_command_is_one_test_that_passes_or_not(make):
    project, tree = c_project(make, files={"tests/one.txt": "20 22"},
                              toml=C_TOML + 'tests = ["sh", "-c", "test $(./tool < tests/one.txt) = 42"]\n')  # fmt: skip
    suite = suite_of(project, tree)
    assert len(suite.reaching) == 1
    assert suite.reaching == suite.passing
    assert broken_test(project, tree, suite, suite.passing) is None
    (tree.root / "tool.c").write_text(C_TOOL.replace("sum += one", "sum -= one"))
    assert broken_test(project, tree, suite, suite.passing) is not None


def test_a_build_cannot_rewrite_the_tests(make):
    build = "sed -i s/exit.1/exit\\ 0/ check.sh; echo made > made"
    project, tree = make("true", {"build.sh": build, "check.sh": "cat made && exit 1"},
                         'build = "sh build.sh"\ntests = "sh check.sh"\n')  # fmt: skip
    assert project.run_tests(tree, None).names("failed")


def test_a_project_without_a_test_command_has_no_tests(make):
    project, tree = make("true")
    assert project.run_tests(tree, None).tests == ()


def test_tests_that_hang_are_stopped(make):
    project, tree = make("true", toml='tests = "sleep 60"\n')
    assert "limit of seconds" in project.run_tests(tree, None, seconds=0.5).broken


# what it is run on


def test_the_files_are_the_inputs_and_some_are_held_out(make):
    project, tree = make("wc -c", inputs={f"in/{n}.txt": "x" * n for n in range(1, 11)})
    made = workload(project, tree, 20)
    assert len(made.search) == 7
    assert [len(held) for held in made.held_out] == [2, 1]
    assert {one.source for one in (*made.search, *made.held_out[0], *made.held_out[1])} == {"input files"}


def test_inputs_that_are_too_few_too_alike_or_fail_are_told(make):
    with pytest.raises(BadSetting, match=r"mean 1 distinct file"):
        workload(*make("cat", inputs={"in/a": "1"}), 20)
    with pytest.raises(BaselineBroken, match=r"ends with exit 3 on a\.txt: sorry"):
        workload(*make("echo sorry >&2; exit 3"), 20)
    with pytest.raises(BaselineBroken, match="the same on all 2 inputs"):
        workload(*make("echo same"), 20)
    assert workload(*make("cat; exit 3", toml="exits = [0, 3]\n"), 20).search


def test_a_python_workload_file_is_refused(make, tmp_path):
    project, tree = make("true")
    with pytest.raises(BadWorkload, match=r"w\.py cannot be used"):
        project.contestant(tree, 1, 20, workload=tmp_path / "w.py")


def test_the_target_reads_well_and_stands_at_a_file_that_may_be_edited(make):
    project, tree = c_project(make)
    assert (str(project.target), project.target.path) == ("command:sh", "run.sh")
    named = replace(project.settings, scope=("*.c",), name="summing")
    assert str(command_target(tree, named)) == "command:summing"
    assert command_target(tree, named).path == "tool.c"
    with pytest.raises(BadSetting, match=r"`scope` \(nowhere/\*\) means no file"):
        command_target(tree, replace(project.settings, scope=("nowhere/*",)))


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ([("run.sh", "a", "b")], None),
        ([("run.sh", "a", "a")], "changes nothing"),
        ([], "changes nothing"),
        ([("Makefile", "a", "b")], "edits Makefile, which is outside the scope"),
        ([("in/a.txt", "a", "b")], "outside the scope"),
        ([("tests/a.c", "a", "b")], "outside the scope"),
        ([("new.c", None, "b")], "deletes or creates"),
        ([("run.sh", "a", None)], "deletes or creates"),
        ([("run.sh", "a", "b"), ("run.sh", "a", "c")], "twice"),
    ],
)
def test_patches_may_edit_files_in_scope_only(make, changes, fault):
    project, _ = make("true")
    project = replace(project, settings=replace(project.settings, scope=("run.sh", "**/*.c", "in/*")))
    said = project.scope_fault(Patch(tuple(Change(*one) for one in changes)))
    assert said is None if fault is None else fault in said


def test_a_project_in_a_folder_of_its_repository_is_run_there(make_repo):
    toml = '[command]\nrun = "sh run.sh"\ninputs = "in/*"\nscope = "**"\n'
    files = {"optagent.toml": toml, "run.sh": "ls *.*; ls ../*.c; ls ../in; cat", **INPUTS}
    root = make_repo({**{f"tree/sub/{name}": text for name, text in files.items()}, "tree/a.c": "", "tree/in/x": ""})
    (root / "tree").chmod(0o755)
    tree = Tree(root / "tree", "sub")
    project = project_in(tree, root / "work")
    assert project.target.path == "sub/optagent.toml"
    assert written(answers(project, tree)[0]).split() == ["optagent.toml", "run.sh", "../a.c", "x", "3", "1"]
    assert project.scope_fault(Patch((Change("a.c", "", "x"),))) is not None
    assert project.scope_fault(Patch((Change("sub/run.sh", "", "x"),))) is None


# clocks and accounts


BUSY = "i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done; wc -c"


def race_of(project, tree, other=None, seconds=0.05):
    return Race(project, tree, other or tree, tuple(read_inputs(tree, project.settings)), CORE, seconds, 30.0)


def test_the_wall_decides_however_busy_the_command_is(make):
    noise = measure_noise(race_of(*make(BUSY)), 1, launches=1)
    assert noise.clock == "wall"


def test_cpu_of_the_whole_tree_is_shown_and_nothing_is_booked_on_the_candidates_account(make):
    found = launch(race_of(*make(f"sh -c '{BUSY}'; true")), 1)
    assert not found.sees_cpu
    assert found.cpu.old_ns > 5_000_000  # two loops of a shell that its parent's parent waits for
    for life in (found.account.old, found.account.new):
        assert life.imported == life.prepared == life.called == life.timed == life.encoded == life.settled == 0
        assert life.turns > 0
    assert min(found.old_memory, found.new_memory) > 1 << 20


def test_cpu_of_children_that_nobody_waits_for_is_hidden_and_so_decides_nothing(make):
    hide = (
        "import os, signal, time\n"
        "signal.signal(signal.SIGCHLD, signal.SIG_IGN)\n"
        "if os.fork() == 0:\n"
        "    while time.process_time() < 0.3: pass\n"
        "else:\n"
        "    try: os.wait()\n"
        "    except ChildProcessError: pass\n"
    )
    project, tree = make(f'{sys.executable} -S -c "{hide}"')
    with project.contestant(tree, 1, 20) as one:
        project.load(one, tree, 1)
        one.keep([read_inputs(tree, project.settings)[0].data])
        one.prepare([0], 1)
        lap = one.lap()
    assert lap.cpu_ns < 200_000_000 < 300_000_000 <= lap.wall_ns
    assert not one.sees_cpu


def test_starting_and_ending_a_program_has_a_price_that_can_be_shown(make):
    project, tree = make("cat")
    assert 1e-5 < empty_command_s(project, tree, CORE, 20) < 5


def test_a_profile_of_a_command_says_why_there_is_none(make):
    project, tree = make("cat")
    profile = facts.take(project, tree, read_inputs(tree, project.settings), 20)
    assert profile.note == "no profile: there is no profiler for commands yet"


# the rung without isolation


def test_without_isolation_it_works_too_and_touches_nobodys_files(make):
    with tempfile.NamedTemporaryFile(dir="/tmp") as theirs:
        before = set(os.listdir("/tmp"))
        project, tree = make(
            'sort -n "$1" > "$2"; ls ~ | wc -l', rung="none", toml='tests = "true"\nbuild = "touch made"\n'
        )
        project = replace(project, settings=replace(project.settings, run=("sh", "run.sh", "{input}", "{output}")))
        assert [written(one, "output file") for one in answers(project, tree)] == ["1\n3\n", "2\n5\n9\n"]
        assert project.run_tests(tree, None).names("passed")
        assert os.path.exists(theirs.name)
        ours = [name for name in set(os.listdir("/tmp")) - before if name.startswith("optagent-")]
        until = time.monotonic() + 30
        while any(os.path.exists(f"/tmp/{name}") for name in ours):  # those of tests beside this one go when they end
            assert time.monotonic() < until, ours
            time.sleep(0.1)
