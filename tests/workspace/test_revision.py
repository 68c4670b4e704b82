"""A revision as files: what git has of it, with nothing of the user's touched and no program of his run."""

from __future__ import annotations

import os
import shutil

import pytest
from repositories import commit, everything, files_of, git, write

from optagent.core.target import Tree
from optagent.errors import BadRevision, EnvironmentFault
from optagent.workspace.beside import add_ignored
from optagent.workspace.revision import changed_paths, check_out, revision, uncommitted

FILES = {"a.py": "1\n", "pkg/b.py": "2\n", "run.sh": "#!/bin/sh\n"}


@pytest.fixture(autouse=True)
def plain_git(monkeypatch):
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    monkeypatch.setenv("GIT_CONFIG_SYSTEM", "/dev/null")


@pytest.fixture
def repo(tmp_path):
    repo = commit(tmp_path / "repo", FILES)
    write(repo, {"a.py": "one\n", "new.py": "n\n"})
    os.chmod(repo / "run.sh", 0o755)
    git(repo, "add", "-A")
    git(repo, "commit", "-q", "-m", "second")
    return repo


def content(root):
    return {name: (root / name).read_text() for name in files_of(root)}


def test_each_revision_has_its_own_files_whatever_lies_in_the_users_folder(repo, tmp_path):
    write(repo, {"a.py": "uncommitted", "loose.py": ""})
    (repo / "pkg/b.py").unlink()
    base, head = revision(repo, "HEAD~1"), revision(repo, "main")
    assert check_out(repo, base.id, tmp_path / "base") == ()
    check_out(repo, head.id, tmp_path / "head")
    assert content(tmp_path / "base") == FILES
    assert content(tmp_path / "head") == {**FILES, "a.py": "one\n", "new.py": "n\n"}
    assert changed_paths(repo, base, head) == ("a.py", "new.py", "run.sh")
    assert set(uncommitted(repo)) == {"a.py", "loose.py", "pkg/b.py"}


def test_nothing_of_the_users_is_touched(repo, tmp_path):
    write(repo, {"a.py": "uncommitted", "loose.py": ""})
    git(repo, "add", "loose.py")
    before = everything(repo)
    base, head = revision(repo, "HEAD~1"), revision(repo, "HEAD")
    for name, one in (("base", base), ("head", head)):
        check_out(repo, one.id, tmp_path / name)
    add_ignored(repo, (Tree(tmp_path / "base"), Tree(tmp_path / "head")))
    changed_paths(repo, base, head)
    uncommitted(repo)
    assert everything(repo) == before


def test_files_can_be_read_by_everybody_and_programs_stay_programs(repo, tmp_path):
    old = os.umask(0o077)
    try:
        check_out(repo, revision(repo, "HEAD").id, tmp_path / "head")
    finally:
        os.umask(old)
    modes = {name: os.stat(tmp_path / "head" / name).st_mode & 0o777 for name in ("a.py", "run.sh", "pkg")}
    assert modes == {"a.py": 0o644, "run.sh": 0o755, "pkg": 0o755}


def test_links_stay_links(repo, tmp_path):
    (repo / "link.py").symlink_to("/etc/passwd")
    git(repo, "add", "-A")
    git(repo, "commit", "-q", "-m", "link")
    check_out(repo, revision(repo, "HEAD").id, tmp_path / "head")
    assert os.readlink(tmp_path / "head" / "link.py") == "/etc/passwd"


def test_no_filter_and_no_hook_runs(repo, tmp_path):
    witness = tmp_path / "ran"
    write(repo, {".gitattributes": "*.py filter=evil\n*.txt text eol=crlf\n", "t.txt": "x\n"})
    git(repo, "add", "-A")
    git(repo, "commit", "-q", "-m", "attributes")
    for program in ("smudge", "clean"):
        git(repo, "config", f"filter.evil.{program}", f"touch {witness}; cat")
    git(repo, "config", "filter.evil.required", "true")
    hook = repo / ".git/hooks/post-checkout"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\ntouch {witness}\n")
    hook.chmod(0o755)
    check_out(repo, revision(repo, "HEAD").id, tmp_path / "head")
    uncommitted(repo)
    assert not witness.exists()
    assert (tmp_path / "head" / "t.txt").read_bytes() == b"x\r\n"


def test_files_of_git_lfs_are_told_to_be_pointers(repo, tmp_path):
    write(repo, {".gitattributes": "*.bin filter=lfs\n", "d.bin": "version https://git-lfs...\n"})
    git(repo, "add", "-A")
    git(repo, "commit", "-q", "-m", "lfs")
    (note,) = check_out(repo, revision(repo, "HEAD").id, tmp_path / "head")
    assert note == "1 files of git-lfs are pointers only (first: d.bin)"


def test_a_submodule_comes_along_at_its_commit_or_is_told_to_be_missing(repo, tmp_path):
    inner = commit(tmp_path / "inner", {"i.py": "inner\n"})
    git(repo, "submodule", "add", "-q", str(inner), "sub")
    git(repo, "commit", "-q", "-m", "submodule")
    head = revision(repo, "HEAD")
    assert check_out(repo, head.id, tmp_path / "head") == ()
    assert (tmp_path / "head" / "sub" / "i.py").read_text() == "inner\n"
    shutil.rmtree(repo / "sub")
    (note,) = check_out(repo, head.id, tmp_path / "again")
    assert "submodule sub is not in your clone" in note


def test_ignored_files_are_beside_both_sides_and_never_in_place_of_their_files(repo, tmp_path):
    write(repo, {".gitignore": "*.gen\n_v.py\nnew.py/\n_fast.so\n", "_v.py": "v", "pkg/x.gen": "g", "_fast.so": "b"})
    write(repo, {"secrets.gen": "s"})
    check_out(repo, revision(repo, "HEAD~1").id, tmp_path / "base")
    (tmp_path / "base" / "_v.py").write_text("tracked there")
    (note,) = add_ignored(repo, (Tree(tmp_path / "base"),))
    found = content(tmp_path / "base")
    assert found == {**FILES, "_v.py": "tracked there", "pkg/x.gen": "g", "_fast.so": "b"}
    assert "built extensions are those of your folder on both sides (first: _fast.so)" in note


@pytest.mark.parametrize("name", ["nowhere", "", "--all", "HEAD:a.py", "HEAD~99", "a\0b"])
def test_what_is_no_revision_is_told(repo, name):
    with pytest.raises(BadRevision, match="is no revision of"):
        revision(repo, name)


def test_a_folder_without_git_has_no_revisions(tmp_path):
    with pytest.raises(BadRevision, match="is not in a git repository"):
        revision(tmp_path, "HEAD")


def test_the_same_files_in_another_commit_are_the_same(repo):
    git(repo, "commit", "-q", "--allow-empty", "-m", "nothing")
    assert revision(repo, "HEAD").files == revision(repo, "HEAD~1").files
    assert revision(repo, "HEAD").id != revision(repo, "HEAD~1").id


def test_a_missing_object_is_a_fault_told_in_one_sentence(repo, tmp_path):
    blob = git(repo, "rev-parse", "HEAD:new.py").decode().strip()
    (repo / ".git/objects" / blob[:2] / blob[2:]).unlink()
    with pytest.raises(EnvironmentFault, match="git cannot give the files of"):
        check_out(repo, revision(repo, "HEAD").id, tmp_path / "head")
