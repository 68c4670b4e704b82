"""What runs inside the sandbox for a command keeps to the standard library, like the worker of Python targets."""

import ast
import sys
from pathlib import Path

import pytest

from optagent.core.canonical import first_difference
from optagent.languages.command import toolbox_folder

PACKAGE = Path(toolbox_folder.__file__).parents[2]


@pytest.mark.parametrize(
    "value",
    ["3", "null", "[]", '["d"]', '["d",["ending"]]', '["d",["ending",[]]]', '["d",[[],1]]', '["d",["\\u001b[2J",1]]',
     '["d",["standard output",["l",["l",{}]]]]', '["d",["output file",{}]]', "{}", '["d",["standard output",[]]]'],
)  # fmt: skip
def test_whatever_a_worker_says_a_command_left_is_told_without_a_fault(value):
    good = b'["l","ran",["d",["ending","exit 0"],["standard output",["l","x"]]],["t"],["d"],["l"]]'
    bad = f'["l","ran",{value},["t"],["d"],["l"]]'.encode()
    for pair in ((good, bad), (bad, good)):
        assert first_difference(*pair).where.isprintable()


def sources():
    return {name: PACKAGE.joinpath(*package.split(".")[1:], file) for package, file, name in toolbox_folder.PARTS}


def test_the_installed_folder_holds_all_parts_readable_by_anyone(tmp_path):
    folder = toolbox_folder.install(tmp_path / "toolbox")
    assert {one.name for one in folder.iterdir()} == set(sources())
    assert all(one.stat().st_mode & 0o444 == 0o444 for one in folder.iterdir())
    assert set((PACKAGE / "languages" / "command" / "toolbox").glob("*.py")) <= set(sources().values())


def test_its_files_import_the_standard_library_and_each_other_only():
    known = sys.stdlib_module_names | {name.removesuffix(".py") for name in sources()}
    for name, path in sources().items():
        for node in ast.walk(ast.parse(path.read_text())):
            found = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            found += [node.module] if isinstance(node, ast.ImportFrom) else []
            assert {one.split(".")[0] for one in found} <= known, name
