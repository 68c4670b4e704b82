"""Every function of a project that can be a target, kept between runs by content."""

from __future__ import annotations

import bisect
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from optagent.core.target import Target, Tree
from optagent.languages.python.source.import_names import Layout
from optagent.languages.python.source.kinds import Function
from optagent.languages.python.source.sources import is_test_of, source_files
from optagent.languages.python.targets import index_cache
from optagent.languages.python.targets.index_cache import UNSETTLED, Known, Look
from optagent.languages.python.targets.index_facts import UNREADABLE, Facts, Job, digest_of, look_at_all


@dataclass(frozen=True)
class Place:
    """A target and the lines it has, decorators included."""

    target: Target
    first: int
    last: int


class Index:
    """The functions of a project, to be found by where a profiler or a coverage tool saw them."""

    def __init__(self, places: Mapping[str, tuple[Place, ...]]) -> None:
        """`places` by path below the tree's root, in the order of their lines."""
        self._places = places

    @property
    def targets(self) -> tuple[Target, ...]:
        return tuple([place.target for places in self._places.values() for place in places])

    def at(self, path: str, line: int) -> Target | None:
        """The function around a line, nested ones and decorators (so `co_firstlineno`) included."""
        places = self._places.get(path, ())
        k = bisect.bisect_right(places, line, key=lambda place: place.first)
        return places[k - 1].target if k and line <= places[k - 1].last else None

    def named(self, path: str, qualname: str) -> Target | None:
        """The function of that qualified name, as in `co_qualname`; a nested one counts for the one around it."""
        outer = qualname.partition(".<locals>")[0]
        return next((place.target for place in self._places.get(path, ()) if place.target.qualname == outer), None)


def index(tree: Tree, cache: Path | None) -> tuple[Target, ...]:
    """Every function of the project that may be a target, by file and line.

    Test files, environments, caches, build output and files that are no valid Python are left out. `cache` is a
    folder of ours, never in the user's tree, where the next call finds what this one learned.
    """
    return read_index(tree, cache).targets


def read_index(tree: Tree, cache: Path | None) -> Index:
    """The same, to be asked by place."""
    files = _facts_by_path(tree, cache)
    layout = Layout(tree, lambda: frozenset(name for facts in files.values() for name in facts.imports.split()))
    return Index({path: _places(layout, path, facts.functions) for path, facts in files.items() if facts.functions})


def _places(layout: Layout, path: str, found: tuple[Function, ...]) -> tuple[Place, ...]:
    targets = layout.targets(path, found)
    return tuple([Place(target, each.first, each.last) for target, each in zip(targets, found, strict=True)])


def _facts_by_path(tree: Tree, cache: Path | None) -> dict[str, Facts]:
    known = index_cache.read(cache) if cache else Known()
    scan = Scan(tree, known)
    if cache and scan.has_learned:
        index_cache.write(cache, scan.known_now())
    return {path: scan.facts[digest] for path, (_, digest) in scan.files.items()}


class Scan:
    """One walk over the project: what is known is taken over, the rest is looked at."""

    def __init__(self, tree: Tree, known: Known) -> None:
        self.files: dict[str, tuple[Look, str]] = {}
        self.facts: dict[str, Facts] = {}
        self._known = known
        self._inside = "" if tree.project == "." else f"{tree.project}/"
        self._look_at(self._walk(tree))

    @property
    def has_learned(self) -> bool:
        before = {path: seen for path, seen in self._known.files.items() if path.startswith(self._inside)}
        return before != self.files

    def known_now(self) -> Known:
        """What is worth keeping: this project, and what other scans found elsewhere in the repository."""
        elsewhere = {path: seen for path, seen in self._known.files.items() if not path.startswith(self._inside)}
        files = elsewhere | {path: seen for path, seen in self.files.items() if seen[1] != UNREADABLE}
        every = {**self._known.facts, **self.facts}
        return Known(files, {digest: every[digest] for _, digest in files.values()})

    def _walk(self, tree: Tree) -> dict[str, Job]:
        """Notes every file with its look, and returns by path those of which nothing is known."""
        began_ns = time.time_ns()
        jobs: dict[str, Job] = {}
        for path, entry in source_files(tree):
            try:
                stat = entry.stat(follow_symlinks=False)
            except OSError:  # gone since the folder was read
                continue
            job = Job(entry.path, stat.st_size, is_test_of(tree, path))
            look = index_cache.look_of(stat, job.is_test, began_ns)
            digest = self._digest_known(path, look, job)
            self.files[path] = look, digest
            if digest in self._known.facts:
                self.facts[digest] = self._known.facts[digest]
            else:
                jobs[path] = job
        return jobs

    def _look_at(self, jobs: dict[str, Job]) -> None:
        for path, (digest, facts) in zip(jobs, look_at_all(list(jobs.values())), strict=True):
            self.files[path] = self.files[path][0], digest
            self.facts[digest] = facts

    def _digest_known(self, path: str, look: Look, job: Job) -> str:
        """The digest of a file by its look, or else by its content; when nothing is known at all it is not read."""
        look_then, digest = self._known.files.get(path, (UNSETTLED, ""))
        if look == look_then != UNSETTLED or not self._known.facts:
            return digest
        try:
            with open(job.file, "rb") as file:
                return digest_of(file.read(), job.is_test)
        except OSError:
            return UNREADABLE
