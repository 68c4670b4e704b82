"""The two trees of a comparison: two revisions of a repository, or two files."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from optagent.core.patch import Change, Patch
from optagent.core.target import Tree
from optagent.errors import BadRevision, UsageError
from optagent.languages.python.testing.judging_files import judges, restore
from optagent.workspace.beside import add_ignored
from optagent.workspace.copying import copy_files, make_folder
from optagent.workspace.folders import remove
from optagent.workspace.listing import folder_files
from optagent.workspace.revision import Revision, changed_paths, check_out, revision, uncommitted
from optagent.workspace.text import decode
from optagent.workspace.worktree import root_of

MOST_PATCH_BYTES = 1 << 20  # the record of each target's run holds it
BINARY = b"\0"


@dataclass(frozen=True)
class Sides:
    """`base` is the reference, `head` is judged; both are ours. `folder` is ours too, for what is needed beside them.
    `paths` are the files that differ, without those of the tests; `notes` are for people."""

    base: Tree
    head: Tree
    folder: Path
    idea: str
    paths: tuple[str, ...]
    tests: tuple[str, ...]
    notes: tuple[str, ...]
    are_files: bool = False

    def judge_by_base(self) -> None:
        """The tests and their configuration are those of the base on both sides from here on."""
        restore(self.base, self.head, self.tests)

    def patch(self, first: Sequence[str]) -> Patch:
        """What changes, as text, the files of `first` before others; what would make the record large is left out."""
        left, found = MOST_PATCH_BYTES, []
        for path in dict.fromkeys((*[one for one in first if one in self.paths], *self.paths)):
            old, new = (_text(side.root / path) for side in (self.base, self.head))
            size = len(old or "") + len(new or "")
            if old != new and size <= left:
                found.append(Change(path, old, new))
                left -= size
        return Patch(tuple(found))


@dataclass(frozen=True)
class Ends:
    """The two revisions of a comparison in the repository of that root."""

    root: Path
    base: Revision
    head: Revision

    @property
    def are_same(self) -> bool:
        return self.base.files == self.head.files

    def __str__(self) -> str:
        return f"{self.base} to {self.head}"


def ends(repo: Path, base: str, head: str) -> Ends:
    """Raises BadRevision; nothing has been made."""
    root = root_of(repo)
    return Ends(root, revision(root, base), revision(root, head))


def notes_of(between: Ends) -> tuple[str, ...]:
    """What is not compared, though it lies in the user's folder."""
    loose = uncommitted(between.root)
    if not loose:
        return ()
    what = "change is" if len(loose) == 1 else "changes are"
    return (f"{len(loose)} uncommitted {what} part of neither side (first: {loose[0]})",)


@contextmanager
def of_revisions(repo: Path, between: Ends) -> Iterator[Sides]:
    """Both revisions as trees, with the ignored files of the user's folder beside them; gone afterwards."""
    project = repo.resolve().relative_to(between.root).as_posix()
    with _folder() as folder:
        base, head = (Tree(folder / side / between.root.name, project) for side in ("base", "head"))
        said = [
            check_out(between.root, one.id, tree.root) for one, tree in ((between.base, base), (between.head, head))
        ]
        for one, tree in ((between.base, base), (between.head, head)):
            if not tree.project_root.is_dir():
                raise BadRevision(f"there is no folder {project} in {one}", "Name the folder that is in both.")
        said.append(add_ignored(between.root, (base, head)))
        changed = changed_paths(between.root, between.base, between.head)
        tests = tuple(path for path in changed if judges(base, path))
        paths = tuple(path for path in changed if path not in set(tests))
        notes = [*notes_of(between), *_tests_note(tests), *dict.fromkeys(note for notes in said for note in notes)]
        yield Sides(base, head, folder, str(between), paths, tests, tuple(notes))


@contextmanager
def of_files(old: Path, new: Path) -> Iterator[Sides]:
    """The old file under its own name, alone or in the package it lies in, and the same with the new one's text in its
    place; gone afterwards. UsageError when one of them is no file."""
    for file in (old, new):
        if not os.path.isfile(file):
            raise UsageError(
                f"there is no file {file}", "Name two Python files, or a repository with --base and --head."
            )
    old = old.resolve()
    top = _package_of(old)
    with _folder() as folder:
        base, head = (Tree(folder / side / old.parent.name) for side in ("base", "head"))
        path = old.relative_to(top.parent).as_posix() if top else f"{_module_name(old.stem)}.py"
        for tree, file in ((base, old), (head, new)):
            if top:
                copy_files(top, folder_files(top), tree.root / top.name)
                (tree.root / path).unlink(missing_ok=True)
            make_folder(tree.root)
            shutil.copyfile(file, tree.root / path)
            (tree.root / path).chmod(0o644)
        notes = (f"the rest of the package {top.name} is the one around {old.name} on both sides",) if top else ()
        paths = () if old.read_bytes() == new.read_bytes() else (path,)
        yield Sides(base, head, folder, f"{old.name} to {new.name}", paths, (), notes, are_files=True)


def _package_of(file: Path) -> Path | None:
    """The outermost package that the file lies in."""
    found = None
    for folder in file.parents:
        if not (folder / "__init__.py").is_file():
            break
        found = folder
    return found


def _module_name(stem: str) -> str:
    name = re.sub(r"\W", "_", stem)
    return name if name.isidentifier() else f"_{name}"


@contextmanager
def _folder() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="optagent-compare-")).resolve()
    folder.chmod(0o755)  # a sandbox may drop to another user
    try:
        yield folder
    finally:
        remove(folder)


def _tests_note(paths: tuple[str, ...]) -> list[str]:
    if not paths:
        return []
    what = (
        "file of the tests or their configuration changes"
        if len(paths) == 1
        else ("files of the tests or their configuration change")
    )
    return [f"{len(paths)} {what} (first: {paths[0]}): both sides are judged by those of the base"]


def _text(file: Path) -> str | None:
    """The text of a file that is there and is text."""
    if not file.is_file() or file.is_symlink():
        return None
    data = file.read_bytes()
    return None if BINARY in data[:8192] else decode(data)
