"""The files around the code keep their word: the Makefile, the locks, the wheel, the set-up, the build server."""

import ast
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from optagent.sandbox.landlock import OLDEST, abi

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
LOCKS = {
    "requirements.lock": PROJECT["dependencies"],
    "requirements-dev.lock": PROJECT["dependencies"] + PROJECT["optional-dependencies"]["dev"],
}


def test_make_help_lists_every_verb():
    verbs = re.search(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE).group(1).split()
    shown = subprocess.run(["make", "-s", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert [line.split()[0] for line in shown.splitlines()] == verbs
    assert {"demo", "test", "fast", "check", "bench", "lock", "help"} <= set(verbs)


def test_the_build_server_runs_the_test_command_of_the_readme():
    command = "make test"
    assert re.search(rf"^\s*{command}\b|`{command}`", (ROOT / "README.md").read_text(), re.MULTILINE)
    assert command in (ROOT / ".ci" / "run").read_text().splitlines()
    assert os.access(ROOT / ".ci" / "run", os.X_OK)


# --- locks -----------------------------------------------------------------------------------------------------------


def locked(name):
    """{package: (version, number of hashes)} of a lock file."""
    entries = re.split(r"\n(?=[a-z])", "\n" + (ROOT / name).read_text())[1:]
    pins = [re.match(r"([a-z0-9-]+)==([^\s;]+)", entry).groups() for entry in entries]
    return {
        package: (version, entry.count("--hash=sha256:"))
        for (package, version), entry in zip(pins, entries, strict=True)
    }


@pytest.mark.parametrize("name", LOCKS)
def test_every_locked_package_has_hashes_and_no_host(name):
    assert all(hashes for _, hashes in locked(name).values())
    assert "://" not in (ROOT / name).read_text()


@pytest.mark.parametrize("name", LOCKS)
def test_the_lock_satisfies_the_project_file(name):
    pins = locked(name)
    for requirement in map(Requirement, LOCKS[name]):
        version, _ = pins[canonicalize_name(requirement.name)]
        assert requirement.specifier.contains(version), f"{requirement}: `make lock`"


def test_both_locks_agree_on_every_package():
    assert locked("requirements.lock").items() <= locked("requirements-dev.lock").items()


# --- the wheel -------------------------------------------------------------------------------------------------------


def test_the_wheel_carries_prompts_and_sandboxes_as_data(tmp_path):
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    (wheel,) = tmp_path.glob("*.whl")
    inside = set(zipfile.ZipFile(wheel).namelist())
    for folder in ("prompts", "sandboxes"):
        for file in (path for path in (ROOT / folder).rglob("*") if path.is_file()):
            assert f"optagent/data/{file.relative_to(ROOT)}" in inside
    assert "optagent/core/verdict.py" in inside
    assert not [name for name in inside if name.startswith(("tests/", "examples/", "benchmarks/"))]


# --- broad handlers --------------------------------------------------------------------------------------------------

BROAD_HANDLERS_LIVE_IN = ("optagent/cli/app.py", "optagent/languages/python/toolbox/")


def is_broad(node):
    """`except:`, `except Exception`, and the same thing said with contextlib.suppress."""
    if isinstance(node, ast.ExceptHandler):
        caught = [node.type] if node.type else []
        bare = node.type is None
    elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith("suppress"):
        caught, bare = node.args, False
    else:
        return False
    names = {name.id for expression in caught for name in ast.walk(expression) if isinstance(name, ast.Name)}
    return bare or bool(names & {"Exception", "BaseException"})


def test_broad_handlers_live_in_their_two_homes_only():
    found = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in sorted((ROOT / "optagent").rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text()))
        if is_broad(node)
    ]
    assert [place for place in found if not place.startswith(BROAD_HANDLERS_LIVE_IN)] == []


# --- scripts/setup ---------------------------------------------------------------------------------------------------


@pytest.fixture
def machine(tmp_path):
    """A machine to play with: a copy of the script in a folder with a space, and a PATH that holds a few programs."""
    tree, programs = tmp_path / "my tree", tmp_path / "bin"
    (tree / "scripts").mkdir(parents=True)
    programs.mkdir()
    shutil.copy(ROOT / "scripts" / "setup", tree / "scripts")
    for name in ("sh", "dirname", "grep", "cat", "head", "tr", "env", "cksum"):
        (programs / name).symlink_to(shutil.which(name))
    (programs / "python3").symlink_to(sys.executable)
    for name, script in {"git": "true", "bwrap": "true", "id": "echo 1000", "apt-get": "exit 100"}.items():
        program(programs, name, script)
    return tree, programs


def program(folder, name, script):
    (folder / name).unlink(missing_ok=True)
    (folder / name).write_text(f"#!/bin/sh\n{script}\n")
    (folder / name).chmod(0o755)


def set_up(machine, **environment):
    tree, programs = machine
    environment = {"PATH": str(programs), **environment}
    return subprocess.run(
        [shutil.which("sh"), str(tree / "scripts" / "setup")], env=environment, capture_output=True, text=True
    )


def without_landlock(machine):
    """Python as it is on a kernel without Landlock."""
    program(machine[1], "python3", f'case "$*" in *444*) echo -1 ;; *) exec {sys.executable} "$@" ;; esac')


def assert_refuses(done, sentence, machine):
    assert done.returncode == 3
    assert done.stdout == ""
    assert re.fullmatch(sentence, done.stderr.splitlines()[-1])
    assert not (machine[0] / ".venv").exists()


def test_an_older_python_is_refused_in_a_sentence(machine):
    program(machine[1], "python3", "echo 3.10")
    assert_refuses(set_up(machine), r"optagent: needs Python 3\.11, .* and python3 is 3\.10: .*\.", machine)


def test_a_newer_python_named_by_the_user_is_refused_although_another_would_do(machine):
    program(machine[1], "snake", "echo 3.14")
    assert_refuses(set_up(machine, PYTHON="snake"), r"optagent: needs Python .* and snake is 3\.14: .*\.", machine)


def test_an_ordinary_user_is_told_everything_that_is_missing_at_once(machine):
    for name in ("git", "bwrap"):
        (machine[1] / name).unlink()
    sentence = r"optagent: needs git bubblewrap, .* please run `sudo apt-get install git bubblewrap`, then try again\."
    assert_refuses(set_up(machine), sentence, machine)


def test_a_machine_without_apt_get_is_told_what_to_install(machine):
    without_landlock(machine)
    for name in ("bwrap", "apt-get"):
        (machine[1] / name).unlink()
    assert_refuses(set_up(machine), r"optagent: needs bubblewrap and finds no apt-get .*\.", machine)


def test_root_is_told_why_apt_get_could_not_help(machine):
    without_landlock(machine)
    (machine[1] / "bwrap").unlink()
    program(machine[1], "id", "echo 0")
    program(machine[1], "apt-get", "echo 'E: Temporary failure resolving'; exit 100")
    sentence = r"optagent: needs bubblewrap, and apt-get could not install it \(E: Temporary failure resolving\)\."
    assert_refuses(set_up(machine), sentence, machine)


@pytest.mark.slow
@pytest.mark.skipif(abi() < OLDEST, reason="this kernel has no Landlock that would do")
@pytest.mark.parametrize("broken", [True, False])
def test_where_landlock_will_do_a_missing_bubblewrap_is_said_and_no_reason_to_stop(machine, broken):
    (machine[1] / "bwrap").unlink()
    if broken:
        program(machine[1], "bwrap", "echo 'bwrap: No permissions to create new namespace' >&2; exit 1")
    done = set_up(machine)  # there is no lock file in this tree, so that it ends where packages would be installed
    assert "Until then code runs behind Landlock, which keeps less apart." in done.stderr
    assert ("(No permissions" if broken else "sudo apt-get install bubblewrap") in done.stderr
    assert "installing the packages" in done.stderr


def test_a_bubblewrap_that_cannot_work_is_told_before_anything_is_made(machine):
    without_landlock(machine)
    program(machine[1], "bwrap", "echo 'bwrap: No permissions to create new namespace' >&2; exit 1")
    assert_refuses(set_up(machine), r"optagent: .* cannot \(No permissions to create new namespace\): .*\.", machine)


# --- benchmarks ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", sorted((ROOT / "benchmarks").glob("*.py")), ids=lambda path: path.name)
def test_what_a_benchmark_imports_of_ours_is_there(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and str(node.module).startswith("optagent."):
            module = importlib.import_module(node.module)
            for name in (one.name for one in node.names):
                assert hasattr(module, name) or importlib.util.find_spec(f"{node.module}.{name}"), name
