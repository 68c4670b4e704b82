import os

import pytest
from repositories import files_of, write

from optagent.core.patch import EMPTY, Change, Patch
from optagent.core.target import Tree
from optagent.errors import EnvironmentFault, UsageError
from optagent.workspace.checkout import checkout, remove
from optagent.workspace.snapshot import digest


@pytest.fixture
def base(tmp_path):
    write(tmp_path / "base", {"pkg/m.py": b"a\r\n", "run.sh": "x", "sub/b.py": "1"})
    (tmp_path / "base/run.sh").chmod(0o755)
    (tmp_path / "base/link").symlink_to("pkg/m.py")
    return Tree(tmp_path / "base", "sub")


def test_a_checkout_without_changes_is_the_base(base, tmp_path):
    tree = checkout(base, EMPTY, tmp_path / "1")
    assert (tree, digest(tree)) == (Tree(tmp_path / "1", "sub"), digest(base))


def test_the_patch_is_in_the_checkout_and_the_base_is_as_it_was(base, tmp_path):
    before = digest(base)
    patch = Patch(
        (
            Change("pkg/m.py", "a\r\n", "\ufeffb\r\n\udcff"),
            Change("run.sh", "x", "y"),
            Change("new/deep/n.py", None, "1"),
            Change("sub/b.py", "1", None),
        )
    )
    mask = os.umask(0o077)
    try:
        root = checkout(base, patch, tmp_path / "1").root
    finally:
        os.umask(mask)
    assert files_of(root) == {"pkg/m.py", "run.sh", "new/deep/n.py", "link"}
    assert (root / "pkg/m.py").read_bytes() == b"\xef\xbb\xbfb\r\n\xff"
    modes = {name: oct((root / name).stat().st_mode & 0o777) for name in ("run.sh", "new", "new/deep", "new/deep/n.py")}
    assert modes == {"run.sh": "0o755", "new": "0o755", "new/deep": "0o755", "new/deep/n.py": "0o644"}
    assert digest(base) == before


def test_a_checkout_shares_no_file_with_the_base(base, tmp_path):
    root = checkout(base, EMPTY, tmp_path / "1").root
    assert not {f.stat().st_ino for f in root.rglob("*")} & {f.stat().st_ino for f in base.root.rglob("*")}


@pytest.mark.parametrize("path", ["../evil.py", "/tmp/evil.py", "out/evil.py", ".git/hooks/x", "a/../../x", "", "a\0b"])
def test_a_patch_never_leaves_the_tree(base, tmp_path, path):
    write(tmp_path, {"outside/x": "1"})
    (base.root / "out").symlink_to("../outside")
    with pytest.raises(UsageError, match="not a place in the project"):
        checkout(base, Patch((Change(path, None, "x"),)), tmp_path / "1")
    assert not (tmp_path / "1").exists()
    assert files_of(tmp_path / "outside") == {"x"}


def test_a_link_in_the_patch_s_way_is_replaced_and_not_written_through(base, tmp_path):
    root = checkout(base, Patch((Change("link", "a\r\n", "new"),)), tmp_path / "1").root
    assert ((root / "link").read_text(), (root / "link").is_symlink()) == ("new", False)
    assert (root / "pkg/m.py").read_bytes() == b"a\r\n"


@pytest.mark.parametrize("path", ["run.sh/x.py", "a" * 300, "loop/x.py", "sub"])
def test_a_patch_that_cannot_be_written_leaves_nothing(base, tmp_path, path):
    (base.root / "loop").symlink_to("loop")
    with pytest.raises(EnvironmentFault, match="cannot be written"):
        checkout(base, Patch((Change(path, None, "x"),)), tmp_path / "1")
    assert not (tmp_path / "1").exists()


def test_a_folder_is_removed_whatever_its_permissions(tmp_path):
    write(tmp_path / "tree", {"a/b/c.py": "1", "d/e.py": "1"})
    (tmp_path / "tree/out").symlink_to(tmp_path)
    for path in ("a/b/c.py", "a/b", "a", "d", "."):
        (tmp_path / "tree" / path).chmod(0)
    remove(tmp_path / "tree")
    remove(tmp_path / "tree")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_deeper_than_any_path_is_removed(tmp_path):
    write(tmp_path / "tree", {"a.py": "1"})
    here = os.open(tmp_path / "tree", os.O_RDONLY)
    for _ in range(1200):  # past the longest path, and past Python's limit of recursion
        os.mkdir("deeper", dir_fd=here)
        deeper = os.open("deeper", os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = deeper
    os.close(here)
    remove(tmp_path / "tree")
    assert list(tmp_path.iterdir()) == []
