import contextlib
import os
import socket
import stat
import subprocess

import pytest
from repositories import as_nobody, commit, everything, files_of, git, write

from optagent.errors import EnvironmentFault, UsageError
from optagent.workspace.snapshot import copy_project, digest

pytestmark = pytest.mark.slow

BOM_CRLF = b"\xef\xbb\xbfx = 1\r\ny = 2\r\n"


def copied(repo, tmp_path):
    return files_of(copy_project(repo, tmp_path / "copy").root)


def test_the_copy_is_the_working_tree_and_not_the_last_commit(tmp_path):
    repo = commit(tmp_path / "repo", {"a.py": "1", "b.py": "1", "gone.py": "1", "gone_staged.py": "1"})
    write(
        repo,
        {".gitignore": "*.o", "a.py": "2", "untracked.py": "3", "staged.py": "4", "b.py": "staged", "ignored.o": "5"},
    )
    git(repo, "add", "staged.py", "b.py")
    write(repo, {"b.py": "worktree"})
    (repo / "gone.py").unlink()
    git(repo, "rm", "-q", "gone_staged.py")
    tree = copy_project(repo, tmp_path / "copy")
    assert tree.project == "."
    assert files_of(tree.root) == {"a.py", "b.py", ".gitignore", "untracked.py", "staged.py"}
    assert [(tree.root / name).read_text() for name in ("a.py", "b.py")] == ["2", "worktree"]


def test_the_user_s_tree_index_stash_and_configuration_are_untouched(tmp_path):
    repo = commit(tmp_path / "repo", {"a.py": "1", "b.py": "1"})
    write(repo, {"a.py": "stashed"})
    git(repo, "stash", "-q")
    write(repo, {"a.py": "2", "new.py": "3"})
    os.utime(repo / "b.py", (1, 1))  # stat differs from the index: `git status` would refresh it
    before = everything(repo)
    copy_project(repo, tmp_path / "copy")
    assert everything(repo) == before
    status = git(repo, "status", "--porcelain", "--untracked-files")
    assert status.split(b"\n") == [b" M a.py", b"?? new.py", b""]


def test_a_sub_folder_project_brings_its_whole_repository(tmp_path):
    repo = commit(tmp_path / "mono repo", {"lib/a.py": "1", "apps/one two/b.py": "1"})
    tree = copy_project(repo / "apps" / "one two", tmp_path / "copy")
    assert (tree.project, files_of(tree.root)) == ("apps/one two", {"lib/a.py", "apps/one two/b.py"})
    assert (tree.project_root / "b.py").read_text() == "1"


def test_a_project_named_through_a_link_is_found(tmp_path):
    repo = commit(tmp_path / "repo", {"pkg/a.py": "1"})
    (tmp_path / "link").symlink_to(repo / "pkg")
    assert copy_project(tmp_path / "link", tmp_path / "copy").project == "pkg"


def test_a_project_that_the_repository_around_it_ignores_is_copied_alone(tmp_path):
    home = commit(tmp_path / "home", {".bashrc": "secret"})
    write(home, {".gitignore": "*", "project/a.py": "1"})
    tree = copy_project(home / "project", tmp_path / "copy")
    assert (tree.project, files_of(tree.root)) == (".", {"a.py"})


def test_submodules_and_nested_repositories_bring_their_files(tmp_path):
    library = commit(tmp_path / "library", {"lib.py": "1", ".gitignore": "*.o"})
    repo = commit(tmp_path / "repo", {"a.py": "1"})
    git(repo, "submodule", "add", "-q", str(library), "vendor/library")
    git(repo, "commit", "-q", "-m", "second")
    write(repo / "vendor/library", {"lib.py": "2", "new.py": "1", "x.o": "1"})
    commit(repo / "nested", {"n.py": "1"})
    write(repo / "nested", {"untracked.py": "1"})
    assert copied(repo, tmp_path) == {
        ".gitmodules",
        "a.py",
        *(f"vendor/library/{name}" for name in ("lib.py", ".gitignore", "new.py")),
        "nested/n.py",
        "nested/untracked.py",
    }
    assert (tmp_path / "copy/vendor/library/lib.py").read_text() == "2"


def test_a_submodule_nobody_fetched_is_an_empty_folder(tmp_path):
    library = commit(tmp_path / "library", {"lib.py": "1"})
    repo = commit(tmp_path / "repo", {"a.py": "1"})
    git(repo, "submodule", "add", "-q", str(library), "library")
    git(repo, "commit", "-q", "-m", "second")
    git(repo, "submodule", "deinit", "-q", "-f", "library")
    assert copied(repo, tmp_path) == {".gitmodules", "a.py"}
    assert (tmp_path / "copy/library").is_dir()


def test_a_project_inside_a_submodule_is_the_submodule(tmp_path):
    library = commit(tmp_path / "library", {"pkg/lib.py": "1"})
    repo = commit(tmp_path / "repo", {"a.py": "1"})
    git(repo, "submodule", "add", "-q", str(library), "library")
    tree = copy_project(repo / "library/pkg", tmp_path / "copy")
    assert (tree.project, files_of(tree.root)) == ("pkg", {"pkg/lib.py"})


def test_links_stay_links_and_are_never_followed(tmp_path):
    write(tmp_path, {"outside/secret.py": "secret"})
    repo = commit(tmp_path / "repo", {"a.py": "1", "pkg/b.py": "1"})
    (repo / "to_a").symlink_to("a.py")
    (repo / "to_pkg").symlink_to("pkg")
    (repo / "out").symlink_to("../outside")
    (repo / "out_absolute").symlink_to(tmp_path / "outside")
    (repo / "home").symlink_to(repo / "pkg/b.py")
    git(repo, "add", "-A")
    copy = copy_project(repo, tmp_path / "deep/down/copy").root
    links = {name: os.readlink(copy / name) for name in ("to_a", "to_pkg", "out", "out_absolute", "home")}
    assert links == {
        "to_a": "a.py",
        "to_pkg": "pkg",
        "out": "../outside",
        "out_absolute": str(tmp_path / "outside"),
        "home": "pkg/b.py",  # absolute into the user's tree: leads into the copy now
    }


def test_a_tracked_folder_that_became_a_link_is_copied_as_the_link(tmp_path):
    write(tmp_path, {"outside/b.py": "secret"})
    repo = commit(tmp_path / "repo", {"a.py": "1", "pkg/b.py": "1"})
    (repo / "pkg/b.py").unlink()
    (repo / "pkg").rmdir()
    (repo / "pkg").symlink_to("../outside")
    assert copied(repo, tmp_path) == {"a.py", "pkg"}


def test_a_tracked_file_that_became_a_folder_is_copied_as_the_folder(tmp_path):
    repo = commit(tmp_path / "repo", {"a": "1"})
    (repo / "a").unlink()
    write(repo, {"a/b.py": "1"})
    assert copied(repo, tmp_path) == {"a/b.py"}


def test_bytes_are_exact_and_modes_are_readable_by_everybody(tmp_path):
    repo = commit(tmp_path / "repo", {"pkg/crlf.py": BOM_CRLF, "run.sh": "#!/bin/sh", "data.bin": bytes(range(256))})
    (repo / "run.sh").chmod(0o700)
    (repo / "data.bin").chmod(0o600)
    (repo / "pkg").chmod(0o700)
    mask = os.umask(0o077)
    try:
        copy = copy_project(repo, tmp_path / "copy").root
    finally:
        os.umask(mask)
    modes = {name: stat.S_IMODE((copy / name).stat().st_mode) for name in (".", "pkg", "run.sh", "data.bin")}
    assert modes == {".": 0o755, "pkg": 0o755, "run.sh": 0o755, "data.bin": 0o644}
    assert ((copy / "pkg/crlf.py").read_bytes(), (copy / "data.bin").read_bytes()) == (BOM_CRLF, bytes(range(256)))


def test_any_file_name_survives(tmp_path):
    names = ["with space.py", "new\nline.py", "tab\t.py", 'quote".py', "größe.py", os.fsdecode(b"latin\xe9.py"), "-rf"]
    repo = commit(tmp_path / "repo", {name: name.encode("utf-8", "surrogateescape") for name in names})
    assert copied(repo, tmp_path) == set(names)


@pytest.mark.parametrize("step", ["no commit", "detached", "worktree", "merge in progress"])
def test_every_state_of_a_repository_is_copied(tmp_path, step):
    repo = tmp_path / "repo"
    if step == "no commit":
        write(repo, {"a.py": "1"})
        git(repo, "init", "-q")
        git(repo, "add", "a.py")
        write(repo, {"b.py": "1"})
    else:
        commit(repo, {"a.py": "1", "b.py": "1"})
    if step == "detached":
        git(repo, "checkout", "-q", "--detach")
    if step == "worktree":
        git(repo, "worktree", "add", "-q", str(tmp_path / "other"))
        repo = tmp_path / "other"
    if step == "merge in progress":
        conflict(repo)
    assert copied(repo, tmp_path) == {"a.py", "b.py"}


def conflict(repo):
    git(repo, "checkout", "-q", "-b", "other")
    write(repo, {"a.py": "theirs"})
    git(repo, "commit", "-q", "-am", "theirs")
    git(repo, "checkout", "-q", "main")
    write(repo, {"a.py": "ours"})
    git(repo, "commit", "-q", "-am", "ours")
    with contextlib.suppress(subprocess.CalledProcessError):
        git(repo, "merge", "other")
    assert b"<<<<<<<" in (repo / "a.py").read_bytes()


def test_pipes_sockets_and_git_s_own_folder_stay_behind(tmp_path, monkeypatch):
    repo = commit(tmp_path / "repo", {"a.py": "1"})
    os.mkfifo(repo / "pipe")
    monkeypatch.chdir(repo)
    with socket.socket(socket.AF_UNIX) as door:
        door.bind("door")
        assert copied(repo, tmp_path) == {"a.py"}


LITTER = [
    *(".venv/lib/a.py", "env/pyvenv.cfg", "env/lib/b.py", "conda/conda-meta/history", "pkg/__pycache__/m.pyc"),
    *(
        "node_modules/x.js",
        ".tox/x",
        ".mypy_cache/x",
        ".env",
        ".env.local",
        "key.pem",
        "id_rsa",
        "id_rsa.pub",
        "pkg/m.pyc",
    ),
]


def test_without_git_everything_but_caches_environments_and_keys_is_copied(tmp_path):
    write(tmp_path / "plain", {**dict.fromkeys(LITTER, "x"), "pkg/m.py": "1", "data/x.bin": "1", ".hidden": "1"})
    (tmp_path / "plain/empty").mkdir()
    (tmp_path / "plain/loop").symlink_to(".")
    assert copied(tmp_path / "plain", tmp_path) == {"pkg/m.py", "data/x.bin", ".hidden", "loop"}
    assert (tmp_path / "copy/empty").is_dir()


def test_untracked_litter_stays_behind_and_tracked_is_the_project_s_business(tmp_path):
    repo = commit(tmp_path / "repo", {"tests/server.pem": "certificate"})
    write(repo, dict.fromkeys(LITTER, "x"))
    assert copied(repo, tmp_path) == {"tests/server.pem"}


def test_a_machine_without_git_copies_the_folder(tmp_path, monkeypatch):
    repo = commit(tmp_path / "repo", {"a.py": "1"})
    monkeypatch.setenv("PATH", str(tmp_path))
    assert copied(repo, tmp_path) == {"a.py"}


def test_a_broken_repository_is_copied_as_a_folder(tmp_path):
    write(tmp_path / "repo", {".git": "gitdir: /nowhere", "a.py": "1"})
    assert copied(tmp_path / "repo", tmp_path) == {"a.py"}


def test_a_broken_index_is_told_in_a_sentence(tmp_path):
    repo = commit(tmp_path / "repo", {"a.py": "1"})
    (repo / ".git/index").write_bytes(b"broken")
    with pytest.raises(EnvironmentFault, match="git cannot list the files of"):
        copy_project(repo, tmp_path / "copy")
    assert not (tmp_path / "copy").exists()


def test_nothing_that_a_hostile_repository_configures_is_run(tmp_path):
    repo = commit(tmp_path / "repo", {"a.py": "1", ".gitattributes": "*.py filter=evil diff=evil\n"})
    evil = tmp_path / "evil.sh"
    evil.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n")
    evil.chmod(0o755)
    names = "core.fsmonitor core.pager core.editor core.sshCommand core.askPass diff.external diff.evil.textconv"
    for name in [*names.split(), "filter.evil.clean", "filter.evil.smudge", "filter.evil.process"]:
        git(repo, "config", name, str(evil))
    git(repo, "config", "core.hooksPath", str(tmp_path / "hooks"))
    for hook in ("post-index-change", "post-checkout", "fsmonitor-watchman", "query-watchman"):
        (tmp_path / "hooks").mkdir(exist_ok=True)
        (tmp_path / "hooks" / hook).symlink_to(evil)
        (repo / ".git/hooks").mkdir(exist_ok=True)
        (repo / ".git/hooks" / hook).symlink_to(evil)
    write(repo, {"a.py": "2"})
    (tmp_path / "ran").unlink(missing_ok=True)  # the set-up itself may have run it
    assert copied(repo, tmp_path) == {"a.py", ".gitattributes"}
    assert not (tmp_path / "ran").exists()
    with contextlib.suppress(subprocess.CalledProcessError):
        git(repo, "status")
    assert (tmp_path / "ran").exists()  # the trap was armed


def test_a_configured_work_tree_elsewhere_does_not_decide_what_is_copied(tmp_path):
    repo = commit(tmp_path / "home/repo", {"a.py": "1"})
    write(tmp_path / "home", {"diary.txt": "secret"})
    git(repo, "config", "core.worktree", str(tmp_path / "home"))
    assert copied(repo, tmp_path) == {"a.py"}


def test_a_run_started_from_a_git_hook_looks_at_the_named_repository(tmp_path, monkeypatch):
    other = commit(tmp_path / "other", {"wrong.py": "1"})
    repo = commit(tmp_path / "repo", {"a.py": "1"})
    monkeypatch.setenv("GIT_DIR", str(other / ".git"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(other / ".git/index"))
    assert copied(repo, tmp_path) == {"a.py"}


def test_a_repository_of_another_user_is_copied(tmp_path):
    repo = commit(tmp_path / "repo", {"a.py": "1", ".gitignore": "*.o"})
    write(repo, {"x.o": "1"})
    (tmp_path / "out").mkdir(mode=0o777)
    (tmp_path / "out").chmod(0o777)
    told = as_nobody(tmp_path, lambda: sorted(files_of(copy_project(repo, tmp_path / "out/copy").root)))
    assert told == "['.gitignore', 'a.py']"


def test_a_tracked_file_that_cannot_be_read_stops_the_copy_with_a_sentence(tmp_path):
    repo = commit(tmp_path / "repo", {"a.py": "1", "b.py": "1"})
    (repo / "b.py").chmod(0)
    (tmp_path / "out").mkdir()
    (tmp_path / "out").chmod(0o777)
    told = as_nobody(tmp_path, lambda: copy_project(repo, tmp_path / "out/copy"))
    assert told == f"EnvironmentFault: {repo}/b.py cannot be read."
    assert not (tmp_path / "out/copy").exists()


def test_what_git_does_not_track_and_nobody_can_read_is_left_out(tmp_path):
    repo = commit(tmp_path / "repo", {"a.py": "1"})
    write(repo, {"database/x": "1", "dump": "1"})
    (repo / "database").chmod(0)
    (repo / "dump").chmod(0)
    (tmp_path / "out").mkdir()
    (tmp_path / "out").chmod(0o777)
    told = as_nobody(tmp_path, lambda: sorted(files_of(copy_project(repo, tmp_path / "out/copy").root)))
    assert told == "['a.py']"


def test_state_kept_in_the_repository_is_not_copied_into_itself(tmp_path):
    repo = commit(tmp_path / "repo", {"a.py": "1"})
    write(repo, {".optagent/x/trees/1/a.py": "1"})
    assert files_of(copy_project(repo, repo / "state/tree").root) == {"a.py"}


def test_a_folder_that_is_not_there_is_told_in_a_sentence(tmp_path):
    with pytest.raises(UsageError, match="There is no folder"):
        copy_project(tmp_path / "nothing", tmp_path / "copy")


def test_a_copy_never_goes_over_something_else(tmp_path):
    write(tmp_path, {"repo/a.py": "1", "copy/mine.txt": "1"})
    with pytest.raises(ValueError, match="not empty"):
        copy_project(tmp_path / "repo", tmp_path / "copy")
    assert (tmp_path / "copy/mine.txt").exists()


def test_the_digest_of_a_tree_sees_content_names_links_and_modes(tmp_path):
    repo = commit(tmp_path / "repo", {"a.py": "1", "b/c.py": "1"})
    first = copy_project(repo, tmp_path / "1")
    assert digest(first) == digest(copy_project(repo, tmp_path / "2"))
    seen = {digest(first)}
    write(first.root, {"a.py": "2"})
    seen.add(digest(first))
    (first.root / "a.py").chmod(0o755)
    seen.add(digest(first))
    (first.root / "a.py").rename(first.root / "d.py")
    seen.add(digest(first))
    (first.root / "link").symlink_to("d.py")
    seen.add(digest(first))
    assert len(seen) == 5


def test_a_large_repository_is_copied_in_reasonable_time(tmp_path):
    names = [f"d{k % 50}/m{k}.py" for k in range(3000)]
    repo = commit(tmp_path / "repo", dict.fromkeys(names, "x = 1\n"))
    assert copied(repo, tmp_path) == set(names)
