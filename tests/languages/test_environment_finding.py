"""Which interpreter is the project's: who is asked first, where the tools keep theirs, and what is refused."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from rungs import OLD_PYTHON, has_old_python

from optagent.errors import InterpreterUnusable
from optagent.languages.python.environment import finding, host, interpreter, managers
from optagent.languages.python.environment.finding import Found, Search
from optagent.languages.python.environment.host import Host

OURS = Path(sys.executable)
REAL = OURS.resolve()


class Machine:
    """A home, a repository with a project in it, and the variables of whoever starts us."""

    def __init__(self, root: Path) -> None:
        self.home, self.top = root / "home", root / "repo"
        self.project = self.top / "packages" / "app"
        self.env: dict[str, str] = {}
        self.ours = OURS
        self.project.mkdir(parents=True)
        self.home.mkdir()
        (self.top / ".git").mkdir()

    def find(self, flag: object = None) -> Found:
        user = Host(self.env, self.home)
        return finding.find(Search(self.project, self.top, user, self.ours, None if flag is None else str(flag)))

    def finds(self, folder: Path, origin: str, flag: object = None) -> None:
        found = self.find(flag)
        assert (found.executable, found.origin) == (folder / "bin" / "python", origin)


@pytest.fixture
def machine(tmp_path):
    return Machine(tmp_path.resolve())


def environment(folder: Path, mark: str = "pyvenv.cfg", python: Path = REAL) -> Path:
    """The outside of an environment: its mark and the link to the interpreter it was made from."""
    (folder / "bin").mkdir(parents=True)
    (folder / "bin" / "python").symlink_to(python)
    if mark == "pyvenv.cfg":
        (folder / mark).write_text(f"home = {python.parent}\n")
    else:
        (folder / mark).mkdir()
    return folder


def python(folder: Path) -> Path:
    """An interpreter that belongs to no environment."""
    (folder / "bin").mkdir(parents=True)
    (folder / "bin" / "python").write_bytes(b"\x7fELF")
    (folder / "bin" / "python").chmod(0o755)
    return folder


# --- who is asked first ----------------------------------------------------------------------------------------------


def test_the_flag_beats_the_activated_environment_which_beats_the_projects_own(machine):
    own, active, named = (
        environment(each) for each in (machine.project / ".venv", machine.home / "a", machine.home / "n")
    )
    machine.finds(own, ".venv")
    machine.env["CONDA_PREFIX"] = str(environment(machine.home / "c", "conda-meta"))
    assert machine.find().origin == "CONDA_PREFIX"
    machine.env["VIRTUAL_ENV"] = str(active)
    machine.finds(active, "VIRTUAL_ENV")
    machine.finds(named, "--python", flag=named)


def test_optagents_own_environment_does_not_shadow_the_projects_although_it_is_activated(machine):
    ours = environment(machine.home / "optagent")
    machine.ours = ours / "bin" / "python"
    machine.env["VIRTUAL_ENV"] = str(ours)
    assert machine.find().executable == machine.ours
    machine.finds(environment(machine.project / ".venv"), ".venv")
    assert "VIRTUAL_ENV is optagent's own environment" in machine.find().passed_over


def test_an_activated_environment_that_is_gone_is_told_and_passed_over(machine):
    machine.env["VIRTUAL_ENV"] = str(machine.home / "gone")
    own = environment(machine.project / ".venv")
    machine.finds(own, ".venv")
    assert any("gone, which is not there" in each for each in machine.find().passed_over)


def test_condas_base_environment_is_nobodys_project(machine):
    base = environment(machine.home / "miniconda3", "conda-meta")
    (base / "condabin").mkdir()
    machine.env["CONDA_PREFIX"] = str(base)
    assert machine.find().origin == "optagent's own"


def test_the_nearest_folder_wins_and_the_top_of_the_repository_is_the_last(machine):
    environment(machine.top.parent / ".venv")
    assert machine.find().origin == "optagent's own"
    top = environment(machine.top / ".venv")
    machine.finds(top, ".venv")
    near = environment(machine.project / "venv")
    machine.finds(near, "venv")


def test_a_project_named_through_a_link_is_searched_where_it_really_lies(machine):
    top = environment(machine.top / ".venv")
    (machine.home / "link").symlink_to(machine.project)
    machine.project = machine.home / "link"
    machine.finds(top, ".venv")


def test_a_folder_called_env_that_is_no_environment_is_passed_over(machine):
    (machine.project / "env" / "bin").mkdir(parents=True)
    (machine.project / "env" / "bin" / "python").symlink_to(REAL)
    assert any("is no environment" in each for each in machine.find().passed_over)
    machine.finds(environment(machine.top / "env"), "env")


def test_an_empty_folder_in_the_place_of_venv_is_passed_over(machine):
    (machine.project / ".venv").mkdir()
    assert machine.find().origin == "optagent's own"


def test_what_was_looked_at_is_told_when_nothing_was_found(machine):
    told = machine.find().passed_over
    assert [
        f"no environment of its own in {each}" for each in (machine.project, machine.top / "packages", machine.top)
    ] == [*told]


# --- the tools that manage environments ------------------------------------------------------------------------------

POETRY = '[tool.poetry]\nname = "My_Pkg.x"\nversion = "1"\n'


def poetry_store(machine: Machine, *minors: str) -> dict[str, Path]:
    (machine.project / "pyproject.toml").write_text(POETRY)
    name = managers.poetry_name(host.toml(machine.project / "pyproject.toml"), machine.project)
    store = machine.home / ".cache" / "pypoetry" / "virtualenvs"
    return {minor: environment(store / f"{name}-py{minor}") for minor in minors}


def test_poetrys_name_is_the_one_poetry_makes():
    """`EnvManager.generate_env_name` of poetry 2 gave these names for these packages and folders."""
    project = {"tool": {"poetry": {"name": "My_Pkg.x"}}}
    assert managers.poetry_name(project, Path("/home/u/my proj")) == "my-pkg-x-NLwqEe48"
    assert managers.poetry_name({"project": {"name": "my-pkg-x"}}, Path("/home/u/my proj")) == "my-pkg-x-NLwqEe48"


def test_poetrys_environment_with_the_newest_python_is_taken(machine):
    made = poetry_store(machine, "3.9", "3.11", "3.12")
    machine.finds(made["3.12"], "poetry's environment for this project")


def test_the_environment_chosen_with_poetry_env_use_beats_a_newer_one(machine):
    made = poetry_store(machine, "3.11", "3.12")
    name = made["3.11"].name.removesuffix("-py3.11")
    (made["3.11"].parent / "envs.toml").write_text(f'[{name}]\nminor = "3.11"\npatch = "3.11.7"\n')
    machine.finds(made["3.11"], "poetry's environment for this project")


@pytest.mark.parametrize("said_in", ["variable", "poetry.toml", "config.toml"])
def test_poetrys_store_may_be_elsewhere(machine, said_in):
    made = poetry_store(machine, "3.12")["3.12"]
    other = machine.home / "envs"
    other.mkdir()
    made.rename(other / made.name)
    if said_in == "variable":
        machine.env["POETRY_VIRTUALENVS_PATH"] = str(other)
    else:
        settings = machine.project if said_in == "poetry.toml" else machine.home / ".config" / "pypoetry"
        settings.mkdir(parents=True, exist_ok=True)
        (settings / said_in).write_text(f'[virtualenvs]\npath = "{other}"\n')
    machine.finds(other / made.name, "poetry's environment for this project")


def test_an_environment_of_another_folder_of_the_same_package_is_not_ours_to_use(machine):
    poetry_store(machine, "3.12")
    machine.project.rename(machine.top / "moved")
    machine.project = machine.top / "moved"
    assert any("poetry has made no environment my-pkg-x-" in each for each in machine.find().passed_over)


def test_pipenvs_environment_is_found_by_the_name_pipenv_makes(machine):
    """pipenv made `My_proj-Lz1C0_Ef` for this very path."""
    folder = Path("/tmp/env-t/home/My proj")
    clean = managers.pipenv_name(folder)
    assert clean == "My_proj-Lz1C0_Ef"
    (machine.project / "Pipfile").touch()
    made = environment(machine.home / ".local/share/virtualenvs" / managers.pipenv_name(machine.project))
    machine.finds(made, "pipenv's environment for this project")


@pytest.mark.parametrize("content", ["../../../home/.local/share/virtualenvs/x", "x"])
def test_a_file_called_venv_names_a_path_or_an_environment_of_workon_home(machine, content):
    made = environment(machine.home / ".local/share/virtualenvs/x")
    (machine.project / ".venv").write_text(content + "\n")
    machine.finds(made, ".venv")


def test_the_conda_environment_that_the_project_names_is_found_wherever_conda_keeps_it(machine):
    (machine.project / "environment.yml").write_text(
        "channels: [defaults]\nname: 'lab'  # ours\ndependencies: [numpy]\n"
    )
    assert "conda has no environment lab" in machine.find().passed_over
    home = environment(machine.home / "miniforge3" / "envs" / "lab", "conda-meta")
    found = machine.find()
    assert (found.executable, found.origin) == (REAL, "conda's lab, named in environment.yml")
    (home / "conda-meta").rmdir()
    machine.env["CONDA_ENVS_PATH"] = f"/nowhere:{machine.home / 'disk'}"
    assert machine.find().origin == "optagent's own"
    environment(machine.home / "disk" / "lab", "conda-meta")
    assert machine.find().origin == "conda's lab, named in environment.yml"


def test_uvs_environment_may_have_another_name(machine):
    machine.env["UV_PROJECT_ENVIRONMENT"] = ".cache/uvenv"
    (machine.project / "pyproject.toml").write_text("[project]\nname = 'x'\n")
    environment(machine.project / ".venv")
    machine.finds(machine.project / ".venv", ".venv")
    machine.finds(environment(machine.project / ".cache" / "uvenv"), "UV_PROJECT_ENVIRONMENT")


def test_pixis_and_pdms_are_found(machine):
    (machine.project / ".pdm-python").write_text(str(environment(machine.home / "p") / "bin" / "python"))
    machine.finds(machine.home / "p", "pdm's interpreter for this project")
    environment(machine.project / ".pixi" / "envs" / "default", "conda-meta")
    assert machine.find().origin == "pixi's environment for this project"


def test_a_python_version_means_the_newest_of_its_line_that_is_installed_and_packages_beat_it(machine):
    for version in ("3.12.1", "3.12.11", "3.12.9", "3.13.0"):
        python(machine.home / ".pyenv" / "versions" / version)
    (machine.project / ".python-version").write_text("# comment\n3.99\n3.12\n")
    machine.finds(machine.home / ".pyenv/versions/3.12.11", ".python-version, 3.12")
    machine.finds(environment(machine.top / ".venv"), ".venv")


def test_a_python_version_may_be_one_of_uvs(machine):
    made = python(machine.home / ".local/share/uv/python/cpython-3.12.5-linux-x86_64-gnu")
    (machine.top / ".python-version").write_text("3.12\n")
    machine.finds(made, ".python-version, 3.12")


def test_a_python_version_that_nobody_has_is_told(machine):
    (machine.project / ".python-version").write_text("3.12\n../../etc\n")
    assert any(".python-version names 3.12 ../../etc, which neither" in each for each in machine.find().passed_over)


# --- the flag --------------------------------------------------------------------------------------------------------


def test_the_flag_may_be_a_version_or_a_program_on_the_path(machine):
    made = python(machine.home / ".pyenv" / "versions" / "3.12.1")
    machine.finds(made, "--python", flag="3.12")
    machine.env["PATH"] = str(made / "bin")
    machine.finds(made, "--python", flag="python")


def test_a_stand_in_of_pyenv_is_replaced_by_what_it_starts_for_this_project(machine):
    root = machine.home / ".pyenv"
    made = {version: python(root / "versions" / version) for version in ("3.12.1", "3.13.0")}
    (root / "shims").mkdir()
    (root / "shims" / "python").write_text("#!/usr/bin/env bash\n")
    (root / "shims" / "python").chmod(0o755)
    (root / "version").write_text("3.13.0\n")
    machine.finds(made["3.13.0"], "--python", flag=root / "shims" / "python")
    (machine.top / ".python-version").write_text("3.12.1\n")
    machine.finds(made["3.12.1"], "--python", flag=root / "shims" / "python")


# --- what is refused -------------------------------------------------------------------------------------------------


def refused(machine: Machine, words: str, flag: object = None) -> str:
    with pytest.raises(InterpreterUnusable, match=words) as caught:
        machine.find(flag)
    assert "--python PATH" in caught.value.hint
    return caught.value.hint


def test_a_broken_environment_of_the_project_is_refused_and_not_replaced_in_silence(machine):
    environment(machine.top / ".venv")
    environment(machine.project / ".venv", python=Path("/usr/bin/python3.5"))
    hint = refused(machine, r"\.venv/bin/python \(\.venv\) leads to /usr/bin/python3\.5, which is not there")
    assert f"python3 -m venv --clear {machine.project / '.venv'}" in hint


def test_an_environment_without_an_interpreter_is_refused(machine):
    (machine.project / ".venv").mkdir()
    (machine.project / ".venv" / "pyvenv.cfg").touch()
    refused(machine, "holds no bin/python")
    (machine.project / ".venv" / "Scripts").mkdir()
    refused(machine, "was made for Windows")


def test_a_link_that_leads_nowhere_is_a_broken_environment(machine):
    (machine.project / ".venv").symlink_to(machine.home / "gone")
    refused(machine, r"\.venv.*is not there")


def test_a_script_and_a_text_are_no_interpreters(machine):
    script, text = machine.home / "script", machine.home / "text"
    script.write_text("#!/bin/sh\n")
    script.chmod(0o755)
    text.write_text("hello")
    refused(machine, "is a script that starts an interpreter", flag=script)
    refused(machine, "is no program", flag=text)
    refused(machine, "there is no interpreter at", flag="3.99")


@pytest.mark.skipif(not has_old_python(), reason="no Python 3.10 here")
def test_an_environment_with_too_old_a_python_is_refused_with_the_way_to_make_a_newer_one(machine, sandbox):
    subprocess.run([OLD_PYTHON, "-m", "venv", "--without-pip", machine.project / ".venv"], check=True)
    found = machine.find()
    with pytest.raises(
        InterpreterUnusable, match=r"\(\.venv\) is cpython 3\.10\.13; targets need CPython 3\.11"
    ) as caught:
        interpreter.probe(found.executable, found.origin, sandbox)
    assert "-m venv --clear" in caught.value.hint
