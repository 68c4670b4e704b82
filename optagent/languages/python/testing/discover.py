"""The tests and benchmarks of a project, from the names of files and what stands in them."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass

from optagent.core.target import Tree
from optagent.languages.python.source.sources import SKIPPED_FOLDERS, is_test_file


def test_files(tree: Tree) -> Iterator[str]:
    """Python files below the project that are named like tests or lie in their folders, relative to the tree."""
    for folder, folders, names in os.walk(tree.project_root):
        folders[:] = [name for name in folders if name not in SKIPPED_FOLDERS]
        inside = os.path.relpath(folder, tree.root)
        paths = (os.path.normpath(f"{inside}/{name}") for name in sorted(names) if name.endswith(".py"))
        yield from (path for path in paths if is_test_file(path))


ASV = "asv.conf.json"
ASV_FOLDER = "benchmarks"
NAMED_LIKE_A_BENCHMARK = re.compile(r"(^|[/_])(bench|perf)")
PYPERF = re.compile(rb"^\s*(import pyperf|from pyperf import)", re.MULTILINE)
MOST_SCRIPT_BYTES = 1 << 20


@dataclass(frozen=True)
class Benchmarks:
    """Relative to the tree: files of asv's, each with the folder it is imported from, and scripts for pyperf."""

    suites: tuple[tuple[str, str], ...] = ()
    scripts: tuple[str, ...] = ()


def benchmarks(tree: Tree) -> Benchmarks:
    """Those below the project that asv's configuration names, and scripts that are named like benchmarks and import
    pyperf."""
    suites: list[tuple[str, str]] = []
    scripts: list[str] = []
    for folder, folders, names in os.walk(tree.project_root):
        folders[:] = sorted(name for name in folders if name not in SKIPPED_FOLDERS)
        inside = os.path.relpath(folder, tree.root)
        if ASV in names:
            suites += _of_asv(tree, inside)
        for name in sorted(names):
            path = os.path.normpath(f"{inside}/{name}")
            if _is_named_so(path) and _asks_pyperf(tree, path):
                scripts.append(path)
    known = {path for path, _ in suites}
    return Benchmarks(tuple(suites), tuple(path for path in scripts if path not in known))


def _is_named_so(path: str) -> bool:
    return path.endswith(".py") and bool(NAMED_LIKE_A_BENCHMARK.search(path)) and not is_test_file(path)


def _of_asv(tree: Tree, inside: str) -> Iterator[tuple[str, str]]:
    """Every Python file of the folder that asv's configuration in that folder names; comments may stand in it."""
    try:
        text = (tree.root / inside / ASV).read_text("utf-8")
        said = json.loads(re.sub(r"^\s*//.*$", "", text, flags=re.MULTILINE))
        named = str(said.get("benchmark_dir", ASV_FOLDER))
    except (OSError, ValueError, AttributeError):
        named = ASV_FOLDER
    top = os.path.normpath(f"{inside}/{named}")
    if top == "." or top.startswith("..") or os.path.isabs(top):
        return
    for folder, folders, names in os.walk(tree.root / top):
        folders[:] = sorted(name for name in folders if name not in SKIPPED_FOLDERS)
        for name in sorted(names):
            path = os.path.relpath(os.path.join(folder, name), tree.root)
            if name.endswith(".py") and name != "__init__.py" and not is_test_file(path):
                yield path, os.path.dirname(top) or "."


def _asks_pyperf(tree: Tree, path: str) -> bool:
    file = tree.root / path
    try:
        return file.is_file() and file.stat().st_size < MOST_SCRIPT_BYTES and bool(PYPERF.search(file.read_bytes()))
    except OSError:
        return False


def has_tests(tree: Tree) -> bool:
    return next(test_files(tree), None) is not None
