"""What the folders of an environment's packages say, read without importing anything of them."""

from __future__ import annotations

import ast
import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from optagent.languages.python.environment.host import text

SUFFIX = re.compile(r"\.(dist-info|egg-info|egg)$")


@dataclass(frozen=True)
class Added:
    """A folder that a site folder's file adds to the import path, for the project of that name.

    `place`, if any: not the whole folder, only this module or package of it (without a suffix). `folder` None:
    the package is imported by another name than its place has. Neither: how it is imported could not be read.
    """

    name: str
    folder: Path | None
    place: Path | None = None


def entries(site: Path) -> list[str]:
    try:
        return sorted(os.listdir(site))
    except OSError:
        return []


def canonical(name: str) -> str:
    """The one spelling of a distribution's name.

    >>> canonical("Foo_bar.baz")
    'foo-bar-baz'
    """
    return re.sub(r"[-_.]+", "-", name).lower()


def distributions(site: Path) -> dict[str, str]:
    """The versions of what is installed there, by canonical name, as the names of the folders have it."""
    found = {}
    for entry in entries(site):
        name, dash, version = SUFFIX.sub("", entry).partition("-")
        if dash and SUFFIX.search(entry):
            found[canonical(name)] = version.partition("-py")[0]
    return found


def link_stores(site: Path) -> list[Path]:
    """The folders of a cache that packages are links into, one for each (`uv pip install --link-mode symlink`)."""
    marks = [site / entry / "METADATA" for entry in entries(site) if entry.endswith(".dist-info")]
    real = [Path(os.path.realpath(mark)) for mark in marks if os.path.islink(mark) and os.path.exists(mark)]
    return [file.parents[1] for file in real if file.parent.name.endswith(".dist-info")]


def editable_projects(site: Path) -> dict[str, Path]:
    """The folders of the projects that are installed as editable, by name (PEP 610, and .egg-link before it)."""
    found = {}
    for entry in entries(site):
        if entry.endswith(".dist-info"):
            url = _editable_url(site / entry / "direct_url.json")
            if url:
                found[canonical(entry.partition("-")[0])] = Path(unquote(urlsplit(url).path))
        elif entry.endswith(".egg-link"):
            found[canonical(entry.removesuffix(".egg-link"))] = Path(text(site / entry).partition("\n")[0].strip())
    return found


def _editable_url(file: Path) -> str:
    try:
        said = json.loads(text(file) or "{}")
        return str(said["url"]) if said.get("dir_info", {}).get("editable") else ""
    except (ValueError, KeyError, AttributeError):
        return ""


def additions(site: Path) -> Iterator[Added]:
    """What the folder's .pth files and links add to the import path, in the order in which `site` adds it."""
    names = entries(site)
    owners = _owners(site)
    for entry in names:
        if entry.endswith(".pth"):
            owner = owners.get(entry) or entry.removesuffix(".pth").removeprefix("__editable__.").lstrip("_")
            yield from _path_file(site, text(site / entry), owner, set(names))
    for entry in names:
        if os.path.islink(site / entry):
            yield from _link(site / entry, owners.get(entry, entry))


def _owners(site: Path) -> dict[str, str]:
    """Which editable project a file or folder directly in the site folder belongs to, from the project's RECORD."""
    found = {}
    for name in entries(site):
        if name.endswith(".dist-info") and _editable_url(site / name / "direct_url.json"):
            rows = text(site / name / "RECORD").splitlines()
            tops = {row.strip('"').split(",")[0].split("/")[0] for row in rows}
            found.update({top: canonical(name.partition("-")[0]) for top in tops})
    return found


def _path_file(site: Path, content: str, owner: str, names: set[str]) -> Iterator[Added]:
    """Each line is a folder or, when it begins with `import`, code; of code only the known finders are looked up."""
    for line in map(str.strip, content.splitlines()):
        if line.startswith(("import ", "import\t")):
            modules = [word for word in re.findall(r"\w+", line) if "editable" in word and f"{word}.py" in names]
            for module in dict.fromkeys(modules):
                yield from finder_folders(text(site / f"{module}.py"), owner)
        elif line and not line.startswith("#"):
            yield Added(owner, Path(os.path.normpath(site / line)))


def _link(link: Path, owner: str) -> Iterator[Added]:
    """A package that is a link to the project's own (flit, maturin, uv's link mode)."""
    leads = Path(os.path.realpath(link))
    if leads.parent != Path(os.path.realpath(link.parent)):
        yield Added(owner, leads.parent if leads.name == link.name else None, leads)


def finder_folders(source: str, owner: str) -> Iterator[Added]:
    """The folders an import hook stands for, from the map of modules to files in its source.

    setuptools keeps it in MAPPING and NAMESPACES, scikit-build-core in a call, hatchling and pdm in calls of
    `map_module`. A map that is none of these is named as unread.
    """
    try:
        pairs = dict.fromkeys(_pairs(ast.parse(source)))
    except (SyntaxError, ValueError, RecursionError):
        pairs = {}
    found = [(module, _bare(Path(place))) for module, place in pairs]
    yield from dict.fromkeys(Added(owner, _root(module, place), place) for module, place in found)
    if not found:
        yield Added(owner, None)


def _pairs(tree: ast.AST) -> Iterator[tuple[str, str]]:
    """Everything in the source that maps a dotted name to an absolute path."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Dict):
            couples = list(zip(node.keys, node.values, strict=True))
        elif isinstance(node, ast.Call) and len(node.args) == 2:
            couples = [(node.args[0], node.args[1])]
        else:
            continue
        for key, value in couples:
            places = value.elts if isinstance(value, ast.List) else [value]
            yield from ((module, place) for module in _text(key) for each in places for place in _text(each))


def _text(node: ast.expr | None) -> list[str]:
    return [node.value] if isinstance(node, ast.Constant) and isinstance(node.value, str) else []


def _bare(place: Path) -> Path:
    """The module's place without a suffix, a package's without its __init__."""
    bare = place.with_name(place.name.partition(".")[0])
    return bare.parent if bare.name == "__init__" else bare


def _root(module: str, place: Path) -> Path | None:
    """The folder from which `module` is imported when it lies at `place`; None when the names differ.

    >>> _root("a.b", Path("/x/a/b"))
    PosixPath('/x')
    >>> _root("foo", Path("/x/lib"))
    """
    parts = tuple(module.split("."))
    return place.parents[len(parts) - 1] if place.parts[-len(parts) :] == parts else None
