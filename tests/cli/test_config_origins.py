"""Which place counts, and what is said about where a value came from."""

from __future__ import annotations

from pathlib import Path

import pytest
from config_samples import git_top, project, settings
from hypothesis import given
from hypothesis import strategies as st

from optagent.cli.settings.files import ConfigFile
from optagent.cli.settings.table import KNOWN, SETTINGS

# name: (in a file, in a variable, as a flag, the value everywhere)
SPELLED = {
    "target": ('["a b", "m:f"]', "'a b' m:f", ["a b", "m:f"], ("a b", "m:f")),
    "top": ("3", "3", 3, 3),
    "workload": ('"/r/w.py"', "/r/w.py", "/r/w.py", "/r/w.py"),
    "tests": ("'pytest -k \"a b\"'", 'pytest -k "a b"', 'pytest -k "a b"', 'pytest -k "a b"'),
    "python": ('"/usr/bin/python3"', "/usr/bin/python3", "/usr/bin/python3", "/usr/bin/python3"),
    "effort": ('"thorough"', "thorough", "thorough", "thorough"),
    "clock": ('"wall"', "wall", "wall", "wall"),
    "min_oracle": ("90", "90", 90.0, 90.0),
    "scope": ('"package"', "package", "package", "package"),
    "speedup": ("2", "2", 2.0, 2.0),
    "max_minutes": ("0.5", "0.5", 0.5, 0.5),
    "max_trials": ("7", "7", 7, 7),
    "timeout_factor": ("8.5", "8.5", 8.5, 8.5),
    "sandbox": ('"bwrap"', "bwrap", "bwrap", "bwrap"),
    "coder": ('"rules"', "rules", "rules", "rules"),
    "model": ('"openai/x"', "openai/x", "openai/x", "openai/x"),
    "judge_model": ('"openai/y"', "openai/y", "openai/y", "openai/y"),
    "policy": ('"sample"', "sample", "sample", "sample"),
    "max_usd": ("0.25", "0.25", 0.25, 0.25),
    "max_tokens": ("5000", "5000", 5000, 5000),
    "hint": ('["ints only", "sorted"]', "'ints only' sorted", ["ints only", "sorted"], ("ints only", "sorted")),
    "api_base": ('"http://127.0.0.1:1/v1"', *["http://127.0.0.1:1/v1"] * 3),
    "price": ('"0.15,0.6"', "0.15,0.6", "0.15,0.6", "0.15,0.6"),
    "key_command": ('"pass show key"', "pass show key", "pass show key", "pass show key"),
    "prompts": ('"/r/prompts"', "/r/prompts", "/r/prompts", "/r/prompts"),
    "seed": ("-4", "-4", -4, -4),
    "state": ('"/r/state"', "/r/state", "/r/state", "/r/state"),
}


def test_every_setting_is_tried_below():
    assert SPELLED.keys() == KNOWN.keys()


@pytest.mark.parametrize("name", SPELLED)
def test_a_setting_has_the_same_value_from_every_place(name, tmp_path):
    setting = KNOWN[name]
    in_file, in_variable, flag, value = SPELLED[name]
    user = tmp_path / "user.toml"
    user.write_text(f"{name} = {in_file}\n")
    for found, origin in (
        (settings(tmp_path, {"OPTAGENT_CONFIG": str(user)}), f"{user}:1"),
        (settings(tmp_path, {setting.variable: in_variable}), setting.variable),
        (settings(tmp_path, **{name: flag}), setting.flag),
    ):
        assert (found[name], type(found[name])) == (value, type(value))
        assert found.found[name].origin == origin
    assert settings(tmp_path).found[name].origin == "default"
    assert settings(tmp_path)[name] == setting.default


def test_a_flag_beats_a_variable_beats_the_project_beats_the_user_beats_the_default(tmp_path):
    repo = project(tmp_path / "repo", "max_trials = 3\n")
    user = tmp_path / "user.toml"
    user.write_text("max_trials = 2\nspeedup = 1.5\n")
    env = {"OPTAGENT_CONFIG": str(user)}
    places = [
        (settings(repo, {**env, "OPTAGENT_MAX_TRIALS": "4"}, max_trials=5), 5, "--max-trials"),
        (settings(repo, {**env, "OPTAGENT_MAX_TRIALS": "4"}), 4, "OPTAGENT_MAX_TRIALS"),
        (settings(repo, env), 3, f"{repo}/pyproject.toml:2"),
        (settings(tmp_path, env), 2, f"{user}:1"),
        (settings(tmp_path), 30, "default"),
    ]
    assert [(one["max_trials"], one.found["max_trials"].origin) for one, _, _ in places] == [row[1:] for row in places]
    assert settings(repo, env)["speedup"] == 1.5, "the project's file does not hide the user's other settings"
    assert settings(repo, env).files == (repo / "pyproject.toml", user)


def test_quick_and_thorough_are_short_for_an_effort_and_beat_a_variable(tmp_path):
    found = settings(tmp_path, {"OPTAGENT_EFFORT": "quick"}, thorough=True, quick=None)
    assert (found["effort"], found.found["effort"].origin) == ("thorough", "--effort")


def test_the_users_file_lies_where_the_platform_keeps_settings(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "settings"))
    file = tmp_path / "settings" / "optagent" / "config.toml"
    file.parent.mkdir(parents=True)
    file.write_text("# mine\nseed = 9\n")
    assert settings(tmp_path)["seed"] == 9
    assert settings(tmp_path).found["seed"].origin == f"{file}:2"


def test_an_empty_variable_says_nothing_and_an_empty_flag_takes_a_text_back(tmp_path):
    repo = project(tmp_path, 'tests = "pytest -x"\n')
    assert settings(repo, {"OPTAGENT_TESTS": "", "OPTAGENT_SPEEDUP": ""})["tests"] == "pytest -x"
    taken_back = settings(repo, tests="")
    assert (taken_back["tests"], taken_back.found["tests"].origin) == (None, "--tests")


# the project's file


def test_the_nearest_file_counts_alone_and_the_top_of_the_repository_is_the_last_place(tmp_path):
    project(tmp_path, "seed = 1\n")
    top = project(git_top(tmp_path / "top"), "seed = 2\nspeedup = 1.5\n")
    near = project(top / "packages" / "a", "seed = 3\n", "optagent.toml")
    (near / "src").mkdir()
    (top / "packages" / "b").mkdir()
    bare = git_top(tmp_path / "bare")
    found = {folder: settings(folder) for folder in (near / "src", near, top / "packages" / "b", top, bare)}
    assert [one["seed"] for one in found.values()] == [3, 3, 2, 2, 0]
    assert found[near]["speedup"] is None, "levels are not merged"


def test_without_git_only_the_folder_itself_is_looked_at(tmp_path):
    project(tmp_path, "seed = 1\n")
    (tmp_path / "sub").mkdir()
    assert settings(tmp_path / "sub")["seed"] == 0


def test_a_pyproject_without_settings_is_passed_over_even_when_it_is_broken(tmp_path):
    top = project(git_top(tmp_path), "seed = 2\n", "optagent.toml")
    for content in ("[project]\nname = 'a'\n", "[project\n", "# optagent is nice\n[tool.other]\n"):
        (top / "a").mkdir(exist_ok=True)
        (top / "a" / "pyproject.toml").write_text(content)
        assert settings(top / "a")["seed"] == 2


def test_a_folder_may_have_a_pyproject_for_others_and_an_optagent_toml(tmp_path):
    (tmp_path / "pyproject.toml").write_text("[project]\nname = 'optagent'\n")
    assert settings(project(tmp_path, "seed = 3\n", "optagent.toml"))["seed"] == 3


def test_a_pipe_of_that_name_is_no_file_of_settings(tmp_path):
    import os

    os.mkfifo(tmp_path / "optagent.toml")
    assert settings(tmp_path)["seed"] == 0


# paths


def test_paths_in_files_are_relative_to_the_file_and_others_to_where_we_are(tmp_path, monkeypatch):
    top = project(git_top(tmp_path / "top"), 'workload = "w.py"\npython = "../env"\nstate = "a/../state"\n')
    (top / "a").mkdir()
    user = tmp_path / "mine" / "user.toml"
    project(user.parent, 'python = "env"\nworkload = "~/w.py"\n', user.name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", "/home/me")
    found = settings(top / "a")
    assert [found[name] for name in ("workload", "python", "state")] == [
        f"{top}/w.py", f"{top}/../env", f"{top}/a/../state",
    ]  # fmt: skip
    assert found.state == Path(f"{top}/a/../state")
    by_user = settings(tmp_path, {"OPTAGENT_CONFIG": "mine/user.toml"})
    assert (by_user["python"], by_user["workload"]) == (f"{tmp_path}/mine/env", "/home/me/w.py")
    assert settings(top, {"OPTAGENT_PYTHON": "env"})["python"] == f"{tmp_path}/env"
    assert settings(top, python="env")["python"] == f"{tmp_path}/env"


# lines

LINES = {
    "a table": ("[project]\n\n[tool.optagent]\nspeedup = 2\n", 4),
    "a comment before": ("[tool.optagent]\n# speedup = 3\nspeedup = 2\n", 3),
    "another table's key": ("[tool.other]\nspeedup = 3\n[tool.optagent]\nspeedup = 2\n", 4),
    "in a text": ("[tool.optagent]\ntests = '''\nspeedup = 1\n'''\nspeedup = 2\n", 5),
    "dotted": ("tool.optagent.tests = 'speedup'\ntool.optagent.speedup = 2\n", 2),
    "inline": ("[tool]\noptagent = { tests = 'speedup', speedup = 2 }\n", 2),
    "quoted": ("[tool.'optagent']\n\"speedup\" = 2\n", 2),
    "windows": ("[tool.optagent]\r\nseed = 1\r\nspeedup = 2\r\n", 3),
    "a mark of byte order": ("\ufeff[tool.optagent]\nspeedup = 2\n", 2),
}


@pytest.mark.parametrize("way", LINES)
def test_the_line_of_a_setting_is_told(way, tmp_path):
    text, line = LINES[way]
    (tmp_path / "pyproject.toml").write_text(text, encoding="utf-8", newline="")
    found = settings(tmp_path)
    assert found["speedup"] == 2
    assert found.found["speedup"].origin == f"{tmp_path}/pyproject.toml:{line}"


def test_where_the_line_cannot_be_told_the_file_is(tmp_path):
    (tmp_path / "optagent.toml").write_text('"\\u0073peedup" = 2\n')
    assert settings(tmp_path).found["speedup"].origin == f"{tmp_path}/optagent.toml"
    (tmp_path / "optagent.toml").write_text("# speedup\n" * 10_000 + "speedup = 2\n")
    assert settings(tmp_path).found["speedup"].origin == f"{tmp_path}/optagent.toml"


NOISE = st.lists(st.sampled_from(["", "# seed = 1", "tests = 'seed'", "top = 2 # seed", "speedup = 3"]), unique=True)


@given(before=NOISE, after=NOISE)
def test_the_line_is_that_of_the_key_whatever_stands_around_it(before, after):
    lines = [*before, "seed = 5", *[one for one in after if one not in before]]
    text = "\n".join(lines)
    file = ConfigFile(Path("f"), text, (), {})
    assert file.place("seed") == f"f:{len(before) + 1}"


# a target, or a number of them


def test_a_target_and_a_number_of_hottest_functions_exclude_each_other_and_the_stronger_place_counts(tmp_path):
    repo = project(tmp_path, "top = 5\n")
    assert (settings(repo)["top"], settings(repo).targets) == (5, ())
    named = settings(repo, target=["f"])
    assert (named["top"], named.targets, named.found["top"].origin) == (None, ("f",), "default")
    project(tmp_path, 'target = "f"\n')
    hottest = settings(repo, {"OPTAGENT_TOP": "2"})
    assert (hottest["top"], hottest.targets) == (2, ())


def test_a_target_named_twice_is_one_target(tmp_path):
    assert settings(tmp_path, target=["f", "g", "f"]).targets == ("f", "g")


# the table that another room reads


def test_the_table_of_the_command_is_handed_on_untouched(tmp_path):
    repo = project(tmp_path, 'seed = 1\n[tool.optagent.command]\nrun = ["./a", "{input}"]\nno-such-key = 1\n')
    found = settings(repo)
    assert found.command == {"run": ["./a", "{input}"], "no-such-key": 1}
    assert found.project_file == repo / "pyproject.toml"
    (repo / "pyproject.toml").unlink()
    assert settings(project(repo, "[command]\nrun = 'a'\n", "optagent.toml")).command == {"run": "a"}
    assert settings(project(repo, "", "optagent.toml")).command is None


def test_run_settings_have_what_was_found(tmp_path):
    found = settings(tmp_path, max_minutes=2.0, max_trials=3, scope="module", timeout_factor=9.0, speedup=1.25)
    asked = found.run_settings("m:f")
    assert (asked.repo, asked.target, asked.minutes, asked.trials) == (str(tmp_path), "m:f", 2.0, 3)
    assert (asked.scope, asked.timeout_factor, asked.speedup) == ("module", 9.0, 1.25)
    assert asked.checked() is asked
    assert len(SETTINGS) == 27
