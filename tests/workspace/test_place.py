import os
from pathlib import Path

import pytest
from repositories import as_nobody, commit, files_of, git, write

from optagent.errors import LedgerUnwritable
from optagent.workspace.place import make_place, repository_place, state_root


def test_the_flag_beats_the_variable_and_the_variable_beats_the_platform(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "xdg"))
    monkeypatch.chdir(tmp_path)
    assert state_root(Path("flag"), {"OPTAGENT_STATE": "variable"}) == tmp_path / "flag"
    assert state_root(None, {"OPTAGENT_STATE": "variable"}) == tmp_path / "variable"
    assert state_root(None, {"OPTAGENT_STATE": ""}) == tmp_path / "xdg/optagent"
    assert files_of(tmp_path) == set()


def test_one_place_per_repository_wherever_one_stands_in_it(tmp_path):
    repo = commit(tmp_path / "my repo", {"pkg/a.py": "1"})
    place = repository_place(tmp_path / "state", repo)
    assert place.name.startswith("my-repo-")
    (tmp_path / "link").symlink_to(repo)
    assert {repository_place(tmp_path / "state", each) for each in (repo / "pkg", tmp_path / "link/pkg")} == {place}
    assert repository_place(tmp_path / "state", commit(tmp_path / "other/my repo", {"a.py": "1"})) != place


@pytest.mark.parametrize("name", ["...", "größe", os.fsdecode(b"\xff"), "a" * 200, "-rf"])
def test_any_folder_has_a_readable_place(tmp_path, name):
    (tmp_path / name).mkdir()
    place = repository_place(tmp_path, tmp_path / name)
    assert place.parent == tmp_path
    assert place.name.isascii()
    assert not place.name.startswith((".", "-"))


def test_a_place_in_the_repository_is_invisible_to_git(tmp_path):
    repo = commit(tmp_path / "repo", {"a.py": "1"})
    place = make_place(repository_place(repo / ".optagent", repo))
    write(place, {"ledger.sqlite": "x"})
    assert make_place(place) == place
    assert git(repo, "status", "--porcelain", "--untracked-files") == b""


def test_a_state_folder_that_refuses_is_told_in_a_sentence_and_nothing_is_made(tmp_path):
    (tmp_path / "locked").mkdir(mode=0o755 if os.geteuid() == 0 else 0o555)
    told = as_nobody(tmp_path, lambda: make_place(tmp_path / "locked/deep/down"))
    assert told == f"LedgerUnwritable: Runs cannot be recorded in {tmp_path}/locked/deep/down: Permission denied."
    assert list((tmp_path / "locked").iterdir()) == []


def test_a_file_in_the_place_of_the_state_folder_is_told_in_a_sentence(tmp_path):
    write(tmp_path, {"file": "1"})
    with pytest.raises(LedgerUnwritable, match="cannot be recorded") as told:
        make_place(tmp_path / "file/place")
    assert "--state" in told.value.hint
    assert files_of(tmp_path) == {"file"}
