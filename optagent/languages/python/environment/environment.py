"""The environment the target runs in: which, what of it the sandbox must see, and what stands for the user's tree."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from optagent.languages.python.environment import exposure, finding, interpreter, site_packages
from optagent.languages.python.environment.finding import Search
from optagent.languages.python.environment.interpreter import Interpreter
from optagent.languages.python.environment.site_packages import Added
from optagent.sandbox.base import Mount, Sandbox


@dataclass(frozen=True)
class Editable:
    """A project that the environment imports from its own folder instead of a copy.

    `inside` the repository: our checkout's folders stand for it. Else its folder is shown read-only.
    `trouble` says why importing it may not work as the user knows it.
    """

    name: str
    path: Path
    inside: bool
    trouble: str = ""

    def __str__(self) -> str:
        return f"editable: {self.name} -> {self.path}{f' ({self.trouble})' if self.trouble else ''}"


@dataclass(frozen=True)
class Environment:
    """`interpreter` comes with all its mounts. `import_roots` are folders of the repository, relative to its top.

    They belong on the import path before the environment's own folders, for in the sandbox the user's tree
    is not there. `installed` holds versions by canonical name. `notes` are sentences worth showing.
    """

    interpreter: Interpreter
    editables: tuple[Editable, ...]
    import_roots: tuple[str, ...]
    installed: Mapping[str, str]
    passed_over: tuple[str, ...]
    notes: tuple[str, ...]

    def __str__(self) -> str:
        return str(self.interpreter)


def look(search: Search, sandbox: Sandbox) -> Environment:
    """The project's environment, found and looked at. Raises InterpreterUnusable."""
    found = finding.find(search)
    return survey(interpreter.probe(found.executable, found.origin, sandbox), search, found.passed_over)


def survey(known: Interpreter, search: Search, passed_over: tuple[str, ...] = ()) -> Environment:
    """What an interpreter's site folders say, with the repository that is copied left out of what is shown."""
    stores = (store for site in known.site for store in site_packages.link_stores(site))
    known = _with(known, [Mount(store, str(store)) for store in stores])
    reader = _Reader(known, Path(os.path.realpath(search.top)), Path(os.path.realpath(search.host.home)))
    for site in known.site:
        for added in site_packages.additions(site):
            reader.take(added)
    installed: dict[str, str] = {}
    for site in reversed(known.site):  # the first on the path is the one imported
        installed |= site_packages.distributions(site)
    return Environment(
        _with(known, reader.mounts),
        tuple(reader.editables()), tuple(dict.fromkeys((*_python_path(search), *reader.roots))), installed, passed_over,
        (*reader.notes, *_user_site(known, search)),
    )  # fmt: skip


def _with(known: Interpreter, mounts: list[Mount]) -> Interpreter:
    return replace(known, mounts=tuple(dict.fromkeys((*known.mounts, *mounts))))


class _Reader:
    """Sorts what is added to the import path into roots of the checkout, mounts, and what is not shown."""

    def __init__(self, known: Interpreter, top: Path, home: Path) -> None:
        self.known, self.top, self.home = known, top, home
        self.roots: list[str] = []
        self.mounts: list[Mount] = []
        self.notes: list[str] = []
        self._users: dict[str, Path] = {}
        self._seen: set[str] = set()
        self._trouble: dict[str, str] = {}

    def take(self, added: Added) -> None:
        place = added.folder or added.place
        if place is None:
            self._trouble[added.name] = "its import hook could not be read"
            return
        real = Path(os.path.realpath(place))
        if not os.path.exists(real):
            return
        self._seen.add(added.name)
        if self._is_in_repository(real):
            self._users.setdefault(added.name, real)
            self._take_root(added, real)
        elif not self._is_shown(real):
            self._users.setdefault(added.name, real)
            self._take_mount(added, added.place or place)

    def _take_root(self, added: Added, real: Path) -> None:
        inside = real.relative_to(self.top).as_posix()
        if added.folder is None:
            self._trouble[added.name] = f"it renames {inside}, which cannot be imported by that name in a checkout"
        else:
            self.roots.append(inside)

    def _take_mount(self, added: Added, place: Path) -> None:
        reason = exposure.fault(Path(os.path.realpath(place)), self.top, self.home)
        if reason:
            self.notes.append(f"{place} is on its import path ({added.name}) and not shown: {reason}")
        else:
            self.mounts += exposure.module(place) if added.place else exposure.folder(place)

    def editables(self) -> Iterator[Editable]:
        """Those that say so themselves, and every folder of the user's that is on the path for another reason."""
        projects: dict[str, Path] = {}
        for site in self.known.site:
            projects |= site_packages.editable_projects(site)
        roots = {name: Path(os.path.realpath(path)) for name, path in projects.items()}
        strays = {name: path for name, path in self._users.items() if not any(map(path.is_relative_to, roots.values()))}
        for name, path in {**strays, **roots}.items():
            yield Editable(name, path, self._is_in_repository(path), self._trouble_of(name, path))

    def _trouble_of(self, name: str, path: Path) -> str:
        if not os.path.exists(path):
            return "it is not there"
        is_seen = name in self._seen or any(each.is_relative_to(path) for each in self._users.values())
        return self._trouble.get(name) or ("" if is_seen else "nothing of it is on the import path")

    def _is_in_repository(self, real: Path) -> bool:
        """In the tree that is copied: an environment that lies in it is not."""
        own = (each for each in self._shown() if each.is_relative_to(self.top) and each != self.top)
        return real.is_relative_to(self.top) and not any(real.is_relative_to(each) for each in own)

    def _is_shown(self, real: Path) -> bool:
        return interpreter.is_system(real) or any(real.is_relative_to(each) for each in self._shown())

    def _shown(self) -> list[Path]:
        return [Path(os.path.realpath(mount.source)) for mount in self.known.mounts]


def _python_path(search: Search) -> list[str]:
    """The user's PYTHONPATH as far as it lies in the repository; the rest is his own affair and stays outside."""
    named = filter(None, search.host.env.get("PYTHONPATH", "").split(os.pathsep))
    top = Path(os.path.realpath(search.top))
    found = [Path(os.path.realpath(each)) for each in named]
    return [each.relative_to(top).as_posix() for each in found if each.is_relative_to(top) and os.path.isdir(each)]


def _user_site(known: Interpreter, search: Search) -> Iterator[str]:
    """What `pip install --user` put beside a bare interpreter is below the home and therefore not seen."""
    major, minor, _ = known.version
    folder = search.host.home / f".local/lib/python{major}.{minor}/site-packages"
    if not os.path.exists(known.prefix / "pyvenv.cfg") and site_packages.entries(folder):
        yield f"packages in {folder} are not used: make an environment for the project to have them"
