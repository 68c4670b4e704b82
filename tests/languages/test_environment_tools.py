"""pytest for environments that have none: from a folder of ours, last on their path, and what their tests still lack."""

from __future__ import annotations

import importlib.metadata
import json
import os
import shutil
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import iniconfig
import pytest
from packaging.requirements import Requirement
from rungs import open_to_all

from optagent.errors import EnvironmentFault, ToolMissing
from optagent.languages.python.environment import environment, tools
from optagent.languages.python.environment.environment import Environment
from optagent.languages.python.environment.finding import Search
from optagent.languages.python.environment.host import Host
from optagent.languages.python.testing import plugins
from optagent.sandbox.base import SCRATCH, Command, Limits, Mount
from optagent.workspace.folders import remove

pytestmark = pytest.mark.slow

VERSIONS = Path("/root/.pyenv/versions")
OTHERS = [name for name in ("3.12.1", "3.13.0") if os.access(VERSIONS / name / "bin" / "python", os.X_OK)]


@pytest.fixture(params=["ours", *[pytest.param(name, marks=[pytest.mark.slow, pytest.mark.sweep]) for name in OTHERS]])
def venv(request, tmp_path):
    """An environment without pytest, of every supported Python that is here."""
    python = sys.executable if request.param == "ours" else VERSIONS / request.param / "bin" / "python"
    subprocess.run([python, "-m", "venv", "--without-pip", tmp_path / ".venv"], check=True)
    open_to_all(tmp_path, *tmp_path.parents[:2])
    return tmp_path / ".venv"


@pytest.fixture
def ours_only(tmp_path):
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / ".venv"], check=True)
    open_to_all(tmp_path, *tmp_path.parents[:2])
    return tmp_path / ".venv"


@pytest.fixture(scope="module")
def state(tmp_path_factory):
    """A state folder for the tests that do not watch the tools being made, which takes a second or two."""
    folder = tmp_path_factory.mktemp("state")
    open_to_all(folder, folder.parent)
    return folder


def look(venv: Path, sandbox) -> Environment:
    search = Search(venv.parent, venv.parent, Host({}, venv.parent / "home"), Path(sys.executable))
    return environment.look(search, sandbox)


def site_of(venv: Path) -> Path:
    return next(venv.glob("lib/python3*/site-packages"))


def run_tests(found: Environment, folder: Path | None, project: Path, sandbox, *more: str):
    """pytest in the sandbox on the project's copy, as the tests of a run are started."""
    arguments = tools.module_arguments("pytest", str(folder) if folder else None)
    argv = (str(found.interpreter.executable), "-B", *arguments, "-p", "no:cacheprovider", "-q", *more)
    tree = Mount(project, "/optagent/tree")
    mounts = (*found.interpreter.mounts, tree, *([Mount(folder, str(folder))] if folder else []))
    variables = {"PATH": "/usr/bin:/bin", "HOME": SCRATCH, "TMPDIR": SCRATCH}
    return sandbox.run(Command(argv, sandbox.inside(tree), mounts, variables), Limits())


def listing(folder: Path) -> list[tuple[str, int]]:
    return sorted((str(each), each.lstat().st_mtime_ns) for each in folder.rglob("*"))


# --- the folder of ours ----------------------------------------------------------------------------------------------


def test_tests_run_in_an_environment_that_has_no_pytest_and_it_stays_as_it_was(venv, make_repo, state, sandbox):
    project = make_repo(
        {
            "m.py": "x = 1\n",
            "test_m.py": "import m, sys\ndef test_it():\n    assert m.x == 1\n    assert sys.path[-1].endswith(sys.argv[0].split('/')[-3])\n",
        }
    )
    before, found = listing(venv), look(venv, sandbox)
    folder = tools.complete(found, state, sandbox)
    assert folder is not None
    assert folder.parent == state / "tools"
    assert folder.name.startswith(found.interpreter.tag)
    done = run_tests(found, folder, project, sandbox)
    assert b"1 passed" in done.stdout, done.stdout.decode() + done.stderr.decode()
    assert listing(venv) == before
    assert "a copy of optagent's own" in tools.describe(found)


def test_an_environment_with_pytest_gets_nothing_of_ours(ours_only, tmp_path, sandbox):
    (site_of(ours_only) / "pytest-8.1.dist-info").mkdir()
    found = look(ours_only, sandbox)
    assert tools.complete(found, tmp_path / "state", sandbox) is None
    assert not (tmp_path / "state").exists()
    assert tools.describe(found) == "pytest 8.1, the environment's own"
    assert tools.module_arguments("pytest", None) == ("-m", "pytest")


def test_the_second_run_finds_the_folder_of_the_first(ours_only, state, sandbox):
    found = look(ours_only, sandbox)
    folder = tools.complete(found, state, sandbox)
    before = listing(folder)
    assert tools.complete(found, state, sandbox) == folder
    assert listing(folder) == before


def test_what_the_environment_has_is_never_shadowed(ours_only, make_repo, state, sandbox):
    theirs = site_of(ours_only) / "iniconfig"
    shutil.copytree(Path(iniconfig.__file__).parent, theirs)
    (theirs / "whose.py").write_text("")
    project = make_repo({"test_m.py": "def test_it():\n    import iniconfig.whose\n"})
    found = look(ours_only, sandbox)
    folder = tools.complete(found, state, sandbox)
    done = run_tests(found, folder, project, sandbox)
    assert b"1 passed" in done.stdout, done.stdout.decode() + done.stderr.decode()


def test_an_environment_whose_parts_our_pytest_cannot_use_is_refused_with_the_remedy(ours_only, state, sandbox):
    (site_of(ours_only) / "pluggy.py").write_text("__version__ = '0.3'\n")
    with pytest.raises(ToolMissing, match=r"optagent's does not work in it: ImportError.*pluggy") as caught:
        tools.complete(look(ours_only, sandbox), state, sandbox)
    assert f"`{ours_only}/bin/python -m pip install pytest`" in caught.value.hint


def test_the_list_of_parts_is_what_pytest_needs_on_every_supported_python():
    for minor in (11, 12, 13):
        needed, waiting = set(), ["pytest"]
        while waiting:
            name = waiting.pop()
            needed.add(name)
            for each in map(Requirement, importlib.metadata.requires(name) or ()):
                here = {"python_version": f"3.{minor}", "extra": "", "sys_platform": "linux"}
                if (each.marker is None or each.marker.evaluate(here)) and each.name.lower() not in needed:
                    waiting.append(each.name.lower())
        assert needed == set(tools.PYTEST)


def test_no_part_is_compiled_so_one_copy_serves_every_python():
    for name in tools.PYTEST:
        files = importlib.metadata.files(name)
        assert files
        assert not [file for file in files if file.suffix == ".so"]


def test_any_user_can_read_the_folder_and_git_ignores_it(tmp_path):
    old = os.umask(0o077)
    try:
        folder = tools.tools_folder(tmp_path / "state", tools.OUR_TAG)
    finally:
        os.umask(old)
    for each in (folder, *folder.rglob("*")):
        wanted = 0o755 if each.is_dir() else 0o644
        assert stat.S_IMODE(each.stat().st_mode) == wanted, each
    assert (folder.parent / ".gitignore").read_text() == "*\n"
    assert any(folder.rglob("*.pyc"))  # of our own version: compiled once, not at every start


def test_two_processes_at_once_make_one_folder(tmp_path):
    code = "import sys; from pathlib import Path; from optagent.languages.python.environment import tools; print(tools.tools_folder(Path(sys.argv[1]), 'cp399-x'))"
    command = [sys.executable, "-c", code, tmp_path]
    with ThreadPoolExecutor(2) as pool:
        done = list(pool.map(lambda _: subprocess.run(command, capture_output=True, text=True, check=True), range(2)))
    assert len({each.stdout for each in done}) == 1
    assert len([each for each in (tmp_path / "tools").iterdir() if each.is_dir()]) == 1


def test_what_a_killed_process_left_half_made_is_not_used_and_goes_away(tmp_path):
    left = tmp_path / "tools" / ".new-left"
    (left / "pytest").mkdir(parents=True)
    folder = tools.tools_folder(tmp_path, "cp399-x")
    assert not left.exists()
    assert (folder / "_pytest" / "config" / "__init__.py").exists()
    remove(folder)
    assert tools.tools_folder(tmp_path, "cp399-x") == folder


def test_a_state_folder_that_cannot_be_written_is_told(tmp_path):
    (tmp_path / "state").write_text("a file")
    with pytest.raises(EnvironmentFault, match="pytest cannot be put into") as caught:
        tools.tools_folder(tmp_path / "state", "cp399-x")
    assert "--state" in caught.value.hint


def test_an_installation_of_ours_that_lacks_a_part_or_its_list_of_files_is_told(tmp_path, monkeypatch):
    with pytest.raises(ToolMissing, match="installation lacks no-such-part"):
        tools._part("no-such-part")
    (tmp_path / "unlisted-1.dist-info").mkdir()
    (tmp_path / "unlisted-1.dist-info" / "METADATA").write_text("Name: unlisted\nVersion: 1\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ToolMissing, match="unlisted has no list of its files"):
        tools._part("unlisted")


# --- what the tests lack beyond pytest -------------------------------------------------------------------------------

SAID = {
    "addopts = --cov=foo -n auto --dist loadscope --mypy --frobnicate": [
        ("--cov=foo", "pytest-cov"), ("-n", "pytest-xdist"), ("--dist", "pytest-xdist"), ("--mypy", "pytest-mypy"), ("--frobnicate", ""),
    ],
    "required_plugins = pytest-xdist>=2 pytest-asyncio": [
        ("required_plugins: pytest-asyncio", "pytest-asyncio"), ("required_plugins: pytest-xdist>=2", "pytest-xdist"),
    ],
    "addopts = -p pytest_cov": [("plugin pytest_cov", "pytest-cov")],
    "addopts = --strict-config\nasyncio_mode = auto": [("setting asyncio_mode", "pytest-asyncio")],
    "filterwarnings = error\nDJANGO_SETTINGS_MODULE = x": [("setting DJANGO_SETTINGS_MODULE", "pytest-django")],
}  # fmt: skip


def said_by_pytest(project: Path) -> str:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    env = {
        **os.environ,
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
    }  # ours have plugins; to load them takes longer than the rest
    done = subprocess.run(command, cwd=project, capture_output=True, text=True, env=env)
    assert done.returncode != 0
    return done.stdout + done.stderr


@pytest.mark.parametrize("settings", SAID)
def test_what_stops_pytest_is_named_with_the_package_that_brings_it(settings, make_repo):
    project = make_repo({"pytest.ini": f"[pytest]\n{settings}\n", "test_m.py": "def test_it(): pass\n"})
    found = plugins.missing(said_by_pytest(project))
    assert [(each.asked, each.package) for each in found] == SAID[settings]


def test_fixtures_modules_and_coroutines_that_nobody_knows_are_named(make_repo):
    project = make_repo({
        "test_a.py": "async def test_it(): pass\ndef test_mock(mocker): pass\ndef test_own(nobodys): pass\n",
        "test_b.py": "import yaml_of_nobody.part\n",
    })  # fmt: skip
    found = plugins.missing(said_by_pytest(project) * 2)
    assert {(each.asked, each.package, each.fatal) for each in found} == {
        ("import yaml_of_nobody", "yaml-of-nobody", False)
    }
    (project / "test_b.py").unlink()
    found = plugins.missing(said_by_pytest(project))
    assert {(each.asked, each.package) for each in found} == {
        ("fixture mocker", "pytest-mock"),
        ("async def functions", "pytest-asyncio"),
    }


def test_tests_that_pass_lack_nothing():
    assert plugins.missing("3 passed in 0.1s\n") == ()


def test_every_option_of_the_table_is_found_by_its_beginning():
    for option, package in plugins.OPTIONS.items():
        (only,) = plugins.missing(f"pytest: error: unrecognized arguments: {option}\n")
        assert (only.asked, only.package, only.fatal) == (option, package, True)


# --- doctor ----------------------------------------------------------------------------------------------------------


def test_doctor_shows_the_environment_its_editables_and_where_pytest_comes_from(ours_only):
    project = ours_only.parent
    (project / "src").mkdir()
    (site_of(ours_only) / "mine.pth").write_text(f"{project}/src\n")
    env = {**os.environ, "VIRTUAL_ENV": str(project / "gone")}
    command = [sys.executable, "-m", "optagent", "doctor", "--json"]
    done = subprocess.run(command, cwd=project, env=env, capture_output=True, text=True)
    target = next(each for each in json.loads(done.stdout) if each["what"] == "the target's Python")
    assert target["works"]
    assert target["seen"].endswith(f"at {ours_only}/bin/python (.venv)")
    assert target["details"] == [
        f"passed over: VIRTUAL_ENV names {project}/gone, which is not there",
        f"pytest {importlib.metadata.version('pytest')}, a copy of optagent's own: the environment has none",
        f"editable: mine -> {project}/src",
    ]
