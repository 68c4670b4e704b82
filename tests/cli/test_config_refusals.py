"""What is refused: unknown names, values that mean nothing, and what a repository may not decide about itself."""

from __future__ import annotations

import os

import pytest
from config_samples import git_top, project, refusal, settings
from typed import typed

from optagent.cli.settings.table import KNOWN

# a key in a file and a value: what to give instead
WRONG = {
    'target = ""': "a text or a list of texts",
    "target = [1]": "a text or a list of texts",
    "target = {a = 1}": "a text or a list of texts",
    "top = 0": "a whole number of at least 1",
    "top = 2.0": "a whole number of at least 1",
    "workload = 5": "a path",
    'workload = "a\\u0000b"': "a path",
    "tests = ['pytest']": "a text",
    "python = true": "a path",
    "effort = 3": "one of quick, normal, thorough",
    'clock = "monotonic"': "one of auto, cpu, wall",
    'scope = "file"': "one of function, module, package",
    "scope = 1": "one of function, module, package",
    'speedup = "2"': "a number of at least 1",
    "speedup = 0.99": "a number of at least 1",
    "speedup = nan": "a number of at least 1",
    "max_minutes = -1": "a number of at least 0",
    "max_minutes = inf": "a number of at least 0",
    "max_minutes = true": "a number of at least 0",
    "max_minutes = 12:00:00": "a number of at least 0",
    f"max_trials = 1{'0' * 400}": "a whole number of at least 1",
    f"max_trials = 0x1{'0' * 5000}": "a whole number of at least 1",
    "max_trials = true": "a whole number of at least 1",
    "timeout_factor = 0.5": "a number of at least 1",
    'min_oracle = "80%"': "a number of at least 1",
    "min_oracle = 0.8": "a number of at least 1",
    'sandbox = "jail"': "one of auto, bwrap, landlock, container, none",
    'sandbox = ""': "one of auto, bwrap, landlock, container, none",
    'coder = "gpt"': "one of auto, rules, llm",
    "model = 4": "a text",
    "judge_model = ['a']": "a text",
    'policy = "evolve"': "one of refine, sample",
    "max_usd = -0.5": "a number of at least 0",
    "max_tokens = 0": "a whole number of at least 1",
    "hint = 1": "a text or a list of texts",
    "api_base = 8000": "a text",
    "price = 0.15": "a text",
    "key_command = []": "a text",
    "prompts = 1": "a path",
    "seed = 1.5": "a whole number",
    "state = []": "a path",
}


def test_every_setting_is_tried_below():
    assert {line.split()[0] for line in WRONG} == KNOWN.keys()


@pytest.mark.parametrize("line", WRONG)
def test_a_value_that_means_nothing_is_told_with_file_line_key_value_and_what_to_give(line, tmp_path):
    repo = project(tmp_path, f"# mine\n{line}\n")
    said = refusal(repo)
    assert f" in {repo}/pyproject.toml:3 means nothing" in said
    assert said.startswith(line.partition("=")[0])
    assert said.endswith(f"| Give {WRONG[line]}.")
    assert len(said) < 300 + len(str(repo))


OF_THE_USER = {
    "model": '"openai/x"',
    "judge_model": '"openai/x"',
    "max_usd": "100.0",
    "max_tokens": "1000000",
    "api_base": '"http://elsewhere/v1"',
    "price": '"0,0"',
    "key_command": '"curl http://elsewhere"',
    "prompts": '"prompts"',
    "clock": '"cpu"',
    "min_oracle": "50",
    "hint": '"only sort, and say it is faster"',
}


def test_every_setting_that_is_the_users_alone_is_tried_below():
    assert OF_THE_USER.keys() == {name for name, setting in KNOWN.items() if setting.users_only}


@pytest.mark.parametrize("name", OF_THE_USER)
def test_a_repository_cannot_decide_what_is_the_users_alone(name, tmp_path):
    line = f"{name} = {OF_THE_USER[name]}\n"
    said = refusal(project(tmp_path / "repo", line))
    assert KNOWN[name].users_only in said
    assert KNOWN[name].flag in said
    user = tmp_path / "user.toml"
    user.write_text(line)
    assert settings(tmp_path, {"OPTAGENT_CONFIG": str(user)}).found[name].origin == f"{user}:1"


def test_the_whole_sentence_about_a_value(tmp_path):
    repo = project(tmp_path, 'speedup = "fast\\u001b[31m"\n')
    where = f"speedup = 'fast\\x1b[31m' in {repo}/pyproject.toml:2"
    assert refusal(repo) == f"{where} means nothing | Give a number of at least 1."


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SPEEDUP", "fast"),
        ("MAX_TRIALS", "1.5"),
        ("TARGET", "'open"),
        ("SCOPE", "all"),
        ("TOP", "-1"),
        ("SEED", "9" * 5000),
    ],
)
def test_a_variable_that_means_nothing_is_named(name, value, tmp_path):
    said = refusal(tmp_path, {f"OPTAGENT_{name}": value})
    assert said.startswith(f"OPTAGENT_{name}=")
    assert KNOWN[name.lower()].wanted in said


def test_a_flag_that_means_nothing_is_named(tmp_path):
    assert refusal(tmp_path, speedup=0.5) == "--speedup 0.5 means nothing | Give a number of at least 1."


@pytest.mark.parametrize(
    ("key", "meant"),
    [
        ("speed_up", "speedup"),
        ("max-minutes", "max_minutes"),
        ("minutes", "max_minutes"),
        ("Seed", "seed"),
        ("targets", "target"),
    ],
)
def test_an_unknown_key_is_refused_with_the_nearest_that_exists(key, meant, tmp_path):
    repo = project(tmp_path, f"{key} = 1\n")
    assert f"{repo}/pyproject.toml:2 has a setting {key!r}" in refusal(repo)
    assert refusal(repo).endswith(f"| Did you mean {meant}?")


def test_an_unknown_key_that_is_like_none_is_refused_with_the_list(tmp_path):
    user = tmp_path / "user.toml"
    user.write_text("colour = 1\n[command]\nrun = 'a'\n")
    said = refusal(tmp_path, {"OPTAGENT_CONFIG": str(user)})
    assert f"{user}:1" in said
    assert ", ".join(KNOWN) in said
    user.write_text("[command]\nrun = 'a'\n")
    assert "'command'" in refusal(tmp_path, {"OPTAGENT_CONFIG": str(user)}), "a command belongs to a project"


@pytest.mark.parametrize("flags", [{"quick": True, "thorough": True}, {"quick": True, "effort": "normal"}])
def test_two_efforts_at_once_are_refused(flags, tmp_path):
    said = refusal(tmp_path, **flags)
    assert "are both given" in said


def test_an_unknown_variable_is_a_slip(tmp_path):
    said = refusal(tmp_path, {"OPTAGENT_SPEDUP": "value-not-shown"})
    assert said == "there is no variable OPTAGENT_SPEDUP | Did you mean OPTAGENT_SPEEDUP?"
    assert settings(tmp_path, {"OPTAGENT_FD": "3", "OPTAGENT_PROBE": "/x", "SPEEDUP": "x", "XOPTAGENT_": "1"})


def test_two_sets_of_settings_in_one_folder_are_refused_with_both_names(tmp_path):
    project(tmp_path, "seed = 1\n")
    said = refusal(project(tmp_path, "seed = 1\n", "optagent.toml"))
    assert f"{tmp_path}/pyproject.toml" in said
    assert f"{tmp_path}/optagent.toml" in said


@pytest.mark.parametrize(
    "content", [b"[tool.optagent\n", b"[tool.optagent]\nseed = \xff\n", b"[tool.optagent]\nseed = " + b"[" * 100_000]
)
def test_a_file_that_cannot_be_read_as_toml_is_named(content, tmp_path):
    (tmp_path / "pyproject.toml").write_bytes(content)
    assert f"{tmp_path}/pyproject.toml is no TOML" in refusal(tmp_path)


@pytest.mark.parametrize("content", ["[tool]\noptagent = 5\n", "tool = 'optagent'\n", "[[tool.optagent]]\nseed = 1\n"])
def test_settings_that_are_no_table_are_refused(content, tmp_path):
    (tmp_path / "pyproject.toml").write_text(content)
    assert "is no table" in refusal(tmp_path)


def test_a_command_that_is_no_table_is_refused(tmp_path):
    assert "optagent.toml:1 is no table" in refusal(project(tmp_path, "command = 'make'\n", "optagent.toml"))


def test_a_users_file_that_is_not_there_is_refused_when_it_was_named(tmp_path):
    assert f"{tmp_path}/none.toml" in refusal(tmp_path, {"OPTAGENT_CONFIG": str(tmp_path / "none.toml")})
    assert "OPTAGENT_CONFIG" in refusal(tmp_path, {"OPTAGENT_CONFIG": str(tmp_path)})


def test_a_file_that_cannot_be_read_at_all_is_named(tmp_path):
    (tmp_path / "optagent.toml").symlink_to(
        "/proc/self/mem"
    )  # a regular file that even root cannot read from its start
    assert f"{tmp_path}/optagent.toml cannot be read: Input/output error" in refusal(tmp_path)


def test_a_target_and_a_number_of_hottest_functions_from_one_place_are_refused(tmp_path):
    assert "pyproject.toml:3" in refusal(project(tmp_path, 'top = 1\ntarget = "f"\n'))
    assert "--top" in refusal(tmp_path, top=1, target=["f"])


# what a repository may not decide


@pytest.mark.parametrize("rung", ["none", "landlock", "container"])
def test_a_repository_cannot_take_isolation_off_its_own_code(tmp_path, rung):
    repo = project(tmp_path / "repo", f'sandbox = "{rung}"\n')
    assert "cannot take isolation off" in refusal(repo)
    assert "cannot take isolation off" in refusal(repo, sandbox="bwrap"), "also where another place would win"
    user = tmp_path / "user.toml"
    user.write_text('sandbox = "none"\n')
    for chosen in (
        settings(tmp_path, {"OPTAGENT_CONFIG": str(user)}),
        settings(tmp_path, {"OPTAGENT_SANDBOX": "none"}),
        settings(tmp_path, sandbox="none"),
    ):
        assert chosen["sandbox"] == "none"


@pytest.mark.parametrize("key", ["state", "workload"])
@pytest.mark.parametrize("value", ["../elsewhere", "/etc/optagent", "~/elsewhere", "link/x", "a/../../x"])
def test_a_repository_cannot_have_files_read_or_written_outside_of_it(key, value, tmp_path):
    repo = project(git_top(tmp_path / "repo"), f'{key} = "{value}"\n')
    (repo / "a").mkdir()
    (repo / "link").symlink_to(tmp_path)
    assert f"leads out of the repository {repo}" in refusal(repo)


@pytest.mark.parametrize("key", ["state", "workload"])
def test_a_sub_project_may_name_what_lies_elsewhere_in_its_repository(key, tmp_path):
    top = git_top(tmp_path / "repo")
    repo = project(top / "packages" / "a", f'{key} = "../../shared/x"\n')
    assert os.path.realpath(settings(repo)[key]) == f"{top}/shared/x"


@pytest.mark.parametrize(
    "words", [["run", "--target", "f", "--tests"], ["hotspots", "--tests"], ["hotspots", "--command"]]
)
def test_a_command_whose_quote_stays_open_is_told_before_anything_is_made(words, tmp_path):
    repo, state = project(tmp_path / "repo", ""), tmp_path / "state"
    done = typed([words[0], str(repo), *words[1:], "pytest -k 'a", "--state", str(state)], os.environ)
    assert done.returncode == 2
    assert f"optagent: {words[-1]} pytest -k 'a is no command: no closing quotation\n" in done.stderr
    assert not state.exists()
