"""A place to make a commit at: an index of our own, so that the user's is not touched."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from optagent.errors import EnvironmentFault
from optagent.workspace.worktree import Answer, ask

# The user's configuration would make these leave files beside the user's index.
ONE_INDEX = ("-c", "core.splitIndex=false", "-c", "core.sparseCheckout=false", "-c", "index.sparse=false")
# Nobody is asked for a pass phrase, and the message is what it says it is.
PLAIN_COMMIT = ("-c", "commit.gpgSign=false", "-c", "i18n.commitEncoding=UTF-8")


@dataclass(frozen=True)
class Desk:
    """`head` is the commit to start from, `folder` ours alone and empty, `options` for every call of git."""

    root: Path
    head: str
    folder: Path
    options: tuple[str, ...]

    def ask(self, *words: str) -> Answer:
        index = {"GIT_INDEX_FILE": str(self.folder / "index")}
        return ask(self.root, *self.options, *ONE_INDEX, *PLAIN_COMMIT, *words, variables=index)

    def git(self, *words: str) -> str:
        """What git printed, without the last line end; EnvironmentFault when it refused."""
        answer = self.ask(*words)
        if not answer.ok:
            raise EnvironmentFault(
                f"git refused to make the commit: {reason(answer.err)}; no branch was made.",
                f"Look at the repository with `git -C {self.root} fsck`, or leave `--branch` out.",
            )
        return os.fsdecode(answer.out).removesuffix("\n")

    def digest(self, data: bytes, *words: str) -> str:
        """The name under which git knows the data; with `-w` among the words the repository holds it."""
        file = self.folder / "content"
        file.write_bytes(data)
        return self.git("hash-object", *words, "--", str(file))


def reason(err: str) -> str:
    """What git says went wrong: its line that begins so, else its last.

    >>> reason("*** Please tell me who you are.\\n\\nfatal: no email was given\\n")
    'no email was given'
    """
    lines = [line.strip() for line in err.splitlines() if line.strip()]
    said = [line.partition(":")[2].strip() for line in lines if line.startswith(("fatal:", "error:"))]
    return (said or lines[-1:] or ["no reason given"])[0]


def filters_off(root: Path) -> tuple[str, ...]:
    """Options under which none of the programs that are configured to convert files is run."""
    answer = ask(root, "config", "-z", "--name-only", "--get-regexp", r"^filter\.")
    drivers = sorted({name.rpartition(".")[0] for name in os.fsdecode(answer.out).split("\0") if name})
    return tuple(word for driver in drivers for option in off(driver) for word in ("-c", option))


def off(driver: str) -> Iterator[str]:
    yield from (f"{driver}.{program}=" for program in ("clean", "smudge", "process"))
    yield f"{driver}.required=false"
