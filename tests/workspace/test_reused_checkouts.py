"""A checkout that served one candidate serves the next, and nothing of the first is left in it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from repositories import as_nobody, files_of, write

from optagent.core.patch import EMPTY, Change, Patch
from optagent.core.target import Tree
from optagent.errors import EnvironmentFault, UsageError
from optagent.workspace.checkouts import Checkouts
from optagent.workspace.marks import RACY_NS, marks_of, settled
from optagent.workspace.snapshot import digest

PATCH = Patch((Change("pkg/m.py", "a\r\n", "b"), Change("new/n.py", None, "1"), Change("sub/b.py", "1", None)))


@pytest.fixture
def base(tmp_path):
    write(tmp_path / "base", {"pkg/m.py": b"a\r\n", "pkg/k.py": "12", "run.sh": "x", "sub/b.py": "1"})
    (tmp_path / "base/run.sh").chmod(0o755)
    (tmp_path / "base/link").symlink_to("pkg/m.py")
    (tmp_path / "base/empty").mkdir()
    return Tree(tmp_path / "base", "sub")


@pytest.fixture
def checkouts(base, tmp_path, monkeypatch):
    """With every file settled at once: a test cannot wait until fifty milliseconds of copying have passed."""
    monkeypatch.setattr("optagent.workspace.marks.RACY_NS", -1)
    return Checkouts(base, tmp_path / "trees")


def inodes(root: Path) -> dict[str, int]:
    return {name: os.lstat(root / name).st_ino for name in files_of(root)}


def test_the_second_candidate_gets_the_files_of_the_first_but_for_those_that_were_patched(base, checkouts):
    with checkouts.lend(PATCH, "1") as first:
        assert files_of(first.root) == {"pkg/m.py", "pkg/k.py", "run.sh", "link", "new/n.py"}
        before = inodes(first.root)
    with checkouts.lend(EMPTY, "2") as second:
        assert (second.root.name, second.project, digest(second)) == ("2-1", "sub", digest(base))
        after = inodes(second.root)
    assert {name for name in before if before[name] == after.get(name)} == {"pkg/k.py", "run.sh", "link"}
    assert not first.root.exists()


def test_two_candidates_at_a_time_have_a_checkout_each(base, checkouts):
    with checkouts.lend(PATCH, "1") as first, checkouts.lend(EMPTY, "1") as second:
        assert digest(second) == digest(base) != digest(first)
        assert not set(inodes(first.root).values()) & set(inodes(second.root).values())


def overwritten_in_place(root: Path) -> None:
    facts = os.stat(root / "pkg/k.py")
    with open(root / "pkg/k.py", "r+b") as file:
        file.write(b"21")
    os.utime(root / "pkg/k.py", ns=(facts.st_atime_ns, facts.st_mtime_ns))  # same size, same time


def nested_deeper_than_any_path(root: Path) -> None:
    here = os.open(root, os.O_RDONLY)
    for _ in range(1200):  # past the longest path, and past Python's limit of recursion
        os.mkdir("deeper", dir_fd=here)
        deeper = os.open("deeper", os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = deeper
    os.close(here)


def replaced_by_a_link_out(root: Path) -> None:
    (root / "pkg").rename(root / "away")
    (root / "pkg").symlink_to(root.parents[1] / "outside")


def replaced_by_folders(root: Path) -> None:
    (root / "pkg/k.py").unlink()
    write(root, {"pkg/k.py/deep/x.py": "1"})


def shared_with_the_outside(root: Path) -> None:
    os.link(root / "pkg/k.py", root.parents[1] / "outside/still_mine.py")


DAMAGE = [
    overwritten_in_place,
    nested_deeper_than_any_path,
    replaced_by_a_link_out,
    replaced_by_folders,
    shared_with_the_outside,
    lambda root: write(root, {"pkg/extra.py": "1", "left/over/x": "1"}),
    lambda root: (root / "run.sh").chmod(0o644),
    lambda root: (root / "pkg").chmod(0),
    lambda root: (root / "empty").rmdir(),
    lambda root: (root / "run.sh").unlink(),
    lambda root: (root / "pkg/k.py").rename(root / "pkg/m.py"),
    lambda root: ((root / "link").unlink(), (root / "link").symlink_to("pkg/k.py")),
    lambda root: [path.rename(root / f"other-{path.name}") for path in list(root.iterdir())],
    lambda root: os.mkfifo(root / "pkg/pipe"),
]


@pytest.mark.parametrize("damage", DAMAGE)
def test_whatever_a_candidate_did_to_its_checkout_the_next_one_gets_the_base(base, checkouts, tmp_path, damage):
    write(tmp_path / "outside", {"k.py": "outside"})
    with checkouts.lend(PATCH, "1") as first:
        damage(first.root)
    with checkouts.lend(EMPTY, "2") as second:
        assert digest(second) == digest(base)
        assert stat_modes(second.root) == stat_modes(base.root)
        if damage is shared_with_the_outside:
            (tmp_path / "outside/still_mine.py").write_text("changed from outside")
            assert digest(second) == digest(base)
    assert (tmp_path / "outside/k.py").read_text() == "outside"


def stat_modes(root: Path) -> dict[str, int]:
    return {name: os.lstat(root / name).st_mode for name in ("pkg", "empty", "run.sh", "pkg/k.py")}


def test_an_ordinary_user_s_checkout_serves_again_though_folders_in_it_were_closed(base, tmp_path):
    (tmp_path / "mine").mkdir(mode=0o777)
    (tmp_path / "mine").chmod(0o777)

    def close_one_and_take_another() -> bool:
        checkouts = Checkouts(base, tmp_path / "mine/trees")
        with checkouts.lend(PATCH, "1") as first:
            (first.root / "pkg").chmod(0)
        with checkouts.lend(EMPTY, "2") as second:
            return digest(second) == digest(base)

    assert as_nobody(tmp_path, close_one_and_take_another) == "True"


def test_a_checkout_that_is_gone_is_made_anew(base, checkouts):
    with checkouts.lend(EMPTY, "1") as first:
        first.root.rename(first.root.with_name("stolen"))
    with checkouts.lend(EMPTY, "2") as second:
        assert digest(second) == digest(base)


def test_what_was_written_within_the_tick_of_the_clock_is_not_trusted(base, tmp_path):
    checkouts = Checkouts(base, tmp_path / "trees")
    with checkouts.lend(EMPTY, "1") as first:
        before = marks_of(first.root)
    with checkouts.lend(EMPTY, "2") as second:
        after = marks_of(second.root)
        assert digest(second) == digest(base)
    assert not {name for name in files_of(base.root) if before[name] == after[name]}
    later = {"old": (1, 1, 1, 1000), "new": (1, 2, 1, 1000 + 2 * RACY_NS), "folder": (1, 3, 0, 0)}
    assert settled(later).keys() == {"old", "folder"}


@pytest.mark.parametrize("fault", [Change("../evil.py", None, "x"), Change("a" * 300, None, "x")])
def test_a_patch_that_cannot_be_written_leaves_nothing_and_spoils_nothing(base, checkouts, tmp_path, fault):
    with checkouts.lend(EMPTY, "1"):
        pass
    with pytest.raises((UsageError, EnvironmentFault)), checkouts.lend(Patch((fault,)), "2"):
        pass
    assert [folder.name for folder in (tmp_path / "trees").iterdir()] == []
    with checkouts.lend(EMPTY, "3") as third:
        assert digest(third) == digest(base)


def test_marks_name_every_path_and_follow_no_link(base, tmp_path):
    (base.root / "up").symlink_to("..")
    assert marks_of(base.root).keys() == files_of(base.root) | {"pkg", "sub", "empty"}
