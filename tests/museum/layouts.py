"""Repositories whose code lies, is built or is installed in ways of its own."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
import sysconfig
import venv
from functools import cache
from pathlib import Path

from exhibits import SOURCE, TESTS, Exhibit, repository
from repositories import commit, write

EXTENSION = """
#include <Python.h>
static PyObject *limit(PyObject *self, PyObject *none) { return PyLong_FromLong(300); }
static PyMethodDef methods[] = {{"limit", limit, METH_NOARGS, ""}, {0}};
static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "_fast", "", -1, methods};
PyMODINIT_FUNC PyInit__fast(void) { return PyModule_Create(&module); }
"""
IN_PACKAGE = TESTS.replace("from scores", "from package.scores")
PYTEST_AND_ITS_NEEDS = ("pytest", "py", "_pytest", "pluggy", "iniconfig", "packaging", "pygments")


@cache
def built(folder: Path) -> bytes:
    """A C extension module, compiled here."""
    write(folder, {"fast.c": EXTENSION})
    include = sysconfig.get_paths()["include"]
    words = ["gcc", "-shared", "-fPIC", f"-I{include}", str(folder / "fast.c"), "-o", str(folder / "fast.so")]
    subprocess.run(words, check=True, capture_output=True)
    return (folder / "fast.so").read_bytes()


def generated(folder: Path) -> Path:
    """A package that cannot be imported without what a build left in it and git ignores."""
    suffix = sysconfig.get_config_var("EXT_SUFFIX")
    needs = (
        "import importlib.metadata, json, pathlib\n\nfrom package import _fast, _version\n\n"
        "DATA = json.loads(pathlib.Path(__file__).with_name('table.json').read_text())\n"
        "assert importlib.metadata.version('package') == _version.version\n"
        "assert _fast.limit() == DATA['limit']\n\n\n"
    )
    ignored = "*.so\n_version.py\n*.egg-info/\ntable.json\nbuild/\nold-env/\n.coverage\n*.sqlite3\nhuge.bin\n"
    files: dict[str, bytes | str] = {
        ".gitignore": ignored, "src/package/__init__.py": "", "src/package/scores.py": needs + SOURCE,
        "tests/test_scores.py": IN_PACKAGE,
    }  # fmt: skip
    repo = commit(folder / "repo", files)
    write(
        repo,
        {
            f"src/package/_fast{suffix}": built(folder / "build"),
            "src/package/_version.py": "version = '1.2'\n",
            "src/package/table.json": '{"limit": 300}',
            "src/package.egg-info/PKG-INFO": "Metadata-Version: 2.1\nName: package\nVersion: 1.2\n",
            **dict.fromkeys((f"build/lib/package/_fast{suffix}", "old-env/pyvenv.cfg", ".coverage", "db.sqlite3"), "x"),
        },
    )
    with open(repo / "huge.bin", "wb") as file:
        file.truncate(33 << 20)
    return repo


def src_layout(folder: Path) -> Path:
    files: dict[str, bytes | str] = {
        "src/package/__init__.py": "", "src/package/scores.py": SOURCE, "tests/test_scores.py": IN_PACKAGE,
    }  # fmt: skip
    return commit(folder / "repo", files)


def monorepo(folder: Path) -> Path:
    """Two projects side by side; the tests of one read a file of the other."""
    reads = 'import pathlib\nassert pathlib.Path(__file__).parents[2].joinpath("b/shared.txt").read_text()\n'
    files: dict[str, bytes | str] = {
        "projects/a/scores.py": SOURCE, "projects/a/tests/test_scores.py": reads + TESTS,
        "projects/b/shared.txt": "1", "projects/b/other.py": SOURCE,
    }  # fmt: skip
    return commit(folder / "mono repo", files)


def installed_in_place(folder: Path) -> Path:
    """A project whose tests fail when they get the user's files instead of the copy's."""
    repo = src_layout(folder)
    mine = f"import package\nassert not package.__file__.startswith({str(repo)!r})\n"
    write(repo, {"tests/test_scores.py": mine + IN_PACKAGE})
    return repo


def editable_by_path(folder: Path) -> Path:
    repo = installed_in_place(folder)
    environment(folder, {"__editable__.package-1.pth": f"{repo}/src\n"})
    return repo


def editable_by_finder(folder: Path, place: str = "len(sys.meta_path)") -> Path:
    """As setuptools does it for packages that it cannot name by a folder: its finder is asked last."""
    repo = installed_in_place(folder)
    finder = (
        "import sys\nfrom importlib.util import spec_from_file_location\n\n\nclass Finder:\n"
        "    @classmethod\n    def find_spec(cls, name, path=None, target=None):\n"
        "        if name == 'package':\n"
        f"            return spec_from_file_location(name, {str(repo / 'src/package/__init__.py')!r})\n\n\n"
        f"def install():\n    sys.meta_path.insert({place}, Finder)\n"
    )
    loader = "import __editable___package_finder; __editable___package_finder.install()\n"
    environment(folder, {"__editable__.package-1.pth": loader, "__editable___package_finder.py": finder})
    return repo


def editable_by_first_finder(folder: Path) -> Path:
    """As builders of extensions do it: whoever imports the package gets the user's files, whatever the path says."""
    return editable_by_finder(folder, "0")


def environment(folder: Path, more: dict[str, bytes | str]) -> Path:
    """A virtual environment with pytest and these files in its site-packages."""
    made = folder / "environment"
    venv.create(made, symlinks=True)
    packages = made / f"lib/python{sys.version_info.major}.{sys.version_info.minor}/site-packages"
    for name in PYTEST_AND_ITS_NEEDS:
        source = Path(str(getattr(importlib.util.find_spec(name), "origin", None)))
        if source.name == "__init__.py":
            shutil.copytree(source.parent, packages / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, packages)
    write(packages, more)
    return made


def in_environment(folder: Path) -> Path:
    return folder / "environment/bin/python"


def fifty_thousand(folder: Path) -> Path:
    """All of one content, so that git keeps it once."""
    return repository(folder, dict.fromkeys([f"data/d{k // 500}/f{k}.txt" for k in range(50_000)], "x\n" * 500))


LAYOUTS = [
    Exhibit("src layout", src_layout, path="src/package/scores.py"),
    Exhibit(
        "what a build left", generated, "score", "src/package/scores.py",
        holds=("src/package/_version.py", "src/package/table.json", "src/package.egg-info/PKG-INFO"),
        lacks=("build", "old-env", ".coverage", "db.sqlite3", "huge.bin"),
    ),
    Exhibit("monorepo by its sub-folder", lambda folder: monorepo(folder) / "projects/a", path="projects/a/scores.py"),
    Exhibit("monorepo by its top", monorepo, "projects/a/scores.py::plain", "projects/a/scores.py"),
]  # fmt: skip
EDITABLE = [
    Exhibit("editable install by path", editable_by_path, path="src/package/scores.py", python=in_environment),
    Exhibit("editable install by finder", editable_by_finder, path="src/package/scores.py", python=in_environment),
    Exhibit(
        "editable install that is asked first", editable_by_first_finder, path="src/package/scores.py",
        python=in_environment, refusal="the tests", code=3,
    ),
]  # fmt: skip
ALL_FILES = Exhibit("50,000 files", fifty_thousand, "score", holds=("data/d99/f49999.txt",))
