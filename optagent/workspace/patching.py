"""A patch that somebody else wrote, as whole files before and after."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from optagent.core.patch import Change, Patch
from optagent.core.target import Tree, is_inside
from optagent.errors import BadPatch
from optagent.workspace.inside import inside
from optagent.workspace.text import decode
from optagent.workspace.worktree import Answer, ask


def patch_from_diff(tree: Tree, diff: bytes) -> Patch:
    """What a unified diff makes of the tree's files; its paths are below the tree, or else below the project in it.

    The tree is only read. Raises BadPatch when the diff does not fit or changes nothing.
    """
    failed = Answer(False, b"", "it names no file")
    for folder in dict.fromkeys((".", tree.project)):
        with tempfile.TemporaryDirectory(prefix="optagent-patch-") as place:
            scratch = Path(place)
            (scratch / "diff").write_bytes(diff)
            paths = _paths(scratch, folder)
            answer = _applied(tree, scratch, folder, paths)
            if answer.ok and paths:
                return _patch(tree, scratch / "files", paths)
            failed = failed if answer.ok else answer
    said = failed.err.strip().splitlines()
    raise BadPatch(
        f"the patch does not fit: {said[0].removeprefix('error: ') if said else 'git gave no reason'}",
        "Make it with `git diff` in the repository as it is now.",
    )


def diff_to(top: Path, revision: str) -> bytes:
    """What changes from HEAD to a revision, as a diff. Raises BadPatch when git does not know it."""
    answer = ask(top, "diff", "--no-ext-diff", "--no-textconv", "--binary", "--no-renames", "HEAD", revision, "--")
    if not answer.ok:
        said = answer.err.strip().splitlines()
        raise BadPatch(
            f"{revision} is no revision that HEAD can be compared with: {said[0] if said else 'git gave no reason'}",
            f"List them with `git -C {top} log --oneline --all`.",
        )
    return answer.out


def _paths(scratch: Path, folder: str) -> tuple[str, ...]:
    """The files that the diff is about, relative to the tree."""
    rows = _git(scratch, "apply", "--numstat", "-z", *_below(folder), "../diff").out.split(b"\0")
    names = (row.split(b"\t")[-1].decode("utf-8", "surrogateescape") for row in rows if row)
    return tuple(dict.fromkeys(name for name in names if is_inside(name)))


def _applied(tree: Tree, scratch: Path, folder: str, paths: tuple[str, ...]) -> Answer:
    for path in paths:
        source = inside(tree.root, path)
        if source.is_file() and not source.is_symlink():
            (scratch / "files" / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, scratch / "files" / path)
    return _git(scratch, "apply", "--whitespace=nowarn", *_below(folder), "../diff")


def _below(folder: str) -> tuple[str, ...]:
    return () if folder == "." else (f"--directory={folder}",)


def _git(scratch: Path, *words: str) -> Answer:
    """Git at work on the copies alone: no repository around them is looked for."""
    files = scratch / "files"
    files.mkdir(exist_ok=True)
    return ask(files, *words, variables={"GIT_CEILING_DIRECTORIES": str(scratch.resolve())})


def _patch(tree: Tree, files: Path, paths: tuple[str, ...]) -> Patch:
    changes = (Change(path, _text(tree.root / path), _text(files / path)) for path in paths)
    patch = Patch(tuple(change for change in changes if change.old != change.new))
    if not patch.changes:
        raise BadPatch("the patch changes nothing", "Make it with `git diff`.")
    return patch


def _text(file: Path) -> str | None:
    return decode(file.read_bytes()) if file.is_file() else None
