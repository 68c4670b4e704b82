"""The patch as a commit on a new branch: what it holds, what stays untouched, what is refused."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from repositories import commit, git, write

from optagent.core.patch import Change, Patch
from optagent.errors import BadSetting, EnvironmentFault, TreeChanged, UsageError
from optagent.workspace.branch import commit_patch

pytestmark = pytest.mark.slow

FILES = {"a.py": "1\n", "pkg/b.py": "2\n", "pkg/deep/c.py": "3\n"}
PATCH = Patch((Change("a.py", "1\n", "one\n"), Change("pkg/_n.py", None, "new\n")))
MESSAGE = "Make m:f 2.00x faster\n\noptagent run 1"


@pytest.fixture(autouse=True)
def me(monkeypatch):
    """A user that git knows, whatever machine this is."""
    for name in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{name}_NAME", "Ada")
        monkeypatch.setenv(f"GIT_{name}_EMAIL", "ada@example.org")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    monkeypatch.setenv("GIT_CONFIG_SYSTEM", "/dev/null")


@pytest.fixture
def repo(tmp_path):
    return commit(tmp_path / "repo", FILES)


def everything(repo: Path, but: tuple[str, ...] = (".git/objects/", ".git/refs/heads/", ".git/logs/refs/")) -> dict:
    """Every file with content, mode and times; git's objects and branches apart."""
    seen = {}
    for path in sorted(repo.rglob("*")):
        name = path.relative_to(repo).as_posix()
        if not f"{name}/".startswith(but):
            facts = path.lstat()
            content = os.readlink(path) if path.is_symlink() else path.read_bytes() if path.is_file() else None
            mtime = facts.st_mtime_ns if path.is_file() else 0
            seen[name] = (facts.st_mode, mtime, facts.st_ino, content)
    return seen


def at(repo: Path, name: str) -> bytes:
    return git(repo, "cat-file", "blob", name)


def lines(repo: Path, *words: str) -> list[str]:
    return git(repo, *words).decode().splitlines()


def branches(repo: Path) -> list[str]:
    return lines(repo, "for-each-ref", "--format=%(refname:short)", "refs/heads")


def refused(repo: Path, kind: type[Exception], match: str, patch: Patch = PATCH, branch: str = "fast") -> str:
    before, names = everything(repo), branches(repo)
    with pytest.raises(kind, match=match) as told:
        commit_patch(repo, patch, branch, MESSAGE)
    assert type(told.value) is kind
    assert everything(repo) == before
    assert branches(repo) == names
    return told.value.hint


def test_the_branch_is_head_and_one_commit_that_is_the_patch(repo):
    made = commit_patch(repo, PATCH, "fast/one", MESSAGE)
    assert lines(repo, "rev-parse", "fast/one", "fast/one^") == [made.id, lines(repo, "rev-parse", "HEAD")[0]]
    assert lines(repo, "diff", "--name-status", "main", "fast/one") == ["M\ta.py", "A\tpkg/_n.py"]
    assert (at(repo, "fast/one:a.py"), at(repo, "fast/one:pkg/_n.py")) == (b"one\n", b"new\n")
    assert (
        git(repo, "log", "-1", "--format=%an|%ae|%B", "fast/one").decode().startswith("Ada|ada@example.org|" + MESSAGE)
    )
    assert lines(repo, "fsck", "--strict") == []
    assert (made.branch, made.files, made.missing) == ("fast/one", ("a.py", "pkg/_n.py"), ())


def test_files_index_stash_and_current_branch_stay_as_they_are(repo):
    write(repo, {"stashed.py": "s"})
    git(repo, "add", "stashed.py")
    git(repo, "stash")
    write(repo, {"pkg/b.py": "staged"})
    git(repo, "add", "pkg/b.py")
    write(repo, {"pkg/b.py": "changed", "untracked.py": "u"})
    before, status = everything(repo), lines(repo, "status", "--porcelain")
    before = everything(repo)  # `status` may have refreshed the index
    made = commit_patch(repo, PATCH, "fast", MESSAGE)
    assert everything(repo) == before
    assert lines(repo, "status", "--porcelain") == status
    assert at(repo, "fast:pkg/b.py") == b"2\n"
    assert made.missing == ("pkg/b.py", "untracked.py")
    assert branches(repo) == ["fast", "main"]


@pytest.mark.parametrize("option", ["core.splitIndex=true", "index.sparse=true", "core.untrackedCache=true"])
def test_no_setting_of_the_index_leaves_files_behind(repo, option):
    git(repo, "config", *option.split("="))
    before = everything(repo)
    commit_patch(repo, PATCH, "fast", MESSAGE)
    assert everything(repo) == before


def test_a_file_removed_and_a_folder_that_was_not_there(repo):
    patch = Patch((Change("pkg/b.py", "2\n", None), Change("new/deep/n.py", None, "4")))
    commit_patch(repo, patch, "fast", MESSAGE)
    assert lines(repo, "ls-tree", "-r", "--name-only", "fast") == ["a.py", "new/deep/n.py", "pkg/deep/c.py"]


def test_a_sub_folder_names_the_repository(repo):
    commit_patch(repo / "pkg", PATCH, "fast", MESSAGE)
    assert at(repo, "fast:a.py") == b"one\n"


def test_the_mode_of_the_file_stays(repo):
    (repo / "a.py").chmod(0o755)
    git(repo, "commit", "-qam", "a program")
    commit_patch(repo, PATCH, "fast", MESSAGE)
    assert lines(repo, "ls-tree", "fast", "a.py")[0].startswith("100755 ")


@pytest.mark.parametrize(
    "spoil", [lambda repo: git(repo, "checkout", "-q", "--detach"), lambda repo: git(repo, "pack-refs", "--all")]
)
def test_a_detached_head_and_packed_branches_are_no_obstacle(repo, spoil):
    spoil(repo)
    commit_patch(repo, PATCH, "fast", MESSAGE)
    assert at(repo, "fast:a.py") == b"one\n"


# line ends, marks and conversions


BOM = "\ufeffx = 1\r\n"


@pytest.mark.parametrize(
    ("attributes", "settings", "at_head", "expected"),
    [
        ("", {}, BOM, "\ufeffx = 2\r\n"),
        ("", {}, "x = 1\n", "x = 2\n"),
        ("a.py text eol=crlf\n", {}, "x = 1\r\n", "x = 2\n"),
        ("a.py text=auto\n", {}, "x = 1\r\n", "x = 2\n"),
        ("a.py -text\n", {"core.autocrlf": "true"}, "x = 1\r\n", "x = 2\r\n"),
        ("", {"core.autocrlf": "true"}, "x = 1\r\n", "x = 2\n"),
        ("", {"core.autocrlf": "true", "core.safecrlf": "true"}, "x = 1\r\n", "x = 2\n"),
        ("", {"core.autocrlf": "input"}, "x = 1\n", "x = 2\n"),
        ("a.py ident\n", {}, "x = 1  # $Id$\n", "x = 2  # $Id$\n"),
        ("a.py working-tree-encoding=latin-1\n", {}, b"x = 1  # \xe9\n", "x = 2  # \u00e9\n"),
    ],
    ids=lambda one: repr(one),
)
def test_the_commit_holds_what_git_would_have_stored(tmp_path, attributes, settings, at_head, expected):
    repo = tmp_path / "repo"
    repo.mkdir()
    git(repo, "init", "-q", "-b", "main")
    for name, value in settings.items():
        git(repo, "config", name, value)
    write(repo, {".gitattributes": attributes, "a.py": at_head})
    git(repo, "add", "-A")
    git(repo, "commit", "-qm", "first")
    old = (repo / "a.py").read_bytes().decode("utf-8", "surrogateescape")
    commit_patch(repo, Patch((Change("a.py", old, old.replace("1", "2")),)), "fast", MESSAGE)
    assert at(repo, "fast:a.py").decode() == expected
    assert lines(repo, "diff", "--numstat", "main", "fast") == ["1\t1\ta.py"]


def test_crlf_that_was_stored_before_somebody_set_autocrlf_stays(repo):
    write(repo, {"a.py": "x = 1\r\ny = 1\r\n"})
    git(repo, "commit", "-qam", "crlf")
    git(repo, "config", "core.autocrlf", "true")
    patch = Patch((Change("a.py", "x = 1\r\ny = 1\r\n", "x = 2\r\ny = 1\r\n"),))
    commit_patch(repo, patch, "fast", MESSAGE)
    assert at(repo, "fast:a.py") == b"x = 2\r\ny = 1\r\n"


# nothing that a repository names is run


def test_no_hook_filter_signer_or_monitor_runs(repo, tmp_path):
    ran = tmp_path / "ran"
    program = tmp_path / "program"
    program.write_text(f"#!/bin/sh\necho $0 >> {ran}\ncat\n")
    program.chmod(0o755)
    settings = {
        "filter.evil.clean": program, "filter.evil.process": program, "filter.evil.required": "true",
        "commit.gpgSign": "true", "gpg.program": program, "core.fsmonitor": program, "core.editor": program,
        "core.pager": program, "diff.external": program, "diff.evil.textconv": program, "core.sshCommand": program,
    }  # fmt: skip
    write(repo, {".gitattributes": "pkg/*.py filter=evil diff=evil\n"})
    git(repo, "add", ".gitattributes")
    git(repo, "commit", "-qm", "attributes")
    write(repo, {"pkg/b.py": "changed\n"})
    for name, value in settings.items():
        git(repo, "config", name, str(value))
    for hook in (
        "reference-transaction",
        "post-index-change",
        "pre-commit",
        "commit-msg",
        "post-commit",
        "post-checkout",
    ):
        (repo / ".git/hooks" / hook).parent.mkdir(exist_ok=True)
        (repo / ".git/hooks" / hook).symlink_to(program)
    made = commit_patch(repo, Patch((PATCH.changes[0],)), "fast", MESSAGE)
    assert made.missing == ("pkg/b.py",)
    refused(
        repo,
        UsageError,
        r"pkg/b\.py is converted by the filter 'evil'",
        Patch((Change("pkg/b.py", "2\n", "3\n"),)),
        "b",
    )
    assert not ran.exists()
    git(repo, "branch", "other")  # the test's own git has hooks
    assert "reference-transaction" in ran.read_text()


def test_a_file_of_git_lfs_is_refused_with_and_without_its_program(repo):
    pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 2\n"
    write(repo, {".gitattributes": "*.dat filter=lfs -text\n", "t.dat": pointer})
    git(repo, "add", "-A")
    git(repo, "commit", "-qm", "lfs")
    patch = Patch((Change("t.dat", pointer, "x"),))
    refused(repo, UsageError, "filter 'lfs'", patch)
    git(repo, "config", "filter.lfs.clean", "false")
    refused(repo, UsageError, "filter 'lfs'", patch)


# what is refused


@pytest.mark.parametrize(
    "name", ["", "a b", "-x", "a..b", "@{-1}", "-", "HEAD", "a.lock", "a\nb", "\0", "x~1", "/a", "b/"]
)
def test_a_name_that_is_none_is_refused(repo, name):
    git(repo, "checkout", "-q", "-b", "other")
    git(repo, "checkout", "-q", "main")
    refused(repo, BadSetting, "is no name for a branch", branch=name)


def test_a_branch_that_is_there_is_left_alone(repo):
    git(repo, "branch", "fast")
    assert "another" in refused(repo, BadSetting, "fast exists already")
    refused(repo, BadSetting, "main exists already", branch="main")


def test_a_branch_that_stands_in_the_way_of_the_name_is_told_in_gits_words(repo):
    git(repo, "branch", "fast")
    refused(repo, EnvironmentFault, "'refs/heads/fast' exists", branch="fast/one")


@pytest.mark.parametrize(
    "spoil",
    [
        lambda repo: git(repo, "commit", "-qam", "moved"),
        lambda repo: (git(repo, "rm", "-q", "--cached", "a.py"), git(repo, "commit", "-qm", "gone")),
        lambda repo: git(repo, "add", "a.py"),
    ],
    ids=["HEAD has moved", "not at HEAD", "staged only"],
)
def test_a_file_that_is_not_at_head_what_the_run_saw_is_refused(repo, spoil):
    write(repo, {"a.py": "2\n"})
    spoil(repo)
    old = "1\n" if lines(repo, "ls-tree", "HEAD", "a.py") and at(repo, "HEAD:a.py") == b"2\n" else "2\n"
    refused(repo, TreeChanged, r"a\.py at HEAD is not the file", Patch((Change("a.py", old, "3\n"),)))


def test_a_new_file_that_head_has_already_is_refused(repo):
    refused(repo, TreeChanged, r"pkg/b\.py at HEAD", Patch((Change("pkg/b.py", None, "x"),)))


def test_a_later_change_that_does_not_fit_stops_the_first_too(repo):
    refused(repo, TreeChanged, r"pkg/b\.py", Patch((*PATCH.changes, Change("pkg/b.py", "other\n", "x"))))


def test_a_link_is_refused(repo):
    (repo / "l.py").symlink_to("a.py")
    git(repo, "add", "-A")
    git(repo, "commit", "-qm", "link")
    refused(repo, TreeChanged, r"l\.py is no plain file at HEAD", Patch((Change("l.py", "1\n", "2\n"),)))


def test_without_git_there_is_nothing_to_branch_from(tmp_path):
    write(tmp_path / "plain", FILES)
    with pytest.raises(UsageError, match="not in a git repository"):
        commit_patch(tmp_path / "plain", PATCH, "fast", MESSAGE)


def test_without_a_commit_there_is_nothing_to_branch_from(tmp_path):
    write(tmp_path / "repo", FILES)
    git(tmp_path / "repo", "init", "-q")
    refused(tmp_path / "repo", UsageError, "has no commits yet")


def test_without_an_identity_git_is_not_left_to_guess_one(repo, monkeypatch):
    for name in ("AUTHOR", "COMMITTER"):
        monkeypatch.delenv(f"GIT_{name}_NAME")
        monkeypatch.delenv(f"GIT_{name}_EMAIL")
    assert "user.email" in refused(repo, UsageError, "git does not know who you are, so no commit was made: no ")
    git(repo, "config", "user.name", "Ada")
    git(repo, "config", "user.email", "ada@example.org")
    commit_patch(repo, PATCH, "fast", MESSAGE)


def test_a_file_in_a_submodule_is_refused_and_the_submodule_itself_is_served(repo, tmp_path):
    other = commit(tmp_path / "other", FILES)
    git(repo, "submodule", "add", "-q", str(other), "lib/sub")
    git(repo, "commit", "-qm", "submodule")
    patch = Patch((Change("lib/sub/a.py", "1\n", "one\n"),))
    hint = refused(repo, UsageError, "lies in the submodule lib/sub", patch)
    assert str(repo / "lib/sub") in hint
    commit_patch(repo / "lib/sub", Patch((PATCH.changes[0],)), "fast", MESSAGE)
    assert at(repo / "lib/sub", "fast:a.py") == b"one\n"
    assert branches(repo) == ["main"]


@pytest.mark.parametrize("path", ["../x.py", "/tmp/x.py", ".git/config"])
def test_a_path_out_of_the_project_is_refused(repo, path):
    refused(repo, UsageError, "not a place in the project", Patch((Change(path, None, "x"),)))


def test_names_of_any_kind_are_kept(tmp_path):
    files = {":(top) \u00e9 \udcff*.py": "1", "-q.py": "2"}
    repo = commit(tmp_path / "r\u00e9po dir", files)
    commit_patch(repo, Patch(tuple(Change(name, text, "x") for name, text in files.items())), "fast", MESSAGE)
    assert [at(repo, f"fast:{name}") for name in files] == [b"x", b"x"]


def test_another_repository_named_by_the_environment_is_not_meant(repo, tmp_path, monkeypatch):
    other = commit(tmp_path / "other", FILES)
    monkeypatch.setenv("GIT_DIR", str(other / ".git"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(other / ".git/index"))
    commit_patch(repo, PATCH, "fast", MESSAGE)
    monkeypatch.undo()
    assert (branches(repo), branches(other)) == (["fast", "main"], ["main"])


def test_a_work_tree_of_its_own_gets_the_branch_from_its_own_head(repo, tmp_path):
    git(repo, "worktree", "add", "-q", "-b", "side", str(tmp_path / "side"))
    write(tmp_path / "side", {"a.py": "side\n"})
    git(tmp_path / "side", "commit", "-qam", "side")
    commit_patch(tmp_path / "side", Patch((Change("a.py", "side\n", "faster\n"),)), "fast", MESSAGE)
    assert lines(repo, "rev-parse", "fast^") == lines(repo, "rev-parse", "side")
