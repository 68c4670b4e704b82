"""Repositories that git is in the middle of something with."""

from __future__ import annotations

import contextlib
import os
import subprocess
from pathlib import Path

from exhibits import SOURCE, TESTS, Exhibit, project, repository
from repositories import NOBODY, commit, git, write


def no_commits(folder: Path) -> Path:
    repo = project(folder)
    git(repo, "init", "-q")
    git(repo, "add", "scores.py")
    return repo


def detached(folder: Path) -> Path:
    repo = repository(folder)
    git(repo, "checkout", "-q", "--detach")
    return repo


def two_minds(folder: Path, path: str, ours: str, theirs: str) -> Path:
    """A repository whose branches `main` and `other` have the file in ways that do not go together."""
    repo = repository(folder, {"notes.txt": "first\n"})
    git(repo, "checkout", "-q", "-b", "other")
    write(repo, {path: theirs})
    git(repo, "commit", "-q", "-am", "theirs")
    git(repo, "checkout", "-q", "main")
    write(repo, {path: ours})
    git(repo, "commit", "-q", "-am", "ours")
    return repo


def in_conflict(repo: Path, *words: str) -> Path:
    with contextlib.suppress(subprocess.CalledProcessError):
        git(repo, *words)
    assert b"\nUU " in b"\n" + git(repo, "status", "--porcelain")
    return repo


def merge_elsewhere(folder: Path) -> Path:
    return in_conflict(two_minds(folder, "notes.txt", "ours\n", "theirs\n"), "merge", "other")


def merge_in_target(folder: Path) -> Path:
    ours, theirs = (SOURCE.replace("kept = []", new) for new in ("kept = list()", "kept = [] or []"))
    return in_conflict(two_minds(folder, "scores.py", ours, theirs), "merge", "other")


def rebase(folder: Path) -> Path:
    return in_conflict(two_minds(folder, "notes.txt", "ours\n", "theirs\n"), "rebase", "other")


def sparse(folder: Path) -> Path:
    repo = repository(folder, {"far/away/large.txt": "1", "near.txt": "1"})
    git(repo, "sparse-checkout", "set", "tests")
    assert not (repo / "far").exists()
    return repo


def linked_worktree(folder: Path) -> Path:
    git(repository(folder), "worktree", "add", "-q", str(folder / "linked"))
    return folder / "linked"


def git_file_to_nowhere(folder: Path) -> Path:
    repo = project(folder)
    write(repo, {".git": "gitdir: /nowhere/at/all\n"})
    return repo


def of_another_owner(folder: Path) -> Path:
    repo = repository(folder, {".gitignore": "*.o\n"})
    write(repo, {"left.o": "1"})
    if os.geteuid() == 0:
        for path in (repo, *repo.rglob("*")):
            os.chown(path, NOBODY, NOBODY)
    return repo


def locked_index(folder: Path) -> Path:
    repo = repository(folder)
    write(repo, {".git/index.lock": ""})
    return repo


def clever_index(folder: Path) -> Path:
    """An index that git itself would like to rewrite whenever it looks: stale times, a cache of untracked files."""
    repo = repository(folder)
    for name in ("core.untrackedCache", "core.splitIndex", "feature.manyFiles"):
        git(repo, "config", name, "true")
    git(repo, "update-index", "--split-index", "--untracked-cache")
    os.utime(repo / "scores.py", (1, 1))
    return repo


def hashed_otherwise(folder: Path) -> Path:
    repo = project(folder)
    git(repo, "init", "-q", "--object-format=sha256")
    git(repo, "add", "-A")
    git(repo, "commit", "-q", "-m", "first")
    return repo


def with_submodules(folder: Path) -> Path:
    """One submodule that is there, one that nobody fetched, one in a submodule."""
    inner = commit(folder / "inner", {"inner.py": "INNER = 1\n"})
    library = commit(folder / "library", {"library.py": SOURCE, ".gitignore": "_version.py\n"})
    git(library, "submodule", "add", "-q", str(inner), "deep")
    git(library, "commit", "-q", "-m", "second")
    repo = repository(folder)
    for name in ("there", "absent"):
        git(repo, "submodule", "add", "-q", str(library), f"vendor/{name}")
    git(repo, "commit", "-q", "-m", "second")
    git(repo, "submodule", "update", "-q", "--init", "--recursive", "vendor/there")
    git(repo, "submodule", "deinit", "-q", "-f", "vendor/absent")
    tests = f"{TESTS}        assert library.score(values) == n\n"
    used = "import sys\nsys.path[:0] = ['vendor/there', 'vendor/there/deep']\nimport inner, library, _version\n"
    write(repo, {"tests/test_scores.py": f"{used}{tests}", "vendor/there/_version.py": "version = '1'\n"})
    return repo


GIT_STATES = [
    Exhibit("no git", project, target="score"),
    Exhibit("no commits", no_commits),
    Exhibit("detached head", detached),
    Exhibit("merge in progress in another file", merge_elsewhere, holds=("notes.txt",)),
    Exhibit("merge in progress in the target's file", merge_in_target, refusal="scores.py:6", code=2),
    Exhibit("rebase in progress", rebase),
    Exhibit("sparse checkout", sparse, holds=("near.txt",), lacks=("far",)),
    Exhibit("linked worktree", linked_worktree),
    Exhibit("git file that points nowhere", git_file_to_nowhere),
    Exhibit("another owner", of_another_owner, lacks=("left.o",)),
    Exhibit("locked index", locked_index),
    Exhibit("index that wants to be rewritten", clever_index),
    Exhibit("sha256 objects", hashed_otherwise),
    Exhibit("target in a submodule", with_submodules, "vendor/there/library.py::score", "vendor/there/library.py"),
    Exhibit("submodules", with_submodules, "scores.py::plain", holds=("vendor/there/deep/inner.py", "vendor/absent")),
]
