"""The name of a module is the one under which Python then finds that very file."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from optagent.core.target import Tree
from optagent.languages.python.source.import_names import Layout, names_imported_by

PKG = {"pkg/__init__.py": "", "pkg/mod.py": "def f(): pass\n"}


def below(folder: str, files: dict[str, str] = PKG) -> dict[str, str]:
    return {f"{folder}/{name}": text for name, text in files.items()}


def pyproject(text: str) -> dict[str, str]:
    return {"pyproject.toml": text}


LAYOUTS = {
    "flat": (PKG, "pkg/mod.py", ".:pkg.mod"),
    "a module alone": ({"mod.py": ""}, "mod.py", ".:mod"),
    "src": (below("src"), "src/pkg/mod.py", "src:pkg.mod"),
    "a package's own file": (below("src"), "src/pkg/__init__.py", "src:pkg"),
    "the file of a package that is the root": ({"__init__.py": ""}, "__init__.py", ".:__init__"),
    "src with a namespace": (below("src/company/team"), "src/company/team/pkg/mod.py", "src:company.team.pkg.mod"),
    "src with a namespace, a module in it": (
        {"src/company/team/mod.py": ""}, "src/company/team/mod.py", "src:company.team.mod",
    ),
    "a folder without a word about it": ({"scripts/tool.py": ""}, "scripts/tool.py", "scripts:tool"),
    "setuptools where": (
        {**below("lib/company"), **pyproject('[tool.setuptools.packages.find]\nwhere = ["lib"]\n')},
        "lib/company/pkg/mod.py", "lib:company.pkg.mod",
    ),
    "setuptools include": (
        {**below("company"), **pyproject('[tool.setuptools.packages.find]\ninclude = ["company*"]\n')},
        "company/pkg/mod.py", ".:company.pkg.mod",
    ),
    "setuptools package-dir": (
        {**below("lib/company"), **pyproject('[tool.setuptools]\npackage-dir = {"" = "lib"}\n')},
        "lib/company/pkg/mod.py", "lib:company.pkg.mod",
    ),
    "setuptools packages by name": (
        {**below("company"), **pyproject('[tool.setuptools]\npackages = ["company.pkg"]\n')},
        "company/pkg/mod.py", ".:company.pkg.mod",
    ),
    "setup.cfg": (
        {**below("lib/company"), "setup.cfg": "[options]\npackage_dir =\n    = lib\n"},
        "lib/company/pkg/mod.py", "lib:company.pkg.mod",
    ),
    "setup.cfg where": (
        {**below("lib/company"), "setup.cfg": "[options.packages.find]\nwhere = lib\n"},
        "lib/company/pkg/mod.py", "lib:company.pkg.mod",
    ),
    "hatch packages": (
        {**below("python/company"), **pyproject('[tool.hatch.build.targets.wheel]\npackages = ["python/company"]\n')},
        "python/company/pkg/mod.py", "python:company.pkg.mod",
    ),
    "hatch sources": (
        {**below("python/company"), **pyproject('[tool.hatch.build]\nsources = ["python"]\n')},
        "python/company/pkg/mod.py", "python:company.pkg.mod",
    ),
    "poetry": (
        {**below("python/company"), **pyproject('[tool.poetry]\npackages = [{include = "company", from = "python"}]\n')},
        "python/company/pkg/mod.py", "python:company.pkg.mod",
    ),
    "poetry without from": (
        {**below("company"), **pyproject('[tool.poetry]\npackages = [{include = "company"}]\n')},
        "company/pkg/mod.py", ".:company.pkg.mod",
    ),
    "uv": (
        {**below("python/company"), **pyproject('[tool.uv.build-backend]\nmodule-root = "python"\n')},
        "python/company/pkg/mod.py", "python:company.pkg.mod",
    ),
    "maturin": (
        {**below("python/company"), **pyproject('[tool.maturin]\npython-source = "python"\n')},
        "python/company/pkg/mod.py", "python:company.pkg.mod",
    ),
    "pytest": (
        {**below("python/company"), **pyproject('[tool.pytest.ini_options]\npythonpath = [".", "python"]\n')},
        "python/company/pkg/mod.py", "python:company.pkg.mod",
    ),
    "a declaration about other folders": (
        {**below("lib"), "scripts/tool.py": "", **pyproject('[tool.setuptools.packages.find]\nwhere = ["lib", ".."]\n')},
        "scripts/tool.py", "scripts:tool",
    ),
    "a pyproject that is none": ({**below("a/company"), **pyproject("[tool")}, "a/company/pkg/mod.py", "a/company:pkg.mod"),
    "as the tests import it": (
        {**below("company/team"), "tests/test_a.py": "import company.team.pkg.mod\n"},
        "company/team/pkg/mod.py", ".:company.team.pkg.mod",
    ),
    "as the tests import from it": (
        {**below("lib/team"), "tests/test_a.py": "def test():\n    from team import (  # ours\n        pkg,\n    )\n"},
        "lib/team/pkg/mod.py", "lib:team.pkg.mod",
    ),
    "a folder that is called as a package of others": (
        {"examples/json/mine.py": "", "tests/test_a.py": "import json\nfrom json import loads\nimport json.decoder\n"},
        "examples/json/mine.py", "examples/json:mine",
    ),
    "a folder without __init__ in a package": (
        {**below("src"), "src/pkg/data/rows.py": ""}, "src/pkg/data/rows.py", "src:pkg.data.rows",
    ),
    "a monorepo with src": (
        {**below("packages/a/src"), "packages/a/pyproject.toml": ""}, "packages/a/src/pkg/mod.py", "packages/a/src:pkg.mod",
    ),
    "a monorepo without": (
        {**below("packages/b"), "packages/b/pyproject.toml": "", "packages/b/tests/test_a.py": "import pkg.mod\n"},
        "packages/b/pkg/mod.py", "packages/b:pkg.mod",
    ),
    "a monorepo with a namespace in one part": (
        {**below("packages/b/company"), "packages/b/setup.py": "", "packages/b/tests/test_a.py": "import company.pkg\n"},
        "packages/b/company/pkg/mod.py", "packages/b:company.pkg.mod",
    ),
    "a folder with a dash": ({**below("my-code/company")}, "my-code/company/pkg/mod.py", "my-code/company:pkg.mod"),
}  # fmt: skip


@pytest.mark.parametrize("name", LAYOUTS)
def test_a_module_has_the_name_that_leads_to_its_file(make_repo, name):
    files, path, expected = LAYOUTS[name]
    root = make_repo(files)
    import_root, module = Layout(Tree(root)).import_name(path)
    assert f"{import_root}:{module}" == expected
    script = (
        "import importlib, sys; sys.path.insert(0, sys.argv[1]); print(importlib.import_module(sys.argv[2]).__file__)"
    )
    done = subprocess.run(
        [sys.executable, "-S", "-B", "-c", script, root / import_root, module],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == str(root / path)


def test_the_files_are_read_only_when_nothing_else_decides():
    def never() -> frozenset[str]:
        raise AssertionError("asked without need")

    tree = Tree(Path(__file__).parents[2])
    layout = Layout(tree, never)
    assert layout.import_name("optagent/core/target.py") == (".", "optagent.core.target")


@pytest.mark.parametrize(
    ("source", "names"),
    [
        (b"import a, b.c as d ; x = 1\n", ["a", "b.c"]),
        (b"\tfrom a.b import c as d, e # f\n", ["a.b.c", "a.b.e"]),
        (b"from a import (b,\r\n  # not, this\r\n  c)\r\n", ["a.b", "a.c"]),
        (b"from . import a\nfrom .b import c\nfrom d import *\n", []),
        (b"important = 1\nx = 'import y'\n", []),
    ],
)
def test_imports_are_seen_in_the_text(source, names):
    assert sorted(names_imported_by(source)) == names
