"""Which ignored files are in the copy: what a test run may need, by rule."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from repositories import commit, files_of, git, write

from optagent.workspace import ignored
from optagent.workspace.place import make_place, repository_place
from optagent.workspace.snapshot import copy_and_tell, copy_project

NEEDED = [
    *("pkg/_version.py", "pkg/fast.cpython-311-x86_64-linux-gnu.so", "pkg/lib/libfast.so.1", "pkg/_pb2.pyi"),
    *(
        "pkg/table.json",
        "pkg.egg-info/PKG-INFO",
        "tests/data/large.bin",
        "data/deep/down/x.csv",
        "pkg-1.0.dist-info/RECORD",
    ),
    *("src/build/_version.py", "tests/words.txt"),
]
UNWANTED = [
    *("build/lib/pkg/fast.so", "dist/pkg.whl", "target/x", "htmlcov/index.html", "docs/_build/x.html", "logs/x.txt"),
    *(".coverage", ".idea/workspace.xml", ".env", ".venv/lib/x.py", "envs/mine/pyvenv.cfg", "envs/mine/x.py"),
    *("node_modules/x.js", "pkg/__pycache__/x.pyc", "store/CACHEDIR.TAG", "store/x", "made/CMakeCache.txt", "made/x.so"),
    *("db.sqlite3", "pkg/app.db", "secrets.toml", "pkg/credentials.json", "local_settings.py", "key.pem", "x.log"),
    *("coverage.xml", "pkg/fast.o", "pkg/m.py.orig", "pkg/m.py~", "keys/id_rsa", "deploy/prod.tfvars"),
]  # fmt: skip


@pytest.fixture
def repo(tmp_path):
    """Everything is ignored that is not tracked."""
    repo = commit(tmp_path / "repo", {".gitignore": "", "a.py": "1"})
    write(repo, {".gitignore": "*\n"})
    return repo


def track(repo: Path, files: dict[str, bytes | str]) -> None:
    write(repo, files)
    git(repo, "add", "-f", ".gitignore", *files)
    git(repo, "commit", "-q", "-m", "more")


def copied(repo: Path, into: Path) -> set[str]:
    return files_of(copy_project(repo, into / "copy").root) - {".gitignore"}


def test_what_a_build_a_generator_or_a_download_left_is_copied_and_what_tools_keep_is_not(repo, tmp_path):
    track(repo, {"src/build/__init__.py": ""})
    write(repo, dict.fromkeys([*NEEDED, *UNWANTED], "x"))
    assert copied(repo, tmp_path) == {"a.py", "src/build/__init__.py", *NEEDED}


def test_the_same_holds_whatever_way_the_files_are_ignored(tmp_path):
    files = {"pkg/m.py": "1", "pkg/.gitignore": "*.so\n/made/\n", ".gitignore": "*.egg-info/\nbuild/\n.venv\n"}
    repo = commit(tmp_path / "repo", files)
    (repo / ".git/info/exclude").write_text("_version.py\n")
    write(repo, {".venv/.gitignore": "*", ".venv/x.py": "1", "self/.gitignore": "*", "self/x.txt": "1"})
    needed = (
        "pkg/f.so",
        "pkg/made/x.json",
        "pkg/_version.py",
        "pkg.egg-info/PKG-INFO",
        "new/_version.py",
        "self/x.txt",
    )
    write(repo, {**dict.fromkeys(needed, "x"), "build/x.py": "1"})
    assert copied(repo, tmp_path) == {"pkg/m.py", "pkg/.gitignore", *needed}


def test_a_tracked_file_is_copied_though_it_is_ignored_and_named_like_an_output(repo, tmp_path):
    track(repo, {"build/lib/x.so": "1", "secrets.toml": "1", ".coverage": "1"})
    assert copied(repo, tmp_path) == {"a.py", "build/lib/x.so", "secrets.toml", ".coverage"}


def test_untracked_files_that_are_not_ignored_are_uncommitted_work_whatever_their_names(tmp_path):
    repo = commit(tmp_path / "repo", {"a.py": "1"})
    write(repo, {"build/new.py": "1", "target/x": "1", "app.db": "1"})
    assert copied(repo, tmp_path) == {"a.py", "build/new.py", "target/x", "app.db"}


def test_links_and_pipes_among_ignored_files_harm_nobody(repo, tmp_path):
    write(tmp_path / "outside", {"secret": "1"})
    (repo / "data").symlink_to("../outside")
    (repo / "loop").symlink_to(".")
    os.mkfifo(repo / "pipe")
    copy = copy_project(repo, tmp_path / "copy").root
    assert files_of(copy) == {".gitignore", "a.py", "data", "loop"}
    assert os.readlink(copy / "data") == "../outside"


def test_the_record_of_runs_kept_in_the_repository_is_never_copied(repo, tmp_path):
    place = make_place(repository_place(repo / "state", repo))
    write(place, {"runs/1/base/a.py": "1", "artifacts/ab/cd": "1"})
    assert copied(repo, tmp_path) == {"a.py"}


def test_what_is_too_large_is_left_out_and_told_and_an_extension_never_is(repo, tmp_path, monkeypatch):
    monkeypatch.setattr(ignored, "MOST_BYTES_EACH", 100)
    monkeypatch.setattr(ignored, "MOST_BYTES", 250)
    sizes = {"huge.bin": 101, "c.bin": 100, "b.bin": 99, "a.bin": 98, "d.bin": 1, "pkg/fast.so": 1000}
    write(repo, {name: b"x" * size for name, size in sizes.items()})
    copy = copy_and_tell(repo, tmp_path / "copy")
    assert files_of(copy.tree.root) == {".gitignore", "a.py", "a.bin", "b.bin", "d.bin", "pkg/fast.so"}
    assert copy.left_out == (ignored.LeftOut("c.bin", 100), ignored.LeftOut("huge.bin", 101))
    assert copy.note.startswith("2 ignored files (0 MB in all, the largest huge.bin) are too large")


def test_no_more_than_so_many_files_are_taken(repo, tmp_path, monkeypatch):
    monkeypatch.setattr(ignored, "MOST_FILES", 2)
    write(repo, {"x/1": "1", "x/2": "1", "x/3": "1", "y.so": "1"})
    copy = copy_and_tell(repo, tmp_path / "copy")
    assert files_of(copy.tree.root) == {".gitignore", "a.py", "x/1", "x/2", "y.so"}
    assert [file.path for file in copy.left_out] == ["x/3"]


def test_a_tracked_file_is_never_too_large(repo, tmp_path, monkeypatch):
    monkeypatch.setattr(ignored, "MOST_BYTES_EACH", 0)
    track(repo, {"large.bin": "12345"})
    copy = copy_and_tell(repo, tmp_path / "copy")
    assert (files_of(copy.tree.root), copy.left_out) == ({".gitignore", "a.py", "large.bin"}, ())
    assert copy.note == ""


def test_ignored_files_of_submodules_and_nested_repositories_follow_the_same_rule(tmp_path):
    library = commit(tmp_path / "library", {"lib.py": "1", ".gitignore": "*.so\nbuild/\n"})
    repo = commit(tmp_path / "repo", {"a.py": "1"})
    git(repo, "submodule", "add", "-q", str(library), "build")
    git(repo, "commit", "-q", "-m", "second")
    commit(repo / "nested", {"n.py": "1", ".gitignore": "_version.py\n.env\n"})
    write(repo, dict.fromkeys(("build/f.so", "build/build/x", "nested/_version.py", "nested/.env"), "x"))
    assert copied(repo, tmp_path) == {
        *("a.py", ".gitmodules", "build/lib.py", "build/.gitignore", "build/f.so"),
        *("nested/n.py", "nested/.gitignore", "nested/_version.py"),
    }
