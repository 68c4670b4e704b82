"""Where is it worth it: the hottest functions of a project, as a verb and as targets for `run`."""

from __future__ import annotations

import json as jsonlib
import os
import secrets
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from optagent.cli.run.adapters import python_targets
from optagent.cli.run.progress import Progress
from optagent.cli.run.workshop import place_of
from optagent.cli.settings.config import Config, read
from optagent.cli.settings.run_settings import words_of
from optagent.core import outcome as codes
from optagent.core.target import Target, Tree
from optagent.errors import BadSetting, BaselineBroken
from optagent.languages.python.environment.home import PythonHome
from optagent.languages.python.targets.index import index
from optagent.languages.python.testing.hotspots import Hotspot, of_command, of_tests
from optagent.report.document import SCHEMA
from optagent.report.text import safe
from optagent.workspace.folders import remove
from optagent.workspace.place import make_place
from optagent.workspace.snapshot import copy_project

LOOKS, INDEX = "looks", "index"
SHOWN = 20
OFFERED = 9


@dataclass(frozen=True)
class Look:
    """A copy of the project for one look at it, what runs it, and all its functions."""

    home: PythonHome
    tree: Tree
    functions: tuple[Target, ...]


def hotspots(repo: Path, given: Mapping[str, Any], command: str | None, json: bool) -> int:
    """Prints the functions in which the tests, or a command, spend their time."""
    asked = read(repo, given, os.environ)
    words_of("--command", command or "")
    with Progress(asked["max_minutes"], quiet=json) as progress:
        found = hot(asked, progress, command)
    shown = found[: asked["top"] or SHOWN]
    sys.stdout.write(_as_json(shown) if json else _as_text(shown, command))
    return codes.OK


def hottest(asked: Config, progress: Progress) -> tuple[str, ...]:
    """Targets when none is named: as many of the hottest as `top` says, else the one that a person chooses."""
    found = hot(asked, progress)
    if not found:
        raise BaselineBroken("the tests spend no time in functions of the project", "Name a target: `--target FN`.")
    specs = [spec(one.target) for one in found]
    if asked["top"]:
        return tuple(specs[: asked["top"]])
    offered = "\n".join(f"  {k}. {_row(one)}" for k, one in enumerate(found[:OFFERED], 1))
    if not sys.stdin.isatty():
        raise BadSetting(
            f"there is no target, so it is not clear what to make faster; the hottest functions are\n{offered}",
            "Name one: `--target FN`, or take the hottest: `--top 3`.",
        )
    with progress.paused():
        print(f"The hottest functions of the tests:\n{offered}", file=sys.stderr)
        return (_chosen(specs[:OFFERED]),)


def hot(asked: Config, progress: Progress, command: str | None = None) -> list[Hotspot]:
    """The hottest first."""
    progress.stage("looking for the hottest functions")
    with open_look(asked) as look:
        if command:
            return of_command(look.home, look.tree, look.functions, command)
        return of_tests(look.home, look.tree, look.functions)


def spec(target: Target) -> str:
    return f"{target.path}::{target.qualname}"


def _chosen(specs: list[str]) -> str:
    while True:
        print(f"Which one (1 to {len(specs)})? ", end="", file=sys.stderr, flush=True)
        answer = sys.stdin.readline()
        if not answer:
            raise BadSetting("no target was chosen", "Name one: `--target FN`.")
        if answer.strip().isdigit() and 1 <= int(answer) <= len(specs):
            return specs[int(answer) - 1]


@contextmanager
def open_look(asked: Config) -> Iterator[Look]:
    """A look at the project, whose copy is gone afterwards."""
    settings = asked.run_settings("").checked()
    place = place_of(asked.repo, asked.state)
    used = python_targets(settings, place.parent)
    make_place(place)
    folder = place / LOOKS / secrets.token_hex(4)
    folder.mkdir(parents=True)
    try:
        for part in (folder, folder.parent, place):
            part.chmod(0o755)
        tree = copy_project(asked.repo, folder / "tree")
        home = used.home(folder, settings.tests)
        yield Look(home, tree, index(tree, place / INDEX))
    finally:
        remove(folder)


def _row(one: Hotspot) -> str:
    return f"{100 * one.share:5.1f} %  {one.own_s:8.3f} s  {one.calls:9d} calls  {safe(spec(one.target))}"


def _as_text(found: list[Hotspot], command: str | None) -> str:
    what = f"`{command}`" if command else "the tests"
    head = f"share of the time of {what} in each function of the project itself, under a profiler (calls are slowed):"
    return "\n".join([head, *map(_row, found)]) + "\n"


def _as_json(found: list[Hotspot]) -> str:
    rows = [
        {
            "target": str(one.target), "path": one.target.path, "qualname": one.target.qualname,
            "line": one.target.line, "calls": one.calls, "own_seconds": one.own_s,
            "total_seconds": one.total_s, "share": one.share,
        }
        for one in found
    ]  # fmt: skip
    return jsonlib.dumps({"schema": SCHEMA, "verb": "hotspots", "functions": rows}, indent=2) + "\n"
