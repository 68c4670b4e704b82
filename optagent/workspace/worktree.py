"""What git knows of a folder, asked so that nothing is written and no program a repository names is run."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from optagent.errors import EnvironmentFault

GITLINK = b"160000"
# Configuration that would start a program; `-c` beats every file. A repository of another owner is read like any other.
SAFELY = ("-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null", "-c", "safe.directory=*")
QUIETLY = {
    "GIT_OPTIONAL_LOCKS": "0",  # the index is not refreshed
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_ALLOW_PROTOCOL": "",  # a partial clone fetches nothing, also where git does not know the line above
    "GIT_TERMINAL_PROMPT": "0",
}
NO_VARIABLES: Mapping[str, str] = MappingProxyType({})
# `git rev-parse --local-env-vars`: set when we are started from a hook, and about another repository than ours.
LOCAL_VARIABLES = (
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_COMMON_DIR",
    "GIT_CONFIG",
    "GIT_CONFIG_COUNT",
    "GIT_CONFIG_PARAMETERS",
    "GIT_DIR",
    "GIT_GRAFT_FILE",
    "GIT_IMPLICIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_NO_REPLACE_OBJECTS",
    "GIT_OBJECT_DIRECTORY",
    "GIT_PREFIX",
    "GIT_REPLACE_REF_BASE",
    "GIT_SHALLOW_FILE",
    "GIT_WORK_TREE",
)


@dataclass(frozen=True)
class Answer:
    """What git printed, and whether it was content."""

    ok: bool
    out: bytes
    err: str


def ask(folder: Path, *words: str, variables: Mapping[str, str] = NO_VARIABLES) -> Answer:
    """Git's answer to one question about `folder`; not ok where there is no git. `variables` are for git alone."""
    if shutil.which("git") is None:  # before the import below, which refuses to work without git
        return Answer(False, b"", "git is not installed")
    from git.cmd import Git

    unset = [word for name in LOCAL_VARIABLES if name in os.environ for word in ("-u", name)]
    given = [f"{name}={value}" for name, value in variables.items()]
    status, out, err = Git().execute(
        ["env", *unset, *given, "git", "-C", str(folder), *SAFELY, *words],
        env=QUIETLY,
        with_extended_output=True,
        with_exceptions=False,
        stdout_as_string=False,
        strip_newline_in_stdout=False,
    )
    return Answer(status == 0, out, err)


def toplevel(folder: Path) -> Path:
    """The nearest folder upwards that holds a `.git`, else the folder itself; resolved. Asks no git, costs nothing."""
    here = folder.resolve()
    return next((each for each in (here, *here.parents) if os.path.lexists(each / ".git")), here)


def is_work_tree(folder: Path) -> bool:
    """Whether git agrees that `folder` is the top of a work tree.

    A configuration that puts the work tree elsewhere (`core.worktree`) does not decide what is copied.
    """
    if not os.path.lexists(folder / ".git"):
        return False
    answer = ask(folder, "rev-parse", "--show-toplevel")
    return answer.ok and os.fsdecode(answer.out).removesuffix("\n") == str(folder.resolve())


def root_of(repo: Path) -> Path:
    """The folder that paths of a tree or a patch are relative to when the user names `repo`; resolved.

    The top of the git work tree. The folder itself where git says no, or where the work tree around it
    does not want it (a project below a home folder kept in git).
    """
    here, top = repo.resolve(), toplevel(repo)
    belongs = top == here or bool(ask(here, "ls-files", "-z", "-c", "-o", "--exclude-standard").out)
    return top if belongs and is_work_tree(top) else here


def tracked(top: Path) -> dict[str, bool]:
    """The paths in the index, relative to `top`; True for a submodule. A path in conflict comes once."""
    rows = (row.partition(b"\t") for row in records(top, "ls-files", "-z", "--stage"))
    return {os.fsdecode(path): facts.startswith(GITLINK) for facts, _, path in rows}


def untracked(top: Path) -> list[str]:
    """The paths that git neither tracks nor ignores; of a repository in the repository its path and a slash."""
    return [os.fsdecode(path) for path in records(top, "ls-files", "-z", "--others", "--exclude-standard")]


def ignored(top: Path) -> list[str]:
    """The paths that git ignores; of a folder that it ignores as a whole its path and a slash."""
    words = ("ls-files", "-z", "--others", "--ignored", "--exclude-standard", "--directory")
    return [os.fsdecode(path) for path in records(top, *words)]


def records(top: Path, *words: str) -> list[bytes]:
    answer = ask(top, *words)
    if not answer.ok:
        reason = answer.err.strip().splitlines()[-1:] or ["no reason given"]
        raise EnvironmentFault(f"git cannot list the files of {top}: {reason[0]}.", f"Run `git -C {top} status`.")
    return answer.out.split(b"\0")[:-1]
