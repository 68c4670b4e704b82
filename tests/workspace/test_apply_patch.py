import os
import stat
from pathlib import Path

import pytest
from repositories import as_nobody, commit, files_of, write

from optagent.core.patch import Change, Patch
from optagent.errors import EnvironmentFault, TreeChanged, UsageError
from optagent.workspace.apply import apply, undo

FILES = {"a.py": "1", "pkg/b.py": "2\r\n", "gone.py": "3"}
PATCH = Patch(
    (
        Change("a.py", "1", "one"),
        Change("pkg/b.py", "2\r\n", "\ufefftwo\r\n\udcff"),
        Change("gone.py", "3", None),
        Change("new/deep/n.py", None, "4"),
    )
)


@pytest.fixture
def repo(tmp_path):
    return commit(tmp_path / "repo", FILES)


def contents(repo):
    return {name: (repo / name).read_bytes() for name in files_of(repo) if not name.startswith((".git/", "out"))}


def before():
    return {name: text.encode() for name, text in FILES.items()}


def test_the_user_s_files_are_as_the_patch_wants_them(repo):
    assert apply(repo, PATCH) == [repo / path for path in PATCH.paths]
    assert contents(repo) == {"a.py": b"one", "pkg/b.py": b"\xef\xbb\xbftwo\r\n\xff", "new/deep/n.py": b"4"}


def test_paths_are_those_of_the_repository_when_a_sub_folder_is_named(repo):
    apply(repo / "pkg", PATCH)
    assert (repo / "a.py").read_text() == "one"


def test_undo_brings_everything_back(repo):
    (repo / "a.py").chmod(0o750)
    written = apply(repo, PATCH)
    assert undo(repo, PATCH) == written
    assert contents(repo) == before()
    assert stat.S_IMODE((repo / "a.py").stat().st_mode) == 0o750


def test_undo_of_what_was_not_applied_says_so(repo):
    with pytest.raises(TreeChanged, match="nothing to undo"):
        undo(repo, PATCH)
    assert contents(repo) == before()


def test_mode_and_owner_stay(repo):
    (repo / "a.py").chmod(0o750)
    if os.geteuid() == 0:
        os.chown(repo / "a.py", 1000, 1001)
    facts = (repo / "a.py").stat()
    apply(repo, PATCH)
    after = (repo / "a.py").stat()
    assert (after.st_mode, after.st_uid, after.st_gid) == (facts.st_mode, facts.st_uid, facts.st_gid)
    assert stat.S_IMODE((repo / "new/deep/n.py").stat().st_mode) == 0o644


@pytest.mark.parametrize(
    "spoil",
    [
        lambda repo: write(repo, {"pkg/b.py": "2\n"}),
        lambda repo: (repo / "gone.py").unlink(),
        lambda repo: write(repo, {"new/deep/n.py": "mine"}),
        lambda repo: ((repo / "gone.py").unlink(), (repo / "gone.py").mkdir()),
        lambda repo: ((repo / "gone.py").rename(repo / "x"), (repo / "gone.py").symlink_to("x")),
    ],
    ids=["other line end", "deleted", "new file is there", "folder", "link"],
)
def test_a_tree_that_changed_is_left_alone(repo, spoil):
    spoil(repo)
    changed = contents(repo)
    with pytest.raises(TreeChanged):
        apply(repo, PATCH)
    assert contents(repo) == changed


@pytest.mark.parametrize(
    "spoil",
    [
        lambda repo: write(repo, {"pkg/b.py": "\ufefftwo\r\n"}),
        lambda repo: write(repo, {"gone.py": "3"}),
        lambda repo: (repo / "new/deep/n.py").unlink(),
        lambda repo: ((repo / "a.py").rename(repo / "x"), (repo / "a.py").symlink_to("x")),
    ],
    ids=["another text", "the deleted file is back", "the new file is gone", "link"],
)
def test_undo_leaves_a_tree_alone_that_changed_since(repo, spoil):
    apply(repo, PATCH)
    spoil(repo)
    changed = contents(repo)
    with pytest.raises(TreeChanged):
        undo(repo, PATCH)
    assert contents(repo) == changed


def test_an_undo_that_fails_midway_leaves_the_patch_in(repo, tmp_path):
    apply(repo, PATCH)
    applied = contents(repo)
    repo.chmod(0o777)
    for path in repo.rglob("*"):
        path.chmod(0o777)
    (repo / "new/deep").chmod(0o555)
    assert as_nobody(tmp_path, lambda: undo(repo, PATCH)).startswith("EnvironmentFault")
    assert contents(repo) == applied


@pytest.mark.parametrize("path", ["../x.py", "/tmp/x.py", "out/x.py", ".git/hooks/pre-commit", ".GIT/config"])
def test_a_patch_never_leaves_the_user_s_tree(repo, tmp_path, path):
    (tmp_path / "outside").mkdir()
    (repo / "out").symlink_to(tmp_path / "outside")
    with pytest.raises(UsageError, match="not a place in the project"):
        apply(repo, Patch((Change("a.py", "1", "one"), Change(path, None, "x"))))
    assert contents(repo)["a.py"] == b"1"
    assert files_of(tmp_path / "outside") == set()


def test_a_write_that_fails_midway_puts_everything_back(repo, tmp_path):
    repo.chmod(0o777)
    for path in repo.rglob("*"):
        path.chmod(0o777)
    (repo / "pkg").chmod(0o555)
    patch = Patch((PATCH.changes[0], PATCH.changes[2], PATCH.changes[3], PATCH.changes[1]))
    told = as_nobody(tmp_path, lambda: apply(repo, patch))
    assert told.startswith(f"EnvironmentFault: The patch cannot be written to {repo}")
    assert contents(repo) == before()
    assert not (repo / "new").exists()


def test_an_interrupt_midway_puts_everything_back(repo, monkeypatch):
    replace = Path.replace

    def interrupted(self: Path, target: Path) -> Path:
        if target.name == "n.py":
            raise KeyboardInterrupt
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        apply(repo, PATCH)
    assert contents(repo) == before()
    assert not (repo / "new").exists()


def test_what_could_not_be_put_back_is_named(repo, monkeypatch):
    replace = Path.replace

    def full(self: Path, target: Path) -> Path:
        if target.name == "b.py" or (target.name == "a.py" and target.read_bytes() != b"1"):
            raise OSError(28, "No space left on device")
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(EnvironmentFault) as told:
        apply(repo, PATCH)
    assert told.value.hint == f"These could not be put back: {repo}/a.py."
