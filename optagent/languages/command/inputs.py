"""The workload of a command: the files that its project names, each one Input."""

from __future__ import annotations

import os

from optagent.core.target import Tree
from optagent.core.workload import Input, Workload, distinct, split
from optagent.errors import BadSetting, BaselineBroken
from optagent.languages.command.contestant import Answer
from optagent.languages.command.files import files_meant
from optagent.languages.command.project import CommandProject
from optagent.languages.command.settings import CommandSettings
from optagent.languages.contestant import REFERENCE

CODEC = "file"
MOST_BYTES = 192 << 20
"""All inputs of a contestant travel in one frame, which holds 256 MiB."""


def read_inputs(tree: Tree, settings: CommandSettings) -> list[Input]:
    """One Input per file: its name, a zero byte, its content. Raises BadSetting."""
    paths = [tree.root / path for path in files_meant(tree, settings.inputs)]
    size = sum(path.stat().st_size for path in paths)
    if size > MOST_BYTES:
        raise BadSetting(
            f"`inputs` are {len(paths)} files of {size >> 20} MiB, more than {MOST_BYTES >> 20} MiB",
            "Name fewer or smaller ones.",
        )
    return [Input(os.fsencode(path.name) + b"\0" + path.read_bytes(), "input files", CODEC) for path in paths]


def workload(project: CommandProject, tree: Tree, patience_s: float) -> Workload:
    """The inputs, a part of them held out, on all of which the untouched command ends as it should.

    Raises BadSetting for too few inputs, BaselineBroken when the command fails on one or prints nothing at all, and
    Misconduct when it cannot be run.
    """
    inputs = distinct(read_inputs(tree, project.settings))
    if len(inputs) < 2:
        raise BadSetting(
            f"`inputs` ({', '.join(project.settings.inputs)}) mean {len(inputs)} distinct file(s), "
            "so nothing can be held out",
            "Name two at least; more of several sizes make a better proof.",
        )
    with project.contestant(tree, 0, patience_s, REFERENCE) as reference:
        project.load(reference, tree, 1)
        reference.keep([one.data for one in inputs])
        answers = reference.answers(range(len(inputs)))
    _check(inputs, answers, project.settings.exits)
    return split(inputs)


def _check(inputs: list[Input], answers: list[Answer], exits: tuple[int, ...]) -> None:
    """A command that fails everywhere is the same as any other that does: nothing would be judged."""
    good = {f"exit {code}" for code in exits}
    for given, answer in zip(inputs, answers, strict=True):
        if answer.ending not in good:
            name = os.fsdecode(given.data.partition(b"\0")[0])
            raise BaselineBroken(
                f"the untouched command ends with {answer.ending} on {name}{': ' * bool(answer.words)}{answer.words}",
                "Make it run without seeing inputs and `hidden` files in place, or allow that code in `exits`.",
            )
    if len({answer.encoding for answer in answers}) == 1:
        raise BaselineBroken(
            f"the untouched command writes the same on all {len(inputs)} inputs, so nothing can be told from it",
            "Let `run` read its input ({input}, or standard input) and print or write ({output}) its result.",
        )
