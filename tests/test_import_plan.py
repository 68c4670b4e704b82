"""The plan of the house: who may know whom. It is checked on the source, so imports inside functions count too."""

import ast
import graphlib
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from optagent.languages.python.toolbox_folder import PARTS

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "optagent"
TOOLBOX = PACKAGE / "languages" / "python" / "toolbox"
SOURCES = sorted(PACKAGE.rglob("*.py"))

# room: the rooms it may import, itself and `errors` always included; * is everything
PLAN = {
    "core": "",
    "errors": "",
    "sandbox": "core",
    "workspace": "core sandbox",
    "llm": "core",
    "ledger": "core",
    "languages": "core sandbox workspace",
    "measure": "core sandbox workspace languages",
    "verify": "core sandbox workspace languages",
    "profile": "core sandbox workspace languages",
    "agents": "core llm",
    "rules": "core",
    "search": "core workspace measure verify profile agents rules",
    "suites": "core search ledger languages",
    "engine": "core search ledger languages",
    "report": "core ledger",
    "bot": "*",
    "serve": "*",
    "cli": "*",
    "__main__": "cli",
    "__init__": "",
}
# the same within some rooms, by folder; what lies beside the folders may import all of them
FOLDERS = {
    "languages/python/source": "",
    "languages/python/environment": "",
    "languages/python/targets": "source",
    "languages/python/scope": "source",
    "languages/python/edit": "source targets scope",
    "languages/python/testing": "source environment",
    "rules/code": "",
    "cli/settings": "",
    "cli/run": "settings",
    "cli/comparing": "settings run",
}
# library: the one room that may import it
OWNER = {
    "litellm": "llm", "tenacity": "llm", "jinja2": "agents", "git": "workspace", "typer": "cli", "libcst": "rules",
    "sqlite3": "ledger", "ray": "engine", "pyperf": "measure",
}  # fmt: skip
# rooms in which one file may start processes without the sandbox: git, and the command that prints a key
STARTS_PROCESSES = {"workspace": 1, "llm": 1}


def name_of(path: Path) -> str:
    return str(path.relative_to(PACKAGE))


def room_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported(node: ast.AST) -> Iterator[str]:
    """The dotted names that one statement imports; `from a import b` is a.b, whether b is a module or not."""
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        yield from (f"{node.module}.{alias.name}" for alias in node.names)


@cache
def nodes_of(path: Path) -> list[ast.AST]:
    return list(ast.walk(ast.parse(path.read_text())))


@cache
def imports_anywhere(path: Path) -> list[str]:
    return [name for node in nodes_of(path) for name in imported(node)]


def at_module_level(node: ast.AST) -> Iterator[ast.AST]:
    """What runs when the module is imported: everything outside functions and `if TYPE_CHECKING:`."""
    for child in ast.iter_child_nodes(node):
        hidden = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        if hidden or (isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test)):
            continue
        yield child
        yield from at_module_level(child)


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_each_room_imports_only_the_rooms_it_may_know(path):
    room = room_of(path)
    allowed = {room, "errors", *PLAN[room].split()}
    for name in imports_anywhere(path):
        top, _, rest = name.partition(".")
        other = rest.partition(".")[0]
        if top == "optagent" and other in PLAN and "*" not in allowed:
            assert other in allowed, f"{room}/ must not know {other}/"


@pytest.mark.parametrize("folder", FOLDERS)
def test_each_folder_of_a_room_imports_only_the_folders_it_may_know(folder):
    room, _, own = folder.rpartition("/")
    prefix = f"optagent.{room.replace('/', '.')}."
    paths = sorted(PACKAGE.joinpath(folder).glob("*.py"))
    assert paths
    for path in paths:
        for name in imports_anywhere(path):
            if name.startswith(prefix):
                other = name.removeprefix(prefix).partition(".")[0]
                assert other in {own, *FOLDERS[folder].split()}, f"{path.name} must not know {name}"


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_each_library_is_imported_only_by_the_room_that_owns_it(path):
    for name in imports_anywhere(path):
        library = name.partition(".")[0]
        assert OWNER.get(library, room_of(path)) == room_of(path), f"only {OWNER[library]}/ may import {library}"


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_every_import_is_absolute(path):
    for node in nodes_of(path):
        assert not (isinstance(node, ast.ImportFrom) and node.level), f"line {node.lineno}: a relative import"


def test_every_room_is_in_the_plan():
    rooms = {room_of(path) for path in SOURCES}
    assert rooms <= PLAN.keys(), f"not in the plan: {rooms - PLAN.keys()}"


def test_processes_are_started_by_the_sandbox_and_by_one_file_each_for_git_and_keys():
    starters = [path for path in SOURCES if any(n.split(".")[0] == "subprocess" for n in imports_anywhere(path))]
    outside = [room_of(path) for path in starters if room_of(path) != "sandbox"]
    for room in set(outside):
        assert outside.count(room) <= STARTS_PROCESSES.get(room, 0), f"{room}/ imports subprocess"


OF_THE_TARGET = {"optagent_probe": {"pytest"}, "sitecustomize": {"sitecustomize"}, "optagent_samples": {"pyinstrument"}}
"""What single files of the toolbox need of the target's own: its tests' runner, the file they stand in front of, and
a profiler where it has one."""


def test_what_runs_in_the_targets_interpreter_uses_the_standard_library_and_its_siblings():
    files = {name.removesuffix(".py"): PACKAGE.joinpath(*package.split(".")[1:], file) for package, file, name in PARTS}
    assert set(TOOLBOX.rglob("*.py")) <= set(files.values())
    known = sys.stdlib_module_names | files.keys()
    for path in files.values():
        foreign = {name.split(".")[0] for name in imports_anywhere(path)} - known - OF_THE_TARGET.get(path.stem, set())
        assert not foreign, f"{name_of(path)} imports {foreign}, which the target's interpreter may not have"


def test_no_modules_import_each_other_in_a_circle():
    modules = {
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path for path in SOURCES
    }
    graph = {}
    for module, path in modules.items():
        names = [name for node in at_module_level(ast.parse(path.read_text())) for name in imported(node)]
        found = {name if name in modules else name.rpartition(".")[0] for name in names}
        graph[module] = (found & modules.keys()) - {module}
    graphlib.TopologicalSorter(graph).prepare()  # raises CycleError, which names the circle


def test_the_reader_of_this_test_sees_imports_inside_functions_and_through_their_package(tmp_path):
    source = tmp_path / "sample.py"
    source.write_text("def late():\n    from optagent import cli\n    import git.repo as r, sqlite3\n")
    assert imports_anywhere(source) == ["optagent.cli", "git.repo", "sqlite3"]
    assert not [name for node in at_module_level(ast.parse(source.read_text())) for name in imported(node)]
