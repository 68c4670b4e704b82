"""Every exhibit is copied, its target found and a candidate checked out, and the user's files stay as they are."""

from __future__ import annotations

import os

import pytest
from exhibits import Exhibit
from git_states import GIT_STATES
from layouts import LAYOUTS
from oddities import ODDITIES
from repositories import everything

from optagent.core.patch import Change, Patch
from optagent.core.target import Tree
from optagent.errors import OptagentError
from optagent.languages.python.targets.locate import locate
from optagent.workspace.checkouts import Checkouts
from optagent.workspace.snapshot import copy_project, digest
from optagent.workspace.text import read_source
from optagent.workspace.worktree import root_of

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]  # a pipe in the tree must not hold us up
EXHIBITS = [*GIT_STATES, *LAYOUTS, *ODDITIES]


@pytest.mark.parametrize("exhibit", [each for each in EXHIBITS if not each.refusal], ids=str)
def test_an_exhibit_is_copied_and_checked_out(exhibit: Exhibit, tmp_path):
    repo = exhibit.build(tmp_path / "place")
    before = everything(root_of(repo))
    tree = copy_project(repo, tmp_path / "state/base")
    target = locate(tree, exhibit.target)
    assert target == locate(users_tree(repo), exhibit.target)
    assert target.path == exhibit.path
    assert (tree.root / target.path).read_bytes() == (root_of(repo) / target.path).read_bytes()
    assert [name for name in exhibit.holds if not os.path.lexists(tree.root / name)] == []
    assert [name for name in exhibit.lacks if os.path.lexists(tree.root / name)] == []
    check_candidates(tree, target.path, Checkouts(tree, tmp_path / "state/trees"))
    assert everything(root_of(repo)) == before


def users_tree(repo):
    top = root_of(repo)
    return Tree(top, repo.resolve().relative_to(top).as_posix())


def check_candidates(base: Tree, path: str, checkouts: Checkouts) -> None:
    """Two candidates in turn: each is the base with its patch, and the base is what it was."""
    same = digest(base)
    old = read_source(base.root / path)
    for number in range(2):
        new = f"{old}# candidate {number}\n"
        with checkouts.lend(Patch((Change(path, old, new),)), str(number)) as tree:
            assert read_source(tree.root / path) == new
            assert digest(tree) != same
    with checkouts.lend(Patch(()), "none") as tree:
        assert digest(tree) == same == digest(base)


@pytest.mark.parametrize("exhibit", [each for each in EXHIBITS if each.refusal], ids=str)
def test_an_exhibit_that_cannot_be_run_is_refused_in_a_sentence(exhibit: Exhibit, tmp_path):
    repo, state = exhibit.build(tmp_path / "place"), tmp_path / "state of some length"
    before = everything(root_of(repo))
    with pytest.raises(OptagentError, match=exhibit.refusal) as told:
        locate(users_tree(repo), exhibit.target)
        copy_project(repo, state / "base")
    assert told.value.exit_code == exhibit.code
    assert len(told.value.message.splitlines()) == 1
    assert not state.exists() or not list(state.iterdir())
    assert everything(root_of(repo)) == before
