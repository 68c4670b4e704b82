"""`optagent apply` as typed: the ledger is written by hand, the command line, git and the files are real."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
from pathlib import Path

import pytest
from typed import typed

from optagent.core.goal import Spent
from optagent.core.outcome import Outcome
from optagent.core.patch import Candidate, Change, Patch
from optagent.core.target import Target
from optagent.core.verdict import Evidence, Faster, Speedup
from optagent.ledger.events import Asked, Claimed, Decided, RunEnded, RunStarted
from optagent.ledger.store import Ledger
from optagent.report.document import Document
from optagent.workspace.place import make_place, repository_place

pytestmark = pytest.mark.slow

SPEEDUP = Speedup(2.31, 2.24, 2.38, 0.9921875, 96, 8, 0.008, "cpu", 0.0107, 0.00463, 2.28)
FASTER = Faster(SPEEDUP, Evidence(31, 24, 6))
ME = {
    **{f"GIT_{who}_{what}": "a@example.org" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_CONFIG_SYSTEM": "/dev/null",
}
OLD, NEW, NEWER = "one\r\n", "two\r\n", "three\r\n"


def git(repo: Path, *words: str) -> str:
    return subprocess.run(
        ["git", *words], cwd=repo, check=True, capture_output=True, text=True, env=os.environ | ME
    ).stdout


class Desk:
    """A repository with `m.py`, and runs that found a patch."""

    def __init__(self, folder: Path) -> None:
        self.repo, self.state = folder / "repo", folder / "state"
        self.repo.mkdir()
        self.file = self.repo / "m.py"
        self.file.write_bytes(OLD.encode())
        git(self.repo, "init", "-q", "-b", "main")
        git(self.repo, "add", "-A")
        git(self.repo, "commit", "-qm", "first")
        self.place = make_place(repository_place(self.state, self.repo))

    def found(self, run: str, *changes: Change, confirmed: bool = True) -> str:
        started = RunStarted("run", str(self.repo), "f", Target("m.py", "f", "m", ".", 1), 0, "0", "")
        with Ledger.open(self.place) as ledger:
            ledger.record(run, started)
            ledger.record(run, Asked(Candidate(Patch(changes), "rules", "x")), 1)
            ledger.record(run, Decided(FASTER, Spent(1.0, 1)), 1)
            if confirmed:
                ledger.record(run, Claimed(FASTER, 0), 1)
            ledger.record(run, RunEnded(Outcome.FASTER, 1))
        return run

    def apply(self, *words: str) -> subprocess.CompletedProcess[str]:
        return typed(["apply", str(self.repo), "--state", str(self.state), *words], os.environ | ME)

    def shown(self, run: str) -> tuple[str, dict[str, object]]:
        words = ["show", str(self.repo), run, "--state", str(self.state)]
        plain, document = typed(words, os.environ | ME), typed([*words, "--json"], os.environ | ME)
        return plain.stdout, json.loads(document.stdout)

    def done(self, *words: str) -> str:
        answer = self.apply(*words)
        assert answer.returncode == 0, answer.stderr
        return answer.stdout

    def refused(self, *words: str) -> str:
        before = self.text()
        answer = self.apply(*words)
        assert (answer.returncode, answer.stdout) == (2, ""), answer.stderr
        assert self.text() == before
        return answer.stderr

    def text(self) -> str:
        return self.file.read_bytes().decode()

    def kinds(self, run: str) -> list[str]:
        with Ledger.open(self.place) as ledger:
            return [event.kind for event in ledger.events(run)][5:]


@pytest.fixture
def desk(tmp_path):
    return Desk(tmp_path)


EDIT = Change("m.py", OLD, NEW)


def test_applied_and_undone_the_files_are_as_before_and_the_ledger_knows(desk):
    run = desk.found("r1", EDIT, Change("_n.py", None, "new"))
    assert desk.done() == f"changed {desk.file}\nchanged {desk.repo}/_n.py\n"
    assert (desk.text(), (desk.repo / "_n.py").read_text()) == (NEW, "new")
    assert desk.done("--undo") == f"restored {desk.file}\nrestored {desk.repo}/_n.py\n"
    assert desk.text() == OLD
    assert git(desk.repo, "status", "--porcelain") == ""
    assert desk.kinds(run) == ["applied", "undone"]


def test_undo_takes_the_last_patch_out_first(desk):
    desk.found("r1", EDIT)
    desk.found("r2", Change("m.py", NEW, NEWER))
    desk.done("r1")
    desk.done("r2")
    desk.done("--undo")
    assert desk.text() == NEW
    desk.done("--undo")
    assert desk.text() == OLD
    assert "no patch has been applied" in desk.refused("--undo")


def test_undo_follows_the_order_of_applying_not_of_running(desk):
    desk.found("r1", EDIT)
    desk.found("r2", Change("n.py", None, "n"))
    desk.done("r2")
    desk.done("r1")
    assert desk.done("--undo") == f"restored {desk.file}\n"


def test_undo_refuses_when_the_file_has_changed_since(desk):
    desk.found("r1", EDIT, Change("_n.py", None, "new"))
    desk.done()
    (desk.repo / "_n.py").write_text("mine now")
    assert "_n.py is not as the patch left it" in desk.refused("--undo")
    assert desk.text() == NEW
    assert desk.kinds("r1") == ["applied"]


def test_undo_of_an_earlier_patch_refuses_while_a_later_one_is_on_top(desk):
    desk.found("r1", EDIT)
    desk.found("r2", Change("m.py", NEW, NEWER))
    desk.done("r1")
    desk.done("r2")
    assert "not as the patch left it" in desk.refused("r1", "--undo")


def test_undo_of_what_was_taken_back_by_hand_says_so(desk):
    desk.found("r1", EDIT)
    desk.done()
    git(desk.repo, "checkout", "m.py")
    assert "nothing to undo" in desk.refused("--undo")


def test_a_patch_that_came_in_another_way_is_undone_by_name(desk):
    desk.found("r1", EDIT)
    desk.file.write_bytes(NEW.encode())
    assert "no patch has been applied" in desk.refused("--undo")
    desk.done("r1", "--undo")
    assert desk.text() == OLD


def test_a_branch_gets_a_commit_that_says_what_was_measured(desk):
    desk.found("r1", EDIT)
    (desk.repo / "other.py").write_text("untracked")
    said = desk.done("--branch", "fast")
    commit = git(desk.repo, "rev-parse", "fast").strip()
    assert said.splitlines() == [
        f"committed {commit[:12]} on the new branch fast",
        "warning: another file of yours differs from HEAD: the run may have seen that, the commit has none of it (first: other.py)",
    ]
    assert desk.text() == OLD
    assert git(desk.repo, "log", "-1", "--format=%B", "fast").splitlines() == [
        "Make m:f 2.31x faster",
        "",
        "m:f: 2.31x faster (99 % 2.24x to 2.38x, 96 pairs in 8 launches, noise 0.8 %, CPU clock)",
        "31 tests pass, 24 inputs give the same (6 of them held out)",
        "",
        "Optagent-Run: r1",
        "",
    ]
    assert desk.kinds("r1") == ["applied"]
    assert "git branch -D fast" in desk.refused("--undo")
    assert "exists already" in desk.refused("--branch", "fast")


def test_undo_and_branch_do_not_go_together(desk):
    desk.found("r1", EDIT)
    assert "git branch -D fast" in desk.refused("--undo", "--branch", "fast")


@pytest.mark.parametrize("words", [(), ("--undo",), ("--branch", "b")], ids=str)
def test_a_run_without_a_confirmed_patch_has_nothing_to_write(desk, words):
    desk.found("r1", EDIT, confirmed=False)
    assert "has no confirmed patch" in desk.refused("r1", *words)


def test_whoever_asks_for_a_run_without_a_patch_is_told_the_latest_that_has_one(desk):
    for run in ("r1", "r2"):
        desk.found(run, EDIT)
    desk.found("r3", EDIT, confirmed=False)
    assert desk.refused("r3").rstrip().endswith(f"`optagent apply {desk.repo} r2`.")


def test_a_commit_is_refused_while_the_target_has_uncommitted_changes(desk):
    desk.file.write_bytes(b"changed\r\n")
    desk.found("r1", Change("m.py", "changed\r\n", NEW))
    assert "uncommitted changes" in desk.refused("--branch", "fast")
    desk.done()
    assert desk.text() == NEW


@pytest.mark.parametrize(
    ("words", "action"), [((), "applied"), (("--branch", "b"), "committed"), (("--undo",), "undone")]
)
def test_json_names_what_was_written(desk, words, action):
    desk.found("r1", EDIT)
    if action == "undone":
        desk.done()
    shown = json.loads(desk.done(*words, "--json"))
    assert Document.model_validate({**{k: v for k, v in shown.items() if k != "schema"}, "schema_": 1})
    committed = action == "committed"
    assert shown["written"] == {
        "action": action,
        "files": ["m.py" if committed else str(desk.file)],
        "branch": "b" if committed else "",
        "commit": git(desk.repo, "rev-parse", "b").strip() if committed else "",
    }
    assert (shown["verb"], shown["run"], shown["outcome"]) == ("apply", "r1", "faster")


@pytest.mark.parametrize("words", [(), ("--undo",)], ids=["apply", "undo"])
def test_what_cannot_be_recorded_is_not_written(desk, words):
    """The table of events is made to refuse (SQLite's own words are a bug to us); otherwise `--undo` would not know."""
    desk.found("r1", EDIT)
    if words:
        desk.done()
    before = desk.text()
    with sqlite3.connect(desk.place / "ledger.sqlite") as db:
        db.execute("CREATE TRIGGER full BEFORE INSERT ON event BEGIN SELECT RAISE(ABORT, 'full'); END")
    db.close()
    answer = desk.apply("r1", *words)
    assert "full" in answer.stderr
    assert desk.text() == before


def test_show_tells_whether_the_patch_is_in_the_files(desk):
    desk.found("r1", Change("m.py", OLD, NEW))
    text, document = desk.shown("r1")
    assert "apply it with: optagent apply" in text
    assert document["written"] is None
    desk.done("r1")
    text, document = desk.shown("r1")
    assert "applied: m.py" in text
    assert "apply it with" not in text
    assert document["written"] == {"action": "applied", "files": ["m.py"], "branch": "", "commit": ""}
    desk.done("r1", "--undo")
    text, document = desk.shown("r1")
    assert "applied and taken back: m.py" in text
    assert "apply it with" in text
    assert document["written"]["action"] == "undone"


def test_show_tells_of_a_branch(desk):
    desk.found("r1", Change("m.py", OLD, NEW))
    desk.done("r1", "--branch", "faster")
    text, document = desk.shown("r1")
    assert "committed on faster: m.py" in text
    assert (document["written"]["action"], document["written"]["branch"]) == ("committed", "faster")


def test_what_a_patch_changes_beside_the_target_is_a_warning(desk):
    old, new = (f"def f():\n    return {n}\n\n\ndef g():\n    return {n}\n" for n in "12")
    desk.found("r1", Change("m.py", old, new))
    text, document = desk.shown("r1")
    said = "the patch also changes m.py::g: only the target is compared, of the rest only the tests say"
    assert f"warning: {said}\n" in text
    assert said in document["warnings"]
    desk.found("r2", Change("m.py", old, old.replace("1", "2", 1)))
    assert "also changes" not in desk.shown("r2")[0]
